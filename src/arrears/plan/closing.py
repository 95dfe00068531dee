"""What a plan may not do: round by round packages close and offers are barred, until a plan stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from arrears.plan import kernels, packages
from arrears.plan.borrowers import contradicting
from arrears.plan.kernels import Floats
from arrears.plan.problem import Open, Problem, limits_of
from arrears.plan.repair import above
from arrears.plan.solver import Solution


class Closing:
    """A problem of which parts are closed while it is solved anew.

    Attributes:
        problem: what is left of it, but for the packages in `closed`.
    """

    def __init__(self, problem: Problem, expected: frozenset[int] = frozenset()) -> None:
        """With nothing closed yet; without floors, packages in `expected` close at once unless they hold their own."""
        self.problem = problem
        self.closed: set[int] = set()
        self._needed: set[int] = set()
        self._expected = expected
        # Packages and prices of the last plan; and those closed, as if each were the next to open.
        self._weighed: dict[int, packages.Weighed] = {}
        self._outside: dict[int, packages.Weighed] = {}
        # Packages that are not to open anew.
        self._tried: set[int] = set()
        self._prices = np.zeros(0)
        # Packages whose fixed costs are taken off the limits.
        self._paid: set[int] = set()
        self._borrower = problem.situation.borrowers

    def keep_shut(self, numbers: frozenset[int]) -> None:
        """Close packages that are not to open anew."""
        self.closed |= numbers
        self._tried |= numbers

    def stands(self, open_: Open, found: Solution) -> bool:
        """Whether a plan may stand; what it may not do is closed or barred if not."""
        problem, self._prices = self.problem, found.prices
        column = open_.columns[found.chosen].astype(np.int64)
        known = self._weigh(open_, found)
        self._outside = {number: known[number] for number in known.keys() & self.closed}
        self._weighed = {number: known[number] for number in known.keys() - self.closed}
        bars = contradicting(self._borrower, problem.offers.value, column)
        losing = self._losing()
        if not losing and not bars.any():
            bars, hopeless = packages.outside(
                problem.offers, problem.pools, column, barred=problem.barred
            )
            self.closed |= hopeless
            self._tried |= hopeless
        if losing or bars.any():
            self.problem = problem.barring(bars)
            self._close(losing)
            return False
        return self._can_pay(found.used)

    def gives_way(self) -> bool:
        """Whether a package whose fixed cost leaves too little of a limit has been closed: the one that gains least."""
        paid = (self._paid & self._weighed.keys()) - self.closed - self._needed
        if not paid:
            return False
        self._close({min(paid, key=lambda number: self._weighed[number].gain)})
        self._pay(self._paid - self.closed)
        return True

    def reopens(self) -> bool:
        """Whether packages have been opened anew that would gain more than they cost beside the plan that stands.

        They closed when others still held their loans.
        """
        offers, found = self.problem.offers, {}
        for number in self._outside.keys() - self._tried:
            size, gain = self._outside[number]
            if gain > 0.0 and size >= packages.terms_of(offers, number).minimum_claim:
                found[number] = gain
        best = packages.of_most_gain(found)
        self.closed -= best
        self._tried |= best
        return bool(best)

    def _weigh(self, open_: Open, found: Solution) -> dict[int, packages.Weighed]:
        """All packages by number; what their loans leave to others counts for them at the prices of the limits."""
        problem, shut = self.problem, packages.flags(self.closed)
        taken = open_.packages[found.chosen]
        size, gain = kernels.weigh(
            problem.packed,
            shut,
            taken,
            kernels.reduced(found.chosen, open_.choices.menu, found.prices),
            problem.situation.claim,
            found.prices,
        )
        return {
            number: packages.Weighed(
                float(size[number]),
                float(gain[number]) - packages.terms_of(problem.offers, number).fixed_cost,
            )
            for number in np.flatnonzero(size).tolist()
        }

    def _losing(self) -> set[int]:
        """Packages to close next."""
        offers, found = self.problem.offers, self._weighed
        small = {
            number: one.size
            for number, one in found.items()
            if one.size < packages.terms_of(offers, number).minimum_claim
        }
        dear = {number for number in found.keys() - small.keys() if found[number].gain < 0.0}
        least = packages.smallest(small)
        if self.problem.floors:
            return (least or dear) - self._needed
        sound = found.keys() - small.keys() - dear
        expected, self._expected = self._expected - sound, frozenset()
        return least | dear | expected

    def _close(self, losing: set[int]) -> None:
        if not losing:
            return
        if not self.problem.floors or self.problem.is_kept(self.closed | losing, self._prices):
            self.closed |= losing
            return
        # A floor needs some of them: they stay, of their smallest size at least, and cost what they cost.
        for number in sorted(losing):
            kept = self.problem.is_kept(self.closed | {number}, self._prices)
            (self.closed if kept else self._needed).add(number)
        self.problem = self.problem.needing(frozenset(self._needed))

    def _can_pay(self, used: Floats) -> bool:
        """Whether limits have room for the fixed costs of the packages, too; they are taken off the limits if not."""
        problem, taken = self.problem, set(self._weighed)
        high, costs = limits_of(problem.capacities)[1], self._costs(taken)
        if above(used[: len(costs)] + costs, high).any():
            self._pay(self._paid | taken)
            return False
        idle = self._paid - taken
        if idle:
            # What was kept free for them is given back.
            self._close(idle - self.closed)
            self._pay(taken)
        return not idle

    def _pay(self, numbers: set[int]) -> None:
        self._paid = numbers
        self.problem = replace(self.problem, spent=self._costs(numbers))

    def _costs(self, numbers: set[int]) -> Floats:
        problem = self.problem
        return packages.spent(problem.offers, problem.pools, problem.capacities, numbers)
