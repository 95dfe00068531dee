"""Runs every benchmark and writes what they measured into README.md.

`--smoke` runs small sizes only and writes nothing: it shows that the benchmarks still run.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = (
    "tape.py",
    "history.py",
    "resolve.py",
    "plan.py",
    "recovery_grid.py",
    "price.py",
    "hidden.py",
    "deals.py",
    "fit.py",
)
HEAD = """# Benchmarks

Written by `make bench`; each section was measured in one run, on a machine with {cores} cores, Python {python}.
Times are wall-clock seconds after a first run that compiles; they differ from machine to machine, ratios less so.
"""


def main(words: list[str]) -> None:
    """Run all; stop at the first that fails."""
    smoke = "--smoke" in words
    parts = [HEAD.format(cores=os.cpu_count(), python=platform.python_version())]

    def told(script: str) -> str:
        command = [sys.executable, str(HERE / script), *(["--smoke"] if smoke else [])]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    # Times of a small run tell nothing, so that two may run at once.
    with ThreadPoolExecutor(2 if smoke else 1) as workers:
        for section in workers.map(told, SCRIPTS):
            print(section, flush=True)
            parts.append(section.strip() + "\n")
    if not smoke:
        (HERE / "README.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
