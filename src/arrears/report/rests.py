"""What a run rests on: the law and how sure it is, the market and what of it is assumed, what was filled."""

from __future__ import annotations

from datetime import date
from html import escape
from pathlib import Path
from typing import cast

from arrears.report import figures
from arrears.report.contents import Contents
from arrears.report.parts import paragraph, table
from arrears.rules import Rulebook


def rests(contents: Contents) -> str:
    """The last section of the page."""
    record, situation, day = contents.record, contents.situation, contents.tape.as_of
    book = cast("dict[str, object]", record["rulebook"])
    unsure = _unsure(situation.rulebook, day)
    entries = [situation.market.entry(path, day) for path in situation.market.paths()]
    stress = cast("dict[str, object]", record["settings"]).get("stress")
    used = [
        entry
        for entry in entries
        if not entry.path.startswith(("synth/", "stresses/")) or entry.path == f"stresses/{stress}"
    ]
    assumed = [
        [
            entry.path,
            _told(entry.value),
            f"{_told(entry.range[0])} to {_told(entry.range[1])}"
            if entry.range
            else figures.NOT_KNOWN,
            entry.reason or "",
        ]
        for entry in used
        if entry.assumed
    ]
    later = [entry for entry in used if entry.observed > day]
    fills = [
        [str(fill["column"]), str(fill["rule"]), figures.number(cast("int", fill["rows"]))]
        for fill in cast("list[dict[str, object]]", record["fills"])
    ]
    inputs = [
        [str(entry["name"]), Path(str(entry["path"])).name, str(entry["sha256"])[:16]]
        for entry in cast("list[dict[str, object]]", record["inputs"])
    ]
    parts = [
        '<h2 id="rests">What this rests on</h2>',
        paragraph(
            f"Arrears {record['version']}, rulebook {book['name']} ({str(book['hash'])[:12]}), "
            f"recovery by a {situation.forecast.basis}, seed {record['seed']}"
            + (f", all of it under the stress {stress}." if stress else ".")
        ),
        "<h3>Files read</h3>",
        table(["table", "file", "sha256 begins"], inputs, words=9, short=0),
    ]
    if fills:
        parts += [
            "<h3>What was missing and how it was read</h3>",
            table(["column", "rule", "rows"], fills, words=2, short=0),
        ]
    if unsure:
        parts += [
            "<h3>Articles in force of which a value is not verified</h3>",
            table(["article", "what", "values"], unsure, words=9, short=1),
            paragraph(
                "Each with its reference: docs/rulebook.md, arrears rules explain PATH.", "note"
            ),
        ]
    if assumed:
        parts += [
            f"<h3>{len(assumed)} market figures that are assumed</h3>",
            table(["figure", "value", "range", "why"], assumed, words=9, short=0),
            paragraph("Sums of money in fen; shares and rates as fractions.", "note"),
        ]
    if later:
        parts.append(
            paragraph(
                f"{len(later)} market figures were observed after the cut-off date; the first there is was taken.",
                "note",
            )
        )
    parts.append(f"<p class=note>{escape('Run again and compared by: arrears verify DIR.')}</p>")
    return "\n".join(parts)


def _unsure(book: Rulebook, day: date) -> list[list[str]]:
    """Articles with values that are not verified, and which ones."""
    by_article: dict[str, list[str]] = {}
    for path in book.paths():
        value = book.leaf(path).in_force(day)
        if value and not value.verified:
            by_article.setdefault(value.article, []).append(path.rpartition("/")[2])
    return [
        [article, book.articles[article].title, ", ".join(names).replace("_", " ")]
        for article, names in sorted(by_article.items())
    ]


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(
            f"{str(key).replace('_', ' ')} {_told(number)}" for key, number in value.items()
        )
    if isinstance(value, list):
        return f"a table of {len(value)} rows"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,}".removesuffix(".0").replace("-", figures.MINUS)
    return str(value)
