"""Bunching (METHODS 3.2, E7): the excess of loans just short of a threshold, and of payments just before a date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.rng import generator
from arrears.standing.law import NPL, SEVERITY, Law

Floats = npt.NDArray[np.float64]

ORDER, BELOW, ABOVE = 5, 8, 8
BEFORE, AFTER = 45, 60
ROUND = 30
DRAWS = 400
LEAST_SEEN = 30
_FLOOR = 0.05

_DAYS_BEFORE, _DAYS_AFTER, _LAST_DAYS = 13, 13, 3


@dataclass(frozen=True)
class Notch:
    """What was found at a threshold, a value a group (g,).

    Attributes:
        excess: count above the counterfactual just below the notch; `missing` below it just above.
        relative: excess over the counterfactual's mean bin below; null-like NaN where nothing is expected.
        counterfactual: (g, bins) what a smooth distribution would hold.
    """

    bins: npt.NDArray[np.int64]
    excess: Floats
    missing: Floats
    se: Floats
    relative: Floats
    counterfactual: Floats

    @property
    def z(self) -> Floats:
        """Excess in standard errors; NaN without one."""
        return np.asarray(self.excess / np.where(self.se > 0, self.se, np.nan))


def notch(counts: Floats, bins: npt.NDArray[np.int64], last_below: int, *, seed: int = 0) -> Notch:
    """Bunching at a notch between `last_below` and the next day (Chetty et al. 2011; METHODS 3.2).

    A polynomial of order 5 is fitted to the counts outside the 8 bins on either side, with a dummy at every multiple
    of 30 days; the excess is what the bins below hold beyond it. The standard error is that of a residual bootstrap:
    residuals are resampled after division by the root of the counterfactual, as counts spread, and never spread less
    than Poisson's.

    Args:
        counts: (g, b) loans of each group in each bin.
        bins: days past due (b,), consecutive.
    """
    counts = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    zone = (bins > last_below - BELOW) & (bins <= last_below + ABOVE)
    round_days = (bins % ROUND == 0) & ~zone
    free = ~(zone | round_days)
    powers = np.vander((bins - last_below - 0.5) / BEFORE, ORDER + 1)
    project = powers @ np.linalg.pinv(powers[free])
    counterfactual = counts[:, free] @ project.T
    below, above = zone & (bins <= last_below), zone & (bins > last_below)
    off = counts - counterfactual
    lever = np.zeros(len(bins))
    lever[below] = 1.0
    lever[free] -= project[below].sum(axis=0)
    spread = np.sqrt(np.maximum(counterfactual, _FLOOR))
    residual = off[:, free] / spread[:, free]
    residual *= np.sqrt(free.sum() / (free.sum() - ORDER - 1))
    drawn = generator(seed, "hidden", "bunching").integers(0, free.sum(), (DRAWS, len(bins)))
    centred = residual - residual.mean(axis=1, keepdims=True)
    wide = np.maximum(1.0, 1.0 / np.maximum(centred.std(axis=1), 1e-9))
    # One group after the other: draws for all at once would not fit where a bank has thousands of branches.
    se = (
        np.array(
            [
                ((values * factor)[drawn] * width) @ lever
                for values, factor, width in zip(centred, wide, spread, strict=True)
            ]
        )
        .reshape(len(counts), DRAWS)
        .std(axis=1)
    )
    expected = counterfactual[:, below].mean(axis=1)
    excess = off[:, below].sum(axis=1)
    relative = excess / np.where(expected > 0, expected, np.nan)
    missing = -off[:, above].sum(axis=1)
    return Notch(bins, excess, missing, se, relative, counterfactual)


def bunching(
    loans: pl.DataFrame,
    lived: pl.DataFrame,
    payments: pl.DataFrame | None,
    *,
    thresholds: dict[str, tuple[int, ...]],
    seed: int = 0,
) -> pl.DataFrame:
    """`bunching.csv`: `lender, branch, threshold, excess, se, z`, the whole lender first (`branch` null).

    Loans count once a day past due at which a month found them. Thresholds are days (`90/91`) and the ends of months,
    quarters and years, at which payments are counted: a month's end against a smooth course of the days around it, a
    quarter's against the other months', a year's against the other quarters'. `z` is null on fewer than thirty.

    Args:
        lived: as `months.lived` gives it; where it is empty, the loans' own days count.
        thresholds: by product, the last day short of each threshold; `""` for all products.
    """
    where = loans.select(
        "lender", "branch", "product", "loan_id", loan=pl.int_range(pl.len(), dtype=pl.UInt32)
    )
    days = loans.select(days="days_past_due", loan=pl.int_range(pl.len(), dtype=pl.UInt32))
    if not lived.is_empty():
        days = pl.concat([days, lived.select(pl.col("days").cast(pl.Int32), "loan")])
    seen = days.drop_nulls().unique().join(where, on="loan")
    parts = []
    for product, lasts in thresholds.items():
        mine = seen.filter(product=product) if product else seen
        for last in lasts:
            bins = np.arange(last - BEFORE, last + AFTER + 1)
            groups, counts = _counted(mine, "days", bins)
            found = notch(counts, bins, last, seed=seed)
            name = f"{last}/{last + 1}"
            parts.append(
                _rows(groups, name, excess=found.excess, se=found.se, seen=counts.sum(axis=1))
            )
    if payments is not None and not payments.is_empty():
        paid = payments.filter(pl.col("amount") > 0).join(where, on="loan_id")
        parts += _at_ends(paid)
    order = ["lender", "branch", "threshold"]
    return pl.concat(parts).sort(order, nulls_last=False)


def _counted(
    table: pl.DataFrame, name: str, bins: npt.NDArray[np.int64]
) -> tuple[pl.DataFrame, Floats]:
    """Rows in each bin by lender, and by lender and branch: groups (g, 2), counts (g, b)."""
    inside = table.filter(pl.col(name).is_between(int(bins[0]), int(bins[-1])))
    whole = inside.with_columns(branch=pl.lit(None, pl.String))
    both = pl.concat([whole, inside.filter(pl.col("branch").is_not_null())], how="vertical")
    summed = both.group_by("lender", "branch", name).len()
    groups = summed.select("lender", "branch").unique().sort("lender", "branch")
    if groups.is_empty():
        return groups, np.zeros((0, len(bins)))
    place = summed.join(
        groups.with_row_index("group"), on=["lender", "branch"], nulls_equal=True, how="left"
    )
    counts = np.zeros((groups.height, len(bins)))
    counts[place["group"].to_numpy(), place[name].to_numpy() - bins[0]] = place["len"].to_numpy()
    return groups, counts


def _rows(
    groups: pl.DataFrame, threshold: str, *, excess: Floats, se: Floats, seen: Floats
) -> pl.DataFrame:
    told = seen >= LEAST_SEEN
    z = excess / np.where(se > 0, se, np.nan)
    return groups.with_columns(
        threshold=pl.lit(threshold),
        excess=pl.Series(excess, dtype=pl.Float64),
        se=pl.Series(se, dtype=pl.Float64),
        z=pl.when(pl.Series(told)).then(pl.Series(z, dtype=pl.Float64)).fill_nan(None),
    )


def _at_ends(paid: pl.DataFrame) -> list[pl.DataFrame]:
    """Payments in the last three days of months, quarters and years."""
    day = pl.col("date")
    to_end = (day.dt.month_end() - day).dt.total_days()
    since = day.dt.day().cast(pl.Int64)
    relative = pl.when(since <= _DAYS_AFTER).then(since).otherwise(-to_end)
    # A day of a month's first half belongs to the end of the month before.
    of = pl.when(since <= _DAYS_AFTER).then(day.dt.offset_by("-1mo")).otherwise(day).dt.month()
    placed = paid.with_columns(at=relative.cast(pl.Int64), of=of.cast(pl.Int64)).filter(
        pl.col("at") >= -_DAYS_BEFORE
    )
    bins = np.arange(-_DAYS_BEFORE, _DAYS_AFTER + 1)
    groups, every = _counted(placed, "at", bins)
    if groups.is_empty():
        return []

    def counted(months: tuple[int, ...]) -> Floats:
        mine, counts = _counted(placed.filter(pl.col("of").is_in(months)), "at", bins)
        spread = np.zeros_like(every)
        if mine.height:
            at = mine.join(
                groups.with_row_index("group"), on=["lender", "branch"], nulls_equal=True
            )
            spread[at["group"].to_numpy()] = counts
        return spread

    last = (bins > -_LAST_DAYS) & (bins <= 0)
    free = np.abs(bins) > _LAST_DAYS
    powers = np.vander(bins / _DAYS_BEFORE, 3)
    project = powers[last].sum(axis=0) @ np.linalg.pinv(powers[free])
    excess = every[:, last].sum(axis=1) - every[:, free] @ project
    se = np.sqrt(every[:, last].sum(axis=1) + every[:, free] @ project**2)
    parts = [_rows(groups, "month_end", excess=excess, se=se, seen=every.sum(axis=1))]
    quarters, year = counted((3, 6, 9, 12)), counted((12,))
    for name, some, others in (
        ("quarter_end", quarters, every - quarters),
        ("year_end", year, quarters - year),
    ):
        rest, usual = some[:, free].sum(axis=1), others[:, free].sum(axis=1)
        ratio = rest / np.where(usual > 0, usual, np.nan)
        ends, expected = some[:, last].sum(axis=1), others[:, last].sum(axis=1) * ratio
        variance = ends + others[:, last].sum(axis=1) * ratio**2
        variance = variance + expected**2 * (1 / np.maximum(rest, 1) + 1 / np.maximum(usual, 1))
        seen = np.where(usual > 0, rest, 0.0)
        beyond = np.nan_to_num(ends - expected)
        parts.append(_rows(groups, name, excess=beyond, se=np.sqrt(variance), seen=seen))
    return [part.with_columns(pl.col("se").fill_nan(None)) for part in parts]


def thresholds(law: Law) -> dict[str, tuple[int, ...]]:
    """The last day short of each class that is bad: of all loans, and of credit cards by their own matrix."""
    bad = {int(first) - 1 for first, level in law.by_days_2007 if level >= SEVERITY[NPL[0]]}
    cards = {int(first) - 1 for first, level in law.card if level >= SEVERITY[NPL[0]]}
    return {"": tuple(sorted(bad)), "credit_card": tuple(sorted(cards - bad))}
