"""What a foreign table's columns are, guessed from their headers and from what stands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Literal

import polars as pl

from arrears.problems import Problem
from arrears.tape import parse, synonyms
from arrears.tape.columns import CHINESE, LINKAGE, MONEY, PLACES, TABLES
from arrears.tape.mapping import UNIT_WORDS, Mapping, Source, TableMap, Unit
from arrears.tape.source import Raw, read_raw

_CANONICAL, _TERM, _ALIAS, _CONTENT, _NEAR = 1.0, 0.98, 0.9, 0.6, 0.5
_LEAST, _LEAST_SHOWN = 0.51, 0.3
_SAMPLE, _MORE = 2_000, 20_000
_CLOSE = 0.84
_READABLE = 0.8
_DAY_FIRST = r"^\s*(\d{1,2})[/.\-]\d{1,2}[/.\-]\d{4}"
_STAGE = re.compile(r"^[mc](\d+)(?:\+|$|[-~–至到])")
_SPAN = re.compile(r"^(\d+)[-~–至到]\d+$")
_WITHIN = re.compile(r"^(?:<|≤|<=)\d+$|^\d+(?:以内|以下)$")
_OVER = re.compile(r"^(>=|≥|>)?(\d+)(\+|以上)?$")
_SPOKEN = re.compile(r"\s|天|日|days?|dpd|逾期|overdue|含")
_A_YEAR = 12
_CURRENT = {"current", "正常", "m0", "c0", "0", "未逾期", "c", "not overdue"}
_DAYS_A_BUCKET = 30


@dataclass(frozen=True)
class Guess:
    """A column taken for ours.

    Attributes:
        sure: 0 to 1, from the header and from how many of its cells can be read as what ours holds.
    """

    theirs: str
    ours: str
    sure: float
    unit: Unit | None = None
    percent: bool = False


def guess(path: Path) -> tuple[Mapping | None, list[Problem]]:
    """The mapping of a table of loans that its headers and its content suggest."""
    raw, problems = read_raw(path)
    if raw is None:
        return None, problems
    guessed, wrong = guess_table(raw, "loans", least=_LEAST_SHOWN)
    return Mapping(loans=guessed), [*problems, *wrong]


def guess_table(raw: Raw, table: str, *, least: float = _LEAST) -> tuple[TableMap, list[Problem]]:
    """The mapping of one table; two columns that stand for ours equally well are a problem.

    Args:
        least: guesses less sure than that are left out; a header that is only like one we know is one to confirm.
    """
    sample = raw.head.table.head(_SAMPLE)
    known = synonyms.headers(table)
    named = [found for theirs in raw.headers if (found := _by_header(theirs, table, known))]
    taken = {found.theirs for found in named}
    free = [theirs for theirs in raw.headers if theirs not in taken]
    missing = set(TABLES[table]) - {found.ours for found in named} - set(LINKAGE)
    near = [found for theirs in free if (found := _by_likeness(theirs, missing, known))]
    missing -= {found.ours for found in near}
    free = [theirs for theirs in free if theirs not in {found.theirs for found in near}]
    content = _by_content(sample, free, missing) if table == "loans" else []
    checked = [
        found if found.sure == _CANONICAL else _checked(found, sample, table)
        for found in [*named, *near, *content]
    ]
    best, problems = _best([found for found in checked if found.sure >= least], str(raw.path))
    money = [found for found in best if found.ours in MONEY[table]]
    foreign = [found for found in money if found.theirs != found.ours]
    unit: Unit = "fen" if not foreign else _unit(raw, foreign, sample)
    how = TableMap(
        unit=unit,
        rate=_rate_form(best, sample),
        dates=_date_forms(best, raw.head.table.head(_MORE), table),
        columns={found.ours: _source(found, raw.head.table) for found in best},
        sure={found.ours: round(found.sure, 2) for found in best},
    )
    return _with_title(how, raw), problems


def _by_header(theirs: str, table: str, known: dict[str, str]) -> Guess | None:
    name, behind = synonyms.key(theirs)
    unit = UNIT_WORDS.get(behind.lower())
    percent = behind in {"%", "％"}
    if theirs in TABLES[table]:
        return Guess(theirs, theirs, _CANONICAL)
    for suffix, told in (("_fen", "fen"), ("_yuan", "yuan"), ("_rmb", "yuan"), ("_cny", "yuan")):
        if name.endswith(suffix) and name.removesuffix(suffix) in known:
            name, unit = name.removesuffix(suffix), UNIT_WORDS[told]
    for suffix in ("_pct", "_percent", "%"):
        if name.endswith(suffix) and name.removesuffix(suffix) in known:
            name, percent = name.removesuffix(suffix), True
    ours = known.get(name)
    if ours is None:
        return None
    sure = _TERM if name == ours or name == _term(table, ours) else _ALIAS
    return Guess(theirs, ours, sure, unit, percent)


def _term(table: str, ours: str) -> str:
    return synonyms.key(CHINESE[table][ours])[0]


def _by_likeness(theirs: str, missing: set[str], known: dict[str, str]) -> Guess | None:
    """A header that is nearly one we know, such as a misspelt one."""
    name, behind = synonyms.key(theirs)
    if len(name) < 4:
        return None
    likest, ratio = "", 0.0
    for alias, ours in known.items():
        if ours in missing:
            matcher = SequenceMatcher(None, name, alias)
            if matcher.quick_ratio() > max(ratio, _CLOSE):
                found = matcher.ratio()
                likest, ratio = (ours, found) if found > ratio else (likest, ratio)
    if ratio < _CLOSE:
        return None
    return Guess(theirs, likest, _NEAR * ratio, UNIT_WORDS.get(behind.lower()))


def _by_content(sample: pl.DataFrame, free: list[str], missing: set[str]) -> list[Guess]:
    """Columns whose cells are the words of one of ours, or its ids, whatever the header says."""
    found: list[Guess] = []
    for theirs in free:
        cells = _text(sample[theirs])
        if cells.is_empty():
            continue
        for ours in ("product", "reported_class", "repayment", "security", "legal_status"):
            words = synonyms.words(ours)
            if (
                ours in missing
                and cells.str.to_lowercase().str.replace_all(" ", "_").is_in(list(words)).all()
            ):
                if cells.n_unique() > 1:
                    found.append(Guess(theirs, ours, _CONTENT))
                break
        else:
            read = parse.province(pl.col("cells"))
            if (
                "province" in missing
                and pl.DataFrame({"cells": cells})
                .select(read=read)["read"]
                .is_in(list(PLACES.values()))
                .all()
            ):
                found.append(Guess(theirs, "province", _CONTENT))
    if "loan_id" in missing and sample.height > 1:
        for theirs in free:
            cells = _text(sample[theirs])
            mixed = cells.str.contains(r"\d").all() and not cells.str.contains(r"[.\s]").any()
            if cells.len() == sample.height == cells.n_unique() and mixed:
                return [*found, Guess(theirs, "loan_id", _CONTENT)]
    return found


def _text(column: pl.Series) -> pl.Series:
    return column.cast(pl.String).str.strip_chars().drop_nulls().alias("cells")


def _checked(found: Guess, sample: pl.DataFrame, table: str) -> Guess:
    """As sure as the header, times the share of cells that can be read; nothing where too few can."""
    cells = sample[found.theirs]
    if cells.null_count() == cells.len():
        return found
    target = TABLES[table][found.ours]
    plain = TableMap(unit="yuan", dates=("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"), columns={})
    frame = pl.DataFrame({"cells": cells})
    read = frame.select(
        parse.cell(
            pl.col("cells"), cells.dtype, table=table, column=found.ours, target=target, how=plain
        )
    ).to_series()
    there = frame.select(parse.text(pl.col("cells")).is_not_null()).to_series()
    share = float((read.is_not_null() & there).sum() / max(int(there.sum()), 1))
    if found.ours == "days_past_due" and share < _READABLE and _buckets(cells):
        share = 0.9
    if found.sure >= _ALIAS:
        # A header that says it plainly is believed; cells that cannot be read then wait in quarantine.
        return replace(found, sure=found.sure * (0.4 + 0.6 * share))
    return replace(found, sure=found.sure * share if share >= _READABLE else 0.0)


def _best(found: list[Guess], place: str) -> tuple[list[Guess], list[Problem]]:
    """The surest column for each of ours."""
    problems = []
    best: dict[str, Guess] = {}
    for one in found:
        other = best.get(one.ours)
        if other is not None and abs(other.sure - one.sure) <= 0.05 and one.sure > _CONTENT:
            text = f"{other.theirs!r} and {one.theirs!r} both stand for {one.ours}."
            fix = "Say which in a mapping: arrears map LOANS --save F."
            problems.append(
                Problem("TAPE-MAPPED-TWICE", "error", place, text, "One must be it.", fix)
            )
        if other is None or one.sure > other.sure:
            best[one.ours] = one
    return list(best.values()), problems


def _unit(raw: Raw, money: list[Guess], sample: pl.DataFrame) -> Unit:
    """The unit of the table's money: as its titles say, else by how its amounts look.

    Many decimals of small numbers are 10,000 yuan; whole numbers that are large and not round are fen; else yuan.
    """
    if raw.unit in UNIT_WORDS:
        return UNIT_WORDS[raw.unit]
    if any(found.unit for found in money):
        return "yuan"
    main = next((found for found in money if found.ours == "principal"), money[0])
    cells = _text(sample[main.theirs]).str.replace_all(r"[,，\s¥￥()（）]", "")
    decimals = cells.str.extract(r"\.(\d*?)0*$").fill_null("").str.len_bytes()
    values = cells.cast(pl.Float64, strict=False).drop_nulls()
    values = values.filter(values.is_finite() & (values > 0))
    middle = _middle(values)
    if middle is None:
        return "yuan"
    most = max(decimals.to_list(), default=0)
    if most > 2 and middle < 2_000:
        return "10k_yuan"
    ragged = sum(int(value) % 100 != 0 for value in values.to_list()) / len(values)
    if most == 0 and middle >= 200_000 and ragged > 0.5:
        return "fen"
    return "yuan"


def _middle(values: pl.Series) -> float | None:
    """The median of floats, None where there are none."""
    found = values.median()
    return found if isinstance(found, float) else None


def _rate_form(best: list[Guess], sample: pl.DataFrame) -> Literal["percent", "fraction"]:
    """Per cent where the header or the cells say so, or where a foreign column's middle is more than 1.5."""
    for found in best:
        if not found.ours.startswith("rate"):
            continue
        if found.percent:
            return "percent"
        if found.theirs != found.ours:
            cells = sample[found.theirs].cast(pl.String)
            if (_middle(cells.str.contains("[%％]").cast(pl.Float64)) or 0.0) > 0.5:
                return "percent"
            middle = _middle(cells.cast(pl.Float64, strict=False))
            return "percent" if middle is not None and middle > 1.5 else "fraction"
    return "fraction"


def _date_forms(best: list[Guess], sample: pl.DataFrame, table: str) -> tuple[str, ...]:
    """Formats to try first: day before month where some first number is over 12 and no second one is."""
    firsts: list[int] = []
    seconds: list[int] = []
    marks: set[str] = set()
    for found in best:
        if TABLES[table][found.ours] != pl.Date or found.theirs not in sample.columns:
            continue
        cells = _text(sample[found.theirs])
        some = cells.filter(cells.str.contains(_DAY_FIRST))
        firsts += some.str.extract(_DAY_FIRST).cast(pl.Int64).to_list()
        seconds += some.str.extract(r"^\s*\d{1,2}[/.\-](\d{1,2})").cast(pl.Int64).to_list()
        marks |= set(some.str.extract(r"^\s*\d{1,2}([/.\-])").to_list())
    if not marks:
        return ()
    day_first = max(firsts) > 12 or (max(seconds) <= 12 and marks & {".", "-"})
    first, second = ("%d", "%m") if day_first else ("%m", "%d")
    return tuple(f"{first}{mark}{second}{mark}%Y" for mark in sorted(marks))


def _source(found: Guess, sample: pl.DataFrame) -> Source:
    """The column as a mapping names it; labels of buckets are read as their first day."""
    words = _buckets(sample[found.theirs]) if found.ours == "days_past_due" else {}
    return Source(column=found.theirs, unit=found.unit, words=words)


def _buckets(cells: pl.Series) -> dict[str, str]:
    """Days past due at which each bucket begins, by label; empty where the cells are numbers."""
    labels = _text(cells).unique().sort().to_list()
    if not labels or all(re.fullmatch(r"[\d.,]+", label) for label in labels):
        return {}
    days = {label: _first_day(label) for label in labels}
    if any(day is None for day in days.values()):
        return {}
    return {label: str(day) for label, day in days.items()}


def _first_day(label: str) -> int | None:
    """The first day past due of a bucket; 1 where it says only until when; None where it is no bucket."""
    plain = _SPOKEN.sub("", label.lower())
    if plain in _CURRENT or label.lower().strip() in _CURRENT:
        return 0
    months = (
        1 if re.search("个?月|months?", plain) else _A_YEAR if re.search("年|years?", plain) else 0
    )
    plain = re.sub("个?月|months?|年|years?", "", plain)
    size = months * _DAYS_A_BUCKET or 1
    if stage := _STAGE.match(plain):
        number = int(stage[1])
        return (number - 1) * _DAYS_A_BUCKET + 1 if number else 0
    if _WITHIN.match(plain):
        return 1
    if span := _SPAN.match(plain):
        return int(span[1]) * size + (size > 1)
    if over := _OVER.match(plain):
        sign, number, behind = over[1], int(over[2]) * size, over[3]
        return number + (sign == ">" or behind is not None)
    return None


def _with_title(how: TableMap, raw: Raw) -> TableMap:
    """What the titles above the table say: the cut-off date."""
    columns = dict(how.columns)
    if raw.day and "as_of" not in columns and "loan_id" in columns:
        columns["as_of"] = Source(constant=raw.day)
    days, default = columns.get("days_past_due"), columns.get("default_date")
    if days is not None and days.words and default is not None:
        # A label tells the month only; the day since which a loan is overdue tells the day.
        columns["days_past_due"] = days.model_copy(update={"since": default.column})
    return how.model_copy(update={"columns": columns})
