"""Loan-months at risk: worked by hand, and against a plain reference that goes month by month."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.recovery.fitting import person_period
from arrears.recovery.fitting.features import TERMS, month_of
from arrears.tape.columns import EVENTS
from tests.recovery.fitting.tables import DAY, loans, months, payments

MARCH = month_of(DAY)


def _rows(table: pl.DataFrame, **tables: pl.DataFrame) -> list[tuple]:
    past = person_period.history(table, as_of=DAY, **tables)
    found = past.walk(0, table.height)
    names = ("loan", "month", "age", "last", "kind", "share", "ends")
    shown = [found[name].tolist() for name in names]
    return [
        (loan, month - MARCH, age, last, kind, round(share, 6), ends)
        for loan, month, age, last, kind, share, ends in zip(*shown, strict=True)
    ]


def test_a_loan_by_hand() -> None:
    """200 days past due on 31 March: day 91 was on 12 December, so January is its first whole month at risk."""
    table = loans({"days_past_due": 200, "principal": 600_000})
    paid = payments(
        (0, date(2024, 10, 5), 5),
        (0, date(2025, 2, 10), 400_000),
        (0, date(2025, 2, 20), 100_000),
        (0, date(2025, 3, 9), -100_000),
    )
    # the reversal of March takes February's payment down to 400,000 of a million owed
    assert _rows(table, payments=paid) == [
        (0, -2, 0, 0, 0, 0.0, 0),
        (0, -1, 1, 0, 1, 0.4, 0),
        (0, 0, 2, 0, 0, 0.0, 0),
    ]


def test_a_loan_that_settles_leaves_and_one_seen_late_enters_at_its_age() -> None:
    table = loans(
        {"days_past_due": 200, "principal": 0},
        {"days_past_due": 1000, "principal": 1_000_000},
    )
    paid = payments((1, date(2025, 1, 1), 0), (0, date(2025, 2, 3), 700_000))
    found = _rows(table, payments=paid)
    assert found[:2] == [(0, -2, 0, 3, 0, 0.0, 0), (0, -1, 1, 3, 3, 1.0, 1)]
    # observation begins in January: 910 days past due then, 26 months after day 91
    assert found[2:] == [
        (1, step, age, 3, 0, 0.0, 0) for step, age in ((-2, 26), (-1, 27), (0, 28))
    ]


def test_months_tell_of_cures_and_of_coming_back() -> None:
    days = [60, 100, 130, 30, 70, 95, 125]
    firsts = [date(2024, month, 1) for month in (9, 10, 11, 12)]
    firsts += [date(2025, month, 1) for month in (1, 2, 3)]
    told = months(*((0, first, day, 0) for first, day in zip(firsts, days, strict=True)))
    found = _rows(loans({"days_past_due": 125}), months=told)
    # at risk from November on, cured in December, back in February: a claim of November all the while, since its
    # forecast counts whatever comes; months after the cure are no exit and at no risk of one (-1)
    assert [(month, age, ends) for _, month, age, _, _, _, ends in found] == [
        (-4, 0, 0), (-3, 1, 2), (-2, 2, -1), (-1, 3, -1), (0, 4, 0),
    ]  # fmt: skip


def test_at_a_landmark_who_is_no_longer_late_leaves_and_the_age_is_that_of_the_day() -> None:
    """A year before the end: one loan has cured before it, the other stands at 100 days for a year and more."""
    firsts = [date(2023 + (8 + n) // 12, (8 + n) % 12 + 1, 1) for n in range(19)]
    told = months(
        *((0, first, 100 if n < 4 else 0, 0) for n, first in enumerate(firsts)),
        *((1, first, 100, 0) for first in firsts),
    )
    found = _rows(loans({"days_past_due": 0}, {"days_past_due": 100}), months=told)
    assert [(row[1], row[2]) for row in found if row[0] == 0] == [(n - 17, n) for n in range(6)]
    ages = {row[1]: row[2] for row in found if row[0] == 1}
    # the first month has no month before it that tells; in April 2024 a year is left, and the age begins anew
    assert ages[-17] == 0
    assert ages[-12] == 5
    assert ages[-11] == 0
    assert ages[0] == 11


def test_a_sale_ends_the_history_and_its_price_is_no_payment() -> None:
    paid = payments((0, date(2025, 1, 2), 50_000), (0, date(2025, 2, 9), 300_000, "sale"))
    found = _rows(loans({"days_past_due": 400, "principal": 1_000_000}), payments=paid)
    assert [(row[1], row[4], row[6]) for row in found] == [(-2, 1, 0), (-1, 0, 3)]


def _closed(balance: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    told = months(
        (0, date(2024, 12, 1), 400, 0), (0, date(2025, 1, 1), 430, 0), (0, date(2025, 2, 1), 0, 300_000)
    ).with_columns(balance=pl.Series([balance, balance, 0]))  # fmt: skip
    return loans({"days_past_due": 0, "principal": 0, "original_principal": 900_000}), told


def test_a_settlement_discharges_the_rest_and_is_no_payment_in_full() -> None:
    table, told = _closed(600_000)
    # 300,000 of the 600,000 that January left open; the loan ends settled all the same
    assert [(row[1], row[4], row[5], row[6]) for row in _rows(table, months=told)] == [
        (-2, 0, 0.0, 0), (-1, 1, 0.5, 1),
    ]  # fmt: skip
    table, told = _closed(300_000)
    assert _rows(table, months=told)[-1][4:] == (3, 1.0, 1)


def _event(kind: str, amount: int | None) -> pl.DataFrame:
    row = {**dict.fromkeys(EVENTS), "loan_id": "L0000", "date": date(2025, 2, 20), "kind": kind}
    return pl.DataFrame([{**row, "amount": amount}], schema=EVENTS)


def test_without_a_balance_the_write_off_or_the_first_principal_tells_what_was_owed() -> None:
    sold = loans({"principal": 0, "original_principal": 900_000, "default_date": date(2024, 1, 5)})
    paid = payments((0, date(2025, 1, 9), 100_000), (0, date(2025, 2, 9), 20_000, "sale"))
    written = _event("write_off", 500_000)
    assert [row[4:] for row in _rows(sold, payments=paid, events=written)] == [
        (1, round(100 / 600, 6), 0), (0, 0.0, 3),
    ]  # fmt: skip
    assert [row[4:] for row in _rows(sold, payments=paid)] == [
        (1, round(100 / 900, 6), 0), (0, 0.0, 3),
    ]  # fmt: skip
    settled = payments((0, date(2025, 1, 9), 100_000), (0, date(2025, 2, 9), 200_000))
    found = _rows(sold, payments=settled, events=_event("settled", 200_000))
    assert [row[4:] for row in found] == [(1, round(100 / 900, 6), 0), (1, 0.25, 1)]


def test_a_write_off_counts_from_the_month_after_it() -> None:
    told = {"days_past_due": 400, "written_off": True}
    table = loans(told, told, {"days_past_due": 400})
    paid = payments((0, date(2025, 1, 2), 5), (1, date(2025, 1, 2), 5), (2, date(2025, 1, 2), 5))
    written = _event("write_off", 1_000_000)
    past = person_period.history(table, as_of=DAY, payments=paid, events=written)
    some = next(person_period.rows(past))
    levels = {
        loan: some.levels["written_off"][some.loan == loan].tolist() for loan in range(table.height)
    }
    # written off in February; a flag without a date says that it was so all along
    assert levels == {0: [0, 0, 1], 1: [1, 1, 1], 2: [0, 0, 0]}


def test_what_comes_under_new_terms_is_no_usual_cash() -> None:
    """Terms of this default end what its months tell of usual collecting; those of an earlier one do not."""
    table = loans({"days_past_due": 250}, {"days_past_due": 250})
    events = pl.DataFrame(
        [
            {**dict.fromkeys(EVENTS), "loan_id": loan, "date": day, "kind": "restructured"}
            for loan, day in zip(table["loan_id"], (date(2025, 2, 10), date(2024, 2, 10)), strict=True)
        ],
        schema=EVENTS,
    )  # fmt: skip
    paid = payments(
        (0, date(2024, 10, 1), 0), (0, date(2025, 3, 5), 50_000), (1, date(2025, 3, 5), 50_000)
    )
    found = [row[:2] for row in _rows(table, payments=paid, events=events)]
    assert [month for loan, month in found if loan == 0] == [-4, -3, -2]
    assert [month for loan, month in found if loan == 1] == [-4, -3, -2, -1, 0]


def test_a_death_ends_the_history() -> None:
    table = loans({"days_past_due": 400})
    paid = payments((0, date(2025, 1, 2), 50_000))
    found = _rows(table, payments=paid, events=_event("death", None))
    assert [(row[1], row[6]) for row in found] == [(-2, 0), (-1, 4)]


def test_a_usual_instalment_is_known_by_its_size() -> None:
    loan = {
        "days_past_due": 400,
        "principal": 1_000_000,
        "original_principal": 1_200_000,
        "rate": 0.0,
        "origination_date": date(2023, 1, 15),
        "maturity_date": date(2025, 1, 15),
    }
    paid = payments((0, date(2025, 2, 2), 50_500), (0, date(2025, 3, 2), 70_000))
    assert [row[4] for row in _rows(loans(loan), payments=paid)] == [2, 1]


def test_a_part_of_a_month_is_not_a_month() -> None:
    table = loans({"days_past_due": 200})
    past = person_period.history(table, as_of=date(2025, 3, 30), payments=payments((0, DAY, 1)))
    assert past.end == MARCH - 1


def test_nothing_seen_is_no_row() -> None:
    past = person_period.history(loans({"days_past_due": 200}), as_of=DAY, payments=payments())
    assert past.months == 0
    assert person_period.cells(past, late_from=past.end).is_empty()


def reference(
    owed_now: int, days_now: int, paid: list[tuple[date, int]], begin: int
) -> list[tuple[int, int, int, float]]:
    """Month (from March), age, whether it pays, share; one loan, month by month, from its origin alone."""
    by_month: dict[int, int] = {}
    for day, amount in paid:
        by_month[month_of(day) - MARCH] = by_month.get(month_of(day) - MARCH, 0) + amount
    debt = 0
    for month in sorted(by_month, reverse=True):
        by_month[month] += debt
        debt = min(by_month[month], 0)
        by_month[month] = max(by_month[month], 0)
    origin = DAY - timedelta(days=days_now)
    rows = []
    for month in range(begin, 1):
        index = MARCH + month
        past = (date(index // 12, index % 12 + 1, 1) - origin).days
        owed = owed_now + sum(cash for when, cash in by_month.items() if when >= month)
        cash = by_month.get(month, 0)
        age = (past - 91) / 30.4375
        if days_now > 0 and past >= 91 and owed > 0 and age < 120:
            rows.append((month, int(age), int(cash > 0), min(cash / owed, 1.0)))
            if owed - cash <= 0.005 * owed:
                owed_now_left = owed_now + sum(c for w, c in by_month.items() if w > month)
                assert owed_now_left <= 0.005 * owed
    return rows


_loan = st.tuples(
    st.integers(0, 2_000_000),
    st.integers(0, 1500),
    st.lists(st.tuples(st.integers(0, 700), st.integers(-300_000, 900_000)), max_size=6),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_loan, min_size=1, max_size=4))
def test_the_kernel_agrees_with_the_reference(book: list[tuple]) -> None:
    table = loans(*({"principal": owed, "days_past_due": days} for owed, days, _ in book))
    cash = [
        (number, DAY - timedelta(days=ago), amount)
        for number, (_, _, paid) in enumerate(book)
        for ago, amount in sorted(paid, reverse=True)
    ]
    tables = payments(*cash)
    past = person_period.history(table, as_of=DAY, payments=tables)
    found = past.walk(0, table.height)
    shown = list(
        zip(
            found["loan"].tolist(),
            (found["month"] - MARCH).tolist(),
            found["age"].tolist(),
            (found["kind"] > 0).astype(int).tolist(),
            np.round(found["share"], 9).tolist(),
            strict=True,
        )
    )
    wanted = []
    for number, (owed, days, paid) in enumerate(book):
        dated = [(DAY - timedelta(days=ago), amount) for ago, amount in paid]
        rows = reference(owed, days, dated, past.begin - MARCH)
        wanted += [(number, month, age, pays, round(share, 9)) for month, age, pays, share in rows]
    assert shown == wanted


@settings(max_examples=20, deadline=None)
@given(st.lists(_loan, min_size=1, max_size=6))
def test_cells_hold_every_row_once(book: list[tuple]) -> None:
    table = loans(*({"principal": owed, "days_past_due": days} for owed, days, _ in book))
    cash = payments(
        *(
            (number, DAY - timedelta(days=ago), amount)
            for number, (_, _, paid) in enumerate(book)
            for ago, amount in paid
        )
    )
    past = person_period.history(table, as_of=DAY, payments=cash)
    cells = person_period.cells(past, late_from=past.end - 3)
    found = past.walk(0, table.height)
    assert cells["n"].sum() == len(found["loan"])
    assert cells["paid"].sum() == (found["kind"] > 0).sum()
    late = found["month"] >= past.end - 3
    assert cells.filter(late=1)["n"].sum() == late.sum()
    for name, levels in TERMS.items():
        assert cells[name].is_between(0, len(levels) - 1).all()
    part = np.where(np.isin(found["kind"], (1, 2)), found["share"], 0.0)
    assert cells["part"].sum() / 1e6 == np.round(part.sum(), 6) or abs(
        cells["part"].sum() / 1e6 - part.sum()
    ) < 1e-6 * max(len(part), 1)
