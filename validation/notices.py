"""Packages of which only the public header is known: Arrears' price beside the start price, with the error."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from arrears import run
from arrears.market import read_header

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples/notices"
HEAD = """# Packages by their public header

Made by `make docs` from `examples/notices/`; a test holds it true. Prices are a buyer's at a return of 15 per cent, in
fen on the yuan unpaid, from the header alone. The error is the price over the start price less one; a start price is
what the seller asks at least, not what was paid. Where the notice left out what a price needs, the file says what
stands in for it: such rows test the stand-in as much as the price.

| package | days past due | told of age | price | start price | error | source |
|---|---:|---|---:|---:|---:|---|
"""


def rows() -> list[dict[str, object]]:
    """One for each package, by name of file."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        header, problems = read_header(path)
        if header is None:
            raise ValueError(problems[0].line())
        with tempfile.TemporaryDirectory(prefix="arrears-notices-") as place:
            run.price_header(path, out=Path(place) / "out", scenarios=2)
            told = json.loads((Path(place) / "out/price.json").read_text("utf-8"))
        start = header.start_price
        line = next(t for t in path.read_text("utf-8").split("\n") if t.startswith("days_overdue"))
        found.append(
            {
                "name": header.name,
                "days": header.days_overdue,
                "stands_in": "# not told" in line or "# told as" in line,
                "price": told["per_claim"],
                "start": None if start is None else start / told["claim"],
                "source": header.source,
            }
        )
    return found


def page() -> str:
    """The page as Markdown."""
    found = rows()
    lines, errors = [], []
    for row in found:
        start = row["start"]
        error = "n/a" if start is None else f"{100 * (row['price'] / start - 1):+.0f} %"  # type: ignore[operator]
        if start is not None:
            errors.append((abs(row["price"] / start - 1), bool(row["stands_in"])))  # type: ignore[operator]
        asked = "not told" if start is None else f"{100 * start:.2f}"  # type: ignore[operator]
        age = "no" if row["stands_in"] else "yes"
        lines.append(
            f"| {row['name']} | {row['days']:,.0f} | {age} | {100 * row['price']:.2f} | {asked} | {error} "  # type: ignore[operator]
            f"| {row['source']} |"
        )
    near = sum(1 for error, _ in errors if error <= 0.25)
    known = sorted(error for error, stands_in in errors if not stands_in)
    shown = ", ".join(f"{100 * error:.0f} %" for error in known)
    told = (
        f"\nOf {len(errors)} start prices, {near} within a quarter of the price. "
        f"Where the age was told, the distances are {shown}; where it was not, most of the distance "
        "may be that of the stand-in. A price above the start is what a seller hopes for; one far above "
        "it says that the prior lets these loans pay more than their seller believed.\n"
    )
    return HEAD + "\n".join(lines) + "\n" + told


if __name__ == "__main__":
    text = page()
    if "--write" in sys.argv:
        (ROOT / "docs/notices.md").write_text(text, encoding="utf-8")
    else:
        print(text)
