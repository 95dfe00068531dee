"""What the holder's own contacts say of steps to collect, and which loans are left alone to measure them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears import channels
from arrears.run.gather import Gathered


def learned(gathered: Gathered) -> channels.Uplift | None:
    """What each step adds by the tape's contacts and payments; None where it has not both."""
    tape = gathered.tape
    paid = tape.payments if tape.payments is not None else _of_months(tape.months)
    if tape.contacts is None or paid is None:
        return None
    return channels.learn(tape.loans, tape.contacts, paid, as_of=tape.as_of, market=gathered.market)


def _of_months(months: pl.DataFrame | None) -> pl.DataFrame | None:
    """Payments at the end of their months, where there is no better table."""
    if months is None:
        return None
    paid = pl.sum_horizontal("paid_principal", "paid_interest")
    return months.select(
        "loan_id", date=pl.col("month").dt.month_end(), amount=paid, source=pl.lit("borrower")
    ).filter(pl.col("amount") > 0)


def held_out(loan_ids: pl.Series, share: float, seed: int) -> npt.NDArray[np.bool_] | None:
    """Loans left alone (n,), about `share` of them by a hash of their id; None where the share is 0."""
    if not share:
        return None
    place = loan_ids.hash(seed=seed).to_numpy().astype(np.float64) / 2.0**64
    return np.asarray(place < share)
