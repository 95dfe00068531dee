"""Compiled forward-backward over ragged histories, loans side by side in lanes.

Loans of a group share the month in which they end, so that one step serves all lanes; shorter ones join later. No cell
of transitions lies in two blocks, so that blocks add up their moves side by side and results do not depend on threads.
Chances are scaled by powers of two every few months: that rounds nothing, divides nothing, and leaves one division and
one logarithm for a whole history.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import prange

from arrears.core.compiled import njit
from arrears.core.lanes import (
    LANES,
    ROW,
    add_rows,
    exponent,
    fetch_to_read,
    fetch_to_write,
    lay_rows,
    load,
    scale,
    store,
    write_rows,
)
from arrears.core.loops import marked_loops

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Singles = npt.NDArray[np.float32]

BLOCKS = 32
_SCALED_EVERY = 4
_LINE = 16
"""Single-precision numbers, or codes, that a line of the cache holds."""


@njit(cache=True)
def _aligned(count: int) -> Floats:
    """Zeros that begin where a line of the cache does, so that no vector lies across two."""
    raw = np.zeros(count + LANES)
    begin = -(raw.ctypes.data // 8) % LANES
    return raw[begin : begin + count]


@njit(cache=True, error_model="numpy")
def _fetch(
    order: Ints, begin: int, first: Ints, length: Ints, code: Codes, flat: Singles, states: int
) -> None:
    """Asks early for what the next group reads and writes: its loans lie apart, which no processor foresees."""
    for place in range(begin, min(begin + LANES, len(order))):
        loan = order[place]
        for month in range(0, length[loan], _LINE):
            fetch_to_read(code, first[loan] + month)
        if len(flat):
            for spot in range(0, length[loan] * states, _LINE):
                fetch_to_write(flat, first[loan] * states + spot)


@njit(cache=True, error_model="numpy")
def _lay_moves(
    tag: tuple[int, ...], mine: Ints, moves: Floats, lowest: int, highest: int, move: Floats
) -> None:
    """Lays the transitions of these lanes' cells side by side."""
    states = len(tag)
    for lane in range(LANES):
        for slot in range(lowest, highest):
            for origin in range(states):
                for to in range(states):
                    spot = ((slot * states + origin) * states + to) * LANES
                    move[spot + lane] = moves[mine[lane], slot, origin, to]


@njit(cache=True, error_model="numpy")
def _step(tag: tuple[int, ...], here: int, ways: int, move: Floats, work: Floats) -> None:
    """Forward chances of a step, from those of the step before and what is seen."""
    states = len(tag)
    before, seen = here - 2 * states * LANES, here + states * LANES
    for to in range(states):
        value = load(work, before) * load(move, ways + to * LANES)
        for origin in range(1, states):
            way = load(move, ways + (origin * states + to) * LANES)
            value = value + load(work, before + origin * LANES) * way
        store(work, here + to * LANES, value * load(work, seen + to * LANES))


@njit(cache=True, error_model="numpy")
def _whole(tag: tuple[int, ...], here: int, work: Floats):  # type: ignore[no-untyped-def]
    """What forward chances add up to in each lane."""
    whole = load(work, here)
    for state in range(1, len(tag)):
        whole = whole + load(work, here + state * LANES)
    return whole


@njit(cache=True, error_model="numpy")
def _lay_late(
    tag: tuple[int, ...],
    step: int,
    code: Codes,
    place: Ints,
    join: Ints,
    table: Floats,
    work: Floats,
    seen: int,
) -> None:
    """Lays what a month shows while some lanes have not begun: there it shows nothing."""
    for lane in range(LANES):
        for state in range(len(tag)):
            told = 1.0 if step < join[lane] else table[code[place[lane] + step], state]
            work[seen + state * LANES + lane] = told


@njit(cache=True, error_model="numpy")
def _begin(
    tag: tuple[int, ...], step: int, join: Ints, edge: Floats, work: Floats, here: int
) -> None:
    """Lanes that begin at a step, and chances that add up to one exactly in those that begin later."""
    wide = len(tag) * LANES
    for lane in range(LANES):
        for at in range(lane, wide, LANES):
            if step == join[lane]:
                work[here + at] = edge[at] * work[here + wide + at]
            elif step < join[lane]:
                work[here + at] = 1.0 if at == lane else 0.0


@njit(cache=True, error_model="numpy")
def _forward(
    tag: tuple[int, ...],
    longest: int,
    latest: int,
    slots: Ints,
    code: Codes,
    place: Ints,
    join: Ints,
    table: Floats,
    edge: Floats,
    move: Floats,
    work: Floats,
    scales: Floats,
) -> None:
    """Forward chances and what is seen of each step into `work`, and by what each was scaled into `scales`."""
    each = len(tag) * LANES
    for step in range(longest):
        here, seen = step * 2 * each, (step * 2 + 1) * each
        if step < latest:
            _lay_late(tag, step, code, place, join, table, work, seen)
        else:
            lay_rows(tag, table, code, place, step, work, seen)
        if step > 0:
            _step(tag, here, slots[step] * len(tag) * each, move, work)
        if latest == 0 and step == 0:
            for at in range(0, each, LANES):
                store(work, at, load(edge, at) * load(work, seen + at))
        elif step <= latest:
            _begin(tag, step, join, edge, work, here)
        if step % _SCALED_EVERY == _SCALED_EVERY - 1:
            by = scale(_whole(tag, here, work))
            store(scales, step // _SCALED_EVERY * LANES, by)
            for at in range(here, seen, LANES):
                store(work, at, load(work, at) * by)
    for at in range((longest - 1) * 2 * each, longest * 2 * each, LANES):
        store(work, at, load(work, at) * load(edge, each + at % each))


@njit(cache=True, error_model="numpy")
def _summed(
    tag: tuple[int, ...],
    longest: int,
    heavy: Floats,
    work: Floats,
    scales: Floats,
    last: Floats,
    spare: Floats,
) -> float:
    """The weighted log-likelihood; `last` takes one over what the last month's chances add up to.

    Neighbours that weigh the same share a logarithm.
    """
    whole = _whole(tag, (longest - 1) * 2 * len(tag) * LANES, work)
    by = scale(whole)
    doubled = exponent(by)
    for at in range(0, longest // _SCALED_EVERY * LANES, LANES):
        doubled = doubled + exponent(load(scales, at))
    store(spare, 0, doubled)
    store(spare, LANES, whole * by)
    store(last, 0, by / (whole * by))
    total, product, power = 0.0, 1.0, 0.0
    for lane in range(LANES):
        product *= spare[LANES + lane]
        power -= spare[lane]
        if lane == LANES - 1 or heavy[lane + 1] != heavy[lane]:
            if heavy[lane] != 0.0:
                total += heavy[lane] * (np.log(product) + power * np.log(2.0))
            product, power = 1.0, 0.0
    return total


@njit(cache=True, error_model="numpy")
def _back(tag: tuple[int, ...], here: int, ways: int, move: Floats, work: Floats) -> None:
    """The posterior of a step in place of its forward chance; in place of what is seen, that and what comes after."""
    states = len(tag)
    after = here + 3 * states * LANES
    for state in range(states):
        back = load(move, ways + state * states * LANES) * load(work, after)
        for to in range(1, states):
            way = load(move, ways + (state * states + to) * LANES)
            back = back + way * load(work, after + to * LANES)
        at = here + state * LANES
        store(work, at, load(work, at) * back)
        at += states * LANES
        store(work, at, load(work, at) * back)


@njit(cache=True, error_model="numpy")
def _add_moves(
    tag: tuple[int, ...], here: int, after: int, ways: int, mine: Floats, work: Floats, xi: Floats
) -> None:
    """Adds what moves along each way, but for its chance, to `xi`, while forward chances still stand in `work`."""
    states = len(tag)
    for origin in range(states):
        begun = load(work, here + origin * LANES) * load(mine, 0)
        for to in range(states):
            at = ways + (origin * states + to) * LANES
            store(xi, at, load(xi, at) + begun * load(work, after + to * LANES))


@njit(cache=True, error_model="numpy")
def _add_seen(
    tag: tuple[int, ...],
    step: int,
    latest: int,
    code: Codes,
    place: Ints,
    join: Ints,
    mine: Floats,
    work: Floats,
    here: int,
    rows: Floats,
    weighted: Floats,
) -> None:
    """Adds the posterior of a step to the row of what each loan shows in it."""
    states = len(tag)
    for state in range(states):
        store(weighted, state * LANES, load(work, here + state * LANES) * load(mine, 0))
    if step >= latest:
        add_rows(tag, rows, code, place, step, weighted, 0)
        return
    for lane in range(LANES):
        if step >= join[lane]:
            for state in range(states):
                rows[code[place[lane] + step], state] += weighted[state * LANES + lane]


@njit(cache=True, error_model="numpy")
def _write_late(
    tag: tuple[int, ...],
    step: int,
    place: Ints,
    join: Ints,
    work: Floats,
    here: int,
    gamma: Singles,
) -> None:
    """Writes the posterior of a month in which some lanes have not begun."""
    for lane in range(LANES):
        if step >= join[lane]:
            for state in range(len(tag)):
                gamma[place[lane] + step, state] = work[here + state * LANES + lane]


@njit(cache=True, error_model="numpy")
def _backward(
    tag: tuple[int, ...],
    longest: int,
    latest: int,
    slots: Ints,
    code: Codes,
    place: Ints,
    join: Ints,
    heavy: Floats,
    last: Floats,
    move: Floats,
    work: Floats,
    scales: Floats,
    gamma: Singles,
    xi: Floats,
    rows: Floats,
    spare: Floats,
    learn: bool,
) -> None:
    """The posterior of each step in place of its forward chance, to `gamma` if it is asked for, and what is learnt from
    it; in place of what was seen, what is seen then and later.
    """
    states = len(tag)
    wide = 2 * states * LANES
    store(spare, 0, load(heavy, 0))
    for step in range(longest - 1, -1, -1):
        here, seen = step * wide, (step * 2 + 1) * states * LANES
        if learn and step <= latest:
            for lane in range(LANES):
                spare[lane] = heavy[lane] if step >= join[lane] else 0.0
        if step < longest - 1:
            ways = slots[step + 1] * states * states * LANES
            if learn:
                _add_moves(tag, here, seen + wide, ways, spare, work, xi)
            _back(tag, here, ways, move, work)
        else:
            for at in range(here, here + wide, LANES):
                store(work, at, load(work, at) * load(last, 0))
        if step % _SCALED_EVERY == _SCALED_EVERY - 1:
            by = load(scales, step // _SCALED_EVERY * LANES)
            for at in range(seen, seen + states * LANES, LANES):
                store(work, at, load(work, at) * by)
        if learn:
            _add_seen(tag, step, latest, code, place, join, spare, work, here, rows, spare[LANES:])
        if len(gamma) and step >= latest:
            write_rows(tag, gamma, place, step, work, here)
        elif len(gamma):
            _write_late(tag, step, place, join, work, here, gamma)


@njit(cache=True, error_model="numpy")
def _add_up(
    tag: tuple[int, ...],
    moved: Floats,
    mine: Ints,
    count: int,
    lowest: int,
    highest: int,
    xi: Floats,
    move: Floats,
) -> None:
    """Adds the moves of each lane to those of its loan's cell, and empties `xi`."""
    states = len(tag)
    for lane in range(count):
        for slot in range(lowest, highest):
            for origin in range(states):
                for to in range(states):
                    spot = ((slot * states + origin) * states + to) * LANES + lane
                    moved[mine[lane], slot, origin, to] += xi[spot] * move[spot]
    each = states * states * LANES
    xi[lowest * each : highest * each] = 0.0


@njit(cache=True, error_model="numpy")
def _write_edges(
    tag: tuple[int, ...], members: Ints, longest: int, join: Ints, work: Floats, edges: Floats
) -> None:
    """Writes the posterior of the first and last month of each loan."""
    wide = 2 * len(tag) * LANES
    for lane in range(len(members)):
        for state in range(len(tag)):
            at = state * LANES + lane
            edges[members[lane], 0, state] = work[join[lane] * wide + at]
            edges[members[lane], 1, state] = work[(longest - 1) * wide + at]


@njit(cache=True, error_model="numpy")
def _lay(
    tag: tuple[int, ...],
    members: Ints,
    first: Ints,
    length: Ints,
    weight: Floats,
    cell: Ints,
    initial: Floats,
    ends: Floats,
    end_code: Ints,
    place: Ints,
    join: Ints,
    mine: Ints,
    heavy: Floats,
    edge: Floats,
) -> tuple[int, int, bool]:
    """Lays out where and how each lane's loan begins and ends; lanes without a loan repeat the first, weighing nothing.

    Returns:
        The group's months, those before all lanes have begun, whether all cells are those of the group before.
    """
    states = len(tag)
    same, longest, latest = True, 0, 0
    for lane in range(len(members)):
        longest = max(longest, length[members[lane]])
    for lane in range(LANES):
        loan = members[lane] if lane < len(members) else members[0]
        heavy[lane] = weight[loan] if lane < len(members) else 0.0
        join[lane] = longest - length[loan]
        latest = max(latest, join[lane])
        place[lane] = first[loan] - join[lane]
        same = same and mine[lane] == cell[loan]
        mine[lane] = cell[loan]
        for state in range(states):
            edge[state * LANES + lane] = initial[cell[loan], state]
            edge[(states + state) * LANES + lane] = ends[end_code[loan], state]
    return longest, latest, same


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
    table: Floats,
    initial: Floats,
    moves: Floats,
    ends: Floats,
    end_code: Ints,
    weight: Floats,
    gamma: Singles,
    edges: Floats,
    learn: bool,
) -> tuple[Floats, Floats, Floats]:
    """Posterior of every loan-month, expected moves, what each code is expected to come from, and log-likelihoods.

    Args:
        tag: as many numbers as states, two to ROW; the compiler knows their count and unrolls the loops over states.
        code: row of `table` of every loan-month (t,), loan after loan.
        first, length: where each loan (n,) begins in `code`, and its months, at least one.
        order, starts: loans group by group; group g is `order[starts[g]:starts[g + 1]]`, at most LANES.
        lasts: last month of each group.
        cuts: groups of block b are those from `cuts[b]` on; no cell lies in two blocks (BLOCKS + 1,).
        slot: of each month of the calendar: the slot of time whose transitions lead into it.
        cell: of each loan: its row of `initial` and `moves` (n,).
        table: likelihood of each code in each state (u, ROW), of which the first columns count.
        initial, moves: (cells, s) and (cells, slots, s, s).
        ends, end_code: what multiplies the last month, by a code of each loan: (codes, s), (n,).
        weight: of each loan (n,).
        gamma: posterior (t, s), overwritten; left alone without rows.
        edges: posterior of each loan's first and last month (n, 2, s), overwritten; left alone without rows.
        learn: whether moves and codes are added up.

    Returns:
        Expected moves (cells, slots, s, s), and by block expected states by code (blocks, u, ROW), and log-likelihoods.
    """
    states, longest = len(tag), length.max()
    each = states * states * LANES
    moved, likely = np.zeros_like(moves), np.zeros(BLOCKS)
    flat = gamma.reshape(-1)
    seen = np.zeros((BLOCKS if learn else 1, len(table), ROW))
    for block in prange(BLOCKS):
        # A record a month: posterior (s), and what is seen (s); each LANES wide.
        work = _aligned(longest * 2 * states * LANES)
        scales = _aligned((longest // _SCALED_EVERY + 1) * LANES)
        move, xi = _aligned(moves.shape[1] * each), _aligned(moves.shape[1] * each)
        edge, spare = _aligned(2 * states * LANES), _aligned((states + 1) * LANES)
        heavy, last = _aligned(LANES), _aligned(LANES)
        place, join = np.zeros(LANES, dtype=np.int64), np.zeros(LANES, dtype=np.int64)
        mine, low, high = np.full(LANES, -1), -1, -1
        rows = seen[block] if learn else seen[0]
        for group in range(cuts[block], cuts[block + 1]):
            members = order[starts[group] : starts[group + 1]]
            _fetch(order, starts[group + 1], first, length, code, flat, states)
            most, latest, same = _lay(
                tag, members, first, length, weight, cell, initial, ends, end_code,
                place, join, mine, heavy, edge,
            )  # fmt: skip
            slots = slot[lasts[group] - most + 1 : lasts[group] + 1]
            if not (same and low == slots[0] and high == slots[most - 1] + 1):
                low, high = slots[0], slots[most - 1] + 1
                _lay_moves(tag, mine, moves, low, high, move)
            _forward(tag, most, latest, slots, code, place, join, table, edge, move, work, scales)
            likely[block] += _summed(tag, most, heavy, work, scales, last, spare)
            _backward(
                tag, most, latest, slots, code, place, join, heavy, last, move, work, scales,
                gamma, xi, rows, spare, learn,
            )  # fmt: skip
            if learn:
                _add_up(tag, moved, mine, len(members), low, high, xi, move)
            if len(edges):
                _write_edges(tag, members, most, join, work, edges)
    return moved, seen, likely


def grouped(cell: Ints, last: Ints, length: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Loans (n,) cut into blocks of whole cells, and those into groups: order, starts, lasts, cuts."""
    count = len(cell)
    sizes = np.bincount(cell)
    block = ((np.cumsum(sizes) - sizes) * BLOCKS // max(count, 1))[cell]
    months, longest = int(last.max()) + 1, int(length.max()) + 1
    key = (block * months + last) * longest + length
    order = np.argsort(key, kind="stable")
    ends_with = key[order] // longest
    run = np.append(0, np.flatnonzero(ends_with[1:] != ends_with[:-1]) + 1)
    each = -(-np.diff(run, append=count) // LANES)
    begins = np.repeat(run - LANES * (np.cumsum(each) - each), each)
    begins += LANES * np.arange(len(begins))
    key_block, lasts = np.divmod(ends_with[begins], months)
    cuts = np.searchsorted(key_block, np.arange(BLOCKS + 1))
    return order, np.append(begins, count), lasts, cuts
