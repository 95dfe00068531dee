"""Months of a book, and dates as numpy and polars want them."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

EPOCH = date(1970, 1, 1).toordinal()


def calendar(as_of: date, before: int, after: int) -> list[date]:
    """First days of `before` months that end with as-of's own, of `after` more, and of the one that follows."""
    months = as_of.year * 12 + as_of.month - 1
    span = range(months - before + 1, months + after + 2)
    return [date(month // 12, month % 12 + 1, 1) for month in span]


def as_dates(ordinals: np.ndarray) -> pl.Series:
    """Dates from ordinals (`date.toordinal`)."""
    return pl.Series(ordinals - EPOCH).cast(pl.Int32).cast(pl.Date)
