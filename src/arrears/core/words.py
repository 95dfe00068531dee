"""Words that go with a number."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """`1 month`, `1,200 months`; `many` where it is no plain plural, or carries its verb."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
