"""All that a way out is judged by, and what the ways share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels.holder import Holder, tax_rate
from arrears.core.dates import add_months
from arrears.recovery import HORIZON, Forecast
from arrears.recovery.forecast import window
from arrears.rules import MarketBook, Rulebook
from arrears.standing import NPL, bad, limitation_ends

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Found = TypeVar("Found")
STARTS = (0, 6, 12)
_DAY_91 = 3


@dataclass(frozen=True)
class Situation:
    """Loans that owe anything (n), in one order, with standing, forecast, law, holder and market.

    Attributes:
        events: what was done to the loans; the limitation rests on them.
        steps_add: what each step to collect adds by cell (`cells.COUNT`, steps); None for the market's figures.
        suits_bring: what cases add by the holder's own suits, over the market's figure.
        terms_broken: chance a month that new terms are broken by the holder's own; None for the market's.
        scarce: fen by which an hour of calls or a visit is dearer than its cost, because others could use it.
        held_out: loans that get no step this quarter, so that steps can be measured against them (n,).
    """

    loans: pl.DataFrame
    standing: pl.DataFrame
    forecast: Forecast
    rulebook: Rulebook
    holder: Holder
    market: MarketBook
    as_of: date
    events: pl.DataFrame | None = None
    steps_add: Floats | None = None
    suits_bring: float = 1.0
    terms_broken: float | None = None
    held_out: Flags | None = None
    scarce: Mapping[str, float] = field(default_factory=dict)
    _sold: dict[tuple[str, int], dict[int, Floats]] = field(default_factory=dict)
    _once: dict[str, object] = field(default_factory=dict)

    def day(self, start: int) -> date:
        """The day on which a way that starts in so many months is judged."""
        return add_months(self.as_of, start)

    def number(self, path: str) -> float:
        """A market figure for the cut-off date."""
        return self.market.number(path, self.as_of)

    def by_word(self, column: str, path: str, default: float = 0.0) -> Floats:
        """A market figure by a column's word (n,); null reads the word `unknown`, else `default`."""
        words = self.market.numbers(path, self.as_of)
        fallback = words.get("unknown", default)
        known, place = self._words(column)
        figures = np.array([*(words.get(word, fallback) for word in known), fallback])
        found: Floats = figures[place]
        return found

    def words(self, column: str) -> list[str]:
        """What a column says, each word once, in order."""
        return self._words(column)[0]

    def says(self, column: str, *words: str) -> Flags:
        """Whether a column says one of some words (n,); null says nothing."""
        known, place = self._words(column)
        said: Flags = np.array([*(word in words for word in known), False])[place]
        return said

    def _words(self, column: str) -> tuple[list[str], npt.NDArray[np.int32]]:
        """The words of a column, and the place of each loan's among them (n,); null stands behind the last."""

        def made(here: Situation) -> tuple[list[str], npt.NDArray[np.int32]]:
            words = here.loans[column]
            known = words.drop_nulls().unique().sort()
            place = words.cast(pl.Enum(known)).to_physical().cast(pl.Int32).fill_null(len(known))
            return known.to_list(), place.to_numpy()

        return self.once(f"words of {column}", made)

    @property
    def rate(self) -> float:
        """Discount rate a year."""
        return self.forecast.discount_rate

    @cached_property
    def tax(self) -> float:
        """Tax on profit."""
        return tax_rate(self.holder, self.market, self.as_of)

    @cached_property
    def claim(self) -> Floats:
        """Owed today (n,), fen."""
        return self.forecast.claim

    @cached_property
    def days(self) -> Floats:
        """Days past due (n,)."""
        return self.loans["days_past_due"].to_numpy().astype(np.float64)

    @cached_property
    def overdue(self) -> Flags:
        """Past due today (n,)."""
        return np.asarray(self.days > 0)

    @cached_property
    def late(self) -> npt.NDArray[np.int64]:
        """Places of the loans past day 91 (k,)."""
        return np.flatnonzero(self.forecast.age >= 0)

    @cached_property
    def part_of_talk(self) -> Floats:
        """What each loan bears of the calls and visits to its borrower (n,): one for all of his loans past due."""
        count = np.bincount(self.borrowers, weights=self.overdue)
        part: Floats = 1.0 / np.maximum(count[self.borrowers], 1.0)
        return part

    @cached_property
    def part_of_means(self) -> Floats:
        """What each loan may take of what its borrower can bear (n,): shared out by claim among his loans past due."""
        owed = np.where(self.overdue, self.claim, 0.0)
        whole = np.bincount(self.borrowers, weights=owed)[self.borrowers]
        return np.divide(owed, whole, out=np.ones_like(owed), where=self.overdue)

    @property
    def borrowers(self) -> npt.NDArray[np.int64]:
        """A number of each loan's borrower (n,), below n."""
        return self.once("borrowers", lambda here: numbers_of(here.loans["borrower_id"]))

    @cached_property
    def written_off(self) -> Flags:
        """Already written off (n,)."""
        return self.flag("written_off")

    @cached_property
    def npl(self) -> Flags:
        """Non-performing by the rules (n,)."""
        return bad(self.standing).to_numpy()

    @cached_property
    def reported_npl(self) -> Flags:
        """Reported as non-performing, or written off (n,) (READINGS 2.2)."""
        return np.asarray(self.says("reported_class", *NPL) | self.written_off)

    @cached_property
    def provision(self) -> Floats:
        """Provision held (n,), fen; unknown counts 0, and a write-off has used up what was held."""
        held = self.loans["provision"].fill_null(0).to_numpy().astype(np.float64)
        return np.where(self.written_off, 0.0, held)

    @cached_property
    def book_value(self) -> Floats:
        """Claim less provision (n,); 0 for what is written off."""
        return np.where(self.written_off, 0.0, self.claim - self.provision)

    @cached_property
    def capital(self) -> Floats:
        """Capital that the loan takes (n,), fen (READINGS 1.5); 0 for what is written off."""
        book, day, root = self.rulebook, self.as_of, "cn/capital/"
        home = self.says("product", "mortgage")
        weight = np.where(
            home,
            book.number(root + "weight_mortgage", day),
            book.number(root + "weight_retail", day),
        )
        thin = self.provision < book.number(root + "past_due_provision", day) * self.claim
        late = np.where(
            thin,
            book.number(root + "weight_past_due_low_provision", day),
            book.number(root + "weight_past_due", day),
        )
        weight = np.where(self.days > book.number(root + "past_due_days", day), late, weight)
        freed: Floats = np.maximum(self.book_value, 0.0) * weight * self.required_capital
        return freed

    @cached_property
    def removed(self) -> Floats:
        """What leaves the balance sheet with the loan (n,), fen; nothing of what is written off."""
        return np.where(self.written_off, 0.0, self.claim)

    def each(self, figure: float) -> Floats:
        """The same figure for every loan (n,)."""
        return self.once(f"each {figure}", lambda here: np.full(len(here.claim), figure))

    @property
    def required_capital(self) -> float:
        """Capital that risk-weighted assets take, a share of them."""
        asked = self.holder.capital_ratio_required
        return self.rulebook.number("cn/capital/required", self.as_of) if asked is None else asked

    @cached_property
    def limitation_ends(self) -> pl.Series:
        """Last day of the limitation (n,)."""
        return limitation_ends(
            self.loans, as_of=self.as_of, rulebook=self.rulebook, events=self.events
        )

    @cached_property
    def limitation_passed(self) -> Flags:
        """Whether the limitation has run out by the cut-off date (n,)."""
        return (self.limitation_ends < self.as_of).fill_null(False).to_numpy()

    def flag(self, column: str) -> Flags:
        """A flag of the loans (n,); null is false."""
        return self.loans[column].fill_null(False).to_numpy()

    @cached_property
    def commission(self) -> Floats:
        """Share of what is collected that collecting costs (n,); nothing where nothing is past due."""
        table = np.array(self.market.table("channels/commission", self.as_of))
        place = np.searchsorted(table[:, 0], self.forecast.age, side="right") - 1
        late = table[np.maximum(place, 0), 1]
        early = np.where(self.overdue, self.number("channels/commission_before_91"), 0.0)
        return np.where(self.forecast.age >= 0, late, early)

    @cached_property
    def weights(self) -> Floats:
        """Weights of the cash sums that all ways share: see `sums`."""
        rate = self.rate
        rows = [window(rate, 0), window(0.0, 0), np.arange(1.0, HORIZON + 1)]
        for start in STARTS[1:]:
            rows += [window(rate, 0, start), window(0.0, 0, start)]
        return np.stack(rows)

    @cached_property
    def collected(self) -> Sums:
        """Cash while collecting goes on as usual."""
        return Sums(self.forecast.voluntary(self.weights))

    def sold_cash(self, rate: str, months: int) -> dict[int, Floats]:
        """Cash of so many months after each start, worth at that start and at a market yield (n,).

        Collateral is taken to be sued for from the start on; after its sale the shortfall alone goes on paying.
        """
        asked = self.number(rate)
        weights = [window(asked, s, s + months) * (1.0 + asked) ** (s / 12.0) for s in STARTS]
        key = (rate, months)
        if key not in self._sold:
            sums = self.forecast.with_sale(np.stack(weights), STARTS)
            self._sold[key] = {start: sums[:, k] for k, start in enumerate(STARTS)}
        return self._sold[key]

    def once(self, name: str, make: Callable[[Situation], Found]) -> Found:
        """What is worked out once for a situation, by name."""
        if name not in self._once:
            self._once[name] = make(self)
        return cast("Found", self._once[name])

    def owed_after(self, start: int) -> Floats:
        """Share of the claim still owed at a start month (n,)."""
        return self.once(f"owed_after_{start}", lambda s: s.forecast.owed_after(start))

    @cached_property
    def court_later(self) -> tuple[Floats, Floats]:
        """Present value and cash of collateral of a loan before day 91 that may have to be sued for later (n,)."""
        proceeds = np.where(self.forecast.age < 0, self.forecast.proceeds, 0.0)
        waits = self.forecast.collateral.delay + _DAY_91
        return proceeds * (1.0 + self.rate) ** (-waits / 12.0), proceeds


@dataclass(frozen=True)
class Sums:
    """Sums of expected cash of each loan, fen (columns as in `Situation.weights`)."""

    values: Floats

    @property
    def pv(self) -> Floats:
        """Present value of all cash (n,)."""
        return self.values[:, 0]

    @property
    def cash(self) -> Floats:
        """All cash (n,)."""
        return self.values[:, 1]

    @property
    def mean_month(self) -> Floats:
        """Mean month of the cash (n,); 0 where there is none."""
        whole = self.cash
        return np.divide(self.values[:, 2], whole, out=np.zeros_like(whole), where=whole > 0)

    def pv_until(self, start: int) -> Floats:
        """Present value of the cash of the first months (n,)."""
        return self._until(start, 0)

    def cash_until(self, start: int) -> Floats:
        """Cash of the first months (n,)."""
        return self._until(start, 1)

    def _until(self, start: int, part: int) -> Floats:
        if start == 0:
            return np.zeros(len(self.values))
        return self.values[:, 3 + 2 * (STARTS.index(start) - 1) + part]


def numbers_of(borrowers: pl.Series) -> npt.NDArray[np.int64]:
    """A number of each loan's borrower (n,): the row of his first loan."""
    row = pl.Series("row", np.arange(len(borrowers)))
    first = pl.col("row").first().over("borrower")
    numbers: npt.NDArray[np.int64] = (
        pl.DataFrame({"borrower": borrowers, "row": row}).select(first)["row"].to_numpy()
    )
    return numbers
