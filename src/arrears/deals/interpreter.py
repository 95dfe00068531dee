"""Runs a program for all scenarios: dates in order, on each what arises, then the steps as the list says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from arrears.core.compiled import njit
from arrears.deals import kernels as k
from arrears.deals.kernels import Floats, Ints

LANES = 256


class Code(NamedTuple):
    """A deal as arrays; T dates, and a row an operation.

    Attributes:
        arising: (n, 8) operation, slots and numbers of what arises, in order.
        normal, enforced: (n, 8) the two orders of payment: operation, first and count in `lists`, three numbers, first
            column of its movements, how many.
        lists: slots that operations name.
        ratios, inverses: (R, T, 4), (R, T) exact shares: whole part, f, q, where the remainder rounds up; f / q.
        constants: (C, T) amounts by date, fen.
        tiers: (n, 2) from and to of the commission's tiers.
        pairs: what is owed and what was paid of it, slot by slot, all ledgers and classes.
        paid: slots that begin each day at 0 and hold all that leaves the deal.
        seniors: ledgers whose shortfall is an event of default.
        start: (slots,) how each scenario begins.
        forecast: (T,) cumulative, fen.
        settings: see `S_*`.
    """

    arising: Ints
    normal: Ints
    enforced: Ints
    lists: Ints
    ratios: Ints
    inverses: Floats
    constants: Ints
    tiers: Ints
    pairs: Ints
    paid: Ints
    seniors: Ints
    start: Ints
    forecast: Ints
    settings: Ints


(
    S_HALF_UP,
    S_RECOVERY,
    S_CURABLE,
    S_RECOVERY_UP,
    S_RECOVERY_DOWN,
    S_MISSED_INTEREST,
    S_UNPAID_FROM,
    S_BEHIND,
    S_BEHIND_UP,
    S_BEHIND_DOWN,
    S_CALL,
    S_CALL_MOST,
    S_POOL,
    S_POOL_ROW,
    S_OFFER_ROW,
    S_OFFER_RATIO,
    S_NEEDED,
    S_NEEDED_COUNT,
    SETTINGS,
) = range(19)


@njit(cache=True)
def below(amount, total, up, down):  # type: ignore[no-untyped-def]
    """Whether amount < total x up / down, exactly, for 0 <= amount, total < 2^51 and up, down < 2^31."""
    a, b = amount // total if total else np.int64(1), up // down
    if total == 0:
        return False
    rest, part = amount - a * total, up - b * down
    if a != b:
        return a < b
    # rest / total < part / down, both below 1: high and low parts of the two products
    high_a, low_a = (rest >> 20) * down, (rest & 0xFFFFF) * down
    high_b, low_b = (total >> 20) * part, (total & 0xFFFFF) * part
    high_a += low_a >> 20
    high_b += low_b >> 20
    if high_a != high_b:
        return high_a < high_b
    return (low_a & 0xFFFFF) < (low_b & 0xFFFFF)


@njit(cache=True)
def receive(x: Ints, gross: Ints, code: Code, t: int, last: bool) -> None:
    """Cash of the period, less earlier reversals; the tests that look at collections."""
    s = code.settings
    x[k.FINAL, :] = np.int64(last)
    x[k.CALL, :] = 0
    owed, came, total, ended = x[k.RECEIVABLE], x[k.CREDITED], x[k.CUMULATIVE], x[k.ENDED]
    for lane in range(len(gross)):
        net = (gross[lane] - owed[lane]) * (1 - ended[lane])
        came[lane] = max(net, 0)
        owed[lane] = max(-net, 0)
        total[lane] += max(net, 0)
    if s[S_RECOVERY]:
        for lane in range(len(gross)):
            behind = below(
                x[k.CUMULATIVE, lane], code.forecast[t], s[S_RECOVERY_UP], s[S_RECOVERY_DOWN]
            )
            kept = x[k.SEQUENTIAL, lane] != 0 and s[S_CURABLE] == 0
            x[k.SEQUENTIAL, lane] = np.int64(behind or kept)
    if s[S_BEHIND]:
        for lane in range(len(gross)):
            if below(x[k.CUMULATIVE, lane], code.forecast[t], s[S_BEHIND_UP], s[S_BEHIND_DOWN]):
                x[k.MODE, lane] = 1
    for slot in code.paid:
        x[slot, :] = 0


@njit(cache=True)
def arise(x: Ints, code: Code, t: int) -> None:
    """All that becomes due today."""
    for row in code.arising:
        kind, to, base, number = row[0], row[1], row[2], row[3]
        if kind == k.SUM:
            k.add_up(x, to, code.lists[base : base + number])
        elif kind == k.CONSTANT:
            x[to, :] = code.constants[number, t]
        elif kind == k.SHARE:
            least = code.constants[row[4], t]
            k.share(x, to, base, code.ratios[number, t], code.inverses[number, t], least)
        elif kind == k.TIERS:
            n = len(code.tiers)
            k.tiers(
                x,
                to,
                code.tiers,
                code.ratios[number : number + n, t],
                code.inverses[number : number + n, t],
            )
        elif kind == k.PLUS:
            k.plus(x, to, code.constants[number, t])
        elif kind == k.ADD:
            k.add(x, to, base)
        elif kind == k.CAPPED:
            k.capped(x, base, to, row[4], code.constants[number, t])
        else:
            ratio, inverse = code.ratios[number, t], code.inverses[number, t]
            k.interest(x, to, base, row[4], row[5], ratio, inverse, row[6])


@njit(cache=True)
def test_call(x: Ints, code: Code, t: int) -> None:
    """The clean-up call: pool small enough, and an offer that pays everybody who must be paid."""
    s = code.settings
    needed = code.lists[s[S_NEEDED] : s[S_NEEDED] + s[S_NEEDED_COUNT]]
    for lane in range(x.shape[1]):
        if x[k.ENDED, lane]:
            continue
        if s[S_CALL] == 1:
            pool, offer = code.constants[s[S_POOL_ROW], t], code.constants[s[S_OFFER_ROW], t]
        else:
            pool = max(s[S_POOL] - x[k.CUMULATIVE, lane], 0)
            ratio = code.ratios[s[S_OFFER_RATIO], t]
            whole, left = k.floor_share(
                pool, ratio[1], ratio[2], code.inverses[s[S_OFFER_RATIO], t]
            )
            offer = pool * ratio[0] + whole + np.int64(left >= ratio[3])
        total = np.int64(0)
        for slot in needed:
            total += max(x[slot, lane], 0)
        cash = offer + x[k.CREDITED, lane] + x[k.RESERVE, lane]
        if 0 <= pool <= s[S_CALL_MOST] and cash >= total:
            x[k.CALL, lane] = offer
            x[k.FINAL, lane] = 1


@njit(cache=True)
def distribute(x: Ints, code: Code, order: Ints, t: int, moves: Ints) -> None:
    """Pay what `CASH` holds, step by step; each step's movements are kept where there is room for them."""
    half = code.settings[S_HALF_UP]
    for row in order:
        kind, first, count = row[0], row[1], row[2]
        slots = code.lists[first : first + count]
        number, wide = row[3], row[7]
        kept = len(moves) > 0
        if kept:
            for place in range(wide):
                moves[row[6] + place] -= x[code.lists[row[5] + place]]
        if kind == k.PAY:
            for place in range(count // 2):
                k.pay(x, slots[2 * place], slots[2 * place + 1])
        elif kind == k.RATA:
            k.rata(x, slots, half)
        elif kind == k.PRINCIPAL:
            least = code.constants[number : number + count // 2, t]
            k.principal(x, slots, least, row[4], half)
        elif kind == k.TAKE:
            k.take(x, slots[0], code.ratios[number, t], code.inverses[number, t])
        elif kind == k.SET_ASIDE:
            some = count // 2
            k.set_aside(
                x,
                slots,
                code.ratios[number : number + some, t],
                code.inverses[number : number + some, t],
                code.ratios[number + some, t],
                code.constants[row[4] : row[4] + 2, t],
            )
        elif kind == k.SPLIT_REST:
            rest = len(slots)
            k.split_rest(
                x,
                slots,
                code.ratios[number : number + rest, t],
                code.inverses[number : number + rest, t],
            )
        else:
            k.merge(x, slots[0], slots[1])
        if kept:
            for place in range(wide):
                moves[row[6] + place] += x[code.lists[row[5] + place]]


@njit(cache=True)
def enforce(x: Ints, code: Code, t: int, moves: Ints) -> None:
    """Events of default that the trial of the normal order shows: undo it for those scenarios."""
    s = code.settings
    late = s[S_UNPAID_FROM] <= t
    if not late:
        some = np.int64(0)
        mode = x[k.MODE]
        for slot in code.seniors:
            row = x[slot]
            for lane in range(len(mode)):
                some += np.int64(row[lane] > 0) * (1 - mode[lane])
        if some == 0:
            return
    for lane in range(x.shape[1]):
        if x[k.MODE, lane]:
            continue
        short = False
        if s[S_MISSED_INTEREST]:
            for slot in code.seniors:
                short = short or x[slot, lane] > 0
        if late:
            gone = x[k.SENIOR_BALANCES, lane]
            for place in range(0, len(code.pairs), 3):
                if code.pairs[place + 2]:
                    gone -= x[code.pairs[place + 1], lane]
            short = short or gone > 0
        if not short:
            continue
        x[k.MODE, lane] = 1
        for place in range(0, len(code.pairs), 3):
            x[code.pairs[place], lane] += x[code.pairs[place + 1], lane]
        for slot in code.paid:
            x[slot, lane] = 0
        x[k.RESERVE, lane] = 0
        x[k.TARGET, lane] = 0
        if len(moves):
            moves[:, lane] = 0


@njit(cache=True)
def pay_enforced(x: Ints, code: Code, t: int, moves: Ints) -> None:
    """The order after an event of default, for its scenarios alone: they are few, and set side by side for it."""
    lanes = np.flatnonzero(x[k.MODE] != 0)
    y, moved = x[:, lanes], moves[:, lanes]
    y[k.CASH] = y[k.AVAILABLE]
    distribute(y, code, code.enforced, t, moved)
    for place in range(len(lanes)):
        x[:, lanes[place]] = y[:, place]
        moves[:, lanes[place]] = moved[:, place]


@njit(cache=True)
def one_day(x: Ints, gross: Ints, code: Code, t: int, moves: Ints) -> np.int64:
    """One payment date of a block; returns the largest difference between cash in and cash out."""
    last = t == len(code.forecast) - 1
    s = code.settings
    receive(x, gross, code, t, last)
    arise(x, code, t)
    if s[S_CALL] and not last:
        test_call(x, code, t)
    free, cash, mode, kept = x[k.AVAILABLE], x[k.CASH], x[k.MODE], x[k.RESERVE]
    came, called, opened = x[k.CREDITED], x[k.CALL], x[k.RESERVE_OPEN]
    broken = np.int64(0)
    for lane in range(len(gross)):
        free[lane] = came[lane] + called[lane] + kept[lane]
        opened[lane] = kept[lane]
        kept[lane] = 0
        cash[lane] = free[lane] * (1 - mode[lane])
        broken += mode[lane]
    x[k.TARGET, :] = 0
    if broken < len(gross):
        distribute(x, code, code.normal, t, moves)
        if s[S_MISSED_INTEREST] or s[S_UNPAID_FROM] <= t:
            enforce(x, code, t, moves)
    left, broken = np.int64(0), np.int64(0)
    for lane in range(len(gross)):
        left = max(left, cash[lane] * (1 - mode[lane]))
        broken += mode[lane]
    if broken:
        pay_enforced(x, code, t, moves)
    row = x[k.FREE]
    for lane in range(len(gross)):
        row[lane] = free[lane] - kept[lane]
    for slot in code.paid:
        if slot != k.EXCESS:
            gone = x[slot]
            for lane in range(len(gross)):
                row[lane] -= gone[lane]
    for lane in range(len(gross)):
        left = max(left, abs(row[lane]), cash[lane])
    return left


@njit(cache=True, parallel=True)
def run_code(
    code: Code, gross: Ints, kept: Ints, width: int
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Run all scenarios.

    Args:
        gross: (T, S) gross collections, fen.
        kept: slots whose value after each date is asked for.
        width: columns of movements; 0 for none.

    Returns:
        The kept slots (T, len(kept), S); all slots after each scenario's final date (slots, S); number of that date,
        from 0 (S,); movements (T, width, S); and the largest difference of cash in and out by block, all 0.
    """
    dates, scenarios = gross.shape
    blocks = (scenarios + LANES - 1) // LANES
    told = np.empty((dates, len(kept), scenarios), np.int64)
    ends = np.empty((len(code.start), scenarios), np.int64)
    finals = np.full(scenarios, dates - 1)
    moves = np.zeros((dates, width, scenarios), np.int64)
    wrong = np.zeros(blocks, np.int64)
    for block in prange(blocks):
        low, high = block * LANES, min((block + 1) * LANES, scenarios)
        x = np.empty((len(code.start), high - low), np.int64)
        moved = np.zeros((width, high - low), np.int64)
        for slot in range(len(code.start)):
            x[slot, :] = code.start[slot]
        for t in range(dates):
            moved[:] = 0
            wrong[block] = max(wrong[block], one_day(x, gross[t, low:high], code, t, moved))
            for place in range(len(kept)):
                told[t, place, low:high] = x[kept[place]]
            if width:
                moves[t, :, low:high] = moved
            if code.settings[S_CALL] or t == dates - 1:
                for lane in range(high - low):
                    if x[k.FINAL, lane] and not x[k.ENDED, lane]:
                        finals[low + lane] = t
                        ends[:, low + lane] = x[:, lane]
                        x[k.ENDED, lane] = 1
    return told, ends, finals, moves, wrong
