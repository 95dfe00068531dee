"""What every page is made of: the shell, tables, paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

# A table of so few rows is not cut in two by the end of a page.
_WHOLE = 14


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
            f"<{tag}{scope}{' class=n' if place >= words else ' class=w' if place < short else ''}>"
            f"{escape(cell)}</{tag}>"
            for place, cell in enumerate(row)
        )

    head = cells("th", heads, ' scope="col"')
    whole = " whole" if len(rows) <= _WHOLE else ""
    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="scroll{whole}"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n'
        "</tbody></table></div>"
    )


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f"<p{f' class={kind}' if kind else ''}>{escape(text)}</p>"
