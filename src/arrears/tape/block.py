"""The rows of one block of a file: cells read, rules asked, and rows that break them held back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from arrears.problems import Problem
from arrears.tape import parse, quick
from arrears.tape.columns import LINKAGE, REQUIRED, TABLES, WORDS, Columns
from arrears.tape.currency import foreign
from arrears.tape.mapping import Source, TableMap, row_filter
from arrears.tape.schema import PAST, broken
from arrears.tape.source import ROW, Block

CELL: Columns = dict.fromkeys(("code", "column", "found", "fix"), pl.String)
_CELLS = pl.col("cells")
# Systems that cannot leave a date out write 1900-01-01, 1970-01-01 or 9999-12-31; no loan lives in those years.
_FIRST_DAY, _LAST_DAY = date(1971, 1, 1), date(2090, 12, 31)
_AT_ONCE = 2
_CELL_FIX = {
    "BAD-MONEY": "Write an amount such as 1250.40.",
    "UNKNOWN-WORD": "Use one of the words known ({}), or say in the mapping which of them it is.",
    "BAD-DATE": "Write a date that exists, as YYYY-MM-DD.",
    "BAD-FLAG": "Write true or false, or 是 or 否.",
    "BAD-NUMBER": "Write a number.",
}


@dataclass(frozen=True)
class Part:
    """A block of a table, read.

    Attributes:
        rows: canonical columns that the mapping names, with `row_in_file`, of rows in which nothing is wrong.
        held: the other rows.
        unread: cells that could not be read: `row_in_file, code, column, found, fix`.
        wrong: all that is wrong with the rows held, likewise.
        day: the cut-off date by which rules were asked; None where none was known.
        days: cut-off dates that the rows name.
        totals, left_out: how many rows were left out as totals, and as the mapping says.
        no_dates: by column, how many dates stand for none.
    """

    rows: pl.DataFrame
    held: pl.DataFrame
    unread: pl.DataFrame
    wrong: pl.DataFrame
    day: date | None
    days: tuple[date, ...]
    totals: int = 0
    left_out: int = 0
    no_dates: dict[str, int] = field(default_factory=dict)


def side_by_side(
    blocks: Iterator[Block | Problem],
    name: str,
    how: TableMap,
    asked: date | None,
    *,
    currency: str | None = None,
) -> Iterator[Part | Problem]:
    """What becomes of each block, in their order; a few at a time, so that few are held at once.

    Args:
        currency: the column that names the currency of each row, where some are in yuan.
    """
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        under_way: deque[Future[Part | Problem]] = deque()
        for block in blocks:
            under_way.append(workers.submit(_of_block, block, name, how, asked, currency=currency))
            if len(under_way) > _AT_ONCE:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _of_block(
    block: Block | Problem,
    name: str,
    how: TableMap,
    asked: date | None,
    *,
    currency: str | None,
) -> Part | Problem:
    if isinstance(block, Problem):
        return block
    kept = row_filter(block.table, how)
    rows, unread = _canonical(_with_cut_off(kept, how, asked), name, how, block)
    if currency is not None:
        unread = pl.concat([unread, foreign(kept, currency, name)])
    rows, no_dates = _without_stand_ins(rows, name)
    days = rows["as_of"].drop_nulls().unique().sort().to_list() if "as_of" in rows.columns else []
    left_out = block.table.height - kept.height
    part = Part(
        rows, rows.clear(), unread, unread, None, tuple(days), block.totals, left_out, no_dates
    )
    day = asked or (days[0] if days else None)
    return part if day is None else asked_by(part, name, day)


def _without_stand_ins(rows: pl.DataFrame, table: str) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows with null where a date stands for none, and how many of each column do."""
    never = {"as_of", *REQUIRED[table]}
    dates = [name for name in rows.columns if rows[name].dtype == pl.Date and name not in never]
    ahead = [name for name in dates if name not in PAST]
    odd = rows.select(
        pl.col(name).lt(_FIRST_DAY) | (pl.col(name).gt(_LAST_DAY) if name in ahead else False)
        for name in dates
    )
    counts = {name: int(count) for name in dates if (count := odd[name].sum())}
    real = {name: pl.when(~odd[name]).then(pl.col(name)) for name in counts}
    return rows.with_columns(**real), counts


def asked_by(part: Part, name: str, day: date) -> Part:
    """The part with its rules asked by that cut-off date."""
    if part.day == day:
        return part
    rows = part.rows if part.held.is_empty() else pl.concat([part.rows, part.held]).sort(ROW)
    # A cell that could not be read is not also missing.
    breaks = broken(name, rows, day).join(part.unread, on=[ROW, "column"], how="anti")
    good, held = hold(rows, pl.concat([part.unread.select(ROW), breaks.select(ROW)]))
    wrong = pl.concat([part.unread, told(held, breaks)])
    return replace(part, rows=good, held=held, wrong=wrong, day=day)


def hold(rows: pl.DataFrame, wrong: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows, in the order of the file, without those that something is wrong with; and those."""
    if wrong.is_empty():
        return rows, rows.clear()
    bad = rows[ROW].is_in(wrong[ROW].unique().implode())
    return (rows.filter(~bad), rows.filter(bad)) if bad.any() else (rows, rows.clear())


def told(rows: pl.DataFrame, breaks: pl.DataFrame) -> pl.DataFrame:
    """Broken rules with what was found in the column of each."""
    shown = rows.filter(pl.col(ROW).is_in(breaks[ROW].unique().implode()))
    hidden = [key for key in LINKAGE if key in shown.columns]
    shown = shown.with_columns(pl.col(hidden).is_not_null().cast(pl.String))
    parts = [
        part.join(shown.select(ROW, found=pl.col(str(column)).cast(pl.String)), on=ROW, how="left")
        for (column,), part in breaks.group_by("column", maintain_order=True)
    ]
    none = pl.DataFrame(schema={ROW: pl.Int64, **CELL})
    return pl.concat([none, *(part.select(none.columns) for part in parts)])


def _with_cut_off(kept: pl.DataFrame, how: TableMap, asked: date | None) -> pl.DataFrame:
    """The rows with the cut-off date as a column, for mappings that count days up to it."""
    source = how.columns.get("as_of")
    if "as_of" in kept.columns:
        return kept
    if asked is None and source is not None and source.column is not None:
        return kept.with_columns(as_of=pl.col(source.column))
    day = asked or (source.constant if source is not None else None)
    return kept.with_columns(as_of=pl.lit(None if day is None else str(day), pl.String))


def _canonical(
    kept: pl.DataFrame, name: str, how: TableMap, block: Block
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Canonical columns that the mapping names with `row_in_file`, and the cells that could not be read."""
    columns: list[pl.Series] = [kept[ROW]]
    quickly = quick.columns(kept, name, how, tight=block.tight)
    wrong = [pl.DataFrame(schema={ROW: pl.Int64, **CELL})]
    for ours, target in TABLES[name].items():
        source = how.columns.get(ours)
        if source is None:
            continue
        theirs = _theirs(source, kept, how, table=name, ours=ours)
        value = theirs
        if source.is_a_cell:
            value = _cells(theirs, how, table=name, ours=ours, quick=quickly.get(ours))
        columns.append(value.cast(target).alias(ours))
        if value.null_count() == theirs.null_count():
            continue
        lost = (value.is_null() & theirs.is_not_null()).arg_true()
        cells = pl.DataFrame({ROW: kept[ROW].gather(lost), "found": theirs.gather(lost)})
        cells = cells.filter(parse.text(pl.col("found")).is_not_null())
        wrong.append(_unread(cells, parse.kind_of(name, ours, target), ours))
    rows = pl.DataFrame(columns)
    long = kept.filter(pl.col(ROW).is_in(block.ragged)) if block.ragged else kept.clear()
    wrong.append(
        long.select(
            ROW,
            code=pl.lit("TOO-MANY-CELLS"),
            column=pl.lit(""),
            found=pl.lit("more cells than headers"),
            fix=pl.lit("Quote cells that hold the delimiter."),
        )
    )
    return rows, pl.concat(wrong)


def _one(cells: pl.Series, read_as: pl.Expr) -> pl.Series:
    """One column through an expression; lazily, so that parts that occur twice are worked out once."""
    return pl.LazyFrame({"cells": cells}).select(read_as.alias("cells")).collect().to_series()


def _cells(
    cells: pl.Series, how: TableMap, *, table: str, ours: str, quick: pl.Series | None = None
) -> pl.Series:
    """Cells as they stand, read as the canonical column `ours`.

    Args:
        quick: what could be read in the commonest form.
    """
    target = TABLES[table][ours]
    if cells.null_count() == cells.len():
        return pl.Series(ours, [None], target).new_from_index(0, cells.len())

    def slowly(some: pl.Series) -> pl.Series:
        given = parse.cell(_CELLS, some.dtype, table=table, column=ours, target=target, how=how)
        return _one(some, given)

    if quick is None:
        return slowly(cells)
    if quick.null_count() == cells.null_count():
        return quick
    rest = (quick.is_null() & cells.is_not_null()).arg_true()
    if rest.len() == cells.len():
        return slowly(cells)
    return quick.scatter(rest, slowly(cells.gather(rest)))


def _unread(cells: pl.DataFrame, code: str, ours: str) -> pl.DataFrame:
    shown = pl.lit("(not shown)") if ours in LINKAGE else parse.text(pl.col("found")).str.head(60)
    return cells.select(
        ROW,
        code=pl.lit(code),
        column=pl.lit(ours),
        found=shown,
        fix=pl.lit(_CELL_FIX[code].format(", ".join(WORDS.get(ours, ())))),
    )


def _theirs(
    source: Source, kept: pl.DataFrame, how: TableMap, *, table: str, ours: str
) -> pl.Series:
    """The column that a source names, as it stands, or already worked out from several."""
    if source.column is not None:
        cells = kept[source.column]
        if source.words:
            cells = _one(cells, parse.text(_CELLS).replace(source.words))
        if source.since is not None:
            days = _days_between(kept, (source.since, "as_of"), how)
            return pl.select(pl.coalesce(days.cast(pl.String), cells.cast(pl.String))).to_series()
        return cells
    if source.constant is not None:
        return pl.Series([str(source.constant)]).new_from_index(0, kept.height)
    if source.days_between is not None:
        return _days_between(kept, source.days_between, how)
    like = how.model_copy(update={"columns": {ours: Source(column=ours, unit=source.unit)}})
    parts = [
        _cells(kept[name], like, table=table, ours=ours).alias(str(place))
        for place, name in enumerate(source.sum or source.difference or ())
    ]
    frame = pl.DataFrame(parts)
    if source.sum is not None:
        some = pl.any_horizontal(pl.all().is_not_null())
        return frame.select(pl.when(some).then(pl.sum_horizontal(pl.all()))).to_series()
    rest = pl.sum_horizontal(pl.exclude("0")) if len(parts) > 1 else pl.lit(0)
    return frame.select(pl.col("0") - rest).to_series()


def _days_between(kept: pl.DataFrame, columns: tuple[str, str], how: TableMap) -> pl.Series:
    first, last = (
        _one(kept[name], parse.day(_CELLS, kept[name].dtype, how.dates)) for name in columns
    )
    return (last - first).dt.total_days()
