"""The forecast: published anchors, an independent reference, and what must hold of any book."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numba
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from arrears import recovery, rules
from arrears.recovery import grid
from arrears.recovery.forecast import window
from arrears.recovery.params import Params, ages, collections
from arrears.tape.columns import LOANS

DAY = date(2025, 3, 31)
MARKET = rules.load_market("cn")
LOAN = {
    "loan_id": "L0",
    "product": "mortgage",
    "security": "none",
    "principal": 10_000_000,
    "days_past_due": 91,
}


def _loans(*changes: dict) -> pl.DataFrame:
    rows = [
        {**dict.fromkeys(LOANS), **LOAN, "loan_id": f"L{n:03d}", **change}
        for n, change in enumerate(changes)
    ]
    return pl.DataFrame(rows, schema=LOANS)


def _forecast(loans: pl.DataFrame, **options) -> recovery.Forecast:
    options = {"discount_rate": 0.03, "scenarios": 40, **options}
    return recovery.forecast(loans, as_of=DAY, market=MARKET, **options)


def test_the_curve_is_that_of_the_best_fit() -> None:
    curve = collections(0.0889, 1.065, 120)
    assert curve[:12].sum() == pytest.approx(0.259, abs=0.0005)
    paid = np.concatenate([[0.0], np.cumsum(collections(0.0889, 1.065, 132))])
    for age, price in ((7, 0.116), (30, 0.063), (72, 0.037)):
        # METHODS 1.5: 60 months of collections over what is left of the principal, by a multiple of 1.76
        assert (paid[age + 60] - paid[age]) / (1 - paid[age]) / 1.76 == pytest.approx(
            price, abs=0.0012
        )


def test_without_the_common_factor_score_zero_gives_the_curve_back() -> None:
    params = Params.of(MARKET, DAY)
    flat = np.ones((1, 120))
    shares = grid.mean_shares(params.odds, params.share_paid, flat, 0.0, 0, 120)
    weights = np.empty(grid.NODES)
    grid.lay(0.0, weights)
    assert weights @ shares[0] == pytest.approx(collections(0.0889, 1.065, 120), rel=1e-6)


def test_the_first_year_of_a_fresh_pool_is_near_the_published_one() -> None:
    found = _forecast(_loans(*[{}] * 50))
    first_year = found.table["expected_12m"].sum() / (50 * 10_000_000)
    assert first_year == pytest.approx(0.259, abs=0.01)


def test_a_pools_36_months_spread_about_15_per_cent() -> None:
    found = _forecast(_loans(*[{"principal": 1_000_000}] * 3_000), scenarios=1_000)
    row = found.curve.filter(month=36).row(0, named=True)
    spread = (row["q95"] - row["q05"]) / (2 * 1.645) / row["mean"]
    assert 0.11 < spread < 0.18


def _by_hand(age: int, score: float, push: np.ndarray, params: Params) -> list[float]:
    """Expected share paid by month, path by path and month by month, in plain Python."""
    months = [0.0] * 120
    for path in push:
        owed = 1.0
        for month in range(120 - age):
            odds = params.odds[age + month] * math.exp(score) * path[month]
            paid = owed * params.share_paid * odds / (1.0 + odds)
            months[month] += paid / len(push)
            owed -= paid
    return months


@pytest.mark.parametrize(
    ("days", "contact", "legal", "product"),
    [(91, None, None, "mortgage"), (400, "reachable", "mediated", "business"),
     (900, "vanished", "terminated", "consumer"), (2_500, "unreachable", "filed", "credit_card")],
)  # fmt: skip
def test_a_loan_agrees_with_a_plain_reference(days, contact, legal, product) -> None:
    loans = _loans(
        {
            "days_past_due": days,
            "contact_status": contact,
            "legal_status": legal,
            "product": product,
        }
    )
    found = _forecast(loans)
    expected = _by_hand(int(ages(loans)[0]), float(found.score[0]), found.push, found.params)
    weights = np.stack([window(0.0, 0, 12), window(0.0, 0, 60), window(0.03, 0)])
    values = found.voluntary(weights)[0] / 10_000_000
    by_hand = [
        sum(expected[:12]),
        sum(expected[:60]),
        sum(cash * 1.03 ** (-(month + 1) / 12) for month, cash in enumerate(expected)),
    ]
    assert values == pytest.approx(by_hand, rel=1e-5)


def test_a_loan_that_never_defaults_pays_its_schedule() -> None:
    found = _forecast(
        _loans({"days_past_due": 0, "maturity_date": date(2026, 3, 31), "rate": 0.06})
    )
    sure = replace(found, due=replace(found.due, hazard=np.zeros(1)))
    months = int(found.due.term[0])
    level = 10_000_000 * 0.005 / (1 - 1.005**-months)
    cash = sure.voluntary(window(0.0, 0)[None, :])[0, 0]
    assert cash == pytest.approx(months * level, rel=1e-9)


def test_what_raises_and_what_lowers_a_forecast() -> None:
    def value(**change: object) -> float:
        return float(_forecast(_loans(change)).table["pv"][0])

    by_contact = [value(contact_status=c) for c in ("reachable", None, "unreachable", "vanished")]
    assert by_contact == sorted(by_contact, reverse=True)
    assert len(set(by_contact)) == 4
    assert value(days_past_due=91) > value(days_past_due=400) > value(days_past_due=2_000)
    assert (
        value(days_past_due=0)
        > value(days_past_due=20)
        > value(days_past_due=50)
        > value(days_past_due=89)
    )
    cheap, dear = (_forecast(_loans({}), discount_rate=rate).table["pv"][0] for rate in (0.02, 0.1))
    assert cheap > dear


def test_a_fall_of_house_prices_lowers_mortgages_and_nothing_else() -> None:
    home = {"security": "home", "collateral_value": 8_000_000, "days_past_due": 400}
    loans = _loans(
        home, {"days_past_due": 400}, {"security": "vehicle", "collateral_value": 5_000_000}
    )
    before, after = (
        _forecast(loans, stress=recovery.Stress(house_prices=fall)).table["pv"]
        for fall in (0.0, -0.2)
    )
    assert after[0] < before[0]
    assert after[1:].to_list() == before[1:].to_list()


def test_no_loan_past_day_91_pays_more_than_it_owes() -> None:
    changes = [
        {
            "days_past_due": days,
            "security": security,
            "collateral_value": 50_000_000,
            "contact_status": "reachable",
            "legal_status": "mediated",
            "product": "business",
        }
        for days in (91, 500, 3_000)
        for security in ("none", "home")
    ]  # fmt: skip
    table = _forecast(_loans(*changes)).table
    for column in ("expected_12m", "expected_60m", "pv"):
        assert ((table[column] >= 0) & (table[column] <= 10_000_000)).all()


def _mixed() -> pl.DataFrame:
    g = np.random.default_rng(4)
    products = ["mortgage", "consumer", "credit_card", "business"]
    return _loans(
        *(
            {
                "product": products[g.integers(4)],
                "days_past_due": int(g.choice([0, 0, 30, 75, 120, 700, 3_900])),
                "principal": int(g.integers(10_000, 90_000_000)),
                "contact_status": [None, "reachable", "vanished"][g.integers(3)],
            }
            for _ in range(300)
        )
    )


def test_the_mean_of_the_curve_is_the_sum_of_the_loans_and_quantiles_are_in_order() -> None:
    found = _forecast(_mixed(), scenarios=300)
    for month in (12, 60):
        row = found.curve.filter(month=month).row(0, named=True)
        assert row["mean"] == pytest.approx(found.table[f"expected_{month}m"].sum(), rel=1e-6)
    for low, high in (("q05", "q25"), ("q25", "q50"), ("q50", "q75"), ("q75", "q95")):
        assert (found.curve[low] <= found.curve[high]).all()
        assert (found.curve[high].diff().drop_nulls() >= 0).all()


def test_each_loan_is_forecast_by_itself_and_whatever_the_threads() -> None:
    loans = _mixed()
    whole = _forecast(loans).table
    halves = [_forecast(part).table for part in (loans[::2], loans[1::2])]
    assert_frame_equal(pl.concat(halves).sort("loan_id"), whole, check_exact=True)
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = _forecast(loans)
    finally:
        numba.set_num_threads(before)
    assert_frame_equal(alone.table, whole, check_exact=True)
    assert_frame_equal(alone.curve, _forecast(loans).curve, check_exact=True)


def test_expectations_depend_on_neither_seed_nor_scenarios() -> None:
    loans = _mixed()
    one, two = _forecast(loans, seed=1, scenarios=20), _forecast(loans, seed=2, scenarios=60)
    assert_frame_equal(one.table, two.table, check_exact=True)
    assert one.curve["q05"].to_list() != two.curve["q05"].to_list()
    assert_frame_equal(one.curve, _forecast(loans, seed=1, scenarios=20).curve, check_exact=True)


def test_without_scenarios_expectations_are_the_same_and_there_is_no_range() -> None:
    loans = _mixed()
    bare = _forecast(loans, scenarios=0)
    assert_frame_equal(bare.table, _forecast(loans).table, check_exact=True)
    assert (bare.curve.height, len(bare.paths)) == (0, 0)


def test_an_empty_book_has_an_empty_forecast() -> None:
    found = _forecast(_loans())
    assert found.table.height == 0
    assert found.curve["mean"].sum() == 0.0
