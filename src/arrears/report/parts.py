"""What every page is made of: the shell, tables, paragraphs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

# A table of so few rows is not cut in two by the end of a page.
_WHOLE = 14
_DAY = re.compile(r"\d{4}-\d\d(-\d\d)?")


def shell(title: str, parts: Sequence[str]) -> str:
    """A whole page that works offline."""
    style = (files("arrears.report") / "style.css").read_text("utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1, short: int = 2
) -> str:
    """A table; columns after the first `words` are figures, the first `short` of them are not broken."""

    def cells(tag: str, row: Sequence[str], scope: str = "") -> str:
        return "".join(
            f"<{tag}{scope}{_class(cell, place, words, short)}>{escape(cell)}</{tag}>"
            for place, cell in enumerate(row)
        )

    head = cells("th", heads, ' scope="col"')
    whole = " whole" if len(rows) <= _WHOLE else ""
    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="scroll{whole}"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n'
        "</tbody></table></div>"
    )


def _class(cell: str, place: int, words: int, short: int) -> str:
    """Figures stand to the right; on paper a day is not broken, though words are."""
    if place >= words:
        return " class=n"
    if place >= short:
        return ""
    return " class=d" if _DAY.fullmatch(cell) else " class=w"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f"<p{f' class={kind}' if kind else ''}>{escape(text)}</p>"
