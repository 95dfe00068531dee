"""T4 of METHODS: three published chains, and what holds of any chain that ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.errors import BadArgument
from arrears.recovery.markov import absorbed


def test_the_store_of_the_textbook_loses_what_is_published() -> None:
    # METHODS 2.4, A&W: current, one month, two months late, paid, bad
    chain = np.array(
        [
            [0.0, 0.2, 0.0, 0.8, 0.0],
            [0.0, 0.0, 0.1, 0.9, 0.0],
            [0.0, 0.0, 0.0, 0.85, 0.15],
            [0.0, 0.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 1.0],
        ]
    )
    found = absorbed(chain)
    assert found.ends[:, 1] == pytest.approx([0.003, 0.015, 0.15], abs=1e-12)
    assert found.ends.sum(axis=1) == pytest.approx(1.0)


def test_the_supply_company_is_followed_to_the_end_and_not_for_one_step() -> None:
    # METHODS 2.4; states paid, bad, current, I, II. One step alone would give the 1.6 million of the wrong answer.
    chain = np.array(
        [
            [1.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0, 0.0],
            [0.8, 0.0, 0.0, 0.2, 0.0],
            [0.4, 0.0, 0.0, 0.3, 0.3],
            [0.2, 0.1, 0.0, 0.6, 0.1],
        ]
    )
    found = absorbed(chain)
    assert found.ends[:, 1] == pytest.approx([0.01333, 0.06667, 0.15556], abs=1e-5)
    balances = np.array([1_000_000.0, 900_000.0, 600_000.0])
    assert found.ended(balances) == pytest.approx([2_333_333, 166_667], abs=1)


def test_the_two_bucket_chain() -> None:
    # METHODS 2.4: Q = [[.3, .3], [.3, .1]], R = [[.4, 0], [.4, .2]]
    chain = np.array([[0.3, 0.3, 0.4, 0.0], [0.3, 0.1, 0.4, 0.2], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    found = absorbed(chain)
    assert found.visits == pytest.approx(np.array([[1.667, 0.556], [0.556, 1.296]]), abs=5e-4)
    assert found.ends == pytest.approx(np.array([[0.889, 0.111], [0.741, 0.259]]), abs=5e-4)
    assert found.ended(np.array([1000.0, 2000.0])) == pytest.approx([2370.37, 629.63], abs=0.005)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 3), st.floats(0.01, 0.5)
)  # fmt: skip
def test_following_the_months_one_by_one_ends_in_the_same_place(seed, stays, ends, leaves) -> None:
    rng = np.random.default_rng(seed)
    inner = rng.dirichlet(np.ones(stays), stays) * (1.0 - leaves)
    out = rng.dirichlet(np.ones(ends), stays) * leaves
    chain = np.block([[inner, out], [np.zeros((ends, stays)), np.eye(ends)]])
    found = absorbed(chain, absorbing=range(stays, stays + ends))
    there, spent = np.eye(stays), np.zeros((stays, stays))
    for _ in range(4_000):
        spent += there
        there = there @ inner
    assert found.visits == pytest.approx(spent, rel=1e-6)
    assert found.months == pytest.approx(spent.sum(axis=1), rel=1e-6)
    assert found.ends.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("chain", "says"),
    [
        (np.ones((2, 3)), "square"),
        (np.array([[0.5, 0.4], [0.0, 1.0]]), "add up"),
        (np.array([[1.2, -0.2], [0.0, 1.0]]), "below 0"),
        (np.array([[0.5, 0.5], [0.5, 0.5]]), "absorbing"),
        (np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), "reached"),
    ],
)
def test_what_is_no_chain_that_ends_is_refused(chain, says) -> None:
    with pytest.raises(BadArgument, match=says):
        absorbed(chain)
