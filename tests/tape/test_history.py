"""Histories are held against each other and against the loans."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
import pytest

from arrears.tape.columns import TABLES
from arrears.tape.history import cross_check
from arrears.tape.rebuild import rebuilt

DAY = date(2025, 3, 31)
MANY_OF_ONE = re.compile(r"1 (months|rows|loans|payments|events|balances|times|steps)\b")


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
        ([month(2, balance=300), month(3)], None, None, "BALANCE-STAYS-PAID"),
        ([month(2), month(3, paid_principal=500)], None, None, "BALANCE-STAYS-PAID"),
        ([month(2, balance=2000), month(3, paid_principal=1200)], None, None, None),
        ([month(3, days_past_due=90)], None, None, "DAYS-DIFFER"),
        ([month(3, balance=5000)], None, None, "BALANCES-DIFFER"),
        ([month(3, paid_principal=500)], paid(date(2025, 3, 4)), None, "PAYMENTS-DIFFER"),
        ([month(2, days_past_due=40), month(3)], None, None, "DAYS-FALL-UNPAID"),
        ([month(2, days_past_due=40), month(3, paid_interest=5)], None, None, None),
        ([month(2, days_past_due=40), month(3, paid_interest=None)], None, None, None),
        ([month(2, days_past_due=40), month(3)], None, WRITTEN_OFF, None),
        ([month(1) | {"month": date(2023, 12, 1)}, month(3)], None, None, "MONTHS-WITH-GAPS MONTH-BEFORE-LOAN"),
        ([month(3), month(4)], None, None, "MONTH-AFTER-CUT-OFF"),
        ([month(3)], None, None, "SINGLE-MONTH"),
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
    codes = [
        problem.code
        for problem in found
        if problem.code != "SINGLE-MONTH" or code == "SINGLE-MONTH"
    ]
    assert codes == (code.split() if code else [])
    assert all("loan A" in problem.found for problem in found)
    assert not [problem.found for problem in found if MANY_OF_ONE.match(problem.found)]


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


def test_a_payment_before_its_loan_began_makes_no_months() -> None:
    both = rows(
        "payments",
        {"loan_id": "A", "date": date(2015, 1, 5), "amount": 300, "principal_part": 300},
        {"loan_id": "A", "date": date(2025, 3, 5), "amount": 100, "principal_part": 100},
    )
    assert rebuilt(LOANS, both, DAY)["month"].to_list() == [date(2025, 3, 1)]
    assert rebuilt(LOANS, both.head(1), DAY).is_empty()


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


def test_what_was_due_is_rebuilt_from_the_schedule() -> None:
    """1,200,000 fen at 12 per cent in twelve equal instalments: the usual table of an annuity, to the fen."""
    loan = rows(
        "loans",
        {
            "loan_id": "A", "principal": 1_000_000, "original_principal": 1_200_000, "rate": 0.12,
            "repayment": "amortising", "origination_date": date(2025, 1, 15), "maturity_date": date(2026, 1, 15),
            "days_past_due": 44,
        },
    )  # fmt: skip
    payments = rows(
        "payments",
        {
            "loan_id": "A", "date": date(2025, 2, 15), "amount": 106_619, "principal_part": 94_619,
            "interest_part": 12_000,
        },
    )  # fmt: skip
    made = rebuilt(loan, payments, date(2025, 4, 28))
    assert made["month"].to_list() == [date(2025, 2, 1), date(2025, 3, 1), date(2025, 4, 1)]
    assert made["due_interest"].to_list() == [12_000, 11_054, 10_098]
    assert made["due_principal"].to_list() == [94_619, 95_565, 96_520]
    # due on 15 March and not paid: 16 days at the end of March, 44 on the cut-off date
    assert made["days_past_due"].to_list() == [0, 16, 44]


@pytest.mark.parametrize(
    ("kind", "interest", "principal"),
    [
        ("interest_only", [1_000, 1_000, 1_000], [0, 0, 100_000]),
        ("bullet", [0, 0, 3_000], [0, 0, 100_000]),
        ("revolving", [None] * 3, [None] * 3),
        (None, [None] * 3, [None] * 3),
    ],
)
def test_other_kinds_of_repayment_have_other_dues(kind, interest, principal) -> None:
    loan = rows(
        "loans",
        {
            "loan_id": "A", "principal": 100_000, "original_principal": 100_000, "rate": 0.12,
            "repayment": kind, "origination_date": date(2025, 1, 31), "maturity_date": date(2025, 4, 30),
            "days_past_due": 0,
        },
    )  # fmt: skip
    payments = rows(
        "payments",
        {"loan_id": "A", "date": date(2025, 2, 28), "amount": 1_000, "principal_part": 0, "interest_part": 1_000},
    )  # fmt: skip
    made = rebuilt(loan, payments, date(2025, 4, 30))
    assert made["due_interest"].to_list() == interest
    assert made["due_principal"].to_list() == principal
    known = kind in {"bullet", "interest_only"}
    assert made["days_past_due"].to_list() == [*([0, 0] if known else [None, None]), 0]


def test_a_schedule_that_current_loans_refute_is_not_believed() -> None:
    """A loan that the bank has as current paid half of what columns say is due: the contract says something else."""
    loan = {
        "principal": 1_000_000, "original_principal": 1_200_000, "rate": 0.12, "product": "consumer",
        "repayment": "amortising", "origination_date": date(2025, 1, 15), "maturity_date": date(2026, 1, 15),
    }  # fmt: skip
    loans = rows(
        "loans", loan | {"loan_id": "A", "days_past_due": 0}, loan | {"loan_id": "B", "days_past_due": 20}
    )  # fmt: skip
    payments = rows(
        "payments",
        *(
            {"loan_id": name, "date": date(2025, month, 15), "amount": 50_000, "interest_part": 10_000}
            for name in "AB" for month in (2, 3, 4)
        ),
    )  # fmt: skip
    made = rebuilt(loans, payments, date(2025, 4, 28))
    assert made["due_principal"].null_count() == made["due_interest"].null_count() == made.height
    assert made["days_past_due"].to_list() == [None, None, 0, None, None, 20]
    assert made["paid_principal"].to_list() == [40_000] * 6
