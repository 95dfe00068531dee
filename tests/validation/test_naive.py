"""The plain forecasts are exact where nothing but age matters."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from validation.worlds import naive

LAST, AHEAD = 24, 12
NO_SALES = pl.DataFrame(schema={"loan_id": pl.String, "date": pl.Date, "amount": pl.Int64})


def _share(age: int) -> float:
    """Of what is owed, paid in the month `age` after day 91."""
    return 0.1 / (age + 1) if age < LAST - AHEAD else 0.0


@pytest.fixture(scope="module")
def book() -> tuple[pl.DataFrame, float]:
    """Loans that defaulted one a month, months up to now, and what the next twelve will bring."""
    rows, come = [], 0.0
    for default in range(LAST - 3):
        owed = 1e8
        for at in range(default, LAST + AHEAD):
            age = at - default - 3
            paid = round(owed * _share(age)) if age >= 0 else 0
            owed -= paid
            if at < LAST:
                month = date(2023 + at // 12, at % 12 + 1, 1)
                rows.append((f"L{default:02d}", month, paid, 0, int(owed)))
            else:
                come += paid
    names = ["loan_id", "month", "paid_principal", "paid_interest", "balance"]
    return pl.DataFrame(rows, schema=names, orient="row"), come


@pytest.mark.parametrize("way", [naive.chain_ladder, naive.last_year])
def test_a_book_in_which_only_age_matters_is_forecast_exactly(book, way) -> None:
    months, come = book
    assert way(months, NO_SALES, AHEAD) == pytest.approx(come, rel=1e-6)


@pytest.mark.parametrize("way", [naive.chain_ladder, naive.last_year])
def test_what_a_buyer_paid_is_no_collection(book, way) -> None:
    months, come = book
    sold = months.filter(pl.col("loan_id") == "L00").tail(1)
    with_sale = months.with_columns(
        paid_principal=pl.col("paid_principal")
        + pl.when((pl.col("loan_id") == "L00") & (pl.col("month") == sold["month"][0]))
        .then(5_000_000)
        .otherwise(0)
    )
    sales = sold.select("loan_id", date="month").with_columns(amount=pl.lit(5_000_000))
    assert way(with_sale, sales, AHEAD) == pytest.approx(come, rel=1e-6)
