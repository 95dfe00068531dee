"""Words that go with a number."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, one: str, many: str = "") -> str:
    """`1 month`, `1,200 months`; `many` where it is no plain plural, or carries its verb."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """`one`, `one and two`, `one, two and three`."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
