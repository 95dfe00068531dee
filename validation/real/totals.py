"""Claims of which one total is known, as tapes: what `arrears fit` and `arrears forecast` make of them.

The source tells what a claim brought, not when. A claim's whole recovery is one payment; when it came is set by the
layout, so the level by age rests on that, and only the sum at the end of the view is judged.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from arrears.core.dates import DAYS_A_MONTH
from validation.real import through

AS_OF = date(2024, 12, 31)


@dataclass(frozen=True)
class Layout:
    """How totals become a tape.

    Attributes:
        late: days past due on the day from which recoveries count (the charge-off).
        learnt: (n,) months from that day to the end of the view, of the claims learnt from.
        judged: (m,) the same of the claims judged.
        spread: months over which the one payment is drawn evenly; None for the market's curve over the whole view.
    """

    late: int
    learnt: np.ndarray
    judged: np.ndarray
    spread: int | None


@dataclass(frozen=True)
class Totals:
    """Shares recovered (n,), exposures in whole currency units, and segments."""

    share: np.ndarray
    exposure: np.ndarray
    segment: np.ndarray


@dataclass(frozen=True)
class Told:
    """Shares of the claims (m,) at the end of their view, and the ranges (k, 4) of a sample by its places (k,)."""

    share: np.ndarray
    ranks: np.ndarray
    places: np.ndarray


def foretold(
    old: Totals,
    new: Totals,
    layout: Layout,
    *,
    scenarios: int = 0,
    sample: int = 0,
    fitted: bool = True,
) -> Told:
    """`arrears fit` on the tape of the old claims, `arrears forecast` of the new ones.

    Args:
        scenarios: behind the range of a claim by itself.
        sample: so many claims have their range drawn.
    """
    loans, payments = _tape(old, layout)
    claims, owed = _claims(new, layout.late), _fen(new.exposure)
    horizons = tuple(sorted({int(months) for months in layout.judged}))
    place = np.searchsorted(horizons, layout.judged)
    rows = np.arange(len(owed))
    places = np.unique(np.linspace(0, len(rows) - 1, min(sample, len(rows))).astype(int))
    ranks = np.zeros((len(places), len(through.RANKS)))
    with tempfile.TemporaryDirectory() as folder:
        tape = through.Tape(AS_OF, loans, payments, claims)
        found = through.told(
            tape, Path(folder), horizons, scenarios=scenarios, rows=places, fitted=fitted
        )
    if found.ranks is not None:
        ranks = found.ranks[np.arange(len(places)), place[places]] / owed[places, None]
    return Told(np.clip(found.expected[rows, place] / owed, 0.0, 1.0), ranks, places)


def _tape(old: Totals, layout: Layout) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Loans as they stand at the end, and one payment of each that brought anything."""
    stream = np.random.default_rng(0)
    view = np.maximum(layout.learnt, 1)
    drawn = stream.random(len(view))
    if layout.spread is None:
        # The market's curve is nearly t^-1: its sum up to a month grows with the logarithm.
        when = np.exp(drawn * np.log(view + 1.0))
    else:
        when = 1.0 + drawn * np.minimum(layout.spread, view)
    when = np.clip(when.astype(int), 1, view)
    paid = np.round(np.clip(old.share, 0.0, 1.0) * _fen(old.exposure)).astype(np.int64)
    names = [f"L{number:06d}" for number in range(len(view))]
    loans = pl.DataFrame(
        {
            "loan_id": names,
            "principal": _fen(old.exposure).astype(np.int64) - paid,
            "original_principal": _fen(old.exposure).astype(np.int64),
            "days_past_due": np.where(
                paid < _fen(old.exposure), layout.late + (view * DAYS_A_MONTH).astype(int), 0
            ).astype(np.int32),
            "default_date": [
                AS_OF - timedelta(days=int(layout.late + months * DAYS_A_MONTH)) for months in view
            ],
            "province": [f"segment {number}" for number in old.segment],
        }
    )
    # A first payment of nothing says from when on payments were looked for.
    first = int(np.argmax(view))
    when[first] = 1 if paid[first] == 0 else when[first]
    ago = ((view - when + 0.5) * DAYS_A_MONTH).astype(int)
    some = np.flatnonzero((paid > 0) | (np.arange(len(view)) == first))
    payments = pl.DataFrame(
        {
            "loan_id": [names[k] for k in some],
            "date": [AS_OF - timedelta(days=int(ago[k])) for k in some],
            "amount": paid[some],
            "source": ["borrower"] * len(some),
        },
        schema={
            "loan_id": pl.String,
            "date": pl.Date,
            "amount": pl.Int64,
            "source": pl.String,
        },
    )
    return _canonical(loans), payments.sort("loan_id", "date")


def _claims(new: Totals, late: int) -> pl.DataFrame:
    count = len(new.share)
    return _canonical(
        pl.DataFrame(
            {
                "loan_id": [f"N{number:06d}" for number in range(count)],
                "principal": _fen(new.exposure).astype(np.int64),
                "original_principal": _fen(new.exposure).astype(np.int64),
                "days_past_due": np.full(count, late, dtype=np.int32),
                "default_date": [AS_OF - timedelta(days=late)] * count,
                "province": [f"segment {number}" for number in new.segment],
            }
        )
    )


def _canonical(loans: pl.DataFrame) -> pl.DataFrame:
    return loans.with_columns(
        as_of=pl.lit(AS_OF),
        borrower_id="loan_id",
        lender=pl.lit("the source"),
        product=pl.lit("consumer"),
        interest=pl.lit(0, pl.Int64),
        fees=pl.lit(0, pl.Int64),
    )


def _fen(amount: np.ndarray) -> np.ndarray:
    return np.maximum(np.round(100.0 * amount), 100.0)
