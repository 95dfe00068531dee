"""The law in words and for machines."""

from __future__ import annotations

from datetime import date

from arrears.rules.book import Rulebook
from arrears.rules.leaf import Value


def show(book: Rulebook, path: str, day: date | None = None) -> dict[str, object]:
    """`path, value, unit, from, to?, reference, verified` of a leaf; its last value where no day is given.

    Raises:
        UnknownPath: no such leaf.
        NotInForce: no value on that day.
    """
    leaf = book.leaf(path)
    value = leaf.values[-1] if day is None else book.value(path, day)
    shown: dict[str, object] = {
        "path": path,
        "value": value.value,
        "unit": leaf.unit,
        "from": value.start.isoformat(),
    }
    until = value.end or _next_start(leaf.values, value)
    if until is not None:
        shown["to"] = until.isoformat()
    return shown | {
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
