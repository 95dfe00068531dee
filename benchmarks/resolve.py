"""The main job from file to report: seconds by stage, peak memory, and cost as the book grows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
SIZES = (10_000, 100_000, 270_000, 1_000_000)
SMOKE = (1_000, 2_000)
SCENARIOS = 1_000


@dataclass(frozen=True)
class Measured:
    """One run of the command: loans, wall-clock seconds, peak memory in bytes, seconds by stage."""

    loans: int
    wall: float
    peak: int
    seconds: dict[str, float]


def command(*words: str) -> tuple[float, int]:
    """Run `arrears` in a process of its own; its wall-clock seconds and its peak memory in bytes."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "arrears.cli", *words, "--quiet"], stdout=2)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"arrears {' '.join(words)} left with {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss * 1024


def capacities(loans: int, folder: Path) -> Path:
    """Limits that bind on a book of this size: a bank's capacity grows with it."""
    path = folder / f"capacities{loans}.yaml"
    limits = {"court_filings": 0.03, "call_hours": 0.12, "restructure_offers": 0.045}
    lines = [f"  - {{name: {name}, max: {share * loans:.0f}}}" for name, share in limits.items()]
    lines.append(f"  - {{name: transfer_claim, max: {1_500 * loans} yuan}}")
    path.write_text("capacities:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def measure(loans: int, folder: Path) -> Measured:
    """Make a book of `loans` and resolve it."""
    book, result = folder / f"book{loans}", folder / f"result{loans}"
    shape = ("--loans", str(loans), "--months", "12", "--format", "parquet")
    command(
        "synth", *shape, "--recipe", str(EXAMPLES / "eastern_bank/recipe.yaml"), "-o", str(book)
    )
    wall, peak = command(
        "resolve",
        str(book / "loans.parquet"),
        *("--holder", str(EXAMPLES / "eastern_bank/holder.yaml")),
        *("--capacity", str(capacities(loans, folder))),
        *("--scenarios", str(SCENARIOS), "-o", str(result)),
    )
    record = json.loads((result / "run.json").read_text("utf-8"))
    return Measured(loans, wall, peak, record["seconds"])


def main(words: list[str]) -> None:
    """Print the tables as Markdown."""
    sizes = SMOKE if "--smoke" in words else SIZES
    # What a first run compiles is no part of a run.
    with tempfile.TemporaryDirectory() as place:
        measure(sizes[1], Path(place))
    with tempfile.TemporaryDirectory() as place:
        runs = [measure(loans, Path(place)) for loans in sizes]
    print(f"## `arrears resolve`, file to report, {SCENARIOS:,} scenarios\n")
    print("| loans | seconds | µs a loan | peak memory |\n|---:|---:|---:|---:|")
    for run in runs:
        each = run.wall / run.loans * 1e6
        print(f"| {run.loans:,} | {run.wall:.1f} | {each:.0f} | {run.peak / 1e9:.2f} GB |")
    stages = list(runs[-1].seconds)
    heads = ["loans", "start", *stages]
    print("\nSeconds by stage; they add up to the seconds above, `start` being imports:\n")
    print("| " + " | ".join(heads) + " |\n|" + "---:|" * len(heads))
    for run in runs:
        told = [run.wall - sum(run.seconds.values()), *(run.seconds[name] for name in stages)]
        print(f"| {run.loans:,} | " + " | ".join(f"{took:.2f}" for took in told) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
