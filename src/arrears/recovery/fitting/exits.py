"""How loans leave the state of default, without a model: Aalen-Johansen over competing exits, by age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arrears.recovery.fitting.features import AGES
from arrears.recovery.fitting.person_period import History, rows
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


def aalen_johansen(at_risk: Ints, ends: Ints) -> Incidence:
    """Aalen-Johansen by month, with Aalen's variance; ages at which nobody is at risk change nothing.

    Args:
        at_risk: (ages,), loans under observation; late entry is in it from the age of entry on.
        ends: (causes, ages).
    """
    n = np.maximum(at_risk, 1).astype(np.float64)
    leave = ends.sum(axis=0)
    still = np.cumprod(1.0 - leave / n)
    before = np.concatenate([[1.0], still[:-1]])
    share = np.cumsum(before * ends / n, axis=1)
    se = np.empty_like(share)
    stay = np.maximum(n - leave, 0.0)
    spread = np.divide(leave, n * stay, out=np.zeros(len(n)), where=stay > 0)
    for cause, mine in enumerate(ends):
        # Aalen (1978): the sum over k of terms in F(t) - F(k), multiplied out so that it is a running sum.
        f = share[cause]
        a, b, c = spread, before * mine / n**2, before**2 * (n - mine) * mine / n**3
        square = (
            f**2 * np.cumsum(a) - 2 * f * np.cumsum(a * f) + np.cumsum(a * f**2)
            + np.cumsum(c) - 2 * (f * np.cumsum(b) - np.cumsum(b * f))
        )  # fmt: skip
        se[cause] = np.sqrt(np.maximum(square, 0.0))
    return Incidence(at_risk, ends, still, share, se)


def count_exits(history: History, limited: Ints | None = None) -> tuple[Ints, Ints]:
    """Loans at risk and exits by age (AGES,), (causes, AGES).

    A claim whose limitation has run out is still owed and may be paid; here it leaves all the same.

    Args:
        limited: (n,) month in which each loan's limitation runs out; below 0 where it does not.
    """
    at_risk = np.zeros(AGES, dtype=np.int64)
    ends = np.zeros((len(CAUSES), AGES), dtype=np.int64)
    for some in rows(history):
        cause = some.ends.astype(np.int64)
        inside = np.ones(len(cause), dtype=bool)
        if limited is not None:
            end = limited[some.loan]
            inside = (end < 0) | (some.month <= end)
            cause = np.where((cause == 0) & (some.month == end), len(CAUSES), cause)
        at_risk += np.bincount(some.age[inside], minlength=AGES)
        for number in range(1, len(CAUSES) + 1):
            ends[number - 1] += np.bincount(some.age[inside & (cause == number)], minlength=AGES)
    return at_risk, ends
