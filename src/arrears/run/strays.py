"""Rows of a history that lie alone, long before the rest of it."""

from __future__ import annotations

import numpy as np
import polars as pl

from arrears.core.words import counted
from arrears.problems import Problem
from arrears.recovery.fitting.features import month_index

# By chance a book that goes on as later has so many months without any row once in twenty thousand times.
_SILENT = 10.0
_FEW = 0.05


def without_strays(
    rows: pl.DataFrame, *, table: str, column: str, end: int, found: list[Problem]
) -> pl.DataFrame:
    """The rows from where the history begins: one date mistyped would else make decades without payment of it.

    Args:
        end: the last month of the history.
        found: where a warning goes if rows are left out.
    """
    index = rows.select(month_index(pl.col(column))).to_series()
    begin = _begins(index, end)
    early = index < begin
    if not early.any():
        return rows
    first, next_one = rows.filter(early)[column].min(), rows.filter(~early)[column].min()
    many = counted(int(early.sum()), "row lies", "rows lie")
    text = f"{many} alone, from {first!s} on, long before the others begin on {next_one!s}."
    why = "They are left out of the fit: the months between would count as months in which nobody paid."
    fix = "Correct the dates, or add what is missing between."
    found.append(Problem("HISTORY-BEGINS-ALONE", "warning", f"{table} {column}", text, why, fix))
    return rows.filter(~early)


def late_strays(payments: pl.DataFrame, *, name: str, start: int) -> list[Problem]:
    """A warning where payments lie alone, long after the others: a date mistyped, or years in which nobody paid.

    Args:
        start: month of the cut-off date, after which all of them lie.
    """
    index = -payments.select(month_index(pl.col("date"))).to_series()
    late = index < _begins(index, -start - 1)
    if not late.any():
        return []
    last, before = payments.filter(late)["date"].max(), payments.filter(~late)["date"].max()
    many = counted(int(late.sum()), "payment lies", "payments lie")
    text = f"{many} alone, up to {last!s}, long after the others end on {before!s}."
    why = "The months between count as months in which nobody paid."
    fix = "Correct the dates if they are mistyped."
    return [Problem("PAYMENTS-END-ALONE", "warning", f"{name} date", text, why, fix)]


def _begins(index: pl.Series, end: int) -> int:
    """First month after the last silence that is too long for chance, and had too little before it for a book."""
    counts = index.filter(index <= end).value_counts(name="rows").sort(index.name)
    month, rows = counts[index.name].to_numpy(), counts["rows"].to_numpy()
    if len(month) < 2:
        return int(month[0]) if len(month) else end
    before = np.cumsum(rows)[:-1]
    after = rows.sum() - before
    usual = after / (end - month[1:] + 1)
    silent = usual * (np.diff(month) - 1) >= _SILENT
    few = before < _FEW * usual * (month[1:] - month[0])
    cuts = np.flatnonzero(silent & few & (after >= _SILENT))
    return int(month[cuts[-1] + 1] if len(cuts) else month[0])
