"""The best choice for every loan under limits that all share, with a bound on how much better any plan could be.

Lagrangian decomposition: prices of the limits are found by a cutting-plane method in a trust region, one parallel pass
over the loans an iteration; then a plan that keeps every limit is repaired from the choices at those prices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from arrears.plan import kernels, newton
from arrears.plan.kernels import Floats, Ints, Shorts

_MOST_STEPS = 400
_TOLERANCE = 5e-6
_EXACT_UP_TO = 4_000
_ROUNDS = 12
_SAMPLE, _SAMPLE_FROM = 5_000, 20_000
_FIRST_REACH = 0.02
# Limits from which the prices are found by Newton's method.
_MANY = 16


@dataclass(frozen=True)
class Choices:
    """What each of n loans may choose (c choices in all), and the limits (m) on what the choices use.

    Attributes:
        first: (n + 1,) where the choices of each loan begin; each has at least one.
        value: (c,) what a choice is worth.
        start: (c + 1,) where the uses of each choice begin.
        cap, amount: (u,) which capacity a use is of, and how much.
        low, high: (m,) limits; -inf and inf where there is none.
    """

    first: Ints
    value: Floats
    start: Ints
    cap: Shorts
    amount: Floats
    low: Floats
    high: Floats

    def used(self, chosen: Ints) -> Floats:
        """What these choices use (m,)."""
        used = np.zeros(len(self.low))
        _, uses = _ranges(self.start, chosen)
        np.add.at(used, self.cap[uses], self.amount[uses])
        return used


@dataclass(frozen=True)
class Solution:
    """A plan that keeps every limit.

    Attributes:
        chosen: (n,) number of each loan's choice.
        bound: no plan is worth more.
        gap: (bound - value) / max(1, |bound|).
        prices: (m,) what one more unit of a limit adds: positive for `high`, negative for `low`.
    """

    chosen: Ints
    value: float
    bound: float
    gap: float
    prices: Floats
    used: Floats
    steps: int


@dataclass(frozen=True)
class Infeasible:
    """Limits that no plan found keeps: capacity number, what would be needed, and the nearest reached.

    Attributes:
        proven: no plan at all can keep it, not only none that was found.
    """

    capacity: int
    needed: float
    reached: float
    proven: bool


def solve(
    choices: Choices,
    *,
    tolerance: float = _TOLERANCE,
    progress: Callable[[float, float], None] | None = None,
) -> Solution | Infeasible:
    """The best plan, or the limits that cannot be kept.

    Args:
        tolerance: of the prices' dual value, relative.
        progress: told how far the prices are.
    """
    if len(choices.first) == 1:
        nothing = np.zeros(len(choices.low))
        return Solution(np.zeros(0, dtype=np.int64), 0.0, 0.0, 0.0, nothing, nothing, 0)
    hopeless = _floor_out_of_reach(choices)
    if hopeless is not None:
        return hopeless
    prices, bound, steps = _prices(choices, tolerance, progress)
    chosen, used = _repair(choices, prices)
    broken = _broken(choices, used)
    small = len(choices.value) <= _EXACT_UP_TO
    value = float(choices.value[chosen].sum()) if not broken.any() else -np.inf
    hopeless = _limit_out_of_reach(choices) if broken.any() else None
    if hopeless is not None:
        return hopeless
    if small and (broken.any() or bound - value > tolerance * max(1.0, abs(bound))):
        exact = _exact(choices)
        if exact is None:
            return _worst(choices, used, proven=True)
        chosen, used, value = exact, choices.used(exact), float(choices.value[exact].sum())
        bound = max(value, min(bound, value + 1e-9 * max(1.0, abs(value))))
    elif broken.any():
        return _worst(choices, used, proven=False)
    gap = max(bound - value, 0.0) / max(1.0, abs(bound))
    return Solution(chosen, value, max(bound, value), gap, prices, used, steps)


def _floor_out_of_reach(choices: Choices) -> Infeasible | None:
    """A floor that no plan reaches even if all other limits are dropped."""
    for number in np.flatnonzero(np.isfinite(choices.low)):
        most = _extreme(choices, int(number), -1.0)
        if most < choices.low[number] * (1 - 1e-12):
            return Infeasible(int(number), float(choices.low[number]), most, True)
    return None


def _limit_out_of_reach(choices: Choices) -> Infeasible | None:
    """A limit that every plan breaks even if all others are dropped."""
    for number in np.flatnonzero(np.isfinite(choices.high)):
        least = _extreme(choices, int(number), 1.0)
        if least > choices.high[number] * (1 + 1e-12) + 1e-9:
            return Infeasible(int(number), float(choices.high[number]), least, True)
    return None


def _extreme(choices: Choices, number: int, price: float) -> float:
    """The least (price 1) or most (price -1) that a plan may use of one capacity."""
    c, unit = choices, np.zeros(len(choices.low))
    unit[number] = price
    nothing = np.zeros(len(c.value))
    used = kernels.best_choices(c.first, nothing, c.start, c.cap, c.amount, unit)[1]
    return float(used[number])


def _worst(choices: Choices, used: Floats, *, proven: bool) -> Infeasible:
    over = np.maximum(used - choices.high, choices.low - used)
    number = int(np.argmax(over / np.maximum(1.0, np.abs(used))))
    low = choices.low[number] > used[number]
    needed = choices.low[number] if low else choices.high[number]
    return Infeasible(number, float(needed), float(used[number]), proven)


def _broken(choices: Choices, used: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    slack = 1e-9 * np.maximum(1.0, np.abs(used))
    return np.asarray((used > choices.high + slack) | (used < choices.low - slack))


def sampled(choices: Choices, most: int) -> tuple[Choices, Ints]:
    """At most so many of the loans, evenly, with their share of the limits, and which choices they are.

    Its prices are nearly those of the whole.
    """
    count = len(choices.first) - 1
    loans = np.arange(0, count, max(-(-count // most), 1))
    share = len(loans) / max(count, 1)
    first, picked = _ranges(choices.first, loans)
    start, uses = _ranges(choices.start, picked)
    return Choices(
        first=first,
        value=choices.value[picked],
        start=start,
        cap=choices.cap[uses],
        amount=choices.amount[uses],
        low=choices.low * share,
        high=choices.high * share,
    ), picked


def restricted(choices: Choices, keep: npt.NDArray[np.bool_]) -> Choices:
    """The choices that are kept; each loan keeps one at least."""
    counts = np.add.reduceat(keep.astype(np.int64), choices.first[:-1])
    start, uses = _ranges(choices.start, np.flatnonzero(keep))
    return replace(
        choices,
        first=np.concatenate([[0], np.cumsum(counts)]),
        value=choices.value[keep],
        start=start,
        cap=choices.cap[uses],
        amount=choices.amount[uses],
    )


def bound_of(choices: Choices) -> tuple[float, Floats]:
    """No plan is worth more; and what the choices at the prices that prove it use (m,)."""
    if len(choices.first) == 1:
        return 0.0, np.zeros(len(choices.low))
    prices, bound, _ = _prices(choices, _TOLERANCE, None)
    c = choices
    used = kernels.best_choices(c.first, c.value, c.start, c.cap, c.amount, prices)[1]
    return bound, used


def _ranges(begins: Ints, which: Ints) -> tuple[Ints, Ints]:
    """Where the ranges of `which` begin when laid end to end, and the numbers in them."""
    counts = begins[which + 1] - begins[which]
    ends = np.concatenate([[0], np.cumsum(counts)])
    numbers: Ints = np.arange(ends[-1]) + np.repeat(begins[which] - ends[:-1], counts)
    return ends, numbers


class _Dual:
    """The dual function over scaled prices, one per finite limit; its lowest value and its cuts so far."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        upper, lower = np.isfinite(choices.high), np.isfinite(choices.low)
        self.owner = np.concatenate([np.flatnonzero(upper), np.flatnonzero(lower)])
        self.sign = np.concatenate([np.ones(upper.sum()), -np.ones(lower.sum())])
        self.limit = np.concatenate([choices.high[upper], choices.low[lower]])
        self.scale = np.maximum(np.abs(self.limit), 1.0)
        self.cuts: list[tuple[float, Floats]] = []

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
        """The dual value, and a cut more."""
        prices, c = self.prices(point), self.choices
        total: float
        total, used, _ = kernels.best_choices(c.first, c.value, c.start, c.cap, c.amount, prices)
        slope = self.sign * (self.limit - used[self.owner]) / self.scale
        worth: float = total + float((self.sign * point / self.scale) @ self.limit)
        self.cuts.append((worth - float(slope @ point), slope))
        return worth

    def soft(self, point: Floats, heat: float) -> tuple[float, Floats, Floats]:
        """Value, slope and curvature of the dual smoothed by `heat`."""
        total, used, curve = self._soft(point, heat, True)
        weight = self.sign / self.scale
        slope = weight * (self.limit - used[self.owner])
        bend = curve[np.ix_(self.owner, self.owner)] * weight[:, None] * weight
        return total + float((weight * point) @ self.limit), slope, bend

    def soft_value(self, point: Floats, heat: float) -> float:
        """Value of the dual smoothed by `heat`."""
        total = self._soft(point, heat, False)[0]
        return total + float((self.sign * point / self.scale) @ self.limit)

    def _soft(self, point: Floats, heat: float, bend: bool) -> tuple[float, Floats, Floats]:
        c = self.choices
        found: tuple[float, Floats, Floats] = kernels.soft_choices(
            c.first, c.value, c.start, c.cap, c.amount, self.prices(point), heat, bend
        )
        return found


def _prices(
    choices: Choices, tolerance: float, progress: Callable[[float, float], None] | None
) -> tuple[Floats, float, int]:
    """Prices (m,), the bound that they prove, and the steps taken."""
    dual = _Dual(choices)
    size = len(dual.owner)
    centre, share = _guess(dual, tolerance)
    best = dual.at(centre)
    if size == 0:
        return dual.prices(centre), best, 0
    if size > _MANY:
        return _prices_of_many(dual, centre, best, progress)
    master = _Master(size)
    master.add(dual.cuts[-1])
    unit = max(abs(best), 1.0)
    reach = share * unit
    for step in range(1, _MOST_STEPS):
        point, promised = master.lowest(centre, reach)
        foreseen = best - promised
        inside = bool((np.abs(point - centre) < reach * 0.999).all())
        if foreseen <= tolerance * max(1.0, abs(best)):
            if inside or reach > 100 * unit:
                return dual.prices(centre), best, step
            reach *= 8.0
            continue
        worth = dual.at(point)
        master.add(dual.cuts[-1])
        got = best - worth
        if got > 0.0:
            centre, best = point, worth
            if got > 0.5 * foreseen and not inside:
                reach *= 2.0
        if got < 0.1 * foreseen:
            reach = max(reach * 0.6, 1e-9 * unit)
        if progress:
            progress(step, _MOST_STEPS)
    return dual.prices(centre), best, _MOST_STEPS


def _guess(dual: _Dual, tolerance: float) -> tuple[Floats, float]:
    """Where to begin, and how far to look at first: a large book begins at the prices of a sample of it."""
    if len(dual.choices.first) <= _SAMPLE_FROM:
        return np.zeros(len(dual.owner)), _FIRST_REACH
    guess, _, _ = _prices(sampled(dual.choices, _SAMPLE)[0], tolerance, None)
    return dual.point(guess), _FIRST_REACH / 5


def _prices_of_many(
    dual: _Dual, centre: Floats, best: float, progress: Callable[[float, float], None] | None
) -> tuple[Floats, float, int]:
    """As `_prices`, by Newton's method from `centre`, where the dual is `best`."""
    unit = float(np.abs(dual.choices.value).mean())
    near = bool(centre.any())
    point, steps = newton.lowest(dual, centre, unit=unit, near=near, progress=progress)
    worth = dual.at(point)
    return dual.prices(point if worth < best else centre), min(worth, best), steps


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


def _repair(choices: Choices, prices: Floats) -> tuple[Ints, Floats]:
    """A plan near the choices at these prices that keeps every limit, if one is found."""
    c = choices
    data = (c.first, c.value, c.start, c.cap, c.amount)
    chosen = kernels.best_choices(*data, prices)[2]
    used = c.used(chosen)
    for _ in range(_ROUNDS):
        broken = np.flatnonzero(_broken(c, used))
        if len(broken) == 0:
            break
        for tight in broken:
            sign = 1.0 if used[tight] > c.high[tight] else -1.0
            cost = kernels.relief(*data, prices, chosen, int(tight), sign)
            order = np.argsort(cost, kind="stable")
            order = order[np.isfinite(cost[order])]
            kernels.mend(order, *data, prices, chosen, used, c.low, c.high, int(tight), sign)
    for _ in range(_ROUNDS):
        rank = kernels.gains(*data, prices, chosen)
        order = np.argsort(-rank, kind="stable")
        order = order[np.isfinite(rank[order])]
        if not kernels.improve(order, *data, prices, chosen, used, c.low, c.high):
            break
    return chosen, c.used(chosen)


def _exact(choices: Choices) -> Ints | None:
    """The best plan of a small book by HiGHS's branch and bound; None where there is none."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, vstack

    count, caps = len(choices.value), len(choices.low)
    loans = np.repeat(np.arange(len(choices.first) - 1), np.diff(choices.first))
    one = csr_array((np.ones(count), (loans, np.arange(count))))
    owner = np.repeat(np.arange(count), np.diff(choices.start))
    uses = csr_array((choices.amount, (choices.cap, owner)), shape=(caps, count))
    ones = np.ones(len(choices.first) - 1)
    found = milp(
        -choices.value,
        integrality=np.ones(count, dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(
            vstack([one, uses]),
            np.concatenate([ones, choices.low]),
            np.concatenate([ones, choices.high]),
        ),
        options={"mip_rel_gap": 0.0},
    )
    if found.x is None:
        return None
    picked = np.flatnonzero(found.x > 0.5)
    chosen: Ints = picked[np.argsort(loans[picked], kind="stable")]
    return None if _broken(choices, choices.used(chosen)).any() else chosen
