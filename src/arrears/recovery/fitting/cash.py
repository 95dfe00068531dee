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
# Years that the market's own spread of a year's level stands for beside those of the history; more than 2.
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

    A year weighs the less the longer it is past, as the market's common factor fades. What is wanted of the cash is
    asked of the odds, as months of payment are few.
    """
    fade = _faded(cash, market)
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
    return model.model_copy(update={"products": products})


def with_years(model: RecoveryModel, errors: Floats, cash: Cash, market: Params) -> RecoveryModel:
    """The model whose level is as unsure as the book's own years were, foretold each from those before it.

    Args:
        errors: (2, years) error of each on the log odds, and the information of its loan-months.
    """
    gaps, information = errors
    square = gaps**2 - model.dispersion / information
    level = float(np.hypot(model.level_sd, _left_over(square, cash, market)))
    return model.model_copy(update={"level_sd": level})


def _left_over(square: Floats, cash: Cash, market: Params) -> float:
    """Deviation of the next year's level that the scenarios do not bring: 0 without a year that was foretold.

    The market's own spread of a year stands beside the errors seen, each an error about a mean of the years before.
    Few errors leave their variance unsure itself: it is the mean of its posterior, that of Student's t.

    Args:
        square: (years,) errors squared, less what the luck of single loans adds to them.
    """
    if not len(square):
        return 0.0
    expected = cash.expected.sum(axis=0) * _faded(cash, market)
    weight = expected / expected.sum()
    alone = market.deviation**2 * _mean_of_a_year(market.persistence)
    usual = _YEARS_OF_THE_MARKET * alone * (1.0 + float(weight @ weight))
    year = max(float(square.sum()), 0.0) + usual
    year = year / (len(square) + _YEARS_OF_THE_MARKET - 2.0)
    # A factor of one product moves a pool of several less than that product.
    nation, *others = market.factor_weights
    parts = cash.expected.sum(axis=1) / cash.expected.sum()
    factor = alone * (nation + sum(others) * float((parts**2).sum()))
    return float(np.sqrt(max(year - factor, 0.0)))


def _faded(cash: Cash, market: Params) -> Floats:
    """Weight of each year of the history, the last first."""
    years = np.arange(cash.came.shape[1], dtype=np.float64)
    fade: Floats = np.power(market.persistence, _YEAR * years)
    return fade


def _mean_of_a_year(persistence: float) -> float:
    """Variance of the mean of twelve months of a standard AR(1)."""
    gap = np.abs(np.subtract.outer(np.arange(_YEAR), np.arange(_YEAR)))
    return float((persistence**gap).mean())
