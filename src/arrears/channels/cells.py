"""Loans of a kind: product, contact status, age and size; steps to collect are judged by cell."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.dates import DAYS_A_MONTH
from arrears.rules import MarketBook
from arrears.tape.columns import WORDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PRODUCTS = tuple(WORDS["product"])
CONTACTS = (*WORDS["contact_status"], "unknown")
AGES = (0, 6, 12, 24, 60)
# Days past due from which a loan is of an age: two before day 91, then those of `AGES`.
_FRESH, _EARLY, _LATE = 1, 31, 91
FROM_DAY = (_FRESH, _EARLY, *(_LATE + DAYS_A_MONTH * months for months in AGES))
SIZES = (2_000_000.0, 10_000_000.0)
SHAPE = (len(PRODUCTS), len(CONTACTS), len(FROM_DAY), 1 + len(SIZES))
COUNT = int(np.prod(SHAPE))
RUNGS = tuple(WORDS["step"])


def cells(loans: pl.DataFrame, claim: Floats, age: Ints, days: Floats | Ints) -> Ints:
    """Number of the cell of each loan (n,).

    Args:
        claim: owed, fen.
        age: whole months since day 91, -1 before it.
        days: past due.
    """
    product = _code(loans["product"], PRODUCTS, PRODUCTS.index("consumer"))
    contact = _code(loans["contact_status"], CONTACTS, len(CONTACTS) - 1)
    early = np.where(days < _EARLY, 0, 1)
    stage = np.where(age < 0, early, 1 + np.searchsorted(AGES, age, side="right"))
    size = np.searchsorted(SIZES, claim, side="right")
    number: Ints = np.ravel_multi_index((product, contact, stage, size), SHAPE).astype(np.int64)
    return number


def too_early(market: MarketBook, as_of: date) -> Ints:
    """Bits of the steps that no loan of a cell gets yet (COUNT,)."""
    first = market.numbers("ladder/from_day", as_of)
    bits = [
        sum(1 << RUNGS.index(step) for step, day in first.items() if day > there)
        for there in FROM_DAY
    ]
    found: Ints = np.array(bits)[np.unravel_index(np.arange(COUNT), SHAPE)[2]]
    return found


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
        stages = np.concatenate([[base["early"]] * 2, base["late"] * by_age[place, 1]])
        products = np.array([by_product[word] for word in PRODUCTS])
        contacts = np.array([words[step] for words in factors])
        grid = products[:, None, None] * contacts[None, :, None] * stages[None, None, :]
        effect[..., rung] = grid[..., None]
    return effect.reshape(COUNT, len(RUNGS))
