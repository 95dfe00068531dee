"""Rows whose money is of another currency: nothing here knows a rate of exchange, and no dollar is a yuan."""

from __future__ import annotations

import polars as pl

from arrears.problems import Problem
from arrears.tape.mapping import TableMap
from arrears.tape.source import ROW

FOREIGN = "FOREIGN-CURRENCY"
_HEADERS = {
    "币种",
    "币别",
    "货币",
    "货币种类",
    "币种代码",
    "currency",
    "ccy",
    "currency_code",
    "curr",
}
# 156 is the number of ISO 4217, 01 that of many a bank's own system.
_YUAN = (
    "cny",
    "rmb",
    "cnh",
    "人民币",
    "人民币元",
    "元",
    "yuan",
    "¥",
    "￥",
    "156",
    "01",
    "1",
    "001",
)
_AMOUNT = {"loans": "principal", "months": "balance"}
_FIX = "Give what is owed in yuan, or leave such rows out by `rows` of the mapping."


def column_of(table: pl.DataFrame, how: TableMap) -> str | None:
    """The column that names a currency, if the mapping makes nothing of it."""
    used = {*how.rows, *(name for source in how.columns.values() for name in source.columns())}
    free = [name for name in table.columns if name not in used]
    return next((name for name in free if name.strip().lower().replace(" ", "_") in _HEADERS), None)


def checked(table: pl.DataFrame, how: TableMap, name: str) -> tuple[str | None, list[Problem]]:
    """The column by which rows are to be held back; a table that holds no yuan at all is told of and read as it is."""
    column = column_of(table, how)
    if column is None:
        return None, []
    words = table.select(_said(column)).to_series().drop_nulls()
    others = words.filter(~words.is_in(_YUAN)).unique().sort()
    if others.len() == words.n_unique() and others.len():
        text = f"All amounts are in {', '.join(others.to_list()[:3]).upper()}."
        why = "Every figure is told as if it were yuan."
        return None, [Problem("CURRENCY-NOT-YUAN", "warning", f"{name} {column}", text, why, _FIX)]
    return column, []


def foreign(kept: pl.DataFrame, column: str, table: str) -> pl.DataFrame:
    """`row_in_file, code, column, found, fix` of the rows in another currency."""
    said = _said(column)
    return kept.filter(~said.is_in(_YUAN).fill_null(value=True)).select(
        ROW,
        code=pl.lit(FOREIGN),
        column=pl.lit(_AMOUNT.get(table, "amount")),
        found=pl.format("in {}", pl.col(column).cast(pl.String).str.strip_chars().str.head(20)),
        fix=pl.lit(_FIX),
    )


def _said(column: str) -> pl.Expr:
    """The currency of each row; null where it says none."""
    return pl.col(column).cast(pl.String).str.strip_chars().str.to_lowercase().replace("", None)
