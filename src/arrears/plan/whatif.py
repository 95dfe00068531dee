"""What other limits would do: ranges of the shadow prices, each way's worth, and the price of a better ratio.

All of it is worked out on a sample of the book; on a large book the best plan comes within its gap of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from arrears.channels import CHANNELS, COLUMNS
from arrears.plan.capacities import Capacity
from arrears.plan.plan import PlanResult
from arrears.plan.sample import Best, Sample

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


def what_if(result: PlanResult, capacities: Sequence[Capacity], *, ratios: pl.DataFrame) -> WhatIf:
    """Ranges, cases and frontier of a plan.

    Args:
        ratios: `ratios.csv`, for the bad-loan ratio after the plan.
    """
    sample = Sample(result, [*capacities, Capacity(name=_REMOVED, min=0.0)])
    frontier = _frontier(sample, result)
    return WhatIf(
        capacities=_with_ranges(result.capacities, _ranges(sample, capacities)),
        cases=_cases(sample, result),
        frontier=_with_ratio(frontier, _removed(result), ratios),
        loans=sample.loans,
    )


def _ranges(sample: Sample, capacities: Sequence[Capacity]) -> dict[_Row, tuple[float, float]]:
    """Worth a unit of a tenth more and of a tenth less, by name, scope and sense of the limits."""
    base = sample.near(sample.low, sample.high)
    found = {}
    for number, capacity in list(enumerate(capacities))[:_MOST_RANGES]:
        for sense, limit in (("max", capacity.max), ("min", capacity.min)):
            if not limit:
                continue
            more, less = (
                _near(sample, number, sense, sign * _TENTH * limit) for sign in (1.0, -1.0)
            )
            sides = (abs(more - base), abs(base - less))
            gone = _COLLAPSE * abs(base)
            units = [side / (_TENTH * limit) for side in sides if side <= gone]
            found[capacity.name, capacity.scope_told(), sense] = (
                min(units, default=np.nan),
                max(units) if len(units) == len(sides) else np.nan,
            )
    return found


def _near(sample: Sample, number: int, sense: str, more: float) -> float:
    """What plans are worth, fen, with one floor or ceiling so much higher."""
    low, high = sample.low.copy(), sample.high.copy()
    (low if sense == "min" else high)[number] += more / sample.times
    return sample.near(low, high)


def _cases(sample: Sample, result: PlanResult) -> pl.DataFrame:
    """The plan's limits, no limits, and the plan's limits without each way."""
    low, high, free = sample.low, sample.high, np.full(len(sample.low), np.inf)
    base = sample.best(low, high)

    def change(case: Best | None) -> float | None:
        return case.worth - base.worth if case and base else None

    changes: list[tuple[str, float | None]] = [
        ("these limits", 0.0),
        ("no limits", change(sample.best(-free, free))),
        ("collect only, no limits", float(result.offers.value[:, 0].sum()) - result.net),
    ]
    for channel in CHANNELS[1:]:
        less = change(sample.best(low, high, without=channel))
        # A plan that does without a way is a plan with it, too.
        changes.append((f"without {channel}", None if less is None else min(less, 0.0)))
    schema = {"case": pl.String, "change": pl.Float64}
    table = pl.DataFrame(changes, schema=schema, orient="row")
    return table.select("case", value=result.net + pl.col("change"), change="change")


def _frontier(sample: Sample, result: PlanResult) -> pl.DataFrame:
    """`npl_removed, value, cost`: from what the plan removes to the most that its limits let go."""
    floor, removed = len(sample.low) - 1, _removed(result)
    most, least = sample.most(floor), sample.used(floor)
    rows = []
    found: Best | None = None
    for level in np.linspace(min(least, most), most * (1.0 - 1e-6), _POINTS):
        low = sample.low.copy()
        low[floor] = level / sample.times
        found = sample.best(low, sample.high, begin=found)
        if found is not None:
            rows.append((removed + float(level) - least, found.worth))
    names = {"npl_removed": pl.Float64, "worth": pl.Float64}
    table = pl.DataFrame(rows or [(removed, 0.0)], schema=names, orient="row")
    # A plan that removes more removes less, too.
    best = pl.col("worth").cum_max(reverse=True)
    table = table.select("npl_removed", cost=best.first() - best)
    return table.select("npl_removed", value=result.net - pl.col("cost"), cost="cost")


def _removed(result: PlanResult) -> float:
    """Reported bad loans that the plan removes today, fen."""
    total = 0.0
    for column, (_, start) in enumerate(COLUMNS):
        amount = result.offers.uses(column, _REMOVED) if start == 0 else None
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
