"""Static pools of a book's past: what each month's defaults or purchases have paid since, and what is to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from arrears.recovery.fitting import kernels
from arrears.recovery.fitting.features import AGES
from arrears.recovery.fitting.person_period import History
from arrears.recovery.fitting.triangle import Ladder, chain_ladder
from arrears.recovery.params import Floats, Ints

_NONE = -1


@dataclass(frozen=True)
class Pools:
    """Pools of one kind, oldest first.

    Attributes:
        by: `default` or `purchase`.
        table: `by, pool, loans, claim, collected, remaining, se, tail`, a row a pool; fen. `remaining` is within the
            months of the triangle, `tail` after them up to month 120.
        triangle: `by, pool, month, cash, cumulative, estimated`, a row a pool and month since.
        ladder: None where there is no pool.
    """

    by: str
    table: pl.DataFrame
    triangle: pl.DataFrame
    ladder: Ladder | None


def by_default(history: History) -> Pools:
    """Pools by the month of day 91; only those that the history shows from their start."""
    first = _first_month(history)
    return _pools(history, "default", np.where(first >= history.begin, first, _NONE))


def by_purchase(history: History) -> Pools:
    """Pools by the month in which loans came into the book when they were past day 91 already."""
    return _pools(history, "purchase", month_of_purchase(history))


def month_of_purchase(history: History) -> Ints:
    """Month in which each loan was bought (n,), in months since the year 0; -1 where it was not.

    A tape names no purchases: a loan whose months begin later than the book's own, and begin past day 91, was bought
    or taken over then.
    """
    starts = history.month_start
    month = np.full(len(history.claim), _NONE, dtype=np.int64)
    some = np.flatnonzero(np.diff(starts) > 0)
    if len(some):
        at = starts[some]
        late = (history.month_days[at] >= kernels.DEFAULT_DAY + kernels.DAYS_A_MONTH) & (
            history.month_month[at] > history.month_month.min()
        )
        month[some[late]] = history.month_month[at[late]]
    return month


def _first_month(history: History) -> Ints:
    """Month of day 91 (n,); -1 where the loan never came to it."""
    count = len(history.claim)
    days = history.origin + kernels.DEFAULT_DAY
    month = pl.Series(days.astype(np.int32)).cast(pl.Date)
    index = (month.dt.year().cast(pl.Int64) * 12 + month.dt.month() - 1).to_numpy()
    first = np.where((history.origin >= 0) & (index <= history.end), index, _NONE)
    loan = np.repeat(np.arange(count), np.diff(history.month_start))
    bad = history.month_days >= kernels.DEFAULT_DAY
    told = np.diff(history.month_start) > 0
    ago = ((history.month_days[bad] - kernels.DEFAULT_DAY) / kernels.DAYS_A_MONTH).astype(np.int64)
    seen = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(seen, loan[bad], history.month_month[bad] - ago)
    return np.where(told, np.where(seen < np.iinfo(np.int64).max, seen, _NONE), first)


def _pools(history: History, by: str, month: Ints) -> Pools:
    """Cash of each pool by month since; months of the pool's own start left out."""
    pools = np.unique(month[(month >= 0) & (month < history.end)])
    if not len(pools):
        return Pools(by, _table(by, [], [], []), _triangle(by, [], None, None), None)
    loan = np.repeat(np.arange(len(month)), np.diff(history.pay_start))
    since = history.pay_month - month[loan]
    cash = history.cash + history.other
    sale = history.pay_month == history.sold[loan]
    used = (month[loan] >= 0) & (since > 0) & (history.pay_month <= history.end) & ~sale
    after = (month[loan] >= 0) & (since > 0)
    size = min(int(history.end - pools[0]), AGES)
    row = np.searchsorted(pools, month[loan])
    flat = np.zeros((len(pools), size))
    inside = used & (since <= size)
    np.add.at(flat, (row[inside], since[inside] - 1), cash[inside])
    belongs = np.isin(month, pools)
    number = np.searchsorted(pools, month[belongs])
    claim = np.bincount(
        number, weights=(history.claim + history.let_go)[belongs], minlength=len(pools)
    )
    kept = after & np.isin(month[loan], pools)
    claim += np.bincount(row[kept], weights=cash[kept], minlength=len(pools))
    loans = np.bincount(number, minlength=len(pools))
    seen = np.arange(1, size + 1)[None, :] <= (history.end - pools)[:, None]
    cumulative = np.where(seen, np.cumsum(flat, axis=1), np.nan)
    # The ladder runs on shares of the claim, weighted by it (METHODS 1.4): cash itself does both at once.
    ladder = chain_ladder(cumulative, tail_to=AGES)
    names = [f"{int(pool) // 12:04d}-{int(pool) % 12 + 1:02d}" for pool in pools]
    sums = [ladder.latest, ladder.reserve, ladder.se, ladder.tail]
    return Pools(
        by, _table(by, names, [loans, claim], sums), _triangle(by, names, ladder.full, seen), ladder
    )


def _table(by: str, names: list[str], whole: list[np.ndarray], sums: list[Floats]) -> pl.DataFrame:
    columns = dict(zip(("loans", "claim"), whole, strict=False))
    money = dict(zip(("collected", "remaining", "se", "tail"), sums, strict=False))
    schema = {
        "by": pl.String,
        "pool": pl.String,
        "loans": pl.Int64,
        "claim": pl.Int64,
        "collected": pl.Float64,
        "remaining": pl.Float64,
        "se": pl.Float64,
        "tail": pl.Float64,
    }
    if not names:
        return pl.DataFrame(schema=schema)
    return pl.DataFrame({"by": [by] * len(names), "pool": names, **columns, **money}).cast(
        pl.Schema(schema)
    )


def _triangle(
    by: str, names: list[str], full: Floats | None, seen: np.ndarray | None
) -> pl.DataFrame:
    schema = {
        "by": pl.String,
        "pool": pl.String,
        "month": pl.Int32,
        "cash": pl.Float64,
        "cumulative": pl.Float64,
        "estimated": pl.Boolean,
    }
    if full is None or seen is None:
        return pl.DataFrame(schema=schema)
    pools, months = full.shape
    return pl.DataFrame(
        {
            "by": [by] * full.size,
            "pool": np.repeat(names, months),
            "month": np.tile(np.arange(1, months + 1), pools),
            "cash": np.diff(full, axis=1, prepend=0.0).ravel(),
            "cumulative": full.ravel(),
            "estimated": ~seen.ravel(),
        }
    ).cast(pl.Schema(schema))
