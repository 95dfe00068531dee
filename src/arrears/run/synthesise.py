"""Write a synthetic book with known truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from arrears import synth as books
from arrears.errors import BadArgument
from arrears.files import SHEET_ROWS, did_you_mean, staged
from arrears.problems import Problem
from arrears.run.products import Products, to_json
from arrears.run.stages import Stages, Watcher
from arrears.run.stopped import Stopped

RECORD = "synth.json"
CUT_OFF = date(2025, 3, 31)
TABLES = ("loans", "payments", "months", "events", "contacts")
_WORDS = {
    "style": ("cn", "plain"),
    "format": ("csv", "parquet", "xlsx"),
    "encoding": ("utf-8", "gb18030"),
}


@dataclass(frozen=True)
class SynthRequest:
    """What book to make, and in what form.

    Attributes:
        recipe: a file that says what the book is like; None for the bundled figures.
        truth: whether `truth.parquet` is left too.

    Raises:
        BadArgument: an unknown word.
    """

    loans: int
    months: int = 24
    as_of: date | None = None
    style: str = "plain"
    format: str = "csv"
    encoding: str = "utf-8"
    recipe: Path | None = None
    truth: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name, words in _WORDS.items():
            word = getattr(self, name)
            if word not in words:
                raise BadArgument(
                    f"{word!r} is no {name}.",
                    code="BAD-OPTION",
                    where=f"--{name}",
                    fix=did_you_mean(word, words),
                )


def synth(
    request: SynthRequest,
    *,
    out: Path,
    force: bool = False,
    watcher: Watcher | None = None,
) -> dict[str, int]:
    """Write a book to `out`; the rows of each table.

    Raises:
        Stopped: the recipe cannot be used.
        BadArgument: `out` cannot be written to.
    """
    recipe = _recipe(request.recipe)
    stages = Stages(watcher)
    with staged(out, force=force, record=RECORD) as place, stages.stage("synth"):
        products = Products(place.folder)
        rows = _write(request, recipe, place.folder, stages)
        for name in sorted(path.name for path in place.folder.iterdir()):
            products.adopt(name)
        record = {"seed": request.seed, "rows": rows, "products": products.hashes}
        (place.folder / RECORD).write_text(to_json(record), encoding="utf-8")
    return rows


def _recipe(path: Path | None) -> books.Recipe:
    if path is None:
        return books.Recipe()
    recipe, problems = books.read_recipe(path)
    if recipe is None:
        raise Stopped(problems)
    return recipe


def _write(
    request: SynthRequest, recipe: books.Recipe, folder: Path, stages: Stages
) -> dict[str, int]:
    """Write the tables block by block; the rows of each."""
    as_of = request.as_of or CUT_OFF
    chunks = books.book(
        recipe, loans=request.loans, months=request.months, as_of=as_of, seed=request.seed
    )
    rows = dict.fromkeys(TABLES, 0)
    done = 0
    for number, chunk in enumerate(chunks):
        for name, table in chunk.tables.items():
            shown = books.render(table, name, request.style)
            if request.format == "csv":
                path = folder / f"{name}.csv"
                content = books.to_bytes(shown, "csv", request.encoding, head=not path.exists())
                with path.open("ab") as file:
                    file.write(content)
            else:
                shown.write_parquet(_part(folder, name, number), compression="uncompressed")
            rows[name] += table.height
        chunk.truth.write_parquet(_part(folder, "truth", number), compression="uncompressed")
        done += chunk.truth.height
        stages.watcher.advance(done, request.loans)
    if request.format == "xlsx":
        _check_sheets(rows)
    for name in TABLES if request.format != "csv" else ():
        _join(folder, name, request.format)
    if request.truth:
        _join(folder, "truth", "parquet")
    for path in folder.glob("*.part"):
        path.unlink()
    return rows


def _part(folder: Path, name: str, number: int) -> Path:
    return folder / f"{name}.{number:06d}.part"


def _join(folder: Path, name: str, form: str) -> None:
    """One file of the parts of a table; Parquet without holding them all at once."""
    parts = pl.scan_parquet(sorted(folder.glob(f"{name}.*.part")))
    path = folder / f"{name}.{form}"
    if form == "parquet":
        parts.sink_parquet(path, compression="zstd", compression_level=1)
    else:
        path.write_bytes(books.to_bytes(parts.collect(), form))


def _check_sheets(rows: dict[str, int]) -> None:
    for name, count in rows.items():
        if count > SHEET_ROWS:
            found = f"{name} has {count:,} rows; a sheet holds {SHEET_ROWS:,}."
            fix = "Use --format csv or parquet, or fewer loans or months."
            why = "Rows would be lost."
            raise Stopped([Problem("SHEET-FULL", "error", "--format", found, why, fix)])
