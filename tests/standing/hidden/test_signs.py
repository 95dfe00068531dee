"""Indicators E1 to E5 on loans by hand, and the innocent cases that must not look like them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hidden_cases import AS_OF, event, events, loan, loans, month, months, payment, payments

from arrears.standing.hidden import words as w
from arrears.standing.hidden.months import lived
from arrears.standing.hidden.signs import signs, told_months


def seen(table: pl.DataFrame, **tables: pl.DataFrame) -> dict[str, object]:
    return signs(table, lived(table, tables, AS_OF)).row(0, named=True)


def year(loan_id: str = "1", **changed: object) -> list[dict[str, object]]:
    return [month(loan_id, back, **changed) for back in range(12)]


def test_a_sound_loan_shows_no_sign() -> None:
    row = seen(loans(loan("1")), months=months(*year()))
    assert all(
        row[name] == 0 for name in ("e1", "e2", "e3", "e4", "e5", "interest_only", "dressed")
    )
    assert row["resumed"] == 1
    assert row["evidence"] == "pays principal again"


@pytest.mark.parametrize(
    ("lent", "began", "found"),
    [
        (480_000, date(2024, 12, 20), True),
        (1_520_000, date(2024, 12, 20), False),
        (700_000, date(2025, 1, 19), True),
        (700_000, date(2025, 1, 20), False),
        (240_000, date(2024, 12, 20), False),
    ],
)
def test_new_money_repays_old(lent: int, began: date, found: bool) -> None:
    old = loan("1", borrower_id="B")
    new = loan("2", borrower_id="B", origination_date=began, original_principal=lent)
    paid = payments(payment("1", date(2024, 12, 20), 500_000, principal_part=500_000))
    table = loans(old, new)
    found_rows = signs(table, lived(table, {"payments": paid}, AS_OF))
    assert (found_rows["e1"][0] > 0) is found


def test_another_lender_is_no_new_money_for_old() -> None:
    new = loan("2", borrower_id="B", lender="Other", origination_date=date(2024, 12, 20))
    table = loans(loan("1", borrower_id="B"), new)
    paid = payments(payment("1", date(2024, 12, 20), 1_000_000, principal_part=1_000_000))
    assert signs(table, lived(table, {"payments": paid}, AS_OF))["e1"].to_list() == [0, 0]


@pytest.mark.parametrize(("count", "e2"), [(1, 0.0), (2, 0.7), (3, 0.85), (5, 1.0)])
def test_renewals_without_repayment(count: int, e2: float) -> None:
    when = [event("1", date(2024, 4 + 2 * number, 5), "renewal") for number in range(count)]
    flat = year(balance=1_000_000)
    row = seen(loans(loan("1")), months=months(*flat), events=events(*when[:4]))
    counted = seen(loans(loan("1", renewals=count)), months=months(*flat))
    assert counted["e2"] == pytest.approx(e2)
    if count <= 4:
        assert row["e2"] == pytest.approx(e2)


def test_renewals_with_repayment_are_innocent() -> None:
    paid_down = [month("1", back, balance=800_000 + 20_000 * back) for back in range(12)]
    row = seen(loans(loan("1", renewals=3)), months=months(*paid_down))
    assert row["e2"] == 0


def test_interest_added_to_principal() -> None:
    rows = year(balance=1_000_000)
    rows[0] |= {"balance": 1_005_000, "paid_interest": 0, "paid_principal": 0}
    assert seen(loans(loan("1")), months=months(*rows))["e3"] == 0.7
    drawn = events(event("1", date(2025, 3, 3), "drawdown", amount=5_000))
    assert seen(loans(loan("1")), months=months(*rows), events=drawn)["e3"] == 0
    card = loans(loan("1", repayment="revolving", product="credit_card"))
    assert seen(card, months=months(*rows))["e3"] == 0


@pytest.mark.parametrize(
    ("paid", "back", "found"),
    [
        (date(2024, 12, 29), date(2025, 1, 13), True),
        (date(2024, 12, 28), date(2025, 1, 5), False),
        (date(2024, 12, 29), date(2025, 1, 14), False),
        (date(2024, 11, 29), date(2024, 12, 5), False),
    ],
)
def test_paid_before_a_quarter_ends_and_taken_back(paid: date, back: date, found: bool) -> None:
    rows = payments(payment("1", paid, 15_000), payment("1", back, -15_000))
    row = seen(loans(loan("1")), months=months(*year()), payments=rows)
    assert (row["e4"] > 0) is found


def test_a_rate_cut_counts_in_trouble_and_beyond_what_all_get() -> None:
    late = year(days_past_due=20)
    cut = [row | ({"rate": 0.03} if row["month"] >= date(2025, 1, 1) else {}) for row in late]
    others = [entry for name in ("2", "3") for entry in year(name)]
    three = loans(loan("1"), loan("2"), loan("3"))
    assert seen(three, months=months(*cut, *others))["e5"] == 0.7
    sound = [row | {"days_past_due": 0} for row in cut]
    assert seen(three, months=months(*sound, *others))["e5"] == 0
    all_cut = [row | {"loan_id": name} for name in ("1", "2", "3") for row in cut]
    assert seen(three, months=months(*all_cut))["e5"] == 0


def test_interest_alone_counts_only_where_principal_is_due() -> None:
    alone = year(paid_principal=0, balance=1_000_000)
    assert seen(loans(loan("1")), months=months(*alone))["interest_only"] == 1
    agreed = year(paid_principal=0, due_principal=0, balance=1_000_000)
    by_contract = loans(loan("1", repayment="interest_only"))
    assert seen(by_contract, months=months(*agreed))["interest_only"] == 0


def test_a_payment_holiday_is_no_missed_payment() -> None:
    rows = [
        month("1", back, paid_principal=0, paid_interest=0) if back in {3, 4} else month("1", back)
        for back in range(12)
    ]
    grace = events(event("1", date(2024, 11, 2), "grace"))
    table = loans(loan("1"))
    found = lived(table, {"months": months(*rows), "events": grace}, AS_OF)
    assert found.filter("holiday").height == 2
    assert signs(table, found)["resumed"][0] == 1
    without = lived(table, {"months": months(*rows)}, AS_OF)
    assert without["late"].sum() == 2


def test_days_that_fall_without_a_payment() -> None:
    rows = year(days_past_due=0)
    rows[1] |= {"days_past_due": 75, "paid_principal": 0, "paid_interest": 0}
    rows[0] |= {"days_past_due": 10, "paid_principal": 0, "paid_interest": 0}
    assert seen(loans(loan("1")), months=months(*rows))["dressed"] == 0.7


def test_trouble_elsewhere() -> None:
    table = loans(
        loan("1", borrower_id="B"), loan("2", borrower_id="B", days_past_due=60), loan("3")
    )
    found = signs(table, lived(table, {}, AS_OF))
    assert found["outside"].to_list() == [2, 1, 0]


def test_events_alone_are_a_history() -> None:
    table = loans(loan("1"))
    told = events(event("1", date(2024, 5, 5), "renewal"), event("1", date(2024, 11, 5), "renewal"))
    assert seen(table, events=told)["e2"] == 0.7
    assert lived(table, {}, AS_OF).is_empty()


def test_months_that_follow_each_other_and_show_the_same_are_told_once() -> None:
    months = [date(2024, 11, 1), date(2024, 12, 1), date(2025, 1, 1), date(2025, 3, 1), date(2025, 4, 1)]  # fmt: skip
    pay, act = w.PAY.index("interest_only"), w.ACT.index("capitalised")
    lived = pl.DataFrame(
        {
            "loan": [7] * 5 + [8] * 2,
            "month": [*months, months[1], months[2]],
            "pay": [pay] * 7,
            "act": [0, 0, 0, 0, act, 0, 0],
            "timing": [0] * 7,
            "days_code": [0] * 7,
            "look": [0] * 7,
        }
    )
    assert told_months(lived).rows() == [
        (
            7,
            "2024-11 to 2025-01 interest alone; 2025-03 interest alone; 2025-04 capitalised and interest alone",
        ),
        (8, "2024-12 to 2025-01 interest alone"),
    ]
