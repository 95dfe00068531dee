"""Defaults under a common factor: Vasicek's quantiles, and the capital that Basel asks for retail loans.

These are for stress in the manner of capital rules; correlations of expected simulations are lower (METHODS 2.3).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy

from arrears.errors import BadArgument
from arrears.recovery.params import Floats

RetailClass = Literal["mortgage", "qualifying_revolving", "other_retail"]
# Basel II, paragraphs 328 to 330 (METHODS 2.3); an international standard, not China's law.
_CONFIDENCE, _MULTIPLE = 0.999, 12.5
_MORTGAGE, _REVOLVING = 0.15, 0.04
_LEAST, _MOST, _FALL = 0.03, 0.16, 35.0


def correlation(default: Floats, kind: RetailClass) -> Floats:
    """Asset correlation of a retail class by its probability of default a year.

    Raises:
        BadArgument: no such class.
    """
    chance = np.asarray(default, dtype=np.float64)
    if kind == "mortgage":
        return np.full_like(chance, _MORTGAGE)
    if kind == "qualifying_revolving":
        return np.full_like(chance, _REVOLVING)
    if kind != "other_retail":
        raise BadArgument(f"No retail class {kind!r}.")
    weight = (1.0 - np.exp(-_FALL * chance)) / (1.0 - np.exp(-_FALL))
    found: Floats = _LEAST * weight + _MOST * (1.0 - weight)
    return found


def default_quantile(default: Floats, rho: Floats | float, confidence: float) -> Floats:
    """Default rate that a large pool exceeds with probability 1 - confidence (Vasicek 1987).

    Args:
        default: probabilities of default, in (0, 1).
        rho: asset correlation, in [0, 1).

    Raises:
        BadArgument: a probability or correlation outside these.
    """
    chance, shared = np.asarray(default, dtype=np.float64), np.asarray(rho, dtype=np.float64)
    if ((chance <= 0.0) | (chance >= 1.0)).any() or not 0.0 < confidence < 1.0:
        raise BadArgument("Probabilities lie between 0 and 1, the ends left out.")
    if ((shared < 0.0) | (shared >= 1.0)).any():
        raise BadArgument("A correlation lies from 0 to below 1.")
    pushed = scipy.special.ndtri(chance) + np.sqrt(shared) * scipy.special.ndtri(confidence)
    rate: Floats = scipy.special.ndtr(pushed / np.sqrt(1.0 - shared))
    return rate


def risk_weight(default: Floats, loss: float, kind: RetailClass) -> Floats:
    """Risk weight of a retail exposure (1 = 100 %) without the former factor of 1.06.

    Args:
        default: probabilities of default a year.
        loss: share lost if it happens.
    """
    chance = np.asarray(default, dtype=np.float64)
    stressed = default_quantile(chance, correlation(chance, kind), _CONFIDENCE)
    return _MULTIPLE * loss * (stressed - chance)
