"""What every way out answers: may it be taken, and what does it bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from arrears.channels.situation import Flags, Floats, Situation

CAPACITIES = (
    "court_filings",
    "call_hours",
    "visits",
    "restructure_offers",
    "transfer_claim",
    "securitise_claim",
    "income_rights_claim",
    "npl_removed",
    "cash_cost",
)


@dataclass(frozen=True)
class Bar:
    """What bars a loan from a way: article and reason, and the paths of the rulebook's values that it rests on."""

    article: str
    reason: str
    rests: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """As `offers.parquet` has it."""
        return f"{self.article}: {self.reason}"


@dataclass(frozen=True)
class Permit:
    """Whether each loan may take a way at a start month, by law, holder and date alone.

    Attributes:
        blocked: number of the first bar that applies in `bars` (n,); -1 where none does.
        after_reclass: would it be allowed, if reported as the rules class it (n,).
        bars: what bars.
    """

    blocked: np.ndarray[tuple[int], np.dtype[np.int8]]
    after_reclass: Flags
    bars: tuple[Bar, ...]

    @property
    def eligible(self) -> Flags:
        """(n,)"""
        return np.asarray(self.blocked < 0)


@dataclass(frozen=True)
class Outcome:
    """What a way brings from a start month on, (n,) each, fen; cash before the start is in it.

    Attributes:
        pv: present value of cash less cost, before tax.
        cash, cost: undiscounted.
        months: mean month of the cash.
        capital_freed, provision_released: None where nothing is.
        uses: what it takes of each capacity; a name left out takes nothing. `cash_cost` is `cost`.
    """

    pv: Floats
    cash: Floats
    cost: Floats
    months: Floats
    capital_freed: Floats | None = None
    provision_released: Floats | None = None
    uses: dict[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class PoolTerms:
    """A way that takes loans in packages.

    Attributes:
        fixed_cost: of a package whatever its size, fen.
        minimum_claim: its smallest size, fen.
        largest_loan: largest claim in it, fen.
        most: the most of its claim in one word of a column, by column.
    """

    fixed_cost: float
    minimum_claim: float
    largest_loan: float = np.inf
    most: Mapping[str, float] = field(default_factory=dict)


class Channel(Protocol):
    """One way out: a file of this room."""

    NAME: str

    @staticmethod
    def permit(situation: Situation, start: int) -> Permit:
        """May it be taken from a start month on."""

    @staticmethod
    def outcome(situation: Situation, start: int) -> Outcome:
        """What it brings."""

    @staticmethod
    def pool(situation: Situation) -> PoolTerms | None:
        """Terms of its packages; None where loans go one by one."""

    @staticmethod
    def package(situation: Situation) -> np.ndarray[tuple[int], np.dtype[np.int64]] | None:
        """Loans with different numbers never share a package (n,)."""


class Bars:
    """Collects what bars loans from a way; the first bar that applies is the one told."""

    def __init__(self, loans: int) -> None:
        self._blocked = np.full(loans, -1, dtype=np.int8)
        self._bars: list[Bar] = []
        self._reclass = np.zeros(loans, dtype=np.bool_)

    def bar(self, where: Flags | bool, article: str, reason: str, *rests: str) -> None:
        """These loans may not take the way, by an article and the values at some paths of the rulebook."""
        self._bars.append(Bar(article, reason, rests))
        fresh = (self._blocked < 0) & np.broadcast_to(where, self._blocked.shape)
        self._blocked[fresh] = len(self._bars) - 1

    def bar_unless_reported(
        self, reported: Flags, by_rule: Flags, article: str, *rests: str
    ) -> None:
        """These loans may not take the way as reported; call it last."""
        self._reclass = (self._blocked < 0) & by_rule
        self.bar(~reported, article, "not reported as non-performing", *rests)

    def permit(self) -> Permit:
        """The bars so far."""
        after = (self._blocked < 0) | self._reclass
        return Permit(self._blocked, np.asarray(after), tuple(self._bars))


def no_pool(situation: Situation) -> None:
    """Loans go one by one."""
