"""Ratios before and after, against sums made by hand."""

from __future__ import annotations

import polars as pl
import pytest

from arrears import run
from arrears.plan.ratios import _book_left


@pytest.fixture(scope="module")
def found(tmp_path_factory, root):
    out = tmp_path_factory.mktemp("ratios") / "book"
    recipe = root / "examples/eastern_bank/recipe.yaml"
    run.synth(run.SynthRequest(loans=1_500, months=1, recipe=recipe, seed=4), out=out)
    holder = str(root / "examples/eastern_bank/holder.yaml")
    request = run.Request(str(out / "loans.csv"), holder=holder, scenarios=50)
    capacity = out / "capacity.yaml"
    capacity.write_text("capacities:\n  - {name: npl_removed, min: 1_000_000 yuan}\n", "utf-8")
    alone = run.Request(str(out / "loans.csv"), capacity=str(capacity), scenarios=50)
    return run.resolve(request), run.resolve(alone)


def figures(resolution) -> dict[str, dict[str, object]]:
    return {row["figure"]: row for row in resolution.ratios.iter_rows(named=True)}


def test_before_is_the_holders_whole_book(found) -> None:
    told = figures(found[0])
    assert told["loans"]["before"] == 450_000_000_000_00
    assert told["bad-loan ratio"]["before"] == pytest.approx(5.4 / 450)
    assert told["coverage"]["before"] == pytest.approx(10.5 / 5.4)
    assert told["capital ratio"]["before"] == pytest.approx(48 / 380)
    assert told["coverage"]["standard"] == 1.5
    assert told["provisions to loans"]["standard"] == 0.025
    assert {row["basis"] for row in told.values()} == {"whole book"}


def test_after_is_before_less_what_is_sold_or_written_off(found) -> None:
    for resolution in found:
        told = figures(resolution)
        loans = resolution.situation.loans
        plan = resolution.plan.table.join(
            loans.select("loan_id", "reported_class", "written_off", "provision"), on="loan_id"
        )
        gone = plan.filter(
            (pl.col("channel").is_in(["transfer", "securitise"]) & (pl.col("start_month") == 0))
            | pl.col("write_off_now")
        ).filter(~pl.col("written_off").fill_null(False))
        bad = gone.filter(pl.col("reported_class").is_in(["substandard", "doubtful", "loss"]))
        assert told["loans"]["before"] - told["loans"]["after"] == gone["claim"].sum()
        taken = told["reported bad loans"]["before"] - told["reported bad loans"]["after"]
        assert taken == bad["claim"].sum()


def test_a_sale_moves_the_ratios_of_a_tape_alone(found) -> None:
    told = figures(found[1])
    sold = found[1].plan.table.filter(pl.col("channel").is_in(["transfer", "securitise"]))
    assert sold.height > 0
    assert {row["basis"] for row in told.values()} == {"tape alone"}
    assert told["bad-loan ratio"]["after"] < told["bad-loan ratio"]["before"]
    assert told["capital ratio"]["before"] is None


def test_the_book_under_each_standard(found) -> None:
    table = found[0].three.standards
    assert table["standard"].to_list() == ["cn", "basel", "eba", "ifrs9"]
    total = found[0].book.filter(cut="total")["by_rule"][0]
    assert table.filter(standard="cn")["claim"][0] == total


def test_what_ways_bring_adds_up_to_the_plan(found) -> None:
    for resolution in found:
        table = resolution.outcomes
        plan = table.filter(way="plan").row(0, named=True)
        ways = table.filter(~pl.col("way").is_in(["plan", "write_off"]))
        assert plan["loans"] == resolution.plan.table.height == ways["loans"].sum()
        assert plan["value"] == pytest.approx(resolution.plan.value, rel=1e-9)
        assert plan["claim"] == pytest.approx(resolution.situation.claim.sum())
        assert plan["package_costs"] == pytest.approx(resolution.plan.pool_costs)
        for name in ("cash", "cost", "package_costs", "profit_now", "profit_5y", "capital_freed"):
            assert plan[name] == pytest.approx(ways[name].sum())


def test_only_sales_of_today_book_a_profit_today(found) -> None:
    table = found[1].outcomes
    still = table.filter(pl.col("way").is_in(["collect", "restructure", "litigate"]))
    assert (still["profit_now"] == 0.0).all()
    assert (still["npl_removed"] == 0.0).all()
    sold = table.filter(pl.col("way").is_in(["transfer", "securitise"]))
    assert sold["npl_removed"].sum() >= 1_000_000_00


def test_a_sale_books_what_its_package_costs_whatever_its_size(found, tmp_path, root) -> None:
    capacity = tmp_path / "capacity.yaml"
    capacity.write_text("capacities:\n  - {name: npl_removed, min: 1_000_000 yuan}\n", "utf-8")
    holder = str(root / "examples/eastern_bank/holder.yaml")
    loans = found[0].record["inputs"][0]["path"]
    resolution = run.resolve(
        run.Request(loans, holder=holder, capacity=str(capacity), scenarios=50)
    )
    plan, situation = resolution.plan.table, resolution.situation
    mine = plan["channel"].is_in(["transfer", "securitise"]) & (plan["start_month"] == 0)
    gain = plan["value"].to_numpy() - situation.book_value
    booked = gain[mine.to_numpy()].sum() - resolution.plan.pool_costs
    assert resolution.plan.pool_costs > 0.0
    assert resolution.outcomes.filter(way="plan")["profit_now"][0] == pytest.approx(booked)
    told = figures(resolution)
    assert told["profit"]["after"] - told["profit"]["before"] == pytest.approx(booked)


def test_what_sound_loans_owe_after_five_years_is_no_loss(found) -> None:
    """A book of loans that pay is worth a little over its value; what comes after five years stands in the books."""
    resolution = found[0]
    situation = resolution.situation
    rows = situation.loans.with_row_index().filter(
        (pl.col("product") == "mortgage") & (pl.col("days_past_due") == 0)
    )["index"]
    left = _book_left(situation)[rows.to_numpy()]
    book = situation.book_value[rows.to_numpy()]
    assert 0.3 * book.sum() < left.sum() < book.sum()
    assert (left <= book).all()
    assert (_book_left(situation)[situation.forecast.age >= 0] == 0.0).all()
    collect = resolution.outcomes.filter(way="collect").row(0, named=True)
    late = situation.overdue & (resolution.plan.table["channel"] == "collect").to_numpy()
    assert collect["profit_5y"] > -situation.book_value[late].sum()


def test_ratios_of_the_plan_are_those_of_the_table_of_ratios(found) -> None:
    for resolution in found:
        plan = resolution.outcomes.filter(way="plan").row(0, named=True)
        assert plan["bad_loan_ratio"] == figures(resolution)["bad-loan ratio"]["after"]
        assert plan["coverage"] == figures(resolution)["coverage"]["after"]


def test_a_write_off_books_no_profit_and_may_spare_tax(found) -> None:
    row = found[0].outcomes.filter(way="write_off").row(0, named=True)
    assert row["profit_now"] == row["value"] == 0.0
    assert row["tax"] == pytest.approx(-0.8 * 0.25 * row["claim"])


def test_a_loan_watched_but_lost_leaves_the_special_mention_with_its_write_off(
    found, tmp_path
) -> None:
    """Reported as special mention, a loss by the rules and provided for in full."""
    tape = found[1].tape.loans
    late = tape.filter(
        (pl.col("days_past_due") > 400)
        & (pl.col("product") == "credit_card")
        & ~pl.col("written_off")
    )
    first = late["loan_id"].head(3)
    owed = pl.sum_horizontal("principal", "interest", "fees")
    mine = pl.col("loan_id").is_in(first.implode())
    tape.with_columns(
        provision=pl.when(mine).then(owed).otherwise("provision"),
        reported_class=pl.when(mine).then(pl.lit("special_mention")).otherwise("reported_class"),
    ).write_parquet(tmp_path / "loans.parquet")
    resolution = run.resolve(run.Request(str(tmp_path / "loans.parquet"), scenarios=5))
    off = resolution.plan.table.filter("write_off_now")
    assert set(first) <= set(off["loan_id"])
    told = figures(resolution)
    watched = {
        side: told["special-mention ratio"][side] * told["loans"][side]
        for side in ("before", "after")
    }
    left = off.filter(mine)["claim"].sum()
    assert watched["before"] - watched["after"] == pytest.approx(left)


def test_the_ban_on_waiving_principal_costs_and_its_price_is_told(found) -> None:
    ban = found[0].record["principal_ban"]
    assert ban["offers"] >= 0.0
    assert ban["others"] >= 0.0
    assert (ban["loans"] > 0) == (ban["others"] > 0.0)
