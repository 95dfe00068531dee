"""Months of loans from their payments and their schedule, where a tape carries no months."""

from __future__ import annotations

from datetime import date

import polars as pl

from arrears.tape.columns import MONTHS

_NEAR = 100
_HOLDS, _NEAR_DAYS = 0.9, 31
_KNOWN = (
    "product",
    "principal",
    "original_principal",
    "rate",
    "repayment",
    "origination_date",
    "maturity_date",
    "days_past_due",
)


def rebuilt(loans: pl.DataFrame, payments: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Months from a loan's first payment to the cut-off date.

    Paid parts and balance follow from the payments; what was due from amount, rate, term and kind of repayment; days
    past due from the first due date that the payments since then do not cover, and from today's days past due. What
    the schedule of a loan does not tell stays null; so does all that a schedule says of a product and kind of
    repayment where it makes more than a tenth of the loans that are current late: contracts there say something else
    than the tape's columns do. A payment without parts counts as principal once interest is not
    told. Loans without payments have no months, and a payment before its loan began is none: a year mistyped would make
    a decade in which nothing was paid.

    Returns:
        The columns of `months`, sorted by loan and month.
    """
    principal = pl.coalesce(
        "principal_part", pl.col("amount") - pl.col("interest_part").fill_null(0)
    )
    begun = loans.select("loan_id", "origination_date")
    paid = (
        payments.join(begun, on="loan_id", how="left")
        .filter(
            pl.col("date") <= as_of,
            (pl.col("date") >= pl.col("origination_date")).fill_null(True),
        )
        .with_columns(month=pl.col("date").dt.month_start(), principal=principal)
        .group_by("loan_id", "month")
        .agg(paid_principal=pl.col("principal").sum(), paid_interest=pl.col("interest_part").sum())
    )
    last = pl.lit(as_of).dt.month_start()
    spans = paid.group_by("loan_id").agg(first=pl.col("month").min())
    every = spans.select("loan_id", month=pl.date_ranges("first", last, "1mo")).explode("month")
    known = loans.select("loan_id", *_KNOWN).rename({"days_past_due": "owed_days"})
    grid = every.join(paid, on=["loan_id", "month"], how="left").join(known, on="loan_id")
    grid = grid.sort("loan_id", "month").with_columns(
        pl.col("paid_principal", "paid_interest").fill_null(0)
    )
    paid_now = pl.col("paid_principal")
    later = paid_now.reverse().cum_sum().reverse().over("loan_id", order_by="month") - paid_now
    named = _believed(_late(_due(grid.with_columns(balance=pl.col("principal") + later)), as_of))
    return named.select(pl.col(name).cast(dtype) for name, dtype in MONTHS.items())


def _due(grid: pl.DataFrame) -> pl.DataFrame:
    """`due_principal`, `due_interest` of each month by the schedule agreed on, fen; null where it is not known."""
    amount, rate = pl.col("original_principal").cast(pl.Float64), pl.col("rate") / 12.0
    begun, ends = pl.col("origination_date"), pl.col("maturity_date")

    def since(day: pl.Expr) -> pl.Expr:
        return (day.dt.year() - begun.dt.year()) * 12 + day.dt.month() - begun.dt.month()

    number, of = since(pl.col("month")), pl.max_horizontal(since(ends), pl.lit(1))
    grows = 1.0 + rate
    even = rate == 0
    level = (
        pl.when(even)
        .then(amount / of)
        .otherwise(amount * rate * grows.pow(of) / (grows.pow(of) - 1.0))
    )
    open_ = (
        pl.when(even)
        .then(amount * (1.0 - (number - 1) / of))
        .otherwise(amount * (grows.pow(of) - grows.pow(number - 1)) / (grows.pow(of) - 1.0))
    )
    kind, at_end = pl.col("repayment"), number == of
    interest = (
        pl.when(kind == "amortising")
        .then(open_ * rate)
        .when(kind == "interest_only")
        .then(amount * rate)
        .when((kind == "bullet") & at_end)
        .then(amount * rate * of)
        .when(kind == "bullet")
        .then(0.0)
    )
    principal = (
        pl.when(kind == "amortising")
        .then(level - open_ * rate)
        .when(kind.is_in(["interest_only", "bullet"]) & at_end)
        .then(amount)
        .when(kind.is_in(["interest_only", "bullet"]))
        .then(0.0)
    )
    runs = number.is_between(1, of)
    return grid.with_columns(
        (pl.when(runs).then(value).otherwise(value * 0.0) + 0.5).floor().cast(pl.Int64).alias(name)
        for name, value in (("due_principal", principal), ("due_interest", interest))
    )


def _late(grid: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Days past due at the end of each month, as if nothing had been owed before the first of them."""
    due = pl.col("due_principal") + pl.col("due_interest")
    came = pl.col("paid_principal") + pl.col("paid_interest")
    start = pl.col("month")
    day = pl.min_horizontal(pl.col("origination_date").dt.day(), start.dt.month_end().dt.day())
    sums = grid.with_columns(
        due_so_far=due.cum_sum().over("loan_id", order_by="month"),
        paid_so_far=came.cum_sum().over("loan_id", order_by="month") + _NEAR,
        due_on=start + pl.duration(days=day.cast(pl.Int64) - 1),
        end=pl.min_horizontal(start.dt.month_end(), pl.lit(as_of)),
        row=pl.int_range(pl.len()),
    )
    dues = sums.drop_nulls("due_so_far").select("loan_id", "due_so_far", first_unpaid="due_on")
    found = (
        sums.sort("paid_so_far")
        .join_asof(
            dues.sort("due_so_far"),
            left_on="paid_so_far",
            right_on="due_so_far",
            by="loan_id",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .sort("row")
    )
    by_schedule = (
        pl.when(pl.col("due_so_far").is_null())
        .then(None)
        .otherwise(
            pl.max_horizontal((pl.col("end") - pl.col("first_unpaid")).dt.total_days(), pl.lit(0))
        )
    )
    since = pl.lit(as_of) - pl.duration(days=pl.col("owed_days"))
    by_today = (pl.col("end") - since).dt.total_days()
    return found.with_columns(
        by_schedule=by_schedule,
        by_today=pl.when(pl.col("end") == as_of)
        .then(pl.col("owed_days").cast(pl.Int64))
        .when((pl.col("owed_days") > 0) & (by_today >= 0))
        .then(by_today),
    )


def _believed(grid: pl.DataFrame) -> pl.DataFrame:
    """The grid with `days_past_due`; without what schedules say where today's days refute them."""
    kind = ("product", "repayment")
    current = (pl.col("owed_days") == 0) & (pl.col("by_today") == 0)
    holds = (
        grid.filter(current)
        .group_by(kind)
        .agg(holds=(pl.col("by_schedule") <= _NEAR_DAYS).mean() >= _HOLDS)
    )
    told = grid.join(holds, on=kind, how="left", nulls_equal=True, maintain_order="left")
    names = ("due_principal", "due_interest", "by_schedule")
    kept = (pl.when(pl.col("holds").fill_null(True)).then(name).alias(name) for name in names)
    return told.with_columns(kept).with_columns(
        days_past_due=pl.coalesce("by_today", "by_schedule")
    )
