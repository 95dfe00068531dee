"""Whether paying up now still hides an overdue from the credit record."""

from __future__ import annotations

from datetime import date

import polars as pl

from arrears.rules import Rulebook

_ROOT = "cn/credit_repair/"


def credit_repair(
    loans: pl.DataFrame, *, as_of: date, rulebook: Rulebook, months: pl.DataFrame | None = None
) -> pl.Series:
    """True where it does (n,), Boolean (FACTS 6.5; READINGS 6.5)."""
    first, last, arisen_from, arisen_until = (
        rulebook.day_of(_ROOT + name, as_of)
        for name in ("from", "until", "arisen_from", "arisen_until")
    )
    cap = int(rulebook.number(_ROOT + "max_amount", as_of))
    if not first <= as_of <= last:
        return pl.Series("credit_repair", [False]).new_from_index(0, loans.height)
    arose = pl.lit(as_of) - pl.duration(days=pl.col("days_past_due").fill_null(0))
    table = loans.with_columns(arrears=_arrears(loans, months, as_of))
    claim = pl.sum_horizontal("principal", "interest", "fees")
    no_schedule = pl.all_horizontal(
        pl.col("next_due_date", "next_due_interest", "next_due_principal").is_null()
    )
    whole = (
        (pl.col("maturity_date") < as_of).fill_null(False)
        | (pl.col("product") == "credit_card")
        | no_schedule
    )
    overdue = pl.when(whole).then(claim).otherwise(pl.coalesce("arrears", claim))
    good = (
        (pl.col("days_past_due").fill_null(0) > 0)
        & arose.is_between(arisen_from, arisen_until)
        & (overdue <= cap)
    )
    return table.select(credit_repair=good).to_series()


def _arrears(loans: pl.DataFrame, months: pl.DataFrame | None, as_of: date) -> pl.Series:
    """What the months show as due and unpaid by the cut-off date, fen; null where they show nothing."""
    if months is None or months.is_empty():
        return pl.Series("arrears", [None], dtype=pl.Int64).new_from_index(0, loans.height)
    due = pl.sum_horizontal("due_principal", "due_interest")
    paid = pl.sum_horizontal("paid_principal", "paid_interest")
    sums = (
        months.filter(pl.col("month") <= as_of).group_by("loan_id").agg(arrears=(due - paid).sum())
    )
    found = loans.select("loan_id").join(sums, on="loan_id", how="left", maintain_order="left")
    return found.select(pl.when(pl.col("arrears") > 0).then("arrears"))["arrears"]
