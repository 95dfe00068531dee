"""Loans before day 91: the payments that are due, the chance of staying out of default, and what follows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numba import prange

from arrears.core.compiled import njit
from arrears.core.dates import DAYS_A_MONTH
from arrears.core.lanes import LANES, load, spread, store
from arrears.core.records import picked
from arrears.recovery.grid import BLOCKS, NODE_SCORES, NODES, lay
from arrears.recovery.params import DEFAULT_DAY, PRODUCTS, Floats, Ints, Params

_KINDS = {"amortising": 0, "interest_only": 1, "bullet": 2, "revolving": 0}
# Months at which the luck of defaults is worked out; between them it grows evenly.
_KNOTS = (1, 3, 6, 12, 24, 36, 60, 90)
# A step through the blocks that meets each of them once: it shares no divisor with their number.
_FAR_APART = 29


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

    def of(self, rows: Ints) -> Schedule:
        """That of some loans, by their places."""
        return picked(self, rows)

    @property
    def columns(self) -> tuple[Floats, Floats, Ints, Ints, Floats, Ints, Floats]:
        """As kernels take them."""
        late = (self.roll, self.roll_month, self.hazard)
        return self.balance, self.rate, self.term, self.kind, *late


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
        # An array that may not be written is a type of its own, for which kernels would be compiled once more.
        kind=kind.fill_null(0).to_numpy(writable=True),
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


def early(due: Schedule, score: Floats) -> Ints:
    """Loans before day 91 (k,), those of one score together: they share what a default is worth in each month.

    Else in their own order, in which their figures lie in memory.
    """
    there = np.flatnonzero(due.balance > 0.0)
    found: Ints = there[np.argsort(score[there], kind="stable")]
    return found


def put_performing(
    to: Floats, due: Schedule, score: Floats, order: Ints, *, weights: Floats, after: Floats
) -> None:
    """Puts into sums (n, F) the weighted cash that loans before day 91 are expected to pay.

    Due payments while they last, the curve after default.

    Args:
        order: these loans, as `early` has them.
        weights: (F, H) weights of the months.
        after: (H, NODES, F) weighted cash after a default in each month, for a yuan then owed.
    """
    for first in range(0, len(weights), LANES):
        rows = slice(first, first + LANES)
        wide = [(0, 0), (0, LANES - len(weights[rows]))]
        weighed, later = np.pad(weights[rows].T, wide), np.pad(after[:, :, rows], [(0, 0), *wide])
        flat = weighed.ravel(), later.ravel()
        _put_performing(to, first, order, *due.columns, score, *flat)


@njit(cache=True, parallel=True)
def _put_performing(
    to: Floats,
    first: int,
    order: Ints,
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
) -> None:
    """The kernel of `put_performing` for LANES columns of sums side by side, from `first` on.

    Args:
        weights: (H * LANES,); after: (H * NODES * LANES,).
    """
    horizon, width = len(weights) // LANES, min(to.shape[1] - first, LANES)
    size = (len(order) + BLOCKS - 1) // BLOCKS
    for turn in prange(BLOCKS):
        # Loans of neighbouring scores have terms alike: no thread is to get all the long ones.
        block = turn * _FAR_APART % BLOCKS
        nodes, worth, total = np.empty(NODES), np.empty(horizon * LANES), np.empty(LANES)
        here, known = np.nan, 0
        for loan in order[block * size : (block + 1) * size]:
            if score[loan] != here:
                here, known = score[loan], 0
                lay(here, nodes)
            last = min(horizon, max(term[loan], roll_month[loan]))
            for month in range(known, last):
                sums = spread(0.0)
                for node in range(NODES):
                    sums = sums + spread(nodes[node]) * load(after, (month * NODES + node) * LANES)
                store(worth, month * LANES, sums)
            known = max(known, last)
            owed, alive = balance[loan], 1.0
            level = _level(owed, rate[loan], term[loan])
            sums = spread(0.0)
            for month in range(last):
                fails = hazard[loan] * alive
                if month + 1 == roll_month[loan]:
                    fails += roll[loan]
                fails = min(fails, alive)
                lost, cash = fails * owed, 0.0
                alive -= fails
                if month < term[loan]:
                    cash, owed = _due(owed, rate[loan], term[loan] - month, kind[loan], level)
                sums = sums + spread(lost) * load(worth, month * LANES)
                sums = sums + spread(alive * cash) * load(weights, month * LANES)
            store(total, 0, sums)
            for row in range(width):
                to[loan, first + row] = total[row]


@dataclass(frozen=True)
class Ahead:
    """The book before day 91, by product (P) and month (M).

    Attributes:
        due: due cash expected (P, M).
        inflow: claims that reach day 91, laid on the nodes (P, M, NODES).
        balance: owed today (P,).
        luck: variance and third central moment of the cumulative cash (2, M), from who defaults and when.
    """

    due: Floats
    inflow: Floats
    balance: Floats
    luck: Floats


def book_ahead(due: Schedule, score: Floats, product: Ints, after: Floats) -> Ahead:
    """The loans before day 91 as a book.

    Args:
        product: number of each loan's product (n,).
        after: (NODES, M) shares by month of a claim that has just reached day 91.
    """
    months = after.shape[1]
    products = len(PRODUCTS)
    balance = np.zeros(products)
    np.add.at(balance, product, due.balance)
    if not balance.sum() > 0.0:
        nothing = np.zeros((products, months))
        nowhere = np.zeros((products, months, NODES))
        return Ahead(nothing, nowhere, balance, np.zeros((2, months)))
    knots = np.array([month for month in _KNOTS if month < months] + [months])
    paid = np.concatenate([np.zeros((NODES, 1)), np.cumsum(after, axis=1)], axis=1)
    parts = _book_ahead(*due.columns, score, product, products, months, knots, paid)
    cash, inflow, moments = (part.sum(axis=0) for part in parts)
    at = np.arange(1, months + 1)
    luck = np.stack([np.interp(at, np.append(0, knots), np.append(0.0, row)) for row in moments])
    return Ahead(cash, inflow, balance, luck)


@njit(cache=True, parallel=True)
def _book_ahead(
    balance: Floats,
    rate: Floats,
    term: Ints,
    kind: Ints,
    roll: Floats,
    roll_month: Ints,
    hazard: Floats,
    score: Floats,
    product: Ints,
    products: int,
    months: int,
    knots: Ints,
    paid: Floats,
) -> tuple[Floats, Floats, Floats]:
    """The kernel of `book_ahead` by block: due cash (P, M), claims that reach day 91 (P, M, NODES), luck (2, knots).

    A loan that defaults in month m has paid what was due before, and pays `paid` of what it owed then; one that does
    not pays all that is due. Moments of that difference, over m.
    """
    loans = len(balance)
    size = (loans + BLOCKS - 1) // BLOCKS
    due = np.zeros((BLOCKS, products, months))
    inflow = np.zeros(BLOCKS * products * months * NODES)
    luck = np.zeros((BLOCKS, 2, len(knots)))
    for block in prange(BLOCKS):
        nodes = np.empty(NODES)
        fails, owes, got = np.zeros(months), np.zeros(months), np.zeros(months + 1)
        for loan in range(block * size, min((block + 1) * size, loans)):
            if balance[loan] <= 0.0:
                continue
            lay(score[loan], nodes)
            owed, alive = balance[loan], 1.0
            level = _level(owed, rate[loan], term[loan])
            last = min(months, max(term[loan], roll_month[loan]))
            for month in range(last):
                failing = hazard[loan] * alive
                if month + 1 == roll_month[loan]:
                    failing += roll[loan]
                failing = min(failing, alive)
                fails[month], owes[month] = failing, owed
                here = ((block * products + product[loan]) * months + month) * NODES
                for node in range(0, NODES, LANES):
                    more = spread(failing * owed) * load(nodes, node)
                    store(inflow, here + node, load(inflow, here + node) + more)
                alive -= failing
                cash = 0.0
                if month < term[loan]:
                    cash, owed = _due(owed, rate[loan], term[loan] - month, kind[loan], level)
                    due[block, product[loan], month] += alive * cash
                got[month + 1] = got[month] + cash
            near = np.argmin(np.abs(NODE_SCORES - score[loan]))
            for knot in range(len(knots)):
                until = min(knots[knot], last)
                one, two, three = 0.0, 0.0, 0.0
                for month in range(until):
                    later = owes[month] * paid[near, min(knots[knot] - month - 1, months)]
                    loss = got[until] - got[month] - later
                    one += fails[month] * loss
                    two += fails[month] * loss * loss
                    three += fails[month] * loss * loss * loss
                luck[block, 0, knot] += two - one * one
                luck[block, 1, knot] -= three - 3.0 * two * one + 2.0 * one**3
    return due, inflow.reshape((BLOCKS, products, months, NODES)), luck


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
