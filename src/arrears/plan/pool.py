"""Which loans to put into a pool: eligible ones of the most worth, under limits of concentration and of the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels import PoolTerms
from arrears.plan.choices import Choices
from arrears.plan.clash import Infeasible
from arrears.plan.solver import solve

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# A pool is picked a little larger than it must be, so that what is planned out of it can still keep a floor.
_SPARE = 1.05


@dataclass(frozen=True)
class Concentration:
    """At most a share of the pool's claims in one word of a column, or in each of them.

    Attributes:
        word: the one word meant; every word of the column by itself where it is left out.
    """

    column: str
    most: float
    word: str | None = None


@dataclass(frozen=True)
class PoolRules:
    """What a pool may hold.

    Attributes:
        words: allowed words by column, e.g. product, province, legal_status.
        ranges: least and most by column, e.g. claim (the ticket, fen), days_past_due.
        concentrations: limits by share of the pool.
        most_claim, least_claim: size of the pool, fen.
    """

    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    concentrations: Sequence[Concentration] = ()
    most_claim: float = np.inf
    least_claim: float = 0.0


@dataclass(frozen=True)
class Pool:
    """A pool that keeps every rule.

    Attributes:
        chosen: loans in it (n,).
        value: its worth, fen; no pool under these rules is worth more than `bound`.
        claim: what it holds, fen.
    """

    chosen: Flags
    value: float
    bound: float
    claim: float


def eligible(loans: pl.DataFrame, claim: Floats, rules: PoolRules) -> Flags:
    """Loans that may enter at all (n,); an unknown word or number is none that is allowed."""
    table = loans.with_columns(claim=pl.Series(claim))
    tests = [pl.col(name).is_in(list(words)) for name, words in rules.words.items()]
    tests += [pl.col(name).is_between(low, high) for name, (low, high) in rules.ranges.items()]
    if not tests:
        return np.ones(len(claim), dtype=np.bool_)
    return table.select(pl.all_horizontal(tests).fill_null(False)).to_series().to_numpy()


def select_pool(
    loans: pl.DataFrame,
    claim: Floats,
    value: Floats,
    rules: PoolRules,
    *,
    uses: Sequence[tuple[Floats, float]] = (),
) -> Pool | None:
    """The pool of the most worth.

    A share limit is linear: claims of the word less that share of all claims in the pool stay at or below 0.

    Args:
        value: what putting a loan in adds, fen (n,); loans that add nothing stay out unless a least size needs them.
        uses: the plan's capacities, what each loan takes of one and how much is left of it.

    Returns:
        None where no pool keeps the rules.
    """
    open_ = eligible(loans, claim, rules)
    places = np.flatnonzero(open_)
    if not len(places):
        return None if rules.least_claim > 0.0 else Pool(open_, 0.0, 0.0, 0.0)
    owed = claim[places]
    rows = [owed, *(amount[places] for amount, _ in uses)]
    low = [rules.least_claim or -np.inf, *[-np.inf] * len(uses)]
    high = [rules.most_claim, *(most for _, most in uses)]
    for limit in rules.concentrations:
        words = loans[limit.column].cast(pl.String).gather(places)
        each = [limit.word] if limit.word is not None else words.drop_nulls().unique().sort()
        for word in each:
            mine = (words == word).fill_null(False).to_numpy()
            rows.append(owed * (mine - limit.most))
            low.append(-np.inf)
            high.append(0.0)
    found = solve(_choices(np.stack(rows), value[places], np.array(low), np.array(high)))
    if isinstance(found, Infeasible):
        return None
    inside = np.zeros(len(claim), dtype=np.bool_)
    inside[places] = found.chosen % 2 == 1
    worth = float(value[inside].sum())
    return Pool(inside, worth, max(found.bound, worth), float(claim[inside].sum()))


def beyond_limits(
    loans: pl.DataFrame,
    claim: Floats,
    gain: Floats,
    *,
    mine: Flags,
    open_: Flags,
    terms: PoolTerms,
) -> Flags:
    """Loans that may not go into a package, so that it keeps its limits and loses the least (n,); none if it does.

    Those that may are the pool of the most worth among all that are open, as large as the package where that can be.

    Args:
        gain: what each loan gains by being in it, fen (n,).
        mine: the loans in it (n,).
        open_: loans that could be in it (n,).
    """
    places = np.flatnonzero(mine)
    nobody = np.zeros(len(mine), dtype=np.bool_)
    rules = _rules(terms, 0.0)
    if _keeps(loans[pl.Series(places)], claim[places], rules):
        return nobody
    wanted = float(claim[mine].sum())
    some = np.flatnonzero(open_ | mine)
    part, owed = loans[pl.Series(some)], claim[some]
    for least in (_SPARE * wanted, wanted, terms.minimum_claim):
        found = select_pool(part, owed, gain[some], _rules(terms, least))
        if found is not None:
            leaves = open_ | mine
            leaves[some[found.chosen]] = False
            return leaves
    return open_ | mine


def _rules(terms: PoolTerms, least: float) -> PoolRules:
    return PoolRules(
        ranges={"claim": (0.0, terms.largest_loan)},
        concentrations=[Concentration(column, most) for column, most in terms.most.items()],
        least_claim=max(least, terms.minimum_claim) if least else 0.0,
    )


def _keeps(loans: pl.DataFrame, claim: Floats, rules: PoolRules) -> bool:
    whole = float(claim.sum())
    for limit in rules.concentrations:
        words = loans[limit.column].rank("dense").fill_null(0).to_numpy()
        if np.bincount(words, weights=claim)[1:].max(initial=0.0) > limit.most * whole:
            return False
    return bool(eligible(loans, claim, rules).all())


def _choices(rows: Floats, value: Floats, low: Floats, high: Floats) -> Choices:
    """Each loan stays out, at no worth, or goes in and takes its part of every limit."""
    limits, count = rows.shape
    starts = np.repeat(np.arange(count) * limits, 2)
    starts[1::2] = starts[::2]
    return Choices(
        first=np.arange(0, 2 * count + 1, 2),
        value=np.stack([np.zeros(count), value], axis=1).reshape(-1),
        start=np.append(starts, count * limits),
        cap=np.tile(np.arange(limits, dtype=np.int32), count),
        amount=np.ascontiguousarray(rows.T).reshape(-1),
        low=low,
        high=high,
    )
