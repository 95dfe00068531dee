"""A book that has lived, and what its loans were called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from validation.worlds.keeping import Log
from validation.worlds.lending import Book
from validation.worlds.managers import Managers


@dataclass(frozen=True)
class Made:
    """A book that has lived; `cut` is the month of the cut-off date, `window` the first one on the tape."""

    as_of: date
    cut: int
    window: int
    book: Book
    bank: Managers
    log: Log

    @cached_property
    def renewed(self) -> np.ndarray:
        """Loans that another took the place of by the cut-off date."""
        return (self.book.switched >= 0) & (self.book.switched <= self.cut)

    def column(self, name: str) -> np.ndarray:
        """(loans, months)."""
        return np.stack([month[name] for month in self.log.months], axis=1)

    @cached_property
    def names(self) -> np.ndarray:
        """(2, loans): the id of a loan, and of the one that took its place."""
        numbers = range(len(self.renewed))
        return np.array([[f"{letter}{number:06d}" for number in numbers] for letter in "LR"])

    def ids(self, loan: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Ids as they were in those months."""
        later = self.renewed[loan] & (month > self.book.switched[loan])
        return self.names[later.astype(np.int64), loan]
