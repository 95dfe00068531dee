"""Runs every section and writes what was found into docs/validation.md.

`--smoke` runs small sizes only and writes nothing: it shows that the sections still run. Names of sections run these
alone; the page then says which were left out.
A section is a module of this folder with a `main(smoke) -> str` that gives its Markdown.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECTIONS: tuple[str, ...] = (
    "recovery_worlds",
    "recovery_real",
    "rolls_real",
    "misses_world",
    "hidden_worlds",
    "hidden_real",
    "ways_world",
    "market",
    "deals",
)
HEAD = """# Validation

Written by `make validation`. Synthetic worlds come from generators in `validation/worlds/` that share neither code nor
mechanism with the models judged in them; real loans lie outside this repository, in the folder that `ARREARS_REAL`
names. Brackets hold bootstrap intervals. Where Arrears is not better, it says so.
"""


def main(words: list[str]) -> None:
    """Run all in their order, or those that are named; stop at the first that fails."""
    smoke = ["--smoke"] if "--smoke" in words else []
    named = [section for section in SECTIONS if section in words] or list(SECTIONS)
    parts = [HEAD]
    for section in named:
        command = [sys.executable, "-m", f"validation.{section}", *smoke]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        print(done.stdout, flush=True)
        parts.append(done.stdout.strip() + "\n")
    left = [section for section in SECTIONS if section not in named]
    if left:
        parts.append(f"Not measured for this page: {', '.join(left)}.\n")
    if not smoke:
        (ROOT / "docs/validation.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
