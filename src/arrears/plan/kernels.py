"""Compiled passes over the choices of all loans."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import prange

from arrears.core.compiled import njit
from arrears.core.loops import marked_loops

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int16]

Flags = npt.NDArray[np.bool_]

BLOCKS = 64
# Fewer, since each holds a matrix of all limits.
SOFT_BLOCKS = 8
# Fewer choices are not worth waking a thread for.
ALONE = 120_000
_EPS = 1e-9
# Choices so far below the best one have no share; a loan whose other shares are smaller stands still.
_COLD, _ALONE = -30.0, 1e-9


class Menu(NamedTuple):
    """What each loan may choose, and what each choice uses.

    Attributes:
        first: (n + 1,) where the choices of each loan begin.
        value: (c,) value of each choice, fen.
        start: (c + 1,) where the uses of each choice begin.
        cap, amount: (u,) capacity and amount of each use.
    """

    first: Ints
    value: Floats
    start: Ints
    cap: Shorts
    amount: Floats


class Packed(NamedTuple):
    """Choices of which some go into packages.

    Attributes:
        columns, packages: (c,) way and start month of each choice, 0 to 17, and its package, -1 for none.
        barred: (n, 18) offers that are not open.
    """

    menu: Menu
    columns: Numbers
    packages: Numbers
    barred: Flags


@njit(cache=True)
def block_of(block: int, blocks: int, loans: int) -> tuple[int, int]:
    """Where the loans of a block begin and end."""
    size = (loans + blocks - 1) // blocks
    return min(block * size, loans), min((block + 1) * size, loans)


@njit(cache=True)
def _best_of(begin: int, end: int, menu: Menu, price: Floats, chosen: Ints, used: Floats) -> float:
    first, value, start, cap, amount = menu
    total, choice, use = 0.0, first[begin], start[first[begin]]
    for loan in range(begin, end):
        best, top = choice, -np.inf
        while choice < first[loan + 1]:
            reduced = value[choice]
            while use < start[choice + 1]:
                reduced -= price[np.uint32(cap[use])] * amount[use]
                use += 1
            if reduced > top:
                best, top = choice, reduced
            choice += 1
        chosen[loan] = best
        total += top
        for mine in range(start[best], start[best + 1]):
            used[np.uint32(cap[mine])] += amount[mine]
    return total


@njit(cache=True, parallel=marked_loops())
def best_choices(menu: Menu, price: Floats) -> tuple[float, Floats, Ints]:
    """Each loan's best choice at these prices (m,): sum of reduced values, what they use (m,), the choices (n,)."""
    loans, caps = len(menu.first) - 1, len(price)
    sums = np.zeros(BLOCKS)
    used = np.zeros((BLOCKS, caps))
    chosen = np.empty(loans, dtype=np.int64)
    if len(menu.value) < ALONE:
        for block in range(BLOCKS):
            begin, end = block_of(block, BLOCKS, loans)
            sums[block] = _best_of(begin, end, menu, price, chosen, used[block])
    else:
        for block in prange(BLOCKS):
            begin, end = block_of(block, BLOCKS, loans)
            sums[block] = _best_of(begin, end, menu, price, chosen, used[block])
    total, whole = 0.0, np.zeros(caps)
    for block in range(BLOCKS):
        total += sums[block]
        whole += used[block]
    return total, whole, chosen


@njit(cache=True)
def _rivals_of(
    begin: int,
    end: int,
    menu: Menu,
    price: Floats,
    reach: Floats,
    kept: npt.NDArray[np.bool_],
    counts: Ints,
    settled: Ints,
    used: Floats,
) -> float:
    first, value, start, cap, amount = menu
    total, most = 0.0, np.empty(0)
    for loan in range(begin, end):
        here, count = first[loan], first[loan + 1] - first[loan]
        if len(most) < count:
            most = np.empty(count)
        floor, best = -np.inf, -1
        for k in range(count):
            reduced, width = value[here + k], 0.0
            for use in range(start[here + k], start[here + k + 1]):
                reduced -= price[np.uint32(cap[use])] * amount[use]
                width += reach[np.uint32(cap[use])] * abs(amount[use])
            most[k] = reduced + width
            if reduced - width > floor:
                floor, best = reduced - width, here + k
        many = 0
        for k in range(count):
            many += most[k] >= floor
        if many > 1:
            counts[loan] = many
            for k in range(count):
                kept[here + k] = most[k] >= floor
            continue
        settled[loan] = best
        total += value[best]
        for use in range(start[best], start[best + 1]):
            used[np.uint32(cap[use])] += amount[use]
    return total


@njit(cache=True, parallel=marked_loops())
def rivals(
    menu: Menu, price: Floats, reach: Floats
) -> tuple[npt.NDArray[np.bool_], Ints, Ints, float, Floats]:
    """Choices that may be a loan's best at prices within `reach` (m,) of `price` (m,), where more than one may be.

    Returns:
        Which choices (c,); how many of each loan (n,); the choice of a loan that has one only (n,), else -1; what
        those choices are worth, and what they use (m,).
    """
    loans, caps = len(menu.first) - 1, len(price)
    kept = np.zeros(len(menu.value), dtype=np.bool_)
    counts, settled = np.zeros(loans, dtype=np.int64), np.full(loans, -1, dtype=np.int64)
    sums, used = np.zeros(BLOCKS), np.zeros((BLOCKS, caps))
    for block in prange(BLOCKS):
        begin, end = block_of(block, BLOCKS, loans)
        sums[block] = _rivals_of(begin, end, menu, price, reach, kept, counts, settled, used[block])
    total, whole = 0.0, np.zeros(caps)
    for block in range(BLOCKS):
        total += sums[block]
        whole += used[block]
    return kept, counts, settled, total, whole


@njit(cache=True)
def _reduced(choice: int, menu: Menu, price: Floats) -> float:
    total: float = menu.value[choice]
    for use in range(menu.start[choice], menu.start[choice + 1]):
        total -= price[menu.cap[use]] * menu.amount[use]
    return total


@njit(cache=True)
def _takes(choice: int, wanted: int, menu: Menu) -> float:
    for use in range(menu.start[choice], menu.start[choice + 1]):
        if menu.cap[use] == wanted:
            found: float = menu.amount[use]
            return found
    return 0.0


@njit(cache=True)
def relief(among: Ints, menu: Menu, price: Floats, chosen: Ints, tight: int, sign: float) -> Floats:
    """What it costs each of these loans, a unit, to take less (sign 1) or more (sign -1) of one capacity; inf if it
    cannot.
    """
    cost = np.full(len(among), np.inf)
    for place in range(len(among)):
        loan = among[place]
        here = _takes(chosen[loan], tight, menu)
        mine = _reduced(chosen[loan], menu, price)
        for choice in range(menu.first[loan], menu.first[loan + 1]):
            less = sign * (here - _takes(choice, tight, menu))
            if less > 0.0:
                lost = (mine - _reduced(choice, menu, price)) / less
                cost[place] = min(cost[place], lost)
    return cost


@njit(cache=True)
def reduced(chosen: Ints, menu: Menu, price: Floats) -> Floats:
    """What these choices are worth at these prices."""
    worth = np.empty(len(chosen))
    for place in range(len(chosen)):
        worth[place] = _reduced(chosen[place], menu, price)
    return worth


@njit(cache=True)
def weigh(
    among: Packed, shut: Flags, taken: Numbers, worth: Floats, claim: Floats, price: Floats
) -> tuple[Floats, Floats]:
    """Claim and gain by package at these prices (m,): of what is in it over its loans' best ways outside of all
    packages; of one that is shut, of what would rather go there.

    Args:
        shut: by package.
        taken, worth, claim: of each loan (n,) the package it is in, -1 for none, its worth there at these prices, and
            what is owed.
    """
    menu, columns, packages, barred = among
    size, gain = np.zeros(len(shut)), np.zeros(len(shut))
    for loan in range(len(taken)):
        alone = -np.inf
        for choice in range(menu.first[loan], menu.first[loan + 1]):
            package = packages[choice]
            if barred[loan, columns[choice]] or (package >= 0 and not shut[package]):
                continue
            here = _reduced(choice, menu, price)
            if package < 0:
                alone = max(alone, here)
            elif here > worth[loan]:
                size[package] += claim[loan]
                gain[package] += here - worth[loan]
        if taken[loan] >= 0:
            size[taken[loan]] += claim[loan]
            gain[taken[loan]] += worth[loan] - alone
    return size, gain


@njit(cache=True)
def used_by(chosen: Ints, menu: Menu, caps: int) -> Floats:
    """What these choices use (m,)."""
    used = np.zeros(caps)
    for choice in chosen:
        for use in range(menu.start[choice], menu.start[choice + 1]):
            used[menu.cap[use]] += menu.amount[use]
    return used


@njit(cache=True)
def _move(old: int, new: int, menu: Menu, used: Floats) -> None:
    _, _, start, cap, amount = menu
    for use in range(start[old], start[old + 1]):
        used[cap[use]] -= amount[use]
    for use in range(start[new], start[new + 1]):
        used[cap[use]] += amount[use]


@njit(cache=True)
def _fits(old: int, new: int, menu: Menu, used: Floats, low: Floats, high: Floats) -> bool:
    """Whether a move neither breaks a limit nor breaks one further; only limits that it touches are looked at."""
    _, _, start, cap, amount = menu
    for use in range(start[new], start[new + 1]):
        mine = cap[use]
        more = amount[use] - _takes(old, mine, menu)
        after = used[mine] + more
        slack = _EPS * max(1.0, abs(after))
        if (more > 0.0 and after > high[mine] + slack) or (
            more < 0.0 and after < low[mine] - slack
        ):
            return False
    for use in range(start[old], start[old + 1]):
        mine = cap[use]
        after = used[mine] - amount[use]
        if after < low[mine] - _EPS * max(1.0, abs(after)) and (_takes(new, mine, menu) == 0.0):
            return False
    return True


@njit(cache=True)
def mend(
    order: Ints,
    menu: Menu,
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
        here = _takes(old, tight, menu)
        mine = _reduced(old, menu, price)
        best, least = -1, np.inf
        for choice in range(menu.first[loan], menu.first[loan + 1]):
            less = sign * (here - _takes(choice, tight, menu))
            if less > 0.0:
                lost = (mine - _reduced(choice, menu, price)) / less
                if lost < least and _fits(old, choice, menu, used, low, high):
                    best, least = choice, lost
        if best >= 0:
            _move(old, best, menu, used)
            chosen[loan] = best


@njit(cache=True, parallel=marked_loops())
def gains(menu: Menu, price: Floats, chosen: Ints) -> Floats:
    """How good each loan's best move to a choice worth more is at these prices; -inf where there is none."""
    loans = len(menu.first) - 1
    rank = np.full(loans, -np.inf)
    for loan in prange(loans):
        mine = _reduced(chosen[loan], menu, price)
        for choice in range(menu.first[loan], menu.first[loan + 1]):
            if menu.value[choice] > menu.value[chosen[loan]]:
                gain = _reduced(choice, menu, price) - mine
                rank[loan] = max(rank[loan], gain)
    return rank


@njit(cache=True)
def improve(
    order: Ints,
    menu: Menu,
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
        for choice in range(menu.first[loan], menu.first[loan + 1]):
            if menu.value[choice] > menu.value[old]:
                gain = _reduced(choice, menu, price)
                if gain > top and _fits(old, choice, menu, used, low, high):
                    best, top = choice, gain
        if best >= 0:
            _move(old, best, menu, used)
            chosen[loan] = best
            moved += 1
    return moved


@njit(cache=True)
def _soft_of(
    begin: int,
    end: int,
    menu: Menu,
    price: Floats,
    heat: float,
    used: Floats,
    curve: Floats,
) -> float:
    first, _, start, cap, amount = menu
    sums, share, cool = 0.0, np.empty(0), 1.0 / heat
    touched, mean = np.empty(len(price), dtype=np.int64), np.zeros(len(price))
    for loan in range(begin, end):
        here, count = first[loan], first[loan + 1] - first[loan]
        if len(share) < count:
            share = np.empty(count)
        top, best = -np.inf, 0
        for k in range(count):
            share[k] = _reduced(here + k, menu, price)
            if share[k] > top:
                top, best = share[k], k
        total = 0.0
        for k in range(count):
            cold = (share[k] - top) * cool
            share[k] = np.exp(cold) if cold > _COLD else 0.0
            total += share[k]
        if total <= 1.0 + _ALONE:
            sums += top
            for use in range(start[here + best], start[here + best + 1]):
                used[np.uint32(cap[use])] += amount[use]
            continue
        sums += top + heat * np.log(total)
        known = 0
        for k in range(count):
            if share[k] > 0.0:
                share[k] /= total
                low, high = start[here + k], start[here + k + 1]
                for one in range(low, high):
                    mine = np.uint32(cap[one])
                    if mean[mine] == 0.0:
                        touched[known] = mine
                        known += 1
                    part = share[k] * amount[one]
                    mean[mine] += part
                    for two in range(low, high):
                        curve[mine, np.uint32(cap[two])] += part * amount[two] * cool
        for a in range(known):
            used[touched[a]] += mean[touched[a]]
            for b in range(known):
                curve[touched[a], touched[b]] -= mean[touched[a]] * mean[touched[b]] * cool
        for a in range(known):
            mean[touched[a]] = 0.0
    return sums


@njit(cache=True, parallel=marked_loops())
def soft_choices(menu: Menu, price: Floats, heat: float) -> tuple[float, Floats, Floats]:
    """As `best_choices`, with each loan split over its choices by a softmax of heat `heat` (fen).

    Returns:
        Sum of the soft maxima, what they use (m,), and how that answers to prices: minus its derivative (m, m).
    """
    loans, caps = len(menu.first) - 1, len(price)
    blocks = SOFT_BLOCKS if len(menu.value) >= ALONE else 1
    sums = np.zeros(blocks)
    used, curve = np.zeros((blocks, caps)), np.zeros((blocks, caps, caps))
    if blocks == 1:
        sums[0] = _soft_of(0, loans, menu, price, heat, used[0], curve[0])
        return sums[0], used[0], curve[0]
    for block in prange(blocks):
        begin, end = block_of(block, blocks, loans)
        sums[block] = _soft_of(begin, end, menu, price, heat, used[block], curve[block])
    whole_used, whole_curve, value_of_all = used[0], curve[0], sums[0]
    for block in range(1, blocks):
        value_of_all += sums[block]
        whole_used += used[block]
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
