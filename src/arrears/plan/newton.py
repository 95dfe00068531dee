"""Prices of many limits at once: Newton's method on a smoothed dual, cooled until it is nearly the true one.

With hundreds of limits a cutting-plane model needs hundreds of cuts before it bounds anything. Each loan split over its
choices by a softmax makes the dual smooth and its curvature cheap: a loan touches few limits (entropy smoothing,
Nesterov 2005; projected Newton, Bertsekas 1982).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from arrears.plan.kernels import Floats, solved

# Heat of the first and the last pass, in mean values of a loan.
_HOT, _WARM, _COOL, _FALL = 0.3, 5e-3, 1e-3, 4.0
_STEPS = 8
_RIDGE = 1e-9
# A pass is over when a step gains less than this share of what its heat is worth.
_SETTLED = 1e-3


class Smooth(Protocol):
    """A dual over prices of at least zero, smoothed by a heat."""

    def soft(self, point: Floats, heat: float) -> tuple[float, Floats, Floats]:
        """Value, slope (k,) and curvature (k, k)."""


def lowest(
    dual: Smooth,
    point: Floats,
    *,
    unit: float,
    loans: int,
    near: bool,
    progress: Callable[[float, float], None] | None,
) -> tuple[Floats, int]:
    """A point (k,) near the lowest of the dual, and the steps taken.

    Args:
        unit: mean value of a loan, fen.
        loans: how many.
        near: `point` is a good guess, so that less heat is needed to leave it.
    """
    hot, steps = (_WARM if near else _HOT), 0
    heat, passes = hot * unit, int(np.ceil(np.log(hot / _COOL) / np.log(_FALL)))
    for number in range(passes + 1):
        known = dual.soft(point, heat)
        for _ in range(_STEPS):
            steps += 1
            enough = _SETTLED * heat * loans
            point, known, settled = _step(dual, point, heat, known=known, settled=enough)
            if settled:
                break
        heat = max(heat / _FALL, _COOL * unit)
        if progress:
            progress(number + 1, passes + 1)
    return point, steps


Known = tuple[float, Floats, Floats]


def _step(
    dual: Smooth, point: Floats, heat: float, *, known: Known, settled: float
) -> tuple[Floats, Known, bool]:
    """One projected Newton step, shortened until it gains; what is known there, and whether no more is to be had."""
    worth, slope, curve = known
    free = (point > 0.0) | (slope < 0.0)
    if not free.any():
        return point, known, True
    inner = curve[np.ix_(free, free)]
    ridge = _RIDGE * max(float(np.trace(inner)) / len(inner), 1e-300)
    way = np.zeros(len(point))
    way[free] = -solved(inner + ridge * np.eye(len(inner)), slope[free])
    length = 1.0
    while length > 1e-3:
        trial = np.maximum(point + length * way, 0.0)
        foreseen = float(slope @ (trial - point))
        found = dual.soft(trial, heat)
        if found[0] <= worth + 1e-4 * foreseen:
            return trial, found, worth - found[0] <= settled
        length *= 0.5
    return point, known, True
