"""Where in a sheet the table lies: titles above the header, totals below, what the titles say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from arrears.tape import synonyms

LINES = 15
_TABLES = ("loans", "payments", "months", "events", "contacts")
_KNOWN = {name for table in _TABLES for name in synonyms.headers(table)}
_UNIT = re.compile(
    r"(?:单位|unit)\s*[:：]?\s*(?:人民币|rmb|cny)?\s*(万元|元|分|fen|yuan)", re.IGNORECASE
)
_DAY = re.compile(
    r"(?:基准日|截止日期?|截至|数据日期|报表日期|统计日期|as of|cut-?off(?: date)?)\s*[:：]?\s*"
    r"(\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{8})",
    re.IGNORECASE,
)  # fmt: skip
TOTALS = (
    "合计", "总计", "小计", "共计", "累计", "本页合计", "总合计", "total", "totals", "subtotal", "sub-total",
    "grand total", "sum",
)  # fmt: skip
_LABELS, _TAIL = 4, 50
_VALUE = re.compile(
    r"[-+]?[\d,]*\.?\d+%?|\d{17}[\dxX]|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?([ T][\d:.]+)?"
)


@dataclass(frozen=True)
class Layout:
    """What stands above a table.

    Attributes:
        above: lines before the header.
        unit: of money, as the titles say it.
        day: cut-off date, as the titles say it.
    """

    above: int = 0
    unit: str | None = None
    day: str | None = None
    known: int = 0


def layout(rows: Sequence[Sequence[str | None]]) -> Layout:
    """Where the header stands among the first rows: the first row with the most headers that are known."""
    counts = [sum(synonyms.key(cell)[0] in _KNOWN for cell in row if cell) for row in rows[:LINES]]
    most = max(counts, default=0)
    if most < 2 or counts[0] == most:
        return Layout(known=counts[0] if counts else 0)
    above = counts.index(most)
    titles = " ".join(
        unicodedata.normalize("NFKC", cell) for row in rows[:above] for cell in row if cell
    )
    unit, day = _UNIT.search(titles), _DAY.search(titles)
    return Layout(
        above, unit[1].lower() if unit else None, re.sub(r"\s", "", day[1]) if day else None, most
    )


def no_header(headers: Sequence[str | None]) -> bool:
    """Whether the first row is one of values: some read as such, and none is a name known."""
    told = [cell.strip() for cell in headers if cell and cell.strip()]
    known = any(synonyms.key(cell)[0] in _KNOWN for cell in told)
    return not known and any(_VALUE.fullmatch(cell) or _is_product(cell) for cell in told)


def _is_product(cell: str) -> bool:
    return cell.lower().replace(" ", "_") in synonyms.words("product")


def is_total(table: pl.DataFrame, columns: Sequence[str], *, last: bool = True) -> pl.Series:
    """Rows that sum up others (n,): a label such as 合计 in one of the first columns; blank rows too.

    The rows that end a file (`last`) are looked at closely, the others only for a label in their first column.
    """
    first = table[columns[0]]
    none = first.is_null()
    gone = none & False if first.dtype != pl.String else first.is_in(TOTALS).fill_null(False)
    if none.any():
        rows = none.arg_true()
        blank = table.select(columns)[rows].select(pl.all_horizontal(pl.all().is_null()))
        gone = gone.scatter(rows.filter(blank.to_series()), True)
    tail = table.tail(_TAIL if last else 0)
    labels = [
        pl.col(name).str.strip_chars(" 　:：").str.to_lowercase().is_in(TOTALS).fill_null(False)
        for name in columns[:_LABELS]
        if table.schema[name] == pl.String
    ]
    if labels:
        labelled = tail.select(gone=pl.any_horizontal(*labels))["gone"].arg_true()
        gone = gone.scatter(labelled + (table.height - tail.height), True)
    return gone
