"""What a history says, and how its shares are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from arrears.recovery.histories.semi_markov import Contest
from arrears.report import charts

STATES = ("current", "1-30", "31-60", "61-90", "90+", "closed", "written-off", "sold")
YEAR = 12
FEWEST = 30
SURE = 1.96


@dataclass(frozen=True)
class Past:
    """What a history says, as the tables of `arrears history` hold it."""

    roll: pl.DataFrame
    pooled: pl.DataFrame
    flow: pl.DataFrame
    vintage: pl.DataFrame
    cure: pl.DataFrame
    outlook: pl.DataFrame
    contests: Sequence[Contest]


def hundred(share: float) -> str:
    """How many of a hundred."""
    return f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.1f}"


def span(share: float, se: float) -> tuple[str, str]:
    """Between how many of a hundred, 19 times in 20."""
    low, high = max(share - SURE * se, 0.0), min(share + SURE * se, 1.0)
    return hundred(low), hundred(high)


def picture(spec: dict[str, object], alt: str, name: str) -> str:
    """A figure with its text alternative."""
    return f"<figure>{charts.svg(spec, alt, name)}</figure>"
