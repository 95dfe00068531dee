"""The borrowers that plans are tried on are what they say they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import arrears
from arrears import run
from validation.worlds import field, policies


@pytest.fixture(scope="module")
def made() -> field.Field:
    return field.Field(field.Setting(loans=3_000, later=36))


@pytest.fixture(scope="module")
def owing(made: field.Field) -> pl.DataFrame:
    return made.tables["loans"].filter(pl.col("principal") > 0)


def _all(
    owing: pl.DataFrame, channel: str, step: str | None = None, start: int = 0
) -> pl.DataFrame:
    return owing.select("loan_id").with_columns(
        channel=pl.lit(channel), start_month=pl.lit(start), step=pl.lit(step, pl.String)
    )


def test_a_tape_is_accepted_whole_and_nothing_in_it_contradicts(
    made: field.Field, tmp_path: Path
) -> None:
    files = {}
    for name, table in made.tables.items():
        files[name] = str(tmp_path / f"{name}.parquet")
        table.write_parquet(files[name])
    checked = run.check(arrears.Request(**files))
    assert checked.tape.quarantine.is_empty()
    assert [problem.code for problem in checked.problems] == []


def test_the_tape_does_not_tell_the_planted_kind(made: field.Field) -> None:
    told = {column for table in made.tables.values() for column in table.columns}
    assert not told & {"kind_of_debtor", "frailty", "tau"}
    texts = (column for table in made.tables.values() for column in table.select(pl.col(pl.String)))
    words = {word for column in texts for word in column.unique()}
    assert not words & {"forgetful", "unwilling", "squeezed", "ruined", "touchy"}
    assert made.kinds["kind"].n_unique() == 5


def test_what_was_owed_is_what_was_paid_waived_or_is_still_owed(made: field.Field) -> None:
    paid = made.tables["payments"].group_by("loan_id").agg(paid=pl.col("amount").sum())
    rest = (
        made.tables["loans"]
        .join(paid, on="loan_id", how="left")
        .with_columns(
            rest=pl.col("original_principal") - pl.col("paid").fill_null(0) - pl.col("principal")
        )
    )
    settled = made.tables["events"].filter(pl.col("kind") == "settled")["loan_id"]
    waived = rest.filter(pl.col("loan_id").is_in(settled.implode()))
    assert (waived["rest"] > 0).all()
    assert (rest.filter(~pl.col("loan_id").is_in(settled.implode()))["rest"] == 0).all()


def test_a_plan_never_brings_more_than_is_owed_and_untreated_loans_follow_their_own_course(
    made: field.Field, owing: pl.DataFrame
) -> None:
    brought = made.act(_all(owing, "litigate")).join(
        owing.select("loan_id", "principal"), on="loan_id"
    )
    assert (brought["cash"] <= brought["principal"]).all()
    assert (brought["pv"] <= brought["cash"]).all()
    nothing = made.act(_all(owing, "collect").head(0))
    none = made.act(_all(owing, "collect", "none"))
    assert nothing["cash"].equals(none["cash"])


def test_loans_treated_alike_by_two_plans_bring_the_same(
    made: field.Field, owing: pl.DataFrame
) -> None:
    half = pl.int_range(pl.len()) % 2 == 0
    mixed = _all(owing, "collect", "call").with_columns(
        channel=pl.when(half).then("channel").otherwise(pl.lit("litigate"))
    )
    one, other = made.act(_all(owing, "collect", "call")), made.act(mixed)
    alike = one.join(other, on=["loan_id", "channel"], suffix="_mixed")
    assert alike.height >= owing.height // 2
    assert alike["cash"].equals(alike["cash_mixed"])
    again = made.act(mixed)
    assert again.equals(other)
    assert not made.act(mixed, draw=1)["cash"].equals(other["cash"])


def test_terms_were_offered_before_by_lot_and_stand_on_the_tape(made: field.Field) -> None:
    events = made.tables["events"].filter(kind="restructured").select("loan_id")
    given = events.join(made.kinds, on="loan_id")
    share = (
        given.group_by("kind").agg(n=pl.len()).join(made.kinds["kind"].value_counts(), on="kind")
    )
    taken = dict(share.select("kind", pl.col("n") / pl.col("count")).iter_rows())
    # By lot to all, taken by those whom they help
    assert taken["squeezed"] > 2.0 * taken["unwilling"]
    assert 0.01 < given.height / made.kinds.height < 0.1


def test_planted_effects_differ_by_kind(made: field.Field, owing: pl.DataFrame) -> None:
    def by_kind(channel: str, step: str | None) -> dict[str, float]:
        brought = [made.act(_all(owing, channel, step), draw=draw) for draw in range(3)]
        every = pl.concat(brought).join(made.kinds, on="loan_id")
        return dict(every.group_by("kind").agg(pl.col("pv").sum()).iter_rows())

    alone, suit = by_kind("collect", "none"), by_kind("litigate", None)
    terms, notice = by_kind("restructure", None), by_kind("collect", "court_notice")
    assert suit["unwilling"] > 1.5 * alone["unwilling"]
    assert terms["squeezed"] > 1.3 * alone["squeezed"]
    assert notice["unwilling"] / alone["unwilling"] > notice["squeezed"] / alone["squeezed"]
    assert alone["ruined"] < 0.2 * alone["forgetful"]


def test_a_sale_brings_its_price_at_once_and_nothing_after(
    made: field.Field, owing: pl.DataFrame
) -> None:
    sold = made.act(_all(owing, "transfer")).join(owing, on="loan_id", maintain_order="left")
    share = (sold["cash"] / sold["principal"]).to_numpy()
    young = sold["days_past_due"].to_numpy() < 91 + 300
    assert share[young].min() == pytest.approx(0.126, abs=1e-4)
    assert share[sold["days_past_due"].to_numpy() > 91 + 1000].max() < 0.04


def test_policies_fill_capacities_in_their_order_and_never_past_them(
    made: field.Field, owing: pl.DataFrame
) -> None:
    count, one = owing.height, np.ones(owing.height)
    ranked = policies.scores(made.tables)
    assert tuple(ranked) == policies.RANKINGS
    may = owing["contact_status"].to_numpy() != "vanished"
    options = [
        policies.Option("litigate", None, np.full(count, True), one, 50),
        policies.Option("restructure", None, may, one, 80, {"instalment": np.full(count, 5e4)}),
        policies.Option("collect", "call", may, 0.5 * one, 100),
    ]
    for score in ranked.values():
        plan = policies.fill(owing, score, options)
        assert plan.height == count
        assert plan["channel"].value_counts().sort("channel")["count"].to_list() == [count - 130, 50, 80]  # fmt: skip
        assert (plan["step"] == "call").sum() == 200
        assert score[plan["channel"].to_numpy() == "litigate"].min() >= np.sort(score)[-50]
        assert plan.filter(channel="restructure")["instalment"].unique().to_list() == [5e4]
    assert made.act(plan)["cash"].sum() > 0


def test_propensity_finds_who_pays_but_that_is_not_whom_a_step_helps(
    made: field.Field, owing: pl.DataFrame
) -> None:
    alone = made.act(_all(owing, "collect", "none"))
    alone = owing.join(alone, on="loan_id", maintain_order="left")
    score = policies.propensity(owing, made.tables["payments"])
    top = score >= np.quantile(score, 0.8)
    share = (alone["cash"] > 0).to_numpy()
    assert share[top].mean() > 1.5 * share[~top].mean()


def test_same_seed_same_field(made: field.Field) -> None:
    again = field.Field(field.Setting(loans=3_000, later=36))
    for name, table in made.tables.items():
        assert table.equals(again.tables[name]), name
