"""Limits that cannot be kept, as the user is told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from arrears.channels import COLUMNS, WAYS
from arrears.core.words import listed
from arrears.plan import packages
from arrears.plan.capacities import Capacity, uses_of
from arrears.plan.choices import Choices
from arrears.plan.clash import Infeasible, clash_of
from arrears.plan.problem import Problem
from arrears.problems import Problem as Trouble

# These are counted in whole loans; calls and visits are shared by a borrower's loans.
_WHOLE = ("court_filings", "restructure_offers")
# Of a step to which a sum that can be reached is rounded.
_ROUNDING = 1e-3


@dataclass(frozen=True)
class Unreachable:
    """Limits that cannot be kept, and by how much.

    Attributes:
        needed, reached: what the limit asks for, and what can be had; of a package that the limit needs, fen.
        alone: no plan keeps it even if all other limits are dropped.
        package: the way of the package that the limit needs and that cannot reach its smallest size.
        against: what stands against it, in words; empty where that is not known.
        barred: what bars most loans from all that the limit counts, where nothing at all can be reached.
    """

    capacity: Capacity
    needed: float
    reached: float
    proven: bool
    alone: bool = False
    package: str = ""
    against: tuple[str, ...] = ()
    barred: str = ""

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
        cannot = f"The {kind} of {told(self.needed)} cannot be kept{self._beside}: "
        if not (self.alone or self.proven):
            found = f"{cannot}the nearest plan that was tried takes {told(self.reached)}."
            why = "No plan was found that keeps it together with the other limits."
            return found, why, "Lower a floor, or raise a limit that stands against one."
        found = f"{cannot}{side} {told(reached)} can be reached."
        eased = f"{'Lower' if floor else 'Raise'} it to {told(reached)}"
        if self.barred:
            return found, f"No loan may go this way ({self.barred}).", "Leave it out."
        if self.alone:
            return found, "No plan keeps it, whatever the other limits.", f"{eased}."
        why = f"Against it {'stand' if len(self.against) > 1 else 'stands'} {listed(self.against)}."
        return found, why, f"{eased}, or ease what stands against it."

    @property
    def _beside(self) -> str:
        return "" if self.alone else " beside the other limits"


def unreachable(found: Infeasible, problem: Problem, choices: Choices) -> Unreachable:
    """The limit that cannot be kept; a package that cannot reach its size is told by the floor that needs it."""
    capacities = problem.capacities
    if not found.alone:
        found = clash_of(choices) or _clash_of_one(choices, capacities) or found
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
            barred="" if found.reached > 0.0 else _most_barred(problem, found.capacity),
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


def _clash_of_one(choices: Choices, capacities: Sequence[Capacity]) -> Infeasible | None:
    """Where limits clash more than once, a clash among those of one capacity alone."""
    for name in dict.fromkeys(one.name for one in capacities):
        mine = np.zeros(len(choices.low), dtype=np.bool_)
        mine[: len(capacities)] = [one.name == name for one in capacities]
        low, high = np.where(mine, choices.low, -np.inf), np.where(mine, choices.high, np.inf)
        found = clash_of(replace(choices, low=low, high=high))
        if found is not None:
            return found
    return None


def _most_barred(problem: Problem, capacity: int) -> str:
    """What bars most loans in the scope of a limit from the ways that it counts, by article; empty where none is."""
    count: dict[str, int] = {}
    for number, column, _, within in uses_of(problem.offers, problem.capacities):
        permit = problem.offers.permits[column]
        if number != capacity or permit.eligible[within].any():
            continue
        of_bar = np.bincount(permit.blocked[within], minlength=len(permit.bars))
        for bar, loans in zip(permit.bars, of_bar.tolist(), strict=True):
            count[bar.told] = count.get(bar.told, 0) + loans
    return max(count, key=lambda told: (count[told], told), default="")


def _in_words(number: int, ceiling: bool, capacities: Sequence[Capacity]) -> str:
    """`court_filings province=Henan at least 60`."""
    if number >= len(capacities):
        return "the smallest size of a package"
    one = capacities[number]
    limit, bound = (one.max, "at most") if ceiling else (one.min, "at least")
    assert limit is not None
    return f"{f'{one.name} {one.scope_told()}'.strip()} {bound} {one.told(limit)}"
