"""Common factors: how good and bad times move the payments of whole segments together, and how house prices move.

A segment is a product in a region. Its factor is a weighted sum of three AR(1) paths: the nation's, the product's and
the region's. The months that shape a path most are drawn by a scrambled Sobol sequence through a bridge, the others
by a pseudo-random stream; every path comes with its mirror image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import polars as pl
import scipy

from arrears.core.rng import generator
from arrears.recovery.params import PRODUCTS, Floats, Ints
from arrears.rules import MarketBook

REGIONS = ("unknown", "east", "centre", "west", "north-east")
SEGMENTS = len(PRODUCTS) * len(REGIONS)
TIERS = 3
_HOMES = ("homes", *(f"tier {tier}" for tier in range(1, TIERS + 1)))
_NAMES = ("nation", *PRODUCTS, *REGIONS, *_HOMES)
# Months of a factor that the Sobol sequence draws, and its numbers besides: level and tilt of the curve, luck.
_QUASI, _BESIDES = 10, 2


@dataclass(frozen=True)
class Factors:
    """What is drawn for each scenario; none of it depends on the book.

    Attributes:
        paths: standard AR(1) paths (names, months, scenarios), in the order of `_NAMES`; of the home factors the
            monthly innovations.
        besides: standard normal numbers of the curve's level and tilt (2, scenarios).
        persistence: of the payment factors.
    """

    paths: Floats
    besides: Floats
    persistence: float

    def of_segments(self, segments: Sequence[int], weights: Sequence[float]) -> Floats:
        """Standard factor of each segment (G, months, scenarios).

        Args:
            weights: shares of the variance of nation, product and region.
        """
        root = np.sqrt(np.asarray(weights) / np.sum(weights))
        found = np.empty((len(segments), *self.paths.shape[1:]))
        for place, segment in enumerate(segments):
            product, region = divmod(segment, len(REGIONS))
            parts = (0, 1 + product, 1 + len(PRODUCTS) + region)
            found[place] = sum(w * self.paths[k] for w, k in zip(root, parts, strict=True))
        return found

    def home_prices(self, deviation: Floats, shared: float, with_payments: float) -> Floats:
        """House prices over those of today by tier (TIERS, months, scenarios), of mean 1.

        Args:
            deviation: of the logarithm, a year, by tier (TIERS,).
            shared: part of the variance that all tiers share.
            with_payments: correlation of the shared part with the nation's payments.
        """
        nation = self.paths[0]
        kick = nation.copy()
        kick[1:] = (nation[1:] - self.persistence * nation[:-1]) / np.sqrt(1 - self.persistence**2)
        homes = self.paths[len(_NAMES) - len(_HOMES) :]
        common = with_payments * kick + np.sqrt(1.0 - with_payments**2) * homes[0]
        steps = np.sqrt(shared) * common + np.sqrt(1.0 - shared) * homes[1:]
        monthly = deviation[:, None, None] / np.sqrt(12.0)
        months = np.arange(1, nation.shape[0] + 1)[:, None]
        prices: Floats = np.exp(monthly * np.cumsum(steps, axis=1) - 0.5 * monthly**2 * months)
        return prices


# Pools are forecast one after another under the same factors.
@lru_cache(maxsize=1)
def draw(count: int, months: int, persistence: float, seed: int) -> Factors:
    """The factors of `count` scenarios: the same for the same seed, whatever the book and the number of threads."""
    half = (count + 1) // 2
    first = min(_QUASI, months)
    size = len(_NAMES) * first + _BESIDES
    scrambler = np.random.default_rng(generator(seed, "sobol").integers(2**63))
    sobol = scipy.stats.qmc.Sobol(size, scramble=True, rng=scrambler)
    points = sobol.random_base2(max(int(np.ceil(np.log2(half))), 0))[:half]
    quasi = scipy.special.ndtri(np.clip(points, 1e-12, 1.0 - 1e-12)).T
    paths = np.empty((len(_NAMES), months, half))
    for place, name in enumerate(_NAMES):
        normals = generator(seed, "factor", name).standard_normal((months, half))
        normals[:first] = quasi[place * first : (place + 1) * first]
        paths[place] = normals if name in _HOMES else _bridge(normals, persistence)
    besides = quasi[len(_NAMES) * first :]
    whole = np.concatenate([paths, -paths], axis=2)[:, :, :count]
    beside = np.concatenate([besides, -besides], axis=1)[:, :count]
    for shared in (whole, beside):
        shared.setflags(write=False)
    return Factors(whole, beside, persistence)


def _bridge(normals: Floats, persistence: float) -> Floats:
    """Stationary AR(1) paths (months, S) of normal numbers: the first number makes month 1, the second the last month.

    Each later number makes the month in the middle of a gap, given the two ends (Gaussian conditioning).
    """
    months = len(normals)
    path = np.empty_like(normals)
    path[0] = normals[0]
    if months == 1:
        return path
    far = persistence ** (months - 1)
    path[-1] = far * path[0] + np.sqrt(1.0 - far**2) * normals[1]
    gaps, used = [(0, months - 1)], 2
    while gaps:
        left, right = gaps.pop(0)
        if right - left < 2:
            continue
        middle = (left + right) // 2
        a, b = persistence ** (2 * (middle - left)), persistence ** (2 * (right - middle))
        whole = 1.0 - a * b
        path[middle] = (
            np.sqrt(a) * (1.0 - b) / whole * path[left]
            + np.sqrt(b) * (1.0 - a) / whole * path[right]
            + np.sqrt((1.0 - a) * (1.0 - b) / whole) * normals[used]
        )
        used += 1
        gaps += [(left, middle), (middle, right)]
    return path


def segments(loans: pl.DataFrame, market: MarketBook, as_of: date) -> Ints:
    """Number of each loan's segment (n,): product x 5 + region; a province not known has a region of its own."""
    products = {name: place for place, name in enumerate(PRODUCTS)}
    product = loans["product"].replace_strict(products, default=0, return_dtype=pl.Int64)
    regions = market.numbers("scenarios/regions", as_of)
    region = loans["province"].replace_strict(regions, default=0.0, return_dtype=pl.Float64)
    place = product.fill_null(0).to_numpy() * len(REGIONS)
    return np.asarray(place + region.fill_null(0.0).to_numpy().astype(np.int64))
