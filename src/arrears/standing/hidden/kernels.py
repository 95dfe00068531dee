"""Compiled forward-backward over ragged histories, loans side by side in lanes.

Loans of a group share the month in which they end, so that one step serves all lanes; shorter ones join later. No cell
of transitions lies in two blocks, so that blocks add up their moves side by side and results do not depend on threads.
Scaling multiplies; a logarithm is taken once in a while, not at every step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

LANES = 8
BLOCKS = 32
_LOG_EVERY = 8


@njit(cache=True, error_model="numpy")
def _lay(
    tag: tuple[int, ...],
    code: Codes,
    first: Ints,
    length: Ints,
    members: Ints,
    emission: Floats,
    cell: Ints,
    initial: Floats,
    moves: Floats,
    slots: Ints,
    ends: Floats,
    end_code: Ints,
    longest: int,
    join: Ints,
    place: Ints,
    seen: Floats,
    move: Floats,
    begin: Floats,
) -> None:
    """Lays up to LANES loans side by side; lanes without a loan repeat the first and are never read back."""
    states = len(tag)
    for lane in range(LANES):
        loan = members[lane] if lane < len(members) else members[0]
        join[lane] = longest - length[loan]
        place[lane] = first[loan] - join[lane]
        for state in range(states):
            begin[state, lane] = initial[cell[loan], state]
        for slot in range(slots[0], slots[longest - 1] + 1):
            for origin in range(states):
                for to in range(states):
                    move[slot, origin, to, lane] = moves[cell[loan], slot, origin, to]
    for lane in range(LANES):
        for step in range(join[lane]):
            for state in range(states):
                seen[step, state, lane] = 1.0
        for step in range(join[lane], longest):
            row = code[place[lane] + step]
            for state in range(states):
                seen[step, state, lane] = emission[row, state]
    for lane in range(LANES):
        loan = members[lane] if lane < len(members) else members[0]
        for state in range(states):
            seen[longest - 1, state, lane] *= ends[end_code[loan], state]


@njit(cache=True, error_model="numpy")
def _forward(
    tag: tuple[int, ...],
    longest: int,
    slots: Ints,
    join: Ints,
    heavy: Floats,
    seen: Floats,
    move: Floats,
    begin: Floats,
    room: Floats,
    scale: Floats,
) -> float:
    """Scaled forward chances into `room`, one over each step's sum into `scale`; the weighted log-likelihood."""
    states = len(tag)
    total = 0.0
    sums = np.ones(LANES)
    for step in range(longest):
        slot = slots[step]
        for lane in range(LANES):
            whole = 0.0
            for to in range(states):
                value = begin[to, lane]
                if step > join[lane]:
                    value = room[step - 1, 0, lane] * move[slot, 0, to, lane]
                    for origin in range(1, states):
                        value += room[step - 1, origin, lane] * move[slot, origin, to, lane]
                value *= seen[step, to, lane]
                room[step, to, lane] = value
                whole += value
            sums[lane] *= whole
            scale[step, lane] = 1.0 / whole
            for state in range(states):
                room[step, state, lane] *= scale[step, lane]
        if step % _LOG_EVERY == _LOG_EVERY - 1 or step == longest - 1:
            for lane in range(LANES):
                if heavy[lane] != 0.0:
                    total += heavy[lane] * np.log(sums[lane])
                sums[lane] = 1.0
    return total


@njit(cache=True, error_model="numpy")
def _backward(
    tag: tuple[int, ...],
    longest: int,
    count: int,
    slots: Ints,
    join: Ints,
    place: Ints,
    heavy: Floats,
    seen: Floats,
    move: Floats,
    room: Floats,
    scale: Floats,
    gamma: npt.NDArray[np.floating],
    xi: Floats,
    learn: bool,
) -> None:
    """The posterior of each loan-month into `gamma`; what moves along each way, but for its chance, added to `xi`."""
    states = len(tag)
    back, ahead = np.ones((states, LANES)), np.empty((states, LANES))
    for step in range(longest - 2, -1, -1):
        slot = slots[step + 1]
        for lane in range(LANES):
            for state in range(states):
                ahead[state, lane] = (
                    back[state, lane] * seen[step + 1, state, lane] * scale[step + 1, lane]
                )
            for origin in range(states):
                value = move[slot, origin, 0, lane] * ahead[0, lane]
                for to in range(1, states):
                    value += move[slot, origin, to, lane] * ahead[to, lane]
                back[origin, lane] = value
        if learn:
            for lane in range(LANES):
                here = heavy[lane] if step >= join[lane] else 0.0
                for origin in range(states):
                    mine = here * room[step, origin, lane]
                    for to in range(states):
                        xi[slot, origin, to, lane] += mine * ahead[to, lane]
        for lane in range(LANES):
            for state in range(states):
                room[step, state, lane] *= back[state, lane]
    for lane in range(count):
        begins = place[lane]
        for step in range(join[lane], longest):
            for state in range(states):
                gamma[begins + step, state] = room[step, state, lane]


@njit(cache=True, error_model="numpy")
def _add(
    tag: tuple[int, ...],
    moved: Floats,
    cell: Ints,
    members: Ints,
    lowest: int,
    highest: int,
    xi: Floats,
    move: Floats,
) -> None:
    """Adds the moves of each lane to those of its loan's cell."""
    for lane in range(len(members)):
        mine = cell[members[lane]]
        for slot in range(lowest, highest):
            for origin in range(len(tag)):
                for to in range(len(tag)):
                    moved[mine, slot, origin, to] += (
                        xi[slot, origin, to, lane] * move[slot, origin, to, lane]
                    )


@njit(cache=True, parallel=True, error_model="numpy")
def posterior(
    tag: tuple[int, ...],
    code: Codes,
    first: Ints,
    length: Ints,
    order: Ints,
    starts: Ints,
    lasts: Ints,
    cuts: Ints,
    slot: Ints,
    cell: Ints,
    emission: Floats,
    initial: Floats,
    moves: Floats,
    ends: Floats,
    end_code: Ints,
    weight: Floats,
    gamma: npt.NDArray[np.floating],
    learn: bool,
) -> tuple[Floats, Floats]:
    """Posterior of every loan-month, written to `gamma`; expected moves and log-likelihoods.

    Args:
        tag: as many numbers as states; the compiler knows their count and unrolls the loops over states.
        code: row of `emission` (u, s) of every loan-month (t,), loan after loan.
        first, length: where each loan (n,) begins in `code`, and its months, at least one.
        order, starts: loans group by group; group g is `order[starts[g]:starts[g + 1]]`, at most LANES.
        lasts: last month of each group.
        cuts: groups of block b are those from `cuts[b]` on; no cell lies in two blocks (BLOCKS + 1,).
        slot: of each month of the calendar: the slot of time whose transitions lead into it.
        cell: of each loan: its row of `initial` and `moves` (n,).
        initial, moves: (cells, s) and (cells, slots, s, s).
        ends, end_code: what multiplies the last month, by a code of each loan: (codes, s), (n,).
        weight: of each loan (n,). gamma: (t, s), overwritten. learn: whether moves are added up.

    Returns:
        Expected moves (cells, slots, s, s), and the log-likelihood of each block.
    """
    states = len(tag)
    longest = length.max()
    moved = np.zeros_like(moves)
    likely = np.zeros(BLOCKS)
    for block in prange(BLOCKS):
        room, scale = np.empty((longest, states, LANES)), np.empty((longest, LANES))
        seen = np.empty_like(room)
        slots = np.zeros(longest, dtype=np.int64)
        move = np.empty((moves.shape[1], states, states, LANES))
        xi, begin = np.empty_like(move), np.empty((states, LANES))
        join, place = np.empty(LANES, dtype=np.int64), np.empty(LANES, dtype=np.int64)
        heavy = np.zeros(LANES)
        for group in range(cuts[block], cuts[block + 1]):
            members = order[starts[group] : starts[group + 1]]
            most, count = 0, len(members)
            for lane in range(LANES):
                heavy[lane] = weight[members[lane]] if lane < count else 0.0
                most = max(most, length[members[lane]]) if lane < count else most
            for step in range(most):
                slots[step] = slot[lasts[group] - most + 1 + step]
            _lay(
                tag, code, first, length, members, emission, cell, initial, moves, slots, ends,
                end_code, most, join, place, seen, move, begin,
            )  # fmt: skip
            likely[block] += _forward(tag, most, slots, join, heavy, seen, move, begin, room, scale)
            lowest, highest = slots[0], slots[most - 1] + 1
            xi[lowest:highest] = 0.0
            _backward(
                tag, most, count, slots, join, place, heavy, seen, move, room, scale, gamma,
                xi, learn,
            )  # fmt: skip
            if learn:
                _add(tag, moved, cell, members, lowest, highest, xi, move)
    return moved, likely


def grouped(cell: Ints, last: Ints, length: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Loans (n,) cut into blocks of whole cells, and those into groups: order, starts, lasts, cuts."""
    count = len(cell)
    sizes = np.bincount(cell)
    block = ((np.cumsum(sizes) - sizes) * BLOCKS // max(count, 1))[cell]
    order = np.lexsort((length, last, block)).astype(np.int64)
    key_block, key_last = block[order], last[order]
    fresh = np.ones(count, dtype=np.bool_)
    fresh[1:] = (np.diff(key_block) != 0) | (np.diff(key_last) != 0)
    run = np.flatnonzero(fresh)
    within = np.arange(count) - np.repeat(run, np.diff(np.append(run, count)))
    begins = np.flatnonzero(within % LANES == 0).astype(np.int64)
    cuts = np.searchsorted(key_block[begins], np.arange(BLOCKS + 1)).astype(np.int64)
    return order, np.append(begins, count), key_last[begins], cuts
