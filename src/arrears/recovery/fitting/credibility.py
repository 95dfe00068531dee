"""Bühlmann-Straub credibility (METHODS 1.4): how far the experience of a group is believed against that of all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arrears.errors import BadArgument
from arrears.recovery.params import Floats


@dataclass(frozen=True)
class Credibility:
    """Groups i with their experience and what is believed of it.

    Attributes:
        within: s², variance of a ratio of weight 1 about its group's mean.
        between: a, variance of the groups' means; 0 where they differ by no more than chance.
        z: (I,) weight of each group's own mean, 0 to 1.
        mean: (I,) own means; the collective mean where a group has no weight.
        collective: what a group without experience gets.
        premium: (I,) z mean + (1 - z) collective.
    """

    within: float
    between: float
    z: Floats
    mean: Floats
    collective: float
    premium: Floats


def buhlmann_straub(
    ratios: Floats, weights: Floats, *, least_within: float = 0.0, collective: float | None = None
) -> Credibility:
    """Bühlmann-Straub on an unbalanced panel of any shape; one group, one period and no weight at all included.

    Args:
        ratios: (I, n), experience by group and period; ignored where its weight is 0.
        weights: (I, n), not negative.
        least_within: floor of s², e.g. 1 for counts over their expectation (Poisson), which also holds where a
            single period shows no spread.
        collective: what is believed without experience; None for the credibility-weighted mean.

    Raises:
        BadArgument: the arrays differ in shape, or a weight is negative.
    """
    if ratios.shape != weights.shape or ratios.ndim != 2 or (weights < 0).any():
        raise BadArgument("Ratios and weights must be two equal tables, weights not negative.")
    seen = weights > 0
    x = np.where(seen, ratios, 0.0)
    own = weights.sum(axis=1)
    whole = float(own.sum())
    if whole <= 0.0:
        base = 0.0 if collective is None else collective
        flat = np.full(len(own), base)
        return Credibility(least_within, 0.0, np.zeros(len(own)), flat, base, flat)
    grand = float((weights * x).sum() / whole)
    mean = np.divide((weights * x).sum(axis=1), own, out=np.full(len(own), grand), where=own > 0)
    spare = int(seen.sum() - (own > 0).sum())
    squares = float((weights * (x - mean[:, None]) ** 2 * seen).sum())
    within = max(squares / spare if spare > 0 else 0.0, least_within)
    between = _between(own, mean, grand, within)
    z = _z(own, within, between)
    if collective is None:
        collective = float((z * mean).sum() / z.sum()) if z.sum() > 0 else grand
    return Credibility(within, between, z, mean, collective, z * mean + (1.0 - z) * collective)


def _between(own: Floats, mean: Floats, grand: float, within: float) -> float:
    """The estimator of a, floored at 0; 0 for a single group."""
    whole, groups = float(own.sum()), int((own > 0).sum())
    scale = whole**2 - float((own**2).sum())
    if scale <= 0.0:
        return 0.0
    spread = float((own * (mean - grand) ** 2).sum()) - (groups - 1) * within
    return max(whole / scale * spread, 0.0)


def _z(own: Floats, within: float, between: float) -> Floats:
    if between <= 0.0:
        return np.zeros(len(own))
    z: Floats = own * between / (own * between + within)
    return z


def weight_of(experience: Floats, *, within: float, between: float) -> Floats:
    """Weight z of groups whose spread about a known prior is known: w / (w + s²/a)."""
    return _z(np.asarray(experience, dtype=np.float64), max(within, 1e-12), between)


def missing_for(z: float, experience: float, *, within: float, between: float) -> float:
    """Further experience needed for a weight of `z`; 0 where it is there already."""
    needed = z / (1.0 - z) * within / between
    return max(needed - experience, 0.0)
