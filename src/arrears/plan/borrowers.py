"""Borrowers with several loans: nobody is offered new terms for one of them and sued for another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels import CHANNELS, STARTS
from arrears.plan.kernels import Floats, Ints


def numbers_of(borrowers: pl.Series) -> Ints:
    """A number of each loan's borrower (n,): the row of his first loan."""
    row = pl.Series("row", np.arange(len(borrowers)))
    first = pl.col("row").first().over("borrower")
    numbers: Ints = (
        pl.DataFrame({"borrower": borrowers, "row": row}).select(first)["row"].to_numpy()
    )
    return numbers


def contradicting(borrower: Ints, value: Floats, column: Ints) -> npt.NDArray[np.bool_]:
    """Offers to bar (n, 18), so that nobody is offered new terms for one loan and sued for another.

    Of the two the one stays that is worth more for the borrower's loans together.

    Args:
        borrower: number of each loan's borrower (n,), below n.
    """
    count, channel = len(column), column // len(STARTS)
    worth, there = [], []
    for name in ("restructure", "litigate"):
        mine = np.flatnonzero(channel == CHANNELS.index(name))
        sums = np.bincount(borrower[mine], weights=value[mine, column[mine]], minlength=count)
        worth.append(sums)
        there.append(np.bincount(borrower[mine], minlength=count) > 0)
    both, suit = there[0] & there[1], worth[1] > worth[0]
    bars = np.zeros(value.shape, dtype=np.bool_)
    for name, whose in (("restructure", both & suit), ("litigate", both & ~suit)):
        first = CHANNELS.index(name) * len(STARTS)
        bars[np.flatnonzero(whose[borrower]), first : first + len(STARTS)] = True
    return bars
