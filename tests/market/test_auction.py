"""Auctions: the formats by hand, equilibrium bids against their closed form, and published results (METHODS 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.errors import BadArgument
from arrears.market.auction import (
    Bid,
    Lot,
    Terms,
    best_start,
    closed_form,
    equilibrium,
    expected,
    multi_round,
    naive_profit,
    private,
    rational_profit,
    sealed,
    value_over_start,
)
from arrears.rules import load_market

OPENS = datetime(2025, 3, 3, 10, 0)
LOT = Lot(start_price=1_000, increment=50, opens=OPENS)
DAY = date(2025, 3, 31)
MARKET = load_market("cn")


def bid(bidder: str, amount: int, minutes: float) -> Bid:
    return Bid(bidder, amount, OPENS + timedelta(minutes=minutes))


def at(minutes: float) -> datetime:
    return OPENS + timedelta(minutes=minutes)


def test_several_rounds_go_on_three_minutes_after_each_late_bid() -> None:
    bids = [bid("a", 1_000, 2), bid("b", 1_050, 31), bid("a", 1_200, 33.5), bid("b", 1_300, 36.4)]
    assert multi_round.standing(LOT, bids, at(1)).best is None
    assert multi_round.standing(LOT, bids, at(10)).phase == "free"
    late = multi_round.standing(LOT, bids, at(32))
    assert (late.phase, late.best, late.closes) == ("delayed", bids[1], at(34))
    assert multi_round.standing(LOT, bids, at(36.5)).closes == at(39.4)
    end = multi_round.standing(LOT, bids, at(39.4))
    assert (end.phase, end.sold_for, end.bidders) == ("closed", 1_300, 2)
    nobody = multi_round.standing(LOT, [], at(33))
    assert (nobody.phase, nobody.sold_for) == ("closed", None)
    alone = multi_round.standing(LOT, bids[:1], at(33))
    assert alone.sold_for == LOT.start_price


def test_bids_that_do_not_count_say_why() -> None:
    rows = [("a", 2_000, -1), ("a", 999, 1), ("a", 1_000, 2), ("b", 1_049, 3), ("b", 9_000, 33)]
    bids = [bid(*row) for row in rows]
    found = multi_round.standing(LOT, bids, at(60))
    assert found.sold_for == 1_000
    whys = ["before the opening", "below 1000", "below 1050", "after the end"]
    assert [refusal.why for refusal in found.refused] == whys
    again = [bid("a", 1_500, 1), bid("a", 1_800, 2), bid("b", 900, 3), bid("c", 1_500, 30)]
    closed = sealed.standing(LOT, again, at(30))
    assert closed.sold_for == 1_500
    assert [r.why for r in closed.refused] == ["the bidder has bid", "below 1000", "after the end"]


def test_a_sealed_auction_tells_nothing_before_its_end_and_the_earlier_of_equals_wins() -> None:
    bids = [bid("b", 1_700, 4), bid("a", 1_700, 3), bid("c", 1_200, 5)]
    open_still = sealed.standing(LOT, bids, at(29))
    assert (open_still.phase, open_still.best, open_still.bidders) == ("free", None, None)
    end = sealed.standing(LOT, bids, at(30))
    assert (end.best, end.bidders) == (bids[1], 3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 5_000), st.integers(-5, 90)), max_size=25
    ),
    st.randoms(use_true_random=False),
)
def test_an_auction_is_a_function_of_its_bids_and_the_time(rows, rng) -> None:
    bids = [bid(who, amount, minute + k / 1e3) for k, (who, amount, minute) in enumerate(rows)]
    mixed = list(bids)
    rng.shuffle(mixed)
    for form in (multi_round, sealed):
        end = form.standing(LOT, bids, at(1_000))
        assert end == form.standing(LOT, mixed, at(1_000))
        counted = len(bids) - len(end.refused)
        assert (end.sold_for is not None) == (counted > 0)
        assert end.sold_for is None or end.sold_for >= LOT.start_price
        # What has been seen at a moment is not changed by bids given later.
        early = form.standing(LOT, bids, at(20))
        assert early == form.standing(LOT, [b for b in bids if b.at <= at(20)], at(20))


@pytest.mark.parametrize("bidders", [2, 4, 7, 10])
def test_the_differential_equation_gives_the_closed_form(bidders) -> None:
    spread, low, high = 12.0, 25.0, 225.0
    x, bids = equilibrium(bidders, (low, high), spread=spread)
    inside = (x >= low + spread) & (x <= high - spread)
    form = closed_form(x[inside], bidders, spread=spread, least=low + 2 * spread / (bidders + 1))
    # METHODS 6.1 writes x_lo + e where the closed form here has the estimate on which the least bid is made.
    gap = 2 * spread / (bidders + 1) * np.exp(-bidders / (2 * spread) * (x[inside] - low - spread))
    assert bids[inside] == pytest.approx(x[inside] - spread + gap, abs=1e-3)
    assert form == pytest.approx(bids[inside], abs=1e-3)


def test_with_normal_errors_the_winner_gains_and_the_less_the_more_bidders_there_are() -> None:
    rng = np.random.default_rng(4)
    gains = []
    for bidders in (2, 4, 8):
        x, bids = equilibrium(bidders, (0.0, 200.0), spread=8.0, kind="normal")
        assert (np.diff(bids[(x > -16.0) & (x < 216.0)]) > 0).all()
        worth = rng.uniform(60, 140, 40_000)
        best = (worth[:, None] + 8.0 * rng.standard_normal((40_000, bidders))).max(axis=1)
        paid = np.interp(best, x, bids)
        gains.append((worth - paid).mean())
        # Whoever bid the estimate itself would lose what the bids are shaded by and more.
        assert (best - paid).mean() > (best - worth).mean() > 0.0
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] > 0.0


@pytest.mark.parametrize("bidders", [2, 4, 7, 10])
def test_t5_the_winners_curse_and_the_rational_profit(bidders) -> None:
    # METHODS T5 and 6.1, e = 12: -4.01/7.99, -7.20/4.80, -9.00/3.00, -9.82/2.18
    published = {2: (-4.01, 7.99), 4: (-7.20, 4.80), 7: (-9.00, 3.00), 10: (-9.82, 2.18)}
    rng, spread, count = np.random.default_rng(6), 12.0, 200_000
    worth = rng.uniform(60.0, 190.0, count)
    best = worth + spread * (2 * rng.random((bidders, count)).max(axis=0) - 1)
    naive = (worth - best).mean()
    rational = (worth - closed_form(best, bidders, spread=spread, least=0.0)).mean()
    assert naive_profit(bidders, spread) == pytest.approx(published[bidders][0], abs=0.02)
    assert rational_profit(bidders, spread) == pytest.approx(published[bidders][1], abs=0.02)
    assert naive == pytest.approx(naive_profit(bidders, spread), rel=0.01)
    assert rational == pytest.approx(rational_profit(bidders, spread), rel=0.01)


@pytest.mark.parametrize(
    ("bidders", "reserved", "one_more"),
    [(1, 0.25, 0.3333), (2, 0.4167, 0.5), (3, 0.5312, 0.6), (5, 0.6719, 0.7143)],
)
def test_t6_one_more_bidder_beats_the_best_reserve(bidders, reserved, one_more) -> None:
    # METHODS T6 and 6.1 (Bulow and Klemperer)
    clever = private.uniform_revenue(bidders, private.BEST_RESERVE)
    more = private.uniform_revenue(bidders + 1)
    assert (clever, more) == pytest.approx((reserved, one_more), abs=5e-5)
    assert more == pytest.approx(bidders / (bidders + 2))
    assert more > clever
    grid = [private.uniform_revenue(bidders, r) for r in np.linspace(0, 1, 101)]
    assert int(np.argmax(grid)) == 50
    values = np.random.default_rng(3).random((300_000, bidders + 1))
    assert np.sort(values, axis=1)[:, -2].mean() == pytest.approx(more, rel=0.005)
    few = np.sort(values[:, :bidders], axis=1)
    second = few[:, -2] if bidders > 1 else np.zeros(len(few))
    simulated = np.where(few[:, -1] >= 0.5, np.maximum(second, 0.5), 0.0).mean()
    assert simulated == pytest.approx(clever, rel=0.005)


def _simulate(terms: Terms, count: int = 4_000) -> tuple[float, float, float]:
    """Share sold, mean price, and share of the sales at the start price: by sealed bids, one auction after another."""
    rng = np.random.default_rng(12)
    prices = []
    for _ in range(count):
        worth = terms.value * (1 + terms.doubt * rng.uniform(-1, 1))
        come = rng.binomial(terms.bidders, terms.shows_up)
        spread = terms.disagreement * worth
        x = worth + spread * rng.uniform(-1, 1, come)
        if come == 1:
            offers = np.where(x >= terms.start, terms.start, np.nan)
        else:
            offers = closed_form(x, come, spread=spread, least=terms.start)
        lot = Lot(start_price=round(1_000 * terms.start), opens=OPENS)
        bids = [bid(str(k), round(1_000 * b), 1 + k / 10) for k, b in enumerate(offers) if b > 0]
        prices.append(sealed.standing(lot, bids, at(30)).sold_for)
    sold = np.array([price for price in prices if price is not None]) / 1_000
    return len(sold) / count, float(sold.mean()), float((sold <= terms.start * 1.0005).mean())


@pytest.mark.parametrize(
    "terms",
    [
        Terms(value=100.0, start=70.0, bidders=5, shows_up=0.26, disagreement=0.3),
        Terms(value=100.0, start=95.0, bidders=4, shows_up=0.8, disagreement=0.2),
        Terms(value=100.0, start=60.0, bidders=3, disagreement=0.1, doubt=0.3),
    ],
)
def test_what_an_auction_is_expected_to_bring_is_what_sealed_bids_bring(terms) -> None:
    sold, price, alone = _simulate(terms)
    found = expected(terms)
    assert found.sold == pytest.approx(sold, abs=0.025)
    assert found.price == pytest.approx(price, rel=0.012)
    assert found.at_start == pytest.approx(alone, abs=0.03)


def test_the_market_of_2024_comes_out_of_its_calibration() -> None:
    # METHODS 6.2: bidders who come Poisson(1.3), mean price 1.32 over start, most lots with at most one bidder
    arrivals, many = MARKET.number("auction/arrivals", DAY), 40
    ratio = MARKET.number("auction/price_over_start", DAY)
    base = Terms(value=1.0, start=1.0, bidders=many, shows_up=arrivals / many, disagreement=0.3)
    value = value_over_start(ratio, base)
    found = expected(replace(base, value=value))
    assert found.price == pytest.approx(5.3 / 4.0, abs=1e-6)
    poisson = np.exp(-arrivals) * (1 + arrivals)
    assert poisson > 0.6
    assert found.at_start * found.sold + (1 - found.sold) == pytest.approx(poisson, abs=0.03)
    assert 0.65 < found.sold < 0.85
    assert 1.3 < value < 2.5


def test_more_bidders_less_disagreement_and_more_who_come_bring_more() -> None:
    base = Terms(value=100.0, start=50.0, bidders=4, shows_up=0.5, disagreement=0.3)

    def price(**change: float) -> float:
        return expected(replace(base, **change)).price

    assert price(bidders=8) > price() > price(bidders=2)
    assert price(disagreement=0.1) > price() > price(disagreement=0.5)
    assert price(shows_up=0.9) > price() > price(shows_up=0.2)
    # METHODS 6.1: less disagreement raises the price by about twice the difference over n + 1
    sure = replace(base, shows_up=1.0, start=0.0)
    gain = expected(replace(sure, disagreement=0.2)).price - expected(sure).price
    assert gain == pytest.approx(2 * 0.1 * 100 / 5, rel=0.01)


@pytest.mark.parametrize("keeping", [20.0, 60.0, 95.0])
@pytest.mark.parametrize("bidders", [1, 2, 6])
def test_no_start_price_brings_more_than_the_best_one(keeping, bidders) -> None:
    terms = Terms(value=100.0, start=0.0, bidders=bidders, shows_up=0.6, disagreement=0.25, doubt=0.2)  # fmt: skip
    start, brings = best_start(terms, keeping)
    assert start >= keeping
    for other in np.linspace(keeping, 130.0, 60):
        found = expected(replace(terms, start=float(other)))
        assert found.sold * (found.price or 0) + (1 - found.sold) * keeping <= brings + 0.05
    low, _ = best_start(terms, 10.0)
    assert low <= start + 1.0


def test_auctions_that_cannot_be_are_refused_and_empty_ones_are_not_sold() -> None:
    nobody = expected(Terms(value=1.0, start=0.5, bidders=0))
    assert (nobody.sold, nobody.price) == (0.0, None)
    dear = expected(Terms(value=1.0, start=2.0, bidders=5))
    assert (dear.sold, dear.price) == (0.0, None)
    exact = expected(Terms(value=1.0, start=0.5, bidders=3, disagreement=0.0))
    assert (exact.sold, exact.price) == (1.0, 1.0)
    with pytest.raises(BadArgument):
        Terms(value=1.0, start=0.5, bidders=2, disagreement=1.5)
    with pytest.raises(BadArgument):
        equilibrium(1, (0.0, 1.0), spread=0.1)
    with pytest.raises(BadArgument):
        Lot(start_price=-1, opens=OPENS)
    with pytest.raises(BadArgument):
        value_over_start(1.0, Terms(value=1.0, start=1.0, bidders=3))
