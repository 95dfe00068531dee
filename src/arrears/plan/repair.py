"""A plan that keeps every limit, from the choices at some prices: loans move where it costs least."""

from __future__ import annotations

import numpy as np

from arrears.plan import kernels
from arrears.plan.choices import Choices
from arrears.plan.kernels import Floats, Ints

_ROUNDS = 12


def broken_limits(choices: Choices, used: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Limits that are not kept where so much is used (m,)."""
    return above(used, choices.high) | above(-used, -choices.low)


def above(used: Floats, high: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Ceilings (m,) that so much exceeds, by more than rounding."""
    return np.asarray(used > high + 1e-9 * np.maximum(1.0, np.abs(used)))


def mended(choices: Choices, prices: Floats) -> tuple[Ints, Floats]:
    """A plan near the choices at these prices that keeps every limit, if one is found; and what it uses (m,)."""
    c = choices
    chosen = kernels.best_choices(c.menu, prices)[2]
    used = c.used(chosen)
    users: _Users | None = None
    for _ in range(_ROUNDS):
        broken = np.flatnonzero(broken_limits(c, used))
        if len(broken) == 0:
            break
        users = users or _Users(c)
        for tight in broken:
            sign = 1.0 if used[tight] > c.high[tight] else -1.0
            among = users.of(int(tight))
            cost = kernels.relief(among, c.menu, prices, chosen, int(tight), sign)
            order = np.argsort(cost, kind="stable")
            order = among[order[np.isfinite(cost[order])]]
            kernels.mend(order, c.menu, prices, chosen, used, c.low, c.high, int(tight), sign)
    return chosen, used


def repaired(choices: Choices, prices: Floats) -> tuple[Ints, Floats]:
    """As `mended`, and with every move that fits and raises the value."""
    c = choices
    chosen, used = mended(c, prices)
    for _ in range(_ROUNDS):
        rank = kernels.gains(c.menu, prices, chosen)
        order = np.argsort(-rank, kind="stable")
        order = order[np.isfinite(rank[order])]
        if not kernels.improve(order, c.menu, prices, chosen, used, c.low, c.high):
            break
    return chosen, c.used(chosen)


class _Users:
    """The loans that may use each capacity."""

    def __init__(self, choices: Choices) -> None:
        owner = np.repeat(np.arange(len(choices.first) - 1), np.diff(choices.start[choices.first]))
        order = np.argsort(choices.cap, kind="stable")
        self._loans = owner[order]
        self._first = np.searchsorted(choices.cap[order], np.arange(len(choices.low) + 1))

    def of(self, number: int) -> Ints:
        """Those of one capacity, sorted."""
        loans = self._loans[self._first[number] : self._first[number + 1]]
        fresh = np.ones(len(loans), dtype=np.bool_)
        fresh[1:] = loans[1:] != loans[:-1]
        return loans[fresh]
