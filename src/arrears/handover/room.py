"""Which rows there is room for, where a paper holds only so many."""

from __future__ import annotations

import polars as pl


def first(
    rows: pl.DataFrame, most: int | None, *, by: str = "claim", falling: bool = True
) -> pl.DataFrame:
    """The rows of most worth, or first in their order; all as they stand where there is room, or `most` is None."""
    if most is None or rows.height <= most:
        return rows
    return rows.sort(by, "loan_id", descending=[falling, False], nulls_last=True).head(most)
