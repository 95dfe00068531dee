"""Loans that ask for interest alone until they mature: what renewals may hide, by counterfactual roll (METHODS 3.3.3).

Such a loan pays like any other until its principal falls due, so that its months do not tell a renewal of a sound
borrower from one of a borrower who could not have repaid. Branches tell: one that keeps loans from showing has fewer
openly bad ones than those that do not. What is missing there is spread over its renewed loans by their scores.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.standing.hidden import prior
from arrears.standing.hidden import words as w
from arrears.standing.hidden.coded import Coded
from arrears.standing.hidden.finding import Book

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_ACTS = ("renewal", "extension", "new_pays_old")
LEAST_BRANCHES = 8
HONEST = 0.2
"""Share of the branches taken to keep nothing from showing: some hide and some do not."""


def renewed(book: Book) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Loans (n,) whose contract asks for interest alone, and those of them renewed or extended without repayment."""
    contract = (
        book.loans["repayment"].is_in(["interest_only", "bullet"]).fill_null(False).to_numpy()
    )
    acts = [w.ACT.index(name) for name in _ACTS]
    rows = book.lived.filter(pl.col("act").is_in(acts))["loan"].unique().to_numpy()
    again = np.zeros(len(contract), dtype=np.bool_)
    again[rows] = True
    return contract, contract & again & book.shown & book.told


def kept_at_maturity(
    book: Book, chance: Floats, scored: Floats, *, branch: Ints, keeps: Floats
) -> Floats:
    """Chance (n,) to be hidden that a renewed loan has by its branch alone; none on fewer than eight branches.

    Args:
        chance: by the loan's own months (n,).
        scored: by the scorecard (n,): among the renewed loans of a branch, what is missing goes by it.
        branch: of each loan (n,), -1 where it has no history.
        keeps: share of bad loans that each branch keeps from showing (b,).
    """
    more = np.zeros(len(chance))
    if len(keeps) < LEAST_BRANCHES:
        return more
    contract, again = renewed(book)
    mine = contract & (branch >= 0)
    usual = np.quantile(keeps, HONEST)
    share = np.clip((keeps - usual) / (1.0 - usual), 0.0, 1.0)
    share = share / (share + prior.TRACED * (1.0 - share))
    size = len(keeps)
    loans = np.bincount(branch[mine], minlength=size)
    openly = np.bincount(branch[mine & ~book.shown & (book.claim > 0)], minlength=size)
    exposed = float((loans * (1.0 - share)).sum())
    if exposed <= 0.0:
        return more
    rate = openly.sum() / exposed
    seen = np.bincount(
        branch[mine], weights=np.where(book.shown, chance, 0.0)[mine], minlength=size
    )
    missing = np.maximum(rate * share * loans - seen, 0.0)
    at = np.flatnonzero(mine & again)
    whole = np.bincount(branch[at], weights=scored[at], minlength=size)
    part = missing / np.maximum(whole, 1e-12)
    more[at] = np.minimum(part[branch[at]] * scored[at], 0.5)
    return more


def since_renewal(histories: Coded, more: Floats, gamma: npt.NDArray[np.floating]) -> None:
    """Raise the posterior (t, s) of being kept by `more` (h,), from each loan's last renewal on."""
    acts = np.isin(histories.rows[:, 6], [w.ACT.index(name) for name in _ACTS])[histories.code]
    which = np.repeat(np.arange(len(more)), histories.length)
    place = np.arange(len(which))
    last = histories.first.copy()
    np.maximum.at(last, which[acts], place[acts])
    touched = (place >= last[which]) & (more[which] > 0)
    left = 1.0 - more[which[touched]]
    gamma[touched, : prior.KEPT] *= left[:, None]
    gamma[touched, prior.KEPT] = 1.0 - gamma[touched, : prior.KEPT].sum(axis=1)


def either(one: Floats, other: Floats) -> Floats:
    """Chance that at least one of two holds."""
    return np.asarray(1.0 - (1.0 - one) * (1.0 - other))
