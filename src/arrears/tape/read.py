"""Reading a tape: files, columns, cells, rules; what cannot be used goes to quarantine with its cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from arrears.core.hashing import file_hash
from arrears.core.words import counted
from arrears.files import did_you_mean, nearest
from arrears.problems import Problem, errors
from arrears.tape import currency, parse
from arrears.tape.block import Part, asked_by, hold, side_by_side, told
from arrears.tape.columns import REQUIRED, TABLES, Columns
from arrears.tape.guess import guess_table
from arrears.tape.history import cross_check
from arrears.tape.layout import no_header
from arrears.tape.mapping import Mapping, TableMap, read_mapping
from arrears.tape.model import Counts, Fill, Input, Reading, Tape, TapeFiles, claim
from arrears.tape.schema import twice
from arrears.tape.source import NO_ROWS, ROW, SHEET, Raw, read_raw, without_header

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
_SHOWN, _SHOWN_OF_CHILDREN = 10, 1
_OF_CHILDREN = ("LOAN-IN-QUARANTINE", "UNKNOWN-LOAN")
_CHILDREN = ("payments", "months", "events", "contacts")


@dataclass(frozen=True)
class _Table:
    """One table on its way: its parts as the file's blocks give them."""

    name: str
    path: Path
    parts: tuple[Part, ...]
    how: TableMap
    sha256: Callable[[], str]
    sheets: tuple[str, ...] = ()

    def checked(self, day: date) -> _Checked:
        """Its rows by the cut-off date; those that share a key are held back too."""
        parts = [asked_by(part, self.name, day) for part in self.parts]
        rows, held, wrong = (
            pl.concat([getattr(part, what) for part in parts]) for what in ("rows", "held", "wrong")
        )
        return _Checked(self, rows, held, wrong).without(twice(self.name, rows, held))


@dataclass(frozen=True)
class _Checked:
    """A table's rows with `row_in_file`: those in which nothing is wrong, the others, and what is wrong with them."""

    table: _Table
    rows: pl.DataFrame
    held: pl.DataFrame
    wrong: pl.DataFrame

    def without(self, breaks: pl.DataFrame) -> _Checked:
        """The table with further rows held back."""
        if breaks.is_empty():
            return self
        rows, more = hold(self.rows, breaks)
        held = pl.concat([self.held, more])
        wrong = told(held, breaks)
        return replace(self, rows=rows, held=held, wrong=pl.concat([self.wrong, wrong]))

    @property
    def height(self) -> int:
        """Rows, good and bad."""
        return self.rows.height + self.held.height

    def canonical(self, by: list[str]) -> pl.DataFrame:
        """The good rows under all columns of their table, sorted; columns that are not there are null."""
        rows = self.rows
        if len(by) > 1 or not rows[by[0]].is_sorted():
            rows = rows.sort(*(name for name in by if name in rows.columns), ROW, nulls_last=True)
        return _full(rows, self.table.name)


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
    children: dict[str, _Table] = {}
    empty: list[Input] = []
    for name in _CHILDREN:
        path = getattr(files, name)
        if path is None:
            continue
        child, found = _table(name, path, given, day)
        if child is not None:
            children[name] = child
        elif [problem.code for problem in found] == [NO_ROWS]:
            empty.append(Input(name, str(path), file_hash(path), 0))
            found = [_no_rows(path)]
        problems += found
    if errors(problems):
        return Reading(None, tuple(problems))
    return _accept(loans, children, day, problems, empty=empty)


def _no_rows(path: Path) -> Problem:
    why = "It is as if it were not given."
    fix = "Export it again if there should be any."
    return Problem(NO_ROWS, "note", path.name, "The table holds no rows.", why, fix)


def _table(
    name: str, path: Path, given: Mapping, asked: date | None = None
) -> tuple[_Table | None, list[Problem]]:
    raw, problems = read_raw(path)
    if raw is None:
        return None, problems
    how: TableMap | None = getattr(given, name)
    if how is None and no_header(raw.headers):
        return None, [*problems, without_header(path)]
    if how is None:
        how, found = guess_table(raw, name)
        problems += found
    problems += _missing_columns(raw, name, how)
    if errors(problems):
        return None, problems
    parts, totals, left_out = [], 0, 0
    money, found = currency.checked(raw.head.table, how, raw.path.name)
    problems += found
    for part in side_by_side(raw.blocks(), name, how, asked, currency=money):
        if isinstance(part, Problem):
            return None, [*problems, part]
        totals += part.totals
        left_out += part.left_out
        if part.rows.height + part.held.height:
            parts.append(part)
    problems = [*raw.notes, *problems, *_left_out(path, totals, left_out)]
    if not parts:
        text = "No row is left that belongs to the tape."
        fix = "Check `rows` in the mapping."
        problems.append(Problem("TAPE-EMPTY", "error", str(path), text, "Nothing to do.", fix))
        return None, problems
    return _Table(name, path, tuple(parts), how, raw.sha256, raw.sheets), problems


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
            shown = [theirs for theirs in raw.headers if not no_header([theirs])]
            why = f"Headers: {', '.join(shown[:12])}." if shown else ""
            problems.append(Problem("TAPE-NO-COLUMN", "error", raw.path.name, text, why, fix))
    return problems


def _cut_off(loans: _Table, asked: date | None) -> tuple[date | None, list[Problem]]:
    said = sorted({day for part in loans.parts for day in part.days})
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
    loans: _Table,
    children: dict[str, _Table],
    day: date,
    problems: list[Problem],
    *,
    empty: list[Input],
) -> Reading:
    book = loans.checked(day)
    good = book.canonical(_SORT["loans"]).with_columns(as_of=pl.lit(day))
    tables: dict[str, pl.DataFrame] = {}
    all_of = {"loans": book}
    for name, table in children.items():
        child = table.checked(day)
        all_of[name] = child.without(_orphans(child, good["loan_id"], book.held["loan_id"]))
        tables[name] = all_of[name].canonical(_SORT[name])
    quarantine = pl.concat([_quarantine(table) for table in all_of.values()], how="vertical")
    problems += _told(quarantine) + _warnings(good, loans.path.name)
    problems += cross_check(good, tables, day)
    counts = _counts(book)
    if good.is_empty():
        text = f"None of {counted(counts.rows_in, 'row')} can be used."
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
        fills=_fills(good, loans.parts),
        counts=counts,
        inputs=(
            *(
                Input(name, str(one.table.path), one.table.sha256(), one.height)
                for name, one in all_of.items()
            ),
            *empty,
        ),
        mapping=Mapping(**{name: one.table.how for name, one in all_of.items()}),
    )
    return Reading(tape, tuple(problems))


def _full(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """All columns of a table in their order; those that are not there are null."""
    return rows.select(
        name if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in TABLES[table].items()
    )


def _orphans(child: _Checked, good: pl.Series, held: pl.Series) -> pl.DataFrame:
    """Rows of loans that were not accepted: `row_in_file, code, column, fix`."""
    known = pl.col("loan_id").is_in(good.implode())
    waiting = pl.col("loan_id").is_in(held.drop_nulls().implode())
    rows = pl.concat([part.select(ROW, "loan_id") for part in (child.rows, child.held)])
    code = pl.when(waiting).then(pl.lit("LOAN-IN-QUARANTINE")).otherwise(pl.lit("UNKNOWN-LOAN"))
    return (
        rows.filter(pl.col("loan_id").is_not_null() & ~known)
        .sort(ROW)
        .select(
            ROW,
            code=code,
            column=pl.lit("loan_id"),
            fix=pl.lit("Mend or add the loan in the table of loans."),
        )
    )


def _quarantine(one: _Checked) -> pl.DataFrame:
    source: pl.Expr = pl.lit(one.table.path.name)
    row = pl.col(ROW)
    sheets = one.table.sheets
    if len(sheets) > 1:
        sheet = pl.format("{}[{}]", source, pl.lit(pl.Series(list(sheets))).gather(row // SHEET))
        source, row = sheet, row % SHEET
    named = {name: pl.col(name) for name in QUARANTINE} | {"source": source, "row": row}
    return (
        one.wrong.join(one.held.select(ROW, "loan_id"), on=ROW, how="left")
        .select(**named)
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
    return [*_unknown_reasons(good, place), *_provisions(good, place)]


def _provisions(good: pl.DataFrame, place: str) -> list[Problem]:
    over = good.filter(pl.col("provision") > pl.Series(claim(good)))
    over = over.filter(pl.Series(claim(over)) > 0)
    if over.is_empty():
        return []
    many = counted(over.height, "loan has", "loans have")
    text = f"{many} a provision above the claim, e.g. loan {over['loan_id'][0]}."
    why = "Their net book value is below zero, and profit and tax follow it."
    fix = "Check the amounts and the unit of provision."
    return [Problem("PROVISION-OVER-CLAIM", "warning", f"{place} provision", text, why, fix)]


def _unknown_reasons(good: pl.DataFrame, place: str) -> list[Problem]:
    unknown = good.filter(parse.unknown_reasons(pl.col("excluded_reason")))["excluded_reason"]
    if unknown.is_empty():
        return []
    words = ", ".join(sorted(unknown.unique().to_list())[:5])
    text = f"{counted(unknown.len(), 'loan')} with a reason that is not known: {words}."
    why = "Any reason bars a bulk sale, so these loans are barred."
    fix = "Use one of the words in docs/tape.md."
    return [Problem("UNKNOWN-REASON", "warning", f"{place} excluded_reason", text, why, fix)]


def _counts(book: _Checked) -> Counts:
    """Rows and claims in, accepted and held back; a claim counts wherever it could be read."""
    unread = book.wrong.filter(
        pl.col("column").is_in(["principal", "interest", "fees"]),
        pl.col("code").is_in(["BAD-MONEY", "MISSING-VALUE", currency.FOREIGN]),
    )
    readable, unreadable = hold(book.held, unread)
    accepted = claim(_full(book.rows, "loans"))
    held = int(claim(_full(readable, "loans")).sum())
    return Counts(
        rows_in=book.height,
        accepted=len(accepted),
        quarantined=book.held.height,
        closed=int((accepted == 0).sum()),
        claim_in=int(accepted.sum()) + held,
        claim_accepted=int(accepted.sum()),
        claim_quarantined=held,
        unreadable_rows=unreadable.height,
    )


def _fills(good: pl.DataFrame, parts: Sequence[Part]) -> tuple[Fill, ...]:
    counts = {name: int(good[name].null_count()) for name in ("interest", "fees")}
    unknown = [
        Fill(name, "unknown: counted as 0 in the claim", rows)
        for name, rows in counts.items()
        if rows
    ]
    no_dates: Counter[str] = sum((Counter(part.no_dates) for part in parts), Counter())
    none = [
        Fill(name, "a date before 1971, or ahead and after 2090, stands for none", rows)
        for name, rows in sorted(no_dates.items())
    ]
    return (*unknown, *none)
