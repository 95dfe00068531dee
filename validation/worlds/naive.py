"""Two plain forecasts of what a book of defaulted loans will pay: chain ladder, and last year's curve repeated."""

from __future__ import annotations

import numpy as np
import polars as pl


def _aged(months: pl.DataFrame) -> pl.DataFrame:
    """Months with cash, months since day 91, and what was owed before; sales are no collections and left out."""
    return (
        months.with_columns(
            cash=pl.col("paid_principal") + pl.col("paid_interest"),
            age=pl.col("month").rank("dense").over("loan_id").cast(pl.Int64) - 4,
        )
        .with_columns(opening=pl.col("balance").shift(1).over("loan_id", order_by="month"))
        .filter(pl.col("age") >= 0)
    )


def _squares(
    months: pl.DataFrame, sales: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cash and opening balance by cohort and age, and a mask of what was seen.

    A cohort is the months since day 91 on the cut-off date; row `c` is seen up to age `c`.
    """
    sold = sales.group_by("loan_id", month=pl.col("date").dt.month_start()).agg(
        sold=pl.col("amount").sum()
    )
    aged = _aged(months).join(sold, on=["loan_id", "month"], how="left")
    aged = aged.with_columns(pl.col("cash") - pl.col("sold").fill_null(0))
    last = aged["month"].max()
    back = (pl.lit(last).dt.year() - pl.col("month").dt.year()) * 12
    back = back + pl.lit(last).dt.month() - pl.col("month").dt.month()
    by = (
        aged.with_columns(cohort=pl.col("age") + back)
        .group_by("cohort", "age")
        .agg(pl.col("cash", "opening").sum())
    )
    size = int(by["cohort"].max()) + 1
    cash, owed = np.zeros((size, size)), np.zeros((size, size))
    cash[by["cohort"], by["age"]] = by["cash"]
    owed[by["cohort"], by["age"]] = by["opening"]
    seen = np.arange(size)[None, :] <= np.arange(size)[:, None]
    return cash, owed, seen


def chain_ladder(months: pl.DataFrame, sales: pl.DataFrame, ahead: int) -> float:
    """Cash of the next `ahead` months: each cohort's cumulative cash times the factors of the older ones."""
    cash, _, seen = _squares(months, sales)
    size = len(cash)
    total = np.cumsum(cash, axis=1)
    factor = np.ones(size + ahead)
    for age in range(size - 1):
        both = seen[:, age + 1]
        base = total[both, age].sum()
        factor[age] = total[both, age + 1].sum() / base if base > 0 else 1.0
    come = 0.0
    for cohort in range(size):
        grown = np.prod(factor[cohort : cohort + ahead])
        come += total[cohort, cohort] * (grown - 1)
    return float(come)


def last_year(months: pl.DataFrame, sales: pl.DataFrame, ahead: int) -> float:
    """Cash of the next `ahead` months: what a yuan owed at each age brought in the last twelve months, repeated.

    Past the oldest age it goes on at the mean of the last six ages.
    """
    cash, owed, _ = _squares(months, sales)
    size = len(cash)
    cohort, age = np.indices(cash.shape)
    lately = (cohort - age >= 0) & (cohort - age < 12)
    rate = np.zeros(size + ahead + 1)
    for now in range(size):
        rows = lately[:, now]
        base = owed[rows, now].sum()
        rate[now] = cash[rows, now].sum() / base if base > 0 else 0.0
    rate[size:] = rate[max(0, size - 6) : size].mean()
    last = (
        months.sort("loan_id", "month")
        .group_by("loan_id")
        .agg(pl.col("balance").last(), age=pl.len().cast(pl.Int64) - 3)
    )
    claim, at = last["balance"].to_numpy().astype(float), last["age"].to_numpy()
    come = 0.0
    for month in range(ahead):
        share = rate[np.clip(at + month, 0, len(rate) - 1)] * (at + month >= 0)
        come += float((claim * share).sum())
        claim = claim * (1 - share)
    return come
