"""Loans of a kind: product, contact status, age and size; steps to collect are judged by cell."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.rules import MarketBook
from arrears.tape.columns import WORDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PRODUCTS = tuple(WORDS["product"])
CONTACTS = (*WORDS["contact_status"], "unknown")
AGES = (0, 6, 12, 24, 60)
SIZES = (2_000_000.0, 10_000_000.0)
SHAPE = (len(PRODUCTS), len(CONTACTS), 1 + len(AGES), 1 + len(SIZES))
COUNT = int(np.prod(SHAPE))
RUNGS = tuple(WORDS["step"])


def cells(loans: pl.DataFrame, claim: Floats, age: Ints) -> Ints:
    """Number of the cell of each loan (n,).

    Args:
        claim: owed, fen.
        age: whole months since day 91, -1 before it.
    """
    product = _code(loans["product"], PRODUCTS, PRODUCTS.index("consumer"))
    contact = _code(loans["contact_status"], CONTACTS, len(CONTACTS) - 1)
    stage = np.where(age < 0, 0, np.searchsorted(AGES, age, side="right"))
    size = np.searchsorted(SIZES, claim, side="right")
    number: Ints = np.ravel_multi_index((product, contact, stage, size), SHAPE).astype(np.int64)
    return number


def _code(words: pl.Series, known: tuple[str, ...], other: int) -> Ints:
    found = words.cast(pl.Enum(known), strict=False).to_physical().cast(pl.Int64)
    return found.fill_null(other).to_numpy()


def prior(market: MarketBook, as_of: date) -> Floats:
    """What each step adds to the logit of a payment by the market book, by cell (COUNT, steps)."""
    effect = np.zeros((*SHAPE, len(RUNGS)))
    by_age = np.array(market.table("ladder/by_age", as_of))
    place = np.searchsorted(by_age[:, 0], AGES, side="right") - 1
    by_product = market.numbers("ladder/by_product", as_of)
    factors = [market.numbers(f"ladder/{word}", as_of) for word in CONTACTS]
    for rung, step in enumerate(RUNGS):
        base = market.numbers(f"ladder/{step}", as_of)
        stages = np.concatenate([[base["early"]], base["late"] * by_age[place, 1]])
        products = np.array([by_product[word] for word in PRODUCTS])
        contacts = np.array([words[step] for words in factors])
        grid = products[:, None, None] * contacts[None, :, None] * stages[None, None, :]
        effect[..., rung] = grid[..., None]
    return effect.reshape(COUNT, len(RUNGS))
