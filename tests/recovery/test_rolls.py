"""Roll rates by hand, and what follows from them."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from arrears.recovery import rolls
from arrears.rules import load_market

DAY = date(2025, 6, 30)


def months(*days: list[int]) -> pl.DataFrame:
    """Loan-months of some loans from January 2025 on, by their days past due."""
    rows = [
        {"loan_id": f"L{loan}", "month": date(2025, number + 1, 1), "days_past_due": past, "balance": 100 * (loan + 1)}
        for loan, series in enumerate(days)
        for number, past in enumerate(series)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"days_past_due": pl.Int32})


def products(table: pl.DataFrame) -> pl.DataFrame:
    return table.select("loan_id").unique().with_columns(product=pl.lit("consumer"))


@pytest.mark.parametrize(
    ("days", "bucket"), [(0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4)]
)
def test_buckets_begin_where_they_should(days, bucket) -> None:
    assert pl.select(rolls.bucket(pl.lit(days))).item() == bucket


def test_roll_rates_by_hand() -> None:
    table = months([0, 0], [0, 15], [0, 0], [0, 20])
    found = rolls.roll_rates(table, products(table))
    rows = {(row["from"], row["to"]): row for row in found.iter_rows(named=True)}
    behind = rows["current", "1-30"]
    assert (behind["n"], behind["p"]) == (2, 0.5)
    assert behind["se"] == pytest.approx(0.25)
    assert behind["p_balance"] == pytest.approx((200 + 400) / 1000)
    assert found.group_by("month", "product", "from").agg(pl.col("p").sum())["p"].to_list() == [1.0]


def test_months_that_do_not_follow_each_other_are_no_move() -> None:
    table = months([0, 5, 40]).filter(pl.col("month") != date(2025, 2, 1))
    assert rolls.moves(table).is_empty()


def test_shares_come_near_the_chain_that_made_them() -> None:
    rng = np.random.default_rng(3)
    chain = np.array(
        [
            [0.9, 0.1, 0, 0, 0],
            [0.5, 0.2, 0.3, 0, 0],
            [0.2, 0, 0.2, 0.6, 0],
            [0.1, 0, 0, 0.1, 0.8],
            [0, 0, 0, 0, 1],
        ]
    )
    day = [0, 15, 45, 75, 120]
    series = []
    for _ in range(3_000):
        state, path = int(rng.integers(0, 4)), []
        for _ in range(6):
            path.append(day[state])
            state = int(rng.choice(5, p=chain[state]))
        series.append(path)
    table = months(*series)
    pairs = rolls.moves(table)
    for at in range(5):
        mine = pairs.filter(at=at)
        for to in range(5):
            share = mine.filter(to=to).height / mine.height
            error = 4 * np.sqrt(chain[at, to] * (1 - chain[at, to]) / mine.height)
            assert abs(share - chain[at, to]) <= error + 1e-12


def test_the_tapes_own_months_outweigh_the_market_as_they_grow() -> None:
    market = load_market("cn")
    loans = pl.DataFrame({"days_past_due": [0, 20, 45, 70]}, schema={"days_past_due": pl.Int32})
    prior = rolls.chance_of_missing(loans, None, market=market, as_of=DAY)
    assert (np.diff(prior) > 0).all()
    few = rolls.chance_of_missing(loans, months(*[[0, 10]] * 20), market=market, as_of=DAY)
    many = rolls.chance_of_missing(loans, months(*[[0, 10]] * 5_000), market=market, as_of=DAY)
    assert prior[0] < few[0] < many[0] < 1.0
    assert many[0] > 0.95
    assert many[1] == prior[1]


def test_the_chance_of_default_is_the_markets_and_one_past_day_90() -> None:
    got = rolls.chance_of_default(
        np.array([0.0, 10.0, 60.0, 90.0, 91.0, 400.0]), load_market("cn"), DAY
    )
    assert got.tolist() == [0.0, 0.12, 0.45, 0.75, 1.0, 1.0]
