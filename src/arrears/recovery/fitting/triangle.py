"""Static pools: collection triangles, chain ladder with Mack's standard error, a tail by a power law (METHODS 1.4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arrears.recovery.params import Floats

# No tail is fitted on fewer months of development, and none is taken as steeper or flatter than these.
_MONTHS_FOR_A_TAIL = 4
_STEEPEST, _FLATTEST = 4.0, 1.01


@dataclass(frozen=True)
class Ladder:
    """What a triangle of cumulative cash says of what is still to come.

    Attributes:
        factors: (J-1,) development factors f_j; 1 where no pool shows one.
        sigma2: (J-1,) Mack's variances.
        full: (I, J) cumulative cash, seen cells as they are, the rest estimated.
        latest: (I,) cash so far.
        ultimate: (I,) cash at the end of the tail.
        reserve: (I,) still to come within the triangle's months.
        se: (I,) Mack's standard error of it.
        total_se: of the sum of reserves.
        tail: (I,) still to come after them, by the power law.
    """

    factors: Floats
    sigma2: Floats
    full: Floats
    latest: Floats
    ultimate: Floats
    reserve: Floats
    se: Floats
    total_se: float
    tail: Floats


def chain_ladder(triangle: Floats, *, tail_to: int = 0) -> Ladder:
    """Chain ladder of a cumulative triangle (Mack 1993).

    Args:
        triangle: (I, J), cumulative cash of pool i by month of development; NaN where not seen yet. Each row is
            seen from its first column to its last seen one.
        tail_to: month up to which the power law goes on; none where it is not past J.
    """
    pools, months = triangle.shape
    seen = ~np.isnan(triangle)
    last = seen.sum(axis=1) - 1
    cash = np.where(seen, triangle, 0.0)
    factors, sigma2 = _factors(cash, seen)
    full = cash.copy()
    for month in range(1, months):
        ahead = ~seen[:, month] & (last >= 0)
        full[ahead, month] = full[ahead, month - 1] * factors[month - 1]
    rows = np.arange(pools)
    latest = np.where(last >= 0, cash[rows, np.maximum(last, 0)], 0.0)
    reserve = full[:, -1] - latest
    se, total = _mack(full, seen, last, factors=factors, sigma2=sigma2)
    tail = full[:, -1] * _tail_share(full, seen, tail_to)
    return Ladder(factors, sigma2, full, latest, full[:, -1] + tail, reserve, se, total, tail)


def _factors(cash: Floats, seen: np.ndarray) -> tuple[Floats, Floats]:
    months = cash.shape[1]
    factors, sigma2 = np.ones(max(months - 1, 0)), np.zeros(max(months - 1, 0))
    for month in range(months - 1):
        both = seen[:, month + 1]
        before, after = cash[both, month], cash[both, month + 1]
        if before.sum() > 0.0:
            factors[month] = after.sum() / before.sum()
        some = before > 0.0
        if some.sum() > 1:
            spread = before[some] * (after[some] / before[some] - factors[month]) ** 2
            sigma2[month] = spread.sum() / (some.sum() - 1)
        elif month >= 2 and sigma2[month - 2] > 0.0:
            one, two = sigma2[month - 1], sigma2[month - 2]
            sigma2[month] = min(one**2 / two, two, one)
        elif month:
            sigma2[month] = sigma2[month - 1]
    return factors, sigma2


def _mack(
    full: Floats, seen: np.ndarray, last: np.ndarray, *, factors: Floats, sigma2: Floats
) -> tuple[Floats, float]:
    """Standard errors of the reserves (I,), and of their sum with the covariances that the shared factors bring."""
    pools, months = full.shape
    below = np.array([np.where(seen[:, k + 1], full[:, k], 0.0).sum() for k in range(months - 1)])
    ends = full[:, -1]
    square = np.zeros(pools)
    total = 0.0
    for pool in range(pools):
        steps = np.arange(max(last[pool], 0), months - 1)
        steps = steps[below[steps] > 0.0]
        scale = sigma2[steps] / factors[steps] ** 2
        own = full[pool, steps]
        process = np.divide(scale, own, out=np.zeros(len(steps)), where=own > 0.0)
        square[pool] = ends[pool] ** 2 * float((process + scale / below[steps]).sum())
        shared = 2.0 * float((scale / below[steps]).sum())
        others = ends[(last < last[pool]) & (last >= 0)].sum()
        same = ends[pool + 1 :][last[pool + 1 :] == last[pool]].sum()
        total += square[pool] + ends[pool] * float(others + same) * shared
    return np.sqrt(square), float(np.sqrt(total))


def _tail_share(full: Floats, seen: np.ndarray, tail_to: int) -> float:
    """Cash after the triangle's months for a yuan within them: c1 t^-beta fitted on its second half."""
    months = full.shape[1]
    if tail_to <= months or months < _MONTHS_FOR_A_TAIL:
        return 0.0
    pooled = full.sum(axis=0)
    step = np.diff(pooled, prepend=0.0)
    t = np.arange(1, months + 1, dtype=np.float64)
    used = (step > 0.0) & (t > months // 4) & seen.any(axis=0)
    if used.sum() < 2 or pooled[-1] <= 0.0:
        return 0.0
    slope, level = np.polyfit(np.log(t[used]), np.log(step[used]), 1, w=np.sqrt(step[used]))
    beta = min(max(-float(slope), _FLATTEST), _STEEPEST)
    if beta != -float(slope):
        level = float(np.average(np.log(step[used]) + beta * np.log(t[used]), weights=step[used]))
    ahead = np.arange(months + 1, tail_to + 1, dtype=np.float64)
    return float(np.exp(level) * (ahead**-beta).sum() / pooled[-1])
