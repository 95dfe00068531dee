"""Histories are held against each other and against the loans."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from arrears.tape.columns import TABLES
from arrears.tape.history import cross_check, rebuilt

DAY = date(2025, 3, 31)


def rows(table: str, *given: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(given), schema_overrides=dict(TABLES[table])).select(
        pl.col(name) if name in given[0] else pl.lit(None, dtype).alias(name)
        for name, dtype in TABLES[table].items()
    )


LOANS = rows(
    "loans",
    {"loan_id": "A", "principal": 800, "days_past_due": 0, "origination_date": date(2024, 1, 1)},
)


def month(number: int, **more: object) -> dict[str, object]:
    told = {"paid_principal": 0, "paid_interest": 0, "balance": 800, "days_past_due": 0}
    return {"loan_id": "A", "month": date(2025, number, 1)} | told | more


def paid(day: date) -> list[dict[str, object]]:
    return [{"loan_id": "A", "date": day, "amount": 900}]


WRITTEN_OFF = [{"loan_id": "A", "date": date(2025, 3, 4), "kind": "write_off"}]


@pytest.mark.parametrize(
    ("months", "payments", "events", "code"),
    [
        ([month(1), month(3)], None, None, "MONTHS-WITH-GAPS"),
        ([month(2, balance=2000), month(3)], None, None, "BALANCE-MOVES-UNPAID"),
        ([month(2, balance=2000), month(3)], None, WRITTEN_OFF, None),
        ([month(2, balance=2000), month(3, paid_principal=1200)], None, None, None),
        ([month(3, days_past_due=90)], None, None, "DAYS-DIFFER"),
        ([month(3, balance=5000)], None, None, "BALANCES-DIFFER"),
        ([month(3, paid_principal=500)], paid(date(2025, 3, 4)), None, "PAYMENTS-DIFFER"),
        (None, paid(date(2023, 3, 4)), None, "DATE-BEFORE-LOAN"),
        (None, paid(date(2025, 4, 4)), None, "DATE-AFTER-CUT-OFF"),
        ([month(2), month(3)], paid(date(2024, 3, 4)), None, None),
    ],
)  # fmt: skip
def test_what_contradicts_is_told(months, payments, events, code) -> None:
    tables = {
        name: rows(name, *given) if given else None
        for name, given in (("months", months), ("payments", payments), ("events", events))
    }
    found = cross_check(LOANS, tables, DAY)
    assert [problem.code for problem in found] == ([code] if code else [])
    assert all("loan A" in problem.found for problem in found)


def test_months_are_rebuilt_from_payments() -> None:
    payments = rows(
        "payments",
        {"loan_id": "A", "date": date(2025, 1, 5), "amount": 300, "principal_part": 200, "interest_part": 100},
        {"loan_id": "A", "date": date(2025, 3, 5), "amount": 100, "principal_part": 100, "interest_part": 0},
    )  # fmt: skip
    made = rebuilt(LOANS, payments, DAY)
    assert made.columns == list(TABLES["months"])
    assert made["month"].to_list() == [date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)]
    assert made["paid_principal"].to_list() == [200, 0, 100]
    assert made["paid_interest"].to_list() == [100, 0, 0]
    assert made["balance"].to_list() == [900, 900, 800]


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2025, 3, 1), None),
        (date(2025, 1, 25), "CONTACT-BEFORE-DEFAULT"),
        (date(2025, 4, 2), "DATE-AFTER-CUT-OFF"),
        (date(2023, 12, 31), "CONTACT-BEFORE-DEFAULT"),
    ],
)
def test_steps_to_collect_lie_between_default_and_cut_off(day: date, code: str | None) -> None:
    late = LOANS.with_columns(days_past_due=pl.lit(40, pl.Int32))
    steps = rows("contacts", {"loan_id": "A", "date": day, "step": "call"})
    found = cross_check(late, {"contacts": steps}, DAY)
    codes = [problem.code for problem in found]
    assert codes[:1] == ([code] if code else [])
    assert all(problem.fix and problem.where.startswith("contacts") for problem in found)
