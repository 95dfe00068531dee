"""A canonical table as a bank writes it: Chinese headers and words in yuan, or plain names in fen."""

from __future__ import annotations

import io

import polars as pl

from arrears.tape.columns import CHINESE, MONEY, PROVINCES, WORDS

_PERCENT = ("rate", "rate_before", "rate_after")


def render(table: pl.DataFrame, name: str, style: str) -> pl.DataFrame:
    """The table `name` in a style: `cn` or `plain`."""
    if style == "plain":
        return table
    return table.select(_chinese(column, table.schema[column], name) for column in table.columns)


def _chinese(column: str, dtype: pl.DataType, name: str) -> pl.Expr:
    header, value = CHINESE[name][column], pl.col(column)
    if column in MONEY[name]:
        return _yuan(value).alias(f"{header}(元)")
    if column in _PERCENT:
        return (value * 100).round(4).cast(pl.String).alias(f"{header}(%)")
    if dtype == pl.Boolean:
        return pl.when(value).then(pl.lit("是")).when(~value).then(pl.lit("否")).alias(header)
    if column in WORDS:
        return value.replace(WORDS[column]).alias(header)
    if column == "province":
        return value.replace({ours: theirs for theirs, ours in PROVINCES.items()}).alias(header)
    if column == "month":
        return value.dt.strftime("%Y-%m").alias(header)
    return value.alias(header)


def _yuan(fen: pl.Expr) -> pl.Expr:
    """Yuan with two decimals, exact."""
    sign = pl.when(fen < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    part = (fen.abs() % 100).cast(pl.String).str.zfill(2)
    return sign + (fen.abs() // 100).cast(pl.String) + "." + part


def to_bytes(
    table: pl.DataFrame, form: str, encoding: str = "utf-8", *, head: bool = True
) -> bytes:
    """The table as a file's content.

    Args:
        form: csv, parquet or xlsx.
        encoding: of CSV; what it cannot write does not occur here.
        head: with the header row, for CSV.
    """
    out = io.BytesIO()
    if form == "parquet":
        table.write_parquet(out, compression="zstd", compression_level=1)
    elif form == "xlsx":
        _excel(table, out)
    else:
        table.write_csv(out, include_header=head)
        text = out.getvalue()
        return text if encoding == "utf-8" else text.decode().encode(encoding)
    return out.getvalue()


def _excel(table: pl.DataFrame, out: io.BytesIO) -> None:
    import datetime as dt

    import xlsxwriter

    with xlsxwriter.Workbook(
        out, {"default_date_format": "yyyy-mm-dd", "strings_to_numbers": True}
    ) as book:
        book.set_properties({"created": dt.datetime(2025, 1, 1)})
        table.write_excel(book, worksheet="Sheet1", autofit=False)
