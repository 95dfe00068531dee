"""Absorbing chains: where balances that roll from state to state end, and how long they take (METHODS 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arrears.errors import BadArgument
from arrears.recovery.params import Floats

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Absorbed:
    """The long run of a chain whose t transient states lead into r absorbing ones.

    Attributes:
        transient: their places in the chain, in order.
        absorbing: likewise.
        visits: N = (I - Q)^-1 (t, t), months spent in a state, from each state; the first counts.
        ends: B = N R (t, r), probability of ending in each absorbing state.
    """

    transient: tuple[int, ...]
    absorbing: tuple[int, ...]
    visits: Floats
    ends: Floats

    @property
    def months(self) -> Floats:
        """Months until the end, from each transient state (t,)."""
        total: Floats = self.visits.sum(axis=1)
        return total

    def ended(self, balances: Floats) -> Floats:
        """Where balances (t,), or rows of them (k, t), end: (r,) or (k, r)."""
        found: Floats = balances @ self.ends
        return found


def absorbed(chain: Floats, absorbing: Sequence[int] | None = None) -> Absorbed:
    """The long run of a chain by its fundamental matrix (Kemeny and Snell 1960, chapter 3).

    Args:
        chain: (s, s) probabilities of moving in a month, from row to column.
        absorbing: places of the states that end it; those that lead nowhere else, where left out.

    Raises:
        BadArgument: no square matrix of probabilities, no absorbing state, or a state from which none is reached.
    """
    moves = np.asarray(chain, dtype=np.float64)
    if moves.ndim != 2 or moves.shape[0] != moves.shape[1]:
        raise BadArgument(f"A chain of shape {moves.shape}; it must be square.")
    if not np.isfinite(moves).all() or (moves < 0.0).any():
        raise BadArgument("A chain with a probability below 0 or unknown.")
    if np.abs(moves.sum(axis=1) - 1.0).max(initial=0.0) > _ROUNDING:
        raise BadArgument("A row of the chain does not add up to 1.")
    places = range(len(moves))
    last = [k for k in places if moves[k, k] == 1.0] if absorbing is None else list(absorbing)
    if not last:
        raise BadArgument("A chain without an absorbing state never ends.")
    stays = [k for k in places if k not in last]
    inner, out = moves[np.ix_(stays, stays)], moves[np.ix_(stays, last)]
    if not _reaches_an_end(inner, out):
        raise BadArgument("From one of the states no absorbing state can be reached.")
    visits: Floats = np.linalg.inv(np.eye(len(stays)) - inner).astype(np.float64)
    return Absorbed(tuple(stays), tuple(last), visits, visits @ out)


def _reaches_an_end(inner: Floats, out: Floats) -> bool:
    """Whether every transient state leads to an absorbing one in some number of months."""
    reached = (out > 0.0).any(axis=1)
    for _ in range(len(inner)):
        reached |= (inner[:, reached] > 0.0).any(axis=1)
    return bool(reached.all())
