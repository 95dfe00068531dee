"""Limits as people name them."""

from __future__ import annotations

from arrears.plan.capacities import scope_of


def limit_name(capacity: str, scope: str = "") -> str:
    """`court filings (province Zhejiang)`, of what `capacities.parquet` holds."""
    return capacity.replace("_", " ") + where(scope)


def where(scope: str) -> str:
    """` (province Zhejiang)`; empty for the whole book."""
    return f" ({place(scope)})" if scope else ""


def place(scope: str) -> str:
    """`province Zhejiang`; empty for the whole book."""
    told = (_told(key.replace("_", " "), str(word)) for key, word in scope_of(scope).items())
    return ", ".join(told)


def _told(key: str, word: str) -> str:
    """`Branch 01`, not `branch Branch 01`."""
    return word if word.casefold().startswith(key) else f"{key} {word}"
