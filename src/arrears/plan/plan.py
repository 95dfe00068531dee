"""The plan: which way each loan goes, when and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl

from arrears.channels import COLUMNS, Offers, Situation
from arrears.plan import packages
from arrears.plan.capacities import Capacity
from arrears.plan.clash import Infeasible
from arrears.plan.closing import Closing
from arrears.plan.kernels import Floats, Ints
from arrears.plan.problem import Problem
from arrears.plan.reasons import left_behind
from arrears.plan.solver import Solution, solve
from arrears.plan.table import table_of
from arrears.plan.unreachable import Unreachable, unreachable

# So many packages are tried to do without, in a book of so many loans at most: in a larger one it is worth a millionth.
_FEWER, _FEWER_UP_TO = 6, 100_000

Progress = Callable[[float, float], None]


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
        closed: packages that were closed on the way.
        switch: what each offer costs for leaving the way of the plan before, fen (n, 18), or (1, 18) without one.
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
    closed: frozenset[int] = frozenset()
    switch: Floats = field(default_factory=lambda: np.zeros((1, len(COLUMNS))))

    @property
    def net(self) -> float:
        """Worth of the plan after all that it costs, fen."""
        return self.value - self.pool_costs - self.switching

    @cached_property
    def costs_of_packages(self) -> dict[tuple[str, int], float]:
        """What its packages cost whatever their size, fen, by way and start month."""
        found: dict[tuple[str, int], float] = {}
        for name in self.packages.drop_nulls().unique().sort():
            channel, start, _ = name.split("-")
            key = channel, int(start)
            found[key] = found.get(key, 0.0) + self.offers.pools[channel].fixed_cost
        return found

    @cached_property
    def table(self) -> pl.DataFrame:
        """`plan.parquet`, in the order of the situation's loans; made when it is asked for."""
        return table_of(
            self.offers, self.column, self.limits, prices=self.prices, switch=self.switch
        )


def make_plan(
    situation: Situation,
    offers: Offers,
    capacities: Sequence[Capacity] = (),
    progress: Progress | None = None,
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
    found = _rounds(Closing(problem), progress, moves=before is not None)
    assert found is not None
    return found if isinstance(found, Unreachable) else _fewer(found, problem, progress)


def make_better_plan(
    than: PlanResult,
    offers: Offers,
    progress: Progress | None = None,
    *,
    by: float,
    before: pl.DataFrame | None = None,
) -> PlanResult | Unreachable | None:
    """The best plan by other offers for the same loans; None where it would not be worth `by` times as much.

    Without floors, what the other plan closed is closed at once, unless it now holds its own.
    """
    situation = offers.situation
    problem = Problem.of(situation, offers, than.limits, _switch(situation, before))
    found = _rounds(
        Closing(problem, than.closed), progress, moves=before is not None, least=by * than.value
    )
    return _fewer(found, problem, progress) if isinstance(found, PlanResult) else found


def _fewer(best: PlanResult, problem: Problem, progress: Progress | None) -> PlanResult:
    """Under floors, with a package less where that is worth more: the price of a floor does not see fixed costs."""
    tried: set[int] = set()
    few = problem.floors and len(best.column) <= _FEWER_UP_TO
    while few and len(tried) < _FEWER:
        small = packages.smallest_of_several(problem.offers, problem.pools, best.column, tried)
        if small is None:
            break
        tried.add(small)
        closing = Closing(problem)
        closing.keep_shut(best.closed | {small})
        found = _rounds(closing, progress, moves=best.moved is not None)
        if isinstance(found, PlanResult) and found.net > best.net:
            # What is proven of the plans without a package is not proven of all.
            bound = max(best.bound, found.value)
            gap = (bound - found.value) / max(1.0, abs(bound))
            best = replace(found, bound=bound, gap=gap)
    return best


def _rounds(
    closing: Closing, progress: Progress | None, *, moves: bool, least: float = -np.inf
) -> PlanResult | Unreachable | None:
    """Solve and close until a plan stands; None once no plan that is left is worth more than `least`."""
    first: Solution | None = None
    found: Solution | None = None
    best: PlanResult | None = None
    switching = float(closing.problem.switch.max(axis=1).sum())
    while True:
        problem = closing.problem
        open_ = problem.open(closing.closed)
        choices = open_.choices
        near = found.prices if found and len(found.prices) == len(choices.low) else None
        solved = solve(choices, exact_up_to=problem.exact_up_to, near=near, progress=progress)
        if isinstance(solved, Infeasible):
            if closing.gives_way():
                continue
            return best or unreachable(solved, problem, choices)
        found, first = solved, first or solved
        if found.bound + switching <= least:
            return best
        if closing.stands(open_, found):
            column = open_.columns[found.chosen].astype(np.int64)
            result = _result(closing, found, column, first.bound, moves=moves)
            if best is None or result.net > best.net:
                best = result
            if not closing.reopens():
                return best if best.value > least else None


def _result(
    closing: Closing, found: Solution, column: Ints, bound: float, *, moves: bool
) -> PlanResult:
    problem = closing.problem
    offers, limits, rows = problem.offers, problem.capacities, np.arange(len(column))
    value = float(offers.value[rows, column].sum())
    left = left_behind(problem.switch, rows, column)
    taken = problem.pools[rows, column]
    bound = max(bound + float(left.sum()), value)
    prices, numbers = found.prices[: len(limits)], np.unique(taken[taken >= 0]).tolist()
    used = found.used[: len(limits)] + packages.spent(offers, problem.pools, limits, numbers)
    return PlanResult(
        offers=offers,
        limits=limits,
        prices=found.prices,
        capacities=_capacities(limits, used, prices),
        value=value,
        bound=bound,
        gap=(bound - value) / max(1.0, abs(bound)),
        pool_costs=packages.costs(offers, taken),
        packages=packages.names(taken),
        column=column,
        moved=int((left > 0.0).sum()) if moves else None,
        switching=float(left.sum()),
        closed=frozenset(closing.closed),
        switch=problem.switch,
    )


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
