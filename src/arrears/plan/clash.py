"""Limits that contradict each other: which of them no plan keeps beside the others, and how near one can come."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from arrears.plan.choices import Choices
from arrears.plan.dual import Dual, descended

_TOLERANCE = 5e-8
# Less than this share of what is asked for is rounding.
_NOTHING = 1e-6


@dataclass(frozen=True)
class Infeasible:
    """A limit that no plan found keeps: capacity number, what would be needed, and the nearest reached.

    Attributes:
        proven: no plan at all can keep it beside the others, not only none that was found.
        alone: nor could one if all other limits were dropped.
        against: what stands against it, by capacity number: ceilings (True) and floors.
    """

    capacity: int
    needed: float
    reached: float
    proven: bool
    alone: bool = False
    against: tuple[tuple[int, bool], ...] = ()


def clash_of(choices: Choices) -> Infeasible | None:
    """The first floor, else ceiling, that no plan keeps beside the others; None where none can be shown to be one."""
    sides = [(number, -1.0) for number in np.flatnonzero(np.isfinite(choices.low)).tolist()]
    sides += [(number, 1.0) for number in np.flatnonzero(np.isfinite(choices.high)).tolist()]
    return next(filter(None, (_beside(choices, number, sign) for number, sign in sides)), None)


def _beside(choices: Choices, number: int, sign: float) -> Infeasible | None:
    """A floor (sign -1) against the most that the others leave of it, or a ceiling (1) against the least."""
    low, high = choices.low.copy(), choices.high.copy()
    side = high if sign > 0.0 else low
    needed, side[number] = float(side[number]), sign * np.inf
    worth = -sign * choices.uses_of(number)
    dual = Dual(replace(choices, value=worth, low=low, high=high))
    found = descended(dual, np.zeros(len(dual.owner)), _TOLERANCE)
    # Where the others contradict each other, the bound lies below the worst plan.
    worst = float(np.minimum.reduceat(worth, choices.first[:-1]).sum())
    room = _NOTHING * max(1.0, abs(needed))
    reached = -sign * found.bound
    if found.bound < worst - room or sign * (reached - needed) <= room:
        return None
    weight = np.zeros(len(low))
    np.maximum.at(weight, dual.owner, dual.scale)
    np.maximum.at(weight, choices.cap, np.abs(choices.amount))
    presses = np.flatnonzero(np.abs(found.prices) * weight > room)
    against = tuple((number, bool(found.prices[number] > 0.0)) for number in presses.tolist())
    return Infeasible(number, needed, reached, proven=True, against=against)
