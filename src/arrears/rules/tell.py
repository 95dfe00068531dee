"""The law in words and for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from arrears.rules.book import Rulebook
from arrears.rules.leaf import Article, Leaf, Value


def show(book: Rulebook, path: str, day: date | None = None) -> dict[str, object]:
    """`path, value, unit, from, to?, reference, verified` of a leaf; its last value where no day is given.

    Raises:
        UnknownPath: no such leaf.
        NotInForce: no value on that day.
    """
    leaf = book.leaf(path)
    value = leaf.values[-1] if day is None else book.value(path, day)
    until = value.end or _next_start(leaf.values, value)
    return {
        "path": path,
        "value": value.value,
        "unit": leaf.unit,
        "from": value.start.isoformat(),
        "to": None if until is None else until.isoformat(),
        "reference": f"{value.article}; {value.reference}",
        "verified": value.verified,
    }


def _next_start(values: tuple[Value, ...], value: Value) -> date | None:
    later = [other.start for other in values if other.start > value.start]
    return min(later, default=None)


def explain(book: Rulebook, path: str) -> list[str]:
    """A leaf with all its values, their dates, articles and references, as lines.

    Raises:
        UnknownPath: no such leaf.
    """
    leaf = book.leaf(path)
    lines = [f"{path}: {leaf.description} ({leaf.unit}).", f"In the rulebook {book.name}."]
    for value in leaf.values:
        until = value.end or _next_start(leaf.values, value)
        span = f"from {value.start}" + (f" until {until} (excluded)" if until else "")
        article = book.articles.get(value.article)
        lines.append(f"  {value.value} {span}")
        if article is not None:
            lines.append(f"    {value.article}: {article.title} ({article.chinese})")
            lines.append(f"    {article.text}")
        checked = "verified" if value.verified else "not verified"
        lines.append(f"    Rests on {value.reference}; {checked}.")
        if value.note:
            lines.append(f"    {value.note}")
    return lines


def page(books: Sequence[Rulebook]) -> str:
    """All leaves of some rulebooks, for `docs/rulebook.md`: a table a file, then the articles; nothing twice."""
    lines = [
        "# The law as data",
        "",
        "Made from the rulebooks by `make docs`; a test holds it to them. A value holds from its day on, until the "
        "next one. What is not verified was not read in a primary text or in two sources, and each decision that rests "
        "on it says so.",
    ]
    articles: dict[str, Article] = {}
    leaves: dict[str, Leaf] = {}
    for book in books:
        articles |= book.articles
        leaves |= book.leaves
    parts: dict[str, list[str]] = {}
    for path in sorted(leaves, key=lambda path: (not path.startswith("cn/"), path)):
        parts.setdefault(path.rpartition("/")[0], []).append(path)
    for part, paths in parts.items():
        lines += ["", f"## {part}", "", "| leaf | what | value | from | article | verified |"]
        lines.append("|---|---|---|---|---|---|")
        for path in paths:
            lines += [
                _row(path.rpartition("/")[2], leaves[path], value) for value in leaves[path].values
            ]
    lines += ["", "## Articles", "", "| article | what | Chinese | says |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {article.title} | {article.chinese} | {article.text} |"
        for name, article in sorted(articles.items())
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, leaf: Leaf, value: Value) -> str:
    until = f" until {value.end}" if value.end else ""
    verified = "yes" if value.verified else "**no**"
    told = json.dumps(value.value, ensure_ascii=False, default=str).strip('"')
    return (
        f"| `{name}` | {leaf.description} ({leaf.unit}) | {told} | {value.start}{until} "
        f"| {value.article} ({value.reference}) | {verified} |"
    )
