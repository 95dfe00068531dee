"""Histories that are thin or wrong: what is wrong is told with its code and place, and the rest goes on."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from arrears import run

HEAD = {
    "as_of": date(2025, 3, 31), "lender": "Bank", "product": "consumer", "principal": 100_000, "days_past_due": 0,
    "origination_date": date(2024, 1, 5),
}  # fmt: skip
NOTHING_PAID = {"paid_principal": 0, "paid_interest": 0}


@pytest.fixture
def past(tmp_path):
    def made(months: list[dict[str, object]], events: list[dict[str, object]] | None = None):
        loans = [HEAD | {"loan_id": name, "borrower_id": name} for name in "AB"]
        files = {"loans": loans, "months": months, "events": events}
        for name, rows in files.items():
            if rows:
                pl.DataFrame(rows, infer_schema_length=None).write_csv(tmp_path / f"{name}.csv")
        paths = {name: str(tmp_path / f"{name}.csv") for name, rows in files.items() if rows}
        done = run.history(run.Request(**paths), out=tmp_path / "out")
        page = (tmp_path / "out/history.html").read_text("utf-8")
        return done, pl.read_csv(tmp_path / "out/roll.csv"), page

    return made


def month(loan: str, number: int, days: int = 0, **more: object) -> dict[str, object]:
    plain = {"loan_id": loan, "month": f"2025-{number:02d}", "balance": 100_000}
    return plain | {"days_past_due": days} | more


def test_one_month_moves_nothing_and_says_so(past) -> None:
    done, roll, page = past([month("A", 3), month("B", 3)])
    assert "SINGLE-MONTH" in {problem.code for problem in done.problems}
    assert roll.is_empty()
    assert roll.columns[:7] == ["month", "product", "from", "to", "n", "p", "se"]
    assert "No two months of a loan follow each other" in page


def test_a_few_months_are_enough_for_rates_and_too_few_for_a_model(past) -> None:
    done, roll, page = past([month("A", 1), month("A", 2, 20), month("A", 3), month("B", 2)])
    assert roll["n"].to_list() == [1, 1]
    assert {one["why"] for one in done.summary["models"]} == {"fewer than 12 months"}
    assert "The plain chain is used" in page


def test_rows_that_overlap_or_lack_a_date_wait_and_the_rest_goes_on(past) -> None:
    twice = [month("A", 1), month("A", 1, 20), month("B", 1), month("B", 2), month("B", 3, 20)]
    events = [{"loan_id": "B", "date": day, "kind": "renewal"} for day in (None, "2025-02-03")]
    done, roll, _ = past(twice, events)
    told = {problem.code: problem for problem in done.problems}
    assert {"DUPLICATE-MONTH", "MISSING-VALUE"} <= set(told)
    assert "months" in told["DUPLICATE-MONTH"].where
    assert "events" in told["MISSING-VALUE"].where
    assert roll["n"].sum() == 2


def test_gaps_fallen_days_and_months_before_the_loan_are_told(past) -> None:
    fallen = [month("A", 1, 40, **NOTHING_PAID), month("A", 2, 0, **NOTHING_PAID)]
    odd = [*fallen, month("B", 1), month("B", 3), month("B", 2) | {"month": "2023-11"}]
    done, roll, _ = past(odd)
    told = {problem.code for problem in done.problems}
    assert {"MONTHS-WITH-GAPS", "DAYS-FALL-UNPAID", "MONTH-BEFORE-LOAN"} <= told
    assert roll["n"].to_list() == [1]


def test_months_that_all_lie_after_the_cut_off_move_nothing(past, tmp_path) -> None:
    done, roll, page = past([month("A", 5), month("A", 6)])
    tables = {name: str(tmp_path / f"{name}.csv") for name in ("loans", "months")}
    book = run.classify(run.Request(**tables), out=tmp_path / "book").summary
    assert book["with_hidden"] is None, "no history is told by the cut-off date"
    assert "MONTH-AFTER-CUT-OFF" in {problem.code for problem in done.problems}
    assert roll.is_empty()
    assert "nothing can be said of moves" in page
