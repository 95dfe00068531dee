"""Days past due with a known share moved from just above a threshold to just below it (METHODS 3.2).

The Chinese rule is *more than* ninety days, so the notch lies between 90 and 91.
"""

from __future__ import annotations

import numpy as np
import polars as pl

MEAN, ABOVE, BELOW = 40.0, 7, 6


def days(
    loans: int = 400_000,
    *,
    share: float = 0.3,
    threshold: int = 90,
    seed: int = 0,
) -> tuple[np.ndarray, int]:
    """Days past due, exponential with a mean of 40, and how many loans were moved.

    Args:
        share: of the loans up to seven days past the threshold, moved to its last six days; 0 is the null.
        threshold: the last day that is not yet bad.
    """
    stream = np.random.default_rng([seed, threshold])
    true = np.floor(stream.exponential(MEAN, loans)).astype(np.int64)
    near = (true > threshold) & (true <= threshold + ABOVE)
    moved = near & (stream.random(loans) < share)
    shown = np.where(moved, threshold - stream.integers(0, BELOW, loans), true)
    return shown, int(moved.sum())


def book(
    branches: int = 20, *, loans: int = 20_000, share: float = 0.3, seed: int = 0
) -> pl.DataFrame:
    """`lender, branch, days_past_due, moves`: every other branch moves that share, the others none."""
    parts = [
        pl.DataFrame(
            {
                "lender": "Eastern Rural Bank",
                "branch": f"branch {number:03d}",
                "days_past_due": days(loans, share=share * (number % 2), seed=seed * 1000 + number)[
                    0
                ],
                "moves": bool(number % 2),
            }
        )
        for number in range(branches)
    ]
    return pl.concat(parts)
