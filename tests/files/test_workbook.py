"""Rows written at once are the cells that XlsxWriter writes one by one."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.files.workbook import Book

DAY = dt.date(2025, 3, 31)
LOOKS = ({"indent": 1}, {"num_format": "#,##0"}, {"num_format": "#,##0.00"}, {}, {"bold": True})
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def written(table: pl.DataFrame, path: Path, *, named: bool = False) -> Path:
    """By the code under test: the sheet `Loans` after a cover, each column with a look of its own."""
    with Book.of(path, title="Loans", day=DAY) as book:
        book.cover("Loans", [("Amounts", "yuan")], looks=[None, None, None])
        sheet = book.file.add_worksheet("Loans")
        _columns(book.file, sheet, table)
        book.fill(sheet, table, named=named)
    return path


def one_by_one(table: pl.DataFrame, path: Path) -> Path:
    """The same by XlsxWriter alone."""
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Cover")
        sheet = book.add_worksheet("Loans")
        _columns(book, sheet, table)
        for place, column in enumerate(table.iter_columns()):
            for row, cell in enumerate(column.to_list(), start=1):
                if isinstance(cell, str):
                    sheet.write_string(row, place, cell)
                elif cell is not None:
                    day = cell.toordinal() - 693_594 if isinstance(cell, dt.date) else cell
                    sheet.write_number(row, place, day)
    return path


def _columns(book: xlsxwriter.Workbook, sheet: object, table: pl.DataFrame) -> None:
    for place, name in enumerate(table.columns):
        look = LOOKS[place % len(LOOKS)]
        sheet.set_column(place, place, 12, book.add_format(look) if look else None)  # type: ignore[attr-defined]
        sheet.write_string(0, place, name)  # type: ignore[attr-defined]


def cells(path: Path) -> dict[str, tuple[str, object]]:
    """Format and value of each cell of the second sheet that has one, by its place."""
    with zipfile.ZipFile(path) as parts:
        shared = []
        if "xl/sharedStrings.xml" in parts.namelist():
            table = ET.fromstring(parts.read("xl/sharedStrings.xml"))
            shared = ["".join(text.text or "" for text in item) for item in table]
        sheet = ET.fromstring(parts.read("xl/worksheets/sheet2.xml"))
    found: dict[str, tuple[str, object]] = {}
    for cell in sheet.iter(f"{MAIN}c"):
        value, kind = cell.findtext(f"{MAIN}v"), cell.get("t")
        told: object = float(value or 0)
        if kind == "s":
            told = shared[int(value or 0)]
        elif kind == "inlineStr":
            told = cell.findtext(f"{MAIN}is/{MAIN}t") or ""
        found[cell.get("r", "")] = (cell.get("s", "0"), told)
    return found


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.sampled_from(
    ["=1+1", "_x0041_", "_xzzzz_", " before", "after\t", "a\nb", "<b>&amp;", "王伟", "\x00\x1f\r", "\ufffe"]
)  # fmt: skip
rows = st.lists(
    st.tuples(
        st.none() | words,
        st.none() | st.integers(-(2**53), 2**53),
        st.none() | st.integers(-(10**14), 10**14).map(lambda fen: fen / 100),
        st.none() | st.dates(dt.date(1900, 3, 1), dt.date(9999, 12, 31)),
        st.none() | words,
    ),
    min_size=1,
    max_size=6,
)
SCHEMA = {"a": pl.String, "n": pl.Int64, "yuan": pl.Float64, "day": pl.Date, "b": pl.String}


@settings(max_examples=60, deadline=None)
@given(rows)
def test_each_cell_is_the_one_that_xlsxwriter_writes(tmp_path_factory, rows) -> None:
    folder = tmp_path_factory.mktemp("book")
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    ours, theirs = written(table, folder / "a.xlsx"), one_by_one(table, folder / "b.xlsx")
    found, expected = cells(ours), cells(theirs)
    assert found.keys() == expected.keys()
    for place, (look, value) in expected.items():
        near = pytest.approx(value, rel=1e-15) if isinstance(value, float) else value
        assert found[place] == (look, near)


def test_rows_are_whole_over_the_seams_between_parts(tmp_path) -> None:
    table = pl.DataFrame({"loan_id": [f"L{n:05d}" for n in range(12_001)], "n": range(12_001)})
    path = written(table, tmp_path / "long.xlsx", named=True)
    assert pl.read_excel(path, sheet_name="Loans").equals(table)


def test_a_named_table_covers_all_its_rows(tmp_path) -> None:
    table = pl.DataFrame({"a": [1.5, None, 3.0], "b": ["x", "y", None]})
    with zipfile.ZipFile(written(table, tmp_path / "named.xlsx", named=True)) as parts:
        named = parts.read("xl/tables/table1.xml").decode()
        sheet = parts.read("xl/worksheets/sheet2.xml").decode()
    assert re.findall(r' ref="([^"]*)"', named) == ["A1:B4", "A1:B4"]
    assert '<dimension ref="A1:B4"/>' in sheet


@pytest.mark.parametrize("named", [True, False])
def test_a_table_without_rows_is_a_head_alone(tmp_path, named) -> None:
    path = written(pl.DataFrame(schema=SCHEMA), tmp_path / "empty.xlsx", named=named)
    assert {place for place, (_, value) in cells(path).items() if value != 0.0} == {
        f"{letter}1" for letter in "ABCDE"
    }


def test_no_number_leaves_its_cell_empty(tmp_path) -> None:
    table = pl.DataFrame({"a": [float("nan"), float("inf"), 2.0]})
    assert cells(written(table, tmp_path / "nan.xlsx")).keys() == {"A1", "A4"}


def test_no_word_leaves_its_cell_empty(tmp_path) -> None:
    table = pl.DataFrame({"a": ["", None, "x"]})
    assert cells(written(table, tmp_path / "words.xlsx")).keys() == {"A1", "A4"}


def test_words_longer_than_a_cell_are_cut(tmp_path) -> None:
    path = written(pl.DataFrame({"a": ["€" * 40_000]}), tmp_path / "long.xlsx")
    assert cells(path)["A2"][1] == "€" * 32_767


def test_no_clock_changes_a_workbook(tmp_path) -> None:
    table = pl.DataFrame({"a": [1, 2]})
    first, second = (written(table, tmp_path / f"{n}.xlsx", named=True) for n in (1, 2))
    assert first.read_bytes() == second.read_bytes()


def test_a_place_that_cannot_be_written_is_told_as_such(tmp_path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        written(pl.DataFrame({"a": [1]}), tmp_path / "nowhere" / "book.xlsx")
