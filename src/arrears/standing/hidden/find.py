"""From the tape to the hidden part: signs, the model where histories allow one, and the finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.rng import generator
from arrears.rules import MarketBook
from arrears.standing.classify import bad
from arrears.standing.hidden import fit as fitting
from arrears.standing.hidden import model, prior
from arrears.standing.hidden.audit import Sharpened, sharpen
from arrears.standing.hidden.choice import choose, levelled
from arrears.standing.hidden.coded import Coded, coded
from arrears.standing.hidden.finding import DRAWS, LEAST, Book, Choice, Hidden, Modelled, drawn
from arrears.standing.hidden.maturity import either, kept_at_maturity, since_renewal
from arrears.standing.hidden.months import lived as lived_of
from arrears.standing.hidden.scorecard import score
from arrears.standing.hidden.signs import signs as signs_of
from arrears.standing.law import NPL
from arrears.tape import claim

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# As fine as the numbers that they are drawn by, and half as large.
Chances = npt.NDArray[np.float32]

_ERRORS = ("scorecard", "model", "untraced")
_BAD = slice(prior.SHOWN, prior.KEPT + 1)


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
    audit: pl.DataFrame | None = None,
    seed: int = 0,
) -> Hidden:
    """The hidden part of a book: loans that are bad, and neither reported nor ruled non-performing.

    Args:
        loans: canonical, n rows.
        tables: canonical `payments`, `months`, `events`.
        standing: as `classify` gives it, rows as `loans`.
        audit: `loan_id, hidden` of loans that somebody has looked into.
    """
    book = read_book(loans, tables, standing=standing, as_of=as_of)
    looked, found = _looked_into(book, audit)
    scored = score(book.signs, market.numbers("hidden/scorecard", as_of))
    errors = {name: market.number(f"hidden/{name}_error", as_of) for name in _ERRORS}
    told = book.monthly and not book.lived.is_empty()
    histories = coded(loans, book.lived, book.signs["outside"]) if told else None
    if histories is None or not histories.length.size or histories.length.max() < 2:
        first = _by_scorecard(book, scored, errors=errors, seed=seed)
    else:
        audited = np.zeros(len(scored), dtype=np.int64)
        audited[looked] = np.where(found, 2, 1)
        picked = choose(book, market.numbers("hidden/scorecard", as_of), seed=seed)
        first = _by_model(
            book, histories, scored, audited=audited, picked=picked, errors=errors, seed=seed
        )
    if not len(looked):
        return _finding(book, first, seed=seed)
    sharp = sharpen(first.chance, book.signs, looked, found)
    return _finding(book, _known(_sharper(first, book, sharp, seed), looked, found), seed=seed)


@dataclass(frozen=True)
class _Found:
    """Chances (n,) of all loans, those (m, DRAWS) of the loans drawn, and what they come from.

    Attributes:
        untraced: as in `Hidden`; an inspection takes its place.
    """

    chance: Floats
    rows: Ints
    chances: Chances | _Shifted
    basis: str
    why: str
    modelled: Modelled | None = None
    untraced: Floats | None = None


def _looked_into(book: Book, audit: pl.DataFrame | None) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Rows of the loans looked into, and what was found; loans known as bad are left out."""
    if audit is None or audit.is_empty():
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    place = book.loans.select("loan_id", row=pl.int_range(pl.len())).join(
        audit.select("loan_id", "hidden"), on="loan_id", maintain_order="left"
    )
    rows = place["row"].to_numpy().astype(np.int64)
    kept = book.shown[rows]
    return rows[kept], place["hidden"].to_numpy()[kept]


def _sharper(first: _Found, book: Book, sharp: Sharpened, seed: int) -> _Found:
    """The finding corrected by what an inspection found; what only the histories leave open stays in the draws."""
    chance = sharp.chances()
    rows = _drawable(book, chance)
    why = f"{first.why} Sharpened by an inspection."
    drawn_ = sharp.drawn(rows, DRAWS, seed).astype(np.float32)
    return _Found(chance, rows, drawn_, first.basis, why, first.modelled)


def _known(found: _Found, looked: Ints, hidden: npt.NDArray[np.bool_]) -> _Found:
    """What somebody has seen is no chance any more."""
    chance = found.chance.copy()
    chance[looked] = hidden
    rows = np.union1d(np.setdiff1d(found.rows, looked), looked[hidden])
    chances = np.ones((len(rows), DRAWS), dtype=np.float32)
    place = np.searchsorted(rows, found.rows)
    place = np.where(
        (place < len(rows)) & (rows[np.minimum(place, len(rows) - 1)] == found.rows), place, -1
    )
    open_ = (place >= 0) & ~np.isin(found.rows, looked)
    chances[place[open_]] = found.chances[open_]
    return replace(found, chance=chance, rows=rows, chances=chances)


def _by_scorecard(book: Book, scored: Floats, *, errors: dict[str, float], seed: int) -> _Found:
    """The indicators' scorecard; its level may be off by the error the market book states."""
    rows = _drawable(book, scored)
    chances = _Shifted.of(scored[rows], errors["scorecard"], seed)
    why = "The indicators' scorecard: the tape has no two months of a loan to fit a model on."
    return _Found(scored, rows, chances, "scorecard", why)


def _by_model(
    book: Book,
    histories: Coded,
    scored: Floats,
    *,
    audited: Ints,
    picked: Choice,
    errors: dict[str, float],
    seed: int,
) -> _Found:
    """The hidden-state model, or another way that foretold better; loans without months keep the scorecard's chance.

    Args:
        audited: of each loan (n,), the place in `model.AUDITED`: it shapes the fit, while the chances given are those
            that histories alone tell.
    """
    seen = audited[histories.loan]
    fit = fitting.fit(histories, seen, seed=seed)
    gamma = np.empty((len(histories.code), len(prior.STATES)), dtype=np.float32)
    chance = scored.copy()
    chance[histories.loan] = chances_of(fit.params, histories, np.zeros_like(seen), gamma)
    branch = np.full(len(chance), -1)
    branch[histories.loan] = histories.branch
    own = chance
    missing = kept_at_maturity(book, own, scored, branch=branch, keeps=fit.params.keeps)
    since_renewal(histories, missing[histories.loan], gamma)
    chance = either(own, missing)
    rows = _drawable(book, chance)
    chances = _Shifted.of(chance[rows], errors["scorecard"], seed)[:]
    place = np.full(len(chance), -1)
    place[histories.loan] = np.arange(len(histories.loan))
    with_months = np.flatnonzero(place[rows] >= 0)
    if len(with_months) and not audited.any():
        few = histories.of(place[rows[with_months]])
        level = generator(seed, "hidden", "level").normal(0.0, errors["model"], DRAWS)

        def more(near: model.Params) -> Floats:
            return kept_at_maturity(book, own, scored, branch=branch, keeps=near.keeps)[
                rows[with_months]
            ]

        chances[with_months] = _redrawn(
            fit.params, histories, seen, few=few, more=more, level=level, seed=seed
        )
    made = Modelled(fit, histories, gamma, picked)
    beyond = generator(seed, "hidden", "untraced").normal(0.0, errors["untraced"], DRAWS)
    untraced = np.exp(np.maximum(beyond, 0.0)) - 1.0
    if picked.ranking is None:
        why = f"The hidden-state model. {picked.why}"
        return _Found(chance, rows, chances, "model", why, made, untraced)
    chance = np.where(book.shown, chance, 0.0)
    chance[book.shown] = levelled(picked.ranking[book.shown], float(chance.sum()))
    rows = _drawable(book, chance)
    near = _Shifted.of(chance[rows], errors["model"], seed)
    why = f"In the order of the {picked.way}, at the level of the hidden-state model. {picked.why}"
    return _Found(chance, rows, near, picked.way, why, made, untraced)


def chances_of(
    params: model.Params,
    histories: Coded,
    audited: Ints,
    gamma: npt.NDArray[np.float32] | None = None,
) -> Floats:
    """Chance (h,) that each loan is bad in its last month; `gamma` (t, s), if given, takes the posterior by month."""
    layout, ones = model.Layout.of(histories), np.ones(len(histories.loan))
    counts = model.expect(params, layout, weight=ones, audited=audited, gamma=gamma, learn=False)
    return np.asarray(counts.end[:, _BAD].sum(axis=1))


def _redrawn(
    params: model.Params,
    histories: Coded,
    audited: Ints,
    *,
    few: Coded,
    more: Callable[[model.Params], Floats],
    level: Floats,
    seed: int,
) -> Floats:
    """Chances (m, DRAWS) of few loans under parameters drawn around the fit, the level of all moved by `level`."""
    none = np.zeros(len(few.loan), dtype=np.int64)
    found = [
        either(chances_of(near, few, none), more(near))
        for near in fitting.drawn(params, histories, audited, seed=seed)
    ]
    many = np.repeat(np.stack(found, axis=1), DRAWS // len(found), axis=1)
    odds = np.log(np.clip(many, 1e-12, None) / np.clip(1.0 - many, 1e-12, None))
    return np.asarray(1.0 / (1.0 + np.exp(-(odds + level))))


@dataclass(frozen=True)
class _Shifted:
    """Chances (m, DRAWS) whose common level is off by a normal error of the log-odds, those that are asked for.

    Attributes:
        against: odds (m,) against each.
        off: what the error of each draw (DRAWS,) makes of them.
    """

    against: Chances
    off: Chances

    @classmethod
    def of(cls, chance: Floats, error: float, seed: int) -> _Shifted:
        """Of chances (m,), at the error of the level."""
        shift = generator(seed, "hidden", "scorecard").normal(0.0, error, DRAWS)
        against = np.clip(1.0 - chance, 1e-12, None) / chance
        return cls(against.astype(np.float32), np.exp(-shift).astype(np.float32))

    def __getitem__(self, loans: slice | npt.NDArray[np.bool_]) -> Chances:
        chances = np.multiply.outer(self.against[loans], self.off)
        chances += 1.0
        return np.reciprocal(chances, out=chances)


def _drawable(book: Book, chance: Floats) -> Ints:
    """Loans whose chance to be hidden is worth drawing."""
    return np.flatnonzero(book.shown & book.told & (chance >= LEAST))


def _finding(book: Book, found: _Found, *, seed: int) -> Hidden:
    """The finding from the chances, and outcomes drawn by them."""
    p = np.where(book.shown, found.chance, 0.0)
    told = pl.Series(book.told)
    basis, why = found.basis, found.why
    if not book.told.any():
        basis, why = "none", "The tape tells no history of any loan."
    table = book.loans.select("loan_id").with_columns(
        p_hidden=pl.when(told).then(pl.Series(p)),
        hidden_amount=pl.when(told).then(pl.Series(p * book.claim)),
    )
    rows = found.rows
    draws = drawn(rows, found.chances, book.claim[rows], generator(seed, "hidden", "draws"))
    return Hidden(table, rows, draws, basis, why, book.signs, book, found.modelled, found.untraced)
