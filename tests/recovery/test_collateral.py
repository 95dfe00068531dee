"""Secured loans: by hand, against a plain simulation of prices and auctions, and what must move what."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears import recovery
from arrears.errors import BadArgument
from arrears.recovery.collateral import collateral
from arrears.recovery.forecast import window
from arrears.rules import load_market
from arrears.tape.columns import LOANS

DAY = date(2025, 3, 31)
MARKET = load_market("cn")
HOME = {
    "loan_id": "L0",
    "product": "mortgage",
    "security": "home",
    "principal": 60_000_000,
    "days_past_due": 400,
    "province": "Zhejiang",
    "city_tier": 2,
    "collateral_value": 90_000_000,
    "collateral_value_date": DAY,
}


def _loans(*changes: dict) -> pl.DataFrame:
    rows = [
        {**dict.fromkeys(LOANS), **HOME, "loan_id": f"L{n:03d}", **change}
        for n, change in enumerate(changes)
    ]
    return pl.DataFrame(rows, schema=LOANS)


def _rows(*changes: dict, **options):
    loans = _loans(*changes)
    claim = loans["principal"].to_numpy().astype(float)
    return collateral(loans, claim, as_of=DAY, market=MARKET, **options)


def _forecast(loans: pl.DataFrame, **options) -> recovery.Forecast:
    options = {"discount_rate": 0.03, "scenarios": 64, **options}
    return recovery.forecast(loans, as_of=DAY, market=MARKET, **options)


def test_both_auctions_by_hand() -> None:
    rows = _rows({})
    first = min(0.75 * 0.92 * 90_000_000, 60_000_000)
    second = min(0.60 * 0.92 * 90_000_000, 60_000_000)
    by_hand = 0.55 * first + 0.45 * 0.67 * second
    assert rows.at(1.0)[0] == pytest.approx(by_hand)
    # 4 months to a judgment, 12 to a sale, and a third of the sales come 3 months later
    assert (rows.judgment[0], rows.delay[0]) == (4, 17)
    assert _rows({"province": "Liaoning"}).delay[0] == 20
    assert _rows({}, court_months=6).delay[0] == 23
    assert _rows({"security": "guarantee"}).net[0] == 0.0
    assert _rows({"collateral_value": None}).net[0] == 0.0


def test_a_case_that_has_ended_brings_no_more_of_its_collateral() -> None:
    over, goes_on = _rows({"legal_status": "ended"}, {"legal_status": "enforcing"}).net
    assert (over, goes_on) == (0.0, _rows({}).net[0])


@pytest.mark.parametrize("liens", [0, 20_000_000, 70_000_000])
@pytest.mark.parametrize("value", [30_000_000, 90_000_000, 300_000_000])
def test_expected_proceeds_are_those_of_a_plain_simulation(liens, value) -> None:
    rows = _rows({"prior_liens": liens, "collateral_value": value})
    g = np.random.default_rng(1)
    count, years = 400_000, rows.delay[0] / 12.0
    price = np.exp(0.07 * np.sqrt(years) * g.standard_normal(count) - 0.07**2 * years / 2)
    luck = g.random(count)
    kept = np.where(luck < 0.55, 0.75, np.where(luck < 0.55 + 0.45 * 0.67, 0.60, 0.0)) * 0.92
    proceeds = np.clip(value * price * kept - liens, 0.0, 60_000_000)
    proceeds[kept == 0.0] = 0.0
    error = 4 * proceeds.std() / np.sqrt(count) + 1.0
    assert rows.net[0] == pytest.approx(proceeds.mean(), abs=error)


def test_the_spread_of_the_proceeds_is_that_of_their_three_outcomes() -> None:
    rows = _rows({"collateral_value": 70_000_000})
    outcomes = np.array([0.75 * 0.92 * 70e6, 0.60 * 0.92 * 70e6, 0.0])
    chances = np.array([0.55, 0.45 * 0.67, 0.45 * 0.33])
    mean = chances @ outcomes
    variance, third, none = rows.spread()
    assert variance[0] == pytest.approx(chances @ (outcomes - mean) ** 2)
    assert third[0] == pytest.approx(chances @ (outcomes - mean) ** 3)
    assert none[0] == pytest.approx(0.45 * 0.33)


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 300_000_000),
    st.integers(0, 200_000_000),
    st.integers(1, 200_000_000),
    st.integers(91, 3_500),
)
def test_no_secured_loan_pays_more_than_it_owes_or_less_than_nothing(
    value, liens, owed, days
) -> None:
    change = {"collateral_value": value, "prior_liens": liens, "principal": owed, "days_past_due": days}  # fmt: skip
    found = _forecast(_loans(change), scenarios=16)
    for column in ("expected_12m", "expected_60m", "pv"):
        assert 0.0 <= found.table[column][0] <= owed * (1 + 1e-9)
    curve = found.curve.drop("month").to_numpy()
    assert np.isfinite(curve).all()
    assert curve.min() >= 0.0
    assert curve.max() <= owed * (1 + 1e-9)


def test_after_the_sale_only_the_shortfall_goes_on_paying() -> None:
    found = _forecast(_loans({}, {"security": "none"}))
    after = window(0.0, int(found.collateral.delay[0]))[None, :]
    secured, plain = found.with_sale(after)[:, 0]
    assert secured == pytest.approx(plain * (1.0 - found.covered[0]))
    before = window(0.0, 0, int(found.collateral.delay[0]))[None, :]
    paid = found.with_sale(before)[:, 0]
    assert paid[0] == pytest.approx(paid[1])
    owed = 60_000_000 - paid[0]
    assert found.proceeds[0] == pytest.approx(found.covered[0] * owed)


def test_the_curve_of_secured_loans_is_the_sum_of_the_loans() -> None:
    loans = _loans({}, {"city_tier": 1}, {"province": "Liaoning"}, {"security": "none"},
                   {"days_past_due": 45}, {"security": "vehicle", "collateral_value": 9_000_000})  # fmt: skip
    found = _forecast(loans, scenarios=400)
    for month in (12, 60):
        assert found.at(month)["mean"] == pytest.approx(
            found.table[f"expected_{month}m"].sum(), rel=1e-6
        )


def test_house_prices_make_a_book_of_mortgages_less_sure_after_the_sale_than_before() -> None:
    loans = _loans(*[{"collateral_value": 70_000_000}] * 400)
    found = _forecast(loans, scenarios=600)
    calm = _forecast(loans.with_columns(security=pl.lit("other")), scenarios=600)

    def width(f: recovery.Forecast) -> float:
        row = f.at(30)
        return (row["q95"] - row["q05"]) / row["mean"]

    assert width(found) > 0.10
    sold = found.paths[:, 29] - found.paths[:, 13]
    others = calm.paths[:, 29] - calm.paths[:, 13]
    assert sold.std() / sold.mean() > others.std() / others.mean()


def test_named_stresses_lower_what_they_should_and_nothing_else() -> None:
    loans = _loans({}, {"security": "none"}, {"days_past_due": 20})
    base = _forecast(loans).table["pv"]

    def pv(name: str) -> pl.Series:
        stress = recovery.Stress.named(name, MARKET, DAY)
        return _forecast(loans, stress=stress).table["pv"]

    prices = pv("house_prices_20")
    assert prices[0] < base[0]
    assert prices[1] == base[1]
    slump = pv("slump")
    assert (slump < base).all()
    courts = pv("slow_courts")
    assert courts[0] < base[0]
    assert courts[1] == base[1]
    assert (pv("severe") <= np.minimum(prices, slump)).all()
    assert (pv("house_prices_40") <= prices).all()


def test_a_slump_ends_and_what_was_not_paid_then_may_be_paid_later() -> None:
    loans = _loans({"security": "none"})
    slump = _forecast(loans, stress=recovery.Stress(payments=-0.5, months=24))
    for_good = _forecast(loans, stress=recovery.Stress(payments=-0.5))
    none = _forecast(loans)
    weights = window(0.0, 24, 60)[None, :]
    assert slump.voluntary(weights)[0, 0] > none.voluntary(weights)[0, 0]
    assert for_good.voluntary(weights)[0, 0] < none.voluntary(weights)[0, 0]


def test_a_stress_that_nobody_named_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadArgument, match="slump"):
        recovery.Stress.named("slmp", MARKET, DAY)
