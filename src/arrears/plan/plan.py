"""The plan: which way each loan goes, when and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels import CHANNELS, COLUMNS, STARTS, Offers, PoolTerms, Situation
from arrears.plan import kernels
from arrears.plan.capacities import Capacity, Use, uses_of
from arrears.plan.choices import Choices, restricted
from arrears.plan.kernels import Floats, Ints, Numbers
from arrears.plan.pool import beyond_limits
from arrears.plan.reasons import reasons
from arrears.plan.solver import EXACT_UP_TO, Infeasible, solve
from arrears.problems import Problem as Trouble

_PACKAGES = 100


@dataclass(frozen=True)
class PlanResult:
    """A plan that keeps every limit.

    Attributes:
        offers: what it was made from.
        limits, prices: what it was held to, and fen a unit of each (m,), below 0 where a floor presses.
        capacities: `capacities.parquet`.
        value: worth of the plan, fen, pool costs not taken off.
        bound: no plan is worth more.
        gap: (bound - value) / bound.
        pool_costs: what its packages cost whatever their size, fen.
        packages: name of the package of each loan (n,), null where it goes alone.
        column: number of the offer taken (n,).
        moved: loans that leave the way of the plan before; None where none was given.
        switching: what leaving it costs, fen, not taken off `value`.
    """

    offers: Offers
    limits: Sequence[Capacity]
    prices: Floats
    capacities: pl.DataFrame
    value: float
    bound: float
    gap: float
    pool_costs: float
    packages: pl.Series
    column: Ints
    moved: int | None = None
    switching: float = 0.0

    @cached_property
    def table(self) -> pl.DataFrame:
        """`plan.parquet`, in the order of the situation's loans; made when it is asked for."""
        return _table(self.offers, self.column, self.limits, self.prices)


@dataclass(frozen=True)
class Unreachable:
    """Limits that cannot be kept, and by how much."""

    capacity: Capacity
    needed: float
    reached: float
    proven: bool

    def problems(self) -> list[Trouble]:
        """As the user is told."""
        unit = 100.0 if self.capacity.in_fen else 1.0
        word = "yuan" if self.capacity.in_fen else "units"
        short = abs(self.needed - self.reached) / unit
        scope = self.capacity.scope_told()
        floor = self.needed > self.reached
        kind, side = ("floor", "at most") if floor else ("limit", "at least")
        found = (
            f"The {kind} of {self.needed / unit:,.0f} {word} cannot be kept: "
            f"{side} {self.reached / unit:,.0f} can be reached, {short:,.0f} {word} off."
        )
        why = (
            "No plan keeps it, whatever the other limits."
            if self.proven
            else "No plan was found that keeps it together with the other limits."
        )
        fix = f"{'Lower' if floor else 'Raise'} it by {short:,.0f} {word} or more."
        place = f"{self.capacity.name} {scope}".strip()
        return [Trouble("FLOOR-OUT-OF-REACH", "error", place, found, why, fix)]


def make_plan(
    situation: Situation,
    offers: Offers,
    capacities: Sequence[Capacity] = (),
    progress: Callable[[float, float], None] | None = None,
    *,
    before: pl.DataFrame | None = None,
) -> PlanResult | Unreachable:
    """The best plan under the limits; packages too small or not worth their cost are closed and the rest planned anew.

    No borrower is offered new terms for one loan and sued for another.

    Args:
        before: `loan_id, channel` of the plan before; a loan leaves its way only where that pays for the switch.

    Returns:
        The plan, or the limit that cannot be kept.
    """
    problem = Problem.of(situation, offers, capacities, _switch(situation, before))
    pools, switch, borrower = (
        problem.pools,
        problem.switch,
        situation.once("borrowers", lambda s: numbers_of(s.loans["borrower_id"])),
    )
    alone = _alone(offers)
    closed: set[int] = set()
    needed: set[int] = set()
    barred = problem.barred
    floors = any(capacity.min is not None for capacity in capacities)
    bound = None
    while True:
        problem = replace(problem, barred=barred)
        choices, columns = problem.choices(closed)
        found = solve(choices, exact_up_to=problem.exact_up_to, progress=progress)
        if isinstance(found, Infeasible):
            return _unreachable(found, capacities)
        bound = found.bound if bound is None else bound
        column = columns[found.chosen]
        more = contradicting(borrower, offers.value, column)
        if more.any():
            barred = barred | more
            continue
        small, dear = _losing(offers, pools, column, alone)
        losing = (small or dear if floors else small | dear) - needed
        if not losing:
            more = _outside(offers, pools, column, alone=alone, barred=barred, closed=closed)
            if not more.any():
                break
            barred = barred | more
            continue
        if not floors or problem.is_kept(closed | losing):
            closed |= losing
            continue
        # A floor needs some of them: they stay, of their smallest size at least, and cost what they cost.
        for number in sorted(losing):
            (closed if problem.is_kept(closed | {number}) else needed).add(number)
        problem = problem.needing(frozenset(needed))
    rows = np.arange(len(column))
    value = float(offers.value[rows, column].sum())
    left = switch[rows if len(switch) > 1 else 0, column]
    prices, used = found.prices, found.used
    taken = pools[rows, column]
    bound = max(bound + float(left.sum()), value)
    return PlanResult(
        offers=offers,
        limits=capacities,
        prices=prices,
        capacities=_capacities(capacities, used[: len(capacities)], prices[: len(capacities)]),
        value=value,
        bound=bound,
        gap=(bound - value) / max(1.0, abs(bound)),
        pool_costs=_pool_costs(offers, taken),
        packages=_names(taken),
        column=column,
        moved=None if before is None else int((left > 0.0).sum()),
        switching=float(left.sum()),
    )


def numbers_of(borrowers: pl.Series) -> Ints:
    """A number of each loan's borrower (n,): the row of his first loan."""
    row = pl.Series("row", np.arange(len(borrowers)))
    first = pl.col("row").first().over("borrower")
    numbers: Ints = (
        pl.DataFrame({"borrower": borrowers, "row": row}).select(first)["row"].to_numpy()
    )
    return numbers


def contradicting(borrower: Ints, value: Floats, column: Ints) -> npt.NDArray[np.bool_]:
    """Offers to bar (n, 18), so that nobody is offered new terms for one loan and sued for another.

    Of the two the one stays that is worth more for the borrower's loans together.

    Args:
        borrower: number of each loan's borrower (n,), below n.
    """
    count, channel = len(column), column // len(STARTS)
    worth, there = [], []
    for name in ("restructure", "litigate"):
        mine = np.flatnonzero(channel == CHANNELS.index(name))
        sums = np.bincount(borrower[mine], weights=value[mine, column[mine]], minlength=count)
        worth.append(sums)
        there.append(np.bincount(borrower[mine], minlength=count) > 0)
    both, suit = there[0] & there[1], worth[1] > worth[0]
    bars = np.zeros(value.shape, dtype=np.bool_)
    for name, whose in (("restructure", both & suit), ("litigate", both & ~suit)):
        first = CHANNELS.index(name) * len(STARTS)
        bars[np.flatnonzero(whose[borrower]), first : first + len(STARTS)] = True
    return bars


def _switch(situation: Situation, before: pl.DataFrame | None) -> Floats:
    """What each offer costs for leaving the way of the plan before (n, 18), or (1, 18) without one, fen."""
    if before is None:
        return np.zeros((1, len(COLUMNS)))
    cost = np.zeros((len(situation.claim), len(COLUMNS)))
    known = situation.loans.select("loan_id").join(
        before.select("loan_id", was="channel"), on="loan_id", how="left", maintain_order="left"
    )
    price = situation.number("channels/switch_cost")
    for column, (channel, _) in enumerate(COLUMNS):
        leaves = (known["was"] != channel).fill_null(False).to_numpy()
        cost[:, column] = np.where(leaves, price, 0.0)
    return cost


@dataclass(frozen=True)
class Problem:
    """The offers and limits as the solver takes them.

    Attributes:
        menu: what each loan may choose while no package is closed and nothing is barred.
        columns, packages: way and start month of each choice (c,), 0 to 17, and the package it goes into, -1 for none.
        barred: offers that a borrower's other loans rule out (n, 18).
        spare: choices are in it that only a floor can make anybody take.
        needed: packages that must reach their smallest size; each is a limit after those of `capacities`.
    """

    situation: Situation
    offers: Offers
    capacities: Sequence[Capacity]
    pools: Numbers
    switch: Floats
    menu: kernels.Menu
    columns: Numbers
    packages: Numbers
    barred: npt.NDArray[np.bool_]
    spare: bool
    needed: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls,
        situation: Situation,
        offers: Offers,
        capacities: Sequence[Capacity],
        switch: Floats | None = None,
        *,
        needed: frozenset[int] = frozenset(),
        spare: bool = False,
    ) -> Problem:
        """With every offer open that may be taken.

        Args:
            spare: also choices that nobody takes for want of worth; where there are floors they are kept anyhow.
        """
        switch = np.zeros((1, len(COLUMNS))) if switch is None else switch
        pools, first = _pools(offers), len(capacities)
        sizes = [
            (first + place, column, situation.claim, pools[:, column] == number)
            for place, number in enumerate(sorted(needed))
            for column in [number // _PACKAGES]
        ]
        uses = _laid([*uses_of(offers, capacities), *sizes], len(offers.value))
        floors = bool(needed) or any(capacity.min is not None for capacity in capacities)
        spare = spare or floors or bool((uses.amount < 0.0).any())
        # Collecting alone is never barred.
        menu, columns, packages = kernels.menu_of(
            offers.value, switch, pools, uses, len(STARTS), spare
        )
        bars = np.zeros(offers.value.shape, dtype=np.bool_)
        return cls(
            situation,
            offers,
            capacities,
            pools,
            switch,
            menu,
            columns,
            packages,
            bars,
            spare,
            needed,
        )

    def needing(self, packages: frozenset[int]) -> Problem:
        """The same, with these packages needed."""
        if packages == self.needed:
            return self
        made = self.of(self.situation, self.offers, self.capacities, self.switch, needed=packages)
        return replace(made, barred=self.barred)

    def choices(self, closed: set[int]) -> tuple[Choices, Ints]:
        """Choices without the packages in `closed`, and the way and start month of each (c,), 0 to 17."""
        shut = np.zeros(len(COLUMNS) * _PACKAGES, dtype=np.bool_)
        shut[sorted(closed)] = True
        sizes = [self._terms(number).minimum_claim for number in sorted(self.needed)]
        low = [-np.inf if c.min is None else c.min for c in self.capacities]
        high = [np.inf if c.max is None else c.max for c in self.capacities]
        whole = Choices(
            *self.menu, low=np.array([*low, *sizes]), high=np.array([*high, *[np.inf] * len(sizes)])
        )
        keep = kernels.open_ones(
            self.menu, self.columns, self.packages, self.barred, shut, self.spare
        )
        return restricted(whole, keep), self.columns[keep].astype(np.int64)

    def is_kept(self, closed: set[int]) -> bool:
        """Whether every limit can be kept without these packages."""
        found = solve(self.choices(closed)[0], exact_up_to=self.exact_up_to)
        return not isinstance(found, Infeasible)

    @property
    def exact_up_to(self) -> int:
        """So many choices are few; without those that nobody takes, a loan has a quarter of them."""
        return EXACT_UP_TO if self.spare else EXACT_UP_TO // 4

    def _terms(self, number: int) -> PoolTerms:
        return self.offers.pools[COLUMNS[number // _PACKAGES][0]]


def _laid(uses: list[Use], loans: int) -> kernels.Uses:
    """Uses by loan and offer."""
    wide = len(COLUMNS)
    counts = np.zeros(loans * wide + 1, dtype=np.int64)
    for _, column, amount, within in uses:
        kernels.count_uses(column, wide, amount, within, counts)
    start = np.cumsum(counts)
    cap, amounts = np.zeros(start[-1], dtype=np.int32), np.zeros(start[-1])
    place = start[:-1].copy()
    for number, column, amount, within in uses:
        kernels.fill_uses(column, wide, amount, within, number, place, cap, amounts)
    return kernels.Uses(start, cap, amounts)


def _unreachable(found: Infeasible, capacities: Sequence[Capacity]) -> Unreachable:
    """The limit that cannot be kept; a package that cannot reach its size is told by the floor that needs it."""
    if found.capacity < len(capacities):
        capacity = capacities[found.capacity]
        return Unreachable(capacity, found.needed, found.reached, found.proven)
    floor = next(capacity for capacity in capacities if capacity.min is not None)
    return Unreachable(floor, float(floor.min or 0.0), 0.0, False)


def _pools(offers: Offers) -> Numbers:
    """Number of the package that each offer would enter (n, 18); -1 where loans go one by one."""
    pools = np.full(offers.value.shape, -1, dtype=np.int16)
    for column, (channel, _) in enumerate(COLUMNS):
        if channel in offers.packages:
            pools[:, column] = column * _PACKAGES + offers.packages[channel]
    return pools


def _losing(
    offers: Offers, pools: Numbers, column: Ints, alone: Floats
) -> tuple[set[int], set[int]]:
    """Packages to close: of each way and start month the smallest one below the smallest size, so that the others may
    grow by its loans; and all whose gain over the best way `alone` (n,) is less than their cost.
    """
    rows = np.arange(len(column))
    taken = pools[rows, column]
    gain = offers.value[rows, column] - alone
    sizes, gains = (
        np.bincount(taken + 1, weights=each)[1:] for each in (offers.situation.claim, gain)
    )
    small: dict[int, tuple[float, int]] = {}
    dear = set()
    for number in np.unique(taken[taken >= 0]).tolist():
        offer, size = number // _PACKAGES, float(sizes[number])
        terms = offers.pools[COLUMNS[offer][0]]
        if size < terms.minimum_claim:
            small[offer] = min(small.get(offer, (size, number)), (size, number))
        elif gains[number] < terms.fixed_cost:
            dear.add(number)
    return {number for _, number in small.values()}, dear


def _outside(
    offers: Offers,
    pools: Numbers,
    column: Ints,
    *,
    alone: Floats,
    barred: npt.NDArray[np.bool_],
    closed: set[int],
) -> npt.NDArray[np.bool_]:
    """Offers to bar (n, 18), so that packages keep their limits of loan size and concentration.

    A package that cannot keep them with any loans is added to `closed`.
    """
    rows, situation = np.arange(len(column)), offers.situation
    taken = pools[rows, column]
    bars = np.zeros(pools.shape, dtype=np.bool_)
    for number in np.unique(taken[taken >= 0]).tolist():
        offer = number // _PACKAGES
        terms = offers.pools[COLUMNS[offer][0]]
        if not terms.most and not np.isfinite(terms.largest_loan):
            continue
        value = offers.value[:, offer]
        open_ = (pools[:, offer] == number) & np.isfinite(value) & ~barred[:, offer]
        gain = np.where(open_, value - alone, 0.0)
        mine = taken == number
        leaves = beyond_limits(
            situation.loans, situation.claim, gain, mine=mine, open_=open_, terms=terms
        )
        if leaves[open_].all():
            closed.add(number)
        bars[:, offer] |= leaves
    return bars


def _alone(offers: Offers) -> Floats:
    """Worth of the best way that takes loans one by one (n,)."""
    columns = [k for k, (channel, _) in enumerate(COLUMNS) if channel not in offers.packages]
    best: Floats = np.fmax.reduce(offers.value[:, columns], axis=1, initial=-np.inf)
    return best


def _pool_costs(offers: Offers, taken: Numbers) -> float:
    numbers = np.unique(taken[taken >= 0])
    return float(
        sum(offers.pools[COLUMNS[number // _PACKAGES][0]].fixed_cost for number in numbers)
    )


def _names(taken: Numbers) -> pl.Series:
    """`transfer-0-2`: channel, start month, package."""
    words = {
        int(
            number
        ): f"{COLUMNS[number // _PACKAGES][0]}-{COLUMNS[number // _PACKAGES][1]}-{number % _PACKAGES}"
        for number in np.unique(taken[taken >= 0])
    }
    return pl.Series("package", taken).replace_strict(words, default=None, return_dtype=pl.String)


def _table(
    offers: Offers, column: Ints, capacities: Sequence[Capacity], prices: Floats
) -> pl.DataFrame:
    situation = offers.situation
    rows = np.arange(len(column))
    value = offers.value[rows, column]
    by_channel = np.stack(
        [
            np.nan_to_num(offers.value[:, 3 * k : 3 * k + 3], nan=-np.inf).max(
                axis=1, initial=-np.inf
            )
            for k in range(len(CHANNELS))
        ],
        axis=1,
    )
    best = by_channel.max(axis=1, initial=-np.inf)
    by_channel[rows, column // 3] = -np.inf
    second = np.argmax(by_channel, axis=1) if len(rows) else rows
    runner_value = by_channel[rows, second]
    has_second = np.isfinite(runner_value)
    names = pl.Series(CHANNELS)
    starts = np.array([start for _, start in COLUMNS])[column]
    loans = situation.loans
    frame = pl.DataFrame(
        {
            "loan_id": loans["loan_id"],
            "borrower_id": loans["borrower_id"],
            "product": loans["product"],
            "claim": situation.claim.astype(np.int64),
            "principal": loans["principal"],
            "channel": names.gather((column // 3).astype(np.uint32)),
            "start_month": starts.astype(np.int32),
            "write_off_now": write_off(situation, column),
            "value": value,
            "runner_up": names.gather(second.astype(np.uint32)),
            "regret": np.maximum(best - value, 0.0),
        }
    )
    frame = frame.with_columns(
        runner_up=pl.when(pl.Series(has_second)).then("runner_up"),
    )
    runner = pl.Series("runner_value", np.where(has_second, runner_value, np.nan)).fill_nan(None)
    why = reasons(frame, runner, offers=offers, column=column, capacities=capacities, prices=prices)
    return frame.with_columns(reason=why)


def write_off(situation: Situation, column: Ints) -> npt.NDArray[np.bool_]:
    """Class loss, provided for in full, not written off, and not sold now (READINGS B; not verified)."""
    word = situation.rulebook.at("cn/write_off/class", situation.as_of)
    lost = (situation.standing["five_tier"] == str(word)).fill_null(False).to_numpy()
    sells = [
        k
        for k, (channel, start) in enumerate(COLUMNS)
        if start == 0 and CHANNELS.index(channel) > 2
    ]
    covered = situation.provision >= situation.claim
    return np.asarray(lost & covered & ~situation.written_off & ~np.isin(column, sells))


def _capacities(capacities: Sequence[Capacity], used: Floats, prices: Floats) -> pl.DataFrame:
    rows = [
        (capacity.name, capacity.scope_told(), sense, limit, amount, max(0.0, sign * price))
        for capacity, amount, price in zip(capacities, used, prices, strict=True)
        for sense, limit, sign in (("max", capacity.max, 1.0), ("min", capacity.min, -1.0))
        if limit is not None
    ]
    schema = {
        "capacity": pl.String,
        "scope": pl.String,
        "sense": pl.String,
        "limit": pl.Float64,
        "used": pl.Float64,
        "shadow_price": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("capacity", "scope", "sense")
