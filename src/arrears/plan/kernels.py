"""Compiled passes over the choices of all loans."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.int32]

BLOCKS = 64
_EPS = 1e-9


@njit(cache=True, parallel=True)
def best_choices(
    first: Ints, value: Floats, start: Ints, cap: Shorts, amount: Floats, price: Floats
) -> tuple[float, Floats, Ints]:
    """Each loan's best choice at these prices: sum of reduced values, what they use (m,), the choices (n,).

    Args:
        first: (n + 1,) where the choices of each loan begin.
        value: (c,) value of each choice.
        start: (c + 1,) where the uses of each choice begin.
        cap, amount: (u,) capacity and amount of each use.
    """
    loans, caps = len(first) - 1, len(price)
    size = (loans + BLOCKS - 1) // BLOCKS
    sums = np.zeros(BLOCKS)
    used = np.zeros((BLOCKS, caps))
    chosen = np.empty(loans, dtype=np.int64)
    for block in prange(BLOCKS):
        for loan in range(block * size, min((block + 1) * size, loans)):
            best, top = -1, -np.inf
            for choice in range(first[loan], first[loan + 1]):
                reduced = value[choice]
                for use in range(start[choice], start[choice + 1]):
                    reduced -= price[cap[use]] * amount[use]
                if reduced > top:
                    best, top = choice, reduced
            chosen[loan] = best
            sums[block] += top
            for use in range(start[best], start[best + 1]):
                used[block, cap[use]] += amount[use]
    total, whole = 0.0, np.zeros(caps)
    for block in range(BLOCKS):
        total += sums[block]
        whole += used[block]
    return total, whole, chosen


@njit(cache=True)
def _reduced(
    choice: int, value: Floats, start: Ints, cap: Shorts, amount: Floats, price: Floats
) -> float:
    total: float = value[choice]
    for use in range(start[choice], start[choice + 1]):
        total -= price[cap[use]] * amount[use]
    return total


@njit(cache=True)
def _takes(choice: int, wanted: int, start: Ints, cap: Shorts, amount: Floats) -> float:
    for use in range(start[choice], start[choice + 1]):
        if cap[use] == wanted:
            found: float = amount[use]
            return found
    return 0.0


@njit(cache=True, parallel=True)
def relief(
    first: Ints,
    value: Floats,
    start: Ints,
    cap: Shorts,
    amount: Floats,
    price: Floats,
    chosen: Ints,
    tight: int,
    sign: float,
) -> tuple[Floats, Ints]:
    """How each loan best takes less (sign 1) or more (sign -1) of one capacity: cost a unit, and the choice."""
    loans = len(first) - 1
    cost = np.full(loans, np.inf)
    other = np.full(loans, -1, dtype=np.int64)
    for loan in prange(loans):
        here = _takes(chosen[loan], tight, start, cap, amount)
        mine = _reduced(chosen[loan], value, start, cap, amount, price)
        for choice in range(first[loan], first[loan + 1]):
            less = sign * (here - _takes(choice, tight, start, cap, amount))
            if less > 0.0:
                lost = (mine - _reduced(choice, value, start, cap, amount, price)) / less
                if lost < cost[loan]:
                    cost[loan], other[loan] = lost, choice
    return cost, other


@njit(cache=True)
def _move(
    old: int, new: int, start: Ints, cap: Shorts, amount: Floats, used: Floats, sign: float
) -> None:
    for use in range(start[old], start[old + 1]):
        used[cap[use]] -= sign * amount[use]
    for use in range(start[new], start[new + 1]):
        used[cap[use]] += sign * amount[use]


@njit(cache=True)
def _worse(before: Floats, after: Floats, low: Floats, high: Floats) -> bool:
    """Whether a move breaks a limit, or breaks one further."""
    for cap in range(len(before)):
        slack = _EPS * max(1.0, abs(after[cap]))
        if after[cap] > high[cap] + slack and after[cap] > before[cap] + slack:
            return True
        if after[cap] < low[cap] - slack and after[cap] < before[cap] - slack:
            return True
    return False


@njit(cache=True)
def mend(
    order: Ints,
    other: Ints,
    start: Ints,
    cap: Shorts,
    amount: Floats,
    chosen: Ints,
    used: Floats,
    low: Floats,
    high: Floats,
    tight: int,
    sign: float,
) -> None:
    """Move loans in this order until the capacity is kept; no move may break another one."""
    after = used.copy()
    for place in range(len(order)):
        over = used[tight] - high[tight] if sign > 0 else low[tight] - used[tight]
        if over <= 0.0:
            return
        loan = order[place]
        after[:] = used
        _move(chosen[loan], other[loan], start, cap, amount, after, 1.0)
        if not _worse(used, after, low, high):
            used[:] = after
            chosen[loan] = other[loan]


@njit(cache=True, parallel=True)
def gains(
    first: Ints,
    value: Floats,
    start: Ints,
    cap: Shorts,
    amount: Floats,
    price: Floats,
    chosen: Ints,
) -> tuple[Floats, Ints]:
    """Each loan's best move that raises its value: how good it is at these prices, and the choice."""
    loans = len(first) - 1
    rank = np.full(loans, -np.inf)
    other = np.full(loans, -1, dtype=np.int64)
    for loan in prange(loans):
        mine = _reduced(chosen[loan], value, start, cap, amount, price)
        for choice in range(first[loan], first[loan + 1]):
            if value[choice] > value[chosen[loan]]:
                gain = _reduced(choice, value, start, cap, amount, price) - mine
                if gain > rank[loan]:
                    rank[loan], other[loan] = gain, choice
    return rank, other


@njit(cache=True)
def improve(
    order: Ints,
    other: Ints,
    start: Ints,
    cap: Shorts,
    amount: Floats,
    chosen: Ints,
    used: Floats,
    low: Floats,
    high: Floats,
) -> int:
    """Take the moves that fit, in this order; how many did."""
    moved = 0
    after = used.copy()
    for place in range(len(order)):
        loan = order[place]
        after[:] = used
        _move(chosen[loan], other[loan], start, cap, amount, after, 1.0)
        if not _worse(used, after, low, high):
            used[:] = after
            chosen[loan] = other[loan]
            moved += 1
    return moved


@njit(cache=True)
def fill_uses(
    entry: Ints,
    amounts: Floats,
    inside: npt.NDArray[np.bool_],
    number: int,
    place: Ints,
    cap: Shorts,
    amount: Floats,
) -> None:
    """Write the uses of one capacity by one column; `place` is where each choice's next use goes."""
    for loan in range(len(entry)):
        if entry[loan] >= 0 and inside[loan] and amounts[loan] != 0.0:
            spot = place[entry[loan]]
            cap[spot] = number
            amount[spot] = amounts[loan]
            place[entry[loan]] += 1
