"""The market book: sources, ranges, and what was known when."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from arrears.errors import BadArgument, UnknownPath
from arrears.rules import MarketBook, load_market
from arrears.rules.market import MarketLeaf, Quote

SEEN = {"observed": date(2024, 12, 31), "published": date(2025, 2, 1)}


def book_of_two() -> MarketBook:
    old = Quote(value=1.0, reference="a", **SEEN)
    new = Quote(value=2.0, reference="b", observed=date(2025, 3, 31), published=date(2025, 5, 14))
    leaf = MarketLeaf(unit="fraction", description="A price", values=(old, new))
    return MarketBook("test", {"transfer/price": leaf})


@pytest.mark.parametrize(
    "given",
    [
        {"assumed": True},
        {"assumed": True, "range": (0, 2)},
        {"assumed": True, "reason": "because"},
        {"assumed": True, "range": (0, 2), "reason": ""},
        {"assumed": True, "reference": "a source is no range"},
        {},
        {"range": (0, 2), "reason": "neither assumed nor sourced"},
    ],
)
def test_a_figure_has_a_source_or_a_range_and_a_reason(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Quote(value=1.0, **SEEN, **given)


def test_an_assumed_figure_with_range_and_reason_is_taken() -> None:
    assert Quote(value=1.0, assumed=True, range=(0, 2), reason="because", **SEEN).assumed


def test_nothing_is_published_before_it_is_observed() -> None:
    with pytest.raises(ValidationError):
        Quote(value=1, reference="r", observed=date(2025, 2, 1), published=date(2025, 1, 31))


@pytest.mark.parametrize(
    ("as_of", "value", "note"),
    [
        (date(2020, 1, 1), 1.0, "first there is"),
        (date(2024, 12, 30), 1.0, "first there is"),
        (date(2024, 12, 31), 1.0, "newest"),
        (date(2025, 3, 30), 1.0, "newest"),
        (date(2025, 3, 31), 2.0, "newest"),
        (date(2030, 1, 1), 2.0, "newest"),
    ],
)
def test_a_run_takes_the_newest_figure_and_says_so(as_of: date, value: float, note: str) -> None:
    entry = book_of_two().entry("transfer/price", as_of)
    assert entry.value == value
    assert note in entry.selection_note


@pytest.mark.parametrize(
    ("known_by", "value"),
    [
        (date(2025, 2, 1), 1.0),
        (date(2025, 5, 13), 1.0),
        (date(2025, 5, 14), 2.0),
    ],
)
def test_a_backtest_reads_nothing_published_later(known_by: date, value: float) -> None:
    entry = book_of_two().backtest(known_by).entry("transfer/price", date(2025, 6, 30))
    assert entry.value == value
    assert entry.published <= known_by


def test_a_backtest_before_the_first_publication_has_no_figure() -> None:
    with pytest.raises(UnknownPath, match="was not published by 2025-01-31"):
        book_of_two().backtest(date(2025, 1, 31)).at("transfer/price", date(2025, 6, 30))


@pytest.mark.parametrize("day", [date(2023, 6, 30), date(2025, 3, 31), date(2025, 12, 31)])
def test_no_bundled_figure_of_a_backtest_was_published_later(day: date) -> None:
    book = load_market("cn").backtest(day)
    for path in book.paths():
        try:
            entry = book.entry(path, day)
        except UnknownPath:
            published = [quote.published for quote in book.leaves[path].values]
            assert min(published) > day
        else:
            assert entry.published <= day


def test_a_backtest_has_a_hash_of_its_own() -> None:
    book = load_market("cn")
    assert book.backtest(date(2025, 6, 30)).hash != book.hash
    assert book.backtest(date(2025, 6, 30)).hash == book.backtest(date(2025, 6, 30)).hash


def test_every_bundled_figure_that_is_assumed_lies_in_its_range() -> None:
    for path, leaf in load_market("cn").leaves.items():
        for quote in leaf.values:
            if not quote.assumed:
                assert quote.reference, path
                continue
            low, high = quote.range
            assert low < high, path
            found = quote.value.values() if isinstance(quote.value, dict) else [quote.value]
            for number in found:
                if isinstance(number, int | float):
                    assert low <= number <= high, path


def test_an_unknown_figure_names_the_nearest() -> None:
    with pytest.raises(UnknownPath) as caught:
        load_market("cn").at("transfer/price_by_ages", date(2025, 1, 1))
    assert "'transfer/price_by_age'" in caught.value.fix
    with pytest.raises(UnknownPath):
        load_market("us")


def test_readers_by_type_refuse_other_types() -> None:
    book, day = load_market("cn"), date(2025, 12, 31)
    assert book.number("recovery/curve_beta", day) == 1.065
    assert book.numbers("transfer/price_by_product", day)["mortgage"] == 1.0
    assert book.table("transfer/price_by_age", day)[0] == [6.0, 0.126]
    for read in (book.numbers, book.table):
        with pytest.raises(BadArgument):
            read("recovery/curve_beta", day)
    with pytest.raises(BadArgument):
        book.number("transfer/price_by_product", day)
