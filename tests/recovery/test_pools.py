"""Static pools: a band is left as seldom as it says, by the forecast's own draws and by loans drawn one by one."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears import recovery
from arrears.recovery import factors
from arrears.recovery.pools import FALSE_ALARMS, WATCHED, Band
from arrears.rules import load_market
from arrears.tape.columns import LOANS

DAY = date(2025, 3, 31)
MARKET = load_market("cn")


def _loans(*days: int) -> pl.DataFrame:
    rows = [
        {**dict.fromkeys(LOANS), "loan_id": f"L{n:04d}", "product": "credit_card", "security": "none",
         "principal": 3_000_000, "days_past_due": day, "province": "Zhejiang"}
        for n, day in enumerate(days)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=LOANS)


def _pools(loans: pl.DataFrame, number: list[int], *, scenarios: int, months: int = 12):
    whole = recovery.forecast(loans, as_of=DAY, market=MARKET, discount_rate=0.0, scenarios=2)
    found = recovery.pools(
        whole, np.array(number), loans, as_of=DAY, market=MARKET, months=months, scenarios=scenarios
    )
    return whole, list(found)


def _one_by_one(whole: recovery.Forecast, loans: pl.DataFrame, runs: int) -> np.ndarray:
    """Cumulative cash (runs, WATCHED) of loans of one age that pay or do not, drawn one by one in plain NumPy."""
    g, params, count = np.random.default_rng(3), whole.params, loans.height
    drawn = factors.draw(runs, len(params.odds), params.persistence, 999)
    segment = int(factors.segments(loans[:1], MARKET, DAY)[0])
    z = drawn.of_segments([segment], params.factor_weights)[0]
    slope = np.log(np.arange(1, len(params.odds) + 1) / 12.0)
    cash = np.zeros((runs, WATCHED))
    for run in range(runs):
        off = params.level_error * drawn.besides[0, run]
        off = off - params.tilt_error * slope * drawn.besides[1, run]
        owed = np.full(count, 3_000_000.0)
        for month in range(WATCHED):
            odds = params.odds[whole.age[0] + month] * np.exp(off[whole.age[0] + month])
            odds = odds * np.exp(params.deviation * z[month, run] + whole.score)
            pays = g.random(count) < odds / (1.0 + odds)
            settles = pays & (g.random(count) < params.settles)
            paid = np.where(settles, owed, np.where(pays, owed * params.part_paid, 0.0))
            owed = owed - paid
            cash[run, month] = paid.sum()
    return np.round(np.cumsum(cash, axis=1))


@pytest.mark.parametrize("count", [4, 90])
def test_a_pool_that_pays_by_the_model_leaves_its_band_in_one_case_of_ten(count: int) -> None:
    loans = _loans(*[165] * count)
    whole, (pool,) = _pools(loans, [0] * count, scenarios=1_000)
    assert (pool.band.exits > 0).mean() <= FALSE_ALARMS
    cash = _one_by_one(whole, loans, 600)
    left = np.mean([pool.band.outside(row).any() for row in cash])
    # 600 runs, a band from 1,000 scenarios: 0.1 give or take three standard errors, and luck is matched by moments
    assert 0.05 < left < 0.15
    assert cash[:, -1].mean() == pytest.approx(pool.curve["mean"][WATCHED - 1], rel=0.06)


def test_pools_share_good_and_bad_times_and_have_their_own_luck() -> None:
    loans = _loans(*[165] * 2_000)
    _, pools = _pools(loans, [n % 2 for n in range(2_000)], scenarios=400)
    both = np.stack([pool.band.exits > 0 for pool in pools])
    # alike as they are, they do not leave together always, but more often than two coins would
    assert both.all(axis=0).mean() > 1.5 * both.mean() ** 2
    assert not np.array_equal(both[0], both[1])
    assert pools[0].curve["mean"].to_list() == pytest.approx(pools[1].curve["mean"].to_list())


def test_pools_of_a_book_add_up_to_it() -> None:
    loans = _loans(*[100 + 13 * n for n in range(40)])
    whole, pools = _pools(loans, [n % 3 for n in range(40)], scenarios=4)
    total = sum(pool.curve["mean"].to_numpy() for pool in pools)
    assert total == pytest.approx(whole.curve["mean"].to_numpy(), rel=1e-6)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.1, 0.3]), st.booleans())
def test_no_more_scenarios_leave_a_band_than_it_says(seed: int, often: float, whole: bool) -> None:
    g = np.random.default_rng(seed)
    steps = g.exponential(size=(400, 9)) * (g.random((400, 9)) < 0.3)
    paths = np.cumsum(np.round(10 * steps) if whole else steps, axis=1)
    band = Band.of(paths, often)
    counted = paths[1::2]
    left = np.array([band.outside(path).any() for path in counted])
    assert np.array_equal(left, band.exits > 0)
    assert left.mean() <= often or (band.lo <= paths[::2].min(axis=0)).all()
    # what lies farther out is rarer, and what is outside is as rare as the band says
    chances = np.array([band.chance(path) for path in counted])
    assert chances[left].max(initial=0.0) <= chances[~left].min(initial=1.0)
