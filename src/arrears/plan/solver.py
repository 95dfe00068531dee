"""The best choice for every loan under limits that all share, with a bound on how much better any plan could be.

Lagrangian decomposition: prices of the limits are found by a cutting-plane method in a trust region, one parallel pass
over the loans an iteration; then a plan that keeps every limit is repaired from the choices at those prices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from arrears.plan import kernels
from arrears.plan.choices import Choices, part_near, sampled
from arrears.plan.clash import Infeasible
from arrears.plan.dual import MANY, Dual, Priced, Progress, descended
from arrears.plan.kernels import Floats, Ints
from arrears.plan.repair import broken_limits, mended, repaired

# Looser than this the value is right and the prices are not: one off by half costs a millionth of it.
TOLERANCE = 5e-8
# A plan of a small book is good enough so near its bound; else the best one is looked for.
_CLOSE = 5e-6
EXACT_UP_TO = 4_000
_SAMPLE, _SAMPLE_FROM = 5_000, 20_000
# How many standard errors, at least which share of a price, and at which heat, in mean values of a loan.
_ERRORS, _LEAST_REACH, _SOFT = 2.5, 0.02, 0.02
_PARTS = 3
# A part whose dual value is so near that of the whole, relative, is right.
_RIGHT = 2e-5
# A plan further from its bound than this is tried from all loans, without a sample.
_WIDE = 1e-4


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


def solve(
    choices: Choices,
    *,
    tolerance: float = TOLERANCE,
    exact_up_to: int | None = None,
    near: Floats | None = None,
    progress: Progress | None = None,
) -> Solution | Infeasible:
    """The best plan, or the limits that cannot be kept.

    Args:
        near: prices (m,) of choices much like these, if they are known.
        tolerance: of the prices' dual value, relative.
        exact_up_to: so many choices are few enough to look for the best plan of all; `EXACT_UP_TO` unless told.
        progress: told how far the prices are.
    """
    if len(choices.first) == 1:
        nothing = np.zeros(len(choices.low))
        return Solution(np.zeros(0, dtype=np.int64), 0.0, 0.0, 0.0, nothing, nothing, 0)
    hopeless = floor_out_of_reach(choices)
    if hopeless is not None:
        return hopeless
    found = _prices(choices, tolerance, progress, near)
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


def can_be_kept(choices: Choices, prices: Floats, *, exact_up_to: int) -> bool:
    """Whether a plan is found that keeps every limit; near these prices (m,) one is quickly found."""
    if floor_out_of_reach(choices) is not None:
        return False
    if not broken_limits(choices, mended(choices, prices)[1]).any():
        return True
    return not isinstance(solve(choices, exact_up_to=exact_up_to), Infeasible)


def floor_out_of_reach(choices: Choices) -> Infeasible | None:
    """A floor that no plan reaches even if all other limits are dropped."""
    for number in np.flatnonzero(np.isfinite(choices.low)):
        most = _extreme(choices, int(number), -1.0)
        if most < choices.low[number] * (1 - 1e-12):
            return Infeasible(int(number), float(choices.low[number]), most, True, alone=True)
    return None


def _limit_out_of_reach(choices: Choices) -> Infeasible | None:
    """A limit that every plan breaks even if all others are dropped."""
    for number in np.flatnonzero(np.isfinite(choices.high)):
        least = _extreme(choices, int(number), 1.0)
        if least > choices.high[number] * (1 + 1e-12) + 1e-9:
            return Infeasible(int(number), float(choices.high[number]), least, True, alone=True)
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


def _prices(
    choices: Choices, tolerance: float, progress: Progress | None, near: Floats | None = None
) -> Priced:
    """Prices of a small book from nothing; of a large one from those of a sample, over the loans near a choice.

    The part is right where the prices stay in reach. Whether they did shows in the dual value of the whole, which is
    never below that of the part; else the part is taken anew around them, and after
    a few attempts the whole is. Newton's method alone gets there sooner from prices that are known to be near.
    """
    if len(choices.first) - 1 < _SAMPLE_FROM:
        return _from_nothing(choices, tolerance, progress)
    few = sampled(choices, _SAMPLE)
    whole = Dual(choices)
    known = near if len(whole.owner) > MANY else None
    guess = _prices(few, tolerance, None).prices if known is None else known
    reach = _reach(few, guess)
    best, steps = Priced(guess, np.inf, 0), 0
    for _ in range(_PARTS):
        part = part_near(choices, guess, reach)
        dual = Dual(choices, part)
        found = descended(dual, dual.point(guess), tolerance, progress)
        steps += found.steps
        bound = whole.at(whole.point(found.prices))
        if bound < best.bound:
            best = Priced(found.prices, bound, steps, part)
        if bound - found.bound <= _RIGHT * max(1.0, abs(bound)):
            return replace(best, steps=steps)
        reach = 2.0 * np.maximum(reach, np.abs(found.prices - guess))
        guess = found.prices
    found = _from_nothing(choices, tolerance, progress)
    return replace(found, steps=steps + found.steps)


def _from_nothing(choices: Choices, tolerance: float, progress: Progress | None) -> Priced:
    dual = Dual(choices)
    return descended(dual, np.zeros(len(dual.owner)), tolerance, progress)


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


def _kept(
    choices: Choices, found: Priced
) -> tuple[Ints, Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """A repaired plan, what it uses, and the limits that it breaks; over the open loans if they suffice."""
    if found.part is not None:
        chosen = found.part.whole(repaired(found.part.choices, found.prices)[0])
        used = choices.used(chosen)
        broken = broken_limits(choices, used)
        if not broken.any():
            return chosen, used, broken
    chosen, used = repaired(choices, found.prices)
    return chosen, used, broken_limits(choices, used)


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
    return None if broken_limits(choices, choices.used(chosen)).any() else chosen
