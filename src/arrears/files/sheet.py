"""What a sheet of a workbook holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

# Below the head; what is written further down is lost without a word.
SHEET_ROWS = 1_048_575
MOST_LOANS = 20_000
_WIDTH, _LINE = 90, 15.0


def cover(
    book: Any,
    title: str,
    rows: Iterable[tuple[str, str]],
    *,
    looks: Sequence[Any],
    width: int = 24,
) -> Any:
    """The first sheet of a workbook: what it is, and what a reader must know of it.

    Args:
        looks: formats of the title, of names and of words.
    """
    big, head, plain = looks
    sheet = book.add_worksheet("Cover")
    sheet.set_column(0, 0, width)
    sheet.set_column(1, 1, _WIDTH)
    sheet.write_string(0, 0, title, big)
    for place, (name, words) in enumerate(rows, start=2):
        # Not every program grows a row by itself for a text that wraps.
        sheet.set_row(place, _LINE * -(-len(words) // _WIDTH))
        sheet.write_string(place, 0, name, head)
        sheet.write_string(place, 1, words, plain)
    return sheet
