"""Files as they come: CSV, Excel and Parquet, read into columns of text or of the types they have."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from arrears.problems import Problem
from arrears.tape.layout import LINES, Layout, is_total, layout

if TYPE_CHECKING:
    from fastexcel import ExcelReader

_DELIMITERS = ",;\t|"
_FIRST_ROW = 2
_HEAD = 100_000


@dataclass(frozen=True)
class Raw:
    """A table as it stands in a file.

    Attributes:
        table: its cells; `row_in_file` is the row in the file, the header being row 1.
        ragged: rows with more cells than the header has.
        unit, day: what titles above the header say of money and cut-off date.
        sheets: of a workbook, those that were read; the rows of the k-th count from k x `SHEET` on.
        notes: rows and sheets that were left out.
    """

    path: Path
    table: pl.DataFrame
    ragged: tuple[int, ...] = ()
    unit: str | None = None
    day: str | None = None
    sheets: tuple[str, ...] = ()
    notes: tuple[Problem, ...] = ()

    @property
    def headers(self) -> list[str]:
        """The file's column names."""
        return [name for name in self.table.columns if name != ROW]


ROW = "row_in_file"
SHEET = 2_000_000


def read_raw(path: Path) -> tuple[Raw | None, list[Problem]]:
    """The table in a file, or None and why there is none."""
    if path.is_dir():
        return None, [_no(path, "TAPE-NOT-A-TABLE", "This is a folder.", "Name a file in it.")]
    try:
        content = path.read_bytes()
    except OSError as error:
        found = error.strerror or "It cannot be read."
        return None, [_no(path, "TAPE-NO-FILE", found, "Check the path.")]
    if not content[:_HEAD].strip() and not content.strip():
        return None, [_no(path, "TAPE-EMPTY", "The file is empty.", "Export it again.")]
    name = path.name.lower()
    if name.endswith((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")):
        return _excel(path, content)
    if name.endswith((".parquet", ".pq")):
        return _parquet(path, content)
    if name.endswith((".csv", ".csv.gz", ".txt", ".tsv", ".txt.gz", ".tsv.gz")):
        return _text(path, content)
    found = f"Files of the kind {path.suffix or '(none)'} are not read."
    return None, [_no(path, "TAPE-NOT-A-TABLE", found, "Save it as CSV, Excel or Parquet.")]


def _text(path: Path, content: bytes) -> tuple[Raw | None, list[Problem]]:
    if path.suffix.lower() == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            found = "The archive is damaged or cut short."
            return None, [_no(path, "TAPE-TRUNCATED", found, "Copy it again.")]
    text = _utf8(content)
    if text is None or b"\0" in text[:_HEAD]:
        found = "It is neither UTF-8 nor GB18030 text."
        fix = "Save it as CSV in UTF-8."
        return None, [_no(path, "TAPE-ENCODING", found, fix)]
    delimiter, lies, text = _table_in(text)
    headers = _split(text[:_HEAD].split(b"\n", 1)[0].decode("utf-8", "replace"), delimiter)
    twice = sorted({name for name in headers if name and headers.count(name) > 1})
    if twice:
        told = f"The header {twice[0]!r} stands twice."
        return None, [_no(path, "TAPE-DUPLICATE-HEADER", told, "Rename one of the columns.")]
    ragged: tuple[int, ...] = ()
    try:
        table = _csv(text, delimiter, ragged=False)
    except pl.exceptions.NoDataError:
        return None, [_no(path, "TAPE-EMPTY", "The file holds no rows.", "Export it again.")]
    except pl.exceptions.PolarsError:
        rows = _too_long(text.decode(), delimiter, len(headers))
        ragged = tuple(row + lies.above for row in rows)
        try:
            table = _csv(text, delimiter, ragged=True)
        except pl.exceptions.PolarsError as error:
            told = f"It cannot be read as CSV: {str(error).splitlines()[0][:80]}"
            return None, [_no(path, "TAPE-NOT-A-TABLE", told, "Save it as CSV anew.")]
    return _raw(path, [table], [lies], ragged=ragged)


def _table_in(text: bytes) -> tuple[str, Layout, bytes]:
    """The delimiter, where the table lies, and the text from its header on."""
    lines = text[:_HEAD].decode("utf-8", "replace").split("\n", LINES)[:LINES]
    tries = []
    for delimiter in _DELIMITERS:
        tries.append((layout([_split(line, delimiter) for line in lines]), delimiter))
    if max(found.known for found, _ in tries) < 2:
        # No header is known: the file is a foreign one, or one line of it runs over several.
        return max(_DELIMITERS, key=lines[0].count), Layout(), text
    found, delimiter = max(tries, key=lambda one: one[0].known)
    start = 0
    for _ in range(found.above):
        start = text.index(b"\n", start) + 1
    return delimiter, found, text[start:] if start else text


def _split(line: str, delimiter: str) -> list[str]:
    """The cells of one line."""
    try:
        return next(csv.reader([line.rstrip("\r")], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def _utf8(content: bytes) -> bytes | None:
    """The text in UTF-8 without a mark in front; None where it is no text that we read."""
    text = content.removeprefix(codecs.BOM_UTF8)
    if text.isascii():
        return text
    try:
        text.decode()
    except UnicodeDecodeError:
        try:
            return content.decode("gb18030").encode()
        except UnicodeDecodeError:
            return None
    return text


def _csv(text: bytes, delimiter: str, *, ragged: bool) -> pl.DataFrame:
    return pl.read_csv(
        text,
        separator=delimiter,
        infer_schema=False,
        truncate_ragged_lines=ragged,
    )


def _too_long(text: str, delimiter: str, width: int) -> tuple[int, ...]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return tuple(number for number, row in enumerate(rows, start=1) if len(row) > width)
    except csv.Error:
        lines = enumerate(text.split("\n"), start=1)
        return tuple(number for number, line in lines if len(_split(line, delimiter)) > width)


def _excel(path: Path, content: bytes) -> tuple[Raw | None, list[Problem]]:
    import fastexcel

    try:
        book = fastexcel.read_excel(content)
        sheets = {name: _cells_of(book, name) for name in book.sheet_names}
    except (
        Exception
    ):  # fastexcel tells a broken archive, a broken sheet and a panic by types of its own
        found = "It cannot be opened as a workbook; it may be cut short."
        return None, [_no(path, "TAPE-TRUNCATED", found, "Save or copy it again.")]
    tables: list[pl.DataFrame] = []
    layouts: list[Layout] = []
    names: list[str] = []
    for name, cells in sheets.items():
        lies = layout(cells.head(LINES).rows())
        if cells.height <= lies.above + 1:
            continue
        tables.append(cells)
        layouts.append(lies)
        names.append(name)
    if not tables:
        return None, [_no(path, "TAPE-EMPTY", "The table holds no rows.", "Export it again.")]
    best = max(range(len(names)), key=lambda place: (layouts[place].known, -place))
    best = best if layouts[best].known > 1 else 0
    head = tables[best].row(layouts[best].above)
    same = [
        place
        for place in range(len(names))
        if place == best or tables[place].row(layouts[place].above) == head
    ]
    twice = sorted({name for name in head if name and head.count(name) > 1})
    if twice:
        told = f"The header {twice[0]!r} stands twice."
        return None, [_no(path, "TAPE-DUPLICATE-HEADER", told, "Rename one of the columns.")]
    notes = [
        Problem("SHEET-LEFT-OUT", "note", path.name, f"The sheet {name!r} holds no such table.")
        for place, name in enumerate(names)
        if place not in same
    ]
    return _raw(
        path,
        [_headed(tables[place], layouts[place].above) for place in same],
        [layouts[place] for place in same],
        sheets=tuple(names[place] for place in same),
        notes=notes,
    )


def _cells_of(book: ExcelReader, name: str) -> pl.DataFrame:
    """All cells of a sheet as text, its first row being row 0."""
    sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    cells: pl.DataFrame = sheet.to_polars()
    return cells


def _headed(cells: pl.DataFrame, above: int) -> pl.DataFrame:
    """A sheet's table under the header that stands in row `above`; columns without a header are dropped."""
    head = cells.row(above)
    named = {old: str(new) for old, new in zip(cells.columns, head, strict=True) if new}
    return cells.slice(above + 1).select(list(named)).rename(named)


def _parquet(path: Path, content: bytes) -> tuple[Raw | None, list[Problem]]:
    try:
        table = pl.read_parquet(io.BytesIO(content))
    except Exception:  # a damaged file raises ComputeError, OSError or a panic of Polars
        found = "It cannot be read as Parquet; it may be cut short."
        return None, [_no(path, "TAPE-TRUNCATED", found, "Copy or export it again.")]
    return _raw(path, [table], [Layout()])


def _raw(
    path: Path,
    tables: Sequence[pl.DataFrame],
    layouts: Sequence[Layout],
    *,
    ragged: tuple[int, ...] = (),
    sheets: tuple[str, ...] = (),
    notes: Sequence[Problem] = (),
) -> tuple[Raw | None, list[Problem]]:
    parts = []
    for number, (table, found) in enumerate(zip(tables, layouts, strict=True)):
        named = table.rename({name: name.strip() for name in table.columns})
        offset = _FIRST_ROW + found.above + number * SHEET
        parts.append(named.with_row_index(ROW, offset=offset).cast({ROW: pl.Int64}))
    whole = pl.concat(parts)
    names = [name for name in whole.columns if name != ROW]
    if not names or whole.height == 0:
        return None, [_no(path, "TAPE-EMPTY", "The table holds no rows.", "Export it again.")]
    totals = is_total(whole, names)
    told = list(notes)
    if totals.any():
        text = f"{int(totals.sum()):,} rows of totals, or blank ones, left out."
        told.append(Problem("ROWS-LEFT-OUT", "note", path.name, text))
        whole = whole.filter(~totals)
    first = layouts[0]
    return Raw(path, whole, ragged, first.unit, first.day, sheets, tuple(told)), []


def _no(path: Path, code: str, found: str, fix: str) -> Problem:
    return Problem(code, "error", str(path), found, "Nothing can be done with it.", fix)
