"""What a report is made of, and the figures that several of its parts show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from arrears.channels import CHANNELS, Situation
from arrears.plan import PlanResult, WhatIf
from arrears.report.by_class import ThreeWays
from arrears.tape import Tape

UNITS = {
    "court_filings": "filing",
    "call_hours": "call hour",
    "visits": "visit",
    "restructure_offers": "offer of new terms",
    "transfer_claim": "yuan of transfer quota",
    "securitise_claim": "yuan of securities quota",
    "income_rights_claim": "yuan of income-rights quota",
    "npl_removed": "yuan of bad loans removed",
    "cash_cost": "yuan of cost",
}


@dataclass(frozen=True)
class Contents:
    """A finished run, as the report needs it.

    Attributes:
        record: `run.json` without products and seconds.
        three: the book three ways.
        ratios: `ratios.csv`.
        outcomes: `outcomes.csv`.
        disposals: `disposals.csv`.
        packages: `packages.csv`.
        deals: what the deals of the plan's packages give: `place, name, kind, issue, collections` and, of the first
            class, `first, size, share_short`.
        what_if: what other limits would do.
        debtors: `debtors.parquet`.
        changes: what is other than in the plan before, as `changes` gives it; None where none was named.
    """

    tape: Tape
    standing: pl.DataFrame
    situation: Situation
    plan: PlanResult
    three: ThreeWays
    record: Mapping[str, object]
    ratios: pl.DataFrame
    outcomes: pl.DataFrame
    disposals: pl.DataFrame
    packages: pl.DataFrame
    deals: Sequence[Mapping[str, object]]
    what_if: WhatIf
    debtors: pl.DataFrame
    changes: pl.DataFrame | None = None

    @cached_property
    def total(self) -> dict[str, float | None]:
        """The whole book, fen."""
        return self.three.total

    @cached_property
    def by_way(self) -> pl.DataFrame:
        """Loans, claim, value by way and start month, ways in the order of the house."""
        order = {name: place for place, name in enumerate(CHANNELS)}
        table = self.plan.table
        keys = ["channel", "start_month"]
        counts = table.group_by(keys).agg(loans=pl.len(), claim=pl.col("claim").sum())
        sums = {key: float(part["value"].to_numpy().sum()) for key, part in self._parts(keys)}
        worth = pl.Series("value", [sums[row] for row in counts.select(keys).iter_rows()])
        return counts.with_columns(
            worth, place=pl.col("channel").replace_strict(order, default=9)
        ).sort("place", "start_month")

    def _parts(self, keys: list[str]) -> list[tuple[tuple[object, ...], pl.DataFrame]]:
        return list(self.plan.table.group_by(keys, maintain_order=True))

    @cached_property
    def quarantine(self) -> pl.DataFrame:
        """Problems and rows by code, the most frequent first."""
        return (
            self.tape.quarantine.group_by("source", "code")
            .agg(problems=pl.len(), rows=pl.col("row").n_unique(), fix=pl.col("fix").sort().first())
            .sort("problems", "source", "code", descending=[True, False, False])
        )

    def curve_at(self, month: int) -> dict[str, float]:
        """The row of the curve at a month."""
        return self.situation.forecast.at(month)
