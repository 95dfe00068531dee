"""`arrears price` against reading the tape alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from arrears import run

# Reading and nothing else, as every command does it; a process of its own, so that Python's start is in all rows.
_READ = "import sys; from arrears import run; from arrears.run.gather import gather; gather(run.Request(sys.argv[1]))"
_DUE = ("next_due_date", "next_due_interest", "next_due_principal", "last_payment_date", "last_payment")  # fmt: skip


class Span(NamedTuple):
    """How long a process took: by the clock, and of all cores' time."""

    seconds: float
    cpu: float


def timed(*words: str) -> Span:
    """A process of its own."""
    began, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system  # fmt: skip
    return Span(time.perf_counter() - began, cpu)


def bad_book(loans: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The same loans, all in default: ages 1 to 120 months since day 91."""
    months = np.random.default_rng(1).integers(1, 121, loans.height)
    days = [91 + round(30.44 * int(month)) for month in months]
    since = [(as_of - timedelta(days=day)).isoformat() for day in days]
    return loans.with_columns(
        pl.Series("days_past_due", days),
        pl.Series("default_date", since),
        pl.lit("loss").alias("reported_class"),
        *(pl.lit(None, pl.String).alias(name) for name in _DUE if name in loans.columns),
    )


def best(spans: list[Span]) -> Span:
    """The quickest by the clock, and the least of the cores' time."""
    return Span(min(span.seconds for span in spans), min(span.cpu for span in spans))


def main(words: list[str]) -> None:
    """Print the section as Markdown."""
    smoke = "--smoke" in words
    loans = 1_000 if smoke else 270_000
    with tempfile.TemporaryDirectory(prefix="arrears-price-") as place:
        folder = Path(place)
        run.synth(run.SynthRequest(loans=loans, months=1, seed=1), out=folder / "book")
        whole = folder / "book/loans.csv"
        text = pl.read_csv(whole, infer_schema=False)
        bad_book(text, date(2025, 3, 31)).write_csv(folder / "bad.csv")
        command = ("-m", "arrears.cli", "price")
        out = ("--force", "--quiet", "-o", str(folder / "bid"))
        timed(*command, str(whole), *out)
        print(f"## A price: {loans:,} loans as CSV, 1,000 scenarios\n")
        print(
            "| book | reading alone, s | `arrears price`, s | beyond reading, s | the same, CPU s |"
        )
        print("|---|---:|---:|---:|---:|")
        for name, tape in (
            ("a bank's whole retail book", whole),
            ("all in default, ages 1 to 120 months", folder / "bad.csv"),
        ):
            pairs = [
                (timed("-c", _READ, str(tape)), timed(*command, str(tape), *out))
                for _ in range(1 if smoke else 5)
            ]
            read, price = (best(list(spans)) for spans in zip(*pairs, strict=True))
            print(
                f"| {name} | {read.seconds:.2f} | {price.seconds:.2f} "
                f"| {price.seconds - read.seconds:.2f} | {price.cpu - read.cpu:.2f} |"
            )
    print(
        "\nThe start of Python and of the libraries that reading needs is in both. Beyond reading: the forecast, its "
        "scenarios, the price, pictures (in a process beside), the page, and `accepted.parquet`, which is the tape "
        "once more."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
