"""A tape that was read, and what was found on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.problems import Problem
from arrears.tape.mapping import Mapping


@dataclass(frozen=True)
class TapeFiles:
    """Where the tables of a tape lie."""

    loans: Path
    payments: Path | None = None
    months: Path | None = None
    events: Path | None = None
    contacts: Path | None = None


@dataclass(frozen=True)
class Fill:
    """Nulls that a named rule filled."""

    column: str
    rule: str
    rows: int


@dataclass(frozen=True)
class Input:
    """A file that was read."""

    name: str
    path: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Counts:
    """Rows and claims (fen) of the table of loans.

    Attributes:
        closed: accepted loans that owe nothing.
        unreadable_rows: rows whose claim could not be read.
    """

    rows_in: int
    accepted: int
    quarantined: int
    closed: int
    claim_in: int
    claim_accepted: int
    claim_quarantined: int
    unreadable_rows: int


@dataclass(frozen=True)
class Tape:
    """The accepted part of a tape, and the rest of it with its causes.

    Attributes:
        loans: all canonical columns in their order, sorted by `loan_id`, which is unique.
        payments, months, events, contacts: canonical, sorted; None where there was no such file.
        quarantine: `source, row, loan_id, code, column, found, fix`, a row a problem.
    """

    as_of: date
    loans: pl.DataFrame
    payments: pl.DataFrame | None
    months: pl.DataFrame | None
    events: pl.DataFrame | None
    contacts: pl.DataFrame | None
    quarantine: pl.DataFrame
    problems: tuple[Problem, ...]
    fills: tuple[Fill, ...]
    counts: Counts
    inputs: tuple[Input, ...]
    mapping: Mapping

    @cached_property
    def claim(self) -> npt.NDArray[np.int64]:
        """Principal, interest and fees of each loan, fen."""
        return claim(self.loans)


@dataclass(frozen=True)
class Reading:
    """The tape, None where nothing can be done with it, and everything that was found."""

    tape: Tape | None
    problems: tuple[Problem, ...]


def claim(loans: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Principal, interest and fees of each loan, fen; what is null counts nothing."""
    return loans.select(pl.sum_horizontal("principal", "interest", "fees")).to_series().to_numpy()
