"""Workbooks as all verbs leave them: a cover, then tables with frozen heads and filters; money in yuan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from arrears.core.money import in_yuan
from arrears.files.workbook import Book

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
    def of(cls, path: Path, *, title: str, day: dt.date) -> Iterator[Sheets]:
        """A workbook that stands at `path` when the block ends; no clock changes its date of creation, `day`.

        Raises:
            OSError: the place cannot be written.
        """
        with Book.of(path, title=title, day=day) as book:
            yield cls(book, {name: book.file.add_format(form) for name, form in _FORMS.items()})

    def cover(self, title: str, rows: Iterable[tuple[str, str]], *, width: int = 24) -> None:
        """The first sheet: what it is, and what a reader must know of it."""
        looks = [self.formats[name] for name in ("title", "head", "plain")]
        self.book.cover(title, rows, looks=looks, width=width)

    def add(
        self,
        name: str,
        table: pl.DataFrame,
        *,
        widths: Mapping[str, int] | None = None,
        money: Sequence[str] = _YUAN,
    ) -> None:
        """A table with frozen head, filter, widths and number formats; `money` is in fen and shown in yuan."""
        sheet, amounts = self.book.file.add_worksheet(name), set(money) & set(table.columns)
        for place, column in enumerate(table.columns):
            form = self.formats["yuan"] if column in amounts else None
            head = f"{column} (yuan)" if form else column
            width = (widths or {}).get(column, max(12, len(head) + 3))
            sheet.set_column(place, place, width, form)
            sheet.write_string(0, place, head.replace("_", " "), self.formats["head"])
        sheet.freeze_panes(1, 1)
        self.book.fill(sheet, _shown(table, amounts))


def _shown(table: pl.DataFrame, money: set[str]) -> pl.DataFrame:
    """Cells as people read them: numbers, and words for all else."""
    words = [
        name for name, kind in table.schema.items() if not (kind.is_numeric() or kind == pl.Boolean)
    ]
    return table.with_columns(*in_yuan(*money), pl.col(words).cast(pl.String))
