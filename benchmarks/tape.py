"""Reading, classing and linking a tape: against a bare read, against one expression by hand, and as books grow."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from arrears import run
from arrears.rules import load
from arrears.standing import classify
from arrears.tape import TapeFiles, read
from arrears.tape.link import link

SIZES = (270_000, 1_000_000)
SMOKE = (5_000,)
REPEATS = 3


@dataclass(frozen=True)
class Measured:
    """Seconds by size."""

    loans: int
    bare: float
    read: float
    by_hand: float
    classify: float
    link: float


def best(work: Callable[[], object]) -> float:
    """The shortest of a few runs, in seconds."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def by_hand(loans: pl.DataFrame) -> pl.DataFrame:
    """The class by days and card matrix with its article, and no other rule, as one expression."""
    days, card = pl.col("days_past_due"), pl.col("product") == "credit_card"
    old = pl.col("origination_date") < date(2023, 7, 1)
    general = (
        pl.when(days > 360).then(4).when(days > 270).then(3).when(days > 90).then(2)
        .when(days > 0).then(1).otherwise(0)
    )  # fmt: skip
    plain = pl.when(days > 90).then(2).when(days > 0).then(1).otherwise(0)
    matrix = (
        pl.when(days > 180).then(4).when(days > 120).then(3).when(days > 90).then(2)
        .when(days > 0).then(1).otherwise(0)
    )  # fmt: skip
    floor = pl.when(old).then(plain).otherwise(general)
    level = pl.max_horizontal(floor, pl.when(card).then(matrix).otherwise(0))
    regime = pl.when(old).then(pl.lit("CN-CLASS-2007")).otherwise(pl.lit("CN-CLASS-2023"))
    return loans.select(
        "loan_id",
        level,
        articles=pl.concat_list(regime, pl.when(card).then(pl.lit("CN-CARD-2011-92"))),
    )


def measure(loans: int, folder: Path) -> Measured:
    """Make a book, and read, class and link it."""
    out = folder / f"book{loans}"
    run.synth(run.SynthRequest(loans=loans, months=1), out=out)
    path = out / "loans.csv"
    tape = read(TapeFiles(path)).tape
    assert tape is not None
    book, table = load("cn"), tape.loans
    return Measured(
        loans,
        bare=best(lambda: pl.read_csv(path)),
        read=best(lambda: read(TapeFiles(path))),
        by_hand=best(lambda: by_hand(table)),
        classify=best(lambda: classify(table, as_of=tape.as_of, rulebook=book)),
        link=best(lambda: link(table)),
    )


def section(*, smoke: bool = False) -> str:
    """The part of benchmarks/README.md that this file measures."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(loans, Path(folder)) for loans in (SMOKE if smoke else SIZES)]
    lines = [
        "## Reading, classing, linking",
        "",
        "Seconds, the best of three in one process. `bare` is Polars reading the same CSV with types; `by hand` is the "
        "class by days and card matrix alone, as one expression, without impairment, fraud, observation or stage.",
        "",
        "| loans | bare | read and check | ratio | by hand | classify | ratio | link |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        lines.append(
            f"| {row.loans:,} | {row.bare:.2f} | {row.read:.2f} | {row.read / row.bare:.1f} | {row.by_hand:.3f} "
            f"| {row.classify:.2f} | {row.classify / row.by_hand:.1f} | {row.link:.1f} |"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    lines += ["", f"Peak memory of the process {peak:.1f} GB.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    print(section(smoke="--smoke" in sys.argv))
