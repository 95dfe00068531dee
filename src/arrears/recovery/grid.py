"""The grid of age and score: what a yuan owed pays, month by month; one pass over the book, then none.

Everything a loan past day 91 is enters through its age and one score. Shares are worked out on Chebyshev nodes of a
fixed range of scores, so that a loan's own value depends on no other loan; a book is laid onto the nodes once, by the
interpolation weights of its claims, and scenarios run on the nodes.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from arrears.core.compiled import njit
from arrears.core.rng import generator
from arrears.recovery.params import Floats, Ints

NODES = 24
LOW, HIGH = -5.0, 2.5
PAIRS = 64
BLOCKS = 64

_STEPS = (2 * np.arange(NODES) + 1) * np.pi / (2 * NODES)
NODE_SCORES: Floats = (LOW + HIGH) / 2 + (HIGH - LOW) / 2 * np.cos(_STEPS)
_BARY: Floats = np.where(np.arange(NODES) % 2 == 0, 1.0, -1.0) * np.sin(_STEPS)


def factor_paths(count: int, months: int, persistence: float, seed: int) -> Floats:
    """Standard AR(1) paths (count, months), half of them the other half's mirror image."""
    half = (count + 1) // 2
    draws = generator(seed, "factor").standard_normal((half, months))
    paths = np.empty((half, months))
    paths[:, 0] = draws[:, 0]
    kick = np.sqrt(1.0 - persistence**2)
    for month in range(1, months):
        paths[:, month] = persistence * paths[:, month - 1] + kick * draws[:, month]
    return np.concatenate([paths, -paths])[:count]


@njit(cache=True)
def lay(score: float, weights: Floats) -> None:
    """Interpolation weights of a score on the nodes (barycentric formula), into `weights`."""
    place = min(max(score, LOW), HIGH)
    total = 0.0
    for node in range(NODES):
        gap = place - NODE_SCORES[node]
        if gap == 0.0:
            weights[:] = 0.0
            weights[node] = 1.0
            return
        weights[node] = _BARY[node] / gap
        total += weights[node]
    for node in range(NODES):
        weights[node] /= total


@njit(cache=True, parallel=True)
def mean_shares(
    odds: Floats, share_paid: float, push: Floats, shift: float, from_month: int, months: int
) -> Floats:
    """Expected share of today's claim paid in each month, by age and node (ages, NODES, months).

    Nodes lie side by side: they are worked out together, and each adds up its paths in their order.

    Args:
        odds: (M,) odds of a payment by month since day 91.
        push: (paths, months) factor on the odds, exp(deviation x z).
        shift: added to the score from `from_month` on.
    """
    ages, paths = len(odds), push.shape[0]
    shares = np.zeros((ages, NODES, months))
    early = np.exp(NODE_SCORES)
    late = early * np.exp(shift)
    for turn in prange(ages):
        # Young and old by turns: the young have more months to come, and no thread is to get them all.
        age = turn // 2 if turn % 2 == 0 else ages - 1 - turn // 2
        owed = np.ones((paths, NODES))
        lift, total = np.empty(NODES), np.empty(NODES)
        for month in range(min(months, ages - age)):
            for node in range(NODES):
                lift[node] = odds[age + month] * (late if month >= from_month else early)[node]
                total[node] = 0.0
            for path in range(paths):
                factor, left = push[path, month], owed[path]
                for node in range(NODES):
                    chance = lift[node] * factor
                    paid = left[node] * share_paid * chance / (1.0 + chance)
                    left[node] -= paid
                    total[node] += paid
            for node in range(NODES):
                shares[age, node, month] = total[node] / paths
    return shares


def weigh(shares: Floats, weights: Floats) -> Floats:
    """Sums of shares (ages, NODES, M) by weights of the months (F, H): (ages, NODES, F)."""
    months = min(shares.shape[2], weights.shape[1])
    sums: Floats = np.einsum("anm,fm->anf", shares[:, :, :months], weights[:, :months])
    return sums


@njit(cache=True, parallel=True)
def read_off(table: Floats, age: Ints, score: Floats, claim: Floats) -> Floats:
    """Each loan's value (n, F) from a table by age and node (ages, NODES, F); 0 outside its ages."""
    ages, _, width = table.shape
    values = np.zeros((len(age), width))
    for block in prange(BLOCKS):
        size = (len(age) + BLOCKS - 1) // BLOCKS
        weights = np.empty(NODES)
        for loan in range(block * size, min((block + 1) * size, len(age))):
            if 0 <= age[loan] < ages:
                lay(score[loan], weights)
                for row in range(width):
                    total = 0.0
                    for node in range(NODES):
                        total += weights[node] * table[age[loan], node, row]
                    values[loan, row] = claim[loan] * total
    return values
