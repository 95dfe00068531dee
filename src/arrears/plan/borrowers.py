"""Borrowers with several loans: nobody is offered new terms for one of them and sued for another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arrears.channels import CHANNELS, STARTS
from arrears.plan.kernels import Floats, Ints

_APART = ("restructure", "litigate")


def contradicting(borrower: Ints, value: Floats, column: Ints) -> npt.NDArray[np.bool_]:
    """Offers to bar (n, 18), so that nobody is offered new terms for one loan and sued for another.

    Of the two the one stays that is worth more for the borrower's loans together.

    Args:
        borrower: number of each loan's borrower (n,), below n.
    """
    count, channel = len(column), column // len(STARTS)
    taken = [np.flatnonzero(channel == CHANNELS.index(name)) for name in _APART]
    there = np.zeros((len(_APART), count), dtype=np.bool_)
    for place, rows in enumerate(taken):
        there[place, borrower[rows]] = True
    both = there[0] & there[1]
    bars = np.zeros(value.shape, dtype=np.bool_)
    if not both.any():
        return bars
    worth = []
    for rows in taken:
        mine = rows[both[borrower[rows]]]
        worth.append(np.bincount(borrower[mine], value[mine, column[mine]], minlength=count))
    suit = worth[1] > worth[0]
    for name, whose in zip(_APART, (both & suit, both & ~suit), strict=True):
        first = CHANNELS.index(name) * len(STARTS)
        bars[np.flatnonzero(whose[borrower]), first : first + len(STARTS)] = True
    return bars
