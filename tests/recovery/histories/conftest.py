"""Loan-months written as lists of days past due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from arrears.recovery.histories.paths import Paths, paths

DAY = date(2025, 12, 31)


def months_of(*days: list[int | None], owed: dict[int, list[int]] | None = None) -> pl.DataFrame:
    """Months of some loans from January 2025 on; None is a month that is missing."""
    rows = [
        {
            "loan_id": f"L{loan:05d}",
            "month": date(2025 + number // 12, number % 12 + 1, 1),
            "days_past_due": past,
            "balance": (owed or {}).get(loan, [100 * (loan + 1)] * len(series))[number],
        }
        for loan, series in enumerate(days)
        for number, past in enumerate(series)
        if past is not None
    ]
    return pl.DataFrame(rows, schema_overrides={"days_past_due": pl.Int32, "balance": pl.Int64})


def loans_of(months: pl.DataFrame, product: str = "consumer") -> pl.DataFrame:
    return (
        months.select("loan_id").unique(maintain_order=True).with_columns(product=pl.lit(product))
    )


@pytest.fixture(scope="session")
def written() -> Callable[..., tuple[pl.DataFrame, pl.DataFrame]]:
    """Months, and the loans they are of."""

    def made(*days: list[int | None]) -> tuple[pl.DataFrame, pl.DataFrame]:
        months = months_of(*days)
        return months, loans_of(months)

    return made


@pytest.fixture(scope="session")
def follow() -> Callable[..., Paths]:
    def made(
        *days: list[int | None], product: str = "consumer", as_of: date = DAY, owed=None, **more
    ) -> Paths:
        months = months_of(*days, owed=owed)
        loans = loans_of(months, product).with_columns(**more.pop("loans", {}))
        return paths(months, loans, as_of=as_of, **more)

    return made
