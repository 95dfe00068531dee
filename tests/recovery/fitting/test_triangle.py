"""Chain ladder on the published triangle, and on triangles with nothing in them."""

from __future__ import annotations

import numpy as np
import pytest

from arrears.recovery.fitting.triangle import chain_ladder

# Taylor and Ashe (1983), cumulative.
_ROWS = [
    [357848, 1124788, 1735330, 2218270, 2745596, 3319994, 3466336, 3606286, 3833515, 3901463],
    [352118, 1236139, 2170033, 3353322, 3799067, 4120063, 4647867, 4914039, 5339085],
    [290507, 1292306, 2218525, 3235179, 3985995, 4132918, 4628910, 4909315],
    [310608, 1418858, 2195047, 3757447, 4029929, 4381982, 4588268],
    [443160, 1136350, 2128333, 2897821, 3402672, 3873311],
    [396132, 1333217, 2180715, 2985752, 3691712],
    [440832, 1288463, 2419861, 3483130],
    [359480, 1421128, 2864498],
    [376686, 1363294],
    [344014],
]
TAYLOR_ASHE = np.full((10, 10), np.nan)
for _place, _row in enumerate(_ROWS):
    TAYLOR_ASHE[_place, : len(_row)] = _row


def test_taylor_ashe_comes_out_as_published() -> None:
    """METHODS 1.6 and T2 (Mack 1993, tables 2 and 3)."""
    found = chain_ladder(TAYLOR_ASHE)
    reserves = [
        0,
        94_634,
        469_511,
        709_638,
        984_889,
        1_419_459,
        2_177_641,
        3_920_301,
        4_278_972,
        4_625_811,
    ]
    errors = [0, 75_535, 121_699, 133_549, 261_406, 411_010, 558_317, 875_328, 971_258, 1_363_155]
    assert found.reserve == pytest.approx(reserves, abs=1)
    assert found.se == pytest.approx(errors, abs=1)
    assert found.reserve.sum() == pytest.approx(18_680_856, abs=1)
    assert found.total_se == pytest.approx(2_447_095, abs=1)


def test_order_of_pools_changes_nothing() -> None:
    shuffled = chain_ladder(TAYLOR_ASHE[::-1])
    assert shuffled.reserve[::-1] == pytest.approx(chain_ladder(TAYLOR_ASHE).reserve)
    assert shuffled.total_se == pytest.approx(2_447_095, abs=1)


def test_equal_pools_share_their_factors_error() -> None:
    """Two pools of the same age: the error of their sum holds the covariance twice, whatever their order."""
    both = np.vstack([TAYLOR_ASHE, TAYLOR_ASHE[-1:]])
    found = chain_ladder(both)
    factors, below = found.factors, np.array([np.nansum(both[: 9 - k, k]) for k in range(9)])
    shared = found.sigma2 / factors**2 / below
    alone = chain_ladder(TAYLOR_ASHE)
    ends = found.full[:, -1]
    inside = 0.0
    for pool in range(10):
        steps = slice(9 - pool, 9)
        inside += 2 * ends[-1] * ends[pool] * shared[steps].sum()
    assert found.total_se**2 == pytest.approx(alone.total_se**2 + found.se[-1] ** 2 + inside)


def test_nothing_collected_is_no_forecast_and_no_nan() -> None:
    empty = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, np.nan], [0.0, np.nan, np.nan]])
    found = chain_ladder(empty, tail_to=24)
    for part in (found.full, found.reserve, found.se, found.tail, found.ultimate):
        assert (np.asarray(part) == 0).all()
    assert found.total_se == 0.0


def test_one_pool_and_one_month_are_answers() -> None:
    assert chain_ladder(np.array([[5.0]]), tail_to=120).ultimate.tolist() == [5.0]
    assert chain_ladder(np.array([[5.0, 7.0, 8.0]])).reserve.tolist() == [0.0]


def test_a_tail_by_the_power_law_is_found_again() -> None:
    t = np.arange(1, 121, dtype=float)
    cash = 0.0889 * t**-1.065
    seen = np.cumsum(cash[:36])[None, :]
    found = chain_ladder(np.repeat(seen, 3, axis=0), tail_to=120)
    assert found.tail == pytest.approx(np.full(3, cash[36:].sum()), rel=1e-6)
