"""Values that change on dates."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.core.timeline import Timeline
from arrears.errors import BadArgument, NotInForce

A, B, C = date(2020, 1, 1), date(2021, 1, 1), date(2022, 1, 1)
ONE = timedelta(days=1)
DAYS = st.dates(date(2019, 1, 1), date(2023, 12, 31))


def test_a_value_holds_from_its_day_until_the_next_excluded() -> None:
    line = Timeline(((A, "a"), (B, "b")), end=C)
    assert [line.at(day) for day in (A, B - ONE, B, C - ONE)] == ["a", "a", "b", "b"]
    for day in (A - ONE, C, C + ONE):
        assert line.index(day) is None
        with pytest.raises(NotInForce, match="2020-01-01"):
            line.at(day)


def test_without_an_end_the_last_value_stays() -> None:
    assert Timeline(((A, 1),)).at(date(9999, 12, 31)) == 1


@pytest.mark.parametrize(
    ("steps", "end"),
    [
        ((), None),
        ((), C),
        (((B, 1), (A, 2)), None),
        (((A, 1), (A, 2)), None),
        (((A, 1), (B, 2)), B),
        (((A, 1), (B, 2)), A),
    ],
)
def test_dates_that_do_not_rise_make_no_timeline(
    steps: tuple[tuple[date, int], ...], end: date | None
) -> None:
    with pytest.raises(BadArgument):
        Timeline(steps, end)


@settings(deadline=None)
@given(
    st.lists(DAYS, min_size=1, max_size=6, unique=True).map(sorted),
    st.none() | st.integers(1, 500),
    st.lists(st.none() | DAYS, max_size=30),
)
def test_many_days_get_what_each_gets(
    starts: list[date], more: int | None, days: list[date | None]
) -> None:
    end = starts[-1] + timedelta(days=more) if more else None
    line = Timeline(tuple((day, number) for number, day in enumerate(starts)), end)
    asked = [*days, *starts, *(day - ONE for day in starts), *([end] if end else [])]

    def alone(day: date | None) -> int | None:
        found = [n for n, start in enumerate(starts) if day is not None and start <= day]
        return found[-1] if found and (end is None or day < end) else None

    assert line.at_many(pl.Series(asked, dtype=pl.Date)) == [alone(day) for day in asked]
    for day in asked:
        if day is not None:
            assert line.index(day) == alone(day)


def test_no_days_get_no_values() -> None:
    assert Timeline(((A, 1),)).at_many(pl.Series([], dtype=pl.Date)) == []
