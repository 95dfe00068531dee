"""An inspection as a file: `loan_id, hidden`, and `chance` where the loans were proposed here."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from arrears.core.words import counted
from arrears.files import did_you_mean
from arrears.problems import Problem
from arrears.tape.source import ROW, read_raw

_YES = ("true", "1", "yes", "y", "是")
_NO = ("false", "0", "no", "n", "否")
_WHY = "What was found there cannot be used."
_NEAR = 2_000


def read_audit(path: Path, loans: pl.DataFrame) -> tuple[pl.DataFrame | None, list[Problem]]:
    """What an inspection found, a row a loan: `loan_id, hidden, chance?`; and what is wrong with the file.

    Rows that cannot be used are told and left out; the file stops the work only where nothing of it is left.
    """
    raw, problems = read_raw(path)
    if raw is None:
        return None, problems
    place = path.name
    missing = [name for name in ("loan_id", "hidden") if name not in raw.headers]
    if missing:
        found = f"The column {missing[0]} is missing."
        fix = f"{did_you_mean(missing[0], raw.headers)} Needed: loan_id, hidden."
        return None, [Problem("AUDIT-NO-COLUMN", "error", place, found, _WHY, fix.strip())]
    word = pl.col("hidden").cast(pl.String).str.strip_chars().str.to_lowercase()
    blocks = list(raw.blocks())
    bad = [block for block in blocks if isinstance(block, Problem)]
    if bad:
        return None, bad
    table = pl.concat([block.table for block in blocks if not isinstance(block, Problem)])
    rows = table.select(
        row=ROW,
        loan_id=pl.col("loan_id").cast(pl.String).str.strip_chars(),
        said=word,
        hidden=pl.when(word.is_in(_YES)).then(True).when(word.is_in(_NO)).then(False),
        chance=pl.col("chance").cast(pl.Float64, strict=False)
        if "chance" in raw.headers
        else pl.lit(None, pl.Float64),
    )
    problems = _told(rows, loans, place)
    unknown = ~pl.col("loan_id").is_in(loans["loan_id"].implode())
    usable = rows.filter(~unknown.fill_null(True), pl.col("hidden").is_not_null())
    agreed = usable.filter(pl.col("hidden").n_unique().over("loan_id") == 1)
    kept = agreed.unique("loan_id", keep="first", maintain_order=True).sort("loan_id")
    if kept.is_empty():
        found = "No row is left that names a loan of the tape and says true or false."
        fix = "Write loan_id and hidden (true or false), a row a loan."
        problems.append(Problem("AUDIT-EMPTY", "error", place, found, "Nothing to learn.", fix))
        return None, problems
    chance = pl.col("chance")
    possible = pl.when((chance > 0) & (chance <= 1)).then(chance)
    return kept.select("loan_id", "hidden", chance=possible), problems


def _told(rows: pl.DataFrame, loans: pl.DataFrame, place: str) -> list[Problem]:
    """Unknown loans, loans named twice, and words that are neither true nor false: how many, and where the first is."""
    unknown = rows.filter(~pl.col("loan_id").is_in(loans["loan_id"].implode()).fill_null(False))
    twice = rows.filter(pl.col("loan_id").is_duplicated(), pl.col("loan_id").is_not_null())
    unclear = rows.filter(pl.col("hidden").is_null())
    ids = loans["loan_id"].head(_NEAR).to_list()
    near = did_you_mean(str(unknown["loan_id"][0]), ids) if unknown.height else ""
    told = (
        ("AUDIT-UNKNOWN-LOAN", unknown, "loan_id", "no loan of the tape", near or "Correct the id."),
        ("AUDIT-TWICE", twice, "loan_id", "named more than once", "Keep one row a loan."),
        ("AUDIT-NO-BOOL", unclear, "said", "neither true nor false", "Write true or false."),
    )  # fmt: skip
    return [
        Problem(
            code,
            "warning",
            f"{place} row {table['row'][0]} {'hidden' if column == 'said' else column}",
            f"{counted(table.height, 'row')}: {words}, the first {table[column][0]!r}",
            _WHY,
            fix,
        )
        for code, table, column, words, fix in told
        if table.height
    ]
