"""Limits that a person writes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from arrears import tape
from arrears.plan import Capacity, check_scopes, joined, read_capacities
from arrears.plan.capacities import inside


def _read(tmp_path: Path, text: str):
    path = tmp_path / "capacities.yaml"
    path.write_text(text, "utf-8")
    return read_capacities(path)


def test_the_examples_can_be_read(root) -> None:
    for path in (root / "examples/capacities.yaml", root / "examples/eastern_bank/capacities.yaml"):
        capacities, problems = read_capacities(path)
        assert capacities
        assert not problems


def test_money_may_be_written_in_yuan(tmp_path) -> None:
    text = "capacities:\n  - {name: transfer_claim, max: 80_000_000 yuan}\n"
    capacities, _ = _read(tmp_path, text)
    assert capacities is not None
    assert capacities[0].max == 8_000_000_000


@pytest.mark.parametrize("word", ["Zhejiang Province", "zhejiang", "深圳市", "浙江省"])
def test_a_place_is_written_in_a_scope_as_on_the_tape(tmp_path, word) -> None:
    capacity = Capacity(name="visits", max=3, scope={"province": word})
    loans = tmp_path / "loans.csv"
    loans.write_text(
        "loan_id,borrower_id,lender,product,principal,days_past_due,province\n"
        f"A,1,b,consumer,100,0,{word}\n"
    )
    read = tape.read(tape.TapeFiles(loans=loans), as_of=date(2025, 3, 31)).tape
    assert read is not None
    assert inside(capacity, read.loans).to_list() == [True]


def test_a_branch_that_begins_with_nothing_keeps_it(tmp_path) -> None:
    text = "capacities:\n  - {name: visits, max: 3, scope: {branch: 0571}}\n"
    capacities, _ = _read(tmp_path, text)
    assert capacities is not None
    assert capacities[0].scope == {"branch": "0571"}


@pytest.mark.parametrize("word", ["1e3", "1,000", "01_000"])
def test_a_number_may_be_written_as_text(tmp_path, word) -> None:
    capacities, _ = _read(tmp_path, f'capacities:\n  - {{name: visits, max: "{word}"}}\n')
    assert capacities is not None
    assert capacities[0].max == 1_000


def test_a_large_limit_is_told_to_its_last_digit() -> None:
    assert Capacity(name="visits", max=1_234_567).told(1_234_567) == "1,234,567"


def test_a_province_is_known_by_its_chinese_name_too(tmp_path) -> None:
    text = "capacities:\n  - {name: visits, max: 3, scope: {province: 浙江省}}\n"
    capacities, _ = _read(tmp_path, text)
    assert capacities is not None
    assert capacities[0].scope == {"province": "Zhejiang"}


@pytest.mark.parametrize(
    ("line", "code", "word"),
    [
        ("{name: court_filing, max: 3}", "CAPACITY-UNKNOWN", "court_filings"),
        ("{name: visits, max: .nan}", "CAPACITY-BAD-VALUE", "finite"),
        ("{name: visits, max: .inf}", "CAPACITY-BAD-VALUE", "finite"),
        ("{name: visits, max: 5 yuan}", "CAPACITY-BAD-VALUE", "visits is no money"),
        ("{name: visits, max: 5万}", "CAPACITY-BAD-VALUE", "visits is no money"),
        (
            "{name: visits, max: 3, scope: {provence: Zhejiang}}",
            "CAPACITY-UNKNOWN-SCOPE",
            "province",
        ),
        ("{name: visits, max: 3, scope: {start_month: 3}}", "CAPACITY-UNKNOWN-SCOPE", "12"),
        ("{name: visits}", "CAPACITY-BAD-VALUE", "max"),
        ("{name: visits, max: -1}", "CAPACITY-BAD-VALUE", "zero"),
        ("{name: visits, min: 5, max: 3}", "CAPACITY-BAD-VALUE", "above"),
        ("{name: visits, max: many}", "CAPACITY-BAD-VALUE", "many"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path, line, code, word) -> None:
    capacities, problems = _read(tmp_path, f"capacities:\n  - {line}\n")
    assert capacities is None
    assert problems[0].code == code
    assert "capacities.yaml" in problems[0].where
    assert word in problems[0].line()


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("{name: court_filing, max: 3}", "capacities.yaml capacities/2"),
        ("{name: visits, max: 3, scope: {provence: Henan}}", "capacities.yaml capacities/2"),
        ("{name: visits, max: 3, scope: {start_month: 3}}", "capacities.yaml capacities/2"),
        ("{name: visits, max: 9}", "capacities.yaml capacities/2"),
        ("{name: visits, max: many}", "capacities.yaml:3 capacities/2/max"),
        ("{name: visits, mux: 3}", "capacities.yaml:3 capacities/2/mux"),
        ("{name: visits, min: 5, max: 3}", "capacities.yaml:3 capacities/2"),
    ],
)
def test_whatever_is_wrong_the_second_limit_is_number_two(tmp_path, line, place) -> None:
    _, problems = _read(tmp_path, f"capacities:\n  - {{name: visits, max: 9}}\n  - {line}\n")
    assert [problem.where for problem in problems] == [place]


def test_all_that_is_wrong_is_told_at_once(tmp_path) -> None:
    lines = (
        "{name: visits, max: -1}",
        "{name: court_filing, max: 3}",
        "{name: visits, max: 3, scope: {cort: X}}",
        "just words",
    )
    text = "capacities:\n" + "".join(f"  - {line}\n" for line in lines)
    _, problems = _read(tmp_path, text)
    assert {problem.code for problem in problems} == {
        "CAPACITY-BAD-VALUE",
        "CAPACITY-UNKNOWN",
        "CAPACITY-UNKNOWN-SCOPE",
    }
    assert {problem.where.split("/")[1] for problem in problems} == {"1", "2", "3", "4"}
    assert "-1 is no limit" in problems[0].found


def test_money_that_contradicts_is_told_in_yuan(tmp_path) -> None:
    line = "{name: npl_removed, min: 30_000_000 yuan, max: 20_000_000 yuan}"
    _, problems = _read(tmp_path, f"capacities:\n  - {line}\n")
    assert "min 30,000,000 yuan lies above max 20,000,000 yuan" in problems[0].found


def test_the_same_limit_twice_is_refused(tmp_path) -> None:
    line = "  - {name: visits, max: 3}\n"
    capacities, problems = _read(tmp_path, f"capacities:\n{line}{line}")
    assert capacities is None
    assert problems[0].code == "CAPACITY-TWICE"


@pytest.mark.parametrize("scope", ["{start_month: 0}", "{}"])
def test_a_floor_and_a_ceiling_in_two_lines_are_one_limit(tmp_path, scope) -> None:
    floor = f"  - {{name: visits, min: 3, scope: {scope}}}\n"
    ceiling = "  - {name: visits, max: 9}\n"
    other = "  - {name: visits, max: 4, scope: {province: Henan}}\n"
    for lines in (floor + other + ceiling, ceiling + other + floor):
        capacities, problems = _read(tmp_path, f"capacities:\n{lines}")
        assert problems == []
        one, two = joined(capacities)
        assert (one.name, one.min, one.max, one.places()) == ("visits", 3.0, 9.0, {})
        assert (two.min, two.max) == (None, 4.0)


@pytest.mark.parametrize(
    "third", ["{name: visits, min: 2}", "{name: visits, max: 8}", "{name: visits, min: 2, max: 8}"]
)
def test_a_third_line_of_the_same_is_refused(tmp_path, third) -> None:
    text = f"capacities:\n  - {{name: visits, max: 9}}\n  - {{name: visits, min: 3}}\n  - {third}\n"
    _, problems = _read(tmp_path, text)
    assert [(one.code, one.where) for one in problems] == [
        ("CAPACITY-TWICE", "capacities.yaml capacities/3")
    ]


def test_a_floor_above_a_ceiling_in_another_line_is_told_by_its_number(tmp_path) -> None:
    lines = "  - {name: visits, max: 9}\n  - {name: visits, min: 12}\n"
    capacities, problems = _read(tmp_path, f"capacities:\n{lines}")
    assert problems == []
    found = check_scopes(capacities, pl.DataFrame({"branch": ["a", "b"]}))
    assert [(one.code, one.where) for one in found] == [("CAPACITY-CLASH", "capacities/2 visits")]
    assert "at most 9" in found[0].found


def test_a_scope_narrows_a_limit_and_the_court_is_the_province_if_not_named() -> None:
    loans = pl.DataFrame(
        {"province": ["Zhejiang", "Henan", None], "court": [None, "Court 1", None]}
    )

    def where(**scope: str) -> list[bool]:
        return inside(Capacity(name="visits", max=1, scope=scope), loans).to_list()

    assert where() == [True, True, True]
    assert where(province="Zhejiang") == [True, False, False]
    assert where(court="Court 1") == [False, True, False]
    assert where(court="Zhejiang") == [True, False, False]
