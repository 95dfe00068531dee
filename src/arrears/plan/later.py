"""What a plan puts off to months that no limit counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from arrears.channels import COLUMNS, STARTS
from arrears.core.words import listed
from arrears.plan.capacities import Capacity
from arrears.plan.plan import PlanResult
from arrears.problems import Problem


def put_off(result: PlanResult, capacities: Sequence[Capacity]) -> list[Problem]:
    """A warning for each capacity that is scarce now and of which ways that start later take some, without a limit."""
    priced = result.capacities.filter((pl.col("sense") == "max") & (pl.col("shadow_price") > 0.0))
    now = {c.name for c in capacities if c.max is not None and c.start == 0}
    problems = []
    for name in priced["capacity"].unique().sort():
        limited = {c.start for c in capacities if c.name == name and c.max is not None}
        later = {
            start: used
            for start in STARTS[1:]
            if start not in limited and (used := _used(result, name, start)) >= 1.0
        }
        if name in now and later:
            problems.append(_told(name, later))
    return problems


def _used(result: PlanResult, name: str, start: int) -> float:
    """What ways of a plan that start in a month take of a capacity."""
    total = 0.0
    for column, (_, its_start) in enumerate(COLUMNS):
        amount = result.offers.uses(column, name) if its_start == start else None
        if amount is not None:
            total += float(np.sum(amount[result.column == column]))
    return total


def _told(name: str, later: dict[int, float]) -> Problem:
    told = Capacity(name=name, max=0.0).told
    months = listed(
        [f"{told(round(used))} of it in month {start}" for start, used in later.items()]
    )
    found = (
        f"It is scarce now, and the plan puts off work that takes {months}, which no limit counts."
    )
    scopes = listed([f"{{start_month: {start}}}" for start in later])
    why = "What is put off may not be done then either."
    return Problem(
        "CAPACITY-NOT-LATER", "warning", name, found, why, f"Add limits with the scope {scopes}."
    )
