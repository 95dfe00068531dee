"""Packages for sale: alike in product and age, no borrower torn apart, neither too small nor too large."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears import channels
from arrears.channels import transfer
from arrears.market.loan import worth_to_buyer
from arrears.recovery.forecast import window

AGES = (120, 500, 900, 1_400, 2_500)


@settings(max_examples=60)
@given(sizes=st.lists(st.floats(0, 100), min_size=5, max_size=5), wanted=st.floats(1, 60))
def test_bands_are_joined_until_each_package_is_large_enough(
    sizes: list[float], wanted: float
) -> None:
    place = transfer._joined(np.array(sizes), wanted)
    assert (np.diff(place) >= 0).all()
    whole = {first: sum(np.array(sizes)[place == first]) for first in set(place.tolist())}
    if sum(sizes) >= wanted:
        assert all(size >= wanted - 1e-9 for size in whole.values())
    else:
        assert len(whole) == 1


def test_large_books_are_sold_by_product_and_age(situation) -> None:
    loans = [
        {"product": product, "days_past_due": days, "principal": 4_000_000_000, "borrower_id": f"B{n}"}
        for n, (product, days) in enumerate((p, d) for p in ("consumer", "credit_card") for d in AGES)
    ]  # fmt: skip
    there = situation(*loans)
    numbers = transfer.package(there)
    assert len(set(numbers.tolist())) == 10
    assert numbers.max() < 100


def test_small_books_are_sold_by_product_alone(situation) -> None:
    loans = [{"product": "consumer", "days_past_due": days} for days in AGES]
    assert len(set(transfer.package(situation(*loans)).tolist())) == 1


def test_a_package_too_large_is_cut_and_a_borrower_stays_whole(situation) -> None:
    loans = [
        {"principal": 15_000_000_000, "borrower_id": f"B{n // 2}", "days_past_due": 400}
        for n in range(60)
    ]
    there = situation(*loans)
    numbers = pl.DataFrame({"b": there.loans["borrower_id"], "n": transfer.package(there)})
    assert numbers["n"].n_unique() > 2
    assert (numbers.group_by("b").agg(pl.col("n").n_unique())["n"] == 1).all()


def test_a_buyer_pays_less_for_older_loans_and_later(situation) -> None:
    there = situation(*[{"days_past_due": days} for days in AGES])
    worth = worth_to_buyer(
        there.forecast, market=there.market, as_of=there.as_of, starts=(0, 6, 12)
    )
    assert (np.diff(worth, axis=0) < 0).all()
    assert (np.diff(worth, axis=1) < 0).all()
    sold = [channels.offers(there).outcomes[channels.COLUMNS.index(("transfer", 0))].cash]
    assert (np.diff(sold[0]) < 0).all()


def test_a_buyer_pays_commission_when_cash_comes_worked_month_by_month(situation) -> None:
    there = situation({"days_past_due": 330}, {"days_past_due": 2_000})
    number, day = there.number, there.as_of
    table = there.market.table("channels/commission", day)
    start, months, asked = 6, int(number("buyer/horizon")), number("buyer/irr")
    for loan, age in enumerate(there.forecast.age):
        worth = 0.0
        for month in range(start + 1, start + months + 1):
            cash = there.forecast.voluntary(window(0.0, month - 1, month)[None, :])[loan, 0]
            share = [part for upfrom, part in table if upfrom <= age + month - 1][-1]
            keeps = 1.0 - share - number("buyer/vat") - number("buyer/litigation")
            worth += cash * keeps * (1.0 + asked) ** (-(month - start) / 12.0)
        found = worth_to_buyer(there.forecast, market=there.market, as_of=day, starts=(start,))
        assert found[0, loan] == pytest.approx(worth, rel=1e-9)


def test_nobody_buys_a_loan_before_day_91(situation) -> None:
    there = situation({"days_past_due": 30})
    assert worth_to_buyer(there.forecast, market=there.market, as_of=there.as_of)[0, 0] == 0.0


@pytest.mark.parametrize("start", channels.STARTS)
def test_prices_lie_between_the_published_and_the_valued(situation, start: int) -> None:
    there = situation(*[{"days_past_due": days, "contact_status": word} for days in AGES
                        for word in ("reachable", "vanished")])  # fmt: skip
    share = transfer.price(there, start)
    assert ((share > 0) & (share < 0.9)).all()
    assert (share[::2] > share[1::2]).all()
