"""Bühlmann-Straub on the published example, and where there is too little to believe."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from arrears.errors import BadArgument
from arrears.recovery.fitting.credibility import buhlmann_straub, missing_for, weight_of

# Hachemeister (1975), bodily injury: average claim and number of claims, five states, twelve quarters.
AVERAGE = np.array([
    [1738, 1642, 1794, 2051, 2079, 2234, 2032, 2035, 2115, 2262, 2267, 2517],
    [1364, 1408, 1597, 1444, 1342, 1675, 1470, 1448, 1464, 1831, 1612, 1471],
    [1759, 1685, 1479, 1763, 1674, 2103, 1502, 1622, 1828, 2155, 2233, 2059],
    [1223, 1146, 1010, 1257, 1426, 1532, 1953, 1123, 1343, 1243, 1762, 1306],
    [1456, 1499, 1609, 1741, 1482, 1572, 1606, 1735, 1607, 1573, 1613, 1690],
], dtype=float)  # fmt: skip
CLAIMS = np.array([
    [7861, 9251, 8706, 8575, 7917, 8263, 9456, 8003, 7365, 7832, 7849, 9077],
    [1622, 1742, 1523, 1515, 1622, 1602, 1964, 1515, 1527, 1748, 1654, 1861],
    [1147, 1357, 1329, 1204, 998, 1077, 1277, 1218, 896, 1003, 1108, 1121],
    [407, 396, 348, 341, 315, 328, 352, 331, 287, 384, 321, 342],
    [2902, 3172, 3046, 3068, 2693, 2910, 3275, 2697, 2663, 3017, 3242, 3425],
], dtype=float)  # fmt: skip


def test_hachemeister_comes_out_as_published() -> None:
    found = buhlmann_straub(AVERAGE, CLAIMS)
    assert found.within == pytest.approx(139_120_026, abs=1)
    assert found.between == pytest.approx(89_639, abs=1)
    assert found.z == pytest.approx([0.9847, 0.9276, 0.8985, 0.7279, 0.9588], abs=5e-5)
    assert found.collective == pytest.approx(1683.71, abs=0.005)
    assert found.mean == pytest.approx([2060.92, 1511.22, 1805.84, 1352.98, 1599.83], abs=0.005)
    assert found.premium == pytest.approx([2055, 1524, 1793, 1443, 1603], abs=1)


def test_one_group_one_period_and_none_are_answers() -> None:
    one = buhlmann_straub(np.array([[0.4]]), np.array([[10.0]]))
    assert (one.z[0], one.premium[0]) == (0.0, pytest.approx(0.4))
    none = buhlmann_straub(np.zeros((3, 2)), np.zeros((3, 2)), collective=1.0)
    assert none.premium.tolist() == [1.0, 1.0, 1.0]
    gap = buhlmann_straub(np.array([[1.0, 2.0], [np.nan, np.nan]]), np.array([[1.0, 1.0], [0, 0]]))
    assert gap.z[1] == 0.0
    assert gap.premium[1] == gap.collective


def test_groups_that_differ_by_chance_alone_get_one_premium() -> None:
    ratios = np.array([[1.0, 3.0], [3.0, 1.0]])
    found = buhlmann_straub(ratios, np.ones((2, 2)))
    assert found.between == 0.0
    assert found.premium.tolist() == [2.0, 2.0]


def test_tables_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadArgument):
        buhlmann_straub(np.ones((2, 2)), np.ones((2, 3)))
    with pytest.raises(BadArgument):
        buhlmann_straub(np.ones((1, 1)), -np.ones((1, 1)))


def test_how_much_is_missing_makes_up_the_weight() -> None:
    lacking = missing_for(0.5, 5.0, within=2.0, between=0.1)
    assert lacking == pytest.approx(15.0)
    assert weight_of(np.array([5.0 + lacking]), within=2.0, between=0.1)[0] == pytest.approx(0.5)
    assert missing_for(0.5, 50.0, within=2.0, between=0.1) == 0.0


# Two flat lists of numbers are drawn at once: nested ones are too slow to draw on a busy machine.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    arrays(np.float64, (4, 3), elements=st.floats(0, 5)),
    arrays(np.float64, (4, 3), elements=st.floats(0, 100)),
    st.integers(1, 4),
)
def test_a_premium_lies_between_own_and_collective(
    ratios: np.ndarray, weights: np.ndarray, groups: int
) -> None:
    found = buhlmann_straub(ratios[:groups], weights[:groups], least_within=1e-9)
    low = np.minimum(found.mean, found.collective) - 1e-9
    high = np.maximum(found.mean, found.collective) + 1e-9
    assert np.isfinite(found.premium).all()
    assert ((found.z >= 0) & (found.z <= 1)).all()
    assert ((found.premium >= low) & (found.premium <= high)).all()
