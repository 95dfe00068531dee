"""The rulebook: dated values, what they rest on, and changes of law."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from arrears.errors import BadArgument, NotInForce, UnknownPath
from arrears.rules import (
    STANDARDS,
    Reform,
    Rulebook,
    check,
    diff,
    explain,
    load,
    names,
    require_force,
    show,
)
from arrears.rules.leaf import Leaf, Value

YEARS = "cn/limitation/years"
TERM = "cn/transfer/term_until"


@pytest.fixture
def book() -> Rulebook:
    return load("cn")


def change(path: str, *values: dict[str, object]) -> Reform:
    common = {"article": "CN-CIVIL-CODE-188", "reference": "a test", "verified": False}
    return Reform(name="test", changes={path: tuple(Value(**common, **value) for value in values)})


def test_the_bundled_rules_have_nothing_wrong() -> None:
    leaves, problems = check()
    assert problems == []
    books = [load(name).leaves for name in ("cn", *STANDARDS)]
    assert leaves == len({path for book in books for path in book}) > 70


def test_every_value_rests_on_an_article_and_says_whether_it_was_verified(book: Rulebook) -> None:
    for leaf in book.leaves.values():
        for value in leaf.values:
            assert value.article in book.articles
            assert value.reference
            assert isinstance(value.verified, bool)


@pytest.mark.parametrize(
    "path",
    [
        "cn/classification/floors_2007",
        "cn/classification/ecl_floors",
        "cn/classification/card_matrix",
        "cn/limitation/enforcement_years",
        "cn/transfer/guarantee_bars",
        "cn/waive/interest",
        "cn/write_off/class",
        "cn/capital/weight_retail",
        "cn/securitise/originator_kinds",
        "cn/force/from",
    ],
)
def test_what_rests_on_memory_says_so(path: str, book: Rulebook) -> None:
    assert not any(value.verified for value in book.leaf(path).values)


@pytest.mark.parametrize(
    "path",
    [
        "cn/classification/floors_2023",
        "cn/classification/observation_days_2023",
        "cn/court/filing_fee",
        "cn/limitation/years",
        "cn/conduct/max_dials",
        "cn/credit_repair/max_amount",
    ],
)
def test_what_was_read_says_so(path: str, book: Rulebook) -> None:
    assert all(value.verified for value in book.leaf(path).values)


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("cn/classification/floors_2023", date(2023, 7, 1)),
        ("cn/classification/card_matrix", date(2011, 1, 13)),
        ("cn/classification/floors_2007", date(2007, 7, 3)),
        ("cn/conduct/not_before", date(2026, 1, 30)),
        ("cn/conduct/max_dials", date(2026, 1, 30)),
        ("cn/instalments/card_max_months", date(2011, 1, 13)),
        ("cn/transfer/sellers_batch2", date(2023, 1, 1)),
        ("cn/transfer/sellers_batch1", date(2021, 1, 7)),
        ("cn/income_rights/mixing_allowed", date(2016, 4, 28)),
    ],
)
def test_a_rule_is_in_force_from_its_first_day(path: str, first: date, book: Rulebook) -> None:
    day_before = date.fromordinal(first.toordinal() - 1)
    assert book.at(path, first) is not None
    assert book.at_or_none(path, day_before) is None
    with pytest.raises(NotInForce) as caught:
        book.at(path, day_before)
    assert str(first) in str(caught.value)
    assert caught.value.where == path


def test_a_value_with_an_end_is_not_in_force_on_it(book: Rulebook) -> None:
    assert book.at("cn/bulk/bulk_ban", date(2021, 1, 6)) is True
    assert book.at_or_none("cn/bulk/bulk_ban", date(2021, 1, 7)) is None


@pytest.mark.parametrize(
    ("day", "term"),
    [
        (date(2021, 1, 7), date(2022, 12, 31)),
        (date(2022, 12, 31), date(2022, 12, 31)),
        (date(2023, 1, 1), date(2025, 12, 31)),
        (date(2025, 12, 28), date(2025, 12, 31)),
        (date(2025, 12, 29), date(2026, 12, 31)),
        (date(2029, 1, 1), date(2026, 12, 31)),
    ],
)
def test_the_pilots_term_follows_its_extensions(day: date, term: date, book: Rulebook) -> None:
    assert book.day_of(TERM, day) == term


def test_the_rulebook_speaks_from_3_july_2007(book: Rulebook) -> None:
    require_force(book, date(2007, 7, 3))
    with pytest.raises(NotInForce, match="2007-07-03"):
        require_force(book, date(2007, 7, 2))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("cn/court/filing_fe", "cn/court/filing_fee"),
        ("cn/classification/floor_2023", "cn/classification/floors_2023"),
        ("CN/LIMITATION/YEARS", "cn/limitation/years"),
    ],
)
def test_an_unknown_path_names_the_nearest(wrong: str, right: str, book: Rulebook) -> None:
    for ask in (
        lambda: book.leaf(wrong),
        lambda: book.at(wrong, date(2025, 1, 1)),
        lambda: book.at_or_none(wrong, date(2025, 1, 1)),
        lambda: show(book, wrong),
        lambda: explain(book, wrong),
    ):
        with pytest.raises(UnknownPath) as caught:
            ask()
        assert repr(right) in caught.value.fix


def test_an_unknown_rulebook_names_those_there_are() -> None:
    assert names() == ["basel", "cn", "cn-principal-reducible", "eba", "ifrs9"]
    with pytest.raises(UnknownPath) as caught:
        load("cn-principal-reducable")
    assert "'cn-principal-reducible'" in caught.value.fix


def test_no_reform_leaves_the_hash_of_the_law(book: Rulebook) -> None:
    same = book.reform(Reform(name="nothing", changes={}))
    assert same.hash == book.hash
    assert diff(book, same) == []
    assert book.renamed("other").hash == book.hash


def test_a_reform_shares_every_leaf_that_it_does_not_touch(book: Rulebook) -> None:
    new = book.reform(change(YEARS, {"value": 5, "start": date(2027, 1, 1)}))
    for path in book.paths():
        assert (new.leaf(path) is book.leaf(path)) == (path != YEARS)
    assert new.hash != book.hash
    assert new.reforms == ("test",)
    assert [difference.path for difference in diff(book, new)] == [YEARS]
    assert book.at(YEARS, date(2028, 1, 1)) == 3


def test_a_reform_holds_from_its_day_on(book: Rulebook) -> None:
    new = book.reform(change(YEARS, {"value": 5, "start": date(2027, 1, 1)}))
    assert new.at(YEARS, date(2026, 12, 31)) == 3
    assert new.at(YEARS, date(2027, 1, 1)) == 5


def test_after_a_reform_with_an_end_the_old_value_returns(book: Rulebook) -> None:
    reform = change(YEARS, {"value": 5, "start": date(2027, 1, 1), "end": date(2028, 1, 1)})
    new = book.reform(reform)
    days = [date(2026, 12, 31), date(2027, 1, 1), date(2027, 12, 31), date(2028, 1, 1)]
    assert [new.at(YEARS, day) for day in days] == [3, 5, 5, 3]


def test_a_reform_with_an_end_cuts_through_several_values(book: Rulebook) -> None:
    span = {"start": date(2022, 7, 1), "end": date(2025, 12, 30)}
    new = book.reform(change(TERM, {"value": date(2030, 1, 1), **span}))
    days = [date(2022, 6, 30), date(2022, 7, 1), date(2023, 6, 1), date(2025, 12, 29)]
    found = [new.day_of(TERM, day).year for day in [*days, date(2025, 12, 30)]]
    assert found == [2022, 2030, 2030, 2030, 2026]


def test_reforms_follow_one_another(book: Rulebook) -> None:
    first = book.reform(change(YEARS, {"value": 5, "start": date(2027, 1, 1)}))
    both = first.reform(change(YEARS, {"value": 6, "start": date(2028, 1, 1)}))
    at_once = book.reform(
        change(
            YEARS,
            {"value": 5, "start": date(2027, 1, 1)},
            {"value": 6, "start": date(2028, 1, 1)},
        )
    )
    assert both.hash == at_once.hash
    assert both.reforms == ("test", "test")


def test_a_reform_of_an_unknown_leaf_names_the_nearest(book: Rulebook) -> None:
    with pytest.raises(UnknownPath, match="cn/limitation/years"):
        book.reform(change("cn/limitation/year", {"value": 5, "start": date(2027, 1, 1)}))


@pytest.mark.parametrize("value", ["five", 5.5, True, None, [5], {"years": 5}])
def test_a_reform_with_a_value_of_another_type_is_refused(value: object, book: Rulebook) -> None:
    with pytest.raises(BadArgument) as caught:
        book.reform(change(YEARS, {"value": value, "start": date(2027, 1, 1)}))
    assert caught.value.code == "REFORM-DOES-NOT-FIT"
    assert caught.value.where == YEARS


def test_a_value_that_ends_before_it_starts_is_refused() -> None:
    for end in (date(2027, 1, 1), date(2026, 12, 31)):
        with pytest.raises(ValidationError):
            change(YEARS, {"value": 5, "start": date(2027, 1, 1), "end": end})


def test_the_law_cannot_be_written_to(book: Rulebook) -> None:
    with pytest.raises(TypeError):
        book.leaves[YEARS] = book.leaf(YEARS)  # type: ignore[index]
    with pytest.raises(AttributeError):
        book.name = "mine"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        book.leaf(YEARS).unit = "months"


def test_under_cn_nobody_waives_principal_and_under_the_other_reading_companies_do() -> None:
    day, path = date(2025, 6, 30), "cn/waive/principal"
    strict, other = load("cn"), load("cn-principal-reducible")
    assert set(strict.at(path, day).values()) == {False}
    allowed = {kind for kind, may in other.at(path, day).items() if may}
    assert allowed == {"national_amc", "local_amc"}
    assert [difference.path for difference in diff(strict, other)] == [path]
    assert other.flag(path, day, "local_amc")
    assert not other.flag(path, day, "city_bank")
    assert not strict.flag(path, day, "a kind nobody knows")


def test_a_value_is_shown_with_its_dates_and_reference(book: Rulebook) -> None:
    shown = show(book, TERM, date(2024, 1, 1))
    assert shown["value"] == date(2025, 12, 31)
    assert (shown["from"], shown["to"]) == ("2023-01-01", "2025-12-29")
    assert shown["verified"] is True
    assert "CN-PILOT-2022-1191" in str(shown["reference"])
    assert show(book, TERM)["to"] is None


def test_an_explanation_tells_of_every_value(book: Rulebook) -> None:
    text = "\n".join(explain(book, TERM))
    for value in book.leaf(TERM).values:
        assert str(value.value) in text
        assert book.articles[value.article].title in text


def test_readers_by_type_refuse_other_types(book: Rulebook) -> None:
    day = date(2025, 1, 1)
    with pytest.raises(BadArgument):
        book.number("cn/write_off/class", day)
    with pytest.raises(BadArgument):
        book.day_of(YEARS, day)
    with pytest.raises(BadArgument):
        book.number("cn/transfer/resale_allowed", day)
    assert book.words("cn/transfer/eligible_products", date(2020, 1, 1)) == ()


def test_values_of_a_leaf_never_overlap(book: Rulebook) -> None:
    for leaf in book.leaves.values():
        for a, b in pairwise(leaf.values):
            assert a.start < b.start
            assert a.end is None or a.end <= b.start


def test_values_out_of_order_or_overlapping_make_no_leaf() -> None:
    def value(start: int, end: int | None = None) -> Value:
        return Value(
            value=1,
            start=date(start, 1, 1),
            end=date(end, 1, 1) if end else None,
            article="A",
            reference="R",
            verified=True,
        )

    def leaf(*values: Value) -> Leaf:
        return Leaf(description="d", unit="days", type="whole", values=values)

    assert leaf(value(2020, 2021), value(2022)).in_force(date(2021, 6, 1)) is None
    for bad in ((value(2022), value(2020)), (value(2020), value(2020)), ()):
        with pytest.raises(ValidationError):
            leaf(*bad)
    with pytest.raises(ValidationError, match="two values are in force"):
        leaf(value(2020, 2023), value(2022))


def test_a_reforms_file_is_checked_whole(tmp_path: Path) -> None:
    def problems(changes: str) -> list[str]:
        file = tmp_path / "reform.yaml"
        file.write_text(f"name: mine\nchanges:\n{changes}")
        return [problem.code for problem in check(file)[1]]

    rest = "from: 2027-01-01, article: CN-CIVIL-CODE-188, reference: r, verified: false"
    assert problems(f"  {YEARS}: [{{value: 5, {rest}}}]\n") == []
    assert problems(f"  {YEARS}: [{{value: x, {rest}}}]\n") == ["REFORM-DOES-NOT-FIT"]
    assert problems(f"  cn/nowhere: [{{value: 5, {rest}}}]\n") == ["UNKNOWN-PATH"]
    assert problems(f"  {YEARS}: [{{value: 5, until: 2028-01-01, {rest}}}]\n") == [
        "REFORM-UNKNOWN-FIELD"
    ]
    assert (
        problems(f"  {YEARS}: [{{value: 5, from: 2027-01-01}}]\n") == ["REFORM-MISSING-FIELD"] * 3
    )
    twice = f"  {YEARS}: [{{value: 5, {rest}}}]\n"
    assert problems(twice + twice) == ["FILE-DUPLICATE-KEY"]


def test_a_reform_that_rests_on_no_known_article_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "reform.yaml"
    file.write_text(
        f"name: mine\nchanges:\n  {YEARS}:\n"
        "    - {value: 5, from: 2027-01-01, article: NO-SUCH, reference: r, verified: false}\n"
    )
    assert check(file)[1]
