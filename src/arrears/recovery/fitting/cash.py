"""The level set on cash: what a model expects of the loan-months seen, yuan by yuan, beside what came in.

Who pays often owes less, and pays a larger share of it: chance and share, each right on average over loans, expect too
much of the claims. So the sum is held against cash, a product and a year at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arrears.recovery.fitting.glm import expit
from arrears.recovery.fitting.model import RecoveryModel
from arrears.recovery.fitting.person_period import History, rows
from arrears.recovery.params import PRODUCTS, Floats, Params

_YEAR = 12
# A product's cash is never taken for less than this part of what was expected.
_LEAST = 0.05
# Years that the market's own spread of a year's level stands for beside those of the history.
_YEARS_OF_THE_MARKET = 4.0


@dataclass(frozen=True)
class Cash:
    """Fen by product and year of the history (products, years), the last year first.

    Attributes:
        came: cash, no more than was owed.
        expected: by the model, month by month, of what was really owed.
    """

    came: Floats
    expected: Floats


def cash_seen(history: History, model: RecoveryModel, segment: Floats) -> Cash:
    """Once through the loan-months.

    Args:
        segment: (n,) what the loan's segment adds to its score.
    """
    years = max((history.months + _YEAR - 1) // _YEAR, 1)
    size = len(PRODUCTS) * years
    came, expected = np.zeros(size), np.zeros(size)
    log_odds = np.array(model.log_odds)
    for some in rows(history):
        eta = log_odds[some.age] + segment[some.loan] + model.score_of(some.levels, some.band)
        place = (
            some.levels["product"].astype(np.int64) * years + (history.end - some.month) // _YEAR
        )
        came += np.bincount(place, weights=some.owed * some.share, minlength=size)
        expected += np.bincount(
            place, weights=some.owed * model.share_paid * expit(eta), minlength=size
        )
    return Cash(came.reshape(-1, years), expected.reshape(-1, years))


def levelled(model: RecoveryModel, cash: Cash, market: Params) -> RecoveryModel:
    """The model with each product's level set on its cash, as far as its own experience is believed.

    A year weighs the less the longer it is past, as the market's common factor fades. The range of the level takes
    in how far one year's cash lies from the next, beyond what the factor moves in the scenarios. What is wanted of the
    cash is asked of the odds, as months of payment are few.
    """
    years = cash.came.shape[1]
    fade: Floats = np.power(market.persistence, _YEAR * np.arange(years, dtype=np.float64))
    came, expected = cash.came @ fade, cash.expected @ fade
    products = {}
    for place, (name, belief) in enumerate(model.products.items()):
        factor = 1.0
        if expected[place] > 0.0:
            factor = 1.0 + belief.z**2 * (came[place] / expected[place] - 1.0)
        # What the scenarios' factor lifts the mean by is in the history already.
        lift = belief.z * market.deviation**2 / 2.0
        shift = float(np.log(max(factor, _LEAST))) - (lift if expected[place] > 0.0 else 0.0)
        products[name] = belief.model_copy(update={"cash": factor, "shift": belief.shift + shift})
    level = np.hypot(model.level_sd, _left_over(cash, fade, market))
    return model.model_copy(update={"products": products, "level_sd": float(level)})


def _left_over(cash: Cash, fade: Floats, market: Params) -> float:
    """Deviation of the next year's level that the scenarios do not bring: 0 without two years of cash."""
    came, expected = cash.came.sum(axis=0), cash.expected.sum(axis=0)
    some = (came > 0.0) & (expected > 0.02 * expected.sum())
    if some.sum() < 2:
        return 0.0
    weight = expected[some] * fade[some]
    weight = weight / weight.sum()
    ratio = np.log(came[some] / expected[some])
    count = len(ratio)
    alone = market.deviation**2 * _mean_of_a_year(market.persistence)
    # About the mean of `count` years; the market's own spread stands beside it.
    spread = float(((ratio - ratio.mean()) ** 2).sum()) + _YEARS_OF_THE_MARKET * alone
    # A factor of one product moves a pool of several less than that product.
    nation, *others = market.factor_weights
    parts = cash.expected.sum(axis=1) / cash.expected.sum()
    factor = alone * (nation + sum(others) * float((parts**2).sum()))
    year = spread / (count - 1 + _YEARS_OF_THE_MARKET)
    return float(np.sqrt(max(year * (1.0 + float((weight**2).sum())) - factor, 0.0)))


def _mean_of_a_year(persistence: float) -> float:
    """Variance of the mean of twelve months of a standard AR(1)."""
    gap = np.abs(np.subtract.outer(np.arange(_YEAR), np.arange(_YEAR)))
    return float((persistence**gap).mean())
