"""Workbooks laid out column by column hold what XlsxWriter would have written cell by cell."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from arrears.files import workbook as laid_out

DAY = dt.date(2025, 3, 31)
TABLE = pl.DataFrame(
    {
        "word": ["plain", " <b> & 'c' ", None, "_x0041_ and \x01\uffff", "两行\n字"],
        "count": [1, None, -(10**12), 0, 5],
        "amount": [0.1 + 0.2, 1e-9, None, float("inf"), -3.0],
        "day": [DAY, None, dt.date(1900, 3, 1), dt.date(2024, 2, 29), DAY],
        "flag": [True, False, None, True, False],
    }
)


def write(path: Path, table: pl.DataFrame, *, ranged: bool = False) -> None:
    with laid_out.workbook(path, title="Test", day=DAY) as book:
        book.inner.add_worksheet("First").write_string(0, 0, "alone")
        sheet = book.inner.add_worksheet("Table")
        if ranged:
            heads = [{"header": name} for name in table.columns]
            sheet.add_table(0, 0, 1, table.width - 1, {"columns": heads})
        for place, name in enumerate(table.columns):
            sheet.write_string(0, place, name)
        day = book.inner.add_format({"num_format": "yyyy-mm-dd"})
        book.rows(sheet, table, [day if kind == pl.Date else None for kind in table.dtypes])


def reference(path: Path, table: pl.DataFrame) -> None:
    """The same, a cell at a time."""
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("First").write_string(0, 0, "alone")
        sheet, day = book.add_worksheet("Table"), book.add_format({"num_format": "yyyy-mm-dd"})
        for place, column in enumerate(table.get_columns()):
            sheet.write_string(0, place, column.name)
            for row, value in enumerate(column, start=1):
                if isinstance(value, str):
                    sheet.write_string(row, place, value)
                elif isinstance(value, dt.date):
                    sheet.write_datetime(row, place, value, day)
                elif value is not None and value != float("inf"):
                    sheet.write(row, place, value)


def read(path: Path) -> pl.DataFrame:
    return pl.read_excel(path, sheet_name="Table", infer_schema_length=None)


@pytest.mark.parametrize("ranged", [True, False])
def test_cells_are_as_xlsxwriter_writes_them(tmp_path, ranged) -> None:
    write(tmp_path / "ours.xlsx", TABLE, ranged=ranged)
    reference(tmp_path / "theirs.xlsx", TABLE)
    ours = read(tmp_path / "ours.xlsx")
    assert_frame_equal(ours, read(tmp_path / "theirs.xlsx"), rel_tol=1e-15)
    assert ours["day"].to_list() == TABLE["day"].to_list()
    assert ours["amount"][0] == 0.1 + 0.2


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=12).filter(lambda text: text.strip()), min_size=1, max_size=8))
def test_every_text_comes_back(tmp_path_factory, texts) -> None:
    folder, table = tmp_path_factory.mktemp("texts"), pl.DataFrame({"word": texts})
    write(folder / "ours.xlsx", table)
    reference(folder / "theirs.xlsx", table)
    assert cells(folder / "ours.xlsx", "sheet2") == cells_shared(folder / "theirs.xlsx")


def cells(path: Path, sheet: str) -> list[str]:
    with zipfile.ZipFile(path) as book:
        text = book.read(f"xl/worksheets/{sheet}.xml").decode()
    return re.findall(r"<is><t[^>]*>(.*?)</t></is>", text, re.DOTALL)


def cells_shared(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as book:
        shared = book.read("xl/sharedStrings.xml").decode()
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
    words = re.findall(r"<t[^>]*>(.*?)</t>", shared, re.DOTALL)
    return [words[int(place)] for place in re.findall(r't="s"><v>(\d+)</v>', sheet)][1:]


def test_many_rows_stand_in_order_with_their_ranges(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(laid_out, "_PIECE", 7)
    table = pl.DataFrame({f"c{k}": range(k, 100 + k) for k in range(30)})
    write(tmp_path / "ours.xlsx", table, ranged=True)
    assert read(tmp_path / "ours.xlsx").rows() == table.rows()
    with zipfile.ZipFile(tmp_path / "ours.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
        ranges = re.findall(r' ref="([^"]*)"', book.read("xl/tables/table1.xml").decode())
    assert ranges == ["A1:AD101", "A1:AD101"]
    assert '<dimension ref="A1:AD101"/>' in sheet
    assert [int(row) for row in re.findall(r'<row r="(\d+)"', sheet)] == list(range(1, 102))


def test_a_table_without_rows_keeps_its_head(tmp_path) -> None:
    write(tmp_path / "ours.xlsx", TABLE.clear(), ranged=True)
    assert read(tmp_path / "ours.xlsx").columns == TABLE.columns


def test_the_same_table_leaves_the_same_bytes(tmp_path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, TABLE)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
