"""The forecast of a book: loan by loan, and as a whole with its range."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from arrears.core.rng import generator
from arrears.recovery import grid
from arrears.recovery.collateral import Collateral, collateral
from arrears.recovery.params import Floats, Ints, Params, ages, scores
from arrears.recovery.schedule import (
    Schedule,
    balance_after,
    book_ahead,
    performing,
    schedule,
    weighted_after_default,
)
from arrears.rules import MarketBook

HORIZON = 360
CURVE = 120
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


@dataclass(frozen=True)
class Stress:
    """A change of the market, to see what it does.

    Attributes:
        house_prices: change of the value of homes, e.g. -0.2.
        payments: added to the score of every loan.
    """

    house_prices: float = 0.0
    payments: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """What each loan is expected to pay, and the range of the whole.

    Attributes:
        table: `loan_id, expected_12m, expected_60m, pv` (n rows), fen, collateral included.
        curve: `month, mean, q05, q25, q50, q75, q95`, cumulative fen of the book, months 1 to 120.
        paths: cumulative fen of the book in each scenario (scenarios, CURVE).
        age: whole months since day 91 (n,), -1 before it.
        score: shift of the payment hazard (n,).
        claim: owed today (n,), fen.
        collateral: what collateral brings, through the court alone.
        discount_rate: a year.
    """

    loan_ids: pl.Series
    age: Ints
    score: Floats
    claim: Floats
    collateral: Collateral
    discount_rate: float
    basis: str
    params: Params
    due: Schedule
    push: Floats
    table: pl.DataFrame = field(default_factory=pl.DataFrame)
    curve: pl.DataFrame = field(default_factory=pl.DataFrame)
    paths: Floats = field(default_factory=lambda: np.zeros((0, CURVE)))
    _shares: dict[tuple[float, int], Floats] = field(default_factory=dict)

    def shares(self, shift: float = 0.0, from_month: int = 0) -> Floats:
        """Shares of a claim paid by age, node and month (M, NODES, M), with a shift of the score from a month on."""
        params = self.params
        key = (shift, from_month if shift else 0)
        if key not in self._shares:
            self._shares[key] = grid.mean_shares(
                params.odds, params.share_paid, self.push, *key, len(params.odds)
            )
        return self._shares[key]

    def voluntary(
        self, weights: Floats, *, shift: float = 0.0, from_month: int = 0, past_only: bool = False
    ) -> Floats:
        """Weighted sums of what each loan is expected to pay of itself, (n, F) fen.

        Args:
            weights: (F, HORIZON), weight of the cash of month 1, 2, ...
            shift: added to the scores of loans past day 91 from `from_month` on (a plan, a judgment).
            past_only: leave the loans before day 91 at 0.
        """
        months = len(self.params.odds)
        sums = grid.weigh(self.shares(shift, from_month), np.ascontiguousarray(weights[:, :months]))
        past: Floats = grid.read_off(sums, self.age, self.score, self.claim)
        if not past_only and (self.due.balance > 0.0).any():
            after = weighted_after_default(self.after_default, weights)
            past += performing(*_columns(self.due), self.score, weights, after)
        return past

    @property
    def after_default(self) -> Floats:
        """Shares by node and month of a claim that has just reached day 91 (NODES, M)."""
        first: Floats = self.shares()[0]
        return first

    @cached_property
    def unpaid(self) -> Floats:
        """Share of the claim that a loan never pays of itself once past day 91 (n,); before it, as if it were there."""
        sums = grid.weigh(self.shares(), np.ones((1, len(self.params.odds))))
        paid = grid.read_off(sums, np.maximum(self.age, 0), self.score, np.ones(len(self.age)))
        share: Floats = np.clip(1.0 - paid[:, 0], 0.0, 1.0)
        return share

    @cached_property
    def proceeds(self) -> Floats:
        """Expected proceeds of collateral (n,), fen: at most what is not paid otherwise.

        Before day 91 only with the chance of getting there from today's days past due.
        """
        chance = np.where(self.age >= 0, 1.0, self.due.roll)
        sold: Floats = chance * np.minimum(self.collateral.net, self.claim * self.unpaid)
        return sold

    def owed_after(self, month: int) -> Floats:
        """Share of today's claim still owed after so many months (n,); before day 91 if all is paid that is due."""
        if month == 0:
            return np.ones(len(self.claim))
        paid = self.voluntary(window(0.0, 0, month)[None, :], past_only=True)[:, 0]
        share = np.divide(paid, self.claim, out=np.zeros_like(paid), where=self.claim > 0)
        past = np.clip(1.0 - share, 0.0, 1.0)
        owed: Floats = np.where(self.age >= 0, past, balance_after(self.due, month))
        return owed

    def at(self, month: int) -> dict[str, float]:
        """The row of the curve at a month."""
        return self.curve.filter(month=month).row(0, named=True)

    @property
    def summary(self) -> dict[str, object]:
        """Totals of the book with their range, fen, and what they rest on."""
        rows = {int(row["month"]): row for row in self.curve.iter_rows(named=True)}
        return {
            "basis": self.basis,
            "discount_rate": self.discount_rate,
            "pv": float(self.table["pv"].sum()),
            **{
                f"{name}_{month}m": float(rows[month][name])
                for month in (12, 60)
                for name in ("mean", "q05", "q50", "q95")
                if rows
            },
        }


def window(rate: float, start: int, end: int = HORIZON) -> Floats:
    """Weights (HORIZON,) of the months in (start, end], discounted at `rate` a year to today."""
    months = np.arange(1, HORIZON + 1)
    inside = (months > start) & (months <= end)
    weights: Floats = np.where(inside, (1.0 + rate) ** (-months / 12.0), 0.0)
    return weights


def forecast(
    loans: pl.DataFrame,
    *,
    as_of: date,
    market: MarketBook,
    discount_rate: float,
    seed: int = 0,
    scenarios: int = 1000,
    stress: Stress | None = None,
) -> Forecast:
    """Forecast a book by the market prior (METHODS 1.5).

    Args:
        loans: canonical loans that owe anything (n rows).
        discount_rate: a year.
        scenarios: paths of the common factor behind the range; expectations do not depend on them.
    """
    stress = stress or Stress()
    params = Params.of(market, as_of)
    claim = loans.select(pl.sum_horizontal("principal", "interest", "fees")).to_series()
    owed = claim.to_numpy().astype(np.float64)
    age = ages(loans)
    months = len(params.odds)
    paths = grid.factor_paths(2 * grid.PAIRS, months, params.persistence, 0)
    bare = Forecast(
        loan_ids=loans["loan_id"],
        age=age,
        score=scores(loans, params) + stress.payments,
        claim=owed,
        collateral=collateral(
            loans, owed, as_of=as_of, market=market, house_prices=stress.house_prices
        ),
        discount_rate=discount_rate,
        basis="market prior",
        params=params,
        due=schedule(loans, owed, age, params=params, as_of=as_of),
        push=np.exp(params.deviation * paths),
    )
    table, sold = _table(bare)
    curve, drawn = _curve(bare, sold, seed, scenarios)
    return replace(bare, table=table, curve=curve, paths=drawn)


def _columns(due: Schedule) -> tuple[Floats, Floats, Ints, Ints, Floats, Ints, Floats]:
    return due.balance, due.rate, due.term, due.kind, due.roll, due.roll_month, due.hazard


def _table(bare: Forecast) -> tuple[pl.DataFrame, Floats]:
    """Loans' expectations, and the proceeds of collateral of the book by month (CURVE,)."""
    rate = bare.discount_rate
    weights = np.stack([window(0.0, 0, 12), window(0.0, 0, 60), window(rate, 0)])
    values = bare.voluntary(weights)
    delay = bare.collateral.delay
    proceeds = bare.proceeds
    values[:, 0] += np.where(delay <= 12, proceeds, 0.0)
    values[:, 1] += np.where(delay <= 60, proceeds, 0.0)
    values[:, 2] += proceeds * (1.0 + rate) ** (-delay / 12.0)
    table = pl.DataFrame(
        {
            "loan_id": bare.loan_ids,
            "expected_12m": values[:, 0],
            "expected_60m": values[:, 1],
            "pv": values[:, 2],
        }
    )
    sold = np.zeros(CURVE)
    np.add.at(sold, np.clip(delay, 1, CURVE) - 1, proceeds)
    return table, sold


def _curve(bare: Forecast, sold: Floats, seed: int, scenarios: int) -> tuple[pl.DataFrame, Floats]:
    """Cumulative cash of the book: its expectation and quantiles, and the scenarios, single loans' luck included."""
    params = bare.params
    months = len(params.odds)
    stock, squares = grid.project(bare.age, bare.score, bare.claim, months)
    due, inflow = book_ahead(*_columns(bare.due), bare.score, CURVE)
    kernel = (params.odds, params.share_paid)
    now = grid.scenario_cash(*kernel, bare.push, stock, np.zeros_like(inflow)).mean(axis=0)
    push = np.exp(
        params.deviation * grid.factor_paths(scenarios, months, params.persistence, seed + 1)
    )
    cash = grid.scenario_cash(*kernel, push, stock, inflow)
    sure = np.cumsum(due + sold)
    mean = np.cumsum(now[:CURVE] + _after(inflow, bare.after_default)) + sure
    paths = np.cumsum(cash, axis=1)[:, :CURVE] + sure
    paths += mean - paths.mean(axis=0)
    paths += _luck(bare, squares, seed, scenarios)
    ranks = {
        name: np.maximum.accumulate(np.quantile(np.maximum(paths, 0.0), rank, axis=0))
        for name, rank in QUANTILES.items()
    }
    months_told = np.arange(1, CURVE + 1, dtype=np.int32)
    return pl.DataFrame({"month": months_told, "mean": mean, **ranks}), paths


def _after(inflow: Floats, shares: Floats) -> Floats:
    """Cash expected by month (CURVE,) of claims that reach day 91 in the months to come."""
    cash = np.zeros(CURVE)
    for month in range(CURVE - 1):
        left = CURVE - month - 1
        cash[month + 1 :] += (inflow[month][:, None] * shares[:, :left]).sum(axis=0)
    return cash


def _luck(bare: Forecast, squares: Floats, seed: int, scenarios: int) -> Floats:
    """What is left over given the common factor (scenarios, CURVE), as a normal deviation.

    A loan that is expected to have paid the share C of its claim does so in payments of about
    share_paid_square / share_paid of it; variance of the sum of claim^2 (C x that - C^2).
    """
    params = bare.params
    months = len(params.odds)
    total = np.cumsum(bare.shares(), axis=2)
    size = params.share_paid_square / params.share_paid
    spread = np.maximum(total * size - total**2, 0.0)
    variance = np.zeros(CURVE)
    for age in range(months):
        variance += (squares[age][:, None] * spread[age, :, :CURVE]).sum(axis=0)
    draws = generator(seed, "luck").standard_normal(scenarios)
    draws -= draws.mean()
    return draws[:, None] * np.sqrt(np.maximum(variance, 0.0))[None, :]
