"""Eight tapes in the manner of eight banks are one book."""

from __future__ import annotations

import ast
import runpy
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from arrears import tape

TAPES = [
    "state_bank.csv",
    "city_bank.xlsx",
    "rural_bank.tsv",
    "consumer_finance.csv",
    "fintech.parquet",
    "card_centre.csv",
    "amc.xlsx",
    "english_desk.txt",
]


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "examples/tapes"


@pytest.fixture(scope="module")
def canonical(folder) -> pl.DataFrame:
    book = tape.read(tape.TapeFiles(folder / "book.csv")).tape
    assert book is not None
    return book.loans


@pytest.mark.parametrize("name", TAPES)
def test_it_reads_as_the_canonical_book(folder, canonical, name) -> None:
    found = tape.read(tape.TapeFiles(folder / name))
    assert found.tape is not None, [problem.line() for problem in found.problems]
    assert found.tape.quarantine.is_empty()
    assert_frame_equal(found.tape.loans, canonical)


@pytest.mark.parametrize("name", TAPES)
def test_its_guessed_mapping_can_be_saved_and_used_again(folder, canonical, tmp_path, name) -> None:
    guessed, problems = tape.guess(folder / name)
    assert guessed is not None
    assert guessed.loans is not None
    assert not [problem for problem in problems if problem.severity == "error"]
    assert min(guessed.loans.sure.values()) > 0.5
    assert "% sure" in "\n".join(guessed.lines())
    tape.save_mapping(guessed, tmp_path / "map.yaml")
    again = tape.read(tape.TapeFiles(folder / name), mapping=tmp_path / "map.yaml").tape
    assert again is not None
    assert_frame_equal(again.loans, canonical)


def test_the_script_knows_nothing_of_the_reader_and_writes_what_lies_there(
    folder, tmp_path, canonical, monkeypatch
) -> None:
    script = folder / "write.py"
    tree = ast.parse(script.read_text("utf-8"))
    names = [
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not [name for name in names if name and name.startswith("arrears")]
    made = runpy.run_path(str(script))
    made["canonical"].__globals__["HERE"] = tmp_path
    made["canonical"](made["book"]())
    for write in made["TAPES"]:
        write(made["book"]())
    for name in ["book.csv", *TAPES]:
        there = tape.read(tape.TapeFiles(tmp_path / name)).tape
        assert there is not None
        assert_frame_equal(there.loans, canonical)


def test_the_rows_of_several_sheets_are_told_with_their_sheet(folder, tmp_path) -> None:
    import xlsxwriter

    head = ["loan_id", "borrower_id", "lender", "product", "principal", "days_past_due"]
    path = tmp_path / "two.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, last in (("East", "5"), ("West", "x")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, head)
            sheet.write_row(1, 0, [f"{name}1", "B1", "X", "consumer", "100", "0"])
            sheet.write_row(2, 0, [f"{name}2", "B1", "X", "consumer", "100", last])
    found = tape.read(tape.TapeFiles(path), as_of=date(2025, 3, 31)).tape
    assert found is not None
    assert found.counts.rows_in == 4
    assert found.quarantine.select("source", "row").rows() == [("two.xlsx[West]", 3)]


@pytest.mark.parametrize(
    ("labels", "days"),
    [
        (["Current", "M1", "M3"], [0, 1, 61]),
        (["0", "1-30天", "31-60天", "90天以上"], [0, 1, 31, 91]),
        (["C", "M2", "M4"], [0, 31, 91]),
        (["M0", "M1", "M4+", "M7+"], [0, 1, 91, 181]),
        (["未逾期", "30天以内", "31-90天", "180天以上"], [0, 1, 31, 181]),
        (["正常", "逾期1-3个月", "逾期6个月以上", "1年以上"], [0, 31, 181, 361]),
        (["current", "M1-M3", ">90", ">=181", "≥361"], [0, 1, 91, 181, 361]),
    ],
)
def test_buckets_are_read_as_their_first_day(tmp_path, labels, days) -> None:
    rows = [f"L{n},B1,X,consumer,100,{label}" for n, label in enumerate(labels)]
    path = tmp_path / "loans.csv"
    head = "loan_id,borrower_id,lender,product,principal,逾期账龄"
    path.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    found = tape.read(tape.TapeFiles(path), as_of=date(2025, 3, 31)).tape
    assert found is not None
    assert found.loans["days_past_due"].to_list() == days


def test_a_misspelt_header_is_shown_by_map_and_not_taken_unasked(tmp_path) -> None:
    path = tmp_path / "loans.csv"
    path.write_text(
        "loan_id,borrower_id,lender,product,principle,days_past_due\nL1,B1,X,consumer,100,0\n"
    )
    assert tape.read(tape.TapeFiles(path), as_of=date(2025, 3, 31)).tape is None
    guessed, _ = tape.guess(path)
    assert guessed is not None
    assert guessed.loans is not None
    assert guessed.loans.columns["principal"].column == "principle"
    assert guessed.loans.sure["principal"] < 0.5


def test_what_the_first_rows_do_not_show_is_found_further_down(tmp_path) -> None:
    path = tmp_path / "loans.csv"
    rows = [f"L{n},B1,X,consumer,100,M1,05/06/2023" for n in range(3_000)]
    rows += ["L9998,B1,X,consumer,100,M5,05/06/2023", "L9999,B1,X,consumer,100,M1,25/06/2023"]
    head = "loan_id,borrower_id,lender,product,principal,dpd bucket,disbursement date"
    path.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    found = tape.read(tape.TapeFiles(path), as_of=date(2025, 3, 31)).tape
    assert found is not None
    assert found.quarantine.is_empty()
    last = found.loans.tail(2).select("days_past_due", "origination_date").rows()
    assert last == [(121, date(2023, 6, 5)), (1, date(2023, 6, 25))]
