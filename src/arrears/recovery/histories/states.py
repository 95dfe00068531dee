"""The states of METHODS 2.1: buckets of days past due, and the ends of a loan."""

from __future__ import annotations

import numpy as np
import polars as pl

BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")
EXITS = ("closed", "written-off", "sold")
STATES = (*BUCKETS, *EXITS)
BAD = BUCKETS.index("90+")
CLOSED, WRITTEN_OFF, SOLD = (STATES.index(name) for name in EXITS)
UNKNOWN = -1
EDGES = np.array([0, 30, 60, 90], dtype=np.int32)


def bucket(days: pl.Expr) -> pl.Expr:
    """The bucket of days past due as its number, 0 for current to 4 past 90 days."""
    return pl.sum_horizontal((days > edge).cast(pl.Int32) for edge in EDGES.tolist())
