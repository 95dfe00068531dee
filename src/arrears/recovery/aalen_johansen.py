"""The Aalen-Johansen estimator: where subjects of several states are after each time, with late entry and censoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arrears.core.compiled import njit
from arrears.errors import BadArgument
from arrears.recovery.params import Floats

Whole = npt.ArrayLike


@dataclass(frozen=True)
class Curves:
    """Chances of being in each state after each time at which somebody moved.

    Attributes:
        times: (T,) in order.
        chance: (T, s, s), from the row's state at the beginning to the column's state.
        se: (T, s, s), their standard errors.
    """

    times: Floats
    chance: Floats
    se: Floats

    def at(self, time: float) -> Floats:
        """Chances (s, s) after `time`: those of the last move by then, nobody having moved before the first."""
        place = int(np.searchsorted(self.times, time, side="right"))
        found: Floats = self.chance[place - 1] if place else np.eye(self.chance.shape[1])
        return found


def aalen_johansen(
    start: Whole, stop: Whole, origin: Whole, target: Whole, *, states: int
) -> Curves:
    """Estimate from sojourns (n,): a subject is in `origin` from just after `start` until `stop`, then in `target`.

    Product of the matrices I + dA over the times of moves, dA being moves over those at risk (Aalen and Johansen 1978);
    standard errors by the recursion of Greenwood's type (Andersen, Borgan, Gill and Keiding 1993, 4.4.19).

    Args:
        target: -1 where the subject goes out of sight.
        states: how many states there are.

    Raises:
        BadArgument: lengths differ, a sojourn ends before it begins, or a state that there is not.
    """
    begins, ends = np.asarray(start, dtype=np.float64), np.asarray(stop, dtype=np.float64)
    here, there = np.asarray(origin, dtype=np.int64), np.asarray(target, dtype=np.int64)
    if len({len(column) for column in (begins, ends, here, there)}) != 1:
        raise BadArgument("Sojourns need a start, a stop, an origin and a target each.")
    if (ends <= begins).any():
        raise BadArgument("A sojourn ends before it begins.")
    if (here < 0).any() or (here >= states).any() or (there < -1).any() or (there >= states).any():
        raise BadArgument(f"A state outside 0 to {states - 1}.")
    moved = (there >= 0) & (there != here)
    times = np.unique(ends[moved])
    enters = np.searchsorted(times, begins, side="right")
    leaves = np.searchsorted(times, ends, side="right")
    moves = _moves(enters, leaves, (here, there), (len(times), states))
    return from_moves(moves, times)


def from_moves(moves: Floats, times: Floats | None = None) -> Curves:
    """Estimate from moves at each time (T, s, s), stays on the diagonal; a row adds up to those at risk."""
    chance, se = _product(np.ascontiguousarray(moves, dtype=np.float64))
    shown = np.arange(1.0, len(moves) + 1.0) if times is None else times
    return Curves(shown, chance, se)


@njit(cache=True)
def _moves(enters, leaves, moves_of, shape):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Moves and stays at each time; at risk at a time is who entered before it and leaves then or later."""
    here, there = moves_of
    count, states = shape
    change = np.zeros((count + 1, states))
    moves = np.zeros((count, states, states))
    for k in range(len(here)):
        change[enters[k], here[k]] += 1.0
        change[leaves[k], here[k]] -= 1.0
        if there[k] >= 0 and there[k] != here[k]:
            moves[leaves[k] - 1, here[k], there[k]] += 1.0
    risk = np.zeros(states)
    for t in range(count):
        for s in range(states):
            risk[s] += change[t, s]
            moves[t, s, s] = risk[s] - moves[t, s].sum()
    return moves


@njit(cache=True)
def _product(moves):  # type: ignore[no-untyped-def]  # noqa: C901  # pragma: no cover
    """Chances and standard errors after each time. Of a row p of chances: V <- M' V M + sum over g of p_g^2 V_g."""
    count, s = moves.shape[0], moves.shape[1]
    chance, se = np.zeros((count, s, s)), np.zeros((count, s, s))
    now, spread = np.zeros((s, s)), np.zeros((s, s, s))
    for h in range(s):
        now[h, h] = 1.0
    step, risk, half = np.zeros((s, s)), np.zeros(s), np.zeros((s, s))
    for t in range(count):
        for g in range(s):
            risk[g] = moves[t, g].sum()
            for j in range(s):
                step[g, j] = 1.0 if g == j and risk[g] <= 0.0 else 0.0
                if risk[g] > 0.0:
                    step[g, j] = moves[t, g, j] / risk[g]
        for h in range(s):
            _times(spread[h], step, half)
            for j in range(s):
                for k in range(j, s):
                    total = 0.0
                    for g in range(s):
                        total += step[g, j] * half[g, k]
                        if risk[g] > 0.0:
                            same = step[g, j] if j == k else 0.0
                            total += now[h, g] ** 2 * (same - step[g, j] * step[g, k]) / risk[g]
                    spread[h, j, k] = total
                    spread[h, k, j] = total
                se[t, h, j] = np.sqrt(max(spread[h, j, j], 0.0))
        _times(now, step, half)
        now[:] = half
        chance[t] = now
    return chance, se


@njit(cache=True)
def _times(a, b, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """The product of two square matrices; BLAS would take longer to compile than to run."""
    for j in range(len(a)):
        for k in range(len(a)):
            total = 0.0
            for g in range(len(a)):
                total += a[j, g] * b[g, k]
            out[j, k] = total
