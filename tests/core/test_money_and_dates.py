"""Money to the fen and calendar arithmetic."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arrears.core.blocks import blocks
from arrears.core.dates import add_months, add_years, months_between, parse_day
from arrears.core.money import (
    in_yuan,
    parse_money,
    round_half_up,
    split_proportionally,
    yuan_to_fen,
)
from arrears.errors import BadArgument

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize(
    ("amount", "whole"),
    [
        (Fraction(1, 2), 1),
        (Fraction(3, 2), 2),
        (Fraction(5, 2), 3),
        (Fraction(-1, 2), 0),
        (Fraction(-3, 2), -1),
        (Decimal("2.4999999999999999999"), 2),
        (Decimal("-2.51"), -3),
        (7, 7),
    ],
)
def test_halves_go_up(amount: Fraction | Decimal | int, whole: int) -> None:
    assert round_half_up(amount) == whole


@pytest.mark.parametrize(
    ("yuan", "fen"),
    [("1250.40", 125_040), ("0.005", 1), ("0.0049", 0), ("-0.005", 0), (3, 300), ("1e3", 100_000)],
)
def test_yuan_become_fen(yuan: str | int, fen: int) -> None:
    assert yuan_to_fen(yuan) == fen


@pytest.mark.parametrize("text", ["abc", "", "NaN", "Infinity", "1,5 yuan"])
def test_what_is_no_amount_of_yuan_is_refused(text: str) -> None:
    with pytest.raises(BadArgument):
        yuan_to_fen(text)


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        (5, 5),
        ("5", 5),
        ("80_000_000 yuan", 8_000_000_000),
        ("80,000,000元", 8_000_000_000),
        ("12.5 万元", 12_500_000),
        ("1.5亿元", 15_000_000_000),
        (" 99 fen ", 99),
        ("-3 yuan", -300),
    ],
)
def test_amounts_that_a_person_wrote_are_read(text: str | int, fen: int) -> None:
    assert parse_money(text) == fen


@pytest.mark.parametrize("text", ["", "yuan", "5 dollars", "5 yuan 3", "1.2.3", "5,00 x"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadArgument):
        parse_money(text)


@pytest.mark.parametrize("text", [",", "_ yuan"])
def test_separators_alone_are_no_amount(text: str) -> None:
    with pytest.raises(BadArgument):
        parse_money(text)


@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any),
)
def test_parts_of_a_split_add_up_and_lie_within_a_fen_of_their_share(
    total: int, weights: list[int]
) -> None:
    parts = split_proportionally(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) <= 1
        if weight == 0:
            assert part == 0


def test_a_split_follows_the_running_sum() -> None:
    # 100 in three: 33.33, 66.67, 100 are rounded to 33, 67, 100
    assert split_proportionally(100, [1, 1, 1]) == [33, 34, 33]
    # 1 in two halves: 0.5 goes up
    assert split_proportionally(1, [1, 1]) == [1, 0]
    assert split_proportionally(0, [0, 0]) == [0, 0]
    assert split_proportionally(0, []) == []


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0, 0]), (5, [2, -1])])
def test_a_split_without_sense_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(BadArgument):
        split_proportionally(total, weights)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2025, 1, 31), 1, date(2025, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2025, 8, 31), 6, date(2026, 2, 28)),
        (date(2025, 12, 31), 1, date(2026, 1, 31)),
        (date(2025, 1, 15), -1, date(2024, 12, 15)),
        (date(2025, 3, 31), -1, date(2025, 2, 28)),
        (date(2025, 3, 31), 0, date(2025, 3, 31)),
    ],
)
def test_months_are_calendar_months(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later


def test_29_february_goes_to_the_28th() -> None:
    assert add_years(date(2024, 2, 29), 3) == date(2027, 2, 28)
    assert add_years(date(2024, 2, 29), 4) == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (date(2025, 1, 15), date(2025, 2, 14), 0),
        (date(2025, 1, 15), date(2025, 2, 15), 1),
        (date(2025, 1, 31), date(2025, 2, 28), 1),
        (date(2025, 2, 15), date(2025, 1, 15), -1),
        (date(2025, 2, 15), date(2025, 1, 16), 0),
        (date(2024, 12, 1), date(2026, 1, 1), 13),
    ],
)
def test_only_whole_months_are_counted(start: date, end: date, months: int) -> None:
    assert months_between(start, end) == months


@given(DAYS, st.integers(0, 600))
def test_months_added_are_months_between(day: date, months: int) -> None:
    assert months_between(day, add_months(day, months)) == months


@given(DAYS, DAYS)
def test_the_months_between_do_not_reach_beyond_the_end(a: date, b: date) -> None:
    start, end = min(a, b), max(a, b)
    months = months_between(start, end)
    assert add_months(start, months) <= end < add_months(start, months + 1)
    assert months_between(end, start) == -months


def test_a_day_is_read_from_iso_or_refused() -> None:
    assert parse_day("2024-02-29") == date(2024, 2, 29)
    for text in ("2025-02-29", "31.3.2025", "today", ""):
        with pytest.raises(BadArgument):
            parse_day(text)


@given(st.integers(0, 500), st.integers(1, 60))
def test_blocks_cover_every_row_once(rows: int, size: int) -> None:
    found = list(blocks(rows, size))
    assert [row for part in found for row in range(part.start, part.stop)] == list(range(rows))
    assert all(part.stop - part.start <= size for part in found)


def test_yuan_of_a_table_are_those_of_the_amounts() -> None:
    """Polars divides by way of the inverse: 4629859 fen had been 46298.590000000004 yuan."""
    fen = [4_629_859, -7, 0, None, 999_999_999_999_99]
    table = pl.DataFrame({"claim": fen, "days": [1, 2, 3, 4, 5]}).with_columns(in_yuan("claim"))
    assert table["claim"].to_list() == [46298.59, -0.07, 0.0, None, 999_999_999_999.99]
    assert table["days"].to_list() == [1, 2, 3, 4, 5]
