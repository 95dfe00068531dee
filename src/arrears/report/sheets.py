"""Workbooks as all verbs leave them: a cover, then tables with frozen heads and filters; money in yuan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from arrears.files.workbook import Book, workbook

MOST_LOANS = 20_000
_YUAN = (
    "claim", "principal", "value", "regret", "reported", "by_rule", "with_hidden", "lo90", "hi90", "mean",
)  # fmt: skip
_FORMS = {
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
    "yuan": {"num_format": "#,##0.00"},
    "title": {"bold": True, "font_size": 14},
    "plain": {"text_wrap": True, "valign": "top"},
}


@dataclass(frozen=True)
class Sheets:
    """A workbook of ours that is being written, and the formats of its cells by name."""

    book: Book
    formats: dict[str, Any]

    @classmethod
    @contextmanager
    def of(cls, path: Path, *, title: str, day: date) -> Iterator[Sheets]:
        """A workbook that stands at `path` when the block ends."""
        with workbook(path, title=title, day=day) as book:
            yield cls(book, {name: book.inner.add_format(form) for name, form in _FORMS.items()})

    def cover(self, title: str, rows: Iterable[tuple[str, str]], *, width: int = 24) -> None:
        """The first sheet: what it is, and what a reader must know of it."""
        sheet = self.book.inner.add_worksheet("Cover")
        sheet.set_column(0, 0, width)
        sheet.set_column(1, 1, 90)
        sheet.write_string(0, 0, title, self.formats["title"])
        for place, (name, text) in enumerate(rows, start=2):
            sheet.write_string(place, 0, name, self.formats["head"])
            sheet.write_string(place, 1, text, self.formats["plain"])

    def add(
        self,
        name: str,
        table: pl.DataFrame,
        *,
        widths: Mapping[str, int] | None = None,
        money: Sequence[str] = _YUAN,
    ) -> None:
        """A table with frozen head, filter, widths and number formats; `money` is in fen and shown in yuan."""
        sheet, in_yuan = self.book.inner.add_worksheet(name), set(money) & set(table.columns)
        formats = [self.formats["yuan"] if column in in_yuan else None for column in table.columns]
        for place, (column, form) in enumerate(zip(table.columns, formats, strict=True)):
            head = f"{column} (yuan)" if form else column
            width = (widths or {}).get(column, max(12, len(head) + 3))
            sheet.set_column(place, place, width, form)
            sheet.write_string(0, place, head.replace("_", " "), self.formats["head"])
        sheet.freeze_panes(1, 1)
        if table.height:
            sheet.autofilter(0, 0, table.height, table.width - 1)
        self.book.rows(sheet, _shown(table, in_yuan), formats)


def _shown(table: pl.DataFrame, in_yuan: set[str]) -> pl.DataFrame:
    """Cells as people read them."""
    amounts = [(pl.col(name) / 100).round(2) for name in in_yuan]
    days = [pl.col(name).cast(pl.String) for name, kind in table.schema.items() if kind == pl.Date]
    flags = [
        pl.when(name).then(pl.lit("yes")).when(~pl.col(name)).then(pl.lit("no")).alias(name)
        for name, kind in table.schema.items()
        if kind == pl.Boolean
    ]
    return table.with_columns(*amounts, *days, *flags)
