"""Every way out of every loan, from each start month on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import polars as pl

from arrears.channels import (
    collect,
    income_rights,
    litigate,
    restructure,
    securitise,
    transfer,
)
from arrears.channels.situation import STARTS, Flags, Floats, Situation
from arrears.channels.way import CAPACITIES, Outcome, Permit, PoolTerms

_FILES: tuple[ModuleType, ...] = (
    collect,
    restructure,
    litigate,
    transfer,
    securitise,
    income_rights,
)
CHANNELS: tuple[str, ...] = tuple(file.NAME for file in _FILES)
COLUMNS: tuple[tuple[str, int], ...] = tuple(
    (channel, start) for channel in CHANNELS for start in STARTS
)
_ORDER = sorted(range(len(COLUMNS)), key=lambda column: COLUMNS[column])
_NUMBERS = ("value", "cash", "cost", "months", "pnl", "capital_freed", "provision_released")


@dataclass(frozen=True)
class Offers:
    """Offers of n loans; column k of the arrays is way and start month `COLUMNS[k]`.

    Attributes:
        value: present value after tax of cash less cost (n, 18), fen; NaN where it may not be taken.
        permits, outcomes: the same, column by column.
        packages: loans with different numbers never share a package (n,), by channel.
        pools: terms of packages, by channel.
    """

    situation: Situation
    value: Floats
    permits: tuple[Permit, ...]
    outcomes: tuple[Outcome, ...]
    packages: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]
    pools: dict[str, PoolTerms]

    def eligible(self, column: int) -> Flags:
        """May the way be taken (n,)."""
        return self.permits[column].eligible

    def uses(self, column: int, capacity: str) -> Floats | None:
        """What a way takes of a capacity (n,); None where it takes nothing."""
        outcome = self.outcomes[column]
        if capacity == "cash_cost":
            return self._cost(column)
        return outcome.uses.get(capacity)

    def _cost(self, column: int) -> Floats:
        return self.outcomes[column].cost

    def table(self, rows: slice = slice(None)) -> pl.DataFrame:
        """`offers.parquet`: a row a loan, channel and start month, of the loans in `rows`."""
        ids = self.situation.loans["loan_id"][rows]
        parts = [self._part(column, rows, ids) for column in _ORDER]
        order = np.arange(len(parts) * len(ids)).reshape(len(parts), len(ids)).T.ravel()
        return pl.concat(parts)[order]

    def _part(self, column: int, rows: slice, ids: pl.Series) -> pl.DataFrame:
        channel, start = COLUMNS[column]
        permit, outcome = self.permits[column], self.outcomes[column]
        eligible = permit.eligible[rows]
        bars = pl.Series(permit.bars, dtype=pl.String)
        blocked = permit.blocked[rows]
        places = pl.Series(np.where(blocked < 0, 0, blocked).astype(np.uint32))
        told = (
            bars.gather(places)
            if len(bars)
            else pl.Series([None], dtype=pl.String).new_from_index(0, len(ids))
        )

        def shown(name: str, values: Floats | None) -> pl.Series:
            cells = np.zeros(len(ids)) if values is None else values[rows]
            return pl.Series(name, np.where(eligible, cells, np.nan)).fill_nan(None)

        numbers = {
            "value": self.value[:, column],
            "cash": outcome.cash,
            "cost": outcome.cost,
            "months": outcome.months,
            "pnl": self.value[:, column] - self.situation.book_value,
            "capital_freed": outcome.capital_freed,
            "provision_released": outcome.provision_released,
        }
        return pl.DataFrame(
            [
                ids.alias("loan_id"),
                pl.Series("channel", [channel]).new_from_index(0, len(ids)),
                pl.Series("start_month", [start], dtype=pl.Int32).new_from_index(0, len(ids)),
                pl.Series("eligible", eligible),
                pl.Series("eligible_after_reclass", permit.after_reclass[rows]),
                told.zip_with(pl.Series(~eligible), pl.Series([None], dtype=pl.String)).alias(
                    "blocked_by"
                ),
                *(shown(name, numbers[name]) for name in _NUMBERS),
                *(shown(f"uses_{name}", self.uses(column, name)) for name in CAPACITIES),
            ]
        )


def offers(situation: Situation, progress: Callable[[float, float], None] | None = None) -> Offers:
    """All six ways from the three start months, for each loan by itself.

    Args:
        progress: told how many of the 18 are done.
    """
    count = len(situation.claim)
    value = np.full((count, len(COLUMNS)), np.nan)
    permits, outcomes = [], []
    for column, (channel, start) in enumerate(COLUMNS):
        file = _FILES[CHANNELS.index(channel)]
        permit: Permit = file.permit(situation, start)
        outcome: Outcome = file.outcome(situation, start)
        worth = after_tax(situation, outcome.pv)
        value[:, column] = np.where(permit.eligible, worth, np.nan)
        permits.append(permit)
        outcomes.append(outcome)
        if progress:
            progress(column + 1, len(COLUMNS))
    pools = {file.NAME: terms for file in _FILES if (terms := file.pool(situation)) is not None}
    packages = {
        file.NAME: numbers for file in _FILES if (numbers := file.package(situation)) is not None
    }
    return Offers(situation, value, tuple(permits), tuple(outcomes), packages, pools)


def permits_now(situation: Situation) -> dict[str, Permit]:
    """Whether each way may be taken today, by channel."""
    return {file.NAME: file.permit(situation, 0) for file in _FILES}


def after_tax(situation: Situation, pv: Floats) -> Floats:
    """Value of each loan (n,): a gain over net book value is taxed, a loss earns no credit, whichever way."""
    return pv - situation.tax * np.maximum(pv - situation.book_value, 0.0)
