"""Compiled passes over the choices of all loans."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.int32]

BLOCKS = 64
# Fewer, since each holds a matrix of all limits.
SOFT_BLOCKS = 8
_EPS = 1e-9
# Choices so far below the best one have no share; a loan whose other shares are smaller stands still.
_COLD, _ALONE = -30.0, 1e-9


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
) -> Floats:
    """What it costs each loan, a unit, to take less (sign 1) or more (sign -1) of one capacity; inf if it cannot."""
    loans = len(first) - 1
    cost = np.full(loans, np.inf)
    for loan in prange(loans):
        here = _takes(chosen[loan], tight, start, cap, amount)
        mine = _reduced(chosen[loan], value, start, cap, amount, price)
        for choice in range(first[loan], first[loan + 1]):
            less = sign * (here - _takes(choice, tight, start, cap, amount))
            if less > 0.0:
                lost = (mine - _reduced(choice, value, start, cap, amount, price)) / less
                cost[loan] = min(cost[loan], lost)
    return cost


@njit(cache=True)
def _move(old: int, new: int, start: Ints, cap: Shorts, amount: Floats, used: Floats) -> None:
    for use in range(start[old], start[old + 1]):
        used[cap[use]] -= amount[use]
    for use in range(start[new], start[new + 1]):
        used[cap[use]] += amount[use]


@njit(cache=True)
def _fits(
    old: int,
    new: int,
    start: Ints,
    cap: Shorts,
    amount: Floats,
    used: Floats,
    low: Floats,
    high: Floats,
) -> bool:
    """Whether a move neither breaks a limit nor breaks one further; only limits that it touches are looked at."""
    for use in range(start[new], start[new + 1]):
        mine = cap[use]
        more = amount[use] - _takes(old, mine, start, cap, amount)
        after = used[mine] + more
        slack = _EPS * max(1.0, abs(after))
        if (more > 0.0 and after > high[mine] + slack) or (
            more < 0.0 and after < low[mine] - slack
        ):
            return False
    for use in range(start[old], start[old + 1]):
        mine = cap[use]
        after = used[mine] - amount[use]
        if after < low[mine] - _EPS * max(1.0, abs(after)) and (
            _takes(new, mine, start, cap, amount) == 0.0
        ):
            return False
    return True


@njit(cache=True)
def mend(
    order: Ints,
    first: Ints,
    value: Floats,
    start: Ints,
    cap: Shorts,
    amount: Floats,
    price: Floats,
    chosen: Ints,
    used: Floats,
    low: Floats,
    high: Floats,
    tight: int,
    sign: float,
) -> None:
    """Move loans in this order, each as it costs least, until the capacity is kept; no move may break another one."""
    for place in range(len(order)):
        over = used[tight] - high[tight] if sign > 0 else low[tight] - used[tight]
        if over <= 0.0:
            return
        loan = order[place]
        old = chosen[loan]
        here = _takes(old, tight, start, cap, amount)
        mine = _reduced(old, value, start, cap, amount, price)
        best, least = -1, np.inf
        for choice in range(first[loan], first[loan + 1]):
            less = sign * (here - _takes(choice, tight, start, cap, amount))
            if less > 0.0:
                lost = (mine - _reduced(choice, value, start, cap, amount, price)) / less
                if lost < least and _fits(old, choice, start, cap, amount, used, low, high):
                    best, least = choice, lost
        if best >= 0:
            _move(old, best, start, cap, amount, used)
            chosen[loan] = best


@njit(cache=True, parallel=True)
def gains(
    first: Ints,
    value: Floats,
    start: Ints,
    cap: Shorts,
    amount: Floats,
    price: Floats,
    chosen: Ints,
) -> Floats:
    """How good each loan's best move to a choice worth more is at these prices; -inf where there is none."""
    loans = len(first) - 1
    rank = np.full(loans, -np.inf)
    for loan in prange(loans):
        mine = _reduced(chosen[loan], value, start, cap, amount, price)
        for choice in range(first[loan], first[loan + 1]):
            if value[choice] > value[chosen[loan]]:
                gain = _reduced(choice, value, start, cap, amount, price) - mine
                rank[loan] = max(rank[loan], gain)
    return rank


@njit(cache=True)
def improve(
    order: Ints,
    first: Ints,
    value: Floats,
    start: Ints,
    cap: Shorts,
    amount: Floats,
    price: Floats,
    chosen: Ints,
    used: Floats,
    low: Floats,
    high: Floats,
) -> int:
    """Take moves that fit and raise the value, in this order of loans; how many did."""
    moved = 0
    for place in range(len(order)):
        loan = order[place]
        old = chosen[loan]
        best, top = -1, -np.inf
        for choice in range(first[loan], first[loan + 1]):
            if value[choice] > value[old]:
                gain = _reduced(choice, value, start, cap, amount, price)
                if gain > top and _fits(old, choice, start, cap, amount, used, low, high):
                    best, top = choice, gain
        if best >= 0:
            _move(old, best, start, cap, amount, used)
            chosen[loan] = best
            moved += 1
    return moved


@njit(cache=True, parallel=True)
def soft_choices(
    first: Ints,
    value: Floats,
    start: Ints,
    cap: Shorts,
    amount: Floats,
    price: Floats,
    heat: float,
    want_curve: bool,
) -> tuple[float, Floats, Floats]:
    """As `best_choices`, with each loan split over its choices by a softmax of heat `heat` (fen).

    Returns:
        Sum of the soft maxima, what they use (m,), and how that answers to prices: minus its derivative (m, m).
    """
    loans, caps = len(first) - 1, len(price)
    size = (loans + SOFT_BLOCKS - 1) // SOFT_BLOCKS
    sums = np.zeros(SOFT_BLOCKS)
    used = np.zeros((SOFT_BLOCKS, caps))
    curve = np.zeros((SOFT_BLOCKS if want_curve else 1, caps, caps))
    for block in prange(SOFT_BLOCKS):
        share = np.empty(0)
        touched, mean = np.empty(caps, dtype=np.int64), np.zeros(caps)
        for loan in range(block * size, min((block + 1) * size, loans)):
            begin, count = first[loan], first[loan + 1] - first[loan]
            if len(share) < count:
                share = np.empty(count)
            top = -np.inf
            for k in range(count):
                share[k] = _reduced(begin + k, value, start, cap, amount, price)
                top = max(top, share[k])
            total = 0.0
            for k in range(count):
                cold = (share[k] - top) / heat
                share[k] = np.exp(cold) if cold > _COLD else 0.0
                total += share[k]
            sums[block] += top + heat * np.log(total)
            known = 0
            for k in range(count):
                share[k] /= total
                if share[k] > 0.0:
                    for use in range(start[begin + k], start[begin + k + 1]):
                        if mean[cap[use]] == 0.0:
                            touched[known] = cap[use]
                            known += 1
                        mean[cap[use]] += share[k] * amount[use]
            for a in range(known):
                used[block, touched[a]] += mean[touched[a]]
            if want_curve and total > 1.0 + _ALONE:
                for k in range(count):
                    if share[k] > 0.0:
                        low, high = start[begin + k], start[begin + k + 1]
                        for one in range(low, high):
                            for two in range(low, high):
                                curve[block, cap[one], cap[two]] += (
                                    share[k] * amount[one] * amount[two] / heat
                                )
                for a in range(known):
                    for b in range(known):
                        curve[block, touched[a], touched[b]] -= (
                            mean[touched[a]] * mean[touched[b]] / heat
                        )
            for a in range(known):
                mean[touched[a]] = 0.0
    whole_used, whole_curve, value_of_all = np.zeros(caps), np.zeros((caps, caps)), 0.0
    for block in range(SOFT_BLOCKS):
        value_of_all += sums[block]
        whole_used += used[block]
        if want_curve:
            whole_curve += curve[block]
    return value_of_all, whole_used, whole_curve


@njit(cache=True)
def solved(matrix: Floats, right: Floats) -> Floats:
    """Solution of a positive definite system by Cholesky; the same bits on any number of threads, unlike LAPACK's."""
    size = len(right)
    root = np.zeros((size, size))
    for row in range(size):
        for column in range(row + 1):
            total = matrix[row, column]
            for k in range(column):
                total -= root[row, k] * root[column, k]
            if row == column:
                root[row, row] = np.sqrt(max(total, 1e-300))
            else:
                root[row, column] = total / root[column, column]
    found = right.copy()
    for row in range(size):
        for k in range(row):
            found[row] -= root[row, k] * found[k]
        found[row] /= root[row, row]
    for row in range(size - 1, -1, -1):
        for k in range(row + 1, size):
            found[row] -= root[k, row] * found[k]
        found[row] /= root[row, row]
    return found


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
