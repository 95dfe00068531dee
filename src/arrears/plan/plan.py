"""The plan: which way each loan goes, when and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from arrears.channels import COLUMNS, WAYS, Offers, Situation
from arrears.core.words import listed
from arrears.plan import packages
from arrears.plan.capacities import Capacity, uses_of
from arrears.plan.choices import Choices
from arrears.plan.clash import Infeasible, clash_of
from arrears.plan.closing import Closing
from arrears.plan.kernels import Floats, Ints
from arrears.plan.problem import Problem
from arrears.plan.reasons import left_behind
from arrears.plan.solver import Solution, solve
from arrears.plan.table import table_of
from arrears.problems import Problem as Trouble

# These are counted in whole loans; calls and visits are shared by a borrower's loans.
_WHOLE = ("court_filings", "restructure_offers")
# Of a step to which a sum that can be reached is rounded.
_ROUNDING = 1e-3

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
    def table(self) -> pl.DataFrame:
        """`plan.parquet`, in the order of the situation's loans; made when it is asked for."""
        return table_of(
            self.offers, self.column, self.limits, prices=self.prices, switch=self.switch
        )


@dataclass(frozen=True)
class Unreachable:
    """Limits that cannot be kept, and by how much.

    Attributes:
        needed, reached: what the limit asks for, and what can be had; of a package that the limit needs, fen.
        alone: no plan keeps it even if all other limits are dropped.
        package: the way of the package that the limit needs and that cannot reach its smallest size.
        against: what stands against it, in words; empty where that is not known.
    """

    capacity: Capacity
    needed: float
    reached: float
    proven: bool
    alone: bool = False
    package: str = ""
    against: tuple[str, ...] = ()

    def problems(self) -> list[Trouble]:
        """As the user is told."""
        place = f"{self.capacity.name} {self.capacity.scope_told()}".strip()
        told = self._of_package() if self.package else self._of_limit()
        return [Trouble("FLOOR-OUT-OF-REACH", "error", place, *told)]

    def _of_package(self) -> tuple[str, str, str]:
        kind, least, most = self.package, self.needed / 100, self.reached / 100
        found = f"The floor cannot be kept without a package ({kind}), and none can be made."
        why = f"It has to hold {least:,.0f} yuan of claims at least; the limits leave it {most:,.0f} yuan at most."
        return (
            found,
            why,
            "Lower the floor to what can be done without such a package, or leave it out.",
        )

    def _of_limit(self) -> tuple[str, str, str]:
        floor = self.needed > self.reached
        kind, side = ("floor", "at most") if floor else ("limit", "at least")
        round_ = math.floor if floor else math.ceil
        step = 100.0 if self.capacity.in_fen else 1.0 if self.capacity.name in _WHOLE else 0.1
        reached = step * round_(self.reached / step + (_ROUNDING if floor else -_ROUNDING))
        told = self.capacity.told
        found = (
            f"The {kind} of {told(self.needed)} cannot be kept{self._beside}: "
            f"{side} {told(reached)} can be reached."
        )
        if not (self.alone or self.proven):
            why = "No plan was found that keeps it together with the other limits."
            return found, why, "Lower a floor, or raise a limit that stands against one."
        eased = f"{'Lower' if floor else 'Raise'} it to {told(reached)}"
        if self.alone:
            return found, "No plan keeps it, whatever the other limits.", f"{eased}."
        why = f"Against it {'stand' if len(self.against) > 1 else 'stands'} {listed(self.against)}."
        return found, why, f"{eased}, or ease what stands against it."

    @property
    def _beside(self) -> str:
        return "" if self.alone else " beside the other limits"


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
    return found


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
    return _rounds(
        Closing(problem, than.closed), progress, moves=before is not None, least=by * than.value
    )


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
            return best or _unreachable(solved, problem, choices)
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


def _unreachable(found: Infeasible, problem: Problem, choices: Choices) -> Unreachable:
    """The limit that cannot be kept; a package that cannot reach its size is told by the floor that needs it."""
    capacities = problem.capacities
    if not found.alone:
        found = clash_of(choices) or found
    if found.capacity < len(capacities):
        over = found.needed < found.reached
        spent = float(problem.spent[found.capacity]) if over else 0.0
        return Unreachable(
            capacities[found.capacity],
            found.needed + spent,
            found.reached + spent,
            found.proven and bool(found.against),
            found.alone,
            against=tuple(dict.fromkeys(_in_words(*one, capacities) for one in found.against)),
        )
    package = sorted(problem.needed)[found.capacity - len(capacities)]
    offer = package // packages.PER_OFFER
    floors = (
        capacities[number]
        for number, column, amount, within in uses_of(problem.offers, capacities)
        if capacities[number].min is not None and column == offer
        if (amount * within)[problem.pools[:, offer] == package].any()
    )
    floor = next(floors, next(limit for limit in capacities if limit.min is not None))
    kind = WAYS[COLUMNS[offer][0]]
    return Unreachable(floor, found.needed, found.reached, found.proven, found.alone, kind)


def _in_words(number: int, ceiling: bool, capacities: Sequence[Capacity]) -> str:
    """`court_filings province=Henan at least 60`."""
    if number >= len(capacities):
        return "the smallest size of a package"
    one = capacities[number]
    limit, bound = (one.max, "at most") if ceiling else (one.min, "at least")
    assert limit is not None
    return f"{f'{one.name} {one.scope_told()}'.strip()} {bound} {one.told(limit)}"


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
