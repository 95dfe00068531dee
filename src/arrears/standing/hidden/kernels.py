"""Compiled forward-backward over ragged histories, loans side by side in lanes.

Loans of a group share the month in which they end, so that one step serves all lanes; shorter ones join later. No cell
of transitions lies in two blocks, so that blocks add up their moves side by side and results do not depend on threads.
Scaling multiplies; a logarithm is taken once in a while, not at every step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from arrears.core.loops import marked_loops

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
    ends: Floats,
    end_code: Ints,
    longest: int,
    join: Ints,
    place: Ints,
    work: Floats,
    begin: Floats,
) -> None:
    """Lays up to LANES loans side by side; lanes without a loan repeat the first and are never read back."""
    states = len(tag)
    wide = (2 * states + 2) * LANES
    for lane in range(LANES):
        loan = members[lane] if lane < len(members) else members[0]
        join[lane] = longest - length[loan]
        place[lane] = first[loan] - join[lane]
        for state in range(states):
            begin[state * LANES + lane] = initial[cell[loan], state]
        spot = states * LANES + lane
        for _ in range(join[lane]):
            for state in range(states):
                work[spot + state * LANES] = 1.0
            spot += wide
        for step in range(join[lane], longest):
            row = code[place[lane] + step]
            for state in range(states):
                work[spot + state * LANES] = emission[row, state]
            spot += wide
        for state in range(states):
            work[spot - wide + state * LANES] *= ends[end_code[loan], state]


@njit(cache=True, error_model="numpy")
def _lay_moves(
    tag: tuple[int, ...],
    members: Ints,
    cell: Ints,
    moves: Floats,
    lowest: int,
    highest: int,
    move: Floats,
) -> None:
    """Lays the transitions of these loans' cells side by side."""
    states = len(tag)
    for slot in range(lowest, highest):
        for lane in range(LANES):
            mine = cell[members[lane] if lane < len(members) else members[0]]
            for origin in range(states):
                for to in range(states):
                    spot = ((slot * states + origin) * states + to) * LANES
                    move[spot + lane] = moves[mine, slot, origin, to]


@njit(cache=True, error_model="numpy")
def _forward(
    tag: tuple[int, ...],
    longest: int,
    slots: Ints,
    join: Ints,
    heavy: Floats,
    work: Floats,
    move: Floats,
    begin: Floats,
) -> float:
    """Scaled forward chances, each step's sum and one over it into `work`; the weighted log-likelihood."""
    states = len(tag)
    wide = (2 * states + 2) * LANES
    # No constant to the compiler, which else unrolls the lanes one by one and sets none side by side.
    lanes = min(len(join), 2 * LANES)
    for step in range(longest):
        here = work[step * wide : (step + 1) * wide]
        before = work[max(step - 1, 0) * wide : max(step, 1) * wide]
        ways = move[slots[step] * states * states * LANES :]
        for to in range(states):
            for lane in range(lanes):
                value = before[lane] * ways[to * LANES + lane]
                for origin in range(1, states):
                    value += (
                        before[origin * LANES + lane] * ways[(origin * states + to) * LANES + lane]
                    )
                value = begin[to * LANES + lane] if step <= join[lane] else value
                here[to * LANES + lane] = value * here[(states + to) * LANES + lane]
        for lane in range(lanes):
            whole = here[lane]
            for to in range(1, states):
                whole += here[to * LANES + lane]
            here[2 * states * LANES + lane] = whole
            here[(2 * states + 1) * LANES + lane] = 1.0 / whole
        for to in range(states):
            for lane in range(lanes):
                here[to * LANES + lane] *= here[(2 * states + 1) * LANES + lane]
    total = 0.0
    for lane in range(lanes):
        if heavy[lane] != 0.0:
            product, spot = 1.0, 2 * states * LANES + lane
            for step in range(longest):
                product *= work[spot + step * wide]
                if step % _LOG_EVERY == _LOG_EVERY - 1 or step == longest - 1:
                    total += heavy[lane] * np.log(product)
                    product = 1.0
    return total


@njit(cache=True, error_model="numpy")
def _backward(
    tag: tuple[int, ...],
    longest: int,
    slots: Ints,
    join: Ints,
    heavy: Floats,
    work: Floats,
    move: Floats,
    xi: Floats,
    learn: bool,
) -> None:
    """The posterior of each step in place of its forward chance; what moves along each way, but for its chance, added
    to `xi`. In place of what was seen stands what comes after, once it has been read.
    """
    states = len(tag)
    wide = (2 * states + 2) * LANES
    lanes = min(len(join), 2 * LANES)
    last = work[(longest - 1) * wide : longest * wide]
    for state in range(states, 2 * states):
        for lane in range(lanes):
            last[state * LANES + lane] *= last[(2 * states + 1) * LANES + lane]
    for step in range(longest - 2, -1, -1):
        here = work[step * wide : (step + 1) * wide]
        after = work[(step + 1) * wide : (step + 2) * wide]
        by = slots[step + 1] * states * states * LANES
        ways, moved = move[by:], xi[by:]
        if learn:
            for origin in range(states):
                for to in range(states):
                    for lane in range(lanes):
                        mine = heavy[lane] if step >= join[lane] else 0.0
                        moved[(origin * states + to) * LANES + lane] += (
                            mine * here[origin * LANES + lane]
                        ) * after[(states + to) * LANES + lane]
        for origin in range(states):
            for lane in range(lanes):
                back = ways[origin * states * LANES + lane] * after[states * LANES + lane]
                for to in range(1, states):
                    back += (
                        ways[(origin * states + to) * LANES + lane]
                        * after[(states + to) * LANES + lane]
                    )
                here[origin * LANES + lane] *= back
                here[(states + origin) * LANES + lane] = (
                    back
                    * here[(states + origin) * LANES + lane]
                    * here[(2 * states + 1) * LANES + lane]
                )


@njit(cache=True, error_model="numpy")
def _read_back(
    tag: tuple[int, ...],
    longest: int,
    count: int,
    join: Ints,
    place: Ints,
    work: Floats,
    gamma: npt.NDArray[np.floating],
) -> None:
    """Writes the posterior of each loan-month to `gamma`."""
    states = len(tag)
    wide = (2 * states + 2) * LANES
    for lane in range(count):
        for step in range(join[lane], longest):
            for state in range(states):
                gamma[place[lane] + step, state] = work[step * wide + state * LANES + lane]


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
    states = len(tag)
    for lane in range(len(members)):
        mine = cell[members[lane]]
        for slot in range(lowest, highest):
            for origin in range(states):
                for to in range(states):
                    spot = ((slot * states + origin) * states + to) * LANES + lane
                    moved[mine, slot, origin, to] += xi[spot] * move[spot]


@njit(cache=True, parallel=marked_loops(), error_model="numpy")
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
        # A record a month: posterior (s), what is seen (s), its sum, one over it; each LANES wide.
        work = np.zeros(longest * (2 * states + 2) * LANES)
        slots = np.zeros(longest, dtype=np.int64)
        move = np.zeros(moves.shape[1] * states * states * LANES)
        xi, begin = np.empty_like(move), np.empty(states * LANES)
        join, place = np.empty(LANES, dtype=np.int64), np.empty(LANES, dtype=np.int64)
        heavy, laid = np.zeros(LANES), np.full(LANES + 2, -1, dtype=np.int64)
        for group in range(cuts[block], cuts[block + 1]):
            members = order[starts[group] : starts[group + 1]]
            most, count = 0, len(members)
            for lane in range(LANES):
                heavy[lane] = weight[members[lane]] if lane < count else 0.0
                most = max(most, length[members[lane]]) if lane < count else most
            for step in range(most):
                slots[step] = slot[lasts[group] - most + 1 + step]
            lowest, highest = slots[0], slots[most - 1] + 1
            same = laid[LANES] == lowest and laid[LANES + 1] == highest
            laid[LANES], laid[LANES + 1] = lowest, highest
            for lane in range(LANES):
                mine = cell[members[lane] if lane < count else members[0]]
                same = same and laid[lane] == mine
                laid[lane] = mine
            if not same:
                _lay_moves(tag, members, cell, moves, lowest, highest, move)
            _lay(
                tag, code, first, length, members, emission, cell, initial, ends, end_code, most,
                join, place, work, begin,
            )  # fmt: skip
            likely[block] += _forward(tag, most, slots, join, heavy, work, move, begin)
            if learn:
                each = states * states * LANES
                xi[lowest * each : highest * each] = 0.0
            _backward(tag, most, slots, join, heavy, work, move, xi, learn)
            _read_back(tag, most, count, join, place, work, gamma)
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
