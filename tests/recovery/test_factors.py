"""Common factors: standard, persistent, shared as the market book says, and as wide as pools have been."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from arrears import recovery
from arrears.recovery import factors
from arrears.recovery.params import Params
from arrears.rules import load_market
from arrears.tape.columns import LOANS, PROVINCES

DAY = date(2025, 3, 31)
MARKET = load_market("cn")
PARAMS = Params.of(MARKET, DAY)


def _z(segments: list[int], count: int = 4_000, months: int = 48) -> np.ndarray:
    return factors.draw(count, months, 0.97, 3).of_segments(segments, PARAMS.factor_weights)


def test_a_factor_is_standard_in_every_month_and_keeps_its_persistence() -> None:
    z = _z([0])[0]
    assert np.abs(z.mean(axis=1)).max() < 1e-12
    assert z.std(axis=1) == pytest.approx(1.0, abs=0.05)
    for gap in (1, 6, 24):
        found = (z[gap:] * z[:-gap]).mean()
        assert found == pytest.approx(0.97**gap, abs=0.05)


def test_segments_move_together_as_far_as_they_share_nation_product_and_region() -> None:
    # the same product in two regions, two products in one region, nothing but the nation
    z = _z([1, 2, 6, 12])
    nation, product, region = PARAMS.factor_weights
    pairs = {(0, 1): nation + product, (0, 2): nation + region, (0, 3): nation}
    for (one, other), share in pairs.items():
        assert (z[one] * z[other]).mean() == pytest.approx(share, abs=0.05)


def test_quasi_random_draws_are_nearer_to_the_mean_than_as_many_random_ones() -> None:
    def mean(z: np.ndarray) -> float:
        return float(np.exp(0.8 * z.mean(axis=0)).mean())

    ours, plain, months, kick = [], [], 24, np.sqrt(1 - 0.97**2)
    for seed in range(16):
        drawn = factors.draw(1_024, months, 0.97, seed)
        ours.append(mean(drawn.of_segments([0], PARAMS.factor_weights)[0]))
        z = np.random.default_rng(seed).standard_normal((months, 512))
        for month in range(1, months):
            z[month] = 0.97 * z[month - 1] + kick * z[month]
        plain.append(mean(np.concatenate([z, -z], axis=1)))
    assert np.std(ours) < 0.6 * np.std(plain)


def test_the_same_seed_draws_the_same_and_more_months_or_segments_change_no_other_seed() -> None:
    one = factors.draw(50, 24, 0.97, 1)
    factors.draw.cache_clear()
    two = factors.draw(50, 24, 0.97, 1)
    assert np.array_equal(one.paths, two.paths)
    assert np.array_equal(one.besides, two.besides)
    assert not np.array_equal(one.paths, factors.draw(50, 24, 0.97, 2).paths)
    assert factors.draw(7, 24, 0.97, 1).paths.shape[2] == 7


def test_house_prices_have_mean_one_and_the_deviation_asked_for() -> None:
    drawn = factors.draw(6_000, 36, 0.97, 4)
    deviation = np.array([0.06, 0.07, 0.09])
    prices = drawn.home_prices(deviation, 0.7, 0.3)
    for tier in range(3):
        last = prices[tier, 35]
        assert last.mean() == pytest.approx(1.0, abs=0.01)
        assert np.log(last).std() == pytest.approx(deviation[tier] * np.sqrt(3.0), rel=0.08)
    logs = np.log(prices[:, 35])
    assert np.corrcoef(logs)[0, 2] == pytest.approx(0.7, abs=0.06)
    kick = np.diff(drawn.paths[0], axis=0)
    steps = np.diff(np.log(prices[1]), axis=0)
    assert np.corrcoef(kick.ravel(), steps.ravel())[0, 1] == pytest.approx(
        0.3 * np.sqrt(0.7), abs=0.05
    )


def test_a_securitised_card_pool_spreads_as_pools_have_around_their_forecast() -> None:
    # FACTS 4.3 and 9.5: realised over forecast about 15 per cent around its mean; cut-off at 5 to 6 months past due
    provinces = list(PROVINCES.values())
    rows = [
        {**dict.fromkeys(LOANS), "loan_id": f"L{n:05d}", "product": "credit_card", "security": "none",
         "principal": 3_000_000, "days_past_due": 165, "province": provinces[n % len(provinces)]}
        for n in range(12_000)
    ]  # fmt: skip
    loans = pl.DataFrame(rows, schema=LOANS)
    found = recovery.forecast(loans, as_of=DAY, market=MARKET, discount_rate=0.03, scenarios=2_000)
    paid = found.paths[:, 35]
    assert paid.std() / paid.mean() == pytest.approx(0.15, abs=0.01)
    # "most within 20 per cent"
    assert (np.abs(paid / paid.mean() - 1.0) < 0.2).mean() > 0.75


def test_provinces_lie_in_the_regions_of_the_statistics_bureau() -> None:
    regions = MARKET.numbers("scenarios/regions", DAY)
    assert set(regions) == set(PROVINCES.values())
    rows = [{**dict.fromkeys(LOANS), "product": p, "province": r} for p, r in
            (("mortgage", "Hainan"), ("consumer", None), ("business", "Jilin"), ("credit_card", "Mars"))]  # fmt: skip
    found = factors.segments(pl.DataFrame(rows, schema=LOANS), MARKET, DAY)
    assert found.tolist() == [1, 5, 19, 10]
