"""What stands beside the product on the car loans: segment mean, chain ladder and plain boosting, of the same day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from arrears.recovery.fitting.triangle import chain_ladder
from validation.real.cars import DEFAULT, Cars, Look, days
from validation.real.score import Guess

AGES = (3, 6, 12, 24)
RANKS = (0.05, 0.25, 0.75, 0.95)
BANDS = 5
FEATURES = ("age", "owed", "since", "gone")


def looks(cars: Cars) -> pl.DataFrame:
    """Every month end on which a loan is a claim: `loan_id, at, age, owed, since, gone, cash_6, ...`, cash seen later.

    `since` counts months from the last payment; cash is null where the reports end before.
    """
    table = cars.months.with_columns(
        days=days("behind"), total=pl.col("cash").cum_sum().over("loan_id")
    )
    paid = pl.when(pl.col("cash") > 0).then("at").forward_fill().over("loan_id")
    table = table.with_columns(
        age=((pl.col("days") - DEFAULT) // 30).clip(0, None),
        since=(pl.col("at") - paid).fill_null(99),
        gone=pl.col("gone").cast(pl.Int64),
        end=pl.col("deal").replace_strict(cars.ends, return_dtype=pl.Int64),
    )
    claims = table.filter(pl.col("days") >= DEFAULT, pl.col("owed") > 0)
    for months in (6, 12, 24):
        until = table.select("loan_id", pl.col("at") - months, later="total").sort("at")
        claims = claims.sort("at").join_asof(
            until, on="at", by="loan_id", strategy="backward", check_sortedness=False
        )
        # Reports end with the loan: the last total before the horizon stands for it.
        came = (pl.col("later").fill_null(pl.col("total")) - pl.col("total")).clip(0, None)
        inside = pl.col("at") + months <= pl.col("end")
        claims = claims.with_columns(pl.when(inside).then(came).alias(f"cash_{months}")).drop(
            "later"
        )
    return claims.select(
        "loan_id", "deal", "at", *FEATURES, *(f"cash_{m}" for m in (6, 12, 24))
    ).sort("loan_id", "at")


def segment_mean(old: pl.DataFrame, new: pl.DataFrame, months: int) -> Guess:
    """Mean share of claims of the same age, charged off or not; ranges are quantiles of theirs."""
    before, after = (_segment(table) for table in (old, new))
    share = _share(old, months)
    means, ranks = np.empty(len(after)), np.empty((len(after), 4))
    for segment in np.unique(after):
        mine = share[before == segment] if (before == segment).sum() >= 5 else share
        means[after == segment] = mine.mean()
        ranks[after == segment] = np.quantile(mine, RANKS)
    return Guess(means, ranks)


def boosting(old: pl.DataFrame, new: pl.DataFrame, months: int) -> Guess:
    """LightGBM as it comes on the same features; ranges are quantiles of claims not learnt from, by fifths."""
    share = _share(old, months)
    later = (old["at"] > np.quantile(old["at"].to_numpy(), 0.6)).to_numpy()
    guess = _boosted(old, share, new)
    if later.all() or later.sum() < BANDS * 4:
        return Guess(guess, np.tile(np.quantile(share, RANKS), (len(guess), 1)))
    known = _boosted(old.filter(~later), share[~later], old.filter(later))
    edges = np.unique(np.quantile(known, np.arange(1, BANDS) / BANDS))
    band, mine = np.searchsorted(edges, known), np.searchsorted(edges, guess)
    ends = [
        np.quantile(share[later][band == b] if (band == b).any() else share[later], RANKS)
        for b in range(len(edges) + 1)
    ]
    return Guess(guess, np.array(ends)[mine])


def ladder(look: Look, triangle: pl.DataFrame, pools: pl.DataFrame, months: int) -> np.ndarray:
    """Share of what is owed by the chain ladder of `fit` (its triangle by month of default), by band of ages.

    The claim stands before the cash, so that claims that have paid nothing yet have a forecast too.
    """
    wide = triangle.with_columns(
        seen=pl.when(~pl.col("estimated")).then("cumulative")
    ).pivot("month", index="pool", values="seen")  # fmt: skip
    claim = wide.select("pool").join(pools.filter(by="default"), on="pool")["claim"].to_numpy()
    cash = wide.drop("pool").to_numpy().astype(float)
    factors = chain_ladder(np.column_stack([claim, claim[:, None] + cash])).factors
    now = look.as_of.year * 12 + look.as_of.month - 1
    index = pl.col("month").dt.year().cast(pl.Int64) * 12 + pl.col("month").dt.month() - 1
    first = (
        look.months.filter(pl.col("days_past_due") >= DEFAULT)
        .group_by("loan_id")
        .agg(first=index.min())
    )
    dated = pl.col("date").dt.year().cast(pl.Int64) * 12 + pl.col("date").dt.month() - 1
    since = look.payments.join(first, on="loan_id").filter(dated > pl.col("first"))
    paid = since.group_by("loan_id").agg(paid=pl.col("amount").sum())
    table = look.claims.join(first, on="loan_id", how="left", maintain_order="left").join(
        paid, on="loan_id", how="left", maintain_order="left"
    )
    seen = (now - table["first"].fill_null(now)).to_numpy()
    growth = np.array([np.prod(factors[k : k + months]) for k in seen])
    so_far = table["paid"].fill_null(0).clip(0, None).to_numpy()
    owed = table["owed"].to_numpy().astype(float)
    cash = (growth - 1.0) * (owed + 2.0 * so_far)
    band = np.searchsorted(AGES, seen, side="right")
    size = len(AGES) + 1
    total, whole = np.bincount(band, cash, size), np.bincount(band, owed, size)
    return (total / np.maximum(whole, 1.0))[band]


def pools_of(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What `fit` left of its pools: the triangle by default, and the pools."""
    return (
        pl.read_csv(folder / "fit/triangle_default.csv"),
        pl.read_csv(folder / "fit/pools.csv", schema_overrides={"pool": pl.String}),
    )


def _segment(table: pl.DataFrame) -> np.ndarray:
    return (
        np.searchsorted(AGES, table["age"].to_numpy(), side="right") * 2 + table["gone"].to_numpy()
    )


def _share(table: pl.DataFrame, months: int) -> np.ndarray:
    return (table[f"cash_{months}"] / table["owed"]).to_numpy()


def _boosted(old: pl.DataFrame, share: np.ndarray, new: pl.DataFrame) -> np.ndarray:
    import lightgbm

    settings = {
        "verbose": -1, "num_threads": 1, "seed": 0, "deterministic": True, "learning_rate": 0.05,
    }  # fmt: skip
    before, after = (table.select(FEATURES).to_numpy().astype(float) for table in (old, new))
    found = lightgbm.train(settings, lightgbm.Dataset(before, share), 100)
    return np.clip(np.asarray(found.predict(after)), 0.0, None)
