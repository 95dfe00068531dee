"""Loops over all loan-months, compiled: each reads the rows once, loan after loan."""

from __future__ import annotations

import numpy as np

from arrears.core.compiled import njit
from arrears.recovery.histories.states import BAD, CLOSED, EDGES, UNKNOWN, WRITTEN_OFF

# Months in a state beyond which no more is told apart, and the ages (months) at which bands begin.
LONGEST = 12
BANDS = np.array([0, 7, 13, 25, 37, 61], dtype=np.int32)
FIRST = 5


@njit(cache=True)
def states(first, month, days, balance, ends, horizon):  # type: ignore[no-untyped-def]  # pragma: no cover
    """State of each row, and of each loan in the month after its last row."""
    leaves, leaves_in, empty, card = ends
    state = np.full(len(month), UNKNOWN, dtype=np.int8)
    ended = np.full(len(first) - 1, UNKNOWN, dtype=np.int8)
    for loan in range(len(first) - 1):
        low, high = first[loan], first[loan + 1]
        paid = high
        owing = empty[loan]
        for row in range(low, high):
            owing = owing or balance[row] > 0
        while (
            owing
            and not card[loan]
            and paid > low
            and balance[paid - 1] == 0
            and days[paid - 1] <= 0
        ):
            paid -= 1
        over = False
        for row in range(low, high):
            if month[row] >= leaves_in[loan]:
                state[row] = leaves[loan]
                over = True
            elif row >= paid:
                state[row] = CLOSED
                over = True
            elif days[row] >= 0:
                level = 0
                for edge in EDGES:
                    if days[row] > edge:
                        level += 1
                state[row] = level
            if over:
                break
        after = month[high - 1] + 1
        if not over and after <= horizon:
            if leaves_in[loan] == after:
                ended[loan] = leaves[loan]
            elif empty[loan] and not card[loan]:
                ended[loan] = CLOSED
    return state, ended


@njit(cache=True)
def count(rows, loans, n, sums):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add every move to `n`, its balance and the square of it to `sums`."""
    first, month, state, balance = rows
    ended, product, eased = loans
    owed, square = sums
    for loan in range(len(first) - 1):
        low, high = first[loan], first[loan + 1]
        kind, change = product[loan], eased[loan]
        for row in range(low, high):
            start = state[row]
            if start < 0 or start > BAD:
                continue
            end = _after(row, high, month, state, ended[loan])
            if end < 0:
                continue
            new = 1 if month[row] >= change else 0
            n[month[row], kind, new, start, end] += 1
            if balance[row] >= 0:
                owed[month[row], kind, new, start, end] += balance[row]
                square[month[row], kind, new, start, end] += float(balance[row]) ** 2


@njit(cache=True)
def _after(row, high, month, state, ended):  # type: ignore[no-untyped-def]  # pragma: no cover
    """State in the month after a row; -1 where it is not seen."""
    if row + 1 < high:
        return state[row + 1] if month[row + 1] == month[row] + 1 else UNKNOWN
    return ended


@njit(cache=True)
def _add(sums, group, time, outcome, balance):  # type: ignore[no-untyped-def]  # pragma: no cover
    counts, owed, square = sums
    counts[group, time, outcome] += 1
    if balance > 0:
        owed[group, time, outcome] += balance
        square[group, time, outcome] += float(balance) ** 2


@njit(cache=True)
def ages(rows, loans, months, sums):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Loans not yet bad by origination year and age: how many stay so, go bad, end otherwise (V, A, 3)."""
    first, month, state, balance = rows
    ended, opened, vintage = loans
    for loan in range(len(first) - 1):
        if opened[loan] >= months:
            continue
        for row in range(first[loan], first[loan + 1]):
            now = state[row]
            if now < 0:
                continue
            if now >= BAD:
                break
            end = _after(row, first[loan + 1], month, state, ended[loan])
            age = month[row] + 1 - opened[loan]
            if end < 0 or age < 1:
                continue
            worse = 1 if end in (BAD, WRITTEN_OFF) else (2 if end > BAD else 0)
            _add(sums, vintage[loan], age - 1, worse, balance[row])


@njit(cache=True)
def clocks(rows, loans, sums, products):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Months since a loan went bad, was cured, got new terms: how many stay, meet the event, end (3 P, T, 3)."""
    first, month, state, balance = rows
    ended, product, eased = loans
    longest = sums[0].shape[1]
    for loan in range(len(first) - 1):
        bad, cured, new = UNKNOWN, UNKNOWN, UNKNOWN
        seen = False
        kind = product[loan]
        for row in range(first[loan], first[loan + 1]):
            now = state[row]
            if now < 0 or now > BAD:
                bad, cured, new, seen = UNKNOWN, UNKNOWN, UNKNOWN, False
                continue
            here = month[row]
            if now == BAD:
                if seen and bad < 0:
                    bad = here
                cured, new = UNKNOWN, UNKNOWN
            elif now == 0 and bad >= 0:
                bad, cured = UNKNOWN, here
            if now < BAD and here == eased[loan]:
                new = here
            seen = now < BAD or bad >= 0
            end = _after(row, first[loan + 1], month, state, ended[loan])
            if end < 0:
                continue
            if bad >= 0 and here - bad < longest:
                outcome = 1 if end == 0 else (2 if end > BAD else 0)
                _add(sums, kind, here - bad, outcome, balance[row])
            worse = 1 if end in (BAD, WRITTEN_OFF) else (2 if end > BAD else 0)
            if cured >= 0 and here - cured < longest:
                _add(sums, products + kind, here - cured, worse, balance[row])
            if new >= 0 and here - new < longest:
                _add(sums, 2 * products + kind, here - new, worse, balance[row])


@njit(cache=True)
def _step(row, low, rows, before, since):  # type: ignore[no-untyped-def]  # pragma: no cover
    """State before and months in the state (from 0) at a row, from those at the row before."""
    _, month, state = rows
    follows = row > low and month[row] == month[row - 1] + 1 and state[row - 1] >= 0
    if not follows:
        return FIRST, 0
    if state[row - 1] == state[row]:
        return before, min(since + 1, LONGEST - 1)
    return state[row - 1], 0


@njit(cache=True)
def _band(age):  # type: ignore[no-untyped-def]  # pragma: no cover
    band = 0
    for edge in BANDS:
        if age >= edge:
            band += 1
    return band


@njit(cache=True)
def cells(rows, loans, when, counts):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Moves by period, state, months in it, age band, product, state before, new terms, and where they lead."""
    first, month, state = rows
    ended, product, eased, opened = loans
    split, months = when
    for loan in range(len(first) - 1):
        low, high = first[loan], first[loan + 1]
        before, since = FIRST, 0
        for row in range(low, high):
            now = state[row]
            if now < 0 or now > BAD:
                continue
            before, since = _step(row, low, rows, before, since)
            end = _after(row, high, month, state, ended[loan])
            if end < 0:
                continue
            band = _band(month[row] - opened[loan]) if opened[loan] < months else 0
            new = 1 if month[row] >= eased[loan] else 0
            late = 0 if month[row] < split else 1
            counts[late, now, since, band, product[loan], before, new, end] += 1


@njit(cache=True)
def last(rows, loans, months, here):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Of each loan in its last row: state, months in it, age band, product, state before, new terms (L, 6)."""
    first, month, state = rows
    product, eased, opened = loans
    for loan in range(len(first) - 1):
        low, high = first[loan], first[loan + 1]
        before, since = FIRST, 0
        for row in range(low, high):
            if state[row] >= 0 and state[row] <= BAD:
                before, since = _step(row, low, rows, before, since)
        row = high - 1
        here[loan, 0] = state[row]
        here[loan, 1] = since
        here[loan, 2] = _band(month[row] - opened[loan]) if opened[loan] < months else 0
        here[loan, 3] = product[loan]
        here[loan, 4] = before
        here[loan, 5] = 1 if month[row] >= eased[loan] else 0
