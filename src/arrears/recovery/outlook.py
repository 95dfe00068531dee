"""A book as a whole: its cash month by month, in scenarios, with single loans' luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from arrears.core.rng import generator
from arrears.recovery import factors, kernels, luck
from arrears.recovery.params import PRODUCTS, Floats, Ints
from arrears.recovery.schedule import Ahead
from arrears.recovery.stock import Cells, Stock, cells_of, project
from arrears.recovery.stress import Stress

if TYPE_CHECKING:
    from arrears.recovery.forecast import Forecast

CURVE = 120
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
# Nodes of a cell: for expectations as good as a loan's own value; for scenarios to a ten-thousandth of their total.
_EXACT, _ENOUGH, _FEW = 12, 4, 2
# Deviations of the common factor at which luck is worked out.
_LEVELS = np.array([-1.7, 0.0, 1.7])
# So many of the largest loans are drawn one by one: a sum of few is no sum of many.
_DRAWN = 24


@dataclass(frozen=True)
class Book:
    """What the scenarios need to know of a book.

    Attributes:
        segment: of each loan (n,).
        stock: loans past day 91.
        rest: of them, those that are not drawn one by one.
        drawn: numbers of the loans that are.
        sold: months to the sale of collateral, and the parts of claims past day 91 that such sales cover.
        ahead: loans before day 91.
    """

    segment: Ints
    stock: Stock
    rest: Stock
    drawn: Ints
    sold: list[tuple[int, Stock]]
    ahead: Ahead


def book_of(bare: Forecast, segment: Ints, ahead: Ahead) -> Book:
    """Lay a book on the nodes: the one pass over its loans."""
    months = len(bare.params.odds)
    past = np.flatnonzero((bare.age >= 0) & (bare.age < months))
    drawn = past[np.argsort(-bare.claim[past], kind="stable")[:_DRAWN]]
    owed, covered = bare.claim, bare.claim * bare.covered

    def laid(rows: Ints, claim: Floats) -> Stock:
        return project(segment[rows], bare.age[rows], bare.score[rows], claim[rows], ages=months)

    sold = [
        (delay, laid(rows, covered))
        for delay, mine in bare.delays
        if len(rows := mine[bare.age[mine] >= 0])
    ]
    return Book(
        segment=segment,
        stock=laid(past, owed),
        rest=laid(np.setdiff1d(past, drawn, assume_unique=True), owed),
        drawn=drawn,
        sold=sold,
        ahead=ahead,
    )


def outlook(
    bare: Forecast,
    book: Book,
    *,
    stress: Stress,
    seed: int,
    scenarios: int,
    drawn: factors.Factors | None = None,
    lot: int | None = None,
) -> tuple[pl.DataFrame, Floats]:
    """The curve (expectation and quantiles by month), and cumulative fen of the book by scenario and month.

    The mean is that of the loans' own expectations; what scenarios expect is scaled to it month by month.

    Args:
        drawn: common factors; drawn by the seed where left out.
        lot: of a book that is one of several under the same factors: each has its own luck, which comes and goes from
            month to month as that of a pool does. Left out, a scenario has one luck for all months: ranges of single
            months are then surer.
    """
    mean = np.cumsum(_expected(bare, book))
    if drawn is None:
        drawn = factors.draw(scenarios, len(bare.params.odds), bare.params.persistence, seed + 1)
    key: tuple[str | int, ...] = () if lot is None else (lot,)
    paths = _scenarios(bare, book, drawn, mean=mean, stress=stress, luck_of=(seed, key))
    if not book.ahead.balance.sum() > 0.0:
        paths = np.minimum(paths, bare.claim.sum())
    paths = np.maximum.accumulate(paths, axis=1)
    ranks = {name: np.quantile(paths, rank, axis=0) for name, rank in QUANTILES.items()}
    told = np.arange(1, CURVE + 1, dtype=np.int32)
    return pl.DataFrame({"month": told, "mean": mean, **ranks}), paths


def _expected(bare: Forecast, book: Book) -> Floats:
    """Cash expected by month (CURVE,)."""
    params, push = bare.params, np.ascontiguousarray(bare.push.T)[None]
    curves = np.repeat(params.odds[:, None], push.shape[2], axis=1)
    ages = np.arange(len(params.odds))
    one = np.zeros_like(ages)
    cells = cells_of(book.stock.by_age()[0], one, ages, order=_EXACT)
    for delay, part in book.sold:
        cells += -cells_of(part.by_age()[0], one, ages, order=_EXACT, since=delay)
    now = kernels.scenario_cash(curves, params.share_paid, push, cells).mean(axis=1)
    after = np.zeros(CURVE)
    inflow = book.ahead.inflow.sum(axis=0)
    for month in range(CURVE - 1):
        left = CURVE - month - 1
        after[month + 1 :] += (inflow[month][:, None] * bare.after_default[:, :left]).sum(axis=0)
    total: Floats = now[:CURVE] + after + book.ahead.due.sum(axis=0) + _sold(bare)
    return total


def _sold(bare: Forecast) -> Floats:
    """Proceeds of collateral expected by month (CURVE,)."""
    sold = np.zeros(CURVE)
    np.add.at(sold, np.clip(bare.collateral.delay, 1, CURVE) - 1, bare.proceeds)
    return sold


def _scenarios(
    bare: Forecast,
    book: Book,
    drawn: factors.Factors,
    *,
    mean: Floats,
    stress: Stress,
    luck_of: tuple[int, tuple[str | int, ...]],
) -> Floats:
    """Cumulative cash of each scenario (scenarios, CURVE), luck included."""
    params, stock = bare.params, book.stock
    months, count = drawn.paths.shape[1:]
    here = [int(s) for s in np.unique(stock.segment)]
    place = {segment: number for number, segment in enumerate(here)}
    z = drawn.of_segments(here, params.factor_weights)
    push = np.exp(params.deviation * z) * stress.push(months)[:, None]
    slope = np.log(np.arange(1, months + 1) / 12.0)[:, None]
    off = params.level_error * drawn.besides[0] - params.tilt_error * slope * drawn.besides[1]
    curves = params.odds[:, None] * np.exp(off)
    cells = _cells(stock, place)
    cash = np.zeros((months, count))
    if here:
        cash = kernels.scenario_cash(curves, params.share_paid, push, cells)
    paid = np.cumsum(cash, axis=0)[:CURVE]
    moments = luck.at_levels(_levels(bare, book, stress), paid)
    seed, key = luck_of
    uniform = generator(seed, "drawn", *key)
    large = _drawn(bare, book, curves=curves, push=push, place=place, stream=uniform)[:, :CURVE]
    parts = [_cells(part, place, since=delay) for delay, part in book.sold]
    if parts:
        taken = kernels.scenario_cash(curves, params.share_paid, push, sum(parts[1:], parts[0]))
        paid = np.maximum(paid - np.cumsum(taken, axis=0)[:CURVE], 0.0)
    more, spread = _besides(bare, book, drawn, curves=curves, stress=stress)
    average = (paid + more).mean(axis=1)
    scale = np.divide(mean, average, out=np.ones_like(mean), where=average > 0.0)[:, None]
    rest = np.maximum(scale * (paid + more) - large[1], 0.0)
    variance, third, none = moments + spread[:, :, None]
    if not (book.rest.sums.any() or more.any() or parts):
        rest = np.zeros_like(rest)
    stream = generator(seed, "luck", *key)
    steady = (stream.permutation(count) + 0.5) / count
    rank = luck.wandering(variance, stream) if key else steady
    total: Floats = luck.matched(rest, (variance, third), none=none, rank=rank) + large[0]
    return np.ascontiguousarray(total.T)


def _cells(stock: Stock, place: dict[int, int], since: int = 0) -> Cells:
    """A stock as cells for the scenarios."""
    group = np.array([place[int(s)] for s in stock.segment], dtype=np.int64)
    return cells_of(stock.sums[0], group, stock.age, order=_ENOUGH, since=since)


def _levels(bare: Forecast, book: Book, stress: Stress) -> Floats:
    """Moments of luck at steady levels of the common factor (3, 4, CURVE); cash is that of all loans."""
    params = bare.params
    sums = book.rest.by_age()
    sums[0] = book.stock.by_age()[0]
    deviation = np.hypot(params.deviation, params.level_error)
    levels = np.exp(deviation * _LEVELS) * stress.push(1)[0]
    odds, share = params.odds, params.share_paid
    found = kernels.level_moments(odds, share, params.settles, params.part_paid, levels, sums)
    cut: Floats = found[:, :, :CURVE]
    return cut


def _drawn(
    bare: Forecast,
    book: Book,
    *,
    curves: Floats,
    push: Floats,
    place: dict[int, int],
    stream: np.random.Generator,
) -> Floats:
    """Cumulative cash of the largest loans, drawn and expected (2, months, S)."""
    months, count = len(bare.params.odds), curves.shape[1]
    mine = book.drawn
    if not len(mine):
        return np.zeros((2, months, count))
    uniform = stream.random((len(mine), months, count))
    params = bare.params
    group = np.array([place[int(s)] for s in book.segment[mine]], dtype=np.int64)
    loans = (group, bare.age[mine], bare.score[mine], bare.claim[mine])
    chances = (params.share_paid, params.settles, params.part_paid)
    cash: Floats = kernels.draw_loans(curves, *chances, push, *loans, uniform)
    return cash


def _besides(
    bare: Forecast, book: Book, drawn: factors.Factors, *, curves: Floats, stress: Stress
) -> tuple[Floats, Floats]:
    """Cumulative cash (CURVE, S) of loans before day 91 and of collateral, and moments of their luck (3, CURVE)."""
    params, ahead = bare.params, book.ahead
    months, count = drawn.paths.shape[1:]
    more = np.zeros((CURVE, count))
    spread = np.zeros((3, CURVE))
    if ahead.balance.sum() > 0.0:
        groups = [5 * number for number in range(len(PRODUCTS))]
        z = drawn.of_segments(groups, params.factor_weights)
        push = np.exp(params.deviation * z) * stress.push(months)[:, None]
        hits = np.exp(-params.default_deviation * z - 0.5 * params.default_deviation**2)
        more += np.cumsum(_due(ahead, hits[:, :CURVE]), axis=0)
        cells = _arrivals(ahead.inflow, months)
        later = kernels.scenario_cash(curves, params.share_paid, push, cells, hits)
        more += np.cumsum(later, axis=0)[:CURVE]
        spread[:2] += ahead.luck
        spread[2] = -np.inf
    if (bare.proceeds > 0.0).any():
        prices = drawn.home_prices(*bare.home_risk)
        sold, moments = _sales(bare, prices)
        more += np.cumsum(sold, axis=0)
        spread += np.cumsum(moments, axis=1)
    return more, spread


def _due(ahead: Ahead, hits: Floats) -> Floats:
    """Due cash of loans before day 91 (CURVE, S): less where more of them have defaulted."""
    count = hits.shape[2]
    cash = np.zeros((CURVE, count))
    for product, due in enumerate(ahead.due):
        if ahead.balance[product] > 0.0:
            gone = ahead.inflow[product].sum(axis=1) / ahead.balance[product]
            extra = np.cumsum((hits[product] - 1.0) * gone[:, None], axis=0)
            cash += due[:, None] * np.clip(1.0 - extra, 0.0, 2.0)
    return cash


def _arrivals(inflow: Floats, months: int) -> Cells:
    """Claims that reach day 91 in each month (P, CURVE, NODES), as cells that pay from the month after."""
    product, month = np.nonzero(inflow.sum(axis=2) > 0.0)
    inside = month + 1 < months
    product, month = product[inside], month[inside]
    age = np.zeros_like(product)
    return cells_of(inflow[product, month], product, age, order=_FEW, start=month + 1)


def _sales(bare: Forecast, prices: Floats) -> tuple[Floats, Floats]:
    """Proceeds of collateral by month and scenario (CURVE, S), and moments of their luck by month (3, CURVE)."""
    real = np.flatnonzero(bare.proceeds > 0.0)
    rows = bare.collateral.of(real)
    sold, moments = np.zeros((CURVE, prices.shape[2])), np.zeros((3, CURVE))
    part = bare.proceeds[real] / rows.net
    variance, third, none = rows.spread()
    month = np.clip(rows.delay, 1, CURVE) - 1
    np.add.at(moments[0], month, variance * part**2)
    np.add.at(moments[1], month, third * part**3)
    np.add.at(moments[2], month, np.log(np.maximum(none, 1e-300)))
    levels = np.exp(np.linspace(-1.5, 1.5, 25))
    got = np.stack([rows.at(level) * part for level in levels])
    for tier in range(4):
        for when in np.unique(month):
            mine = (rows.tier == tier) & (month == when)
            total = got[:, mine].sum(axis=1)
            if tier == 0:
                sold[when] += total[0]
            elif mine.any():
                sold[when] += np.interp(prices[tier - 1, when], levels, total)
    return sold, moments
