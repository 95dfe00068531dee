"""`arrears price` against reading the tape alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from arrears import run


def timed(*words: str) -> float:
    """Seconds of a command in a process of its own."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "arrears.cli", *words, "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main(words: list[str]) -> None:
    """Print the section as Markdown."""
    loans = 1_000 if "--smoke" in words else 200_000
    with tempfile.TemporaryDirectory(prefix="arrears-price-") as place:
        folder = Path(place)
        run.synth(run.SynthRequest(loans=loans, months=1, seed=1), out=folder / "book")
        tape = str(folder / "book/loans.csv")
        timed("price", tape, "-o", str(folder / "warm"))
        spans = [
            (
                timed("check", tape, "-o", str(folder / f"c{k}")),
                timed("price", tape, "-o", str(folder / f"p{k}")),
            )
            for k in range(1 if "--smoke" in words else 3)
        ]
    read, price = (min(span) for span in zip(*spans, strict=True))
    print(f"## A price: {loans:,} loans as CSV, 1,000 scenarios\n")
    print("| command | seconds |\n|---|---:|")
    print(f"| `arrears check` (reads and checks the tape, writes it) | {read:.1f} |")
    print(f"| `arrears price` | {price:.1f} |\n")
    print(f"Beyond reading: {price - read:.1f} s. Start of Python and products are in both.")


if __name__ == "__main__":
    main(sys.argv[1:])
