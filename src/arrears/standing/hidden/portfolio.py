"""Portfolio estimators of what is hidden (METHODS 3.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Z95 = 1.959963984540054


@dataclass(frozen=True)
class Gap:
    """What an inspection found.

    Attributes:
        share, lo95, hi95: of the loans looked into, those found hidden, with Wilson's interval.
        gap: hidden found over reported bad among them; None where none is reported.
    """

    looked_into: int
    found: int
    share: float
    lo95: float
    hi95: float
    gap: float | None


def overdue_to_reported(overdue_90: float, reported: float) -> float | None:
    """Claims more than 90 days past due over claims reported bad (3.3.1); over 1, too little is reported."""
    return overdue_90 / reported if reported > 0 else None


def wilson(found: int, looked_into: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927); (0, 1) where nothing was looked into."""
    if looked_into == 0:
        return 0.0, 1.0
    share, z2 = found / looked_into, Z95**2
    middle = (share + z2 / (2 * looked_into)) / (1 + z2 / looked_into)
    half = share * (1 - share) / looked_into + z2 / (4 * looked_into**2)
    width = Z95 * math.sqrt(half) / (1 + z2 / looked_into)
    return max(0.0, middle - width), min(1.0, middle + width)


def inspection_gap(hidden: npt.NDArray[np.bool_], reported: int) -> Gap:
    """The inspection gap (3.3.2) of loans looked into (n,).

    Args:
        reported: loans among them that were reported bad.
    """
    looked, found = len(hidden), int(hidden.sum())
    low, high = wilson(found, looked)
    share = found / looked if looked else 0.0
    return Gap(looked, found, share, low, high, found / reported if reported else None)


def counterfactual_roll(
    at_risk: npt.NDArray[np.float64],
    expected: npt.NDArray[np.float64],
    observed: npt.NDArray[np.float64],
) -> float:
    """Claims that should have rolled from 61-90 to more than 90 days and did not (3.3.3).

    Args:
        at_risk: claims in 61-90 days by month (m,).
        expected: roll rates of a period or branch without management (m,).
        observed: claims that did roll (m,).
    """
    return float((at_risk * expected - observed).sum())


def capture_recapture(first: int, second: int, both: int) -> float | None:
    """How many there are, from two independent detectors (3.3.5, Lincoln-Petersen); None where they share none."""
    return first * second / both if both else None
