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
from arrears.standing.hidden.finding import DRAWS, LEAST, Hidden, drawn
from arrears.standing.hidden.months import lived as lived_of
from arrears.standing.hidden.scorecard import score
from arrears.standing.hidden.signs import signs as signs_of
from arrears.standing.law import NPL
from arrears.tape import claim

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Book:
    """A book with what its histories show.

    Attributes:
        shown: whether each loan (n,) can be hidden at all: it owes, and is neither reported nor ruled bad.
        told: whether the tape tells any history of each loan (n,).
    """

    loans: pl.DataFrame
    lived: pl.DataFrame
    signs: pl.DataFrame
    claim: npt.NDArray[np.int64]
    shown: npt.NDArray[np.bool_]
    told: npt.NDArray[np.bool_]


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
    return Book(loans, lived, signs, owed, shown, told.to_numpy())


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
    return by_scorecard(book, as_of=as_of, market=market, seed=seed)


def by_scorecard(book: Book, *, as_of: date, market: MarketBook, seed: int) -> Hidden:
    """The finding of the indicators' scorecard; its level may be off by the error the market book states."""
    chance = score(book.signs, market.numbers("hidden/scorecard", as_of))
    error = market.number("hidden/scorecard_error", as_of)
    shift = generator(seed, "hidden", "scorecard").normal(0.0, error, DRAWS)
    rows = drawable(book, chance)
    odds = np.log(chance[rows] / (1.0 - chance[rows]))
    chances = 1.0 / (1.0 + np.exp(-(odds[:, None] + shift)))
    why = "The indicators' scorecard: the tape has no two months of history to fit a model on."
    return finding(book, chance, chances, rows=rows, seed=seed, basis="scorecard", why=why)


def drawable(book: Book, chance: Floats) -> npt.NDArray[np.int64]:
    """Loans whose chance to be hidden is worth drawing."""
    return np.flatnonzero(book.shown & book.told & (chance >= LEAST))


def finding(
    book: Book,
    chance: Floats,
    chances: Floats,
    *,
    rows: npt.NDArray[np.int64],
    seed: int,
    basis: str,
    why: str,
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
    return Hidden(table, rows, drawn(chances, book.claim[rows], uniform), basis, why, book.signs)
