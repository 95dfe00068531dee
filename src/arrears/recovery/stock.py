"""A book laid on the nodes of the grid: what its scenarios need to know of it, and no more."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import prange

from arrears.core.compiled import njit
from arrears.recovery.grid import HIGH, LOW, NODE_SCORES, NODES, lay
from arrears.recovery.params import Floats, Ints

QUAD = 4
# Below this part of a cell's claims, what one more node would see of their spread is rounding.
_FLAT = 1e-13


@dataclass(frozen=True)
class Stock:
    """A book past day 91, laid on the nodes; stocks of its parts add up to it.

    Attributes:
        key: cells that hold anything (K,), sorted: segment x ages + age.
        sums: claims, their squares, their cubes and the number of loans (4, K, NODES), laid by interpolation weights.
        ages: how many months of age there are.
    """

    key: Ints
    sums: Floats
    ages: int

    def __add__(self, other: Stock) -> Stock:
        """The stock of both parts."""
        key = np.union1d(self.key, other.key)
        sums = np.zeros((4, len(key), NODES))
        for part in (self, other):
            sums[:, np.searchsorted(key, part.key)] += part.sums
        return Stock(key, sums, self.ages)

    @property
    def segment(self) -> Ints:
        """Segment of each cell (K,)."""
        return self.key // self.ages

    @property
    def age(self) -> Ints:
        """Age of each cell (K,)."""
        return self.key % self.ages

    def by_age(self) -> Floats:
        """The sums over all segments (4, ages, NODES)."""
        whole = np.zeros((4, self.ages, NODES))
        for place, age in enumerate(self.age):
            whole[:, age] += self.sums[:, place]
        return whole


def project(segment: Ints, age: Ints, score: Floats, claim: Floats, *, ages: int) -> Stock:
    """Lay a book on the nodes; loans before day 91, or past the last age, are left out.

    The loans of a cell are added in their order, so that the stock is the same on any number of threads.
    """
    inside = (age >= 0) & (age < ages)
    cell = np.where(inside, segment * ages + age, -1)
    small = cell.astype(np.int16) if cell.max(initial=0) < 2**15 else cell
    order = np.argsort(small, kind="stable")
    key, first = np.unique(cell[order], return_index=True)
    bounds = np.append(first, len(order))
    if len(key) and key[0] < 0:
        key, bounds = key[1:], bounds[1:]
    return Stock(key, _lay_all(order, bounds, score, claim), ages)


@njit(cache=True, parallel=True)
def _lay_all(order: Ints, bounds: Ints, score: Floats, claim: Floats) -> Floats:
    """Claims, squares, cubes and number of the loans of each cell (4, K, NODES)."""
    cells = len(bounds) - 1
    sums = np.zeros((4, cells, NODES))
    for cell in prange(cells):
        weights = np.empty(NODES)
        for place in range(bounds[cell], bounds[cell + 1]):
            loan = order[place]
            owed = claim[loan]
            lay(score[loan], weights)
            for node in range(NODES):
                w = weights[node]
                sums[0, cell, node] += w * owed
                sums[1, cell, node] += w * owed * owed
                sums[2, cell, node] += w * owed * owed * owed
                sums[3, cell, node] += w
    return sums


@dataclass(frozen=True)
class Cells:
    """Claims of one segment and age, four nodes of score together (Q rows).

    Attributes:
        group: place of the segment in the factors (Q,).
        age: months since day 91 at `start` (Q,).
        start: months from today to the first month in which it may pay (Q,): 0, or after it has reached day 91.
        since: month from which on its cash counts (Q,).
        score, owed: of the nodes (Q, 4).
    """

    group: Ints
    age: Ints
    start: Ints
    since: Ints
    score: Floats
    owed: Floats

    def __add__(self, other: Cells) -> Cells:
        """Both, one after the other."""
        names = ("group", "age", "start", "since", "score", "owed")
        return Cells(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))

    def __neg__(self) -> Cells:
        """The same claims, to be taken off."""
        return replace(self, owed=-self.owed)


def cells_of(
    laid: Floats,
    group: Ints,
    age: Ints,
    *,
    order: int,
    start: Ints | None = None,
    since: int = 0,
) -> Cells:
    """Cells on the Gauss nodes of their own claims.

    Args:
        laid: (K, NODES) claims of each cell.
        order: nodes a cell.
        start, since: as of `Cells`; today where they are left out.
    """
    score, owed = gauss(laid, order)
    quads = -(-order // QUAD)
    score = np.pad(score, [(0, 0), (0, quads * QUAD - order)]).reshape(-1, QUAD)
    owed = np.pad(owed, [(0, 0), (0, quads * QUAD - order)]).reshape(-1, QUAD)
    begin = np.zeros_like(group) if start is None else start
    parts = (group, age, begin, np.full_like(group, since))
    group, age, begin, counts = (np.repeat(part, quads) for part in parts)
    return Cells(group, age, begin, counts, score, owed)


def gauss(laid: Floats, order: int) -> tuple[Floats, Floats]:
    """Scores and claims (K, order) of the Gauss rule of each cell's own distribution of scores.

    The modified Chebyshev algorithm (Gautschi 2004, 2.1.7; the monic Chebyshev polynomials as auxiliary ones) and the
    eigenvalues of the Jacobi matrix. Claims laid on NODES nodes have their own distribution's moments up to degree
    NODES - 1, so that up to NODES / 2 nodes are exact. A cell with fewer different scores gets fewer nodes.
    """
    place = (NODE_SCORES - (LOW + HIGH) / 2) / ((HIGH - LOW) / 2)
    total = laid.sum(axis=1)
    whole = np.where(total > 0.0, total, 1.0)
    polynomials = np.ones((2 * order, NODES))
    for k in range(1, 2 * order):
        before = (0.0 if k == 1 else (0.5 if k == 2 else 0.25)) * polynomials[k - 2]
        polynomials[k] = place * polynomials[k - 1] - before
    sigma = np.einsum("kn,pn->pk", laid / whole[:, None], polynomials)
    last = np.zeros_like(sigma)
    alpha, beta = np.zeros((order, len(laid))), np.zeros((order, len(laid)))
    alpha[0] = sigma[1]
    alive = np.ones(len(laid), dtype=bool)
    for k in range(1, order):
        now = np.zeros_like(sigma)
        for p in range(k, 2 * order - k):
            aux = 0.5 if p == 1 else 0.25
            now[p] = (
                sigma[p + 1] - alpha[k - 1] * sigma[p] - beta[k - 1] * last[p] + aux * sigma[p - 1]
            )
        alive &= now[k] > _FLAT
        safe = np.where(alive, now[k], 1.0)
        beta[k] = np.where(alive, now[k] / np.where(alive, sigma[k - 1], 1.0), 0.0)
        alpha[k] = np.where(
            alive, now[k + 1] / safe - sigma[k] / np.where(alive, sigma[k - 1], 1.0), 0.0
        )
        last, sigma = sigma, now
    return _rule(alpha, beta, total)


def _rule(alpha: Floats, beta: Floats, total: Floats) -> tuple[Floats, Floats]:
    """Nodes and weights of the Jacobi matrices of each cell (Golub and Welsch 1969)."""
    order = len(alpha)
    jacobi = np.zeros((alpha.shape[1], order, order))
    for k in range(order):
        jacobi[:, k, k] = alpha[k]
        if k:
            jacobi[:, k, k - 1] = jacobi[:, k - 1, k] = np.sqrt(np.maximum(beta[k], 0.0))
    place, vectors = np.linalg.eigh(jacobi)
    place = np.clip(place, -1.0, 1.0)
    score = (LOW + HIGH) / 2 + (HIGH - LOW) / 2 * place
    return score, vectors[:, 0, :] ** 2 * total[:, None]
