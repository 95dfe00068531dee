"""Yields and prices of many streams of cash at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_ROUNDS = 60


def yields(flows: Floats, span: Floats, cost: Floats | float) -> Floats:
    """Rate a year at which each stream is worth its cost (S,); NaN where nothing comes back or nothing was paid.

    The log of a stream's worth is convex and falls in ln(1 + r), so that Newton's method closes in from one side.

    Args:
        flows: (T, S), none negative.
        span: years from the payment of the cost (T,), above 0.
        cost: (S,) or one for all, above 0.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(flows)
        wanted = np.broadcast_to(np.log(np.asarray(cost, np.float64)), flows.shape[1:])
    good = (flows > 0.0).any(axis=0) & np.isfinite(wanted)
    found = np.full(flows.shape[1], np.nan)
    logs, wanted = logs[:, good], wanted[good]
    force = np.zeros(logs.shape[1])
    for _ in range(_ROUNDS):
        terms = logs - span[:, None] * force
        top = terms.max(axis=0, initial=-np.inf)
        worth = np.exp(terms - top)
        total = worth.sum(axis=0)
        step = (top + np.log(total) - wanted) * total / (span[:, None] * worth).sum(axis=0)
        force += step
        if not (np.abs(step) > 1e-14 * (1.0 + np.abs(force))).any():
            break
    found[good] = np.expm1(force)
    return found


def worth(flows: Floats, span: Floats, rate: float) -> float:
    """Worth of a stream (T,) at a rate a year."""
    return float((flows * (1.0 + rate) ** -span).sum())
