"""From the tape to the hidden part: signs, the model where histories allow one, and the finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.rng import generator
from arrears.rules import MarketBook
from arrears.standing.classify import bad
from arrears.standing.hidden import fit as fitting
from arrears.standing.hidden import model, prior
from arrears.standing.hidden.coded import Coded, coded
from arrears.standing.hidden.finding import DRAWS, LEAST, Hidden, Modelled, drawn
from arrears.standing.hidden.months import lived as lived_of
from arrears.standing.hidden.scorecard import score
from arrears.standing.hidden.signs import signs as signs_of
from arrears.standing.law import NPL
from arrears.tape import claim

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BAD = slice(prior.SHOWN, prior.KEPT + 1)


@dataclass(frozen=True)
class Book:
    """A book with what its histories show.

    Attributes:
        shown: whether each loan (n,) can be hidden at all: it owes, and is neither reported nor ruled bad.
        told: whether the tape tells any history of each loan (n,).
        monthly: whether months are known, not only that something was done in one.
    """

    loans: pl.DataFrame
    lived: pl.DataFrame
    signs: pl.DataFrame
    claim: npt.NDArray[np.int64]
    shown: npt.NDArray[np.bool_]
    told: npt.NDArray[np.bool_]
    monthly: bool


def read_book(
    loans: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame | None],
    *,
    standing: pl.DataFrame,
    as_of: date,
) -> Book:
    """The loans with the signs of their histories."""
    lived = lived_of(loans, tables, as_of)
    signs = signs_of(loans, lived)
    owed = claim(loans)
    known_bad = loans.select(
        pl.col("reported_class").is_in(NPL).fill_null(False)
        | pl.col("written_off").fill_null(False)
    ).to_series() | bad(standing)
    told = (signs["months"] > 0) | loans["renewals"].is_not_null()
    shown = ~known_bad.to_numpy() & (owed > 0)
    monthly = any(
        (table := tables.get(name)) is not None and not table.is_empty()
        for name in ("months", "payments")
    )
    return Book(loans, lived, signs, owed, shown, told.to_numpy(), monthly)


def find(
    loans: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame | None],
    *,
    standing: pl.DataFrame,
    as_of: date,
    market: MarketBook,
    seed: int = 0,
) -> Hidden:
    """The hidden part of a book: loans that are bad, and neither reported nor ruled non-performing.

    Args:
        loans: canonical, n rows.
        tables: canonical `payments`, `months`, `events`.
        standing: as `classify` gives it, rows as `loans`.
    """
    book = read_book(loans, tables, standing=standing, as_of=as_of)
    scored = score(book.signs, market.numbers("hidden/scorecard", as_of))
    histories = coded(loans, book.lived, book.signs["outside"]) if book.monthly else None
    if histories is None or histories.length.max() < 2:
        return _by_scorecard(book, scored, as_of=as_of, market=market, seed=seed)
    return _by_model(book, histories, scored, as_of=as_of, market=market, seed=seed)


def _by_scorecard(
    book: Book, scored: Floats, *, as_of: date, market: MarketBook, seed: int
) -> Hidden:
    """The finding of the indicators' scorecard; its level may be off by the error the market book states."""
    rows = _drawable(book, scored)
    chances = _shifted(scored[rows], market.number("hidden/scorecard_error", as_of), seed)
    why = "The indicators' scorecard: the tape has no two months of a loan to fit a model on."
    return _finding(book, scored, chances, rows=rows, seed=seed, basis="scorecard", why=why)


def _by_model(
    book: Book, histories: Coded, scored: Floats, *, as_of: date, market: MarketBook, seed: int
) -> Hidden:
    """The finding of the hidden-state model; loans without months keep the scorecard's chance."""
    audited = np.zeros(len(histories.loan), dtype=np.int64)
    fit = fitting.fit(histories, audited, seed=seed)
    gamma = np.empty((len(histories.code), len(prior.STATES)), dtype=np.float32)
    chance = scored.copy()
    chance[histories.loan] = chances_of(fit.params, histories, audited, gamma)
    rows = _drawable(book, chance)
    chances = _shifted(chance[rows], market.number("hidden/scorecard_error", as_of), seed)
    place = np.full(len(chance), -1)
    place[histories.loan] = np.arange(len(histories.loan))
    with_months = np.flatnonzero(place[rows] >= 0)
    few = histories.of(place[rows[with_months]])
    level = generator(seed, "hidden", "level").normal(
        0.0, market.number("hidden/model_error", as_of), DRAWS
    )
    if len(with_months):
        chances[with_months] = _redrawn(
            fit.params, histories, audited, few=few, level=level, seed=seed
        )
    why = "The hidden-state model."
    made = Modelled(fit, histories, gamma)
    return _finding(
        book, chance, chances, rows=rows, seed=seed, basis="model", why=why, modelled=made
    )


def chances_of(
    params: model.Params,
    histories: Coded,
    audited: Ints,
    gamma: npt.NDArray[np.floating],
) -> Floats:
    """Chance (h,) that each loan is bad in its last month; `gamma` (t, s) then holds the posterior by month."""
    layout, ones = model.Layout.of(histories), np.ones(len(histories.loan))
    counts = model.expect(params, layout, weight=ones, audited=audited, gamma=gamma, learn=False)
    return np.asarray(counts.end[:, _BAD].sum(axis=1))


def _redrawn(
    params: model.Params,
    histories: Coded,
    audited: Ints,
    *,
    few: Coded,
    level: Floats,
    seed: int,
) -> Floats:
    """Chances (m, DRAWS) of few loans under parameters drawn around the fit, the level of all moved by `level`."""
    gamma = np.empty((len(few.code), len(prior.STATES)))
    none = np.zeros(len(few.loan), dtype=np.int64)
    found = [
        chances_of(near, few, none, gamma)
        for near in fitting.drawn(params, histories, audited, seed=seed)
    ]
    many = np.repeat(np.stack(found, axis=1), DRAWS // len(found), axis=1)
    odds = np.log(np.clip(many, 1e-12, None) / np.clip(1.0 - many, 1e-12, None))
    return np.asarray(1.0 / (1.0 + np.exp(-(odds + level))))


def _shifted(chance: Floats, error: float, seed: int) -> Floats:
    """Chances (m, DRAWS) whose common level is off by a normal error of the log-odds."""
    shift = generator(seed, "hidden", "scorecard").normal(0.0, error, DRAWS)
    odds = np.log(chance / np.clip(1.0 - chance, 1e-12, None))
    return np.asarray(1.0 / (1.0 + np.exp(-(odds[:, None] + shift))))


def _drawable(book: Book, chance: Floats) -> Ints:
    """Loans whose chance to be hidden is worth drawing."""
    return np.flatnonzero(book.shown & book.told & (chance >= LEAST))


def _finding(
    book: Book,
    chance: Floats,
    chances: Floats,
    *,
    rows: Ints,
    seed: int,
    basis: str,
    why: str,
    modelled: Modelled | None = None,
) -> Hidden:
    """The finding from the chance (n,) of each loan and that (m, DRAWS) of the loans drawn."""
    p = np.where(book.shown, chance, 0.0)
    told = pl.Series(book.told)
    if not book.told.any():
        basis, why = "none", "The tape tells no history of any loan."
    table = book.loans.select("loan_id").with_columns(
        p_hidden=pl.when(told).then(pl.Series(p)),
        hidden_amount=pl.when(told).then(pl.Series(p * book.claim)),
    )
    uniform = generator(seed, "hidden", "draws").random((len(rows), DRAWS), dtype=np.float32)
    amounts = drawn(chances, book.claim[rows], uniform)
    return Hidden(table, rows, amounts, basis, why, book.signs, modelled)
