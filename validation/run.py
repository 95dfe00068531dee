"""Runs every section and writes what was found into docs/validation.md.

`--smoke` runs small sizes only and writes nothing: it shows that the sections still run. Names of sections run these
alone; the page keeps the others as they were, and says which it never held.
A section is a module of this folder with a `main(smoke) -> str` that gives its Markdown.
"""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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
    page = ROOT / "docs/validation.md"
    found = _sections(page.read_text("utf-8")) if page.exists() else {}

    def told(section: str) -> str:
        command = [sys.executable, "-m", f"validation.{section}", *smoke]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout

    with ThreadPoolExecutor(2 if smoke else 1) as workers:
        for section, text in zip(named, workers.map(told, named), strict=True):
            print(text, flush=True)
            found[section] = text.strip() + "\n"
    if smoke:
        return
    parts = [f"<!-- {section} -->\n{found[section]}" for section in SECTIONS if section in found]
    left = [section for section in SECTIONS if section not in found]
    if left:
        parts.append(f"<!-- -->\nNot measured for this page: {', '.join(left)}.\n")
    page.write_text("\n".join([HEAD, *parts]), encoding="utf-8")


def _sections(page: str) -> dict[str, str]:
    """The sections of a page by name, each of which follows its name as a comment."""
    named = re.split(r"^<!-- (\w*) -->\n", page, flags=re.M)[1:]
    return {
        name: text.strip() + "\n"
        for name, text in zip(named[::2], named[1::2], strict=True)
        if name in SECTIONS
    }


if __name__ == "__main__":
    main(sys.argv[1:])
