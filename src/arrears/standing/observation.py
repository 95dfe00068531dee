"""The observation of restructured loans: when it runs, and what restarts it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from arrears.standing.law import Law


def observe(
    loans: pl.DataFrame,
    legacy: pl.Series,
    *,
    as_of: date,
    law: Law,
    months: pl.DataFrame | None,
    events: pl.DataFrame | None,
) -> pl.DataFrame:
    """Whether each loan is under observation, and whether it was restructured again inside one.

    Args:
        loans: canonical loans (n rows).
        legacy: whether the 2007 Guidelines class the loan (n,).

    Returns:
        `observed, again` (Boolean, n rows, in the order of `loans`).
    """
    first = pl.coalesce("first_new_due_date", pl.col("restructured_on").dt.offset_by("1mo"))
    rows = loans.select("loan_id", "restructured_on", "restructure_count", start=first)
    rows = rows.with_columns(legacy=legacy, row=pl.int_range(pl.len()))
    some = rows.filter(pl.col("start").is_not_null())
    if some.is_empty():
        none = pl.Series([False]).new_from_index(0, loans.height)
        return pl.DataFrame({"observed": none, "again": none})
    some = some.with_columns(start=_restarted(some, _misses(some, months, as_of), law))
    today = pl.lit(as_of)

    def ends(restructured: pl.Expr) -> pl.Expr:
        return _end(restructured.dt.offset_by("1mo"), law)

    running = (pl.col("start") <= today) & (today < _end(pl.col("start"), law))
    some = some.with_columns(
        observed=running, again=running & again(some, events, ends, as_of=as_of)
    )
    found = rows.select("row").join(
        some.select("row", "observed", "again"), on="row", how="left", maintain_order="left"
    )
    return found.select(pl.col("observed", "again").fill_null(False))


def _end(start: pl.Expr, law: Law) -> pl.Expr:
    """First day after the observation that begins on `start`."""
    old = start.dt.offset_by(f"{law.observation_months_2007}mo")
    new = start.dt.offset_by(f"{law.observation_days_2023}d")
    return pl.when("legacy").then(old).otherwise(new)


def _misses(some: pl.DataFrame, months: pl.DataFrame | None, as_of: date) -> pl.DataFrame:
    """Days of missed payments that the months show by the cut-off date: `loan_id, miss`.

    A month that is not over shows one only by its days past due, which are those of the cut-off date.
    """
    if months is None or months.is_empty():
        return pl.DataFrame(schema={"loan_id": pl.String, "miss": pl.Date})
    today, ends = pl.lit(as_of), pl.col("month").dt.month_end()
    short = (pl.col("due_principal").fill_null(0) + pl.col("due_interest").fill_null(0)) > (
        pl.col("paid_principal").fill_null(0) + pl.col("paid_interest").fill_null(0)
    )
    days = pl.col("days_past_due")
    late = pl.when(days.is_not_null()).then(days > 0).otherwise(short & (ends <= today))
    seen = pl.min_horizontal(ends, today)
    return (
        months.lazy()
        .filter(pl.col("month") <= today, late)
        .join(some.lazy().select("loan_id"), on="loan_id", how="semi")
        .select("loan_id", miss=seen - pl.duration(days=days.fill_null(0)))
        .collect()
    )


def _restarted(some: pl.DataFrame, misses: pl.DataFrame, law: Law) -> pl.Series:
    """Start of the observation that runs last: a payment missed inside one starts it anew."""
    start = some["start"]
    if misses.is_empty():
        return start
    while True:
        at = some.select("row", "loan_id", "legacy").with_columns(start=start)
        inside = (
            at.join(misses, on="loan_id")
            .filter(pl.col("miss") > pl.col("start"), pl.col("miss") < _end(pl.col("start"), law))
            .group_by("row")
            .agg(pl.col("miss").max())
        )
        if inside.is_empty():
            return start
        moved = at.join(inside, on="row", how="left", maintain_order="left")
        start = moved.select(pl.coalesce("miss", "start"))["miss"].alias("start")


def again(
    some: pl.DataFrame,
    events: pl.DataFrame | None,
    ends: Callable[[pl.Expr], pl.Expr],
    *,
    as_of: date,
) -> pl.Series:
    """Whether each loan (n,) was last restructured while under observation: by its events, else by its count.

    Args:
        ends: first day after the observation that follows a day of restructuring.
    """
    twice = some["restructure_count"].fill_null(0) >= 2
    done = (
        events.filter(pl.col("kind") == "restructured", pl.col("date") <= as_of).join(
            some, on="loan_id", how="semi"
        )
        if events is not None
        else pl.DataFrame()
    )
    if done.is_empty():
        return twice
    pairs = (
        done.select("loan_id", "date")
        .join(some, on="loan_id")
        .sort("loan_id", "date")
        .with_columns(before=pl.col("date").shift(1).over("loan_id"))
        .group_by("loan_id")
        .agg(by_events=(pl.col("date") < ends(pl.col("before"))).fill_null(False).last())
    )
    joined = some.select("loan_id").join(pairs, on="loan_id", how="left", maintain_order="left")
    return pl.select(pl.coalesce(joined["by_events"], twice)).to_series()
