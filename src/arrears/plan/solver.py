"""The best choice for every loan under limits that all share, with a bound on how much better any plan could be.

Lagrangian decomposition: prices of the limits are found by a cutting-plane method in a trust region, one parallel pass
over the loans an iteration; then a plan that keeps every limit is repaired from the choices at those prices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from arrears.plan import kernels, newton
from arrears.plan.choices import Choices, Part, part_near, sampled
from arrears.plan.kernels import Floats, Ints

_MOST_STEPS = 400
# Looser than this the value is right and the prices are not: one off by half costs a millionth of it.
_TOLERANCE = 5e-8
# A plan of a small book is good enough so near its bound; else the best one is looked for.
_CLOSE = 5e-6
EXACT_UP_TO = 4_000
_ROUNDS = 12
_SAMPLE, _SAMPLE_FROM = 5_000, 20_000
_FIRST_REACH, _NEAR_REACH = 0.02, 0.004
# How many standard errors, at least which share of a price, and at which heat, in mean values of a loan.
_ERRORS, _LEAST_REACH, _SOFT = 2.5, 0.02, 0.02
_PARTS = 3
# A part whose dual value is so near that of the whole, relative, is right.
_RIGHT = 2e-5
# A plan further from its bound than this is tried from all loans, without a sample.
_WIDE = 1e-4
# Limits from which the prices are found by Newton's method.
_MANY = 16


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
    exact_up_to: int | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Solution | Infeasible:
    """The best plan, or the limits that cannot be kept.

    Args:
        tolerance: of the prices' dual value, relative.
        exact_up_to: so many choices are few enough to look for the best plan of all; `EXACT_UP_TO` unless told.
        progress: told how far the prices are.
    """
    if len(choices.first) == 1:
        nothing = np.zeros(len(choices.low))
        return Solution(np.zeros(0, dtype=np.int64), 0.0, 0.0, 0.0, nothing, nothing, 0)
    hopeless = _floor_out_of_reach(choices)
    if hopeless is not None:
        return hopeless
    found = _prices(choices, tolerance, progress)
    chosen, used, broken = _kept(choices, found)
    if found.part is not None and (
        broken.any() or found.bound - choices.value[chosen].sum() > _WIDE * abs(found.bound)
    ):
        again = _from_nothing(choices, tolerance, progress)
        if again.bound < found.bound or broken.any():
            found = again
            chosen, used, broken = _kept(choices, found)
    prices, bound = found.prices, found.bound
    small = len(choices.value) <= (EXACT_UP_TO if exact_up_to is None else exact_up_to)
    value = float(choices.value[chosen].sum()) if not broken.any() else -np.inf
    hopeless = _limit_out_of_reach(choices) if broken.any() else None
    if hopeless is not None:
        return hopeless
    if small and (broken.any() or bound - value > _CLOSE * max(1.0, abs(bound))):
        exact = _exact(choices)
        if exact is None:
            return _worst(choices, used, proven=True)
        chosen, used, value = exact, choices.used(exact), float(choices.value[exact].sum())
        bound = max(value, min(bound, value + 1e-9 * max(1.0, abs(value))))
    elif broken.any():
        return _worst(choices, used, proven=False)
    gap = max(bound - value, 0.0) / max(1.0, abs(bound))
    return Solution(chosen, value, max(bound, value), gap, prices, used, found.steps)


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
    unit = np.zeros(len(choices.low))
    unit[number] = price
    nothing = np.zeros(len(choices.value))
    used = kernels.best_choices(choices.menu._replace(value=nothing), unit)[1]
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


def bound_of(choices: Choices) -> tuple[float, Floats]:
    """No plan is worth more; and what the choices at the prices that prove it use (m,)."""
    if len(choices.first) == 1:
        return 0.0, np.zeros(len(choices.low))
    found = _prices(choices, _TOLERANCE, None)
    used = kernels.best_choices(choices.menu, found.prices)[1]
    return found.bound, used


class _Dual:
    """The dual function over scaled prices, one per finite limit; its lowest value and its cuts so far."""

    def __init__(self, choices: Choices, part: Part | None = None) -> None:
        """Of these choices, or, nearly, of a part of them alone."""
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
        self.cuts: list[tuple[float, Floats]] = []

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
        """The dual value, and a cut more."""
        total: float
        total, used, _ = kernels.best_choices(self.choices.menu, self.prices(point))
        slope = self.sign * (self.limit - used[self.owner]) / self.scale
        worth: float = total + self._paid(point)
        self.cuts.append((worth - float(slope @ point), slope))
        return worth

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
class _Priced:
    """Prices (m,), the bound that they prove, the steps taken, and the loans that they left open, if not all."""

    prices: Floats
    bound: float
    steps: int
    part: Part | None = None


def _prices(
    choices: Choices, tolerance: float, progress: Callable[[float, float], None] | None
) -> _Priced:
    """Prices of a small book from nothing; of a large one from those of a sample, over the loans near a choice.

    The part is right where the prices stay in reach. Whether they did shows in the dual value of the whole, which is
    never below that of the part; else the part is taken anew around them, and after
    a few attempts the whole is.
    """
    if len(choices.first) - 1 < _SAMPLE_FROM:
        return _from_nothing(choices, tolerance, progress)
    few = sampled(choices, _SAMPLE)[0]
    guess = _prices(few, tolerance, None).prices
    reach = _reach(few, guess)
    whole = _Dual(choices)
    best, steps = _Priced(guess, np.inf, 0), 0
    for _ in range(_PARTS):
        part = part_near(choices, guess, reach)
        dual = _Dual(choices, part)
        found = _descended(dual, dual.point(guess), tolerance, progress)
        steps += found.steps
        bound = whole.at(whole.point(found.prices))
        if bound < best.bound:
            best = _Priced(found.prices, bound, steps, part)
        if bound - found.bound <= _RIGHT * max(1.0, abs(bound)):
            return replace(best, steps=steps)
        reach = 2.0 * np.maximum(reach, np.abs(found.prices - guess))
        guess = found.prices
    found = _from_nothing(choices, tolerance, progress)
    return replace(found, steps=steps + found.steps)


def _from_nothing(
    choices: Choices, tolerance: float, progress: Callable[[float, float], None] | None
) -> _Priced:
    dual = _Dual(choices)
    return _descended(dual, np.zeros(len(dual.owner)), tolerance, progress)


def _reach(few: Choices, prices: Floats) -> Floats:
    """How far (m,) the prices of the whole may lie from those of a sample, generously.

    What a limit's loans use is uncertain by the root of the sum of their squares, as counts are; how fast it answers
    to the price says what that is in prices.
    """
    c, heat = few, _SOFT * float(np.abs(few.value).mean())
    chosen = kernels.best_choices(c.menu, prices)[2]
    noise = np.sqrt(replace(c, amount=c.amount**2).used(chosen))
    curve = kernels.soft_choices(c.menu, prices, heat)[2]
    reach: Floats = _ERRORS * noise / np.maximum(np.diag(curve), 1e-300)
    return np.maximum(reach, _LEAST_REACH * np.abs(prices))


def _descended(
    dual: _Dual,
    centre: Floats,
    tolerance: float,
    progress: Callable[[float, float], None] | None,
) -> _Priced:
    """Prices from a point that is good if it is not zero."""
    best, near = dual.at(centre), bool(centre.any())
    size = len(dual.owner)
    if size == 0:
        return _Priced(dual.prices(centre), best, 0)
    if size > _MANY:
        point, steps = newton.lowest(
            dual, centre, unit=dual.unit, loans=dual.loans, near=near, progress=progress
        )
        worth = dual.at(point)
        return _Priced(dual.prices(point if worth < best else centre), min(worth, best), steps)
    master = _Master(size)
    master.add(dual.cuts[-1])
    unit = max(abs(best), 1.0)
    reach = (_NEAR_REACH if near else _FIRST_REACH) * unit
    for step in range(1, _MOST_STEPS):
        point, promised = master.lowest(centre, reach)
        foreseen = best - promised
        inside = bool((np.abs(point - centre) < reach * 0.999).all())
        if foreseen <= tolerance * max(1.0, abs(best)):
            if inside or reach > 100 * unit:
                return _Priced(dual.prices(centre), best, step)
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
    return _Priced(dual.prices(centre), best, _MOST_STEPS)


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


def _kept(
    choices: Choices, found: _Priced
) -> tuple[Ints, Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """A repaired plan, what it uses, and the limits that it breaks; over the open loans if they suffice."""
    if found.part is not None:
        chosen = found.part.whole(_repair(found.part.choices, found.prices)[0])
        used = choices.used(chosen)
        broken = _broken(choices, used)
        if not broken.any():
            return chosen, used, broken
    chosen, used = _repair(choices, found.prices)
    return chosen, used, _broken(choices, used)


def _repair(choices: Choices, prices: Floats) -> tuple[Ints, Floats]:
    """A plan near the choices at these prices that keeps every limit, if one is found."""
    c = choices
    chosen = kernels.best_choices(c.menu, prices)[2]
    used = c.used(chosen)
    users: _Users | None = None
    for _ in range(_ROUNDS):
        broken = np.flatnonzero(_broken(c, used))
        if len(broken) == 0:
            break
        users = users or _Users(c)
        for tight in broken:
            sign = 1.0 if used[tight] > c.high[tight] else -1.0
            among = users.of(int(tight))
            cost = kernels.relief(among, c.menu, prices, chosen, int(tight), sign)
            order = np.argsort(cost, kind="stable")
            order = among[order[np.isfinite(cost[order])]]
            kernels.mend(order, c.menu, prices, chosen, used, c.low, c.high, int(tight), sign)
    for _ in range(_ROUNDS):
        rank = kernels.gains(c.menu, prices, chosen)
        order = np.argsort(-rank, kind="stable")
        order = order[np.isfinite(rank[order])]
        if not kernels.improve(order, c.menu, prices, chosen, used, c.low, c.high):
            break
    return chosen, c.used(chosen)


class _Users:
    """The loans that may use each capacity."""

    def __init__(self, choices: Choices) -> None:
        owner = np.repeat(np.arange(len(choices.first) - 1), np.diff(choices.start[choices.first]))
        order = np.argsort(choices.cap, kind="stable")
        self._loans = owner[order]
        self._first = np.searchsorted(choices.cap[order], np.arange(len(choices.low) + 1))

    def of(self, number: int) -> Ints:
        """Those of one capacity, sorted."""
        loans = self._loans[self._first[number] : self._first[number + 1]]
        fresh = np.ones(len(loans), dtype=np.bool_)
        fresh[1:] = loans[1:] != loans[:-1]
        return loans[fresh]


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
