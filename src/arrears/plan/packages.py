"""Packages of a plan: which offers share one, which do not pay, and which loans they may not hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels import COLUMNS, Offers, PoolTerms
from arrears.plan.kernels import Floats, Ints, Numbers
from arrears.plan.pool import beyond_limits

PER_OFFER = 100


def numbered(offers: Offers) -> Numbers:
    """Number of the package that each offer would enter (n, 18); -1 where loans go one by one."""
    pools = np.full(offers.value.shape, -1, dtype=np.int16)
    for column, (channel, _) in enumerate(COLUMNS):
        if channel in offers.packages:
            pools[:, column] = column * PER_OFFER + offers.packages[channel]
    return pools


def terms_of(offers: Offers, number: int) -> PoolTerms:
    """The terms of a package."""
    return offers.pools[COLUMNS[number // PER_OFFER][0]]


def judged(
    offers: Offers, pools: Numbers, column: Ints
) -> tuple[dict[int, float], set[int], set[int]]:
    """Packages of a plan below their smallest size, with their sizes; others that gain less than they cost; the rest.

    What a package gains is counted over the best way of each of its loans that takes loans one by one.
    """
    taken = pools[np.arange(len(column)), column]
    rows = np.flatnonzero(taken >= 0)
    packages = taken[rows]
    gain = offers.value[rows, column[rows]] - alone(offers, rows)
    sizes, gains = (
        np.bincount(packages, weights=each) for each in (offers.situation.claim[rows], gain)
    )
    small: dict[int, float] = {}
    dear, sound = set(), set()
    for number in np.unique(packages).tolist():
        terms = terms_of(offers, number)
        if sizes[number] < terms.minimum_claim:
            small[number] = float(sizes[number])
        elif gains[number] < terms.fixed_cost:
            dear.add(number)
        else:
            sound.add(number)
    return small, dear, sound


def smallest(small: dict[int, float]) -> set[int]:
    """Of each way and start month the smallest package, so that the others may grow by its loans."""
    least: dict[int, tuple[float, int]] = {}
    for number, size in small.items():
        offer = number // PER_OFFER
        least[offer] = min(least.get(offer, (size, number)), (size, number))
    return {number for _, number in least.values()}


def outside(
    offers: Offers,
    pools: Numbers,
    column: Ints,
    *,
    barred: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.bool_], set[int]]:
    """Offers to bar (n, 18), so that packages keep their limits of loan size and concentration.

    And the packages that cannot keep them with any loans.
    """
    rows, situation = np.arange(len(column)), offers.situation
    taken = pools[rows, column]
    bars, hopeless = np.zeros(pools.shape, dtype=np.bool_), set()
    for number in np.unique(taken[taken >= 0]).tolist():
        offer, terms = number // PER_OFFER, terms_of(offers, number)
        if not terms.most and not np.isfinite(terms.largest_loan):
            continue
        value = offers.value[:, offer]
        open_ = (pools[:, offer] == number) & np.isfinite(value) & ~barred[:, offer]
        gain = np.where(open_, value - alone(offers, rows), 0.0)
        mine = taken == number
        leaves = beyond_limits(
            situation.loans, situation.claim, gain, mine=mine, open_=open_, terms=terms
        )
        if leaves[open_].all():
            hopeless.add(number)
        bars[:, offer] |= leaves
    return bars, hopeless


def alone(offers: Offers, rows: Ints) -> Floats:
    """Worth of the best way of these loans that takes loans one by one."""
    columns = [k for k, (channel, _) in enumerate(COLUMNS) if channel not in offers.packages]
    best: Floats = np.fmax.reduce(offers.value[rows][:, columns], axis=1, initial=-np.inf)
    return best


def costs(offers: Offers, taken: Numbers) -> float:
    """What the packages cost whatever their size, fen."""
    return float(
        sum(terms_of(offers, number).fixed_cost for number in np.unique(taken[taken >= 0]).tolist())
    )


def names(taken: Numbers) -> pl.Series:
    """`transfer-0-2`: channel, start month, package."""
    words = {}
    for number in np.unique(taken[taken >= 0]).tolist():
        channel, start = COLUMNS[number // PER_OFFER]
        words[number] = f"{channel}-{start}-{number % PER_OFFER}"
    return pl.Series("package", taken).replace_strict(words, default=None, return_dtype=pl.String)
