"""What the steps of a waterfall do to many scenarios at once, in whole fen; each kernel goes over the lanes of a block.

`x` holds a row a quantity (slot) and a column a scenario (lane). Amounts stay below 2^51. A share p/q of an amount is
reckoned exactly: its whole part by a floating estimate that errs by less than one, and the remainder from the low
halves of the 128-bit products, which wrap around alike, so that their difference is exact (q < 2^59).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arrears.core.compiled import njit

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# The slots that every deal has; those of its ledgers and classes come after them.
CASH, AVAILABLE, RECEIVABLE, CREDITED, CUMULATIVE, RESERVE = 0, 1, 2, 3, 4, 5
RESERVE_OPEN, TARGET, MODE, SEQUENTIAL, ENDED, CALL, FINAL = 6, 7, 8, 9, 10, 11, 12
ALL_BALANCES, SENIOR_BALANCES, EXCESS, FREE = 13, 14, 15, 16

# What arises on a date.
SUM, CONSTANT, SHARE, TIERS, PLUS, ADD, CAPPED, INTEREST = 0, 1, 2, 3, 4, 5, 6, 7
# What a step does.
PAY, RATA, PRINCIPAL, TAKE, SET_ASIDE, SPLIT_REST, MERGE = 0, 1, 2, 3, 4, 5, 6

SEQUENCE, PRO_RATA, BY_TRIGGER = 0, 1, 2


@njit(cache=True, inline="always")
def floor_share(amount, f, q, inverse):  # type: ignore[no-untyped-def]
    """Whole part of amount x f / q, and what is left over q, for 0 <= f < q."""
    whole = np.int64(np.float64(amount) * inverse)
    left = amount * f - whole * q
    low = np.int64(left < 0)
    whole -= low
    left += low * q
    high = np.int64(left >= q)
    return whole + high, left - high * q


@njit(cache=True)
def rounded_quotient(amount, part, total, half):  # type: ignore[no-untyped-def]
    """Amount x part / total for amount, part <= total, rounded half up or down."""
    whole = np.int64(np.float64(amount) * (np.float64(part) / np.float64(total)))
    left = amount * part - whole * total
    while left < 0:
        whole -= 1
        left += total
    while left >= total:
        whole += 1
        left -= total
    return whole + np.int64(half != 0 and left >= total - left)


@njit(cache=True)
def add_up(x: Ints, to: int, slots: Ints) -> None:
    """A row becomes the sum of others."""
    total = x[to]
    total[:] = 0
    for slot in slots:
        row = x[slot]
        for lane in range(len(total)):
            total[lane] += row[lane]


@njit(cache=True)
def share(x: Ints, to: int, base: int, ratio: Ints, inverse: float, least: int) -> None:
    """A rounded share of a row, but not less than an amount; ratio is whole part, f, q, and where it rounds up."""
    new, of = x[to], x[base]
    more, f, q, up = ratio[0], ratio[1], ratio[2], ratio[3]
    for lane in range(len(new)):
        whole, left = floor_share(of[lane], f, q, inverse)
        new[lane] = max(least, of[lane] * more + whole + np.int64(left >= up))


@njit(cache=True)
def tiers(x: Ints, to: int, limits: Ints, ratios: Ints, inverses: Floats) -> None:
    """Rounded once: what marginal tiers give on cumulative collections, less what they gave before today's."""
    q, up = ratios[0, 2], ratios[0, 3]
    for lane in range(x.shape[1]):
        now = x[CUMULATIVE, lane]
        before = now - x[CREDITED, lane]
        total, left = np.int64(0), np.int64(0)
        for tier in range(len(limits)):
            low, high = limits[tier, 0], limits[tier, 1]
            inside = max(0, min(now, high) - low) - max(0, min(before, high) - low)
            whole, rest = floor_share(inside, ratios[tier, 1], q, inverses[tier])
            total += inside * ratios[tier, 0] + whole
            left += rest
        total += left // q
        x[to, lane] = total + np.int64(left % q >= up)


@njit(cache=True)
def plus(x: Ints, to: int, amount: int) -> None:
    """An amount onto a row."""
    row = x[to]
    for lane in range(len(row)):
        row[lane] += amount


@njit(cache=True)
def add(x: Ints, to: int, of: int) -> None:
    """A row onto another."""
    row, new = x[to], x[of]
    for lane in range(len(row)):
        row[lane] += new[lane]


@njit(cache=True)
def capped(x: Ints, of: int, within: int, over: int, cap: int) -> None:
    """What is new goes to one ledger up to a cap, and to another beyond it."""
    new, low, high = x[of], x[within], x[over]
    for lane in range(len(new)):
        part = min(new[lane], cap)
        low[lane] += part
        high[lane] += new[lane] - part


@njit(cache=True)
def interest(
    x: Ints,
    due: int,
    base: int,
    current: int,
    on_unpaid: int,
    ratio: Ints,
    inverse: float,
    compounds: int,
) -> None:
    """Interest of a class: on its balance, and on what is unpaid, each rounded by itself, into its ledger."""
    owed, balance, new, more = x[due], x[base], x[current], x[on_unpaid]
    whole_part, f, q, up = ratio[0], ratio[1], ratio[2], ratio[3]
    for lane in range(len(owed)):
        amount = balance[lane]
        whole, left = floor_share(amount, f, q, inverse)
        new[lane] = amount * whole_part + whole + np.int64(left >= up)
    if compounds:
        for lane in range(len(owed)):
            amount = max(owed[lane], 0)
            whole, left = floor_share(amount, f, q, inverse)
            more[lane] = amount * whole_part + whole + np.int64(left >= up)
            owed[lane] += new[lane] + more[lane]
    else:
        for lane in range(len(owed)):
            owed[lane] += new[lane]


@njit(cache=True)
def pay(x: Ints, due: int, paid: int) -> None:
    """What is due, as far as cash reaches."""
    cash, owed, gone = x[CASH], x[due], x[paid]
    for lane in range(len(cash)):
        amount = min(max(owed[lane], 0), cash[lane])
        owed[lane] -= amount
        gone[lane] += amount
        cash[lane] -= amount


@njit(cache=True)
def rata(x: Ints, pairs: Ints, half: int) -> None:
    """Several dues, ranking equally: in proportion, by cumulative rounding, where cash falls short."""
    count = len(pairs) // 2
    for lane in range(x.shape[1]):
        total = np.int64(0)
        for place in range(count):
            total += max(x[pairs[2 * place], lane], 0)
        amount = min(total, x[CASH, lane])
        if amount == 0:
            continue
        run, done = np.int64(0), np.int64(0)
        for place in range(count):
            due = max(x[pairs[2 * place], lane], 0)
            run += due
            upto = run if amount == total else rounded_quotient(amount, run, total, half)
            x[pairs[2 * place], lane] -= upto - done
            x[pairs[2 * place + 1], lane] += upto - done
            done = upto
        x[CASH, lane] -= amount


@njit(cache=True)
def principal(x: Ints, pairs: Ints, least: Ints, mode: int, half: int) -> None:
    """Balances down to what is least today: in sequence, in proportion, or as the recovery trigger says."""
    count = len(pairs) // 2
    if mode == SEQUENCE:
        for place in range(count):
            cash, owed, gone = x[CASH], x[pairs[2 * place]], x[pairs[2 * place + 1]]
            floor = least[place]
            for lane in range(len(cash)):
                amount = min(max(owed[lane] - floor, 0), cash[lane])
                owed[lane] -= amount
                gone[lane] += amount
                cash[lane] -= amount
        return
    for lane in range(x.shape[1]):
        total = np.int64(0)
        for place in range(count):
            total += max(x[pairs[2 * place], lane] - least[place], 0)
        amount = min(total, x[CASH, lane])
        if amount == 0:
            continue
        sequential = mode == BY_TRIGGER and x[SEQUENTIAL, lane] != 0
        run, done = np.int64(0), np.int64(0)
        for place in range(count):
            run += max(x[pairs[2 * place], lane] - least[place], 0)
            upto = min(amount, run)
            if not sequential and amount != total:
                upto = rounded_quotient(amount, run, total, half)
            x[pairs[2 * place], lane] -= upto - done
            x[pairs[2 * place + 1], lane] += upto - done
            done = upto
        x[CASH, lane] -= amount


@njit(cache=True)
def take(x: Ints, paid: int, ratio: Ints, inverse: float) -> None:
    """A rounded share of the cash that is left."""
    cash, gone = x[CASH], x[paid]
    for lane in range(len(cash)):
        whole, left = floor_share(cash[lane], ratio[1], ratio[2], inverse)
        amount = cash[lane] * ratio[0] + whole + np.int64(left >= ratio[3])
        gone[lane] += amount
        cash[lane] -= amount


@njit(cache=True)
def set_aside(
    x: Ints,
    pairs: Ints,
    ratios: Ints,
    inverses: Floats,
    constant: Ints,
    limits: Ints,
) -> None:
    """The reserve: a formula linear in balances before today's principal, rounded once and kept within limits.

    Nothing is set aside on a final date, after an event of default, or once the seniors are repaid.
    """
    q, up = constant[2], constant[3]
    target, rest, cash, kept = x[TARGET], x[FREE], x[CASH], x[RESERVE]
    final, mode, senior = x[FINAL], x[MODE], x[SENIOR_BALANCES]
    target[:] = constant[0]
    rest[:] = constant[1]
    for place in range(len(pairs) // 2):
        owed, paid = x[pairs[2 * place]], x[pairs[2 * place + 1]]
        more, f, inverse = ratios[place, 0], ratios[place, 1], inverses[place]
        for lane in range(len(cash)):
            amount = owed[lane] + paid[lane]
            whole, left = floor_share(amount, f, q, inverse)
            target[lane] += amount * more + whole
            rest[lane] += left
            over = np.int64(rest[lane] >= q)
            rest[lane] -= over * q
            target[lane] += over
    least, most = limits[0], limits[1]
    for lane in range(len(cash)):
        wanted = min(max(target[lane] + np.int64(rest[lane] >= up), least), most)
        open_ = np.int64(final[lane] == 0) * np.int64(mode[lane] == 0) * np.int64(senior[lane] > 0)
        target[lane] = wanted * open_
        amount = min(cash[lane], wanted * open_)
        kept[lane] += amount
        cash[lane] -= amount


@njit(cache=True)
def split_rest(x: Ints, paid: Ints, ratios: Ints, inverses: Floats) -> None:
    """All that is left, by shares, by cumulative rounding; the last one takes the rest."""
    cash, whole_of, done = x[CASH], x[EXCESS], x[FREE]
    for lane in range(len(cash)):
        whole_of[lane] += cash[lane]
        done[lane] = 0
    for place in range(len(paid)):
        gone = x[paid[place]]
        if place == len(paid) - 1:
            for lane in range(len(cash)):
                gone[lane] += cash[lane] - done[lane]
            continue
        more, f, q, up = ratios[place, 0], ratios[place, 1], ratios[place, 2], ratios[place, 3]
        inverse = inverses[place]
        for lane in range(len(cash)):
            whole, left = floor_share(cash[lane], f, q, inverse)
            upto = cash[lane] * more + whole + np.int64(left >= up)
            gone[lane] += upto - done[lane]
            done[lane] = upto
    cash[:] = 0


@njit(cache=True)
def merge(x: Ints, of: int, to: int) -> None:
    """After an event of default, one ledger into another."""
    for lane in range(x.shape[1]):
        if x[MODE, lane]:
            x[to, lane] += x[of, lane]
            x[of, lane] = 0
