"""What a step to collect adds, from the holder's own contacts: against loans like it that were left alone.

A loan that was called and paid might have paid anyway. So each step is judged by a doubly robust difference: payments
of a fortnight with the step in the month before it, less those of loans alike without, corrected by how likely such
loans were to get the step. What one holder has seen is then believed, against the market's figures, as far as its
numbers carry (METHODS 1.4, 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels import cells
from arrears.channels.cells import COUNT, RUNGS, SHAPE, Floats, Ints
from arrears.core.dates import DAYS_A_MONTH
from arrears.recovery.fitting.credibility import buhlmann_straub
from arrears.recovery.params import DEFAULT_DAY
from arrears.rules import MarketBook

PERIOD, PERIODS, FELT, BEFORE = 15, 24, 2, 6
_MOST_LOANS = 150_000
_LEAST_ROWS, _LEAST_PAID, _LEAST_IN_ALL = 300, 10, 50
_FACTORS = ("product", "contact", "stage", "size")
_LEAST, _RIDGE = -0.5, 1.0
_BORROWERS = ("borrower", "guarantor")


@dataclass(frozen=True)
class Uplift:
    """What each step adds as far as the holder's own history is believed.

    Attributes:
        effect: logit of a payment by cell and step (COUNT, steps).
        table: `step, rows, with_step, paid, market, own?, se?, credibility, used`; effects as means over the rows
            that had the step, null where too few had it.
    """

    effect: Floats
    table: pl.DataFrame


def learn(
    loans: pl.DataFrame,
    contacts: pl.DataFrame,
    payments: pl.DataFrame,
    *,
    as_of: date,
    market: MarketBook,
) -> Uplift:
    """The market's figures, moved by the contacts and payments of the last year before `as_of`.

    Args:
        loans: canonical, those that are past due count; contacts, payments: canonical.
    """
    effect = cells.prior(market, as_of)
    groups = panel(loans, contacts, payments, as_of)
    rows = []
    for rung, step in enumerate(RUNGS):
        low, high = market.entry(f"ladder/{step}", as_of).range or (0.0, 0.0)
        told = _learn_step(groups, effect, rung, spread=(high - low) / 4.0)
        rows.append({"step": step, **told})
    limit = market.number("ladder/most", as_of)
    schema = {
        "step": pl.String, "rows": pl.Int64, "with_step": pl.Int64, "paid": pl.Int64, "market": pl.Float64,
        "own": pl.Float64, "se": pl.Float64, "credibility": pl.Float64, "used": pl.Float64,
    }  # fmt: skip
    return Uplift(np.clip(effect, _LEAST, limit), pl.DataFrame(rows, schema=schema))


def panel(
    loans: pl.DataFrame, contacts: pl.DataFrame, payments: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """Fortnights of loans past due, gathered into groups alike: `cell, before, bits, n, paid`.

    `bits` are the steps of the month before a fortnight, `before` whether the quarter before it saw a payment. Steps
    before the default are none of it; a fortnight whose first step lies inside it tells nothing and is left out.
    """
    late = loans.filter(pl.col("days_past_due") > 0)
    touched, alone = (late.join(contacts, on="loan_id", how=how) for how in ("semi", "anti"))
    late = pl.concat([_some(touched), _some(alone)]).sort("loan_id")
    claim = late.select(pl.sum_horizontal("principal", "interest", "fees")).to_series()
    fixed = late.select("loan_id", "product", "contact_status", days="days_past_due").with_columns(
        claim=claim
    )
    grid = fixed.join(pl.DataFrame({"k": range(PERIODS)}, schema={"k": pl.Int32}), how="cross")
    grid = grid.with_columns(then=pl.col("days") - PERIOD * (pl.col("k") + 1)).filter(
        pl.col("then") > 0
    )
    back = (pl.lit(as_of) - pl.col("date")).dt.total_days()
    bit = pl.col("step").replace_strict(
        {step: 1 << rung for rung, step in enumerate(RUNGS)}, default=0, return_dtype=pl.Int32
    )
    steps = contacts.select("loan_id", back=back, bit=bit).filter(pl.col("back") >= 0)
    steps = steps.join(fixed.select("loan_id", "days"), on="loan_id").filter(
        pl.col("back") < pl.col("days")
    )
    steps = steps.select("loan_id", q=(pl.col("back") // PERIOD).cast(pl.Int32), bit="bit")
    inside = steps.select("loan_id", k="q").unique().with_columns(inside=pl.lit(True))
    felt = (
        _shifted(steps, range(1, FELT + 1))
        .unique()
        .group_by("loan_id", "k")
        .agg(bits=pl.col("bit").sum())
    )
    came = payments.filter(
        (pl.col("amount") > 0)
        & (pl.col("source").is_in(list(_BORROWERS)) | pl.col("source").is_null())
    ).select("loan_id", q=(back // PERIOD).cast(pl.Int32), bit=pl.lit(1))
    now = _shifted(came, range(1)).unique().select("loan_id", "k", paid=pl.lit(1))
    before = _shifted(came, range(1, BEFORE + 1)).unique().select("loan_id", "k", before=pl.lit(1))
    for table in (felt, inside, now, before):
        grid = grid.join(table, on=["loan_id", "k"], how="left")
    grid = grid.with_columns(pl.col("bits", "paid", "before").fill_null(0))
    grid = grid.filter((pl.col("bits") > 0) | pl.col("inside").is_null())
    then = grid["then"].to_numpy()
    age = np.where(then >= DEFAULT_DAY, (then - DEFAULT_DAY) // DAYS_A_MONTH, -1).astype(np.int64)
    cell = cells.cells(grid, grid["claim"].to_numpy().astype(np.float64), age, then)
    return (
        grid.with_columns(cell=pl.Series(cell))
        .group_by("cell", "before", "bits")
        .agg(n=pl.len().cast(pl.Int64), paid=pl.col("paid").sum().cast(pl.Int64))
        .sort("cell", "before", "bits")
    )


def _some(loans: pl.DataFrame) -> pl.DataFrame:
    """At most so many loans, evenly by their order."""
    every = -(-loans.height // (_MOST_LOANS // 2)) or 1
    return loans.gather_every(every)


def _shifted(table: pl.DataFrame, later: range) -> pl.DataFrame:
    """The rows once more in each of the fortnights that follow by so many: `loan_id, k, bit`."""
    return (
        pl.concat([table.select("loan_id", "bit", k=pl.col("q") - shift) for shift in later])
        .filter((pl.col("k") >= 0) & (pl.col("k") < PERIODS))
        .select("loan_id", "k", "bit")
    )


def _learn_step(
    groups: pl.DataFrame, effect: Floats, rung: int, *, spread: float
) -> dict[str, object]:
    """Move a column of `effect` by what the groups show of a step; the row of the table on it."""
    n = groups["n"].to_numpy().astype(np.float64)
    paid = groups["paid"].to_numpy().astype(np.float64)
    bits, cell = groups["bits"].to_numpy(), groups["cell"].to_numpy()
    had = (bits >> rung & 1).astype(np.bool_)
    before = effect[cell, rung]
    told: dict[str, object] = {
        "rows": int(n.sum()), "with_step": int(n[had].sum()), "paid": int(paid[had].sum()),
        "market": _mean(before, n * had), "own": None, "se": None, "credibility": 0.0,
        "used": _mean(before, n * had),
    }  # fmt: skip
    enough = all(
        n[part].sum() >= _LEAST_ROWS and paid[part].sum() >= _LEAST_IN_ALL for part in (had, ~had)
    )
    if not enough:
        return told
    sides = _Sides.of(groups, rung)
    own, se = sides.effect(np.ones(len(n), dtype=np.bool_))
    z = spread**2 / (spread**2 + se**2)
    effect[:, rung] += z * (own - _mean(effect[cell, rung], n))
    levels = np.array(np.unravel_index(cell, SHAPE))
    for axis in range(len(_FACTORS)):
        effect[:, rung] += _by_level(sides, levels[axis], axis, effect[cell, rung])
    return told | {
        "own": own, "se": se, "credibility": z, "used": _mean(effect[cell, rung], n * had)
    }  # fmt: skip


def _by_level(sides: _Sides, level: Ints, axis: int, believed: Floats) -> Floats:
    """What the levels of a factor add to what is believed so far, each as far as it is credible (COUNT,)."""
    size = SHAPE[axis]
    dev, weight = np.zeros(size), np.zeros(size)
    for number in range(size):
        mine = level == number
        if sides.enough(mine):
            own, se = sides.effect(mine)
            dev[number] = own - _mean(believed[mine], sides.n[mine])
            weight[number] = 1.0 / se**2
    seen = buhlmann_straub(dev[:, None], weight[:, None], least_within=1.0, collective=0.0)
    added: Floats = seen.premium[np.unravel_index(np.arange(COUNT), SHAPE)[axis]]
    return added


def _mean(values: Floats, weights: Floats) -> float:
    whole = float(weights.sum())
    return float((values * weights).sum() / whole) if whole > 0 else 0.0


@dataclass(frozen=True)
class _Sides:
    """Groups with and without a step, and what is expected of each on either side (G,).

    Attributes:
        had, n, share: with the step, rows, share of them that paid.
        chance: of having the step; with_, without: of a payment on either side.
    """

    had: npt.NDArray[np.bool_]
    n: Floats
    share: Floats
    chance: Floats
    with_: Floats
    without: Floats

    @classmethod
    def of(cls, groups: pl.DataFrame, rung: int) -> _Sides:
        """Three logistic fits: payments with the step, without it, and the step itself."""
        n = groups["n"].to_numpy().astype(np.float64)
        share = groups["paid"].to_numpy() / n
        bits = groups["bits"].to_numpy()
        had = (bits >> rung & 1).astype(np.bool_)
        x = _design(groups, rung)
        return cls(
            had=had,
            n=n,
            share=share,
            chance=np.clip(_fitted(x, had.astype(np.float64), n), 0.02, 0.98),
            with_=_fitted(x, share, n * had),
            without=_fitted(x, share, n * ~had),
        )

    def enough(self, mine: npt.NDArray[np.bool_]) -> bool:
        """Whether both sides of some groups hold what a figure needs."""
        return all(
            self.n[part].sum() >= _LEAST_ROWS and (self.n * self.share)[part].sum() >= _LEAST_PAID
            for part in (mine & self.had, mine & ~self.had)
        )

    def effect(self, mine: npt.NDArray[np.bool_]) -> tuple[float, float]:
        """Doubly robust effect of the step on the logit of a payment over some groups, and its standard error."""
        n, had, share = self.n[mine], self.had[mine], self.share[mine]
        chance, up, down = self.chance[mine], self.with_[mine], self.without[mine]
        treated = up + np.where(had, (share - up) / chance, 0.0)
        alone = down + np.where(had, 0.0, (share - down) / (1.0 - chance))
        scatter = np.where(
            had, up * (1.0 - up) / chance**2, down * (1.0 - down) / (1.0 - chance) ** 2
        )
        base = float(np.clip(_mean(alone, n), 1e-6, 0.999))
        high = float(np.clip(_mean(treated, n), 1e-6, 0.999))
        error = float(np.sqrt((n * scatter).sum()) / n.sum())
        slope = min(high * (1.0 - high), base * (1.0 - base))
        return float(np.log(high / (1.0 - high)) - np.log(base / (1.0 - base))), max(
            error / slope, 1e-3
        )


def _design(groups: pl.DataFrame, rung: int) -> Floats:
    """One, levels of the factors but their first, a payment before, the other steps (G, p)."""
    levels = np.unravel_index(groups["cell"].to_numpy(), SHAPE)
    columns = [np.ones(groups.height), groups["before"].to_numpy().astype(np.float64)]
    for level, size in zip(levels, SHAPE, strict=True):
        columns += [(level == number).astype(np.float64) for number in range(1, size)]
    bits = groups["bits"].to_numpy()
    others = [other for other in range(len(RUNGS)) if other != rung]
    columns += [(bits >> other & 1).astype(np.float64) for other in others]
    return np.stack(columns, axis=1)


def _fitted(x: Floats, share: Floats, n: Floats) -> Floats:
    """Fitted chances (G,) of a ridge logistic regression of `share` over `n` trials, by Newton's method."""
    beta = np.zeros(x.shape[1])
    whole = _mean(share, n)
    beta[0] = np.log(np.clip(whole, 1e-6, 1.0 - 1e-6) / (1.0 - np.clip(whole, 1e-6, 1.0 - 1e-6)))
    penalty = np.full(x.shape[1], _RIDGE)
    penalty[0] = 1e-6
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -30.0, 30.0)))
        weight = n * chance * (1.0 - chance)
        slope = x.T @ (n * (share - chance)) - penalty * beta
        step = np.linalg.solve(x.T @ (x * weight[:, None]) + np.diag(penalty), slope)
        beta += np.clip(step, -3.0, 3.0)
        if np.abs(step).max() < 1e-8:
            break
    fitted: Floats = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -30.0, 30.0)))
    return fitted
