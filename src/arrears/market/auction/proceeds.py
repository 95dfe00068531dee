"""What an auction is expected to bring: bidders who may not come, the winner's curse, and the best start price."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import comb

import numpy as np
import numpy.typing as npt

from arrears.errors import BadArgument
from arrears.market.auction.bids import closed_form

Floats = npt.NDArray[np.float64]
_NODES = 64


@dataclass(frozen=True)
class Terms:
    """An auction as its seller sees it; money in any one unit.

    Attributes:
        value: what the package is worth to a buyer.
        start: no bid is lower.
        bidders: who may bid.
        shows_up: chance that each of them does.
        disagreement: how far an estimate lies from the value at most, a share of it; errors are uniform.
        doubt: likewise, how far the seller's own estimate of the value may be off.
    """

    value: float
    start: float
    bidders: int
    shows_up: float = 1.0
    disagreement: float = 0.3
    doubt: float = 0.0

    def __post_init__(self) -> None:
        if self.bidders < 0 or not 0.0 <= self.shows_up <= 1.0 or self.value < 0.0:
            raise BadArgument(
                "An auction needs 0 bidders or more, a chance, and a value of 0 or more."
            )
        if not 0.0 <= self.disagreement < 1.0 or not 0.0 <= self.doubt < 1.0 or self.start < 0.0:
            raise BadArgument(
                "Disagreement and doubt are shares from 0 to below 1, a start 0 or more."
            )


@dataclass(frozen=True)
class Expected:
    """What is expected of an auction.

    Attributes:
        sold: probability that it is.
        price: expected if it is sold; None where it never is.
        at_start: of the sales, the share at the start price.
    """

    sold: float
    price: float | None
    at_start: float


def expected(terms: Terms) -> Expected:
    """Expected outcome over how many bidders come and what they think, in the equilibrium of METHODS 6.1.

    A lone bidder pays the start price if it thinks the package worth that; with more, the highest bid wins.
    """
    sold = money = start = 0.0
    for worth, weight in _worths(terms):
        for come in range(1, terms.bidders + 1):
            chance = weight * _chance(terms, come)
            if chance > 0.0:
                some, price, alone = _with(terms, worth, come)
                sold += chance * some
                money += chance * price
                start += chance * alone
    return Expected(sold, money / sold if sold > 0.0 else None, start / sold if sold > 0 else 0.0)


def best_start(terms: Terms, keeping: float) -> tuple[float, float]:
    """The start price that brings the seller most, and what it brings.

    Args:
        keeping: what the package is worth to the seller if it is not sold; no lower start is worth while.
    """
    highest = terms.value * (1.0 + terms.disagreement) * (1.0 + terms.doubt)
    low = min(keeping, highest)

    def brings(start: float) -> float:
        found = expected(replace(terms, start=start))
        return found.sold * (found.price or 0.0) + (1.0 - found.sold) * keeping

    for _ in range(3):
        grid = np.linspace(low, highest, 41)
        worth = [brings(float(start)) for start in grid]
        best = int(np.argmax(worth))
        low, highest = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 40)])
    return float(grid[best]), worth[best]


def value_over_start(price_over_start: float, terms: Terms) -> float:
    """How far the value must lie above the start price for the mean price to be so far above it (METHODS 6.2).

    Args:
        price_over_start: of packages that were sold.
        terms: their bidders and disagreement; value and start are not read.

    Raises:
        BadArgument: no value does.
    """

    def gap(ratio: float) -> float:
        found = expected(replace(terms, value=ratio, start=1.0))
        return (found.price or 1.0) - price_over_start

    if price_over_start <= 1.0 or gap(50.0) < 0.0:
        raise BadArgument(f"No value brings {price_over_start} times the start price.")
    from scipy.optimize import brentq

    return float(brentq(gap, 1.0, 50.0, xtol=1e-10))


def _chance(terms: Terms, come: int) -> float:
    p = terms.shows_up
    return comb(terms.bidders, come) * p**come * (1.0 - p) ** (terms.bidders - come)


def _worths(terms: Terms) -> list[tuple[float, float]]:
    """What the package may truly be worth, and how likely."""
    if terms.doubt == 0.0:
        return [(terms.value, 1.0)]
    nodes, weights = _legendre(8)
    return [(terms.value * (1.0 + terms.doubt * x), w / 2.0) for x, w in zip(nodes, weights, strict=True)]  # fmt: skip


def _with(terms: Terms, worth: float, come: int) -> tuple[float, float, float]:
    """Probability of a sale to so many bidders, expected price (0 if none), and probability of a sale at the start."""
    spread = terms.disagreement * worth
    start = terms.start
    if spread == 0.0:
        sells = 1.0 if worth >= start else 0.0
        price = start if come == 1 else max(worth, start)
        return sells, sells * price, sells * (come == 1)
    first = start + spread * (come - 1.0) / (come + 1.0)
    under = float(np.clip((first - worth + spread) / (2.0 * spread), 0.0, 1.0)) ** come
    if come == 1 or under >= 1.0:
        return 1.0 - under, (1.0 - under) * start, 1.0 - under
    nodes, weights = _legendre(_NODES)
    low, high = max(first, worth - spread), worth + spread
    x = low + (high - low) * (nodes + 1.0) / 2.0
    place = (x - worth + spread) / (2.0 * spread)
    density = come * place ** (come - 1) / (2.0 * spread)
    bid = closed_form(x, come, spread=spread, least=start)
    price = float((weights * density * bid).sum() * (high - low) / 2.0)
    return 1.0 - under, price, 0.0


@cache
def _legendre(count: int) -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights
