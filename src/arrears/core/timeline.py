"""A value that changes on dates."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Generic, TypeVar

import polars as pl

from arrears.errors import BadArgument, NotInForce

T = TypeVar("T")


@dataclass(frozen=True)
class Timeline(Generic[T]):
    """Values in force from their dates on, each until the next one; the last until `end` (excluded) or for good.

    Attributes:
        steps: (first day in force, value), dates strictly rising.
        end: first day on which nothing is in force any more; None where the last value stays.

    Raises:
        BadArgument: no step, dates that do not rise, or an end that is not after the last of them.
    """

    steps: tuple[tuple[date, T], ...]
    end: date | None = None

    def __post_init__(self) -> None:
        starts = [start for start, _ in self.steps]
        limits = [*starts, self.end] if self.end else starts
        if not starts or any(a >= b for a, b in pairwise(limits)):
            raise BadArgument("A timeline needs at least one value, and dates that rise.")

    def __iter__(self) -> Iterator[tuple[date, T]]:
        return iter(self.steps)

    def index(self, day: date) -> int | None:
        """Position of the step in force on `day`, None where none is."""
        if self.end and day >= self.end:
            return None
        position = bisect_right([start for start, _ in self.steps], day) - 1
        return position if position >= 0 else None

    def at(self, day: date) -> T:
        """The value in force on `day`.

        Raises:
            NotInForce: before the first value, or from the end on.
        """
        position = self.index(day)
        if position is None:
            raise NotInForce(f"No value on {day}.", why=self._span())
        return self.steps[position][1]

    def at_many(self, days: pl.Series) -> list[T | None]:
        """The value in force on each of `days` (Date); null where none is or the day is null.

        Cost grows with the number of days and of steps, not with their product.
        """
        order = pl.DataFrame({"day": days, "row": pl.int_range(len(days), eager=True)})
        starts = pl.DataFrame({"from": [start for start, _ in self.steps]}).with_row_index("step")
        found = order.sort("day").join_asof(starts, left_on="day", right_on="from").sort("row")
        inside = found["day"] < self.end if self.end else found["day"].is_not_null()
        steps = found.select(pl.when(inside).then(pl.col("step")))["step"]
        return [None if step is None else self.steps[step][1] for step in steps]

    def _span(self) -> str:
        until = f", the last one until {self.end}" if self.end else ""
        return f"The first value in force starts on {self.steps[0][0]}{until}."
