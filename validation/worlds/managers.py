"""Branch managers: some honest, some who keep loans alive, each in their own way and with their own zeal.

Six deeds: a new loan pays the old (E1), renewal without repayment (E2), interest added to the loan (E3), money just
before the quarter's end that is lent again (E4), a cut of the rate (E5), a token payment that keeps the oldest due
under ninety days (E7). The dial goes from clumsy (0: many deeds at once, at the last moment, all on the record) to
subtle (1: one deed, early, half of it off the record, with somebody's money paying the interest on time).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEW_LOAN, RENEW, CAPITALISE, CUT_OFF, RATE_CUT, TOKEN = range(6)
DEEDS = 6


@dataclass
class Managers:
    """What branches do (a row a branch) and what is being done to each loan (a row a loan)."""

    branch: np.ndarray
    zeal: np.ndarray
    dial: float
    deed: np.ndarray
    trigger: np.ndarray
    covers: np.ndarray
    logged: np.ndarray
    kept: np.ndarray
    dropped: np.ndarray
    lent_again: np.ndarray
    frozen_due: np.ndarray

    def does(self, deed: int) -> np.ndarray:
        """Loans kept alive by that deed."""
        return self.kept & self.deed[:, deed]

    def interest_only(self) -> np.ndarray:
        """Loans whose principal no longer falls due."""
        return self.kept & self.deed[:, [NEW_LOAN, RENEW, CAPITALISE, RATE_CUT]].any(axis=1)


def managers(
    count: int, due_day: np.ndarray, *, dial: float, hiding: bool, stream: np.random.Generator
) -> Managers:
    """Draw branches and, for each loan, what its manager would do; about 250 loans a branch."""
    branches = max(4, count // 250)
    branch = stream.integers(0, branches, count)
    honest = stream.random(branches) < 0.4
    zeal = np.where(honest, 0.0, 0.2 + 0.75 * stream.beta(1.5, 1.5, branches)) * hiding
    style = stream.dirichlet(np.full(DEEDS, 0.8), branches).cumsum(axis=1)
    first = np.minimum((stream.random(count)[:, None] > style[branch]).sum(axis=1), DEEDS - 1)
    first = np.where((first == TOKEN) & (due_day > 10), CUT_OFF, first)
    deed = np.zeros((count, DEEDS), bool)
    deed[np.arange(count), first] = True
    for extra in (RENEW, CAPITALISE, RATE_CUT):
        deed[:, extra] |= (stream.random(count) < 0.6 * (1 - dial)) & (first != TOKEN)
    late, early = stream.uniform(60, 88, count), stream.uniform(32, 75, count)
    return Managers(
        branch=branch,
        zeal=zeal,
        dial=dial,
        deed=deed,
        trigger=np.where(stream.random(count) < dial, early, late),
        covers=stream.random(count) < 0.8 * dial,
        logged=stream.random(count) < 1 - 0.5 * dial,
        kept=np.zeros(count, bool),
        dropped=np.zeros(count, bool),
        lent_again=np.zeros(count),
        frozen_due=np.zeros(count),
    )
