"""Reading a tape: files, columns, cells, rules; what cannot be used goes to quarantine with its cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from arrears.files import did_you_mean, nearest
from arrears.problems import Problem, errors
from arrears.tape import parse, quick
from arrears.tape.columns import LINKAGE, REQUIRED, TABLES, Columns
from arrears.tape.guess import guess_table
from arrears.tape.history import cross_check
from arrears.tape.mapping import Mapping, Source, TableMap, read_mapping, row_filter
from arrears.tape.model import Counts, Fill, Input, Reading, Tape, TapeFiles, claim
from arrears.tape.schema import broken
from arrears.tape.source import ROW, SHEET, Block, Raw, read_raw

QUARANTINE: Columns = {
    "source": pl.String,
    "row": pl.Int64,
    "loan_id": pl.String,
    "code": pl.String,
    "column": pl.String,
    "found": pl.String,
    "fix": pl.String,
}
_SORT = {
    "loans": ["loan_id"],
    "payments": ["loan_id", "date", "amount", "source"],
    "months": ["loan_id", "month"],
    "events": ["loan_id", "date", "kind"],
    "contacts": ["loan_id", "date", "step", "outcome"],
}
_CELL: Columns = {name: QUARANTINE[name] for name in ("code", "column", "found", "fix")}
_CELLS = pl.col("cells")
_SHOWN, _SHOWN_OF_CHILDREN = 10, 1
_OF_CHILDREN = ("LOAN-IN-QUARANTINE", "UNKNOWN-LOAN")
_CHILDREN = ("payments", "months", "events", "contacts")
_CELL_FIX = {
    "BAD-MONEY": "Write an amount such as 1250.40.",
    "UNKNOWN-WORD": "Use one of the words known, or add it to the mapping.",
    "BAD-DATE": "Write a date that exists, as YYYY-MM-DD.",
    "BAD-FLAG": "Write true or false, or 是 or 否.",
    "BAD-NUMBER": "Write a number.",
}


@dataclass(frozen=True)
class _Table:
    """One table on its way: canonical rows with `row_in_file`, and the problems of its rows so far."""

    name: str
    path: Path
    rows: pl.DataFrame
    wrong: pl.DataFrame
    how: TableMap
    sha256: Callable[[], str]
    sheets: tuple[str, ...] = ()


def read(files: TapeFiles, *, mapping: Path | None = None, as_of: date | None = None) -> Reading:
    """Read and check a tape.

    Args:
        mapping: a file that says which column is taken for what; tables it leaves out are guessed.
        as_of: cut-off date; found in the tape where it says it.

    Returns:
        The tape and all problems, those of quarantined rows shortened to ten a kind.
    """
    problems: list[Problem] = []
    given, found = read_mapping(mapping) if mapping else (Mapping(), [])
    problems += found
    if given is None or errors(problems):
        return Reading(None, tuple(problems))
    loans, found = _table("loans", files.loans, given, as_of)
    problems += found
    if loans is None or errors(problems):
        return Reading(None, tuple(problems))
    day, found = _cut_off(loans, as_of)
    problems += found
    if day is None:
        return Reading(None, tuple(problems))
    children = {}
    for name in _CHILDREN:
        path = getattr(files, name)
        if path is not None:
            child, found = _table(name, path, given)
            problems += found
            children[name] = child
    if errors(problems):
        return Reading(None, tuple(problems))
    return _accept(loans, {n: c for n, c in children.items() if c}, day, problems)


def _table(
    name: str, path: Path, given: Mapping, asked: date | None = None
) -> tuple[_Table | None, list[Problem]]:
    raw, problems = read_raw(path)
    if raw is None:
        return None, problems
    how: TableMap | None = getattr(given, name)
    if how is None:
        how, found = guess_table(raw, name)
        problems += found
    problems += _missing_columns(raw, name, how)
    if errors(problems):
        return None, problems
    parts, totals, left_out = [], 0, 0
    for block in raw.blocks():
        if isinstance(block, Problem):
            return None, [*problems, block]
        kept = row_filter(block.table, how)
        totals += block.totals
        left_out += block.table.height - kept.height
        if not kept.is_empty():
            parts.append(_canonical(_with_cut_off(kept, how, asked), name, how, block))
    problems = [*raw.notes, *problems, *_left_out(path, totals, left_out)]
    if not parts:
        text = "No row is left that belongs to the tape."
        fix = "Check `rows` in the mapping."
        problems.append(Problem("TAPE-EMPTY", "error", str(path), text, "Nothing to do.", fix))
        return None, problems
    rows, wrong = (pl.concat(some) for some in zip(*parts, strict=True))
    missing = [
        pl.lit(None, TABLES[name][ours]).alias(ours) for ours in TABLES[name] if ours not in rows
    ]
    rows = rows.with_columns(missing)
    return _Table(name, path, rows, wrong, how, raw.sha256, raw.sheets), problems


def _left_out(path: Path, totals: int, others: int) -> list[Problem]:
    told = {
        "rows of totals, or blank ones, left out.": totals,
        "rows left out, as the mapping says.": others,
    }
    return [
        Problem("ROWS-LEFT-OUT", "note", path.name, f"{count:,} {text}")
        for text, count in told.items()
        if count
    ]


def _with_cut_off(kept: pl.DataFrame, how: TableMap, asked: date | None) -> pl.DataFrame:
    """The rows with the cut-off date as a column, for mappings that count days up to it."""
    source = how.columns.get("as_of")
    if "as_of" in kept.columns:
        return kept
    if asked is None and source is not None and source.column is not None:
        return kept.with_columns(as_of=pl.col(source.column))
    day = asked or (source.constant if source is not None else None)
    return kept.with_columns(as_of=pl.lit(None if day is None else str(day), pl.String))


def _missing_columns(raw: Raw, name: str, how: TableMap) -> list[Problem]:
    problems = []
    for ours, source in how.columns.items():
        for theirs in source.columns():
            if theirs not in raw.headers:
                text = f"The mapping takes {ours} from {theirs!r}, which is not there."
                fix = did_you_mean(theirs, raw.headers)
                why = "The column cannot be read."
                problems.append(
                    Problem("MAP-NO-SUCH-COLUMN", "error", raw.path.name, text, why, fix)
                )
    free = set(raw.headers) - {theirs for s in how.columns.values() for theirs in s.columns()}
    for ours in REQUIRED[name]:
        if ours not in how.columns:
            near = nearest(ours, free)
            text = f"The required column {ours} is missing."
            fix = f"Is it {near!r}? " if near else ""
            fix += "Say which column it is: arrears map LOANS --save F."
            why = f"Headers: {', '.join(raw.headers[:12])}."
            problems.append(Problem("TAPE-NO-COLUMN", "error", raw.path.name, text, why, fix))
    return problems


def _canonical(
    kept: pl.DataFrame, name: str, how: TableMap, block: Block
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Canonical columns that the mapping names with `row_in_file`, and the cells that could not be read."""
    columns: list[pl.Series] = [kept[ROW]]
    quickly = quick.columns(kept, name, how, tight=block.tight)
    wrong = [pl.DataFrame(schema={ROW: pl.Int64, **_CELL})]
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
    slow = parse.cell(_CELLS, cells.dtype, table=table, column=ours, target=target, how=how)
    if quick is None:
        return _one(cells, slow)
    rest = (quick.is_null() & cells.is_not_null()).arg_true()
    if rest.is_empty():
        return quick
    if rest.len() == cells.len():
        return _one(cells, slow)
    return quick.scatter(rest, _one(cells.gather(rest), slow))


def _unread(cells: pl.DataFrame, code: str, ours: str) -> pl.DataFrame:
    shown = pl.lit("(not shown)") if ours in LINKAGE else parse.text(pl.col("found")).str.head(60)
    return cells.select(
        ROW,
        code=pl.lit(code),
        column=pl.lit(ours),
        found=shown,
        fix=pl.lit(_CELL_FIX[code]),
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


def _cut_off(loans: _Table, asked: date | None) -> tuple[date | None, list[Problem]]:
    said = loans.rows["as_of"].drop_nulls().unique().sort().to_list()
    place = loans.path.name
    source = loans.how.columns.get("as_of")
    if asked is not None and source is not None and source.constant is not None:
        return asked, []
    if len(said) > 1:
        text = f"The tape names several cut-off dates, {said[0]} to {said[-1]}."
        fix = "Split it by cut-off date."
        why = "A tape is of one day."
        return None, [Problem("TAPE-MANY-CUT-OFFS", "error", place, text, why, fix)]
    if asked is not None and said and said[0] != asked:
        text = f"--as-of says {asked}, the tape says {said[0]}."
        fix = "Leave --as-of out, or correct the tape."
        why = "A tape is of one day."
        return None, [Problem("AS-OF-CONFLICT", "error", place, text, why, fix)]
    if asked is None and not said:
        text = "No cut-off date: the tape names none."
        fix = "Add --as-of YYYY-MM-DD."
        why = "Class, limitation and value depend on the day."
        return None, [Problem("TAPE-NO-CUT-OFF", "error", place, text, why, fix)]
    return asked or said[0], []


def _accept(
    loans: _Table, children: dict[str, _Table], day: date, problems: list[Problem]
) -> Reading:
    wrong = {"loans": _wrong_rows(loans, day)}
    bad = _at(loans.rows, wrong["loans"])
    good = loans.rows.filter(~bad) if bad.any() else loans.rows
    good = good.select(*TABLES["loans"]).with_columns(as_of=pl.lit(day))
    if not good["loan_id"].is_sorted():
        good = good.sort("loan_id")
    held = loans.rows["loan_id"].filter(bad)
    tables: dict[str, pl.DataFrame] = {}
    for name, child in children.items():
        orphans = _orphans(child, good["loan_id"], held)
        wrong[name] = pl.concat([_wrong_rows(child, day), orphans])
        kept = child.rows.filter(~_at(child.rows, wrong[name]))
        tables[name] = kept.sort(*_SORT[name], ROW, nulls_last=True).select(*TABLES[name])
    everything = {"loans": loans, **children}
    quarantine = pl.concat(
        [_quarantine(everything[name], rows) for name, rows in wrong.items()], how="vertical"
    )
    problems += _told(quarantine) + _warnings(good, loans.path.name)
    problems += cross_check(good, tables, day)
    counts = _counts(loans, bad, wrong["loans"])
    if good.is_empty():
        text = f"None of {counts.rows_in:,} rows can be used."
        fix = "Mend the first problems named here."
        why = "No loan is left to work on."
        problems.insert(0, Problem("TAPE-ALL-BAD", "error", loans.path.name, text, why, fix))
        return Reading(None, tuple(problems))
    tape = Tape(
        as_of=day,
        loans=good,
        payments=tables.get("payments"),
        months=tables.get("months"),
        events=tables.get("events"),
        contacts=tables.get("contacts"),
        quarantine=quarantine,
        problems=tuple(problems),
        fills=_fills(good),
        counts=counts,
        inputs=tuple(
            Input(name, str(table.path), table.sha256(), table.rows.height)
            for name, table in everything.items()
        ),
        mapping=Mapping(**{name: table.how for name, table in everything.items()}),
    )
    return Reading(tape, tuple(problems))


def _places(rows: pl.DataFrame, wrong: pl.DataFrame) -> pl.Series:
    """Where the rows that something is wrong with stand, each once; rows stand in the order of the file."""
    found = rows[ROW].search_sorted(wrong[ROW].unique().sort())
    return found if isinstance(found, pl.Series) else pl.Series([found])


def _at(rows: pl.DataFrame, wrong: pl.DataFrame) -> pl.Series:
    """Whether something is wrong with each row (n,)."""
    none = pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True)
    return none if wrong.is_empty() else none.scatter(_places(rows, wrong), True)


def _wrong_rows(table: _Table, day: date) -> pl.DataFrame:
    """All that is wrong with the rows of a table; a cell that could not be read is not also missing."""
    breaks = broken(table.name, table.rows, day)
    unread = table.wrong.select(ROW, "column")
    breaks = breaks.join(unread, on=[ROW, "column"], how="anti")
    shown = table.rows[_places(table.rows, breaks)] if breaks.height else table.rows.clear()
    if table.name == "loans":
        shown = shown.with_columns(pl.col(LINKAGE).is_not_null().cast(pl.String))
    parts = [
        part.join(shown.select(ROW, found=pl.col(str(column)).cast(pl.String)), on=ROW, how="left")
        for (column,), part in breaks.group_by("column", maintain_order=True)
    ]
    found = [part.select(ROW, "code", "column", "found", "fix") for part in parts]
    return pl.concat([table.wrong, *found])


def _orphans(child: _Table, good: pl.Series, held: pl.Series) -> pl.DataFrame:
    known = pl.col("loan_id").is_in(good.implode())
    waiting = pl.col("loan_id").is_in(held.drop_nulls().implode())
    lost = child.rows.filter(pl.col("loan_id").is_not_null() & ~known)
    code = pl.when(waiting).then(pl.lit("LOAN-IN-QUARANTINE")).otherwise(pl.lit("UNKNOWN-LOAN"))
    return lost.select(
        ROW,
        code=code,
        column=pl.lit("loan_id"),
        found=pl.col("loan_id"),
        fix=pl.lit("Mend or add the loan in the table of loans."),
    )


def _quarantine(table: _Table, wrong: pl.DataFrame) -> pl.DataFrame:
    ids = table.rows.select(ROW, "loan_id").filter(_at(table.rows, wrong))
    source: pl.Expr = pl.lit(table.path.name)
    row = pl.col(ROW)
    if len(table.sheets) > 1:
        sheet = pl.format(
            "{}[{}]", source, pl.lit(pl.Series(list(table.sheets))).gather(row // SHEET)
        )
        source, row = sheet, row % SHEET
    return (
        wrong.join(ids, on=ROW, how="left")
        .select(
            source=source,
            row=row,
            loan_id="loan_id",
            code="code",
            column="column",
            found="found",
            fix="fix",
        )
        .cast(pl.Schema(QUARANTINE))
        .sort("source", "row", "code", "column", nulls_last=True)
    )


def _told(quarantine: pl.DataFrame) -> list[Problem]:
    """The first ten of a kind, and how many more there are."""
    problems = []
    for (code,), rows in quarantine.group_by("code", maintain_order=True):
        most = _SHOWN_OF_CHILDREN if code in _OF_CHILDREN else _SHOWN
        for row in rows.head(most).iter_rows(named=True):
            where = f"{row['source']} row {row['row']} {row['column']}".rstrip()
            found = f"{row['found']!r}" if row["found"] is not None else "empty"
            why = "The row waits in quarantine."
            problems.append(Problem(str(code), "warning", where, found, why, row["fix"]))
        if rows.height > most:
            text = f"{rows.height - most:,} more of this kind; quarantine.csv lists all."
            problems.append(Problem(str(code), "warning", rows["source"][0], text))
    return problems


def _warnings(good: pl.DataFrame, place: str) -> list[Problem]:
    unknown = good.filter(parse.unknown_reasons(pl.col("excluded_reason")))["excluded_reason"]
    if unknown.is_empty():
        return []
    words = ", ".join(sorted(unknown.unique().to_list())[:5])
    text = f"{unknown.len():,} loans with a reason that is not known: {words}."
    why = "Any reason bars a bulk sale, so these loans are barred."
    fix = "Use one of the words in docs/tape.md."
    return [Problem("UNKNOWN-REASON", "warning", f"{place} excluded_reason", text, why, fix)]


def _counts(loans: _Table, bad: pl.Series, wrong: pl.DataFrame) -> Counts:
    """Rows and claims in, accepted and held back; a claim counts wherever it could be read."""
    unread = wrong.filter(
        pl.col("column").is_in(["principal", "interest", "fees"]),
        pl.col("code").is_in(["BAD-MONEY", "MISSING-VALUE"]),
    )
    readable = ~_at(loans.rows, unread)
    claims = claim(loans.rows)
    held = int(claims[(bad & readable).to_numpy()].sum())
    accepted = claims[(~bad).to_numpy()]
    return Counts(
        rows_in=loans.rows.height,
        accepted=len(accepted),
        quarantined=int(bad.sum()),
        closed=int((accepted == 0).sum()),
        claim_in=int(accepted.sum()) + held,
        claim_accepted=int(accepted.sum()),
        claim_quarantined=held,
        unreadable_rows=int((~readable).sum()),
    )


def _fills(good: pl.DataFrame) -> tuple[Fill, ...]:
    counts = {name: int(good[name].null_count()) for name in ("interest", "fees")}
    return tuple(
        Fill(name, "unknown: counted as 0 in the claim", rows)
        for name, rows in counts.items()
        if rows
    )
