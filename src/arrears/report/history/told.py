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


DAYS = {
    "current": "current",
    "1-30": "1 to 30",
    "31-60": "31 to 60",
    "61-90": "61 to 90",
    "90+": "over 90",
    "closed": "closed",
    "written-off": "written off",
    "sold": "sold",
}


def which(state: str) -> str:
    """The loans of a state: `loans 1 to 30 days past due`."""
    return f"loans {DAYS[state]} days past due" if state[0].isdigit() else f"{DAYS[state]} loans"


def hundred(share: float) -> str:
    """How many of a hundred; all and none only where it is all or none."""
    if share <= 0.0:
        return "none"
    whole, tenths = f"{100 * share:.0f}", f"{100 * share:.1f}"
    if share >= 1.0 or (share >= 0.1 and whole != "100"):
        return whole
    return {"0.0": "under 0.1", "100.0": "over 99.9"}.get(tenths, tenths)


def span(share: float, se: float) -> tuple[str, str]:
    """Between how many of a hundred, 19 times in 20."""
    low, high = max(share - SURE * se, 0.0), min(share + SURE * se, 1.0)
    return hundred(low).replace("none", "0"), hundred(high)


def picture(spec: dict[str, object], alt: str, name: str) -> str:
    """A figure with its text alternative."""
    return f"<figure>{charts.svg(spec, alt, name)}</figure>"
