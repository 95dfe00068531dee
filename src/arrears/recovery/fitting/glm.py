"""A logit on cells: terms by level, a spline by age, standard errors. The work of `hazard` and `share`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np
import polars as pl

from arrears.errors import ArrearsError
from arrears.recovery.fitting.features import AGE_MIDDLE, TERMS
from arrears.recovery.params import Floats, Ints

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")
# A level with fewer payments, or fewer months without, keeps the effect that it has in the market.
LEAST = 10
_KNOTS_FROM = 200
_KNOTS = (0.05, 0.35, 0.65, 0.95)
_TOLERANCE = 1e-10
_PIVOT = 1e-8
# Numbers up to which a full matrix is quicker than one kept by levels.
_DENSE = 4_000_000


class FitMissing(ArrearsError):
    """The libraries that fitting needs are not installed."""

    default_code = "FIT-NOT-INSTALLED"


def require() -> None:
    """See that the libraries of fitting are there.

    Raises:
        FitMissing: one of them is not.
    """
    missing = [name for name in ("glum", "lightgbm", "threadpoolctl") if not _there(name)]
    if missing:
        raise FitMissing(
            f"Fitting needs {' and '.join(missing)}, which is not installed.",
            where="arrears[fit]",
            why="A recovery model cannot be fitted without it.",
            fix="Install it: pip install 'arrears[fit]'.",
        )


def on_one_thread(work: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """The work with libraries of matrices held to one thread: sums of several are added in the order they end.

    Raises:
        FitMissing: a library of fitting is not installed.
    """

    @wraps(work)
    def alone(*given: _Given.args, **more: _Given.kwargs) -> _Made:
        # What is not loaded yet is not held.
        require()
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return work(*given, **more)

    return alone


def _there(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


@dataclass(frozen=True)
class Design:
    """What a linear predictor is made of.

    Attributes:
        spline: (bands, S) columns that go with age, the first the intercept.
        columns: by term, (levels,) the column of each level, -1 where it has none (the reference, or too thin).
        names: (width,) of the columns.
    """

    spline: Floats
    columns: Mapping[str, Ints]
    names: tuple[str, ...]

    @property
    def width(self) -> int:
        """Columns in all."""
        return len(self.names)


@dataclass(frozen=True)
class Fit:
    """Coefficients (width,) by columns of the design, and their covariance by the model."""

    design: Design
    coefficients: Floats
    covariance: Floats

    def age(self) -> Floats:
        """Effect of each band of ages, the intercept apart (bands,)."""
        size = self.design.spline.shape[1]
        effect: Floats = self.design.spline[:, 1:] @ self.coefficients[1:size]
        return effect

    def term(self, name: str, values: Floats | None = None) -> Floats:
        """Effect of each level (levels,); 0 where it has no column.

        Args:
            values: (width,) something else than the coefficients, e.g. standard errors.
        """
        numbers = self.coefficients if values is None else values
        columns = self.design.columns.get(name)
        if columns is None:
            return np.zeros(len(TERMS[name]))
        effect: Floats = np.where(columns >= 0, numbers[columns], 0.0)
        return effect

    def predictor(self, cells: pl.DataFrame) -> Floats:
        """Linear predictor of each cell, without an offset."""
        eta: Floats = self.coefficients[0] + self.age()[cells["band"].to_numpy()]
        for name in self.design.columns:
            eta = eta + self.term(name)[cells[name].to_numpy()]
        return eta


def natural_spline(knots: Floats) -> Floats:
    """Natural cubic spline columns by band of ages in log(1 + age), linear past the outer knots (bands, K - 1).

    Args:
        knots: (K,) at least 2, rising, in log(1 + age).
    """
    x = np.log1p(AGE_MIDDLE)
    low, high = float(knots[0]), float(knots[-1])
    scale = max(high - low, 1e-9)

    def part(knot: float) -> Floats:
        cube: Floats = np.maximum(x - knot, 0.0) ** 3 - np.maximum(x - high, 0.0) ** 3
        return cube / max(high - knot, 1e-9)

    last = part(float(knots[-2]))
    curves = [(part(float(knot)) - last) / scale**2 for knot in knots[:-2]]
    return np.column_stack([(x - low) / scale, *curves])


def design(
    cells: pl.DataFrame, *, terms: Sequence[str], hits: str, of: str, by_age: bool = True
) -> Design:
    """The columns that the cells can bear.

    Args:
        hits, of: names of the columns with successes and trials.
    """
    hit, trial = cells[hits].to_numpy(), cells[of].to_numpy()
    ages = _spline(cells, hit) if by_age else np.ones((len(AGE_MIDDLE), 1))
    names = ["intercept", *(f"age {place}" for place in range(1, ages.shape[1]))]
    columns: dict[str, Ints] = {}
    for term in terms:
        levels = cells[term].to_numpy()
        size = len(TERMS[term])
        hits_by = np.bincount(levels, weights=hit, minlength=size)
        seen = np.bincount(levels, weights=trial, minlength=size)
        borne = (hits_by >= LEAST) & (seen - hits_by >= LEAST)
        borne[np.argmax(seen)] = False
        columns[term] = np.full(size, -1, dtype=np.int64)
        for level in np.flatnonzero(borne):
            columns[term][level] = len(names)
            names.append(f"{term}: {TERMS[term][level]}")
    return told_apart(Design(ages, columns, tuple(names)), cells, trial.astype(np.float64))


def _spline(cells: pl.DataFrame, hit: Ints) -> Floats:
    """Intercept and curve: none for few payments, a line for some, a natural cubic spline for many."""
    bands = cells["band"].to_numpy()
    ones = np.ones((len(AGE_MIDDLE), 1))
    by_band = np.bincount(bands, weights=hit, minlength=len(AGE_MIDDLE))
    seen = np.flatnonzero(by_band)
    if by_band.sum() < 2 * LEAST or len(seen) < 3:
        return ones
    x = np.log1p(AGE_MIDDLE)
    share = np.cumsum(by_band) / by_band.sum()
    knots = np.unique(x[np.searchsorted(share, _KNOTS)])
    if by_band.sum() < _KNOTS_FROM or len(knots) < 3:
        knots = x[[seen[0], seen[-1]]]
    curve = natural_spline(knots)
    # Past the ages that were seen paying, the curve keeps its distance to the market's.
    curve = curve[np.clip(np.arange(len(x)), seen[0], seen[-1])]
    return np.hstack([ones, curve])


def told_apart(full: Design, cells: pl.DataFrame, weight: Floats) -> Design:
    """The design without the columns that others already tell (e.g. each mortgage has a home)."""
    gram = _matrix(full, cells).sandwich(weight)
    kept: list[int] = []
    left = np.array(gram, dtype=np.float64)
    for column in range(full.width):
        pivot = left[column, column]
        if pivot <= _PIVOT * gram[column, column]:
            continue
        kept.append(column)
        left = left - np.outer(left[:, column], left[column]) / pivot
    if len(kept) == full.width:
        return full
    place = {column: number for number, column in enumerate(kept)}
    size = full.spline.shape[1]
    return Design(
        full.spline[:, [column for column in kept if column < size]],
        {
            term: np.array([place.get(int(column), -1) for column in columns])
            for term, columns in full.columns.items()
        },
        tuple(full.names[column] for column in kept),
    )


def _matrix(layout: Design, cells: pl.DataFrame):  # type: ignore[no-untyped-def]
    """The design as a matrix of tabmat, by cells; columns in their order."""
    import tabmat

    size = layout.spline.shape[1]
    if cells.height * layout.width <= _DENSE:
        x = np.zeros((cells.height, layout.width), order="F")
        x[:, :size] = layout.spline[cells["band"].to_numpy()]
        for term, columns in layout.columns.items():
            own = columns[cells[term].to_numpy()]
            x[np.flatnonzero(own >= 0), own[own >= 0]] = 1.0
        return tabmat.DenseMatrix(x)
    parts = [tabmat.DenseMatrix(np.asfortranarray(layout.spline[cells["band"].to_numpy()]))]
    places = [np.arange(size)]
    for term, columns in layout.columns.items():
        used = np.sort(columns[columns >= 0])
        if not len(used):
            continue
        category = np.zeros(len(columns), dtype=np.int64)
        category[columns >= 0] = 1 + np.searchsorted(used, columns[columns >= 0])
        codes = category[cells[term].to_numpy()]
        parts.append(
            tabmat.CategoricalMatrix(codes, categories=np.arange(len(used) + 1), drop_first=True)
        )
        places.append(used)
    return tabmat.SplitMatrix(parts, [np.asarray(place) for place in places])


def fit(
    cells: pl.DataFrame, layout: Design, *, hits: Floats, of: Floats, offset: Floats | None = None
) -> Fit:
    """Maximum likelihood by glum; a cell counts as all its rows do.

    Args:
        hits: (cells,) successes, or sums of shares (fractional logit).
        of: (cells,) trials.
    """
    import glum

    matrix = _matrix(layout, cells)

    shift = np.zeros(cells.height) if offset is None else offset
    start = np.zeros(layout.width)
    used = of > 0
    share = np.divide(hits, of, out=np.zeros(len(of)), where=used)
    estimator = glum.GeneralizedLinearRegressor(
        family="binomial", link="logit", alpha=0.0, fit_intercept=False, solver="irls-ls",
        gradient_tol=_TOLERANCE, max_iter=200, start_params=start, expected_information=True,
    )  # fmt: skip
    estimator.fit(matrix, share, sample_weight=of.astype(np.float64), offset=shift)
    found = np.asarray(estimator.coef_, dtype=np.float64)
    chance = expit(matrix.matvec(found) + shift)
    information = np.asarray(matrix.sandwich(of * chance * (1.0 - chance)))
    return Fit(layout, found, np.linalg.pinv(information))


def expit(eta: Floats) -> Floats:
    """Chance of log odds."""
    chance: Floats = 1.0 / (1.0 + np.exp(-eta))
    return chance


def shift_to(eta: Floats, seen: Floats, wanted: float) -> float:
    """What to add to the log odds so that the loan-months expect `wanted` payments; by bisection."""
    if not len(eta) or wanted <= 0.0:
        return 0.0
    low, high = -12.0, 12.0
    for _ in range(80):
        middle = (low + high) / 2.0
        if float(seen @ expit(eta + middle)) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
