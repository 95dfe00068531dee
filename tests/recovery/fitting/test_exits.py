"""Aalen-Johansen by hand, against a plain reference, and where exits do not compete."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arrears.recovery.fitting.exits import by_cause


def test_two_causes_by_hand() -> None:
    """Ten loans; 2 settle and 1 is sold, 2 are censored; of five left 1 settles and 2 are sold."""
    found = by_cause(np.array([10, 5]), np.array([[2, 1], [1, 2]]))
    assert found.open.tolist() == pytest.approx([0.7, 0.28])
    assert found.share[0].tolist() == pytest.approx([0.2, 0.2 + 0.7 * 0.2])
    assert found.share[1].tolist() == pytest.approx([0.1, 0.1 + 0.7 * 0.4])


def test_without_censoring_it_is_the_share_and_its_binomial_error() -> None:
    ends = np.array([[3, 2, 1], [1, 0, 4]])
    at_risk = 20 - np.concatenate([[0], np.cumsum(ends.sum(axis=0))[:-1]])
    found = by_cause(at_risk, ends)
    shares = np.cumsum(ends, axis=1) / 20
    assert found.share == pytest.approx(shares)
    assert found.se == pytest.approx(np.sqrt(shares * (1 - shares) / 20), abs=1e-9)


def test_one_cause_is_kaplan_meier_with_greenwood() -> None:
    at_risk, ends = np.array([30, 21, 12, 5]), np.array([[4, 3, 2, 1]])
    found = by_cause(at_risk, ends)
    still = np.cumprod(1 - ends[0] / at_risk)
    greenwood = still * np.sqrt(np.cumsum(ends[0] / (at_risk * (at_risk - ends[0]))))
    assert found.share[0] == pytest.approx(1 - still)
    assert found.se[0] == pytest.approx(greenwood)


@st.composite
def _tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    months = draw(st.integers(1, 8))
    left, at_risk, ends = draw(st.integers(0, 60)), [], []
    for _ in range(months):
        left += draw(st.integers(0, 5))
        one = draw(st.integers(0, left))
        two = draw(st.integers(0, left - one))
        at_risk.append(left)
        ends.append((one, two))
        left -= one + two
        left -= draw(st.integers(0, left))
    return np.array(at_risk), np.array(ends).T


@given(_tables())
def test_the_reference_agrees(table: tuple[np.ndarray, np.ndarray]) -> None:
    at_risk, ends = table
    found = by_cause(at_risk, ends)
    still, share = 1.0, [0.0, 0.0]
    for month, n in enumerate(at_risk):
        if n:
            for cause in (0, 1):
                share[cause] += still * ends[cause, month] / n
            still *= 1 - ends[:, month].sum() / n
        assert found.share[:, month].tolist() == pytest.approx(share)
        assert found.open[month] + sum(share) == pytest.approx(1.0)
    assert np.isfinite(found.se).all()
