"""Day counts and business days."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from arrears.deals.parts import Calendar, Count

_WEEKEND = 5


def years(start: date, end: date, count: Count) -> Fraction:
    """Years from `start` (included) to `end` (excluded), exact.

    `ACT/ACT` is the ISDA rule: days of a leap year over 366, others over 365. `30E/360` caps both days at 30 and knows
    nothing of the end of February; `30/360` is the bond basis, which caps the second only where the first is.
    """
    if count == "ACT/ACT":
        return sum(
            (
                Fraction((min(end, date(y + 1, 1, 1)) - max(start, date(y, 1, 1))).days, _length(y))
                for y in range(start.year, end.year + 1)
            ),
            Fraction(0),
        )
    return Fraction(days(start, end, count), 365 if count == "ACT/365F" else 360)


def days(start: date, end: date, count: Count) -> int:
    """The days that a day count counts."""
    if count not in {"30E/360", "30/360"}:
        return (end - start).days
    first = min(start.day, 30)
    last = end.day if count == "30/360" and first < 30 else min(end.day, 30)
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


def _length(year: int) -> int:
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def is_business_day(day: date, calendar: Calendar) -> bool:
    """No weekend and no holiday, or a weekend day that is worked."""
    if day in calendar.workdays:
        return True
    return day.weekday() < _WEEKEND and day not in calendar.holidays


def adjusted(day: date, calendar: Calendar | None) -> date:
    """The day on which cash moves."""
    if calendar is None or calendar.convention == "none":
        return day
    ahead = -1 if calendar.convention == "preceding" else 1
    found = _next(day, calendar, ahead)
    if calendar.convention == "modified_following" and found.month != day.month:
        found = _next(day, calendar, -1)
    return found


def _next(day: date, calendar: Calendar, ahead: int) -> date:
    while not is_business_day(day, calendar):
        day += timedelta(days=ahead)
    return day
