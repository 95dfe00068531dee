"""From a book's past to a model: fit, test, believe as far as the data bear, and say what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from arrears.recovery.fitting import glm
from arrears.recovery.fitting.boosted import Boosted, fit_boosted
from arrears.recovery.fitting.cash import cash_seen, levelled, with_years
from arrears.recovery.fitting.credibility import buhlmann_straub, missing_for, weight_of
from arrears.recovery.fitting.exits import CAUSES, Exits, by_cause
from arrears.recovery.fitting.features import AGE_BAND, AGE_STARTS, AGES, SEASON, TERMS
from arrears.recovery.fitting.hazard import (
    Hazard,
    Panel,
    Prior,
    fit_hazard,
    season_mean,
    second_pass,
)
from arrears.recovery.fitting.model import (
    AgePoint,
    Belief,
    Effect,
    ExitPoint,
    Logit,
    RecoveryModel,
    Seen,
    ShareOf,
    segment_key,
)
from arrears.recovery.fitting.person_period import History, cells_by_year, together
from arrears.recovery.fitting.share import Share, fit_share
from arrears.recovery.fitting.tested import Choice, choose, year_errors
from arrears.recovery.params import PRODUCTS, Floats, Ints, Params, odds_of
from arrears.rules import MarketBook

_HALF = 0.5
_LEAST_FACTOR = 0.05
_NINETY = 1.6448536269514722
_EXIT_MONTHS = (12, 24, 60, 120)


@dataclass(frozen=True)
class _Book:
    """What the steps of a fit share."""

    history: History
    cells: pl.DataFrame
    params: Params
    prior: Prior
    variance: float
    curve: Floats


@glm.on_one_thread
def fit_model(
    history: History,
    loans: pl.DataFrame,
    *,
    market: MarketBook,
    curve: Floats,
    version: str,
    source: Literal["payments", "months"],
    limited: Ints | None = None,
) -> RecoveryModel:
    """Fit a model on a history; thin data give the market prior, and the model says how much was missing.

    Args:
        loans: the loans of the history, in its order.
        curve: (M,) the market's share of a claim collected in each month since day 91.
        limited: (n,) month in which each loan's limitation runs out; below 0 where it does not.

    Raises:
        FitMissing: a library of fitting is not installed.
    """
    day = history.as_of
    params = Params.of(market, day)
    late_from = history.end + 1 - _test_months(history.months)
    by_year = cells_by_year(history, late_from=late_from)
    table = together(by_year)
    share = fit_share(table, params, variance=market.number("recovery/share_variance", day))
    # The market prior is one of cash: the smaller the payments, the more of them it expects.
    prior = Prior.of(_with_odds(params, odds_of(curve, share.mean)))
    variance = market.number("recovery/level_variance", day)
    book = _Book(history, table, params, prior, variance, curve)
    choice = choose(table, prior)
    hazard = fit_hazard(table, prior)
    keys = loans.select(segment_key()).to_series()
    names = sorted(set(keys.drop_nulls()))
    place = {name: number for number, name in enumerate(names)}
    own = keys.replace_strict(place, default=None, return_dtype=pl.Int64)
    alone = len(names) + pl.Series(history.static["product"].astype(np.int64))
    segment = own.fill_null(alone).to_numpy()
    product_of = np.array([*(_product(name) for name in names), *range(len(PRODUCTS))])
    exits = Exits(limited)
    panel, robust = second_pass(history, hazard, segment, len(product_of), beside=exits.add)
    hazard = Hazard(prior, hazard.fitted, robust)
    within = _dispersion(panel, product_of)
    dev = _deviations(book, hazard, choice)
    products = _products(book, panel, product_of, within=within, dev=dev)
    model = RecoveryModel(
        arrears=version,
        as_of=day,
        seen=_seen(book, source, late_from, tested=bool(choice.tests)),
        chosen=choice.chosen,
        why=choice.why,
        tests=choice.tests,
        calibration=choice.calibration,
        log_odds=[float(x) for x in _log_odds(book, share, dev)],
        age_z=dev.age_z,
        level=dev.level,
        share_paid=share.mean,
        share_paid_square=max(share.square, share.mean**2),
        level_sd=_level_sd(products, variance),
        edges=[float(edge) for edge in history.edges],
        effects=_effects(book, hazard),
        products=products,
        segments=_segments(panel, names, product_of),
        dispersion=within,
        share=_share_of(share),
        by_age=_by_age(book, hazard),
        exits=_exits(book, hazard, share, exits),
        trees=dev.trees.text if dev.trees else None,
        tree_age=[float(x) for x in dev.age] if dev.trees else None,
    )
    cash = cash_seen(history, model, model.segment_shift(loans))
    return with_years(levelled(model, cash, params), year_errors(by_year, prior), cash, params)


def _with_odds(params: Params, odds: Floats) -> Params:
    from dataclasses import replace

    return replace(params, odds=odds)


def _test_months(months: int) -> int:
    """Months kept for the test: the last year of two or more, else a quarter."""
    return 12 if months >= 24 else max(months // 4, 1)


def _product(segment: str) -> int:
    return PRODUCTS.index(segment.split(", ", 1)[0])


def _dispersion(panel: Panel, product_of: Ints) -> float:
    """s²: spread of half-years' payments over what the fit expects, by product; at least that of counts."""
    paid, fitted = _by_product(panel.paid, product_of), _by_product(panel.by_fit, product_of)
    ratio = np.divide(paid, fitted, out=np.zeros_like(paid), where=fitted > 0)
    return buhlmann_straub(ratio, fitted, least_within=1.0).within


def _by_product(table: Floats, product_of: Ints) -> Floats:
    sums = np.zeros((len(PRODUCTS), table.shape[1]))
    np.add.at(sums, product_of, table)
    return sums


@dataclass(frozen=True)
class _Deviation:
    """What the chosen model adds to the prior: by age (bands,), of mean 0, and by cell; `level` is in the latter."""

    age: Floats
    age_z: float
    rest: Floats
    level: float
    trees: Boosted | None


def _deviations(book: _Book, hazard: Hazard, choice: Choice) -> _Deviation:
    """Split what the model adds into a curve by age, of mean 0 over the loan-months, and the rest by cell."""
    table = book.cells
    bands, seen = table["band"].to_numpy(), table["n"].to_numpy().astype(np.float64)
    size = len(AGE_STARTS)
    nothing = _Deviation(np.zeros(size), 0.0, np.zeros(table.height), 0.0, None)
    if choice.chosen == "market prior" or hazard.fitted is None:
        return nothing
    expected = seen * glm.expit(book.prior.predictor(table))
    z = float(weight_of(np.array([expected.sum()]), within=1.0, between=book.variance)[0])
    trees = fit_boosted(table, book.prior) if choice.chosen == "boosted" else None
    year = 0.0
    if trees is None:
        age = hazard.fitted.age()
        year = season_mean(hazard.fitted, table)
        whole = hazard.deviation(table) - hazard.fitted.term(SEASON)[table[SEASON].to_numpy()]
        whole = whole + year
    else:
        whole = trees.deviation(table)
        age = trees.age(table, expected)
    mean = float(np.average(age[bands], weights=expected))
    age = age - mean
    level = 0.0 if trees else float(hazard.fitted.coefficients[0]) + year + mean
    return _Deviation(age, z, whole - age[bands], level, trees)


def _log_odds(book: _Book, share: Share, dev: _Deviation) -> Floats:
    odds = odds_of(book.curve, share.mean)
    by_month: Floats = np.log(odds) + dev.age_z * dev.age[AGE_BAND]
    return by_month


def _products(
    book: _Book, panel: Panel, product_of: Ints, *, within: float, dev: _Deviation
) -> dict[str, Belief]:
    paid = _by_product(panel.paid, product_of).sum(axis=1)
    expected = _by_product(panel.by_prior, product_of).sum(axis=1)
    z = weight_of(expected, within=within, between=book.variance)
    codes, bands = book.cells["product"].to_numpy(), book.cells["band"].to_numpy()
    base = book.prior.predictor(book.cells) + dev.age_z * dev.age[bands]
    seen = book.cells["n"].to_numpy().astype(np.float64)
    found = {}
    for place, name in enumerate(PRODUCTS):
        ratio = float(paid[place] / expected[place]) if expected[place] > 0 else None
        factor = float(z[place] * (ratio or 0.0) + 1.0 - z[place])
        mine = codes == place
        eta = base[mine] + z[place] * dev.rest[mine]
        found[name] = Belief(
            payments=int(paid[place]),
            expected=float(expected[place]),
            ratio=ratio,
            z=float(z[place]),
            missing=missing_for(
                _HALF, float(expected[place]), within=within, between=book.variance
            ),
            factor=factor,
            shift=glm.shift_to(eta, seen[mine], factor * float(expected[place])),
        )
    return found


def _segments(panel: Panel, names: list[str], product_of: Ints) -> dict[str, Belief]:
    """Provinces within their product: payments over what the fit expects of them."""
    found: dict[str, Belief] = {}
    for product in range(len(PRODUCTS)):
        mine = np.flatnonzero(product_of[: len(names)] == product)
        mine = mine[panel.by_fit[mine].sum(axis=1) > 0]
        if len(mine) < 2:
            continue
        fitted, paid = panel.by_fit[mine], panel.paid[mine]
        ratio = np.divide(paid, fitted, out=np.zeros_like(paid), where=fitted > 0)
        belief = buhlmann_straub(ratio, fitted, least_within=1.0, collective=1.0)
        for row, segment in enumerate(mine):
            factor = max(float(belief.premium[row]), _LEAST_FACTOR)
            own = float(fitted[row].sum())
            lacking = (
                missing_for(_HALF, own, within=belief.within, between=belief.between)
                if belief.between > 0
                else 0.0
            )
            found[names[segment]] = Belief(
                payments=int(paid[row].sum()),
                expected=own,
                ratio=float(belief.mean[row]),
                z=float(belief.z[row]),
                missing=lacking,
                factor=factor,
                shift=float(np.log(factor)),
            )
    return found


def _level_sd(products: dict[str, Belief], variance: float) -> float:
    """What is not known of the level of the whole: the share of the variance that credibility leaves."""
    expected = np.array([belief.expected for belief in products.values()])
    left = np.array([(1.0 - belief.z) / belief.factor**2 for belief in products.values()])
    weight = expected / expected.sum() if expected.sum() > 0 else np.full(len(left), 1 / len(left))
    return float(np.sqrt(variance * (weight**2 @ left)))


def _effects(book: _Book, hazard: Hazard) -> dict[str, dict[str, Effect]]:
    fitted = hazard.fitted
    errors = np.sqrt(np.maximum(np.diag(hazard.robust), 0.0)) if hazard.robust is not None else None
    found: dict[str, dict[str, Effect]] = {}
    for term, levels in TERMS.items():
        codes = book.cells[term].to_numpy()
        seen = np.bincount(codes, weights=book.cells["n"].to_numpy(), minlength=len(levels))
        paid = np.bincount(codes, weights=book.cells["paid"].to_numpy(), minlength=len(levels))
        market = book.prior.effects.get(term, np.zeros(len(levels)))
        own = fitted.term(term) if fitted else np.zeros(len(levels))
        columns = fitted.design.columns.get(term) if fitted else None
        found[term] = {
            level: Effect(
                effect=float(market[place] + own[place]),
                se=float(errors[columns[place]])
                if errors is not None and columns is not None and columns[place] >= 0
                else None,
                market=float(market[place]),
                loan_months=int(seen[place]),
                payments=int(paid[place]),
            )
            for place, level in enumerate(levels)
        }
    return found


def _share_of(share: Share) -> ShareOf:
    def logit(fit: glm.Fit | None) -> Logit | None:
        if fit is None:
            return None
        effects = {
            term: [float(x) for x in fit.term(term)]
            for term in fit.design.columns
            if fit.term(term).any()
        }
        return Logit(intercept=float(fit.coefficients[0]), effects=effects)

    return ShareOf(
        payments=share.payments,
        own=share.own,
        z=share.z,
        full=share.full,
        usual=share.usual,
        settles=logit(share.settles),
        size=logit(share.size),
    )


def _by_age(book: _Book, hazard: Hazard) -> list[AgePoint]:
    """The hazard by age with its 90 % band (delta method, clustered by loan) beside the share that paid."""
    table = book.cells
    bands, seen = table["band"].to_numpy(), table["n"].to_numpy().astype(np.float64)
    chance, size = hazard.chance(table), len(AGE_STARTS)
    market = glm.expit(book.prior.predictor(table))

    def total(values: Floats) -> Floats:
        return np.bincount(bands, weights=values, minlength=size).astype(np.float64)

    count, paid = total(seen), total(table["paid"].to_numpy().astype(np.float64))
    fitted, expected = total(seen * chance), total(seen * market)
    se = _age_errors(table, hazard, seen * chance * (1.0 - chance)) if hazard.fitted else None
    points = []
    for band in np.flatnonzero(count):
        mean = float(fitted[band] / count[band])
        width = _NINETY * float(se[band] / count[band]) if se is not None else 0.0
        # on the logit scale, so that the band stays within 0 and 1
        step = width / max(mean * (1.0 - mean), 1e-12)
        logit = np.log(mean / (1.0 - mean))
        points.append(
            AgePoint(
                start=int(AGE_STARTS[band]),
                end=int(AGE_STARTS[band + 1]) if band + 1 < size else AGES,
                loan_months=int(count[band]),
                payments=int(paid[band]),
                hazard=mean,
                lo90=float(1.0 / (1.0 + np.exp(-(logit - step)))),
                hi90=float(1.0 / (1.0 + np.exp(-(logit + step)))),
                observed=float(paid[band] / count[band]),
                market=float(expected[band] / count[band]),
            )
        )
    return points


def _age_errors(table: pl.DataFrame, hazard: Hazard, weight: Floats) -> Floats:
    """Standard error of the expected payments of each band (bands,)."""
    fitted, size = hazard.fitted, len(AGE_STARTS)
    assert fitted is not None
    layout, bands = fitted.design, table["band"].to_numpy()
    gradient = np.zeros((size, layout.width))
    by_band = np.bincount(bands, weights=weight, minlength=size)
    for column in range(layout.spline.shape[1]):
        gradient[:, column] = by_band * layout.spline[:, column]
    for term, columns in layout.columns.items():
        own = columns[table[term].to_numpy()]
        inside = own >= 0
        np.add.at(gradient, (bands[inside], own[inside]), weight[inside])
    covariance = fitted.covariance if hazard.robust is None else hazard.robust
    square = np.einsum("bi,ij,bj->b", gradient, covariance, gradient)
    errors: Floats = np.sqrt(np.maximum(square, 0.0))
    return errors


def _exits(book: _Book, hazard: Hazard, share: Share, exits: Exits) -> list[ExitPoint]:
    """Aalen-Johansen at a few ages; settlement also as the model has it, the other exits as they were."""
    at_risk, ends = exits.at_risk, exits.ends
    seen = by_cause(at_risk, ends)
    expected = hazard.chance(book.cells) * share.settling(book.cells) * book.cells["n"].to_numpy()
    rate = np.bincount(book.cells["band"], weights=expected, minlength=len(AGE_STARTS))
    count = np.bincount(book.cells["band"], weights=book.cells["n"], minlength=len(AGE_STARTS))
    by_band: Floats = np.divide(rate, count, out=np.zeros(len(rate)), where=count > 0)
    settles = by_band[AGE_BAND]
    others = ends[1:].sum(axis=0) / np.maximum(at_risk, 1)
    still = np.cumprod(np.maximum(1.0 - settles - others, 0.0))
    by_model = np.cumsum(np.concatenate([[1.0], still[:-1]]) * settles * (at_risk > 0))
    return [
        ExitPoint(
            cause=cause,
            month=month,
            share=float(seen.share[place, month - 1]),
            se=float(seen.se[place, month - 1]),
            model=float(by_model[month - 1]) if cause == "settled" else None,
        )
        for place, cause in enumerate(CAUSES)
        for month in _EXIT_MONTHS
        if at_risk[month - 1] > 0
    ]


def _seen(
    book: _Book, source: Literal["payments", "months"], late_from: int, *, tested: bool
) -> Seen:
    history = book.history
    some = history.months > 0
    return Seen(
        source=source,
        begin=_month(history.begin) if some else None,
        end=_month(history.end) if some else None,
        loans=len(history.claim),
        loan_months=int(book.cells["n"].sum()),
        payments=int(book.cells["paid"].sum()),
        tested_from=_month(late_from) if tested else None,
    )


def _month(index: int) -> str:
    return f"{index // 12:04d}-{index % 12 + 1:02d}"
