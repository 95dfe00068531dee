"""How loans move between buckets of days past due, from month to month, and when their next payment is missed."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from arrears.recovery.params import Floats
from arrears.rules import MarketBook

BUCKETS = ("current", "1-30", "31-60", "61-90", "91+")
_EDGES = (0, 30, 60, 90)
# Loan-months of a bucket after which the tape weighs as much as the market's figure.
_WEIGHT = 50.0


def bucket(days: pl.Expr) -> pl.Expr:
    """The bucket of days past due as its number, 0 for current to 4 past 90 days."""
    return pl.sum_horizontal((days > edge).cast(pl.Int32) for edge in _EDGES)


def moves(months: pl.DataFrame) -> pl.DataFrame:
    """Loan-months with their bucket and that of the month after: `loan_id, month, at, to, balance`.

    Pairs of months that do not follow each other are left out.
    """
    ordered = months.filter(pl.col("days_past_due").is_not_null()).sort("loan_id", "month")
    shown = ordered.with_columns(
        at=bucket(pl.col("days_past_due")),
        next_days=pl.col("days_past_due").shift(-1).over("loan_id"),
        after=pl.col("month").shift(-1).over("loan_id"),
    )
    follows = pl.col("after") == pl.col("month").dt.offset_by("1mo")
    return shown.filter(follows).select(
        "loan_id", "month", "at", to=bucket(pl.col("next_days")), balance="balance"
    )


def roll_rates(months: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """Cohort roll rates (METHODS 2.1): `month, product, from, to, n, p, se, p_balance?`.

    Args:
        products: `loan_id, product`.
    """
    pairs = moves(months).join(products, on="loan_id")
    cells = pairs.group_by("month", "product", "at", "to").agg(
        n=pl.len().cast(pl.Int64), balance=pl.col("balance").sum()
    )
    keys = ["month", "product", "at"]
    whole, owed = pl.col("n").sum().over(keys), pl.col("balance").sum().over(keys)
    rate = pl.col("n") / whole
    names = pl.Series(list(BUCKETS))
    rows = cells.with_columns(
        p=rate,
        se=(rate * (1.0 - rate) / whole).sqrt(),
        p_balance=pl.when(owed > 0).then(pl.col("balance") / owed),
    ).sort("month", "product", "at", "to")
    return rows.select(
        "month",
        "product",
        names.gather(rows["at"]).alias("from"),
        names.gather(rows["to"]).alias("to"),
        "n",
        "p",
        "se",
        "p_balance",
    )


def vintages(months: pl.DataFrame, loans: pl.DataFrame) -> pl.DataFrame:
    """Share of each origination year that has been past 90 days by each age: `vintage, age_months, loans, ever_90`."""
    begun = loans.select("loan_id", "origination_date").drop_nulls()
    aged = (
        months.filter(pl.col("days_past_due").is_not_null())
        .join(begun, on="loan_id")
        .with_columns(
            vintage=pl.col("origination_date").dt.year(),
            age_months=(
                (pl.col("month").dt.year() - pl.col("origination_date").dt.year()) * 12
                + pl.col("month").dt.month()
                - pl.col("origination_date").dt.month()
            ),
        )
        .sort("loan_id", "month")
        .with_columns(bad=(pl.col("days_past_due") > 90).cum_max().over("loan_id"))
    )
    return (
        aged.group_by("vintage", "age_months")
        .agg(loans=pl.len().cast(pl.Int64), ever_90=pl.col("bad").mean())
        .sort("vintage", "age_months")
    )


def chance_of_missing(
    loans: pl.DataFrame, months: pl.DataFrame | None, *, market: MarketBook, as_of: date
) -> Floats:
    """Chance that each loan's next payment is missed (n,): by its bucket, from the months and the market's figure.

    A payment was missed where the days past due of the month after are more. The tape's own share and the market's
    are weighed by credibility: n / (n + 50) loan-months.
    """
    table = np.array(market.table("recovery/miss_next", as_of))
    prior = np.append(table[:, 1], table[-1, 1])
    missed, seen = np.zeros(len(prior)), np.zeros(len(prior))
    if months is not None and not months.is_empty():
        ordered = months.filter(
            pl.col("days_past_due").is_not_null(), pl.col("month") <= as_of
        ).sort("loan_id", "month")
        more = pl.col("days_past_due").shift(-1).over("loan_id") > pl.col("days_past_due")
        shares = (
            ordered.with_columns(more=more, at=bucket(pl.col("days_past_due")))
            .drop_nulls("more")
            .group_by("at")
            .agg(n=pl.len(), missed=pl.col("more").sum())
        )
        for at, count, lost in shares.iter_rows():
            seen[at], missed[at] = count, lost
    share = (missed + _WEIGHT * prior) / (seen + _WEIGHT)
    here = loans.select(at=bucket(pl.col("days_past_due")))["at"].to_numpy()
    chances: Floats = share[here]
    return chances


def chance_of_default(days: Floats, market: MarketBook, as_of: date) -> Floats:
    """Chance of reaching day 91 from days past due (n,); 1 past day 90."""
    table = np.array(market.table("recovery/roll_91", as_of))
    place = np.searchsorted(table[:, 0], days, side="left")
    known: Floats = np.append(table[:, 1], 1.0)[place]
    return known
