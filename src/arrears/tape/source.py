"""Files as they come: CSV, Excel and Parquet, read into columns of text or of the types they have."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from arrears.problems import Problem

_DELIMITERS = ",;\t|"
_FIRST_ROW = 2


@dataclass(frozen=True)
class Raw:
    """A table as it stands in a file.

    Attributes:
        table: its cells; `row_in_file` is the row in the file, the header being row 1.
        ragged: rows with more cells than the header has.
    """

    path: Path
    table: pl.DataFrame
    ragged: tuple[int, ...] = ()

    @property
    def headers(self) -> list[str]:
        """The file's column names."""
        return [name for name in self.table.columns if name != ROW]


ROW = "row_in_file"


def read_raw(path: Path) -> tuple[Raw | None, list[Problem]]:
    """The table in a file, or None and why there is none."""
    if path.is_dir():
        return None, [_no(path, "TAPE-NOT-A-TABLE", "This is a folder.", "Name a file in it.")]
    try:
        content = path.read_bytes()
    except OSError as error:
        found = error.strerror or "It cannot be read."
        return None, [_no(path, "TAPE-NO-FILE", found, "Check the path.")]
    if not content.strip():
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
    text = _decoded(content)
    if text is None or "\0" in text[:100_000]:
        found = "It is neither UTF-8 nor GB18030 text."
        fix = "Save it as CSV in UTF-8."
        return None, [_no(path, "TAPE-ENCODING", found, fix)]
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    headers = next(csv.reader([first], delimiter=delimiter), [])
    twice = sorted({name for name in headers if name and headers.count(name) > 1})
    if twice:
        found = f"The header {twice[0]!r} stands twice."
        return None, [_no(path, "TAPE-DUPLICATE-HEADER", found, "Rename one of the columns.")]
    ragged: tuple[int, ...] = ()
    try:
        table = _csv(text, delimiter, ragged=False)
    except pl.exceptions.NoDataError:
        return None, [_no(path, "TAPE-EMPTY", "The file holds no rows.", "Export it again.")]
    except pl.exceptions.PolarsError:
        ragged = _too_long(text, delimiter, len(headers))
        try:
            table = _csv(text, delimiter, ragged=True)
        except pl.exceptions.PolarsError as error:
            found = f"It cannot be read as CSV: {str(error).splitlines()[0][:80]}"
            return None, [_no(path, "TAPE-NOT-A-TABLE", found, "Save it as CSV anew.")]
    return _raw(path, table, ragged)


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _csv(text: str, delimiter: str, *, ragged: bool) -> pl.DataFrame:
    return pl.read_csv(
        text.encode(),
        separator=delimiter,
        infer_schema=False,
        truncate_ragged_lines=ragged,
    )


def _too_long(text: str, delimiter: str, width: int) -> tuple[int, ...]:
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    return tuple(number for number, row in enumerate(rows, start=1) if len(row) > width)


def _excel(path: Path, content: bytes) -> tuple[Raw | None, list[Problem]]:
    import fastexcel

    try:
        table = fastexcel.read_excel(content).load_sheet(0, dtypes="string").to_polars()
    except (
        Exception
    ):  # fastexcel tells a broken archive, a broken sheet and a panic by types of its own
        found = "It cannot be opened as a workbook; it may be cut short."
        return None, [_no(path, "TAPE-TRUNCATED", found, "Save or copy it again.")]
    twice = [name for name in table.columns if name.rsplit("_", 1)[-1].isdigit()]
    twice = [name for name in twice if name.rsplit("_", 1)[0] in table.columns]
    if twice:
        found = f"The header {twice[0].rsplit('_', 1)[0]!r} stands twice."
        return None, [_no(path, "TAPE-DUPLICATE-HEADER", found, "Rename one of the columns.")]
    return _raw(path, table)


def _parquet(path: Path, content: bytes) -> tuple[Raw | None, list[Problem]]:
    try:
        table = pl.read_parquet(io.BytesIO(content))
    except Exception:  # a damaged file raises ComputeError, OSError or a panic of Polars
        found = "It cannot be read as Parquet; it may be cut short."
        return None, [_no(path, "TAPE-TRUNCATED", found, "Copy or export it again.")]
    return _raw(path, table)


def _raw(
    path: Path, table: pl.DataFrame, ragged: tuple[int, ...] = ()
) -> tuple[Raw | None, list[Problem]]:
    if table.width == 0 or table.height == 0:
        return None, [_no(path, "TAPE-EMPTY", "The table holds no rows.", "Export it again.")]
    table = table.rename({name: name.strip() for name in table.columns})
    return Raw(path, table.with_row_index(ROW, offset=_FIRST_ROW), ragged), []


def _no(path: Path, code: str, found: str, fix: str) -> Problem:
    return Problem(code, "error", str(path), found, "Nothing can be done with it.", fix)
