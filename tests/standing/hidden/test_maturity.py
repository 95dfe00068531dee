"""What renewals may hide, by what is missing among openly bad loans of a branch."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hidden_cases import loan, loans

from arrears.standing.hidden import prior
from arrears.standing.hidden import words as w
from arrears.standing.hidden.finding import Book
from arrears.standing.hidden.maturity import either, kept_at_maturity

BRANCHES, LOANS = 10, 100


@pytest.fixture
def book() -> tuple[Book, np.ndarray]:
    """Ten branches of 100 interest-only loans; ten openly bad in nine of them, four in the last; half are renewed."""
    table = loans(*(loan(f"{n:04d}", repayment="interest_only") for n in range(BRANCHES * LOANS)))
    branch = np.repeat(np.arange(BRANCHES), LOANS)
    place = np.tile(np.arange(LOANS), BRANCHES)
    bad = place < np.where(branch == BRANCHES - 1, 4, 10)
    lived = pl.DataFrame({"loan": np.flatnonzero(place >= 50).astype(np.uint32)}).with_columns(
        act=pl.lit(w.ACT.index("renewal"), pl.UInt8)
    )
    told = np.ones(len(branch), dtype=bool)
    claim = np.full(len(branch), 1_000_000)
    return Book(table, lived, pl.DataFrame(), claim, ~bad, told, True), branch


def test_what_is_missing_goes_to_the_renewed_loans_of_the_branch(book) -> None:
    known, branch = book
    keeps = np.full(BRANCHES, 0.1)
    keeps[-1] = 0.1 + 0.9 * 0.6
    none = np.zeros(len(branch))
    more = kept_at_maturity(known, none, none + 0.01, branch=branch, keeps=keeps)
    share = 0.6 / (0.6 + prior.TRACED * 0.4)
    rate = 94 / (900 + 100 * (1 - share))
    assert more[branch == BRANCHES - 1].sum() == pytest.approx(rate * share * 100)
    assert more[branch < BRANCHES - 1].sum() == 0
    assert more[:50].sum() == 0
    seen = np.where(branch == BRANCHES - 1, 0.02, 0.0)
    less = kept_at_maturity(known, seen, none + 0.01, branch=branch, keeps=keeps)
    assert less.sum() == pytest.approx(more.sum() - 0.02 * 96)


def test_few_branches_tell_nothing(book) -> None:
    known, branch = book
    none = np.zeros(len(branch))
    assert (
        kept_at_maturity(known, none, none + 1, branch=branch % 5, keeps=np.linspace(0, 1, 5)).sum()
        == 0
    )


def test_either_of_two() -> None:
    assert either(np.array([0.5, 0.0]), np.array([0.5, 0.3])) == pytest.approx([0.75, 0.3])
