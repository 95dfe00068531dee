"""A price is right by hand, moves as it must, and comes from a public header alone."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest

from arrears import report, run
from arrears.errors import BadArgument
from arrears.market.price import _irr, _payback, _worth


def test_worth_return_and_payback_by_hand() -> None:
    cash = np.zeros(24)
    cash[11], cash[23] = 110.0, 121.0
    assert _worth(cash, 0.1) == pytest.approx(200.0)
    assert _irr(cash, 200.0) == pytest.approx(0.1)
    assert _payback(cash, 200.0) == 24
    assert _payback(cash, 300.0) is None
    assert _irr(cash, 0.0) is None


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    out = tmp_path_factory.mktemp("price") / "book"
    run.synth(run.SynthRequest(loans=600, months=1, seed=8), out=out)
    return run.Request(str(out / "loans.csv"), scenarios=300)


def told(out) -> dict[str, object]:
    return json.loads((out / "price.json").read_text("utf-8"))


def test_a_higher_return_is_a_lower_price_and_costs_add_up(tape, tmp_path) -> None:
    for name, irr in (("low", 0.1), ("high", 0.25)):
        run.price(tape, irr=irr, out=tmp_path / name)
    low, high = told(tmp_path / "low"), told(tmp_path / "high")
    assert low["price"] > high["price"] > 0
    assert low["irr"] == pytest.approx(0.1, abs=1e-6)
    assert low["expected_collections"] == high["expected_collections"]
    assert low["probability_of_loss"] >= high["probability_of_loss"]
    assert low["quantiles"]["q05"] < low["expected_collections"] < low["quantiles"]["q95"]
    assert low["reserve"] > 0
    buckets = pl.read_parquet(tmp_path / "low/buckets.parquet")
    assert abs(buckets["claim"].sum() - low["claim"]) < buckets.height + 1
    page = (tmp_path / "low/price.html").read_text("utf-8")
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_more_bidders_pay_more(tape, tmp_path) -> None:
    bids = []
    for count in (2, 5, 10):
        run.price(tape, bidders=count, out=tmp_path / str(count))
        bids.append(told(tmp_path / str(count))["expected_winning_bid"])
    assert bids == sorted(bids)
    assert bids[-1] < told(tmp_path / "10")["price"]


@pytest.mark.parametrize(
    "name", ["ant_consumer_2025_1", "boc_tianjin_2026_2", "ccb_sichuan_2024_1"]
)
def test_a_header_alone_gives_a_price(root, tmp_path, name) -> None:
    header = root / f"examples/notices/{name}.yaml"
    done = run.price_header(header, out=tmp_path / "out", scenarios=200)
    found = told(tmp_path / "out")
    assert found["claim"] == pytest.approx(done.summary["claim"])
    assert all(isinstance(found[name], int) for name in ("claim", "principal"))
    assert 0 < found["per_claim"] < found["per_principal"] < 1
    if name.startswith("ant"):
        start = 49_966_000_00 / 581_000_000_00
        assert found["per_claim"] == pytest.approx(start, rel=0.25)


def test_an_older_package_is_worth_less(root, tmp_path) -> None:
    text = (root / "examples/notices/ant_consumer_2025_1.yaml").read_text("utf-8")
    shares = []
    for days in (120, 384, 900, 2000):
        path = tmp_path / f"{days}.yaml"
        path.write_text(text.replace("days_overdue: 384", f"days_overdue: {days}"), "utf-8")
        run.price_header(path, out=tmp_path / f"out{days}", scenarios=50)
        shares.append(told(tmp_path / f"out{days}")["per_claim"])
    assert shares == sorted(shares, reverse=True)


def test_a_header_with_a_fault_names_its_line(tmp_path) -> None:
    path = tmp_path / "notice.yaml"
    path.write_text("name: x\nbase_date: 2025-03-31\nproduct: cars\nunpaid: 5 yuan\n", "utf-8")
    with pytest.raises(run.Stopped) as stopped:
        run.price_header(path, out=tmp_path / "out")
    assert {problem.code for problem in stopped.value.problems} >= {
        "HEADER-BAD-VALUE",
        "HEADER-MISSING-FIELD",
    }
    assert not (tmp_path / "out").exists()


def test_a_forecast_says_the_same_as_the_main_job(tape, tmp_path) -> None:
    run.forecast(tape, out=tmp_path / "out")
    whole = run.resolve(tape)
    assert pl.read_parquet(tmp_path / "out/forecast.parquet").equals(whole.situation.forecast.table)
    summary = json.loads((tmp_path / "out/forecast.json").read_text("utf-8"))
    assert summary["claim"] == sum(whole.tape.claim.tolist())
    assert isinstance(summary["claim"], int), "what is owed is whole fen"
    assert summary["mean_60m"] == pytest.approx(whole.situation.forecast.at(60)["mean"])


def test_the_page_says_what_it_found_and_what_an_auction_brings(tmp_path) -> None:
    run.synth(run.SynthRequest(loans=80, months=2, seed=4), out=tmp_path / "book")
    tape = run.Request(str(tmp_path / "book/loans.csv"), scenarios=20)
    run.price(tape, out=tmp_path / "bid", bidders=4)
    told = json.loads((tmp_path / "bid/price.json").read_text("utf-8"))
    page = (tmp_path / "bid/price.html").read_text("utf-8")
    titles = re.findall(r"<h2>([^<]*)</h2>", page)
    assert len(titles) == 5
    assert all(re.search(r"\d", title) for title in titles)
    pictures = re.findall(r'<svg role="img" aria-label="([^"]*)"', page)
    assert len(pictures) == 2
    assert set(pictures) < set(titles)
    assert "winner&#x27;s curse" in page
    assert told["winners_curse"] == pytest.approx(told["price"] * told["disagreement"] * 3 / 5)
    at = {(row["bidders"], row["disagreement"]): row for row in told["by_bidders"]}
    for far in (0.1, 0.3, 0.5):
        sold = [at[count, far]["sold"] for count in (1, 2, 3, 5, 8)]
        assert sold == sorted(sold)
    assert report.money(told["expected_winning_bid"]) in page
    assert at[4, told["disagreement"]]["price"] == pytest.approx(told["expected_winning_bid"])
    assert f"<td class=n>{report.number(told['expected_winning_bid'] / 100)}</td>" in page
    assert "As of 31 March 2025." in page
    assert not re.search(r"FACTS|METHODS", page)
    lost = told["probability_of_loss"]
    assert ("in none of 20 scenarios" in page) == (lost == 0)


def test_loans_that_are_not_past_due_have_a_band_of_their_own(tape, tmp_path) -> None:
    run.price(tape, out=tmp_path / "out")
    buckets = pl.read_parquet(tmp_path / "out/buckets.parquet")
    loans = pl.read_parquet(tmp_path / "out/accepted.parquet")
    current = loans.filter(pl.col("days_past_due") == 0)
    owed = current.select(pl.sum_horizontal("principal", "interest", "fees").sum()).item()
    mine = buckets.filter(age_band="not past due")
    assert owed > 0
    assert mine["claim"].sum() == pytest.approx(owed, abs=mine.height)
    page = (tmp_path / "out/price.html").read_text("utf-8")
    assert "not past due past due" not in page


_NOTICE = "{name: x, base_date: 2025-03-31, product: consumer, %s loans: 1, days_overdue: 700}"


def test_a_header_that_owes_less_than_its_principal_is_refused(tmp_path) -> None:
    path = tmp_path / "notice.yaml"
    path.write_text(_NOTICE % "unpaid: 500 yuan, principal: 900 yuan,", "utf-8")
    with pytest.raises(run.Stopped) as stopped:
        run.price_header(path, out=tmp_path / "out")
    assert stopped.value.status == 2
    (problem,) = stopped.value.problems
    assert problem.code == "HEADER-BAD-VALUE"
    assert problem.fix


def test_loans_that_do_not_pay_for_the_deal_have_no_bid_and_no_return(tmp_path) -> None:
    path = tmp_path / "notice.yaml"
    path.write_text(_NOTICE % "unpaid: 50_000 yuan,", "utf-8")
    done = run.price_header(path, out=tmp_path / "out", scenarios=50)
    found = told(tmp_path / "out")
    assert (found["price"], found["expected_winning_bid"], found["sale_probability"]) == (0, 0, 0)
    assert found["irr"] is None
    assert found["payback_month"] is None
    assert 0 < found["reserve"] < found["expected_collections"]
    assert any("nobody bids" in line for line in done.lines)
    record = json.loads((tmp_path / "out/run.json").read_text("utf-8"))
    assert [fill["column"] for fill in record["fills"]] == ["principal", "litigation"]
    assert run.verify(tmp_path / "out").products == 4
    assert not re.search(r"\bnan\b|\bNone\b", (tmp_path / "out/price.html").read_text("utf-8"))


@pytest.mark.parametrize("irr", [-0.5, 15.0, float("nan")])
def test_a_return_that_nobody_can_ask_for_is_refused(tmp_path, irr) -> None:
    path = tmp_path / "notice.yaml"
    path.write_text(_NOTICE % "unpaid: 50_000 yuan,", "utf-8")
    with pytest.raises(BadArgument) as stopped:
        run.price_header(path, out=tmp_path / "out", scenarios=50, irr=irr)
    assert stopped.value.where == "--irr"
    assert not (tmp_path / "out").exists()
