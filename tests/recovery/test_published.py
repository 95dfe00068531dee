"""Published results that the room of recovery must give back: T1, T8, T9 and T10 of METHODS 0, each with its source."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from arrears import recovery
from arrears.core.dates import DAYS_A_MONTH
from arrears.errors import BadArgument
from arrears.recovery.forecast import window
from arrears.recovery.params import DEFAULT_DAY, collections
from arrears.recovery.patterns import Spells, mixed_rate
from arrears.recovery.vasicek import default_quantile, risk_weight
from arrears.rules import load_market
from arrears.tape.columns import LOANS

DAY = date(2025, 3, 31)
MARKET = load_market("cn")
DEFAULTS = np.array([0.0003, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.10, 0.20])


@pytest.mark.parametrize(
    ("kind", "published"),
    [
        ("mortgage", [4.15, 10.69, 35.08, 56.40, 87.94, 111.99, 148.22, 204.41, 253.12]),
        ("other_retail", [4.45, 11.16, 32.36, 45.77, 57.99, 62.79, 66.42, 75.54, 100.28]),
        ("qualifying_revolving", [0.98, 2.71, 10.04, 17.22, 28.92, 38.66, 54.75, 83.89, 117.99]),
    ],
)
def test_t1_basel_annex_5(kind, published) -> None:
    # METHODS 2.5: Basel II, Annex 5, loss given default 45 per cent
    assert 100 * risk_weight(DEFAULTS, 0.45, kind) == pytest.approx(published, abs=0.02)


def test_t1_the_saudi_version_scales_with_the_loss() -> None:
    # METHODS 2.5: SAMA 2022 uses a loss of 50 per cent for revolving loans: 19.14 at 1 per cent
    found = 100 * risk_weight(np.array([0.01]), 0.5, "qualifying_revolving")
    assert found == pytest.approx([19.14], abs=0.01)


def test_t1_vasicek_quantiles() -> None:
    # METHODS 2.5
    levels = (0.95, 0.99, 0.999)
    two = [100 * float(default_quantile(np.array(0.02), 0.04, level)) for level in levels]
    ten = [100 * float(default_quantile(np.array(0.10), 0.03, level)) for level in levels]
    assert two == pytest.approx([3.917, 5.248, 7.142], abs=5e-4)
    assert ten == pytest.approx([15.58, 18.62, 22.43], abs=5e-3)
    with pytest.raises(BadArgument):
        default_quantile(np.array(0.0), 0.04, 0.99)


def test_t8_the_bank_of_italys_mix() -> None:
    # METHODS T8: 76 per cent sold at 26, 24 per cent by the standard procedure at 44; published 30, and 36 at 45:55
    rates = np.array([26.0, 44.0])
    assert round(mixed_rate(np.array([0.76, 0.24]), rates)) == 30
    assert mixed_rate(np.array([0.76, 0.24]), rates) == pytest.approx(30.3, abs=0.05)
    assert round(mixed_rate(np.array([0.45, 0.55]), rates)) == 36
    with pytest.raises(BadArgument):
        mixed_rate(np.array([0.5, 0.6]), rates)


def test_t10_spells_of_paying_by_hand() -> None:
    # METHODS 1.3: a .05, b .30, W 12, r .02
    spells = Spells(0.05, 0.30, 12, 0.02)
    assert spells.resumes == pytest.approx(0.4596, abs=5e-5)
    assert spells.paying_months == pytest.approx(2.835, abs=5e-4)
    assert 100 * spells.recovery == pytest.approx(5.67, abs=0.005)


@pytest.mark.parametrize("spells", [Spells(0.05, 0.3, 12, 0.02), Spells(0.1, 0.2, 6, 0.03)])
def test_t10_spells_of_paying_against_a_simulation(spells) -> None:
    # METHODS T10: within 1 per cent
    rng, count = np.random.default_rng(9), 400_000
    months, idle = np.zeros(count), np.zeros(count, dtype=int)
    paying, open_ = np.zeros(count, bool), np.ones(count, bool)
    while open_.any():
        luck = rng.random(count)
        begins = open_ & ~paying & (luck < spells.begins)
        ends = open_ & paying & (luck < spells.ends)
        idle = np.where(open_ & ~paying & ~begins, idle + 1, idle)
        idle[ends] = 0
        paying = (paying | begins) & ~ends
        months += paying & open_
        open_ &= paying | (idle < spells.patience)
    assert months.mean() == pytest.approx(spells.paying_months, rel=0.01)
    assert spells.one_month_more() > 0.0


def _pool(months: int) -> recovery.Forecast:
    """Loans of which neither product nor status says anything, so many months after day 91, through the forecast."""
    days = DEFAULT_DAY + round(months * DAYS_A_MONTH) + 1
    rows = [
        {**dict.fromkeys(LOANS), "loan_id": f"L{n:03d}", "product": "mortgage", "security": "none",
         "principal": 1_000_000, "days_past_due": days, "default_date": DAY - timedelta(days=days)}
        for n in range(60)
    ]  # fmt: skip
    loans = pl.DataFrame(rows, schema=LOANS)
    return recovery.forecast(loans, as_of=DAY, market=MARKET, discount_rate=0.0, scenarios=8)


def _share(found: recovery.Forecast, start: int, end: int) -> float:
    paid = found.voluntary(window(0.0, start, end)[None, :])[:, 0]
    return float(paid.sum() / found.claim.sum())


def test_t9_five_published_points_through_the_forecast() -> None:
    # METHODS 1.5 and T9: best fit, collections ending at month 120 (the last point is then 3.1), a multiple of 1.76;
    # 15 per cent at each point
    multiple = 1.76
    fresh = _pool(0)
    first_year = _share(fresh, 0, 12)
    prices = {age: _share(_pool(age), 0, 60) / multiple for age in (7, 30, 72)}
    assert first_year == pytest.approx(0.2352, rel=0.15)
    assert prices[7] == pytest.approx(0.131, rel=0.15)
    assert prices[30] == pytest.approx(0.058, rel=0.15)
    assert prices[72] == pytest.approx(0.031, rel=0.15)
    # the fifth: what card pools of securities collect a year over 36 months, of what was owed at their cut-off
    assert _share(_pool(4), 0, 36) / 3 == pytest.approx(0.0734, rel=0.15)


def test_t9_the_milder_curve_stays_within_a_quarter() -> None:
    # METHODS 1.5: c1 .0757, exponent 1.0, multiple 2.0; its own five points 23.5, 6.7, 10.4, 5.9, 3.6
    curve = collections(0.0757, 1.0, 140)
    paid = np.append(0.0, np.cumsum(curve))
    assert paid[12] == pytest.approx(0.2352, rel=0.25)
    for age, price in ((7, 0.131), (30, 0.058), (72, 0.035)):
        assert (paid[age + 60] - paid[age]) / (1 - paid[age]) / 2.0 == pytest.approx(
            price, rel=0.25
        )
