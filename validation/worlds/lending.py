"""A book of loans month by month: what falls due, what is credited, and how long the oldest due has waited."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from validation.worlds.households import Households

TERM = (36, 12, 30, 240)
RATE = (0.085, 0.065, 0.13, 0.045)
BUSINESS = 1


class Dues:
    """What fell due by month, and what was credited against it, first due first."""

    def __init__(self, count: int, months: int) -> None:
        self.due = np.zeros((count, months))
        self.credit = np.zeros(count)

    def add(self, month: int, amount: np.ndarray) -> None:
        """Let `amount` fall due in `month`."""
        before = self.due[:, month - 1] if month else 0.0
        self.due[:, month] = before + amount

    def open(self, month: int) -> np.ndarray:
        """Fallen due and not credited."""
        return self.due[:, month] - self.credit

    def roll(self, rows: np.ndarray, month: int) -> None:
        """Take all dues so far as met: they were put into new terms."""
        self.credit = np.where(rows, self.due[:, month], self.credit)

    def oldest(self, month: int) -> np.ndarray:
        """Month whose due is the first not met; `month` + 1 where all are."""
        return (self.due[:, : month + 1] <= self.credit[:, None] + 0.5).sum(axis=1)


@dataclass
class Book:
    """Loans as they stand in a month; one a household. Money is whole fen held as floats."""

    people: Households
    firsts: np.ndarray
    quarter_end: np.ndarray
    start: np.ndarray
    due_day: np.ndarray
    balance: np.ndarray
    original: np.ndarray
    rate: np.ndarray
    instalment: np.ndarray
    maturity: np.ndarray
    shown: Dues
    true: Dues
    interest_open: np.ndarray = field(init=False)
    holiday_until: np.ndarray = field(init=False)
    renewals: np.ndarray = field(init=False)
    relieved: np.ndarray = field(init=False)
    switched: np.ndarray = field(init=False)
    old_rate: np.ndarray = field(init=False)
    usual_due: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.start)
        self.interest_open = np.zeros(count)
        self.holiday_until = np.full(count, -1)
        self.renewals = np.zeros(count, np.int64)
        self.relieved = np.full(count, -1)
        self.switched = np.full(count, -1)
        self.old_rate = self.rate.copy()
        self.usual_due = self.contract_due()

    @property
    def business(self) -> np.ndarray:
        """Interest only, the principal at maturity."""
        return self.people.product == BUSINESS

    def contract_due(self) -> np.ndarray:
        """What the honest contract asks a month."""
        return np.where(self.business, self.balance * self.rate / 12, self.instalment)

    def running(self, month: int) -> np.ndarray:
        """Loans that have begun and owe something."""
        return (self.start < month) & (self.balance > 0)

    def days(self, dues: Dues, month: int) -> np.ndarray:
        """Days the oldest unmet due has waited at the end of `month`."""
        oldest = dues.oldest(month)
        end = self.firsts[month + 1] - 1
        since = self.firsts[np.minimum(oldest, month)] + self.due_day - 1
        return np.where(oldest <= month, end - since, 0).astype(np.int64)

    def surplus(self, month: int) -> np.ndarray:
        """Income less needs, mean of three months."""
        income = self.people.income[:, max(0, month - 2) : month + 1].mean(axis=1)
        return income - self.people.need


def annuity(balance: np.ndarray, rate: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Level instalment, whole fen, rounded up so that the last one is not larger."""
    monthly = rate / 12
    return np.ceil(balance * monthly / (1 - (1 + monthly) ** -months.astype(float)))


def opened(
    people: Households, firsts: list[date], *, cut: int, stream: np.random.Generator
) -> Book:
    """Loans of those households, begun up to three months before the cut-off month."""
    count, months = people.income.shape
    rate = np.round(np.array(RATE)[people.product] * stream.uniform(0.85, 1.25, count), 4)
    burden = 0.04 + 0.5 * stream.beta(2.0, 6.0, count)
    burden = np.where(people.product == BUSINESS, 0.35 * burden, burden)
    term = np.array(TERM)[people.product]
    level = np.where(
        people.product == BUSINESS,
        12 / rate,
        (1 - (1 + rate / 12) ** -term.astype(float)) * 12 / rate,
    )
    principal = np.maximum(np.round(burden * people.usual * level / 100_000) * 100_000, 300_000)
    start = stream.integers(-12, cut - 3, count)
    maturity = start + np.where(
        people.product == BUSINESS, 12 * (1 + np.maximum(0, -start) // 12), term
    )
    return Book(
        people=people,
        firsts=np.array([day.toordinal() for day in firsts]),
        quarter_end=np.array([day.month % 3 == 0 for day in firsts]),
        start=start,
        due_day=stream.integers(1, 29, count),
        balance=principal.copy(),
        original=principal,
        rate=rate,
        instalment=annuity(principal, rate, term),
        maturity=maturity,
        shown=Dues(count, months),
        true=Dues(count, months),
    )
