"""Loans before day 91: the payments that are due, the chance of staying out of default, and what follows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numba import njit, prange

from arrears.core.dates import DAYS_A_MONTH
from arrears.recovery.grid import BLOCKS, NODES, lay
from arrears.recovery.params import DEFAULT_DAY, Floats, Ints, Params

_KINDS = {"amortising": 0, "interest_only": 1, "bullet": 2, "revolving": 0}


@dataclass(frozen=True)
class Schedule:
    """What the loans before day 91 are due to pay (n rows each; zero balance for the others).

    Attributes:
        balance: owed today, fen.
        rate: a month.
        term: months left.
        kind: 0 level payments, 1 interest then principal, 2 all at the end.
        roll: chance of reaching day 91 from today's days past due.
        roll_month: the month in which it would.
        hazard: chance a month of doing so later.
    """

    balance: Floats
    rate: Floats
    term: Ints
    kind: Ints
    roll: Floats
    roll_month: Ints
    hazard: Floats


def schedule(
    loans: pl.DataFrame, claim: Floats, age: Ints, params: Params, as_of: date
) -> Schedule:
    """The schedule of each loan; gaps are filled by the usual rate and term of its product."""
    product = loans["product"]

    def by_product(words: dict[str, float]) -> pl.Series:
        return product.replace_strict(words, default=None, return_dtype=pl.Float64)

    rate = loans["rate"].fill_null(by_product(params.rate_a_year)).to_numpy() / 12.0
    left = loans.select(
        ((pl.col("maturity_date") - pl.lit(as_of)).dt.total_days() / DAYS_A_MONTH).ceil()
    ).to_series()
    term = left.fill_null(by_product(params.term_months)).to_numpy()
    usual = by_product(params.term_months).to_numpy()
    revolving = (loans["repayment"] == "revolving").fill_null(False).to_numpy()
    term = np.clip(np.where(revolving, usual, term), 1, 360).astype(np.int64)
    kind = loans["repayment"].replace_strict(_KINDS, default=0, return_dtype=pl.Int64)
    days = loans["days_past_due"].to_numpy().astype(np.float64)
    roll = np.zeros(len(days))
    for upto, chance in reversed(params.roll_91):
        roll[days <= upto] = chance
    months = np.ceil((DEFAULT_DAY - days) / DAYS_A_MONTH).astype(np.int64)
    hazard = 1.0 - (1.0 - by_product(params.default_a_year).to_numpy()) ** (1.0 / 12.0)
    return Schedule(
        balance=np.where(age < 0, claim, 0.0),
        rate=rate,
        term=term,
        kind=kind.fill_null(0).to_numpy(),
        roll=roll,
        roll_month=np.clip(months, 1, 4),
        hazard=hazard,
    )


def balance_after(due: Schedule, month: int) -> Floats:
    """Share of the balance still owed after so many months if all is paid that is due (n,); 0 without a balance."""
    rate, term = due.rate, due.term.astype(np.float64)
    grown = (1.0 + rate) ** month
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.where(rate > 0.0, rate / (1.0 - (1.0 + rate) ** -term), 1.0 / term)
        paid = np.where(rate > 0.0, level * (grown - 1.0) / rate, level * month)
    left = np.select([due.kind == 0, due.kind == 1], [grown - paid, 1.0], grown)
    runs = (due.balance > 0.0) & (month < term)
    share: Floats = np.where(runs, np.clip(left, 0.0, None), 0.0)
    return share


@njit(cache=True)
def _level(balance: float, rate: float, term: int) -> float:
    """Level payment of a loan."""
    if rate > 0.0:
        return balance * rate / (1.0 - (1.0 + rate) ** (-term))
    return balance / term


@njit(cache=True)
def _due(balance: float, rate: float, left: int, kind: int, level: float) -> tuple[float, float]:
    """Cash due this month and the balance after it."""
    interest = balance * rate
    if left == 1:
        return balance + interest, 0.0
    if kind == 0:
        return level, max(balance + interest - level, 0.0)
    if kind == 1:
        return interest, balance
    return 0.0, balance + interest


@njit(cache=True, parallel=True)
def performing(
    balance: Floats,
    rate: Floats,
    term: Ints,
    kind: Ints,
    roll: Floats,
    roll_month: Ints,
    hazard: Floats,
    score: Floats,
    weights: Floats,
    after: Floats,
) -> Floats:
    """Weighted expected cash (n, F) of loans before day 91: due payments while they last, the curve after default.

    Args:
        weights: (F, H) weights of the months.
        after: (H, NODES, F) weighted cash after a default in each month, for a yuan then owed.
    """
    loans, width, horizon = len(balance), weights.shape[0], weights.shape[1]
    values = np.zeros((loans, width))
    size = (loans + BLOCKS - 1) // BLOCKS
    for block in prange(BLOCKS):
        nodes = np.empty(NODES)
        for loan in range(block * size, min((block + 1) * size, loans)):
            if balance[loan] <= 0.0:
                continue
            lay(score[loan], nodes)
            owed, alive = balance[loan], 1.0
            level = _level(owed, rate[loan], term[loan])
            for month in range(min(horizon, max(term[loan], roll_month[loan]))):
                fails = hazard[loan] * alive
                if month + 1 == roll_month[loan]:
                    fails += roll[loan]
                fails = min(fails, alive)
                if fails > 0.0:
                    for row in range(width):
                        total = 0.0
                        for node in range(NODES):
                            total += nodes[node] * after[month, node, row]
                        values[loan, row] += fails * owed * total
                alive -= fails
                if month < term[loan]:
                    cash, owed = _due(owed, rate[loan], term[loan] - month, kind[loan], level)
                    for row in range(width):
                        values[loan, row] += alive * cash * weights[row, month]
    return values


@njit(cache=True, parallel=True)
def book_ahead(
    balance: Floats,
    rate: Floats,
    term: Ints,
    kind: Ints,
    roll: Floats,
    roll_month: Ints,
    hazard: Floats,
    score: Floats,
    months: int,
) -> tuple[Floats, Floats]:
    """Due cash expected of the book in each month (months,), and the claims that reach day 91 (months, NODES)."""
    loans = len(balance)
    size = (loans + BLOCKS - 1) // BLOCKS
    due = np.zeros((BLOCKS, months))
    inflow = np.zeros((BLOCKS, months, NODES))
    for block in prange(BLOCKS):
        nodes = np.empty(NODES)
        for loan in range(block * size, min((block + 1) * size, loans)):
            if balance[loan] <= 0.0:
                continue
            lay(score[loan], nodes)
            owed, alive = balance[loan], 1.0
            level = _level(owed, rate[loan], term[loan])
            for month in range(min(months, max(term[loan], roll_month[loan]))):
                fails = hazard[loan] * alive
                if month + 1 == roll_month[loan]:
                    fails += roll[loan]
                fails = min(fails, alive)
                for node in range(NODES):
                    inflow[block, month, node] += fails * owed * nodes[node]
                alive -= fails
                if month < term[loan]:
                    cash, owed = _due(owed, rate[loan], term[loan] - month, kind[loan], level)
                    due[block, month] += alive * cash
    total_due, total_inflow = np.zeros(months), np.zeros((months, NODES))
    for block in range(BLOCKS):
        total_due += due[block]
        total_inflow += inflow[block]
    return total_due, total_inflow


def weighted_after_default(base: Floats, weights: Floats) -> Floats:
    """(H, NODES, F): weighted cash after a default in each month, for a yuan then owed.

    Args:
        base: (NODES, M) shares by month since day 91 at age 0.
        weights: (F, H).
    """
    width, horizon = weights.shape
    after = np.zeros((horizon, base.shape[0], width))
    for month in range(horizon):
        left = min(base.shape[1], horizon - month - 1)
        if left > 0:
            part = weights[:, month + 1 : month + 1 + left]
            after[month] = np.einsum("nm,fm->nf", base[:, :left], part)
    return after
