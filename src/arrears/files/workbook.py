"""Workbooks: XlsxWriter makes all but the rows of tables, which are written here, many at once.

Cell by cell XlsxWriter takes seven microseconds, and the sheets of a large book have a million cells. What is added is
plain SpreadsheetML (ECMA-376 part 1, 18.3.1): rows of numbers and of inline words.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import polars as pl

_WIDTH, _LINE = 90, 15.0
_DAY_0 = dt.date(1899, 12, 30)
_AT_ONCE = 5_000
_MOST_LETTERS = 32_767
# Beyond this a part of the archive may need long sizes.
_MANY_CELLS = 10_000_000
_STYLE = "Table Style Light 1"
_NUMBER = "number of the row"
_UNSAID = [chr(code) for code in range(32) if chr(code) not in "\t\n"] + ["\ufffe", "\uffff"]
_NAMED = "_(x[0-9A-Fa-f]{4}_)"
_ODD = f"[&<>{''.join(_UNSAID)}]|{_NAMED}|^\\s|\\s$"
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | {
    letter: f"_x{ord(letter):04X}_" for letter in _UNSAID
}


@dataclass(frozen=True)
class Book:
    """A workbook that is being written.

    Attributes:
        file: XlsxWriter's workbook, for formats and for what a sheet has beside its rows.
    """

    file: Any
    _sheets: dict[str, pl.DataFrame] = field(default_factory=dict)
    _tables: dict[str, int] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def of(cls, path: Path, *, title: str, day: dt.date) -> Iterator[Book]:
        """A workbook that stands at `path` when the block ends; no clock changes its date of creation, `day`.

        Raises:
            OSError: the place cannot be written.
        """
        import xlsxwriter

        bare = io.BytesIO()
        with xlsxwriter.Workbook(bare, {"in_memory": True}) as file:
            made = dt.datetime(day.year, day.month, day.day)
            file.set_properties({"title": title, "created": made})
            book = cls(file)
            yield book
        with zipfile.ZipFile(bare) as parts, zipfile.ZipFile(path, "w") as whole:
            for part in parts.infolist():
                book._copy(part, parts.read(part), whole)

    def cover(
        self,
        title: str,
        rows: Iterable[tuple[str, str]],
        *,
        looks: Sequence[Any],
        width: int = 24,
    ) -> Any:
        """The first sheet: what it is, and what a reader must know of it.

        Args:
            looks: formats of the title, of names and of words.
        """
        big, head, plain = looks
        sheet = self.file.add_worksheet("Cover")
        sheet.set_column(0, 0, width)
        sheet.set_column(1, 1, _WIDTH)
        sheet.write_string(0, 0, title, big)
        for place, (name, words) in enumerate(rows, start=2):
            # Not every program grows a row by itself for a text that wraps.
            sheet.set_row(place, _LINE * -(-len(words) // _WIDTH))
            sheet.write_string(place, 0, name, head)
            sheet.write_string(place, 1, words, plain)
        return sheet

    def fill(self, sheet: Any, table: pl.DataFrame, *, named: bool = False) -> None:
        """The rows of `table` below the head of a sheet, each cell as its column looks; sheets are filled in order.

        Args:
            table: numbers, dates, flags, words; null or no word for an empty cell. At most `SHEET_ROWS` rows.
            named: as a table that programs know by its name and sort as a whole; else with a filter alone.
        """
        last = table.width - 1
        number = self.file.worksheets().index(sheet) + 1
        self._sheets[f"xl/worksheets/sheet{number}.xml"] = table
        if named:
            # Of one row: XlsxWriter remembers every cell of it. It grows as it is copied.
            heads = [{"header": name} for name in table.columns]
            sheet.add_table(0, 0, 1, last, {"columns": heads, "style": _STYLE})
            self._tables[f"xl/tables/table{len(self._tables) + 1}.xml"] = table.height
        elif table.height:
            sheet.autofilter(0, 0, table.height, last)

    def _copy(self, part: zipfile.ZipInfo, data: bytes, whole: zipfile.ZipFile) -> None:
        """One part of the archive, with what is added to it."""
        table = self._sheets.get(part.filename, pl.DataFrame())
        rows = self._tables.get(part.filename)
        if rows:
            data = re.sub(rb'ref="A1:([A-Z]+)2"', rb'ref="A1:\g<1>%d"' % (rows + 1), data)
        new = zipfile.ZipInfo(part.filename, part.date_time)
        new.compress_type, new.external_attr = zipfile.ZIP_DEFLATED, part.external_attr
        many = table.height * table.width > _MANY_CELLS
        with whole.open(new, "w", force_zip64=many) as place:
            if table.height:
                _with_rows(data.decode(), table, place)
            else:
                place.write(data)


def _with_rows(xml: str, table: pl.DataFrame, place: IO[bytes]) -> None:
    """The sheet with all rows of the table below what it has."""
    before, end, after = xml.partition("</sheetData>")
    last = f"{_letters(table.width - 1)}{table.height + 1}"
    before = re.sub(r'<dimension ref="[^"]*"', f'<dimension ref="A1:{last}"', before)
    place.write(before.encode())
    looks = _looks(before, table.width)
    for start in range(0, table.height, _AT_ONCE):
        place.write(_rows(table.slice(start, _AT_ONCE), start + 2, looks).encode())
    place.write((end + after).encode())


def _looks(xml: str, width: int) -> list[str]:
    """The attribute of a cell's format by column, as the columns of the sheet have it."""
    found = [""] * width
    for first, last, rest in re.findall(r'<col min="(\d+)" max="(\d+)"([^/]*)/>', xml):
        style = re.search(r'style="(\d+)"', rest)
        if style:
            for column in range(int(first) - 1, min(int(last), width)):
                found[column] = f' s="{style[1]}"'
    return found


def _rows(table: pl.DataFrame, first: int, looks: Sequence[str]) -> str:
    """Rows of the sheet from number `first` on."""
    number = pl.int_range(first, first + pl.len()).cast(pl.String)
    row = _row(tuple(looks), tuple(table.schema.items()), _as_they_are(table))
    named = table.lazy().with_columns(number.alias(_NUMBER))
    return str(named.select(row.str.join("")).collect().item())


# Lists of one kind are written by the dozen, and to say how a row looks takes as long as to write the rows of one.
@lru_cache(maxsize=32)
def _row(
    looks: tuple[str, ...], schema: tuple[tuple[str, pl.DataType], ...], plain: frozenset[str]
) -> pl.Expr:
    """A row as text, of its columns and its number."""
    cells = [
        _cell(pl.col(name), kind, f'<c r="{_letters(place)}', f'"{look}', plain=name in plain)
        for place, (look, (name, kind)) in enumerate(zip(looks, schema, strict=True))
    ]
    return pl.concat_str(
        pl.format('<row r="{}">', _NUMBER), *cells, pl.lit("</row>"), ignore_nulls=True
    )


def _as_they_are(table: pl.DataFrame) -> frozenset[str]:
    """Columns whose words XML holds as they are: to look for others costs less than to mend all."""
    words = pl.col(pl.String)
    odd = words.str.contains(_ODD) | (words.str.len_chars() > _MOST_LETTERS)
    found = table.select(odd.any())
    return frozenset(column.name for column in found if not column.item())


def _cell(value: pl.Expr, kind: pl.DataType, start: str, look: str, *, plain: bool) -> pl.Expr:
    """A cell as text; null where it is empty."""
    if kind == pl.Boolean:
        value = pl.when(value).then(pl.lit("yes")).when(~value).then(pl.lit("no"))
    if kind == pl.Date:
        value, kind = (value - _DAY_0).dt.total_days(), pl.Int64()
    if kind.is_numeric():
        if kind.is_float():
            value = pl.when(value.is_finite()).then(value)
        text, opens, closes = value.cast(pl.String), "><v>", "</v></c>"
    else:
        value = pl.when(value != "").then(value)
        text = pl.lit(">") + value if plain else _said(value)
        opens, closes = ' t="inlineStr"><is><t', "</t></is></c>"
    return pl.concat_str(
        pl.lit(start), _NUMBER, pl.lit(look + opens), text, pl.lit(closes), ignore_nulls=False
    )


def _said(words: pl.Expr) -> pl.Expr:
    """Words as XML holds them: spaces at their ends are kept, and letters that XML has no place for are named."""
    # ECMA-376 part 1, 22.9.2.19: words that look like such a name are told from one.
    told = words.str.slice(0, _MOST_LETTERS).str.replace_all(_NAMED, "_x005F_${1}")
    told = told.str.replace_many(_ESCAPED)
    keeps = words.str.contains(r"^\s|\s$")
    return pl.when(keeps).then(pl.lit(' xml:space="preserve">')).otherwise(pl.lit(">")) + told


def _letters(column: int) -> str:
    """The name of a column, counted from 0."""
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(column))
