"""Every way out of every loan, from each start month on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from arrears.channels.ladder import repriced
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
# As people name them.
WAYS = {
    "collect": "collect",
    "restructure": "new terms",
    "litigate": "court",
    "transfer": "bulk transfer",
    "securitise": "securities",
    "income_rights": "income rights",
}
COLUMNS: tuple[tuple[str, int], ...] = tuple(
    (channel, start) for channel in CHANNELS for start in STARTS
)
_PIECE = 4_096
_PART = 20_000
_ORDER = sorted(range(len(COLUMNS)), key=lambda column: COLUMNS[column])


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
            return outcome.cost
        return outcome.uses.get(capacity)

    def table(self, rows: slice = slice(None)) -> pl.DataFrame:
        """`offers.parquet`: a row a loan, channel and start month, of the loans in `rows`."""
        ids = self.situation.loans["loan_id"][rows]
        count, wide = len(ids), len(COLUMNS)
        eligible = _wide([permit.blocked[rows] < 0 for permit in self.permits], count)
        channels = pl.Series([COLUMNS[column][0] for column in _ORDER])
        starts = pl.Series([COLUMNS[column][1] for column in _ORDER], dtype=pl.Int32)
        which = np.tile(np.arange(wide, dtype=np.uint32), count)
        columns = [
            ids.gather(np.repeat(np.arange(count, dtype=np.uint32), wide)).alias("loan_id"),
            channels.gather(which).alias("channel"),
            starts.gather(which).alias("start_month"),
            pl.Series("eligible", eligible),
            pl.Series(
                "eligible_after_reclass",
                _wide([permit.after_reclass[rows] for permit in self.permits], count),
            ),
            self._blocked_by(rows, count),
        ]
        for name, values in self._numbers(rows).items():
            cells = _wide(values, count)
            columns.append(pl.Series(name, np.where(eligible, cells, np.nan)).fill_nan(None))
        return pl.DataFrame(columns)

    def tables(self) -> Iterator[pl.DataFrame]:
        """`offers.parquet` in parts, at least one."""
        for start in range(0, max(len(self.situation.claim), 1), _PART):
            yield self.table(slice(start, start + _PART))

    def _blocked_by(self, rows: slice, count: int) -> pl.Series:
        """The bar of each row, null where there is none."""
        texts = [bar.told for permit in self.permits for bar in permit.bars]
        first = np.cumsum([0, *(len(permit.bars) for permit in self.permits)])
        codes = [
            np.where(blocked < 0, -1, blocked + first[column])
            for column, permit in enumerate(self.permits)
            for blocked in [permit.blocked[rows]]
        ]
        wide = _wide(codes, count)
        told = pl.Series(texts or [""]).gather(np.maximum(wide, 0).astype(np.uint32))
        return pl.select(pl.when(pl.Series(wide >= 0)).then(told).alias("blocked_by")).to_series()

    def _numbers(self, rows: slice) -> dict[str, list[Floats | None]]:
        """The columns of figures, each by way and start month."""
        places, book = range(len(COLUMNS)), self.situation.book_value[rows]

        def here(found: Iterable[Floats | None]) -> list[Floats | None]:
            return [None if values is None else values[rows] for values in found]

        numbers: dict[str, list[Floats | None]] = {
            "value": [self.value[rows, column] for column in places],
            "cash": here(outcome.cash for outcome in self.outcomes),
            "cost": here(outcome.cost for outcome in self.outcomes),
            "months": here(outcome.months for outcome in self.outcomes),
            "pnl": [self.value[rows, column] - book for column in places],
            "capital_freed": here(outcome.capital_freed for outcome in self.outcomes),
            "provision_released": here(outcome.provision_released for outcome in self.outcomes),
        }
        for name in CAPACITIES:
            numbers[f"uses_{name}"] = here(self.uses(column, name) for column in places)
        return numbers


def _wide(values: Sequence[np.ndarray | None], count: int) -> np.ndarray:
    """Values by column (count,) as one row a loan and column of the table; None is 0."""
    parts = [values[column] for column in _ORDER]
    kind = next((part.dtype for part in parts if part is not None), np.dtype(np.float64))
    wide = np.zeros((count, len(parts)), kind)
    # In pieces that stay in the cache: a column at a time would fetch the whole table once for each.
    for start in range(0, count, _PIECE):
        piece = slice(start, start + _PIECE)
        for place, part in enumerate(parts):
            if part is not None:
                wide[piece, place] = part[piece]
    return wide.ravel()


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


def at_scarce_prices(found: Offers, scarce: Mapping[str, float]) -> Offers:
    """The same offers, but ladders of steps chosen as if calls and visits cost so many fen a unit more.

    Costs stay what they are: where hours are scarce, loans to which they add little make do without.
    """
    situation = repriced(found.situation, scarce)
    value, outcomes = found.value.copy(), list(found.outcomes)
    for column, (channel, start) in enumerate(COLUMNS):
        if channel == collect.NAME:
            outcomes[column] = collect.outcome(situation, start)
            worth = after_tax(situation, outcomes[column].pv)
            value[:, column] = np.where(found.eligible(column), worth, np.nan)
    return replace(found, situation=situation, value=value, outcomes=tuple(outcomes))


def permits_now(situation: Situation) -> dict[str, Permit]:
    """Whether each way may be taken today, by channel."""
    return {file.NAME: file.permit(situation, 0) for file in _FILES}


def after_tax(situation: Situation, pv: Floats) -> Floats:
    """Value of each loan (n,): a gain over net book value is taxed, a loss earns no credit, whichever way."""
    return pv - situation.tax * np.maximum(pv - situation.book_value, 0.0)
