"""What a loan's chance of paying is read from: terms, their levels, and how a loan is given its levels.

The same words give the levels of a loan-month of the past and of a loan at the cut-off date.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.recovery.params import PRODUCTS, Floats, Ints

Bytes = npt.NDArray[np.int8]

LEGAL = ("not_sued", "filed", "judged", "mediated", "enforcing", "terminated", "ended")
RECENT, YEAR = 3, 12
AGES = 120

TERMS: dict[str, tuple[str, ...]] = {
    "product": PRODUCTS,
    "balance": ("lowest fifth", "second fifth", "third fifth", "fourth fifth", "highest fifth"),
    "borrower_age": ("under 30", "30 to 39", "40 to 49", "50 and over", "unknown"),
    "contact_status": ("reachable", "unreachable", "vanished", "unknown"),
    "collateral": ("none", "guarantee", "home, tier 1", "home, tier 2", "home, tier 3", "vehicle", "other"),
    "legal_status": LEGAL,
    "written_off": ("no", "yes"),
    "last_payment": ("within 3 months", "within a year", "longer ago", "unknown"),
    "quarter": ("January to March", "April to June", "July to September", "October to December"),
}  # fmt: skip
# Terms that stay as they are, and those that a month of the past has for itself.
STATIC = ("product", "borrower_age", "contact_status", "collateral")
# Deviations of these by month are averaged out: a forecast of years knows no season.
SEASON = "quarter"
UNKNOWN_PAYMENT = 3

# Months since day 91, gathered where the hazard changes slowly: months for two years, quarters for three, half-years.
AGE_STARTS: Ints = np.array([*range(24), *range(24, 60, 3), *range(60, AGES, 6)], dtype=np.int64)
_ENDS = np.append(AGE_STARTS[1:], AGES)
AGE_MIDDLE: Floats = (AGE_STARTS + _ENDS - 1) / 2.0
AGE_BAND: Ints = np.searchsorted(AGE_STARTS, np.arange(AGES), side="right") - 1


def by_band(by_month: Floats) -> Floats:
    """Mean over the months of each band of ages."""
    sums = np.bincount(AGE_BAND, weights=by_month, minlength=len(AGE_STARTS))
    means: Floats = sums / np.bincount(AGE_BAND, minlength=len(AGE_STARTS))
    return means


def month_index(column: pl.Expr) -> pl.Expr:
    """Months since the year 0, as a number; null where there is no date."""
    return column.dt.year().cast(pl.Int64) * 12 + column.dt.month().cast(pl.Int64) - 1


def month_of(day: date) -> int:
    """Months since the year 0."""
    return day.year * 12 + day.month - 1


def static_codes(loans: pl.DataFrame, as_of: date) -> dict[str, Bytes]:
    """Levels that a loan keeps (n,), by term."""
    years = pl.lit(as_of.year) - pl.col("birth_year")
    age = (
        pl.when(years.is_null())
        .then(4)
        .otherwise(pl.sum_horizontal((years >= edge).cast(pl.Int8) for edge in (30, 40, 50)))
    )
    tier = pl.col("city_tier").fill_null(3).clip(1, 3)
    words = {"guarantee": 1, "vehicle": 5, "other": 6}
    security = pl.col("security").fill_null("none")
    collateral = (
        pl.when(security == "home")
        .then(tier + 1)
        .otherwise(security.replace_strict(words, default=0, return_dtype=pl.Int32))
    )
    contact = _code("contact_status").fill_null(3)
    product = _code("product").fill_null(PRODUCTS.index("consumer"))
    table = loans.select(
        product=product, borrower_age=age, contact_status=contact, collateral=collateral
    ).cast(pl.Int8)
    return {name: np.array(table[name].to_numpy()) for name in STATIC}


def codes_today(loans: pl.DataFrame, as_of: date, edges: Floats) -> dict[str, Bytes]:
    """Levels of each loan at the cut-off date (n,), by term; none of the season.

    Args:
        edges: (4,) fen, where the fifths of the balance part.
    """
    claim = loans.select(pl.sum_horizontal("principal", "interest", "fees")).to_series()
    since = month_of(as_of) + 1 - month_index(pl.col("last_payment_date"))
    last = (
        pl.when(since.is_null())
        .then(UNKNOWN_PAYMENT)
        .otherwise((since > RECENT).cast(pl.Int8) + (since > YEAR).cast(pl.Int8))
    )
    more = loans.select(
        legal=_code("legal_status").fill_null(0), written=flagged("written_off"), last=last
    ).cast(pl.Int8)
    balance = np.searchsorted(edges, claim.to_numpy().astype(np.float64), side="right")
    return {
        **static_codes(loans, as_of),
        "balance": balance.astype(np.int8),
        "legal_status": more["legal"].to_numpy(),
        "written_off": more["written"].to_numpy(),
        "last_payment": more["last"].to_numpy(),
    }


def flagged(column: str) -> pl.Expr:
    """A flag that nobody has set is not set."""
    return pl.col(column).fill_null(False)


def _code(column: str) -> pl.Expr:
    words = {word: place for place, word in enumerate(TERMS[column])}
    return pl.col(column).replace_strict(words, default=None, return_dtype=pl.Int8)
