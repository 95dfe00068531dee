"""When a claim runs out of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from arrears.rules import Rulebook


def limitation_ends(
    loans: pl.DataFrame, *, as_of: date, rulebook: Rulebook, events: pl.DataFrame | None = None
) -> pl.Series:
    """Last day of the limitation of each loan (n,), Date (Civil Code 188, 189, 195; READINGS 7.2)."""
    years = int(rulebook.number("cn/limitation/years", as_of))
    enforcement = int(rulebook.number("cn/limitation/enforcement_years", as_of))
    table = starts(loans, as_of=as_of, rulebook=rulebook, events=events)
    latest = pl.max_horizontal(pl.exclude("judgment"))
    ends = pl.coalesce(
        pl.col("judgment").dt.offset_by(f"{enforcement}y"), latest.dt.offset_by(f"{years}y")
    )
    return table.select(limitation_ends=ends).to_series()


def starts(
    loans: pl.DataFrame, *, as_of: date, rulebook: Rulebook, events: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The days from which the limitation of each loan may run (n rows): a judgment's, else the latest of the others."""
    interrupts = rulebook.words("cn/limitation/interrupts", as_of)
    unpaid = pl.lit(as_of) - pl.duration(days=pl.col("days_past_due").fill_null(0))
    found = loans.select(
        maturity="maturity_date",
        first_unpaid=pl.when(pl.col("maturity_date").is_null()).then(unpaid),
        demand="last_demand_date",
        payment="last_payment_date",
        judgment="judgment_date",
    )
    return found.with_columns(event=_last_event(loans, events, as_of, interrupts))


def _last_event(
    loans: pl.DataFrame, events: pl.DataFrame | None, as_of: date, interrupts: Sequence[str]
) -> pl.Series:
    if events is None or events.is_empty():
        return pl.Series("last_event", [None], dtype=pl.Date).new_from_index(0, loans.height)
    last = (
        events.filter(pl.col("kind").is_in(interrupts), pl.col("date") <= as_of)
        .group_by("loan_id")
        .agg(last_event=pl.col("date").max())
    )
    return loans.select("loan_id").join(last, on="loan_id", how="left", maintain_order="left")[
        "last_event"
    ]
