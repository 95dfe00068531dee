"""Excel workbooks whose tables are laid out column by column: XlsxWriter makes all of a workbook but their rows."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 1_048_575
_LONGEST = 32_767
_PIECE = 10_000
_DAY_0 = dt.date(1899, 12, 30)
# What XML cannot hold is written as _xHHHH_, and so is the first letter of a text that would be read as that.
_AWKWARD = r"_x[0-9A-Fa-f]{4}_|[\x00-\x08\x0b-\x1f\x{fffe}\x{ffff}]"
_PATTERN = re.compile(r'<row r="2"[^>]*?(/>|>.*?</row>)')
_STYLE = re.compile(r'<c r="([A-Z]+)2" s="(\d+)"/>')


@dataclass
class Book:
    """A workbook that is being written.

    Attributes:
        inner: the workbook of XlsxWriter; its sheets and formats are made there.
    """

    inner: Any
    _rows: dict[str, pl.DataFrame] = field(default_factory=dict)

    def rows(self, sheet: Any, table: pl.DataFrame, formats: Sequence[Any]) -> None:
        """Put the rows of a table below row 1 of a sheet that has nothing but that head, or an Excel table of two rows.

        Numbers stay numbers, dates are days, flags are flags, everything else is text; what is null or no finite
        number is left empty. Rows past the last of a sheet are left out, and text past the longest of a cell.

        Args:
            formats: one a column, as XlsxWriter made it, or None.
        """
        for place, style in enumerate(formats):
            sheet.write_blank(1, place, None, style)
        self._rows[f"xl/worksheets/sheet{sheet.index + 1}.xml"] = table.head(MOST_ROWS)

    def save(self, made: BytesIO, path: Path) -> None:
        """Copy the workbook that XlsxWriter `made`, rows filled in."""
        with ZipFile(made) as source, ZipFile(path, "w", ZIP_DEFLATED) as target:
            ranges = dict(_tables(source, self._rows))
            for name in source.namelist():
                entry = ZipInfo(name)
                entry.compress_type = ZIP_DEFLATED
                text = source.read(name)
                if name in ranges:
                    text = re.sub(rb'(?<= ref=")A1:[A-Z]+2(?=")', ranges[name], text)
                if name not in self._rows:
                    target.writestr(entry, text)
                    continue
                with target.open(entry, "w") as part:
                    for piece in _filled(text.decode(), self._rows[name]):
                        part.write(piece.encode())


@contextmanager
def workbook(path: Path, *, title: str, day: dt.date) -> Iterator[Book]:
    """A workbook that stands at `path` when the block ends.

    Args:
        day: its date of creation, which no clock changes.

    Raises:
        OSError: the place cannot be written.
    """
    import xlsxwriter

    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as inner:
        inner.set_properties({"title": title, "created": dt.datetime(day.year, day.month, day.day)})
        book = Book(inner)
        yield book
    book.save(made, path)


def _tables(source: ZipFile, rows: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, bytes]]:
    """Parts that hold an Excel table, with the range that it has once its sheet is filled."""
    for name, table in rows.items():
        links = f"xl/worksheets/_rels/{Path(name).name}.rels"
        if links in source.namelist():
            for part in re.findall(rb'Target="\.\./(tables/\w+\.xml)"', source.read(links)):
                yield f"xl/{part.decode()}", _range(table).encode()


def _range(table: pl.DataFrame) -> str:
    return f"A1:{_letters(table.width - 1)}{max(table.height, 1) + 1}"


def _filled(text: str, table: pl.DataFrame) -> Iterator[str]:
    """The text of a sheet, with the rows of its table in the place of the row of blanks."""
    blanks = _PATTERN.search(text)
    styles = dict(_STYLE.findall(blanks[0])) if blanks else {}
    end = text.index("</sheetData>")
    before, after = text[: blanks.start() if blanks else end], text[end:]
    yield re.sub(r'<dimension ref="[^"]*"', f'<dimension ref="{_range(table)}"', before)
    for start in range(0, table.height, _PIECE):
        yield _laid_out(table.slice(start, _PIECE), start + 2, styles)
    yield after


def _laid_out(piece: pl.DataFrame, first: int, styles: Mapping[str, str]) -> str:
    """Rows of a sheet, the first of them with that number."""
    import polars as pl

    number = pl.int_range(first, first + pl.len()).cast(pl.String)
    cells = [
        _cell(column, _letters(place), number, styles.get(_letters(place)))
        for place, column in enumerate(piece.get_columns())
    ]
    row = pl.concat_str(pl.lit('<row r="'), number, pl.lit('">'), *cells, pl.lit("</row>"))
    return "".join(piece.select(row.alias("row"))["row"].to_list())


def _cell(column: pl.Series, letters: str, number: pl.Expr, style: str | None) -> pl.Expr:
    """The cells of a column; nothing where there is no value."""
    import polars as pl

    value, kind = pl.lit(column), column.dtype
    head = f'" s="{style}"' if style else '"'
    before, after = f"{head}><v>", "</v></c>"
    if kind == pl.Boolean:
        value, before = value.cast(pl.Int8), f'{head} t="b"><v>'
    elif kind == pl.Date:
        value = (value - pl.lit(_DAY_0)).dt.total_days()
    elif kind.is_float():
        value = pl.when(value.is_finite()).then(value)
    elif not kind.is_integer():
        texts = _texts(column.cast(pl.String))
        space = ' xml:space="preserve"' if texts.str.contains(r"^\s|\s$").any() else ""
        value, before = pl.lit(texts), f'{head} t="inlineStr"><is><t{space}>'
        after = "</t></is></c>"
    told = pl.concat_str(
        pl.lit(f'<c r="{letters}'), number, pl.lit(before), value.cast(pl.String), pl.lit(after)
    )
    return told.fill_null("")


def _texts(column: pl.Series) -> pl.Series:
    """Texts as a sheet can hold them."""
    import polars as pl

    texts = column.str.slice(0, _LONGEST)
    awkward = texts.str.contains(_AWKWARD)
    if awkward.any():
        pattern = re.compile(_AWKWARD.replace(r"\x{fffe}\x{ffff}", "\ufffe\uffff"))
        mended = [pattern.sub(_escaped, text) if text else text for text in texts]
        texts = pl.Series(texts.name, mended, pl.String)
    for sign, word in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        texts = texts.str.replace_all(sign, word, literal=True)
    return texts


def _escaped(found: re.Match[str]) -> str:
    return f"_x{ord(found[0][0]):04X}_{found[0][1:]}"


def _letters(place: int) -> str:
    """`A` for 0, `Z` for 25, `AA` for 26."""
    first, last = divmod(place, 26)
    return (_letters(first - 1) if first else "") + chr(ord("A") + last)
