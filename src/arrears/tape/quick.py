"""Cells of text in the commonest form, read all at once and at a fraction of the time that `parse` takes.

What is read here is what `parse` gives; what stands in another form is left null for it.
"""

from __future__ import annotations

import polars as pl

from arrears.tape.columns import MONEY, TABLES, WORDS
from arrears.tape.mapping import TableMap
from arrears.tape.parse import DECIMALS, MOST_DIGITS, cell

_FLAGS = {"true": True, "false": False, "1": True, "0": False, "是": True, "否": False}
_VALUE = pl.col("value")


def columns(
    kept: pl.DataFrame, table: str, how: TableMap, *, tight: bool = False
) -> dict[str, pl.Series]:
    """Our columns that could be read this way, in whole or in part.

    Args:
        tight: whether no cell can have any blank around it but a space.
    """
    ready: dict[str, pl.Series] = {}
    tries: dict[str, pl.Expr] = {}
    for ours, source in how.columns.items():
        plain = source.column is not None and not source.words and source.since is None
        if not plain or kept.schema[str(source.column)] != pl.String:
            continue
        cells = kept[str(source.column)]
        if cells.null_count() == cells.len():
            continue
        target = TABLES[table][ours]
        if ours in WORDS and set(cells.unique()) <= {None, *WORDS[ours]}:
            ready[ours] = cells
        elif ours == "province":
            ready[ours] = _few(cells, table, how)
        elif target == pl.String and ours not in WORDS:
            if tight and not _spaced(cells):
                ready[ours] = cells
        elif (found := _quick(pl.col(cells.name), ours, table=table, how=how)) is not None:
            tries[ours] = found
    read = kept.select(**tries).to_dict() if tries else {}
    return ready | {ours: _in_bounds(ours, values, table) for ours, values in read.items()}


def _few(cells: pl.Series, table: str, how: TableMap) -> pl.Series:
    """Provinces, each word of which is read once."""
    words = cells.unique()
    known = pl.DataFrame({"words": words}).select(
        read=cell(
            pl.col("words"),
            pl.String(),
            table=table,
            column="province",
            target=pl.String,
            how=how,
        )
    )["read"]
    if known.equals(words):
        return cells
    return cells.replace_strict(words, known, return_dtype=pl.String)


def _spaced(cells: pl.Series) -> bool:
    """Whether a cell begins or ends with a space."""
    return bool((cells.str.starts_with(" ") | cells.str.ends_with(" ")).any())


def _in_bounds(ours: str, values: pl.Series, table: str) -> pl.Series:
    """The values; amounts with too many digits become null."""
    if ours not in MONEY[table]:
        return values
    most = 10**MOST_DIGITS
    outer = (values.min(), values.max())
    if all(one is None or abs(int(str(one))) < most for one in outer):
        return values
    return pl.select(pl.when(values.is_between(1 - most, most - 1)).then(values)).to_series()


def _quick(raw: pl.Expr, column: str, *, table: str, how: TableMap) -> pl.Expr | None:
    """The cells as the column of that name; None where it has no common form."""
    target = TABLES[table][column]
    if column in MONEY[table]:
        source = how.columns[column]
        decimals = DECIMALS[source.unit or how.unit]
        if decimals == 0:
            return raw.cast(pl.Int64, strict=False)
        plain = raw.str.contains(rf"^-?\d{{1,{MOST_DIGITS - decimals}}}(\.\d{{1,{decimals}}})?$")
        scaled = raw.cast(pl.Float64, strict=False) * float(10**decimals)
        return pl.when(plain).then(scaled.round().cast(pl.Int64, strict=False))
    if column in WORDS:
        known = {word: word for word in WORDS[column]}
        known |= {theirs: ours for ours, theirs in WORDS[column].items()}
        return raw.replace_strict(known, default=None, return_dtype=pl.String)
    if column == "month":
        return None
    if target == pl.Date:
        return raw.str.to_date("%Y-%m-%d", strict=False, cache=False)
    if target == pl.Boolean:
        return raw.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    if target == pl.Int32:
        return raw.cast(pl.Int32, strict=False)
    value = raw.cast(pl.Float64, strict=False)
    value = pl.when(value.is_finite()).then(value)
    return (value / 100).round(12) if how.rate == "percent" else value
