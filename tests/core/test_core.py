"""Money, dates, timelines, hashes and random streams."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arrears.core import dates, money
from arrears.core.blocks import blocks
from arrears.core.hashing import content_hash, table_hash
from arrears.core.rng import generator
from arrears.core.timeline import Timeline
from arrears.errors import BadArgument, NotInForce


@pytest.mark.parametrize(
    ("amount", "fen"),
    [("1250.40", 125040), ("0.005", 1), ("0.004", 0), ("-0.005", 0), ("-0.006", -1), (3, 300)],
)
def test_yuan_become_whole_fen_half_up(amount, fen) -> None:
    assert money.yuan_to_fen(amount) == fen


@pytest.mark.parametrize("amount", ["", "ten", "NaN", "Infinity", "1,2,x"])
def test_what_is_no_amount_is_refused(amount) -> None:
    with pytest.raises(BadArgument):
        money.yuan_to_fen(amount)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("80_000_000 yuan", 8_000_000_000),
        ("12.5 万元", 12_500_000),
        ("700", 700),
        (9, 9),
        ("1 亿元", 10**10),
    ],
)
def test_money_as_a_person_writes_it(text, fen) -> None:
    assert money.parse_money(text) == fen


@given(total=st.integers(-(10**15), 10**15), weights=st.lists(st.integers(0, 10**9), min_size=1))
def test_a_split_leaves_nothing_over(total, weights) -> None:
    if sum(weights) == 0 and total != 0:
        with pytest.raises(BadArgument):
            money.split_proportionally(total, weights)
        return
    parts = money.split_proportionally(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights) or 1)) <= 1


def test_months_and_leap_years() -> None:
    assert dates.add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert dates.add_years(date(2024, 2, 29), 3) == date(2027, 2, 28)
    assert dates.months_between(date(2024, 1, 31), date(2024, 2, 29)) == 1
    assert dates.months_between(date(2024, 3, 1), date(2024, 1, 31)) == -1
    with pytest.raises(BadArgument):
        dates.parse_day("2024-02-30")


DAYS = st.dates(date(2000, 1, 1), date(2030, 1, 1))


@given(starts=st.lists(DAYS, min_size=1, max_size=5, unique=True), asked=st.lists(DAYS, min_size=1))
def test_many_days_at_once_are_the_same_as_one_by_one(starts, asked) -> None:
    line = Timeline(tuple((day, number) for number, day in enumerate(sorted(starts))))
    expected = []
    for day in asked:
        try:
            expected.append(line.at(day))
        except NotInForce:
            expected.append(None)
    assert line.at_many(pl.Series(asked, dtype=pl.Date)) == expected


def test_a_timeline_is_closed_open() -> None:
    line = Timeline(((date(2020, 1, 1), "a"), (date(2021, 1, 1), "b")), end=date(2022, 1, 1))
    assert [line.at(day) for day in (date(2020, 12, 31), date(2021, 1, 1))] == ["a", "b"]
    for day in (date(2019, 12, 31), date(2022, 1, 1)):
        with pytest.raises(NotInForce):
            line.at(day)
    with pytest.raises(BadArgument):
        Timeline(((date(2021, 1, 1), "a"), (date(2021, 1, 1), "b")))


def test_a_tables_hash_is_of_its_values_not_of_its_chunks(tmp_path) -> None:
    table = pl.DataFrame({"id": ["a", "b", "c"], "x": [1, None, 3], "l": [["p"], [], None]})
    pieces = pl.concat([table[:1], table[1:]], rechunk=False)
    table.write_parquet(tmp_path / "t.parquet")
    assert (
        table_hash(pieces)
        == table_hash(table)
        == table_hash(pl.read_parquet(tmp_path / "t.parquet"))
    )
    for other in (
        table.with_columns(x=pl.col("x").fill_null(0)),
        table.with_columns(pl.col("x").cast(pl.Float64)),
        table.rename({"x": "y"}),
        table.reverse(),
    ):
        assert table_hash(other) != table_hash(table)


def test_content_hashes_do_not_depend_on_the_order_of_keys() -> None:
    assert content_hash({"a": 1, "b": date(2025, 1, 1)}) == content_hash(
        {"b": date(2025, 1, 1), "a": 1}
    )
    with pytest.raises(BadArgument):
        content_hash({"a": Decimal(1)})


def test_streams_are_named_and_not_consumed() -> None:
    first = generator(7, "block", 3).random(5)
    generator(7, "block", 2).random(1000)
    assert (generator(7, "block", 3).random(5) == first).all()
    others = [generator(8, "block", 3), generator(7, "block", 4), generator(7, "block", "3")]
    assert all((other.random(5) != first).any() for other in others)


def test_blocks_cover_all_rows_once() -> None:
    for rows, size in ((0, 3), (1, 3), (9, 3), (10, 3)):
        covered = np.concatenate([np.arange(rows)[part] for part in blocks(rows, size)] or [[]])
        assert (covered == np.arange(rows)).all()
