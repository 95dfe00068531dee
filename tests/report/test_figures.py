"""Figures as a person says them."""

from __future__ import annotations

from datetime import date

import pytest

from arrears.report import figures


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        (421_000_000_000, "4.21 bn yuan"),
        (3_700_000_000, "37.0 m yuan"),
        (1_256_000, "12,560 yuan"),
        (0, "0 yuan"),
        (-1_256_000, "−12,560 yuan"),
        (99_940_000, "999,400 yuan"),
        (99_999_999, "1.00 m yuan"),
        (100_000_000, "1.00 m yuan"),
        (99_996_000_000, "1.00 bn yuan"),
        (None, "n/a"),
    ],
)
def test_money_in_the_unit_a_person_says(fen, said) -> None:
    assert figures.money(fen) == said


def test_an_unknown_sum_says_why() -> None:
    assert figures.money(None, "not reported") == "n/a (not reported)"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (1, 4, "25.0 %"),
        (1, 2_000, "below 0.1 %"),
        (0, 5, "0.0 %"),
        (1, 0, "n/a"),
        (-1, 4, "−25.0 %"),
    ],
)
def test_shares_in_per_cent(part, whole, said) -> None:
    assert figures.share(part, whole) == said


def test_an_interval_names_its_unit_once() -> None:
    assert figures.money_range(360_000_000_000, 470_000_000_000) == "3.60 to 4.70 bn yuan"
    assert figures.money_range(36_000_000_000, 470_000_000_000) == "360 m yuan to 4.70 bn yuan"


def test_an_interval_is_told_with_as_many_digits_as_it_takes() -> None:
    assert figures.money_range(26_288_569_698, 26_349_875_753) == "262.9 to 263.5 m yuan"
    assert figures.money_range(420_000_000_000, 420_010_000_000) == "4.2000 to 4.2001 bn yuan"
    assert figures.money_range(26_300_000_000, 26_300_000_000) == "263 to 263 m yuan"


def test_prices_dates_and_chinese() -> None:
    assert figures.price(41, 1000) == "4.1 fen on the yuan"
    assert figures.day(date(2025, 3, 31)) == "31 March 2025"
    assert figures.chinese_date(date(2025, 3, 31)) == "2025年3月31日"
    assert figures.chinese_money(12_345_600) == "12.35万元"
    assert figures.chinese_money(4_210_000_000_000) == "421.00亿元"
