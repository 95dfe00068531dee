"""Single loans' luck: pools of one, few and a hundred loans against draws of every payment in plain NumPy."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from arrears import recovery
from arrears.recovery import kernels, luck, stock
from arrears.recovery.params import Params
from arrears.rules import load_market
from arrears.tape.columns import LOANS

DAY = date(2025, 3, 31)
MARKET = load_market("cn")
PARAMS = Params.of(MARKET, DAY)
RANKS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


def draws(
    age: np.ndarray, score: np.ndarray, claim: np.ndarray, *, months: int, count: int
) -> np.ndarray:
    """What is paid within some months (count,), every payment drawn, common factor at 0."""
    g = np.random.default_rng(17)
    total = np.zeros(count)
    for a, s, c in zip(age, score, claim, strict=True):
        owed = np.ones(count, dtype=np.float32)
        for month in range(months):
            odds = PARAMS.odds[a + month] * np.exp(s)
            u = g.random(count, dtype=np.float32)
            chance = odds / (1.0 + odds)
            owed *= np.where(
                u < chance * PARAMS.settles, 0.0, np.where(u < chance, 1.0 - PARAMS.part_paid, 1.0)
            )
        total += c * (1.0 - owed)
    return total


def ours(
    age: np.ndarray, score: np.ndarray, claim: np.ndarray, *, months: int
) -> tuple[np.ndarray, ...]:
    """Mean, variance, third moment, chance of nothing, and quantiles by the moments."""
    laid = stock.project(np.zeros_like(age), age, score, claim, ages=len(PARAMS.odds))
    found = kernels.level_moments(
        PARAMS.odds, PARAMS.share_paid, PARAMS.settles, PARAMS.part_paid, np.ones(1), laid.by_age()
    )[0, :, months - 1]
    mean, variance, third, none = (np.full(len(RANKS), part) for part in found)
    return (*found, luck.matched(mean, (variance, third), none=none, rank=RANKS))


def test_the_law_of_a_payment_has_the_mean_and_square_of_the_market_book() -> None:
    q, part = PARAMS.settles, PARAMS.part_paid
    assert q + (1 - q) * part == pytest.approx(PARAMS.share_paid)
    assert q + (1 - q) * part**2 == pytest.approx(PARAMS.share_paid_square)


@pytest.mark.parametrize(("first", "last"), [(0, 1), (0, 60), (50, 60)])
def test_moments_and_the_chance_of_nothing_are_those_of_the_draws(first, last) -> None:
    g = np.random.default_rng(2)
    age, score = g.integers(first, last, 12), g.normal(-0.3, 0.8, 12)
    claim = np.exp(g.normal(14.0, 0.8, 12))
    drawn = draws(age, score, claim, months=24, count=100_000)
    mean, variance, third, none, _ = ours(age, score, claim, months=24)
    assert mean == pytest.approx(drawn.mean(), rel=0.01)
    assert variance == pytest.approx(drawn.var(), rel=0.04)
    assert third == pytest.approx(((drawn - drawn.mean()) ** 3).mean(), rel=0.12)
    assert np.exp(none) == pytest.approx((drawn == 0.0).mean(), abs=0.003)


@pytest.mark.parametrize(("age", "spread"), [(0, 0.5), (15, 0.5), (40, 0.0)])
def test_quantiles_of_a_pool_of_a_hundred_are_those_of_the_draws(age, spread) -> None:
    g = np.random.default_rng(5)
    ages, score = np.full(100, age), g.normal(-0.3, 0.6, 100)
    claim = np.exp(g.normal(14.0, spread, 100))
    drawn = draws(ages, score, claim, months=36, count=20_000)
    found = ours(ages, score, claim, months=36)[-1]
    assert np.abs(found - np.quantile(drawn, RANKS)).max() < 0.06 * drawn.std()


def test_no_quantile_is_below_nothing_and_they_are_in_order() -> None:
    g = np.random.default_rng(8)
    mean = g.uniform(0.0, 1.0, 500)
    variance = g.uniform(0.0, 2.0, 500)
    third = g.normal(0.0, 2.0, 500) * variance**1.5
    none = np.log(g.uniform(1e-9, 0.999, 500))
    rows = [
        luck.matched(mean, (variance, third), none=none, rank=np.full(500, rank))
        for rank in np.linspace(0.01, 0.99, 25)
    ]
    assert np.isfinite(rows).all()
    assert (rows[0] >= 0.0).all()
    assert (np.diff(rows, axis=0) >= -1e-9).all()


def _pool(loans: int, days: int, principal: int = 1_000_000) -> pl.DataFrame:
    rows = [
        {**dict.fromkeys(LOANS), "loan_id": f"L{n:05d}", "product": "credit_card", "security": "none",
         "principal": principal, "days_past_due": days, "province": "Zhejiang"}
        for n in range(loans)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=LOANS)


def test_one_loan_pays_nothing_all_or_some_and_never_more_than_it_owes() -> None:
    found = recovery.forecast(
        _pool(1, 600), as_of=DAY, market=MARKET, discount_rate=0.03, scenarios=1_500
    )
    curve = found.curve.drop("month")
    assert (curve.to_numpy() >= 0.0).all()
    assert (curve.to_numpy() <= 1_000_000.0 * (1 + 1e-9)).all()
    month, total = found.at(24), _paid_by_one(found, months=24, count=40_000)
    assert month["mean"] == pytest.approx(total.mean(), rel=0.03)
    # Few amounts are possible, so a rank is asked for: 1,500 scenarios tell it to a hundredth.
    for name, rank in (("q05", 0.05), ("q25", 0.25), ("q50", 0.5), ("q75", 0.75), ("q95", 0.95)):
        low, high = np.quantile(total, [rank - 0.01, rank + 0.01])
        assert low <= month[name] + 1e-6
        assert month[name] <= high + 1e-6
    assert month["q75"] == 0.0 < month["q95"]


def test_a_small_pool_is_less_sure_than_a_large_one_of_the_same_loans() -> None:
    widths = []
    for loans in (10, 100, 5_000):
        found = recovery.forecast(
            _pool(loans, 700), as_of=DAY, market=MARKET, discount_rate=0.03, scenarios=800
        )
        row = found.at(36)
        widths.append((row["q95"] - row["q05"]) / row["mean"])
    assert widths[0] > 2.0 * widths[1] > 2.0 * widths[2]
    assert widths[2] > 0.3


def test_a_pool_of_a_hundred_with_the_common_factor_is_as_wide_as_its_draws() -> None:
    loans = _pool(100, 500)
    found = recovery.forecast(loans, as_of=DAY, market=MARKET, discount_rate=0.03, scenarios=4_000)
    total = _paid_by_one(found, months=36, count=12_000, loans=100)
    row = found.at(36)
    assert row["mean"] == pytest.approx(total.mean(), rel=0.01)
    for name, rank in (("q05", 0.05), ("q25", 0.25), ("q50", 0.5), ("q75", 0.75), ("q95", 0.95)):
        assert row[name] == pytest.approx(np.quantile(total, rank), abs=0.1 * total.std())


def _paid_by_one(
    found: recovery.Forecast, *, months: int, count: int, loans: int = 1
) -> np.ndarray:
    """What a loan pays, or several alike together (count,): the common factor, the curve and each payment drawn."""
    g = np.random.default_rng(1)
    z = np.empty((months, count))
    z[0] = g.standard_normal(count)
    kick = np.sqrt(1 - PARAMS.persistence**2)
    for month in range(1, months):
        z[month] = PARAMS.persistence * z[month - 1] + kick * g.standard_normal(count)
    level, tilt = g.standard_normal((2, count))
    total = np.zeros(count)
    age, score = int(found.age[0]), float(found.score[0])
    for _ in range(loans):
        owed = np.ones(count)
        for month in range(months):
            slope = np.log((age + month + 1) / 12.0)
            shift = (
                score
                + PARAMS.deviation * z[month]
                + PARAMS.level_error * level
                - PARAMS.tilt_error * slope * tilt
            )
            odds = PARAMS.odds[age + month] * np.exp(shift)
            u, chance = g.random(count, dtype=np.float32), odds / (1.0 + odds)
            owed *= np.where(
                u < chance * PARAMS.settles, 0.0, np.where(u < chance, 1.0 - PARAMS.part_paid, 1.0)
            )
        total += 1_000_000.0 * (1.0 - owed)
    return total
