"""Steps to collect in a run: the ladder of each loan, and the loans left alone to measure them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from arrears import handover
from arrears.channels import COLUMNS, demands, ladders
from arrears.errors import BadArgument
from arrears.handover import papers
from arrears.run import Request, steps
from arrears.run.summarised import told


def test_nothing_is_held_out_unless_asked(case) -> None:
    assert not pl.read_parquet(case.out / "ladders.parquet")["held_out"].any()


def test_about_the_share_asked_for_is_held_out_and_gets_no_step(resolved) -> None:
    found = resolved(holdout=0.1)
    held = pl.Series(found.situation.held_out)
    assert held.mean() == pytest.approx(0.1, abs=0.03)
    collected = (found.plan.table["channel"] == "collect") & (found.plan.table["start_month"] == 0)
    assert (found.situation.claim > 0).all()
    chosen = found.plan.column
    hours = found.offers.uses(0, "call_hours")
    assert hours is not None
    assert (hours[(held & collected).to_numpy()] == 0.0).all()
    assert (chosen[(held & collected).to_numpy()] == 0).all()


def test_who_is_held_out_does_not_depend_on_the_others() -> None:
    ids = pl.Series([f"L{number}" for number in range(500)])
    whole = steps.held_out(ids, 0.2, 0)
    half = steps.held_out(ids[250:], 0.2, 0)
    other = steps.held_out(ids, 0.2, 1)
    assert whole is not None
    assert half is not None
    assert other is not None
    assert (whole[250:] == half).all()
    assert (whole != other).any()


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(BadArgument):
        Request("loans.csv", holdout=1.5)


def test_the_record_tells_what_each_step_adds(case) -> None:
    told = {row["step"]: row for row in case.found.record["steps"]}
    assert set(told) == {"text", "app", "call", "agency", "letter", "visit", "court_notice"}
    assert told["call"]["with_step"] > 0
    assert told["app"]["own"] is None
    assert told["app"]["used"] == told["app"]["market"]


def test_where_hours_do_not_go_round_loans_make_do_without(resolved, tmp_path) -> None:
    limits = tmp_path / "hours.yaml"
    lines = [
        f"  - {{name: call_hours, max: 20, scope: {{start_month: {month}}}}}"
        for month in (0, 6, 12)
    ]
    limits.write_text("capacities:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    found = resolved(capacity=str(limits), holder="fintech")
    used = found.plan.capacities
    assert (used["used"] <= used["limit"] + 1e-9).all()
    called = found.situation.overdue & (ladders(found.situation).hours > 0)
    assert called.sum() < found.situation.overdue.sum() / 2
    ease = resolved(capacity=None, holder="fintech")
    assert found.plan.value < ease.plan.value


def test_who_is_sold_later_is_collected_until_then_and_a_sale_stops_no_limitation(resolved) -> None:
    found = resolved(capacity=None)
    situation = replace(found.situation)
    soon = pl.select(pl.repeat(found.tape.as_of + timedelta(days=30), found.situation.loans.height))
    vars(situation)["limitation_ends"] = soon.to_series()
    column = found.plan.column.copy()
    overdue = found.situation.overdue
    late, sound = np.flatnonzero(overdue), np.flatnonzero(~overdue)
    ways = {
        ("transfer", 6): [late[0], sound[0]], ("income_rights", 12): [late[1]], ("securitise", 6): [late[2]],
        ("securitise", 0): [late[3]], ("transfer", 0): [sound[1]], ("litigate", 0): [late[4]],
    }  # fmt: skip
    for way, places in ways.items():
        column[places] = COLUMNS.index(way)
    known = handover.facts(found.tape, situation.rulebook)
    plan = replace(found.plan, column=column)
    vars(plan)["table"] = found.plan.table.with_columns(
        channel=pl.Series([COLUMNS[number][0] for number in column]),
        start_month=pl.Series([COLUMNS[number][1] for number in column], dtype=pl.Int32),
    )
    work = papers.worklist(handover.Decision(found.tape, situation, found.offers, plan, known))
    ids = found.situation.loans["loan_id"]

    def told(place: int) -> list[str]:
        return work.filter(pl.col("loan_id") == ids[int(place)])["action"].to_list()

    asks = {demanded: pl.Series(demands(situation))[int(demanded)] for demanded in late[:5]}
    then = ("sell_in_bulk_in_month_6", "sell_income_rights_in_month_12", "securitise_in_month_6")
    for place, words in zip(late[:3], then, strict=True):
        assert told(place) == [f"collect_then_{words}"] + ["demand"] * asks[place]
    assert told(late[3]) == ["demand"] * asks[late[3]]
    assert told(late[4]) == ["file_suit"]
    assert told(sound[0]) == ["none"]
    assert told(sound[1]) == []
    assert any(asks.values())
    rows = work.filter(pl.col("action") == "demand")
    assert rows["contact_with"].null_count() == 0


def test_who_is_sued_first(resolved) -> None:
    """A time that ends in a week is no use at the end of the queue; one that a case has stopped does not press."""
    found = resolved(capacity=None)
    day, loans = found.tape.as_of, found.situation.loans
    late = np.flatnonzero(found.situation.overdue)[:6]
    ids = [loans["loan_id"][int(place)] for place in late]
    far = day + timedelta(days=900)
    ends = {
        ids[2]: day + timedelta(days=7),
        ids[3]: day + timedelta(days=181),
        ids[4]: day,
        ids[5]: far,
    }
    said = {
        name: [None] * loans.height for name in ("fraud_flag", "contact_status", "legal_status")
    }
    said["fraud_flag"][late[0]], said["contact_status"][late[1]] = True, "vanished"
    said["legal_status"][late[4]] = "enforcing"
    told = loans.with_columns(
        pl.Series(name, words, loans.schema[name]) for name, words in said.items()
    )
    plan = replace(found.plan)
    worth = dict(zip(ids, (1.0, 2.0, 3.0, 5.0, 9.0, 7.0), strict=True))
    named = pl.col("loan_id").is_in(ids)
    vars(plan)["table"] = found.plan.table.with_columns(
        channel=pl.when(named).then(pl.lit("litigate")).otherwise(pl.lit("collect")),
        start_month=pl.lit(0, pl.Int32),
        value=pl.col("loan_id").replace_strict(worth, default=0.0),
    )
    known = handover.facts(found.tape, found.situation.rulebook).with_columns(
        limitation_ends=pl.col("loan_id").replace_strict(ends, default=far, return_dtype=pl.Date)
    )
    situation = replace(found.situation, loans=told, _once={})
    filed = papers.filings(handover.Decision(found.tape, situation, found.offers, plan, known))
    assert filed["loan_id"].to_list() == [ids[k] for k in (0, 1, 2, 4, 5, 3)]
    assert filed["priority"].to_list() == [1, 2, 3, 4, 5, 6]
    # By hand: 30 yuan for the first 1,000, 1 per cent up to 100,000, half a per cent above, 5,000 at most
    for claim, fee in filed.select("claim", "preservation_fee").iter_rows():
        plain = (
            3_000
            + max(min(claim, 10_000_000) - 100_000, 0) / 100
            + max(claim - 10_000_000, 0) / 200
        )
        assert fee == pytest.approx(min(plain, 500_000), abs=1)


def test_the_worklist_counts_the_hours_and_visits_that_the_plan_counts(resolved, tmp_path) -> None:
    limits = tmp_path / "limits.yaml"
    limits.write_text(
        "capacities:\n  - {name: call_hours, max: 200}\n  - {name: visits, max: 30}\n"
    )
    found = resolved(capacity=str(limits))
    known = handover.facts(found.tape, found.situation.rulebook)
    work = papers.worklist(
        handover.Decision(found.tape, found.situation, found.offers, found.plan, known)
    )
    for row in found.plan.capacities.iter_rows(named=True):
        assert work[row["capacity"]].sum() == pytest.approx(row["used"])
    assert work["call_hours"].sum() > 0
    ways = next(line for line in told(found) if line.startswith("Ways"))
    assert "visits" in ways.split("; scarce: ")[1]
    assert "_" not in ways
