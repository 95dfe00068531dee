"""How loans leave the state of default, without a model: Aalen-Johansen over competing exits, by age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arrears.recovery.aalen_johansen import from_moves
from arrears.recovery.fitting.features import AGES
from arrears.recovery.fitting.person_period import Rows
from arrears.recovery.params import Floats, Ints

CAUSES = ("settled", "cured", "sold", "died", "limitation")


@dataclass(frozen=True)
class Incidence:
    """Cumulative incidence of each cause by age.

    Attributes:
        at_risk: (ages,) loans at risk at the start of the month.
        ends: (causes, ages) exits.
        open: (ages,) share still open at the end of the month.
        share: (causes, ages) share that has left by the cause.
        se: (causes, ages) its standard error.
    """

    at_risk: Ints
    ends: Ints
    open: Floats
    share: Floats
    se: Floats


def by_cause(at_risk: Ints, ends: Ints) -> Incidence:
    """Aalen-Johansen by month, each cause a state that nobody leaves; ages without anybody at risk change nothing.

    Args:
        at_risk: (ages,), loans under observation; late entry is in it from the age of entry on.
        ends: (causes, ages).
    """
    states = len(ends) + 1
    moves = np.zeros((len(at_risk), states, states))
    moves[:, 0, 1:] = ends.T
    moves[:, 0, 0] = at_risk - ends.sum(axis=0)
    found = from_moves(moves)
    share, se = found.chance[:, 0], found.se[:, 0]
    return Incidence(at_risk, ends, share[:, 0], share[:, 1:].T, se[:, 1:].T)


class Exits:
    """Loans at risk and exits by age, added up from loan-months as they pass.

    A claim whose limitation has run out is still owed and may be paid; here it leaves all the same.

    Attributes:
        at_risk: (AGES,).
        ends: (causes, AGES).
    """

    def __init__(self, limited: Ints | None = None) -> None:
        """`limited` (n,): month in which each loan's limitation runs out; below 0 where it does not."""
        self._limited = limited
        self.at_risk = np.zeros(AGES, dtype=np.int64)
        self.ends = np.zeros((len(CAUSES), AGES), dtype=np.int64)

    def add(self, some: Rows) -> None:
        """Count some loan-months."""
        cause = some.ends.astype(np.int64)
        inside = cause >= 0
        if self._limited is not None:
            end = self._limited[some.loan]
            inside &= (end < 0) | (some.month <= end)
            cause = np.where((cause == 0) & (some.month == end), len(CAUSES), cause)
        self.at_risk += np.bincount(some.age[inside], minlength=AGES)
        for number in range(1, len(CAUSES) + 1):
            self.ends[number - 1] += np.bincount(
                some.age[inside & (cause == number)], minlength=AGES
            )
