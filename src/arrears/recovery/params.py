"""What the forecast takes from the market book, read once for a cut-off date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.dates import DAYS_A_MONTH
from arrears.rules import MarketBook

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DEFAULT_DAY = 91
PRODUCTS = ("mortgage", "consumer", "credit_card", "business")


@dataclass(frozen=True)
class Params:
    """The market prior of recovery (METHODS 1.5) and what shifts it.

    Attributes:
        odds: (M,) odds of a payment in month 1..M since day 91 at score 0.
        share_paid, share_paid_square: mean and mean square of the share of what is owed that is paid then.
        persistence, deviation: AR(1) common factor of the payment hazards, on the logit scale.
        factor_weights: shares of nation, product and region in its variance.
        default_deviation: of the logarithm of new defaults, against the same factor.
        level_error, tilt_error: how far the curve itself may be off: standard deviations of the level of the logits
            and of its slope against the logarithm of age. A fit sets its own.
    """

    odds: Floats
    share_paid: float
    share_paid_square: float
    product_effect: dict[str, float]
    contact_effect: dict[str, float]
    legal_effect: dict[str, float]
    roll_91: list[list[float]]
    default_a_year: dict[str, float]
    term_months: dict[str, float]
    rate_a_year: dict[str, float]
    persistence: float
    deviation: float
    factor_weights: tuple[float, float, float]
    default_deviation: float
    level_error: float
    tilt_error: float

    @property
    def settles(self) -> float:
        """Chance that a payment settles the claim in full.

        A payment is either that or one usual part of what is owed; both follow from its mean and mean square.
        """
        mean, square = self.share_paid, self.share_paid_square
        return (square - mean**2) / (1.0 + square - 2.0 * mean)

    @property
    def part_paid(self) -> float:
        """Share of what is owed that a payment takes which does not settle it."""
        return (self.share_paid - self.settles) / (1.0 - self.settles)

    @classmethod
    def of(cls, market: MarketBook, as_of: date) -> Params:
        """The parameters for a cut-off date."""

        def number(name: str) -> float:
            return market.number(f"recovery/{name}", as_of)

        def words(name: str) -> dict[str, float]:
            return market.numbers(f"recovery/{name}", as_of)

        share = number("share_paid")
        parts = market.numbers("scenarios/factor_weights", as_of)
        curve = collections(number("curve_c1"), number("curve_beta"), int(number("curve_months")))
        return cls(
            odds=odds_of(curve, share),
            share_paid=share,
            share_paid_square=number("share_paid_square"),
            product_effect=words("product_effect"),
            contact_effect=words("contact_effect"),
            legal_effect=words("legal_effect"),
            roll_91=market.table("recovery/roll_91", as_of),
            default_a_year=words("default_a_year"),
            term_months=words("term_months"),
            rate_a_year=words("rate_a_year"),
            persistence=market.number("scenarios/persistence", as_of),
            deviation=market.number("scenarios/deviation", as_of),
            factor_weights=(parts["nation"], parts["product"], parts["region"]),
            default_deviation=market.number("scenarios/default_deviation", as_of),
            level_error=market.number("scenarios/level_error", as_of),
            tilt_error=market.number("scenarios/tilt_error", as_of),
        )


class Fitted(Protocol):
    """A model fitted on a book's own history, as the forecast takes it."""

    @property
    def rests_on(self) -> str:
        """What it rests on, in a few words."""

    def params(self, market: Params) -> Params:
        """The market's parameters with the model's own in their place."""

    def scores(self, loans: pl.DataFrame, as_of: date) -> Floats:
        """Shift of each loan's payment hazard (n,) on the logit scale."""


def collections(c1: float, beta: float, months: int) -> Floats:
    """Share of the original claim collected in each month since day 91: c1 t^-beta (METHODS 1.5)."""
    return c1 * np.arange(1, months + 1, dtype=np.float64) ** -beta


def odds_of(curve: Floats, share_paid: float) -> Floats:
    """Odds of a payment in each month that give `curve`, if a payment takes `share_paid` of what is owed.

    h(t) = c(t) / (share_paid (1 - c(1) - ... - c(t-1))).
    """
    owed = 1.0 - np.concatenate([[0.0], np.cumsum(curve)[:-1]])
    chance = np.minimum(curve / (owed * share_paid), 0.999)
    return chance / (1.0 - chance)


def scores(loans: pl.DataFrame, params: Params) -> Floats:
    """Shift of each loan's payment hazard (n,) on the logit scale: product, contact and legal status."""
    effects = (
        ("product", params.product_effect),
        ("contact_status", params.contact_effect),
        ("legal_status", params.legal_effect),
    )
    total = np.zeros(loans.height)
    for column, effect in effects:
        shift = loans[column].replace_strict(effect, default=0.0, return_dtype=pl.Float64)
        total += shift.fill_null(0.0).to_numpy()
    return total


def ages(loans: pl.DataFrame) -> Ints:
    """Whole months since day 91 (n,); -1 where it is still to come."""
    days = loans["days_past_due"].to_numpy().astype(np.float64)
    months = np.floor((days - DEFAULT_DAY) / DAYS_A_MONTH).astype(np.int64)
    return np.where(days >= DEFAULT_DAY, np.maximum(months, 0), -1)


def fills(loans: pl.DataFrame) -> list[tuple[str, str, int]]:
    """Nulls that the forecast read in a named way: column, rule, rows."""
    rules = {
        "contact_status": "unknown: no effect on payments",
        "legal_status": "unknown: as not sued",
        "rate": "unknown: usual rate of the product",
        "maturity_date": "unknown: usual term of the product",
        "city_tier": "unknown: prices of tier 3",
    }
    counts = {name: int(loans[name].null_count()) for name in rules}
    return [(name, rules[name], rows) for name, rows in counts.items() if rows]
