"""When a borrower may be contacted (FACTS 7.1)."""

from __future__ import annotations

from datetime import date

import pytest

from arrears.conduct import Limits, limits
from arrears.rules import load


@pytest.mark.parametrize("day", [date(2007, 7, 3), date(2025, 12, 31), date(2026, 1, 29)])
def test_no_limit_was_in_force_before_30_january_2026(day: date) -> None:
    assert limits(load("cn"), day) == Limits(None, None, None, None)


@pytest.mark.parametrize("day", [date(2026, 1, 30), date(2026, 1, 31), date(2030, 1, 1)])
def test_from_then_on_the_night_is_quiet_and_six_dials_are_the_most(day: date) -> None:
    found = limits(load("cn"), day)
    assert (found.not_before, found.not_after, found.max_dials) == ("08:00", "22:00", 6)
    assert found.article == "CN-COLLECTION-2026"


def test_a_limit_is_a_whole_number_and_hours_are_text() -> None:
    found = limits(load("cn"), date(2026, 2, 1))
    assert isinstance(found.max_dials, int)
    assert isinstance(found.not_before, str)
