"""Which column of a foreign table is taken for what, and in what unit."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from arrears.files import did_you_mean, read_model
from arrears.problems import Problem
from arrears.tape.columns import TABLES

Unit = Literal["fen", "yuan", "10k_yuan"]
UNIT_WORDS: dict[str, Unit] = {
    "分": "fen",
    "元": "yuan",
    "万元": "10k_yuan",
    "yuan": "yuan",
    "fen": "fen",
    "人民币元": "yuan",
    "人民币万元": "10k_yuan",
    "rmb": "yuan",
    "cny": "yuan",
}
_FORMS = ("column", "constant", "sum", "difference", "days_between")


class Source(BaseModel):
    """Where a column comes from: one of five forms, and how its words are read.

    Attributes:
        column: their column's name.
        constant: the same value in every row.
        sum: their columns, added; an empty cell counts nothing.
        difference: the first of their columns less the others; an empty one of these counts nothing.
        days_between: days from the first date to the second; `as_of` is the cut-off date.
        words: ours for theirs.
        unit: of this column, where it is not that of the table.
        since: their column of dates; where it holds one, the days from it to the cut-off date are taken instead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = None
    constant: date | str | int | float | bool | None = None
    sum: tuple[str, ...] | None = None
    difference: tuple[str, ...] | None = None
    days_between: tuple[str, str] | None = None
    words: dict[str, str] = Field(default_factory=dict)
    unit: Unit | None = None
    since: str | None = None

    @model_validator(mode="after")
    def _is_one_form(self) -> Source:
        if sum(getattr(self, form) is not None for form in _FORMS) != 1:
            raise ValueError(f"give one of {', '.join(_FORMS)}")
        return self

    @property
    def is_a_cell(self) -> bool:
        """Whether it names cells to be read, not something worked out from several."""
        return self.column is not None or self.constant is not None

    def columns(self) -> list[str]:
        """Their columns that it reads."""
        named = [self.column, self.since, *(self.sum or ()), *(self.difference or ())]
        named += [name for name in self.days_between or () if name != "as_of"]
        return [name for name in named if name is not None]


class TableMap(BaseModel):
    """How one table is read.

    Attributes:
        unit: of money columns.
        rate: whether rates are per cent or fractions a year.
        dates: formats of dates besides the usual ones, e.g. `%d.%m.%Y`.
        rows: rows that belong to the tape: a column and the words it may hold.
        columns: our name, and where it comes from.
        sure: how sure a guess is of each column, 0 to 1; a person who corrects one may leave it as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: Unit = "yuan"
    rate: Literal["percent", "fraction"] = "fraction"
    dates: tuple[str, ...] = ()
    rows: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    columns: dict[str, Source]
    sure: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _plain_names(cls, data: object) -> object:
        if isinstance(data, dict) and isinstance(data.get("columns"), dict):
            columns = {
                name: {"column": source} if isinstance(source, str) else source
                for name, source in data["columns"].items()
            }
            return {**data, "columns": columns}
        return data


class Mapping(BaseModel):
    """How the tables of a tape are read, by table; a table left out is guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    loans: TableMap | None = None
    payments: TableMap | None = None
    months: TableMap | None = None
    events: TableMap | None = None
    contacts: TableMap | None = None

    def as_dict(self) -> dict[str, object]:
        """As it stands in a file."""
        return {name: _plain(table) for name, table in self if table is not None}

    def lines(self) -> list[str]:
        """What is taken for what, for people."""
        lines = []
        for name, table in self:
            if table is None:
                continue
            lines.append(f"{name}: money in {table.unit}, rates as {table.rate}")
            for ours, source in table.columns.items():
                sure = f"{table.sure[ours]:6.0%} sure" if ours in table.sure else ""
                unit = f" [{source.unit}]" if source.unit else ""
                theirs = (", ".join(source.columns()) or str(source.constant)) + unit
                lines.append(f"  {ours:<26} <- {theirs:<40} {sure}".rstrip())
        return lines


def _plain(table: TableMap) -> dict[str, object]:
    told = table.model_dump(mode="json", exclude_defaults=True, exclude={"columns"})
    columns: dict[str, object] = {}
    for ours, source in table.columns.items():
        form = source.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        columns[ours] = form["column"] if set(form) == {"column"} else form
    return {"unit": table.unit, "rate": table.rate, **told, "columns": columns}


def read_mapping(path: Path) -> tuple[Mapping | None, list[Problem]]:
    """A mapping from its file; unknown canonical names are problems."""
    mapping, problems = read_model(path, Mapping, code="MAP")
    for table, part in mapping or ():
        for name in part.columns if part else ():
            if name not in TABLES[table]:
                found = f"{table} has no column {name!r}."
                fix = did_you_mean(name, TABLES[table])
                why = "It would be lost."
                problems.append(Problem("MAP-UNKNOWN-COLUMN", "error", path.name, found, why, fix))
    return mapping, problems


def save_mapping(mapping: Mapping, path: Path) -> None:
    """Write a mapping where a person can correct it."""
    head = "# Which column is taken for what: ours: theirs. Correct it and pass it as --map.\n"
    text = yaml.safe_dump(mapping.as_dict(), allow_unicode=True, sort_keys=False)
    path.write_text(head + text, encoding="utf-8")


def row_filter(kept: pl.DataFrame, how: TableMap) -> pl.DataFrame:
    """The rows of a file that belong to the tape."""
    for column, words in how.rows.items():
        if column in kept.columns:
            kept = kept.filter(pl.col(column).cast(pl.String).is_in(words))
    return kept
