"""The forecast of a book: loan by loan, and as a whole with its range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from arrears.recovery import grid
from arrears.recovery.collateral import Collateral, collateral
from arrears.recovery.factors import REGIONS, segments
from arrears.recovery.outlook import CURVE, Book, book_of, outlook
from arrears.recovery.params import Fitted, Floats, Ints, Params, ages, scores
from arrears.recovery.schedule import (
    Schedule,
    balance_after,
    book_ahead,
    early,
    put_performing,
    schedule,
    weighted_after_default,
)
from arrears.recovery.stress import Stress
from arrears.rules import MarketBook

HORIZON = 360


@dataclass(frozen=True)
class Forecast:
    """What each loan is expected to pay, and the range of the whole.

    Attributes:
        table: `loan_id, expected_12m, expected_60m, pv` (n rows), fen, collateral included.
        curve: `month, mean, q05, q25, q50, q75, q95`, cumulative fen of the book, months 1 to 120.
        paths: cumulative fen of the book in each scenario (scenarios, CURVE).
        age: whole months since day 91 (n,), -1 before it.
        score: shift of the payment hazard (n,).
        found: the same of a loan of which nobody knows whether the borrower answers, and no court does (n,).
        claim: owed today (n,), fen.
        collateral: what collateral brings, through the court alone.
        discount_rate: a year.
        present: what each loan pays of itself, discounted to today (n,), fen.
        home_risk: deviation of house prices by tier, the part of it that is shared, its correlation with payments.
        basis: `model` or `market prior`; `rests_on` says what a model rests on.
    """

    loan_ids: pl.Series
    age: Ints
    score: Floats
    found: Floats
    claim: Floats
    collateral: Collateral
    discount_rate: float
    basis: str
    rests_on: str
    params: Params
    due: Schedule
    push: Floats
    home_risk: tuple[Floats, float, float]
    present: Floats = field(default_factory=lambda: np.zeros(0))
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
        last = np.flatnonzero(weights.any(axis=0)).max(initial=-1) + 1
        weights = np.ascontiguousarray(weights[:, :last])
        sums = grid.weigh(self.shares(shift, from_month), weights)
        past: Floats = grid.read_off(sums, self.age, self.score, self.claim)
        if not past_only and (self.due.balance > 0.0).any():
            after = weighted_after_default(self.after_default, weights)
            put_performing(past, self.due, self.score, self._early, weights=weights, after=after)
        return past

    @cached_property
    def _early(self) -> Ints:
        """Loans before day 91, as kernels take them (k,)."""
        return early(self.due, self.score)

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
    def covered(self) -> Floats:
        """Share of the claim that a sale of collateral is expected to cover (n,)."""
        net, claim = self.collateral.net, self.claim
        share = np.divide(net, claim, out=np.zeros_like(net), where=claim > 0.0)
        return np.clip(share, 0.0, 1.0)

    @cached_property
    def proceeds(self) -> Floats:
        """Expected proceeds of collateral (n,), fen: of what is still owed when it is sold.

        Before day 91 only with the chance of getting there from today's days past due.
        """
        chance = np.where(self.age >= 0, 1.0, self.due.roll)
        owed = np.zeros(len(self.claim))
        for delay, mine in self.delays:
            sums = grid.weigh(self.shares(), window(0.0, 0, delay)[None, :])
            loans = (np.maximum(self.age[mine], 0), self.score[mine], np.ones(len(mine)))
            owed[mine] = np.clip(1.0 - grid.read_off(sums, *loans)[:, 0], 0.0, 1.0)
        sold: Floats = chance * self.claim * self.covered * owed
        return sold

    @cached_property
    def delays(self) -> list[tuple[int, Ints]]:
        """Months to the sale of collateral, and places of the loans for which it takes so long."""
        real = np.flatnonzero(self.covered > 0.0)
        delay = self.collateral.delay[real]
        return [(int(months), real[delay == months]) for months in np.unique(delay)]

    def with_sale(self, weights: Floats, starts: Sequence[int] | None = None) -> Floats:
        """As `voluntary`, but once collateral is sold only the shortfall goes on paying, as an unsecured claim.

        Args:
            starts: month in which the court is asked, by row of `weights` (F,); at once where left out.
        """
        return self.voluntary(weights) - self.settled_by_sale(weights, starts)

    def settled_by_sale(self, weights: Floats, starts: Sequence[int] | None = None) -> Floats:
        """What a sale of collateral takes from later cash of the claim it covers, weighted (n, F), as `with_sale`."""
        values = np.zeros((len(self.claim), len(weights)))
        for delay, mine in self.delays:
            later = weights.copy()
            for row, start in enumerate(starts or [0] * len(later)):
                later[row, : start + delay] = 0.0
            sums = grid.weigh(self.shares(), later)
            loans = (self.age[mine], self.score[mine], self.claim[mine])
            values[mine] = self.covered[mine][:, None] * grid.read_off(sums, *loans)
        return values

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
    model: Fitted | None = None,
    shares: dict[tuple[float, int], Floats] | None = None,
) -> Forecast:
    """Forecast a book by the market prior (METHODS 1.5), or by a model fitted on its own history.

    Args:
        loans: canonical loans that owe anything (n rows).
        discount_rate: a year.
        scenarios: paths of the common factor behind the range; expectations do not depend on them. With 0 there is
            neither curve nor range.
        model: what `fit` has left.
        shares: those of a forecast of other loans, of the same day, market, stress and model.
    """
    stress = stress or Stress()
    params = Params.of(market, as_of)
    shift, found = (
        shifts(table, as_of=as_of, params=params, model=model) for table in (loans, unknown(loans))
    )
    if model is not None:
        params = model.params(params)
    params = stress.on(params)
    claim = loans.select(pl.sum_horizontal("principal", "interest", "fees")).to_series()
    owed = claim.to_numpy().astype(np.float64)
    age = ages(loans)
    months = len(params.odds)
    paths = grid.factor_paths(2 * grid.PAIRS, months, params.persistence, 0)
    bare = Forecast(
        loan_ids=loans["loan_id"],
        age=age,
        score=shift,
        found=found,
        claim=owed,
        collateral=collateral(
            loans,
            owed,
            as_of=as_of,
            market=market,
            house_prices=stress.house_prices,
            court_months=stress.court_months,
        ),
        discount_rate=discount_rate,
        basis="market prior" if model is None else "model",
        rests_on="" if model is None else model.rests_on,
        params=params,
        due=schedule(loans, owed, age, params=params, as_of=as_of),
        push=np.exp(params.deviation * paths) * stress.push(months),
        home_risk=_home_risk(market, as_of),
        _shares={} if shares is None else shares,
    )
    ranged: dict[str, Any] = {}
    if scenarios:
        segment = segments(loans, market, as_of)
        ahead = book_ahead(bare.due, bare.score, segment // len(REGIONS), bare.after_default)
        book = book_of(bare, segment, ahead)
        curve, drawn = outlook(bare, book, stress=stress, seed=seed, scenarios=scenarios)
        ranged = {"curve": curve, "paths": drawn}
    present = bare.voluntary(window(discount_rate, 0)[None, :])[:, 0]
    return replace(bare, table=_table(bare, present), present=present, **ranged)


def shifts(
    loans: pl.DataFrame, *, as_of: date, params: Params, model: Fitted | None = None
) -> Floats:
    """Shift of each loan's payment hazard (n,) on the logit scale, by the market prior or a fitted model."""
    if model is not None:
        return model.scores(loans, as_of)
    return scores(loans, params)


def get_ready() -> None:
    """Load what a forecast draws with and start what runs its kernels, beside other work."""
    import scipy.stats  # noqa: F401

    nobody = np.zeros(0)
    grid.read_off(np.zeros((1, grid.NODES, 1)), nobody.astype(np.int64), nobody, nobody)


def unknown(loans: pl.DataFrame) -> pl.DataFrame:
    """The loans as if nobody knew whether their borrowers answer, and no court knew of them."""
    return loans.with_columns(
        pl.lit(None, pl.String).alias(name) for name in ("contact_status", "legal_status")
    )


def paths_of(
    whole: Forecast,
    rows: Ints,
    loans: pl.DataFrame,
    *,
    as_of: date,
    market: MarketBook,
    scenarios: int,
    seed: int = 0,
) -> Floats:
    """Cumulative cash (scenarios, CURVE), fen, of some of a book's loans, as the book's own forecast has them.

    Args:
        whole: a forecast without a stress.
        rows: places of the loans in it.
        loans: these loans, in that order.
    """
    part, book = part_of(whole, rows, loans, as_of=as_of, market=market)
    return outlook(part, book, stress=Stress(), seed=seed, scenarios=scenarios)[1]


def part_of(
    whole: Forecast, rows: Ints, loans: pl.DataFrame, *, as_of: date, market: MarketBook
) -> tuple[Forecast, Book]:
    """Some of a book's loans, by their places in it, as its forecast has them, and laid on the nodes."""
    part = replace(
        whole,
        loan_ids=whole.loan_ids.gather(rows),
        age=whole.age[rows],
        score=whole.score[rows],
        claim=whole.claim[rows],
        collateral=whole.collateral.of(rows),
        due=whole.due.of(rows),
    )
    segment = segments(loans, market, as_of)
    ahead = book_ahead(part.due, part.score, segment // len(REGIONS), part.after_default)
    return part, book_of(part, segment, ahead)


def _home_risk(market: MarketBook, as_of: date) -> tuple[Floats, float, float]:
    deviation = np.array(market.table("collateral/home_deviation", as_of)[0])
    shared = market.number("collateral/home_shared", as_of)
    return deviation, shared, market.number("collateral/home_with_payments", as_of)


def _table(bare: Forecast, present: Floats) -> pl.DataFrame:
    """What each loan is expected to pay, collateral included."""
    rate, delay, proceeds = bare.discount_rate, bare.collateral.delay, bare.proceeds
    whole, near = window(rate, 0)[None, :], np.stack([window(0.0, 0, 12), window(0.0, 0, 60)])
    values = bare.with_sale(near)
    values += np.where(delay[:, None] <= [12, 60], proceeds[:, None], 0.0)
    pv = present - bare.settled_by_sale(whole)[:, 0]
    pv += proceeds * (1.0 + rate) ** (-delay / 12.0)
    return pl.DataFrame(
        {
            "loan_id": bare.loan_ids,
            "expected_12m": values[:, 0],
            "expected_60m": values[:, 1],
            "pv": pv,
        }
    )
