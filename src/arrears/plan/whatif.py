"""What other limits would do: ranges of the shadow prices, each way's worth, and the price of a better ratio.

All of it is the dual value on a sample of the book: no plan does better, and on a large book the best comes within the
plan's gap of it. Fixed costs and smallest sizes of packages are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from arrears.channels import CHANNELS, COLUMNS, Offers, Situation
from arrears.plan.bounds import Bounds
from arrears.plan.capacities import Capacity
from arrears.plan.choices import Choices, restricted
from arrears.plan.kernels import Floats, Numbers
from arrears.plan.plan import PlanResult
from arrears.plan.problem import sampled_choices

_SAMPLE = 20_000
_TENTH = 0.1
_MOST_RANGES = 20
_POINTS = 7
# A tenth less of a limit that costs more than this share of the whole value cannot be kept at all.
_COLLAPSE = 0.5
_REMOVED = "npl_removed"
_Row = tuple[str, str, str]


@dataclass(frozen=True)
class WhatIf:
    """What other limits would do, fen.

    Attributes:
        capacities: `capacities.parquet` with `shadow_low, shadow_high`: worth a unit of the next and of the last tenth.
        cases: `case, value?, change?`, against the plan's limits with every way open; null where a floor cannot be
            kept.
        frontier: `npl_removed, value, cost, bad_loan_ratio?`: the most that plans are worth which remove so much.
        loans: how many loans it was worked out on.
    """

    capacities: pl.DataFrame
    cases: pl.DataFrame
    frontier: pl.DataFrame
    loans: int


def what_if(
    situation: Situation,
    offers: Offers,
    capacities: Sequence[Capacity],
    *,
    result: PlanResult,
    ratios: pl.DataFrame,
) -> WhatIf:
    """Ranges, cases and frontier of a plan.

    Args:
        ratios: `ratios.csv`, for the bad-loan ratio after the plan.
    """
    free = Capacity(name=_REMOVED, min=0.0)
    choices, column = sampled_choices(offers, [*capacities, free], _SAMPLE)
    sample = _Sample(choices, column, len(situation.claim) / max(len(choices.first) - 1, 1))
    frontier = sample.frontier()
    removed = _removed(offers, result)
    return WhatIf(
        capacities=_with_ranges(result.capacities, sample.ranges(capacities)),
        cases=sample.cases(offers),
        frontier=_with_ratio(frontier, removed, ratios),
        loans=len(choices.first) - 1,
    )


class _Sample:
    """A part of the loans, with their share of the limits; the last limit is a floor of zero on what is removed."""

    def __init__(self, choices: Choices, column: Numbers, times: float) -> None:
        """Of these choices, each of a way and start month (c,); the book is so many times as large."""
        self._choices = choices
        self._column = column
        self._times = times
        self._bounds = Bounds(choices)
        self._base, self._prices = self._bounds.under(choices.low, choices.high)

    def worth(self, number: int, sense: str, factor: float) -> float:
        """The most that any plan is worth, fen, with one floor or ceiling so many times as high."""
        low, high = self._choices.low.copy(), self._choices.high.copy()
        (low if sense == "min" else high)[number] *= factor
        return self._times * self._bounds.under(low, high)[0]

    def ranges(self, capacities: Sequence[Capacity]) -> dict[_Row, tuple[float, float]]:
        """Worth a unit of a tenth more and of a tenth less, by name, scope and sense of the limits."""
        base = self._times * self._base
        found = {}
        for number, capacity in list(enumerate(capacities))[:_MOST_RANGES]:
            for sense, limit in (("max", capacity.max), ("min", capacity.min)):
                if not limit:
                    continue
                more, less = (
                    self.worth(number, sense, 1.0 + sign * _TENTH) for sign in (1.0, -1.0)
                )
                sides = (abs(more - base), abs(base - less))
                gone = _COLLAPSE * abs(base)
                units = [side / (_TENTH * limit) for side in sides if side <= gone]
                found[capacity.name, capacity.scope_told(), sense] = (
                    min(units, default=np.nan),
                    max(units) if len(units) == len(sides) else np.nan,
                )
        return found

    def cases(self, offers: Offers) -> pl.DataFrame:
        """The plan's limits, no limits, and the plan's limits without each way."""
        base, choices = self._times * self._base, self._choices
        rows = [("these limits", base), ("no limits", float(np.nanmax(offers.value, axis=1).sum()))]
        rows.append(("collect only, no limits", float(offers.value[:, 0].sum())))
        for way, channel in enumerate(CHANNELS[1:], start=1):
            keep = self._column // (len(COLUMNS) // len(CHANNELS)) != way
            bounds = Bounds(restricted(choices, keep), self._prices)
            worth = self._times * bounds.under(choices.low, choices.high)[0]
            rows.append((f"without {channel}", worth))
        # No plan is worth less than the worst ways of all loans: a bound below that says that there is none.
        least = float(np.nanmin(offers.value, axis=1).sum())
        least -= _TENTH * abs(base)
        told = [(case, worth if worth >= least else None) for case, worth in rows]
        table = pl.DataFrame(told, schema={"case": pl.String, "value": pl.Float64}, orient="row")
        return table.with_columns(change=pl.col("value") - base)

    def frontier(self) -> pl.DataFrame:
        """`npl_removed, value, cost`: from what the best plan removes to the most that these limits let go."""
        choices, floor = self._choices, len(self._choices.low) - 1
        removed = replace(choices, value=self._uses(floor))
        most, _ = Bounds(removed).under(choices.low, choices.high)
        least = float(self._bounds.used(self._prices)[floor])
        rows = []
        for level in np.linspace(min(least, most), most * (1.0 - 1e-6), _POINTS):
            low = choices.low.copy()
            low[floor] = level
            worth, _ = self._bounds.under(low, choices.high)
            rows.append((self._times * float(level), self._times * min(worth, self._base)))
        names = {"npl_removed": pl.Float64, "value": pl.Float64}
        table = pl.DataFrame(rows, schema=names, orient="row")
        return table.with_columns(cost=self._times * self._base - pl.col("value"))

    def _uses(self, number: int) -> Floats:
        """What each choice uses of one capacity."""
        count = len(self._choices.value)
        owner = np.repeat(np.arange(count), np.diff(self._choices.start))
        mine = self._choices.cap == number
        total: Floats = np.bincount(owner[mine], self._choices.amount[mine], count).astype(
            np.float64
        )
        return total


def _removed(offers: Offers, result: PlanResult) -> float:
    """Reported bad loans that the plan removes today, fen."""
    total = 0.0
    for column, (_, start) in enumerate(COLUMNS):
        amount = offers.uses(column, _REMOVED) if start == 0 else None
        if amount is not None:
            total += float(amount[result.column == column].sum())
    return total


def _with_ratio(frontier: pl.DataFrame, removed: float, ratios: pl.DataFrame) -> pl.DataFrame:
    """The bad-loan ratio at each point: the one after the plan, moved by what more or less is removed."""
    after = {row["figure"]: row["after"] for row in ratios.iter_rows(named=True)}
    bad, loans = after["reported bad loans"], after["loans"]
    if bad is None or loans is None:
        return frontier.with_columns(bad_loan_ratio=pl.lit(None, pl.Float64))
    more = pl.col("npl_removed") - removed
    return frontier.with_columns(bad_loan_ratio=pl.max_horizontal(bad - more, 0.0) / (loans - more))


def _with_ranges(capacities: pl.DataFrame, ranges: dict[_Row, tuple[float, float]]) -> pl.DataFrame:
    keys = capacities.select("capacity", "scope", "sense").rows()
    sides = [ranges.get(key, (np.nan, np.nan)) for key in keys]
    price = capacities["shadow_price"].to_numpy()
    low, high = (np.array([side[k] for side in sides], dtype=np.float64) for k in (0, 1))
    return capacities.with_columns(
        shadow_low=pl.Series(np.minimum(low, price)).fill_nan(None),
        shadow_high=pl.Series(np.maximum(high, price)).fill_nan(None),
    )
