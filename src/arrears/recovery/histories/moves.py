"""Moves between states counted in one pass over all loan-months; the counts of parts add up to those of the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arrears.recovery.histories import kernels
from arrears.recovery.histories.paths import Paths
from arrears.recovery.histories.states import STATES
from arrears.recovery.params import Floats, Ints


@dataclass(frozen=True)
class Moves:
    """Moves from one month to the next, by month of departure, product, changed terms, from and to (M, P, 2, S, S).

    Attributes:
        n: loans.
        owed: their balances in fen, of loans whose balance is known.
        square: sums of squared balances.
    """

    n: Ints
    owed: Ints
    square: Floats

    def __add__(self, other: Moves) -> Moves:
        """The moves of two parts of a tape that begin in the same month and name the same products."""
        return Moves(self.n + other.n, self.owed + other.owed, self.square + other.square)


def count(paths: Paths) -> Moves:
    """Count the moves of all loans. Months that do not follow each other are no move; an end counts once."""
    shape = (paths.months, max(len(paths.products), 1), 2, len(STATES), len(STATES))
    n, owed, square = (
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape),
    )
    kernels.count(
        (paths.first, paths.month, paths.state, paths.balance),
        (paths.ended, paths.product, paths.eased),
        n,
        (owed, square),
    )
    return Moves(n, owed, square)
