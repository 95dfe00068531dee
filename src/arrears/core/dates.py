"""Calendar arithmetic. Intervals are closed-open; a 29 February moves to the 28th where there is none."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from arrears.errors import BadArgument

DAYS_A_MONTH = 30.4375
DAYS_A_YEAR = 365.25


def add_months(day: date, months: int) -> date:
    """The same day of the month `months` later, or the month's last day where there is none such."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_years(day: date, years: int) -> date:
    """The same day `years` later; 29 February goes to the 28th."""
    return add_months(day, 12 * years)


def months_between(start: date, end: date) -> int:
    """Whole calendar months from `start` to `end`, negative where `end` comes first."""
    if end < start:
        return -months_between(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if add_months(start, months) <= end else months - 1


def parse_day(text: str) -> date:
    """The day of an ISO date.

    Raises:
        BadArgument: no such day.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadArgument(
            f"{text!r} is no date.", fix="Write YYYY-MM-DD, e.g. 2025-03-31."
        ) from None
