"""Prices of limits: the lowest point of the dual, found by cutting planes in a trust region or by Newton's method."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from arrears.plan import kernels, newton
from arrears.plan.choices import Choices, Part
from arrears.plan.kernels import Floats

_MOST_STEPS = 400
_FIRST_REACH, _NEAR_REACH = 0.02, 0.004
# Limits from which the prices are found by Newton's method.
MANY = 16

Progress = Callable[[float, float], None]


class Dual:
    """The dual function over scaled prices, one per finite limit.

    Attributes:
        plans: what plans that are best at some prices are worth, and what they use (m,); each is a cut.
    """

    def __init__(
        self,
        choices: Choices,
        part: Part | None = None,
        plans: Iterable[tuple[float, Floats]] = (),
    ) -> None:
        """Of these choices, or, nearly, of a part of them alone; some plans may be known."""
        self._whole = choices
        self.choices = choices if part is None else part.choices
        self.base = 0.0 if part is None else part.value
        self.loans = len(choices.first) - 1
        upper, lower = np.isfinite(choices.high), np.isfinite(choices.low)
        self.owner = np.concatenate([np.flatnonzero(upper), np.flatnonzero(lower)])
        self.sign = np.concatenate([np.ones(upper.sum()), -np.ones(lower.sum())])
        whole = np.concatenate([choices.high[upper], choices.low[lower]])
        self.limit = np.concatenate([self.choices.high[upper], self.choices.low[lower]])
        self.scale = np.maximum(np.abs(whole), 1.0)
        self.plans = list(plans)

    @property
    def unit(self) -> float:
        """Mean worth of a choice, fen."""
        return float(np.abs(self._whole.value).mean())

    def prices(self, point: Floats) -> Floats:
        """Prices of the capacities (m,) at a point of scaled ones."""
        prices = np.zeros(len(self.choices.low))
        np.add.at(prices, self.owner, self.sign * point / self.scale)
        return prices

    def point(self, prices: Floats) -> Floats:
        """The scaled prices of these prices (m,)."""
        point: Floats = np.maximum(self.sign * prices[self.owner], 0.0) * self.scale
        return point

    def at(self, point: Floats) -> float:
        """The dual value, and a plan more."""
        total: float
        total, used, _ = kernels.best_choices(self.choices.menu, self.prices(point))
        worth: float = total + self._paid(point)
        self.plans.append((worth - float(self._slope(used) @ point), used))
        return worth

    def cut(self, number: int) -> tuple[float, Floats]:
        """The plane below the dual that a known plan makes: its height at no prices, and its slope."""
        worth, used = self.plans[number]
        return worth, self._slope(used)

    def _slope(self, used: Floats) -> Floats:
        slope: Floats = self.sign * (self.limit - used[self.owner]) / self.scale
        return slope

    def soft(self, point: Floats, heat: float) -> tuple[float, Floats, Floats]:
        """Value, slope and curvature of the dual smoothed by `heat`."""
        total, used, curve = kernels.soft_choices(self.choices.menu, self.prices(point), heat)
        weight = self.sign / self.scale
        slope = weight * (self.limit - used[self.owner])
        bend = curve[np.ix_(self.owner, self.owner)] * weight[:, None] * weight
        return total + self._paid(point), slope, bend

    def _paid(self, point: Floats) -> float:
        """What the limits cost at these prices, and the worth of the loans that have no choice."""
        return self.base + float((self.sign * point / self.scale) @ self.limit)


@dataclass(frozen=True)
class Priced:
    """Prices (m,), the bound that they prove, the steps taken, and the loans that they left open, if not all."""

    prices: Floats
    bound: float
    steps: int
    part: Part | None = None


def descended(
    dual: Dual,
    centre: Floats,
    tolerance: float,
    progress: Progress | None = None,
) -> Priced:
    """Prices from a point that is good if it is not zero."""
    size = len(dual.owner)
    if size == 0:
        return Priced(dual.prices(centre), dual.at(centre), 0)
    if size > MANY:
        best, near = dual.at(centre), bool(centre.any())
        point, steps = newton.lowest(
            dual, centre, unit=dual.unit, loans=dual.loans, near=near, progress=progress
        )
        worth = dual.at(point)
        return Priced(dual.prices(point if worth < best else centre), min(worth, best), steps)
    return _by_cuts(dual, centre, tolerance, progress)


def _by_cuts(dual: Dual, centre: Floats, tolerance: float, progress: Progress | None) -> Priced:
    """The lowest point of all cuts within reach is tried, until it promises no more than the best one gives."""
    best, master = dual.at(centre), _Master(len(centre))
    for number in range(len(dual.plans)):
        master.add(dual.cut(number))
    unit = max(abs(best), 1.0)
    reach = (_NEAR_REACH if centre.any() else _FIRST_REACH) * unit
    for step in range(1, _MOST_STEPS):
        point, promised = master.lowest(centre, reach)
        foreseen = best - promised
        inside = bool((np.abs(point - centre) < reach * 0.999).all())
        if foreseen <= tolerance * max(1.0, abs(best)):
            if inside or reach > 100 * unit:
                return Priced(dual.prices(centre), best, step)
            reach *= 8.0
            continue
        worth = dual.at(point)
        master.add(dual.cut(-1))
        got = best - worth
        if got > 0.0:
            centre, best = point, worth
            if got > 0.5 * foreseen and not inside:
                reach *= 2.0
        if got < 0.1 * foreseen:
            reach = max(reach * 0.6, 1e-9 * unit)
        if progress:
            progress(step, _MOST_STEPS)
    return Priced(dual.prices(centre), best, _MOST_STEPS)


class _Master:
    """The linear program over the cuts, grown cut by cut in HiGHS."""

    def __init__(self, size: int) -> None:
        import highspy

        # The public class prints a banner to standard output as it is made; its base does not.
        self._highs = highspy._core._Highs()
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("solver", "simplex")
        self._highs.setOptionValue("presolve", "off")
        self._size = size
        infinite = highspy.kHighsInf
        for _ in range(size):
            self._highs.addCol(0.0, 0.0, infinite, 0, [], [])
        self._highs.addCol(1.0, -infinite, infinite, 0, [], [])
        self._infinite = infinite

    def add(self, cut: tuple[float, Floats]) -> None:
        """The dual lies above this cut."""
        level, slope = cut
        columns = np.arange(self._size + 1, dtype=np.int32)
        row = np.concatenate([-slope, [1.0]])
        self._highs.addRow(level, self._infinite, len(row), columns, row)

    def lowest(self, centre: Floats, reach: float) -> tuple[Floats, float]:
        """Lowest point of the cuts within reach of the centre, and their height there."""
        for column in range(self._size):
            low = max(0.0, centre[column] - reach)
            self._highs.changeColBounds(column, low, centre[column] + reach)
        self._highs.run()
        found = np.array(self._highs.getSolution().col_value)
        return np.maximum(found[:-1], 0.0), float(found[-1])
