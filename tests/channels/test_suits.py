"""What suits bring, learnt from cases whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from arrears import channels
from arrears.channels import litigate, suits
from arrears.tape.columns import EVENTS, LOANS, PAYMENTS

DAY, MONTHS, OWED = date(2025, 3, 31), 24, 5_000_000


def _past(
    situation, *, sued: int, more: float, seed: int = 0
) -> tuple[channels.Situation, pl.DataFrame, pl.DataFrame]:
    """Loans alike that pay a half per cent of what they owe in a month; those that were sued a year ago
    pay so much more from then on.
    """
    count, g = 1_500, np.random.default_rng(seed)
    left = np.full(count, float(OWED))
    suits, rows = np.arange(count) < sued, []
    for month in range(MONTHS, 0, -1):
        share = 0.005 + more * (suits & (month < 12))
        paid = np.where(g.random(count) < share / 0.1, np.floor(0.1 * left), 0.0)
        left -= paid
        day = DAY - timedelta(days=30 * month - 15)
        rows += [(f"L{loan:05d}", day, int(paid[loan])) for loan in np.flatnonzero(paid)]
    payments = pl.DataFrame(rows, schema=["loan_id", "date", "amount"], orient="row").with_columns(
        source=pl.lit("borrower")
    )
    payments = payments.select(
        pl.col(name).cast(kind) if name in payments.columns else pl.lit(None, kind).alias(name)
        for name, kind in PAYMENTS.items()
    )
    filed = DAY - timedelta(days=365)
    events = pl.DataFrame(
        [{**dict.fromkeys(EVENTS), "loan_id": f"L{n:05d}", "date": filed, "kind": "filed"} for n in range(sued)],
        schema=EVENTS,
    )  # fmt: skip
    there = situation({})
    loan = {**there.loans.row(0, named=True), "interest": 0, "fees": 0, "days_past_due": 900}
    loans = pl.DataFrame(
        [
            {**loan, "loan_id": f"L{n:05d}", "principal": int(owed), "default_date": DAY - timedelta(days=900)}
            for n, owed in enumerate(left)
        ],
        schema=LOANS,
    )  # fmt: skip
    return replace(there, events=events), loans, payments


def _learn(past) -> channels.Suits:
    there, loans, payments = past
    return channels.learn_suits(there, loans, payments, None)


def test_suits_that_brought_more_are_believed_to_bring_more(situation) -> None:
    found = _learn(_past(situation, sued=500, more=0.02))
    assert found.suits == 500
    # Eleven months of 2.5 per cent of what is owed, over those of a half per cent
    assert found.seen == pytest.approx(0.995**11 - 0.975**11, abs=4 * found.se)
    nothing = _learn(_past(situation, sued=500, more=0.0))
    assert abs(nothing.seen) < 4 * nothing.se
    low, high, usual = suits._range(situation({}))
    assert low / usual <= nothing.bring < 0.5 < found.bring <= high / usual
    assert found.credibility > 0.9


def test_few_suits_teach_nothing_and_no_history_neither(situation) -> None:
    assert _learn(_past(situation, sued=40, more=0.05)) == channels.Suits()
    there, loans, _ = _past(situation, sued=500, more=0.02)
    assert channels.learn_suits(there, loans, None, None).bring == 1.0


def test_a_case_that_goes_on_is_not_filed_again(situation) -> None:
    words = ("not_sued", "filed", "judged", "enforcing")
    there = situation(*[{"legal_status": word} for word in words])
    added = litigate.outcome(there, 0).pv - channels.offers(there).outcomes[0].pv
    assert added[0] > 0
    assert added[2] > 0
    assert added[1] < 0
    assert added[3] < 0
