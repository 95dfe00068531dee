"""Files as they come: CSV, Excel and Parquet, read into columns of text or of the types they have."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from arrears.core.hashing import bytes_hash
from arrears.problems import Problem
from arrears.tape.layout import LINES, Layout, is_total, layout, no_header

if TYPE_CHECKING:
    from fastexcel import ExcelReader

_T = TypeVar("_T")
_DELIMITERS = ",;\t|"
_FIRST_ROW = 2
_HEAD = 100_000
_BLOCK, _LARGE = 3 << 23, 1 << 27


@dataclass(frozen=True)
class Block:
    """Some rows of a table as they stand in a file.

    Attributes:
        table: their cells; `row_in_file` is the row in the file, the header being row 1.
        ragged: rows with more cells than the header has.
        totals: rows of totals, or blank ones, that were left out.
        tight: whether no cell can have any blank around it but a space.
    """

    table: pl.DataFrame
    ragged: tuple[int, ...] = ()
    totals: int = 0
    tight: bool = False


@dataclass(frozen=True)
class Raw:
    """A table as it stands in a file.

    Attributes:
        head: its first block.
        rest: reads the blocks after it, one at a time, so that the text of a large file is never held as cells at once.
        sha256: tells the hash of the file's bytes.
        unit, day: what titles above the header say of money and cut-off date.
        sheets: of a workbook, those that were read; the rows of the k-th count from k x `SHEET` on.
        notes: sheets that were left out.
    """

    path: Path
    head: Block
    rest: Callable[[], Iterator[Block | Problem]]
    sha256: Callable[[], str]
    unit: str | None = None
    day: str | None = None
    sheets: tuple[str, ...] = ()
    notes: tuple[Problem, ...] = ()

    @property
    def headers(self) -> list[str]:
        """The file's column names."""
        return [name for name in self.head.table.columns if name != ROW]

    def blocks(self) -> Iterator[Block | Problem]:
        """All rows; a problem, which is then the last, where some cannot be read."""
        yield self.head
        yield from self.rest()


ROW = "row_in_file"
SHEET = 2_000_000
NO_ROWS = "TAPE-NO-ROWS"


def read_raw(path: Path) -> tuple[Raw | None, list[Problem]]:
    """The table in a file, or None and why there is none."""
    if path.is_dir():
        return None, [_no(path, "TAPE-NOT-A-TABLE", "This is a folder.", "Name a file in it.")]
    name = path.name.lower()
    try:
        if name.endswith((".csv", ".txt", ".tsv")) and path.stat().st_size >= _LARGE:
            found = _large_text(path)
            if found is not None:
                return found
        content = path.read_bytes()
    except OSError as error:
        told = error.strerror or "It cannot be read."
        return None, [_no(path, "TAPE-NO-FILE", told, "Check the path.")]
    if not content[:_HEAD].strip() and not content.strip():
        return None, [_no(path, "TAPE-EMPTY", "The file is empty.", "Export it again.")]
    if name.endswith((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")):
        return _excel(path, content)
    if name.endswith((".parquet", ".pq")):
        return _parquet(path, content)
    if name.endswith((".csv", ".csv.gz", ".txt", ".tsv", ".txt.gz", ".tsv.gz")):
        return _text(path, content)
    told = f"Files of the kind {path.suffix or '(none)'} are not read."
    return None, [_no(path, "TAPE-NOT-A-TABLE", told, "Save it as CSV, Excel or Parquet.")]


def _text(path: Path, content: bytes) -> tuple[Raw | None, list[Problem]]:
    sha256 = _hashed(content)
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
    delimiter, lies, start = _table_in(text)
    text = text[start:] if start else text
    return _of_pieces(path, iter([text]), delimiter, lies, sha256=sha256)


def _large_text(path: Path) -> tuple[Raw | None, list[Problem]] | None:
    """A text read piece by piece, so that it is never held whole; None where its head says that it has to be."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    if b"\0" in head or b"\n" not in head:
        return None
    delimiter, lies, start = _table_in(head[mark:])
    digest = hashlib.sha256(head[: mark + start])
    pieces = _pieces(path, mark + start, digest.update)
    return _of_pieces(path, pieces, delimiter, lies, sha256=digest.hexdigest)


def _pieces(path: Path, start: int, seen: Callable[[bytes], None]) -> Iterator[bytes]:
    """The text of a file from a place on, in pieces of whole lines; the last is no smaller than the others.

    Quoted cells may hold line ends: from the first piece with a quote on, the rest is one piece.

    Args:
        seen: is told every byte, once and in order.
    """
    size = path.stat().st_size
    with path.open("rb", buffering=0) as file:
        while start < size:
            end = size
            if size - start >= 2 * _BLOCK:
                end = _line_end(file, start + _BLOCK)
            file.seek(start)
            piece = file.read(end - start)
            if b'"' in piece and end < size:
                piece += file.readall()
            start += len(piece)
            seen(piece)
            yield piece


def _line_end(file: io.FileIO, start: int) -> int:
    """Where the line ends in which a byte lies."""
    file.seek(start)
    while part := file.read(1 << 16):
        place = part.find(b"\n")
        if place >= 0:
            return start + place + 1
        start += len(part)
    return start


def _ahead(given: Iterator[_T]) -> Iterator[_T]:
    """What is given, each made while the one before it is worked on."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, given, None)
        while (one := coming.result()) is not None:
            coming = beside.submit(next, given, None)
            yield one


def _of_pieces(
    path: Path,
    pieces: Iterator[bytes],
    delimiter: str,
    lies: Layout,
    *,
    sha256: Callable[[], str],
) -> tuple[Raw | None, list[Problem]]:
    """The table in a text, the first piece of which begins with the header."""
    first = next(pieces)
    line = first[:_HEAD].split(b"\n", 1)[0].decode("utf-8", "replace")
    headers = [name.strip() for name in _split(line, delimiter)]
    twice = _twice(path, headers)
    if twice:
        return None, twice
    pieces = _ahead(chain([first], pieces))
    blocks = _text_blocks(path, pieces, delimiter, row=_FIRST_ROW + lies.above)
    return _first(path, _ahead(blocks), sha256, [lies])


def _text_blocks(
    path: Path, pieces: Iterator[bytes], delimiter: str, *, row: int
) -> Iterator[Block | Problem]:
    """The rows of a text, block by block; `row` is the file's row of the first one."""
    headers: list[str] | None = None
    piece: bytes | None = next(pieces)
    while piece is not None:
        text = _utf8(piece)
        if text is None:
            found = "A part of it is neither UTF-8 nor GB18030 text."
            yield _no(path, "TAPE-ENCODING", found, "Save it as CSV in UTF-8.")
            return
        table, ragged = _csv(text, delimiter, headers)
        if table is None:
            yield _no(path, "TAPE-NOT-A-TABLE", "It cannot be read as CSV.", "Save it as CSV anew.")
            return
        tight = _is_tight(text, delimiter)
        piece = next(pieces, None)
        long = tuple(number + row for number in ragged)
        yield _block(table, row, last=piece is None, ragged=long, tight=tight)
        headers = table.columns
        row += table.height


def _is_tight(text: bytes, delimiter: str) -> bool:
    """Whether no cell can have any blank around it but a space."""
    blanks = (b'"', b"\r") if delimiter == "\t" else (b'"', b"\r", b"\t")
    return text.isascii() and not any(blank in text for blank in blanks)


def _csv(
    text: bytes, delimiter: str, headers: list[str] | None
) -> tuple[pl.DataFrame | None, tuple[int, ...]]:
    """The cells as text, and which rows have more of them than there are headers; None where it is no CSV.

    Args:
        headers: of a piece that does not begin with them.
    """
    schema = None if headers is None else dict.fromkeys(headers, pl.String)
    for ragged in (False, True):
        try:
            table = pl.read_csv(
                text,
                separator=delimiter,
                has_header=headers is None,
                schema=schema,
                infer_schema=False,
                truncate_ragged_lines=ragged,
            ).rechunk()
        except pl.exceptions.NoDataError:
            return pl.DataFrame(), ()
        except pl.exceptions.PolarsError:
            continue
        if not ragged:
            return table, ()
        return table, _too_long(text.decode(), delimiter, table.width, headers is None)
    return None, ()


def _hashed(content: bytes) -> Callable[[], str]:
    """The hash of a file's bytes, worked out beside what follows."""
    beside = ThreadPoolExecutor(1)
    found = beside.submit(bytes_hash, content)
    beside.shutdown(wait=False)
    return found.result


def _table_in(text: bytes) -> tuple[str, Layout, int]:
    """The delimiter, where the table lies, and at which byte its header begins."""
    lines = text[:_HEAD].decode("utf-8", "replace").split("\n", LINES)[:LINES]
    tries = []
    for delimiter in _DELIMITERS:
        tries.append((layout([_split(line, delimiter) for line in lines]), delimiter))
    if max(found.known for found, _ in tries) < 2:
        # No header is known: the file is a foreign one, or one line of it runs over several.
        return max(_DELIMITERS, key=lines[0].count), Layout(), 0
    found, delimiter = max(tries, key=lambda one: one[0].known)
    start = 0
    for _ in range(found.above):
        start = text.index(b"\n", start) + 1
    return delimiter, found, start


def _split(line: str, delimiter: str) -> list[str]:
    """The cells of one line."""
    try:
        return next(csv.reader([line.rstrip("\r")], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def _utf8(content: bytes) -> bytes | None:
    """The text in UTF-8 without a mark in front; None where it is no text that we read."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            content = content.decode("utf-16").encode()
        except UnicodeDecodeError:
            return None
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")
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


def _too_long(text: str, delimiter: str, width: int, headed: bool) -> tuple[int, ...]:
    """Rows with more than `width` cells, the first under the header being 0."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        sizes = [len(row) for row in rows]
    except csv.Error:
        sizes = [len(_split(line, delimiter)) for line in text.split("\n")]
    return tuple(row for row, size in enumerate(sizes, start=-headed) if size > width)


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
        return None, [_no(path, NO_ROWS, "The table holds no rows.", "Export it again.")]
    best = max(range(len(names)), key=lambda place: (layouts[place].known, -place))
    best = best if layouts[best].known > 1 else 0
    head = tables[best].row(layouts[best].above)
    same = [
        place
        for place in range(len(names))
        if place == best or tables[place].row(layouts[place].above) == head
    ]
    twice = _twice(path, head)
    if twice:
        return None, twice
    notes = [
        Problem("SHEET-LEFT-OUT", "note", path.name, f"The sheet {name!r} holds no such table.")
        for place, name in enumerate(names)
        if place not in same
    ]
    read = [
        _block(
            _headed(tables[place], layouts[place].above),
            _FIRST_ROW + layouts[place].above + number * SHEET,
        )
        for number, place in enumerate(same)
    ]
    return _first(
        path,
        read,
        _hashed(content),
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
    plain = table.select(_plain(table[name]) for name in table.columns)
    return _first(path, [_block(plain, _FIRST_ROW)], _hashed(content), [Layout()])


def _plain(column: pl.Series) -> pl.Series:
    """A column as text where its type is none that cells have, such as lists; words and days as they are."""
    dtype = column.dtype
    if dtype == pl.Datetime:
        return column.dt.replace_time_zone(None)
    if dtype in (pl.Categorical, pl.Enum) or dtype.is_decimal():
        return column.cast(pl.String)
    if dtype in (pl.UInt64, pl.UInt128, pl.Int128):
        return column.cast(pl.String)
    if dtype.is_numeric() or dtype in (pl.String, pl.Boolean, pl.Date):
        return column
    told = [None if value is None else str(value) for value in column.to_list()]
    return pl.Series(column.name, told, pl.String)


def _block(
    table: pl.DataFrame,
    row: int,
    *,
    last: bool = True,
    ragged: tuple[int, ...] = (),
    tight: bool = False,
) -> Block:
    """Rows from `row` of the file on, without those that sum up others; totals end the last block."""
    bare = [name.strip() for name in table.columns]
    named = table.rename(
        {
            name: one
            for name, one in zip(table.columns, bare, strict=True)
            if one and bare.count(one) == 1
        }
    )
    placed = named.with_row_index(ROW, offset=row).cast({ROW: pl.Int64})
    if not named.columns or placed.is_empty():
        return Block(placed)
    totals = is_total(placed, named.columns, last=last)
    count = int(totals.sum())
    return Block(placed.filter(~totals) if count else placed, ragged, count, tight)


def _first(
    path: Path,
    read: Iterable[Block | Problem],
    sha256: Callable[[], str],
    layouts: Sequence[Layout],
    *,
    sheets: tuple[str, ...] = (),
    notes: Sequence[Problem] = (),
) -> tuple[Raw | None, list[Problem]]:
    """The table of a file, of which the first block is read."""
    rest = iter(read)
    head = next(rest)
    if isinstance(head, Problem):
        return None, [head]
    if head.table.width < 2 or head.table.height + head.totals == 0:
        return None, [_no(path, NO_ROWS, "The table holds no rows.", "Export it again.")]
    first = layouts[0]
    return Raw(path, head, lambda: rest, sha256, first.unit, first.day, sheets, tuple(notes)), []


def without_header(path: Path) -> Problem:
    """Nothing of the row is shown: it may name a borrower."""
    found = "The first row holds values, not the names of columns."
    return _no(path, "TAPE-NO-HEADER", found, "Write a row of names above the rows.")


def _twice(path: Path, headers: Sequence[str | None]) -> list[Problem]:
    twice = sorted({name for name in headers if name and headers.count(name) > 1})
    if not twice:
        return []
    if no_header(headers):
        return [without_header(path)]
    told = f"The header {twice[0]!r} stands twice."
    return [_no(path, "TAPE-DUPLICATE-HEADER", told, "Rename one of the columns.")]


def _no(path: Path, code: str, found: str, fix: str) -> Problem:
    return Problem(code, "error", str(path), found, "Nothing can be done with it.", fix)
