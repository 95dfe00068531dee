"""The cost stack month by month, and answers that stay sound where little or nothing is known."""

from __future__ import annotations

import json
import math
from datetime import date

import numpy as np
import polars as pl
import pytest

from arrears import market, recovery, run
from arrears.errors import BadArgument
from arrears.market import costs
from arrears.recovery.forecast import window
from arrears.rules import load_market
from arrears.tape.columns import LOANS

DAY = date(2025, 3, 31)
MARKET = load_market("cn")


def _forecast(*changes: dict) -> tuple[recovery.Forecast, pl.DataFrame]:
    rows = [
        {**dict.fromkeys(LOANS), "loan_id": f"L{n}", "product": "consumer", "security": "none",
         "principal": 10_000_000, "days_past_due": 100, **change}
        for n, change in enumerate(changes)
    ]  # fmt: skip
    loans = pl.DataFrame(rows, schema=LOANS)
    found = recovery.forecast(loans, as_of=DAY, market=MARKET, discount_rate=0.03, scenarios=30)
    return found, loans


def test_commission_follows_each_loan_as_it_ages_by_hand() -> None:
    found, _ = _forecast({"days_past_due": 100}, {"days_past_due": 280})
    table = MARKET.table("channels/commission", DAY)

    def rate(age: int) -> float:
        return max(share for start, share in table if age >= start)

    cash = np.stack([found.voluntary(window(0.0, m, m + 1)[None, :])[:, 0] for m in range(24)])
    rates = np.array([[rate(int(age) + m) for age in found.age] for m in range(24)])
    by_hand = (cash * rates).sum(axis=1) / cash.sum(axis=1)
    assert costs.by_month(found, MARKET, DAY, cash.sum(axis=1)) == pytest.approx(by_hand, rel=1e-4)
    kept = costs.kept_by_loan(found, window(0.0, 0, 24), MARKET, DAY)
    assert kept == pytest.approx((cash * (1 - rates)).sum(axis=0), rel=1e-6)
    assert by_hand[0] < by_hand[-1] == 0.45


def test_the_price_is_the_worth_of_what_is_left_and_the_buckets_add_up_to_it() -> None:
    found, loans = _forecast(*[{"days_past_due": 100 + 40 * k} for k in range(30)],
                             {"security": "home", "collateral_value": 5_000_000})  # fmt: skip
    priced = market.price(found, loans, market=MARKET, as_of=DAY, irr=0.15)
    fee = MARKET.number("buyer/channel_fee", DAY)
    months = np.arange(1, len(priced.net) + 1)
    assert priced.price == pytest.approx((priced.net * 1.15 ** (-months / 12)).sum() - fee)
    spent = sum(priced.told["costs"][name] for name in ("commission", "litigation", "tax"))
    assert priced.collections - spent == pytest.approx(priced.net.sum())
    worth = (priced.buckets["claim"] * priced.buckets["per_claim"]).sum()
    assert worth == pytest.approx(priced.price + fee, rel=1e-6)
    low, high = (priced.told["price_range"][name] for name in ("q05", "q95"))
    assert low < priced.price < high


def _told(out) -> dict[str, object]:
    def no_nan(word: str) -> float:
        raise AssertionError(f"{word} in price.json")

    return json.loads((out / "price.json").read_text("utf-8"), parse_constant=no_nan)


HEADER = "name: x\nbase_date: 2025-03-31\nproduct: consumer\nunpaid: {unpaid}\nloans: {loans}\ndays_overdue: 500\n"


@pytest.mark.parametrize(
    ("unpaid", "loans"), [("0 yuan", 1), ("5_000 yuan", 1), ("9_000_000 yuan", 400)]
)
def test_a_header_without_principal_one_loan_or_no_claim_has_a_sound_price(
    tmp_path, unpaid, loans
) -> None:
    path = tmp_path / "notice.yaml"
    path.write_text(HEADER.format(unpaid=unpaid, loans=loans), "utf-8")
    run.price_header(path, out=tmp_path / "out", scenarios=50)
    found = _told(tmp_path / "out")
    assert found["principal"] == pytest.approx(0.594 * found["claim"], rel=1e-3)
    assert found["price"] >= 0.0
    assert 0.0 <= found["probability_of_loss"] <= 1.0
    assert math.isfinite(found["expected_winning_bid"])
    assert (found["per_claim"] is None) == (unpaid == "0 yuan")


def test_a_stress_lowers_a_price_and_an_unknown_one_is_refused(root, tmp_path) -> None:
    header = root / "examples/notices/ant_consumer_2025_1.yaml"
    run.price_header(header, out=tmp_path / "base", scenarios=50)
    run.price_header(header, out=tmp_path / "slump", scenarios=50, stress="slump")
    assert _told(tmp_path / "slump")["price"] < _told(tmp_path / "base")["price"]
    with pytest.raises(BadArgument, match="slump"):
        run.price_header(header, out=tmp_path / "none", scenarios=50, stress="slum")


def test_more_buyers_a_higher_bid_and_the_best_start_is_no_lower_than_keeping(
    root, tmp_path
) -> None:
    header = root / "examples/notices/boc_tianjin_2026_2.yaml"
    bids = []
    for count in (2, 5, 12):
        run.price_header(header, out=tmp_path / str(count), scenarios=50, bidders=count)
        found = _told(tmp_path / str(count))
        bids.append(found["expected_winning_bid"])
        assert found["start_price"] <= found["expected_winning_bid"] <= found["price"]
        assert found["best_start_brings"] >= found["reserve"] - 1.0
    assert bids == sorted(bids)
