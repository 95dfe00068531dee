"""The books with hidden bad loans are what they say they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import arrears
from arrears import run
from validation.worlds import hidden
from validation.worlds.households import Households

TABLES = ("loans", "months", "events", "payments")


@pytest.fixture(scope="module")
def clumsy() -> hidden.Hidden:
    return hidden.book(hidden.Setting(loans=6_000))


@pytest.fixture(scope="module")
def subtle() -> hidden.Hidden:
    return hidden.book(hidden.Setting(loans=6_000, dial=1.0))


def test_a_tape_is_accepted_whole_and_nothing_in_it_contradicts(
    subtle: hidden.Hidden, tmp_path: Path
) -> None:
    files = {}
    for name in TABLES:
        files[name] = str(tmp_path / f"{name}.parquet")
        getattr(subtle, name).write_parquet(files[name])
    checked = run.check(arrears.Request(**files))
    assert checked.tape.quarantine.is_empty()
    assert checked.tape.loans.height == subtle.loans.height
    assert not [problem for problem in checked.problems if problem.severity == "error"]


def test_months_say_what_the_payments_sum_to(clumsy: hidden.Hidden) -> None:
    came = clumsy.payments.group_by("loan_id", month=pl.col("date").dt.month_start()).agg(
        pl.col("amount", "principal_part", "interest_part").sum()
    )
    both = clumsy.months.join(came, on=["loan_id", "month"], how="left").with_columns(
        pl.col("amount", "principal_part", "interest_part").fill_null(0)
    )
    assert both["paid_principal"].equals(both["principal_part"])
    assert both["paid_interest"].equals(both["interest_part"])
    assert both.filter(pl.col("amount") != pl.col("principal_part") + pl.col("interest_part")).is_empty()  # fmt: skip
    assert came.height <= clumsy.months.height


def test_a_balance_falls_by_what_was_paid_and_rises_by_what_managers_add(
    clumsy: hidden.Hidden,
) -> None:
    before = pl.col("balance").shift(1).over("loan_id")
    moved = clumsy.months.sort("loan_id", "month").with_columns(
        added=pl.col("balance") - before + pl.col("paid_principal")
    )
    moved = moved.drop_nulls("added")
    assert moved["added"].min() == 0
    rose = moved.filter(pl.col("added") > 0)
    assert 0 < rose.height < 0.02 * moved.height


def test_about_one_loan_in_a_hundred_is_hidden_and_none_of_them_looks_bad(
    clumsy: hidden.Hidden, subtle: hidden.Hidden
) -> None:
    for made in (clumsy, subtle):
        found = made.truth.filter("hidden").join(made.loans, on="loan_id")
        assert 0.006 < found.height / made.loans.filter(pl.col("principal") > 0).height < 0.018
        assert (found["true_state"] == "bad").all()
        assert found["branch_hides"].all()
        assert found["days_past_due"].max() <= 90
        assert (found["hidden_amount"] == found["principal"] + found["interest"]).all()
        assert made.truth.filter(~pl.col("hidden"))["hidden_amount"].sum() == 0


def test_nothing_is_hidden_where_all_managers_are_honest_but_the_traps_are_there() -> None:
    made = hidden.book(hidden.Setting(loans=3_000, hiding=False, dial=0.5))
    assert not made.truth["hidden"].any()
    kinds = set(made.events["kind"])
    assert kinds == {"renewal", "grace", "restructured", "rate_cut", "drawdown", "settled"}


def test_hidden_loans_come_to_light_more_often_than_others(clumsy: hidden.Hidden) -> None:
    shown = clumsy.loans.filter(pl.col("days_past_due") <= 90).select("loan_id")
    late = shown.join(clumsy.truth, on="loan_id").join(clumsy.outcome, on="loan_id")
    late = late.group_by("hidden").agg(bad=(pl.col("worst_days") > 90).mean()).sort("hidden")
    assert late["bad"][1] > 4 * late["bad"][0]


def test_the_dial_takes_deeds_off_the_record(clumsy: hidden.Hidden, subtle: hidden.Hidden) -> None:
    deeds = []
    for made in (clumsy, subtle):
        found = made.truth.filter("hidden").select("loan_id")
        deeds.append(made.events.join(found, on="loan_id").height / found.height)
    assert deeds[1] < 0.6 * deeds[0]


def test_same_seed_same_book_and_the_dial_leaves_the_households_alone() -> None:
    first, again, other = (
        hidden.book(hidden.Setting(loans=500, dial=dial, seed=seed))
        for dial, seed in ((0.3, 1), (0.3, 1), (0.3, 2))
    )
    for name in (*TABLES, "truth", "states", "later", "outcome"):
        assert getattr(first, name).equals(getattr(again, name)), name
    assert not first.loans.equals(other.loans)
    turned = hidden.book(hidden.Setting(loans=500, dial=1.0, seed=1))
    columns = ["borrower_id", "product", "province", "sector", "branch"]
    mine = [made.loans.select(columns).unique().sort("borrower_id") for made in (first, turned)]
    assert mine[0].equals(mine[1])


def test_an_inspection_tells_the_truth_of_the_loans_it_saw(clumsy: hidden.Hidden) -> None:
    ids = clumsy.truth["loan_id"].sample(50, seed=1)
    found = hidden.inspect(clumsy.truth, [*ids, "nobody"])
    assert found.columns == ["loan_id", "hidden"]
    assert set(found["loan_id"]) == set(ids)
    assert found.join(clumsy.truth, on=["loan_id", "hidden"]).height == 50


def test_nothing_of_what_comes_later_is_on_the_tape(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = hidden.Setting(loans=1_500, dial=0.5)
    drawn = hidden.households

    def ruined_afterwards(count: int, months: int, stream: np.random.Generator) -> Households:
        people = drawn(count, months, stream)
        people.income[:, -setting.later :] *= 0.2
        return people

    usual = hidden.book(setting)
    monkeypatch.setattr(hidden, "households", ruined_afterwards)
    ruined = hidden.book(setting)
    for name in (*TABLES, "truth", "states"):
        assert getattr(usual, name).equals(getattr(ruined, name)), name
    assert ruined.outcome["worst_days"].mean() > 1.5 * usual.outcome["worst_days"].mean()
