"""Compiled kernels that run over scenarios: the cash of a book, its luck, and that of its largest loans."""

from __future__ import annotations

import numpy as np
from numba import prange

from arrears.core.compiled import njit
from arrears.recovery.grid import NODE_SCORES, NODES
from arrears.recovery.params import Floats, Ints
from arrears.recovery.stock import QUAD, Cells

LANES = 16


def scenario_cash(
    curves: Floats, share_paid: float, push: Floats, cells: Cells, hits: Floats | None = None
) -> Floats:
    """Cash of a book in each month and scenario (months, S).

    Args:
        curves: (M, S) odds of a payment by month since day 91, of each scenario.
        push: (G, months, S) factor on the odds of each segment.
        hits: (G, months, S) factor on the claims that reach day 91 in a month; none where left out.
    """
    scenarios = push.shape[2]
    spare = -scenarios % LANES
    wide = [(0, 0), (0, spare)]
    arrived = np.zeros((0, 0, 0)) if hits is None else np.pad(hits, [(0, 0), *wide], "edge")
    cash: Floats = _scenario_cash(
        np.pad(curves, wide, "edge"),
        share_paid,
        np.pad(push, [(0, 0), *wide], "edge"),
        arrived,
        cells.group,
        cells.age,
        cells.start,
        cells.since,
        np.exp(cells.score),
        cells.owed,
    )
    return cash[:, :scenarios]


@njit(cache=True, parallel=True)
def _scenario_cash(
    curves: Floats,
    share_paid: float,
    push: Floats,
    hits: Floats,
    group: Ints,
    age: Ints,
    start: Ints,
    since: Ints,
    lift: Floats,
    claim: Floats,
) -> Floats:
    """The kernel of `scenario_cash`: scenarios in lanes, four nodes of a cell at once so that they share a division."""
    ages, (_, months, scenarios) = len(curves), push.shape
    cash = np.zeros((months, scenarios))
    for block in prange(scenarios // LANES):
        here = block * LANES
        odds, mine = np.empty((months, LANES)), np.zeros((months, LANES))
        curve = curves[:, here : here + LANES].copy()
        factor = push[:, :, here : here + LANES].copy()
        owed = np.empty((QUAD, LANES))
        for cell in range(len(group)):
            g, born, begin = group[cell], age[cell], start[cell]
            stop = min(months, begin + ages - born)
            if (
                cell == 0
                or g != group[cell - 1]
                or born != age[cell - 1]
                or begin != start[cell - 1]
            ):
                for month in range(begin, stop):
                    for lane in range(LANES):
                        odds[month, lane] = (
                            curve[born + month - begin, lane] * factor[g, month, lane]
                        )
            for lane in range(LANES):
                hit = hits[g, begin - 1, here + lane] if begin > 0 and len(hits) else 1.0
                for node in range(QUAD):
                    owed[node, lane] = claim[cell, node] * hit
            a, b, c, d = lift[cell, 0], lift[cell, 1], lift[cell, 2], lift[cell, 3]
            for month in range(begin, stop):
                counts = 1.0 if month >= since[cell] else 0.0
                for lane in range(LANES):
                    x = odds[month, lane]
                    one, two, three, four = 1.0 + a * x, 1.0 + b * x, 1.0 + c * x, 1.0 + d * x
                    left, right = one * two, three * four
                    whole = share_paid * x / (left * right)
                    left, right = whole * right, whole * left
                    paid_a = owed[0, lane] * a * left * two
                    paid_b = owed[1, lane] * b * left * one
                    paid_c = owed[2, lane] * c * right * four
                    paid_d = owed[3, lane] * d * right * three
                    owed[0, lane] -= paid_a
                    owed[1, lane] -= paid_b
                    owed[2, lane] -= paid_c
                    owed[3, lane] -= paid_d
                    mine[month, lane] += counts * ((paid_a + paid_b) + (paid_c + paid_d))
        for month in range(months):
            for lane in range(LANES):
                cash[month, here + lane] = mine[month, lane]
    return cash


def level_moments(
    odds: Floats, share_paid: float, full: float, part: float, levels: Floats, sums: Floats
) -> Floats:
    """What single loans' luck adds to a book at steady levels of the common factor (levels, 4, M).

    A payment settles in full with probability `full`, else it takes `part` of what is owed. The share R of a claim
    that is still owed then has E[R^k] = prod (1 - h (1 - (1 - full) (1 - part)^k)), month by month.

    Args:
        levels: (L,) factor on the odds.
        sums: (4, ages, NODES) claims, squares, cubes and numbers by age.

    Returns:
        Cumulative cash, its variance and third central moment, and the logarithm of the chance that nothing comes.
    """
    by_age: Floats = _level_moments(odds, share_paid, full, part, levels, sums)
    total: Floats = by_age.sum(axis=1)
    return total


@njit(cache=True, parallel=True)
def _level_moments(
    odds: Floats, share_paid: float, full: float, part: float, levels: Floats, sums: Floats
) -> Floats:
    """The kernel of `level_moments`, by age (levels, ages, 4, M): added up outside, where no sum starts threads."""
    ages = len(odds)
    lose = np.empty(4)
    for k in range(1, 4):
        lose[k] = 1.0 - (1.0 - full) * (1.0 - part) ** k
    lose[1] = share_paid
    parts = np.zeros((len(levels), ages, 4, ages))
    for task in prange(len(levels) * ages):
        level, age = task // ages, task % ages
        for node in range(NODES):
            if sums[0, age, node] == 0.0 and sums[3, age, node] == 0.0:
                continue
            lift = np.exp(NODE_SCORES[node]) * levels[level]
            one, two, three, none = 1.0, 1.0, 1.0, 0.0
            for month in range(ages):
                if month < ages - age:
                    chance = odds[age + month] * lift
                    chance /= 1.0 + chance
                    one *= 1.0 - chance * lose[1]
                    two *= 1.0 - chance * lose[2]
                    three *= 1.0 - chance * lose[3]
                    none += np.log1p(-chance)
                skew = three - 3.0 * two * one + 2.0 * one**3
                parts[level, age, 0, month] += sums[0, age, node] * (1.0 - one)
                parts[level, age, 1, month] += sums[1, age, node] * (two - one * one)
                parts[level, age, 2, month] -= sums[2, age, node] * skew
                parts[level, age, 3, month] += sums[3, age, node] * none
    return parts


@njit(cache=True, parallel=True)
def draw_loans(
    curves: Floats,
    share_paid: float,
    full: float,
    part: float,
    push: Floats,
    place: Ints,
    age: Ints,
    score: Floats,
    claim: Floats,
    uniform: Floats,
) -> Floats:
    """Single loans drawn, and expected, in each month and scenario: cumulative cash of all (2, months, S).

    Args:
        curves: (M, S) odds of each scenario; push: (G, months, S).
        place: place of each loan's segment in `push` (K,).
        uniform: (K, months, S) in [0, 1).
    """
    ages, (_, months, scenarios) = len(curves), push.shape
    cash = np.zeros((2, months, scenarios))
    for scenario in prange(scenarios):
        for loan in range(len(age)):
            lift = np.exp(score[loan])
            drawn, expected = 1.0, 1.0
            for month in range(months):
                if month < ages - age[loan]:
                    odds = curves[age[loan] + month, scenario] * lift
                    chance = odds * push[place[loan], month, scenario]
                    chance /= 1.0 + chance
                    expected *= 1.0 - chance * share_paid
                    luck = uniform[loan, month, scenario]
                    if luck < chance * full:
                        drawn = 0.0
                    elif luck < chance:
                        drawn *= 1.0 - part
                cash[0, month, scenario] += claim[loan] * (1.0 - drawn)
                cash[1, month, scenario] += claim[loan] * (1.0 - expected)
    return cash
