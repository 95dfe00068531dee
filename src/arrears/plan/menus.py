"""Compiled passes that make the menu of a book: from its offers, and of it what is open."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import prange

from arrears.core.compiled import njit
from arrears.core.loops import marked_loops
from arrears.plan.kernels import BLOCKS, Floats, Ints, Menu, Numbers, Shorts, block_of


class Uses(NamedTuple):
    """What n loans would use by each of o offers, loan after loan by the first offer that uses anything, then the next.

    Attributes:
        place: (o,) how many offers that use anything come before; -1 for one that uses nothing.
        start: (k n + 1,) where the uses of each loan by each of those k offers begin.
        cap, amount: (u,) capacity and amount of each use.
    """

    place: Ints
    start: Ints
    cap: Shorts
    amount: Floats


@njit(cache=True)
def fill_uses(
    amounts: Floats,
    inside: npt.NDArray[np.bool_],
    number: int,
    free: Ints,
    cap: Shorts,
    amount: Floats,
) -> None:
    """Write the uses of one capacity by one offer; `free` (n,) is where each loan's next use goes."""
    for loan in range(len(amounts)):
        if inside[loan] and amounts[loan] != 0.0:
            cap[free[loan]], amount[free[loan]] = number, amounts[loan]
            free[loan] += 1


@njit(cache=True)
def _uses(loan: int, column: int, loans: int, whole: Uses) -> tuple[int, int]:
    """Where the uses of a loan by an offer begin and end."""
    place = whole.place[column]
    if place < 0:
        return 0, 0
    return whole.start[place * loans + loan], whole.start[place * loans + loan + 1]


@njit(cache=True)
def _worth_a_thought(
    loan: int,
    value: Floats,
    switch: Floats,
    pools: Numbers,
    whole: Uses,
    secure: int,
    spare: bool,
    kept: npt.NDArray[np.bool_],
) -> tuple[int, int]:
    """Mark the choices of a loan; how many they are, and how many uses they have."""
    loans, wide = value.shape
    row = loan if len(switch) > 1 else 0
    top, best = -np.inf, -1
    for column in range(secure):
        begin, end = _uses(loan, column, loans, whole)
        worth = value[loan, column] - switch[row, column]
        if pools[loan, column] < 0 and begin == end and worth > top:
            top, best = worth, column
    count = uses = 0
    for column in range(wide):
        more = value[loan, column] - switch[row, column] > top or column == best
        kept[loan, column] = more or (spare and np.isfinite(value[loan, column]))
        if kept[loan, column]:
            begin, end = _uses(loan, column, loans, whole)
            count += 1
            uses += end - begin
    return count, uses


@njit(cache=True, parallel=marked_loops())
def menu_of(
    value: Floats, switch: Floats, pools: Numbers, whole: Uses, secure: int, spare: bool
) -> tuple[Menu, Numbers, Numbers]:
    """The offers of a value (n, o) as choices; column and package of each choice (c,).

    Args:
        switch: what an offer costs besides (n, o), or (1, o).
        pools: number of the package that each offer enters (n, o), -1 for none.
        secure: the first columns are never barred.
        spare: keep what no loan takes at prices of at least zero, too: it is worth no more than an offer that uses
            nothing and that nothing can take away.
    """
    loans, wide = value.shape
    kept = np.empty((loans, wide), np.bool_)
    first, begins = np.zeros(loans + 1, np.int64), np.zeros(loans + 1, np.int64)
    for block in prange(BLOCKS):
        begin, end = block_of(block, BLOCKS, loans)
        for loan in range(begin, end):
            first[loan + 1], begins[loan + 1] = _worth_a_thought(
                loan, value, switch, pools, whole, secure, spare, kept
            )
    for loan in range(loans):
        first[loan + 1] += first[loan]
        begins[loan + 1] += begins[loan]
    start, worth = np.empty(first[-1] + 1, np.int64), np.empty(first[-1])
    columns, packages = np.empty(first[-1], np.int16), np.empty(first[-1], np.int16)
    cap, amount = np.empty(begins[-1], np.int32), np.empty(begins[-1])
    start[-1] = begins[-1]
    for block in prange(BLOCKS):
        begin, end = block_of(block, BLOCKS, loans)
        for loan in range(begin, end):
            row, choice, use = loan if len(switch) > 1 else 0, first[loan], begins[loan]
            for column in range(wide):
                if kept[loan, column]:
                    columns[choice], packages[choice] = column, pools[loan, column]
                    worth[choice] = value[loan, column] - switch[row, column]
                    start[choice] = use
                    choice += 1
                    mine, last = _uses(loan, column, loans, whole)
                    for old in range(mine, last):
                        cap[use], amount[use] = whole.cap[old], whole.amount[old]
                        use += 1
    return Menu(first, worth, start, cap, amount), columns, packages


@njit(cache=True, parallel=marked_loops())
def open_ones(
    menu: Menu,
    columns: Numbers,
    packages: Numbers,
    barred: npt.NDArray[np.bool_],
    shut: npt.NDArray[np.bool_],
    spare: bool,
) -> npt.NDArray[np.bool_]:
    """Choices that are open (c,): not barred (n, o), in no package that is shut; of those that use nothing the best.

    Args:
        spare: all of those that use nothing.
    """
    kept, loans = np.zeros(len(columns), np.bool_), len(menu.first) - 1
    for block in prange(BLOCKS):
        begin, end = block_of(block, BLOCKS, loans)
        for loan in range(begin, end):
            top, best = -np.inf, -1
            for choice in range(menu.first[loan], menu.first[loan + 1]):
                package = packages[choice]
                if barred[loan, columns[choice]] or (package >= 0 and shut[package]):
                    continue
                uses = menu.start[choice + 1] > menu.start[choice]
                kept[choice] = uses or spare
                if not uses and menu.value[choice] > top:
                    top, best = menu.value[choice], choice
            if best >= 0:
                kept[best] = True
    return kept


@njit(cache=True, parallel=marked_loops())
def only(menu: Menu, keep: npt.NDArray[np.bool_]) -> Menu:
    """The choices that are kept (c,)."""
    loans = len(menu.first) - 1
    choices, uses = np.zeros(BLOCKS + 1, np.int64), np.zeros(BLOCKS + 1, np.int64)
    for block in prange(BLOCKS):
        begin, end = block_of(block, BLOCKS, loans)
        for choice in range(menu.first[begin], menu.first[end]):
            if keep[choice]:
                choices[block + 1] += 1
                uses[block + 1] += menu.start[choice + 1] - menu.start[choice]
    for block in range(BLOCKS):
        choices[block + 1] += choices[block]
        uses[block + 1] += uses[block]
    first, start = np.zeros(loans + 1, np.int64), np.zeros(choices[-1] + 1, np.int64)
    value, cap, amount = np.empty(choices[-1]), np.empty(uses[-1], np.int32), np.empty(uses[-1])
    for block in prange(BLOCKS):
        begin, end = block_of(block, BLOCKS, loans)
        count, use = choices[block], uses[block]
        for loan in range(begin, end):
            for choice in range(menu.first[loan], menu.first[loan + 1]):
                if keep[choice]:
                    value[count] = menu.value[choice]
                    for old in range(menu.start[choice], menu.start[choice + 1]):
                        cap[use], amount[use] = menu.cap[old], menu.amount[old]
                        use += 1
                    count += 1
                    start[count] = use
            first[loan + 1] = count
    return Menu(first, value, start, cap, amount)
