"""Runs every benchmark and writes what they measured into README.md.

`--smoke` runs small sizes only and writes nothing: it shows that the benchmarks still run.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
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
    for script in SCRIPTS:
        command = [sys.executable, str(HERE / script), *(["--smoke"] if smoke else [])]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(done.stdout, flush=True)
        parts.append(done.stdout.strip() + "\n")
    if not smoke:
        (HERE / "README.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
