"""The law as data: dated, referenced, frozen."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arrears import rules
from arrears.errors import BadArgument, NotInForce, UnknownPath
from arrears.rules.load import read_leaves

DAY = date(2025, 3, 31)


@pytest.fixture
def book() -> rules.Rulebook:
    return rules.load("cn")


def _reform(path: str, **value: object) -> rules.Reform:
    whole = {"article": "CN-CLASS-2023", "reference": "a test", "verified": False, **value}
    return rules.Reform.model_validate({"name": "r", "changes": {path: [whole]}})


def test_the_bundled_rules_have_no_fault(book) -> None:
    count, problems = rules.check()
    assert not problems
    assert count > len(book.leaves) > 50


def test_every_value_has_a_reference_and_an_article(book) -> None:
    for path in book.paths():
        for value in book.leaf(path).values:
            assert value.reference
            assert value.article in book.articles, path


@pytest.mark.parametrize(
    ("path", "day", "value"),
    [
        ("cn/transfer/term_until", date(2022, 12, 31), date(2022, 12, 31)),
        ("cn/transfer/term_until", date(2023, 1, 1), date(2025, 12, 31)),
        ("cn/transfer/term_until", date(2025, 12, 28), date(2025, 12, 31)),
        ("cn/transfer/term_until", date(2025, 12, 29), date(2026, 12, 31)),
        ("cn/instalments/card_max_months", DAY, 60),
        ("cn/limitation/years", DAY, 3),
        ("cn/conduct/max_dials", date(2026, 1, 30), 6),
        ("cn/bulk/bulk_ban", date(2021, 1, 6), True),
    ],
)
def test_a_value_holds_from_its_day(book, path, day, value) -> None:
    assert book.at(path, day) == value


def test_a_value_that_is_not_in_force_is_an_error_and_never_a_guess(book) -> None:
    with pytest.raises(NotInForce):
        book.at("cn/conduct/max_dials", date(2026, 1, 29))
    with pytest.raises(NotInForce):
        book.at("cn/bulk/bulk_ban", date(2021, 1, 7))
    with pytest.raises(NotInForce):
        rules.require_force(book, date(2007, 7, 2))
    rules.require_force(book, date(2007, 7, 3))


def test_an_unknown_path_is_told_the_nearest(book) -> None:
    with pytest.raises(UnknownPath) as error:
        book.at("cn/limitation/year", DAY)
    assert "cn/limitation/years" in error.value.fix
    with pytest.raises(UnknownPath) as error:
        rules.load("cm")
    assert "cn" in error.value.fix


def test_a_reform_shares_what_it_leaves_alone_and_changes_nothing_else(book) -> None:
    before = book.hash
    changed = book.reform(_reform("cn/limitation/years", value=5, **{"from": "2025-01-01"}))
    assert changed.at("cn/limitation/years", date(2024, 12, 31)) == 3
    assert changed.at("cn/limitation/years", date(2025, 1, 1)) == 5
    assert book.at("cn/limitation/years", date(2025, 1, 1)) == 3
    assert book.hash == before != changed.hash
    others = [path for path in book.paths() if path != "cn/limitation/years"]
    assert all(changed.leaf(path) is book.leaf(path) for path in others)
    assert [row.path for row in rules.diff(book, changed)] == ["cn/limitation/years"]


def test_a_reform_for_a_while_lets_the_old_value_come_back(book) -> None:
    reform = _reform("cn/limitation/years", value=5, **{"from": "2025-01-01", "to": "2026-01-01"})
    changed = book.reform(reform)
    days = (date(2024, 12, 31), date(2025, 1, 1), date(2025, 12, 31), date(2026, 1, 1))
    assert [changed.at("cn/limitation/years", day) for day in days] == [3, 5, 5, 3]


def test_an_empty_reform_is_the_baseline(book) -> None:
    empty = rules.Reform(name="nothing", changes={})
    assert book.reform(empty).hash == book.hash


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [("cn/limitation/year", 5, UnknownPath), ("cn/limitation/years", "five", BadArgument)],
)
def test_a_reform_that_does_not_fit_is_refused(book, path, value, error) -> None:
    with pytest.raises(error):
        book.reform(_reform(path, value=value, **{"from": "2025-01-01"}))


def test_the_other_reading_of_principal_is_a_rulebook_of_its_own(book) -> None:
    other = rules.load("cn-principal-reducible")
    for kind, under_cn, under_other in (
        ("joint_stock_bank", False, False), ("local_amc", False, True), ("national_amc", False, True),
    ):  # fmt: skip
        assert book.flag("cn/waive/principal", DAY, kind) is under_cn
        assert other.flag("cn/waive/principal", DAY, kind) is under_other


def _leaf(value: str) -> str:
    rests = "article: A, reference: r, verified: true"
    return f"a: {{description: d, unit: u, type: whole, values: [{{{value}, {rests}}}]}}\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a:\n  unit: x\na:\n  unit: y\n", "FILE-DUPLICATE-KEY"),
        ("a: {description: d, unit: u, type: whole, values: []}\n", "RULES-BAD-VALUE"),
        ("a: {description: d, unit: u, type: whole, value: 3}\n", "RULES-UNKNOWN-FIELD"),
        (_leaf("value: x, from: 2020-01-01"), "RULES-BAD-VALUE"),
        (_leaf("value: 3, from: 2020-02-31"), "FILE-BAD-VALUE"),
        (_leaf("value: 3, from: 2020-01-01, to: 2019-01-01"), "RULES-BAD-VALUE"),
    ],
)  # fmt: skip
def test_rules_that_are_wrong_are_told_with_their_line(tmp_path, text, code) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text, "utf-8")
    leaves, problems = read_leaves(path, "cn/rules")
    assert not leaves
    assert problems
    assert code in {problem.code for problem in problems}
    assert all("rules.yaml" in problem.where for problem in problems)


@pytest.mark.parametrize(
    ("claim", "fee"),
    [
        (1, 50), (10_000, 50), (15_000, 175), (30_000, 550), (50_000, 1_050), (100_000, 2_300),
        (200_000, 4_300), (300_000, 5_800), (500_000, 8_800), (1_000_000, 13_800),
        (2_000_000, 22_800), (5_000_000, 46_800), (10_000_000, 81_800), (20_000_000, 141_800),
        (30_000_000, 191_800),
    ],
)  # fmt: skip
def test_filing_fees_in_yuan(book, claim, fee) -> None:
    assert rules.court_fee(np.array([claim * 100]), book, DAY)[0] == fee * 100


@given(claims=st.lists(st.integers(1, 10**12), min_size=2, max_size=20))
def test_a_larger_claim_never_costs_less(claims) -> None:
    book = rules.load("cn")
    fees = rules.court_fee(np.array(sorted(claims)), book, DAY)
    assert (np.diff(fees) >= 0).all()
    assert (rules.preservation_fee(np.array(claims), book, DAY) <= 500_000).all()


def test_enforcement_and_preservation_by_hand(book) -> None:
    claims = np.array([10_000, 500_000, 1_000_000]) * 100
    assert rules.enforcement_fee(claims, book, DAY).tolist() == [5_000, 740_000, 1_240_000]
    claims = np.array([1_000, 100_000, 200_000, 5_000_000]) * 100
    assert rules.preservation_fee(claims, book, DAY).tolist() == [3_000, 102_000, 152_000, 500_000]


def test_market_figures_are_sourced_or_assumed_with_a_range() -> None:
    market = rules.load_market("cn")
    for path in market.paths():
        entry = market.entry(path, DAY)
        assert bool(entry.reference) != entry.assumed, path
        if entry.assumed:
            assert entry.range is not None
            assert entry.reason


def test_a_backtest_reads_nothing_published_later() -> None:
    market = rules.load_market("cn")
    early = market.backtest(date(2024, 1, 1))
    with pytest.raises(UnknownPath):
        early.at("recovery/curve_c1", date(2024, 1, 1))
    note = market.entry("recovery/curve_c1", date(2020, 1, 1)).selection_note
    assert "observed later" in note


def test_the_example_of_a_reform_fits_and_lets_mortgages_be_sold_from_its_day(book, root) -> None:
    file = root / "examples/reforms/mortgages_in_bulk.yaml"
    assert rules.check(file) == (2, [])
    reform, _ = rules.read_reform(file)
    assert reform is not None
    changed = book.reform(reform)
    for day, allowed in ((date(2026, 6, 30), False), (date(2026, 7, 1), True)):
        assert ("mortgage" in changed.words("cn/transfer/eligible_products", day)) is allowed
        assert ("home" in changed.words("cn/transfer/excluded_security", day)) is not allowed
