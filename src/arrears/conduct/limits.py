"""Hours and attempts that a collector has to keep to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from arrears.rules import Rulebook

_HOURS = ("cn/conduct/not_before", "cn/conduct/not_after", "cn/conduct/max_dials")


@dataclass(frozen=True)
class Limits:
    """Limits in force on a day; None where no rule was in force.

    Attributes:
        not_before: earliest local time of day for any step, `HH:MM`.
        not_after: latest local time of day.
        max_dials: most unanswered attempts a day and contact number.
        article: what they rest on.
    """

    not_before: str | None
    not_after: str | None
    max_dials: int | None
    article: str | None


def limits(rulebook: Rulebook, day: date) -> Limits:
    """The limits of contact on a day, for all personal loans of all holders (FACTS 7.1)."""
    values = [rulebook.leaf(path).in_force(day) for path in _HOURS]
    early, late, dials = (value.value if value else None for value in values)
    return Limits(
        not_before=str(early) if early is not None else None,
        not_after=str(late) if late is not None else None,
        max_dials=int(str(dials)) if dials is not None else None,
        article=values[0].article if values[0] else None,
    )
