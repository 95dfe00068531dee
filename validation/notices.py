"""Packages of which only the public header is known: Arrears' price beside the start price, with the error."""

# ruff: noqa: E501 - rows of a table

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from arrears import market, run
from arrears.market import Header, read_header
from arrears.recovery.forecast import window
from validation.market import DAY, MARKET, forecast

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples/notices"
HEAD = """# Packages by their public header

Made by `make docs` from `examples/notices/`; a test holds it true. Prices are a buyer's at a return of 15 per cent, in
fen on the yuan unpaid, from the header alone. The error is the price over the start price less one; a start price is
what the seller asks at least, not what was paid: cards of 2024 started at 4.0 and were sold at 5.3 on average (FACTS
3.2), since when most lots are said to have gone at the start price (METHODS 5.3). So the error stands twice, beside the
start price and beside the price that such a start led to then; the truth lies between them. Where the notice left out
what a price needs, the file says what stands in for it: such rows test the stand-in as much as the price. The range
holds the price nine times in ten, by what is collected. The last figure is the age at which such a package would be
worth its start price and no more: the size of the gap in the terms in which a bidder can check it.

| package | days past due | told of age | price | range | start price | error | sold as in 2024 | worth the start at, days | source |
|---|---:|---|---:|---|---:|---:|---:|---:|---|
"""
SOLD_OVER_START = MARKET.number("auction/price_over_start", DAY)


def worth_at(product: str) -> tuple[np.ndarray, np.ndarray]:
    """Days past due and worth to a buyer for a yuan unpaid, of packages whose loans lie around that age."""
    days = np.arange(91, 91 + 31 * 118, 31)
    found = forecast([int(day) for day in days], product)
    figures = {
        name: MARKET.number(f"buyer/{name}", DAY)
        for name in ("irr", "horizon", "vat", "litigation")
    }
    weights = window(figures["irr"], 0, int(figures["horizon"]))
    weights = weights * (1.0 - figures["vat"] - figures["litigation"])
    alone = market.kept_by_loan(found, weights, MARKET, DAY) / found.claim
    spread = np.array([0.6, 0.8, 1.0, 1.2, 1.4])
    return days, np.interp(days[:, None] * spread, days, alone, right=0.0).mean(axis=1)


def age_of_start(header: Header, price: float, start: float | None) -> float | None:
    """Age at which the package would be worth its start price; None where it is not told, or no age is."""
    if start is None:
        return None
    days, worth = worth_at(header.product)
    wanted = float(np.interp(header.days_overdue, days, worth)) * start / price
    if not worth.min() <= wanted <= worth.max():
        return None
    return float(np.interp(-wanted, -worth, days))


def rows() -> list[dict[str, object]]:
    """One for each package, by name of file."""
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        header, problems = read_header(path)
        if header is None:
            raise ValueError(problems[0].line())
        with tempfile.TemporaryDirectory(prefix="arrears-notices-") as place:
            run.price_header(path, out=Path(place) / "out", scenarios=200)
            told = json.loads((Path(place) / "out/price.json").read_text("utf-8"))
        start = header.start_price
        line = next(t for t in path.read_text("utf-8").split("\n") if t.startswith("days_overdue"))
        found.append(
            {
                "name": header.name,
                "days": header.days_overdue,
                "stands_in": "# not told" in line or "# told as" in line,
                "price": told["per_claim"],
                "range": [told["price_range"][rank] / told["claim"] for rank in ("q05", "q95")],
                "start": None if start is None else start / told["claim"],
                "age": age_of_start(header, told["price"], None if start is None else float(start)),
                "source": header.source,
            }
        )
    return found


def _off(price: object, other: object) -> str:
    return "n/a" if other is None else f"{100 * (price / other - 1):+.0f} %"  # type: ignore[operator]


def page() -> str:
    """The page as Markdown."""
    found = rows()
    lines, errors = [], []
    for row in found:
        start = row["start"]
        error = _off(row["price"], start)
        sold = _off(row["price"], None if start is None else start * SOLD_OVER_START)  # type: ignore[operator]
        if start is not None:
            errors.append((abs(row["price"] / start - 1), bool(row["stands_in"])))  # type: ignore[operator]
        asked = "not told" if start is None else f"{100 * start:.2f}"  # type: ignore[operator]
        low, high = row["range"]  # type: ignore[misc]
        same = "n/a" if row["age"] is None else f"{row['age']:,.0f}"
        age = "no" if row["stands_in"] else "yes"
        lines.append(
            f"| {row['name']} | {row['days']:,.0f} | {age} | {100 * row['price']:.2f} "  # type: ignore[operator]
            f"| {100 * low:.1f} to {100 * high:.1f} | {asked} | {error} | {sold} | {same} | {row['source']} |"
        )
    near = sum(1 for error, _ in errors if error <= 0.25)
    known = sorted(error for error, stands_in in errors if not stands_in)
    shown = ", ".join(f"{100 * error:.0f} %" for error in known)
    inside = sum(
        1
        for row in found
        if row["start"] is not None and row["range"][0] <= row["start"] <= row["range"][1]
    )  # type: ignore[index, operator]
    far = [
        str(row["name"])
        for row in found
        if row["start"] is not None and row["price"] > 1.5 * row["start"]
    ]  # type: ignore[operator]
    told = (
        f"\nOf {len(errors)} start prices, {near} within a quarter of the price and {inside} in its range. "
        f"Where the age was told, the distances are {shown}; where it was not, the age alone may explain it: see the "
        "age that the start price stands for beside the one that stands in. A price above the start is what a seller "
        "hopes for; one far above it says that the prior lets these loans pay more than their seller believed: "
        f"{'; '.join(far) or 'none'}. The prior's product effects come from packages of all ages. They hold at the ages "
        "that principal tells (`market` in validation.md), but not for young business packages, which two sellers "
        "started at what a consumer package of that age is worth: business loans pay for longer, not more at first. "
        "Two starts of untold age are too few to bend the curve by. Of what else a notice tells (tickets, age of "
        "borrowers, province) only the direction is published: small tickets and borrowers aged 30 to 50 are "
        "preferred (FACTS 3.2).\n"
    )
    return HEAD + "\n".join(lines) + "\n" + told


if __name__ == "__main__":
    text = page()
    if "--write" in sys.argv:
        (ROOT / "docs/notices.md").write_text(text, encoding="utf-8")
    else:
        print(text)
