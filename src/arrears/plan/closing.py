"""What a plan may not do: round by round packages close and offers are barred, until a plan stands."""

from __future__ import annotations

from arrears.plan import packages
from arrears.plan.borrowers import contradicting, numbers_of
from arrears.plan.kernels import Ints
from arrears.plan.problem import Problem


class Closing:
    """A problem of which parts are closed while it is solved anew.

    Attributes:
        problem: what is left of it, but for the packages in `closed`.
    """

    def __init__(self, problem: Problem, expected: frozenset[int] = frozenset()) -> None:
        """With nothing closed yet; packages in `expected` are closed at once unless they hold their own."""
        self.problem = problem
        self.closed: set[int] = set()
        self._needed: set[int] = set()
        self._expected = expected
        self._borrower = problem.situation.once(
            "borrowers", lambda s: numbers_of(s.loans["borrower_id"])
        )

    def stands(self, column: Ints) -> bool:
        """Whether a plan (n,) may stand; what it may not do is closed or barred if not."""
        problem = self.problem
        bars = contradicting(self._borrower, problem.offers.value, column)
        losing = self._losing(column)
        if not losing and not bars.any():
            bars, hopeless = packages.outside(
                problem.offers, problem.pools, column, barred=problem.barred
            )
            self.closed |= hopeless
        stands = not losing and not bars.any()
        if not stands:
            self.problem = problem.barring(bars)
            if losing:
                self._close(losing)
        return stands

    def _losing(self, column: Ints) -> set[int]:
        """Packages to close next."""
        small, dear, sound = packages.judged(self.problem.offers, self.problem.pools, column)
        least = packages.smallest(small)
        if self.problem.floors:
            return (least or dear) - self._needed
        expected, self._expected = self._expected - sound, frozenset()
        return least | dear | expected

    def _close(self, losing: set[int]) -> None:
        if not self.problem.floors or self.problem.is_kept(self.closed | losing):
            self.closed |= losing
            return
        # A floor needs some of them: they stay, of their smallest size at least, and cost what they cost.
        for number in sorted(losing):
            kept = self.problem.is_kept(self.closed | {number})
            (self.closed if kept else self._needed).add(number)
        self.problem = self.problem.needing(frozenset(self._needed))
