"""Static pools of a book: what each was expected to bring, and a band that it leaves in one case of ten at most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.recovery import factors
from arrears.recovery.forecast import Forecast, part_of
from arrears.recovery.outlook import CURVE, outlook
from arrears.recovery.params import Floats, Ints
from arrears.recovery.stress import Stress
from arrears.rules import MarketBook

# Months of looks over which a band holds as a whole, and how often a pool may leave it by the forecast's own draws.
WATCHED, FALSE_ALARMS = 60, 0.1


@dataclass(frozen=True)
class Band:
    """A band for cumulative cash that holds over all its months at once.

    Attributes:
        lo, hi: ends (months,), fen; what lies on them is inside.
        sorted: cash of one half of the scenarios by size in each month (S / 2, months).
        exits: month in which each scenario of the other half first leaves the band (S / 2,), 1 the first; 0 for never.
        depths: of each of these the least number of the first half that lie as far out in any month (S / 2,).
    """

    lo: Floats
    hi: Floats
    sorted: Floats
    exits: Ints
    depths: Ints

    @classmethod
    def of(cls, paths: Floats, false_alarms: float = FALSE_ALARMS) -> Band:
        """The narrowest band of equal tails that no more than so many of the scenarios (S, months) ever leave.

        One half of them is the measure, the other half is counted: those that make a band leave it too seldom.
        """
        ordered, counted = np.sort(paths[::2], axis=0), paths[1::2]
        counts = _as_far_out(ordered, counted)
        depths = counts.min(axis=1)
        often = np.cumsum(np.bincount(depths)) / len(counted)
        cut = max(int(np.searchsorted(often, false_alarms, side="right")) - 1, 0)
        outside = (counted < ordered[cut]) | (counted > ordered[-1 - cut])
        exits = np.where(outside.any(axis=1), outside.argmax(axis=1) + 1, 0)
        return cls(ordered[cut], ordered[-1 - cut], ordered, exits, depths)

    def outside(self, actual: Floats) -> npt.NDArray[np.bool_]:
        """In which of the first months (T,) a pool lies outside."""
        months = len(actual)
        left: npt.NDArray[np.bool_] = (actual < self.lo[:months]) | (actual > self.hi[:months])
        return left

    def chance(self, actual: Floats) -> float:
        """How often a pool comes to lie as far out in any month as this one has in its first months (T,)."""
        depth = _as_far_out(self.sorted[:, : len(actual)], actual[None, :]).min()
        return float((1 + (self.depths <= depth).sum()) / (1 + len(self.depths)))


def _as_far_out(ordered: Floats, paths: Floats) -> Ints:
    """How many scenarios lie as low or as high as each path, in each month, whichever are fewer (paths, months)."""
    counts = np.empty(paths.shape, dtype=np.int64)
    for month, (column, here) in enumerate(zip(ordered.T, paths.T, strict=True)):
        low = np.searchsorted(column, here, side="right")
        high = len(column) - np.searchsorted(column, here, side="left")
        counts[:, month] = np.minimum(low, high)
    return counts


@dataclass(frozen=True)
class Pool:
    """What a pool was expected to bring.

    Attributes:
        curve: `month, mean, q05, q25, q50, q75, q95` as a book's.
        band: over the months watched.
    """

    curve: pl.DataFrame
    band: Band


def pools(
    whole: Forecast,
    number: Ints,
    loans: pl.DataFrame,
    *,
    as_of: date,
    market: MarketBook,
    months: int,
    scenarios: int,
    seed: int = 0,
    stress: Stress | None = None,
) -> Iterator[Pool]:
    """Each pool of a book in the order of its number: all under the same common factors, each with its own luck.

    Args:
        whole: forecast of all loans (n).
        number: of the pool of each loan (n,); below 0 of none.
        months: watched so far; a band holds over `WATCHED` of them at least.
        scenarios: in each half of those drawn.
    """
    watched = min(max(months, WATCHED), CURVE)
    params = whole.params
    count = 2 * scenarios
    drawn = factors.draw(count, len(params.odds), params.persistence, seed + 1)
    for pool in range(int(number.max(initial=-1)) + 1):
        rows = np.flatnonzero(number == pool)
        part, book = part_of(whole, rows, loans[rows], as_of=as_of, market=market)
        curve, paths = outlook(
            part,
            book,
            stress=stress or Stress(),
            seed=seed,
            scenarios=count,
            drawn=drawn,
            lot=pool,
        )
        # Cash is whole fen: without this what two sums of the same payments leave over would count as outside.
        yield Pool(curve, Band.of(np.round(paths[:, :watched])))
