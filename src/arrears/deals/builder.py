"""Lays a deal out for the interpreter: slots, exact shares by date, and the operations that steps ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from arrears.deals import kernels as k
from arrears.deals.deal import Deal
from arrears.deals.kernels import Floats, Ints
from arrears.deals.parts import Fee, Period, Step, Tranche

LARGEST = 2**50
_FINEST = 2**59


class TooFine(ValueError):
    """A rate with more digits than can be reckoned exactly."""


@dataclass(frozen=True)
class Ledger:
    """What is owed and what was paid of it today, as slots; `new` is what arose today."""

    name: str
    due: int
    paid: int
    new: int = -1


@dataclass(frozen=True)
class ClassSlots:
    """A class: balance and principal paid, its interest ledger, and today's new interest in two parts."""

    tranche: Tranche
    balance: int
    principal: int
    interest: Ledger
    current: int
    on_unpaid: int
    base: int


class Builder:
    """Slots and operations as they are asked for; the steps call it."""

    def __init__(self, deal: Deal) -> None:
        self.deal = deal
        self.dates: tuple[Period, ...] = deal.dates()
        self.half = deal.rounding == "half_up"
        self.slots = k.FREE + 1
        self.lists: list[int] = []
        self.shares: list[list[tuple[int, int, int, int]]] = []
        self.inverses: list[list[float]] = []
        self.constants: list[list[int]] = []
        self.arising: list[tuple[int, ...]] = []
        self.order: list[tuple[int, ...]] = []
        self.moves: list[tuple[str, Step, str]] = []
        self.pairs: list[tuple[int, int, int]] = []
        self.paid: list[int] = [k.EXCESS]
        self.start: dict[int, int] = {}
        self.ledgers: dict[str, Ledger] = {}
        self.over: dict[str, Ledger] = {}
        self.fees: dict[str, Fee] = {fee.name: fee for fee in deal.fees}
        self.classes: dict[str, ClassSlots] = {}
        self.takers: dict[str, int] = {}
        self.step: Step = Step(word="")
        self.mode = ""
        self.no_least = self.constant(0)
        self._reserve: tuple[list[list[Fraction]], list[int]] | None = None

    # -- slots and tables

    def slot(self, start: int = 0) -> int:
        """A fresh row, and how it begins."""
        self.slots += 1
        self.start[self.slots - 1] = start
        return self.slots - 1

    def ledger(self, name: str, *, new: bool = True, used: bool = True) -> Ledger:
        """A debt that is carried while unpaid; one that nothing can arise in is not `used`."""
        made = Ledger(name, self.slot(), self.slot(), self.slot() if new else -1)
        if used:
            self.pairs.append((made.due, made.paid, 0))
            self.paid.append(made.paid)
        return made

    def taker(self, name: str) -> int:
        """Who is paid without anything being owed: a slot of what left for him today."""
        if name not in self.takers:
            self.takers[name] = self.slot()
            self.paid.append(self.takers[name])
        return self.takers[name]

    def listed(self, slots: Sequence[int]) -> int:
        """Slots that an operation names; returns where they begin."""
        self.lists.extend(slots)
        return len(self.lists) - len(slots)

    def constant(self, amounts: int | Sequence[int]) -> int:
        """Amounts by date; returns their number."""
        whole = [amounts] * len(self.dates) if isinstance(amounts, int) else list(amounts)
        self.constants.append(whole)
        return len(self.constants) - 1

    def ratio(self, exact: Fraction | Sequence[Fraction], over: Sequence[int] | None = None) -> int:
        """Exact shares by date; returns their number.

        Args:
            over: a common denominator by date, for shares that are added up before they are rounded.

        Raises:
            TooFine: a denominator from 2^59 on.
        """
        values = [exact] * len(self.dates) if isinstance(exact, Fraction) else list(exact)
        rows, inverses = [], []
        for date, value in enumerate(values):
            q = value.denominator if over is None else over[date]
            if q >= _FINEST:
                raise TooFine(f"a share of 1/{q} is finer than what can be reckoned exactly")
            whole, f = divmod(value.numerator * (q // value.denominator), q)
            rows.append((whole, f, q, (q + 1) // 2 if self.half else q))
            inverses.append(f / q)
        self.shares.append(rows)
        self.inverses.append(inverses)
        return len(self.shares) - 1

    def rounded(self, amount: Fraction) -> int:
        """An amount that is known before anything runs, rounded as the deal rounds."""
        return int((amount + (Fraction(1, 2) if self.half else 0)) // 1)

    def arise(self, kind: int, *numbers: int) -> None:
        """Something becomes due each date."""
        self.arising.append((kind, *numbers, *[0] * (7 - len(numbers))))

    # -- what steps ask for

    def _do(
        self, kind: int, slots: Sequence[int], moved: Sequence[tuple[str, int]], *numbers: int
    ) -> None:
        first = self.listed(slots)
        told = self.listed([slot for _, slot in moved])
        more = [*numbers, 0, 0][:2]
        self.order.append((kind, first, len(slots), *more, told, len(self.moves), len(moved)))
        self.moves += [(self.mode, self.step, to) for to, _ in moved]

    def pay(self, *ledgers: Ledger) -> None:
        """One after another, what is due of each."""
        slots = [slot for one in ledgers for slot in (one.due, one.paid)]
        self._do(k.PAY, slots, [(one.name, one.paid) for one in ledgers])

    def rank_equally(self, *ledgers: Ledger) -> None:
        """In proportion to what is due, where cash falls short."""
        if len(ledgers) == 1:
            self.pay(*ledgers)
            return
        slots = [slot for one in ledgers for slot in (one.due, one.paid)]
        self._do(k.RATA, slots, [(one.name, one.paid) for one in ledgers])

    def repay(self, classes: Sequence[ClassSlots], how: int) -> None:
        """Principal, down to each class's target of the date; to nothing after an event of default."""
        if not classes:
            return
        slots = [slot for one in classes for slot in (one.balance, one.principal)]
        moved = [(one.tranche.name, one.principal) for one in classes]
        least = [self.constant(self.least(one.tranche)) for one in classes]
        self._do(k.PRINCIPAL, slots, moved, least[0], how)

    def least(self, tranche: Tranche) -> list[int]:
        """Balance by date that principal is paid down to."""
        points = sorted(tranche.target or ())
        found = []
        for period in self.dates:
            past = [amount for day, amount in points if day <= period.payment_date]
            still = (past[-1] if past else tranche.face) if points else 0
            found.append(still if self.mode == "normal" else 0)
        return found

    def share_of_rest(self, name: str, rate: Fraction) -> None:
        """A rounded share of the cash that is left now."""
        paid = self.taker(name)
        self._do(k.TAKE, [paid], [(name, paid)], self.ratio(Fraction(rate)))

    def split_rest(self, shares: Sequence[tuple[str, Fraction]]) -> None:
        """All that is left."""
        slots, run, ratios = [], Fraction(0), []
        for name, share in shares:
            run += share
            slots.append(self.taker(name))
            ratios.append(self.ratio(run))
        moved = [(name, slot) for (name, _), slot in zip(shares, slots, strict=True)]
        self._do(k.SPLIT_REST, slots, moved, ratios[0])

    def merge(self, of: Ledger, to: Ledger) -> None:
        """One ledger into another, for scenarios in default."""
        self._do(k.MERGE, [of.due, to.due], [])

    def set_aside(self) -> None:
        """The reserve."""
        slots, first, limits = self._target()
        self._do(k.SET_ASIDE, slots, [("reserve", k.RESERVE)], first, limits)

    # -- the reserve's formula

    def _target(self) -> tuple[list[int], int, int]:
        """Class slots, number of their shares (the constant part last), number of the limits."""
        reserve = self.deal.reserve
        bases = [one for one in self.classes.values() if one.tranche.role != "notional"]
        if self._reserve is None:
            by_class, plain = self._formula(bases)
            every = [*by_class, plain]
            dates = range(len(self.dates))
            self._reserve = (
                every,
                [lcm(*(values[d].denominator for values in every)) for d in dates],
            )
        every, over = self._reserve
        first = len(self.shares)
        for values in every:
            self.ratio(values, over)
        fixed = reserve.type in {"fixed", "none"}
        low = self.constant(reserve.minimum if reserve.type == "formula" else 0)
        high = reserve.maximum if reserve.type == "formula" else None
        self.constant(LARGEST if high is None else high)
        slots = [] if fixed else [slot for one in bases for slot in (one.balance, one.principal)]
        return slots, first if not fixed else len(self.shares) - 1, low

    def _formula(self, bases: Sequence[ClassSlots]) -> tuple[list[list[Fraction]], list[Fraction]]:
        """Coefficients by class and date, and the constant part by date."""
        reserve, zero = self.deal.reserve, Fraction(0)
        terms = [(Fraction(term.multiple), term.of) for term in reserve.terms]
        if reserve.type == "multiple":
            each = Fraction(reserve.multiple)
            terms = [
                (each, name) for name in ("next_expenses", "next_fees", "next_senior_interest")
            ]
        elif reserve.type != "formula":
            terms = []
        by_class = [[zero] * len(self.dates) for _ in bases]
        plain = [Fraction(reserve.target if reserve.type == "fixed" else 0)] * len(self.dates)
        for date in range(len(self.dates) - 1):
            for multiple, name in terms:
                parts, more = self._term(name, bases, date + 1)
                if more:
                    plain[date] += multiple * more
                for place, part in enumerate(parts):
                    if part:
                        by_class[place][date] += multiple * part
        return by_class, plain

    def _term(
        self, name: str, bases: Sequence[ClassSlots], date: int
    ) -> tuple[list[Fraction], Fraction]:
        """What a term takes of each class's balance, and besides, for the next date."""
        none = [Fraction(0)] * len(bases)
        if name == "next_expenses":
            accrual = self.deal.expenses.accrual
            if accrual.type != "rate_on_opening_balance":
                return none, self._next_expenses(date)
            rate = Fraction(accrual.rate) * self.span(self.dates[date], accrual.day_count)
            return [rate] * len(bases), Fraction(0)
        if name == "all_balances":
            return [Fraction(1)] * len(bases), Fraction(0)
        senior = [Fraction(int(one.tranche.role == "senior")) for one in bases]
        if name == "senior_balance":
            return senior, Fraction(0)
        if name == "next_senior_interest":
            rates = [self.interest_rate(one.tranche, self.dates[date]) for one in bases]
            return [a * b for a, b in zip(senior, rates, strict=True)], Fraction(0)
        parts, more = none, Fraction(0)
        for fee in self.deal.fees:
            if not (fee.in_reserve and fee.arises(date + 1)):
                continue
            if fee.basis in {"flat", "initial"}:
                known = self.fee_known(fee, date)
                more += known if fee.cap is None else min(Fraction(fee.cap), known)
            elif fee.basis == "balance" and not fee.minimum and fee.cap is None:
                rate = Fraction(fee.rate) * self.span(self.dates[date], fee.day_count)
                on = senior if fee.of == "senior" else [Fraction(1)] * len(bases)
                parts = [a + rate * b for a, b in zip(parts, on, strict=True)]
        return parts, more

    def _next_expenses(self, date: int) -> Fraction:
        accrual, cap = self.deal.expenses.accrual, self.deal.expenses.cap_per_period
        exact = Fraction(accrual.amount)
        if accrual.type == "rate_on_initial":
            span = self.span(self.dates[date], accrual.day_count)
            exact = accrual.base * Fraction(accrual.rate) * span
        return exact if cap is None else min(Fraction(cap), exact)

    def span(self, period: Period, count: str) -> Fraction:
        """Years of a period."""
        from arrears.deals.calendars import years

        return years(period.accrual_start, period.accrual_end, count)  # type: ignore[arg-type]

    def interest_rate(self, tranche: Tranche, period: Period) -> Fraction:
        """Rate of a class x years of a period."""
        rate = self.deal.rate(tranche, period.accrual_start)
        return Fraction(0) if rate is None else rate * self.span(period, tranche.day_count)

    def fee_known(self, fee: Fee, date: int) -> Fraction:
        """A flat fee, or one on initial faces, on a date."""
        if fee.basis == "flat":
            return Fraction(fee.amount)
        on = self.deal.seniors() if fee.of == "senior" else self.deal.classes
        faces = sum(one.face for one in on if one.role != "notional")
        exact = faces * Fraction(fee.rate) * self.span(self.dates[date], fee.day_count)
        return max(Fraction(fee.minimum), exact)

    # -- as arrays

    def arrays(self) -> tuple[Ints, Floats, Ints, Ints]:
        """Shares (R, T, 4), their inverses (R, T), constants (C, T) and lists."""
        dates = len(self.dates)
        return (
            np.array(self.shares, np.int64).reshape(-1, dates, 4),
            np.array(self.inverses, np.float64).reshape(-1, dates),
            np.array(self.constants, np.int64).reshape(-1, dates),
            np.array(self.lists, np.int64),
        )
