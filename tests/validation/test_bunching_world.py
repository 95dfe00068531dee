"""The bench of the bunching estimator moves what it says."""

from __future__ import annotations

import numpy as np
import pytest

from validation.worlds import bunching


def test_the_share_moved_is_the_share_told() -> None:
    shown, moved = bunching.days(200_000, share=0.3, seed=3)
    null, none = bunching.days(200_000, share=0.0, seed=3)
    assert none == 0
    assert len(shown) == len(null) == 200_000
    near = ((null > 90) & (null <= 97)).sum()
    assert moved == pytest.approx(0.3 * near, rel=0.05)
    assert ((shown >= 85) & (shown <= 90)).sum() - ((null >= 85) & (null <= 90)).sum() == moved
    assert ((null > 90) & (null <= 97)).sum() - ((shown > 90) & (shown <= 97)).sum() == moved
    assert np.array_equal(np.sort(shown[shown > 97]), np.sort(null[null > 97]))


def test_the_null_is_exponential_with_a_mean_of_forty_days() -> None:
    null, _ = bunching.days(400_000, share=0.0)
    assert null.mean() == pytest.approx(1 / np.expm1(1 / 40), rel=0.01)


def test_every_other_branch_moves_some() -> None:
    made = bunching.book(4, loans=1_000)
    assert (
        made.group_by("branch", maintain_order=True).first()["moves"].to_list() == [False, True] * 2
    )
    assert bunching.book(4, loans=1_000).equals(made)
