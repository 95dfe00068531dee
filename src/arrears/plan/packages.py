"""Packages of a plan: which offers share one, which do not pay, and which loans they may not hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels import COLUMNS, STARTS, Offers, PoolTerms
from arrears.plan.capacities import Capacity, inside
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


def flags(numbers: Iterable[int]) -> npt.NDArray[np.bool_]:
    """Which packages these are, by number."""
    flagged = np.zeros(len(COLUMNS) * PER_OFFER, dtype=np.bool_)
    flagged[list(numbers)] = True
    return flagged


def terms_of(offers: Offers, number: int) -> PoolTerms:
    """The terms of a package."""
    return offers.pools[COLUMNS[number // PER_OFFER][0]]


def hopeless(offers: Offers, pools: Numbers) -> set[int]:
    """Packages that stay too small whatever loans they take."""
    found: set[int] = set()
    claim = offers.situation.claim
    for column in np.flatnonzero((pools >= 0).any(axis=0)):
        mine = (pools[:, column] >= 0) & np.isfinite(offers.value[:, column])
        size = np.bincount(pools[mine, column], weights=claim[mine])
        least = offers.pools[COLUMNS[column][0]].minimum_claim
        of = np.unique(pools[:, column][pools[:, column] >= 0])
        found |= {number for number in of.tolist() if number >= len(size) or size[number] < least}
    return found


class Weighed(NamedTuple):
    """A package of a plan: what its loans owe, and what it gains over their ways one by one, less its fixed cost.

    The gain is at the prices of the limits: hours and suits that its loans leave to others count for it.
    """

    size: float
    gain: float


def smallest(small: dict[int, float]) -> set[int]:
    """Of each way and start month the smallest package, so that the others may grow by its loans."""
    return _least(small, PER_OFFER)


def of_most_gain(gains: dict[int, float]) -> set[int]:
    """Of each way the package that gains most: another start month would want the same loans."""
    return _least({number: -gain for number, gain in gains.items()}, PER_OFFER * len(STARTS))


def _least(amounts: dict[int, float], together: int) -> set[int]:
    """Of so many numbers each the one with the least amount."""
    least: dict[int, tuple[float, int]] = {}
    for number, amount in amounts.items():
        group = number // together
        least[group] = min(least.get(group, (amount, number)), (amount, number))
    return {number for _, number in least.values()}


def smallest_of_several(
    offers: Offers, pools: Numbers, column: Ints, tried: set[int]
) -> int | None:
    """The smallest package of a plan (n,) beside others of its way and start month that has not been tried."""
    taken = pools[np.arange(len(column)), column]
    rows = np.flatnonzero(taken >= 0)
    sizes = np.bincount(taken[rows], weights=offers.situation.claim[rows])
    found = [int(number) for number in np.flatnonzero(sizes)]
    ways = [number // PER_OFFER for number in found]
    several = [
        number
        for number, way in zip(found, ways, strict=True)
        if ways.count(way) > 1 and number not in tried
    ]
    return min(several, key=lambda number: (sizes[number], number), default=None)


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


def spent(
    offers: Offers, pools: Numbers, capacities: Sequence[Capacity], numbers: Iterable[int]
) -> Floats:
    """What these packages take of each limit whatever their size (m,): their fixed costs, of limits on `cash_cost`.

    A limit with a scope bears the share of those who owe there among all that the package could hold.
    """
    found = np.zeros(len(capacities))
    for place, capacity in enumerate(capacities):
        if capacity.name != "cash_cost":
            continue
        within = inside(capacity, offers.situation.loans).to_numpy()
        for number in numbers:
            offer = number // PER_OFFER
            if COLUMNS[offer][1] != capacity.start:
                continue
            could = (pools[:, offer] == number) & np.isfinite(offers.value[:, offer])
            owed = offers.situation.claim[could]
            share = float(owed[within[could]].sum()) / max(float(owed.sum()), 1.0)
            found[place] += share * terms_of(offers, number).fixed_cost
    return found


def names(taken: Numbers) -> pl.Series:
    """`transfer-0-2`: channel, start month, package."""
    words = {}
    for number in np.unique(taken[taken >= 0]).tolist():
        channel, start = COLUMNS[number // PER_OFFER]
        words[number] = f"{channel}-{start}-{number % PER_OFFER}"
    return pl.Series("package", taken).replace_strict(words, default=None, return_dtype=pl.String)


def folders(taken: pl.Series) -> dict[str, str | None]:
    """Folder of each package by its name, e.g. `transfer/package-01`; None for one that goes later."""
    found: dict[str, str | None] = {}
    count: dict[str, int] = {}
    for name in taken.drop_nulls().unique().sort():
        channel, start, _ = name.split("-")
        found[name] = None
        if start == "0":
            count[channel] = count.get(channel, 0) + 1
            found[name] = f"{channel}/package-{count[channel]:02d}"
    return found
