"""Look-through days of loans by hand: concessions undone, honest relief left alone."""

from __future__ import annotations

from datetime import date

import polars as pl
from hidden_cases import AS_OF, event, events, loan, loans, month, months

from arrears.standing.hidden import words as w
from arrears.standing.hidden.months import lived

DAY = date(2025, 4, 15)


def look(*rows: dict[str, object], told: pl.DataFrame | None = None, **more: object) -> list[float]:
    table = loans(loan("1", next_due_date=DAY, **more))
    return lived(table, {"months": months(*rows), "events": told}, AS_OF)["look_days"].to_list()


def sound(first: int, last: int) -> list[dict[str, object]]:
    return [month("1", back) for back in range(first, last, -1)]


def kept(first: int, last: int) -> list[dict[str, object]]:
    """Interest is asked and paid, principal neither."""
    held = {"due_principal": 0, "paid_principal": 0, "balance": 1_100_000}
    return [month("1", back, **held) for back in range(first, last, -1)]


def test_a_sound_loan_is_never_behind() -> None:
    assert set(look(*sound(11, -1))) == {0.0}


def test_principal_no_longer_asked_goes_on_falling_due() -> None:
    """A third of each instalment is paid: after nine months three are met and the fourth has waited longest."""
    days = look(*sound(14, 8), *kept(8, -1))
    assert days[:6] == [0.0] * 6
    assert days[-1] > 90
    assert days[6:] == sorted(days[6:])


def test_three_months_of_principal_in_full_start_anew() -> None:
    days = look(*sound(17, 12), *kept(12, 2), *sound(2, -1))
    assert days[-4] > 90
    assert days[-1] == 0.0


def test_a_restructuring_on_the_record_starts_anew() -> None:
    lower = [
        month("1", back, due_principal=2_000, paid_principal=2_000) for back in range(8, -1, -1)
    ]
    told = events(event("1", date(2024, 6, 10), "restructured"))
    assert look(*sound(14, 8), *lower, told=told)[-1] == 0.0


def test_money_that_goes_out_again_is_no_payment() -> None:
    """Arrears paid at a quarter's end, the balance up again by as much a month later."""
    rows = sound(14, 6)
    for back in range(6, -1, -1):
        end = back % 3 == 0
        paid = {"paid_principal": 40_000 if end else 0, "paid_interest": 5_000 if end else 0}
        shown = {"balance": 1_060_000 if end else 1_100_000, "days_past_due": 0 if end else 60}
        rows.append(month("1", back, **shown, **paid))
    assert look(*rows)[-2] > 90


def test_months_without_payments_told_say_nothing() -> None:
    rows = [month("1", n, paid_principal=None, paid_interest=None) for n in range(6)]
    table = lived(loans(loan("1")), {"months": months(*rows)}, AS_OF)
    assert set(table["look"]) == {w.LOOK_UNKNOWN}


def test_a_card_whose_balance_may_stand_is_not_looked_through() -> None:
    rows = [month("1", n, paid_principal=0, due_principal=900_000) for n in range(6)]
    table = lived(loans(loan("1", repayment="revolving")), {"months": months(*rows)}, AS_OF)
    assert set(table["look"]) == {w.LOOK_UNKNOWN}
