"""How soon new terms are broken, by the terms that the holder has given before.

Terms hold until two months running bring nothing. What one holder has seen is believed, against the market's figure,
as far as its numbers carry (METHODS 1.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels.situation import Flags
from arrears.rules import MarketBook

_PATH = "channels/terms_broken"
_LEAST = 50
# The first payment may be so many months away; later it is no grace.
_GRACE = 3


@dataclass(frozen=True)
class Broken:
    """What was learnt of terms that were given to borrowers past due.

    Attributes:
        monthly: chance a month that terms are broken, as it is taken; None for the market's.
        terms, months, breaks: given, months in which they could have been broken, broken.
        seen, market, se: share of the months in which terms were broken, the market's figure, error of the share.
        credibility: weight of what was seen.
    """

    monthly: float | None = None
    terms: int = 0
    months: int = 0
    breaks: int = 0
    seen: float | None = None
    market: float | None = None
    se: float | None = None
    credibility: float = 0.0


def learn_terms(
    events: pl.DataFrame | None, months: pl.DataFrame | None, *, as_of: date, market: MarketBook
) -> Broken:
    """Follow each loan from its first restructuring on, by the months of the tape.

    Args:
        events, months: canonical; a loan counts where a month says that it was past due when the terms were given.
    """
    if events is None or months is None:
        return Broken()
    paid, there = _followed(events, months)
    if len(paid) < _LEAST:
        return Broken()
    trials, breaks = _held(paid, there)
    usual = market.number(_PATH, as_of)
    low, high = market.entry(_PATH, as_of).range or (usual, usual)
    seen = breaks / max(trials, 1)
    # One break more than there was: no history proves that terms are never broken.
    se = float(np.sqrt((breaks + 1) / max(trials, 1) ** 2))
    spread = (high - low) / 4.0
    z = spread**2 / (spread**2 + se**2)
    monthly = float(np.clip(usual + z * (seen - usual), low, high))
    return Broken(monthly, len(paid), trials, breaks, seen, usual, se, z)


def _followed(events: pl.DataFrame, months: pl.DataFrame) -> tuple[Flags, Flags]:
    """Whether each month since the terms were given brought a payment, and whether it is told of (terms, months)."""
    given = (
        events.filter(kind="restructured")
        .group_by("loan_id")
        .agg(begin=_month(pl.col("date").min()))
    )
    rows = months.join(given, on="loan_id").select(
        "loan_id",
        after=_month(pl.col("month")) - pl.col("begin"),
        late=pl.col("days_past_due") > 0,
        paid=pl.sum_horizontal("paid_principal", "paid_interest") > 0,
    )
    was_late = rows.filter(pl.col("after").is_in([-1, 0]) & pl.col("late"))["loan_id"].unique()
    rows = rows.filter((pl.col("after") > 0) & pl.col("loan_id").is_in(was_late.implode()))
    number = rows["loan_id"].rank("dense").to_numpy().astype(np.int64) - 1
    after = rows["after"].to_numpy().astype(np.int64) - 1
    shape = int(number.max(initial=-1)) + 1, int(after.max(initial=-1)) + 1
    paid, there = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    paid[number, after] = rows["paid"].to_numpy()
    there[number, after] = True
    return paid, there


def _held(paid: Flags, there: Flags) -> tuple[int, int]:
    """Months in which terms could have been broken, and breaks: a month that brings nothing before another such."""
    count, width = paid.shape
    never = np.zeros((count, 1), np.bool_)
    next_paid, next_there = (np.hstack([values[:, 1:], never]) for values in (paid, there))
    begun: npt.NDArray[np.bool_] = np.zeros(count, np.bool_)
    broken = begun.copy()
    trials = breaks = 0
    for month in range(width):
        begun |= paid[:, month]
        waits = ~begun & (month < _GRACE)
        missed = ~paid[:, month]
        decided = there[:, month] & (paid[:, month] | next_there[:, month])
        tried = decided & ~broken & ~waits
        breaks_now = tried & missed & ~next_paid[:, month]
        trials += int(tried.sum())
        breaks += int(breaks_now.sum())
        broken |= breaks_now
    return trials, breaks


def _month(day: pl.Expr) -> pl.Expr:
    return day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64)
