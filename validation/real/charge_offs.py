"""Car loans after charge-off: the pool's cash by month."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from arrears.recovery.fitting.triangle import chain_ladder
from validation import section
from validation.real.sources import read

CAR_MONTHS = 24
CAR_CUT = 2020 * 12 + 12


def cars(folder: Path, smoke: bool) -> str:
    """Cash of car loans by month after charge-off: pool errors at 6, 12 and 24 months."""
    months = read(folder, "auto_abs/months").with_columns(
        at=pl.col("month").str.head(4).cast(pl.Int64) * 12
        + pl.col("month").str.tail(2).cast(pl.Int64)
    )
    last = months.join(read(folder, "auto_abs/loans").select("loan_id", "deal"), on="loan_id")
    ends = last.group_by("deal").agg(end=pl.col("at").max())
    lost = (
        last.filter(pl.col("charged_off").fill_null(0) > 0)
        .group_by("loan_id", "deal")
        .agg(start=pl.col("at").min(), lost=pl.col("charged_off").sum())
    )
    lost = lost.join(ends, on="deal").sort("loan_id")
    money = pl.col("recovered").fill_null(0) + pl.col("repossession").fill_null(0)
    rows = months.join(lost, on="loan_id").filter(pl.col("at") >= pl.col("start"))
    rows = rows.select("loan_id", gap=pl.col("at") - pl.col("start"), cash=money)
    place = {loan: k for k, loan in enumerate(lost["loan_id"])}
    cash = np.zeros((lost.height, CAR_MONTHS + 1))
    for loan, gap, paid in rows.iter_rows():
        cash[place[loan], min(gap, CAR_MONTHS)] += paid if gap <= CAR_MONTHS else 0.0
    total = np.cumsum(cash, axis=1)
    start, end = lost["start"].to_numpy(), lost["end"].to_numpy()
    exposure = lost["lost"].cast(pl.Float64).to_numpy()
    spring = (start >= 2020 * 12 + 3) & (start <= 2020 * 12 + 8)
    found = []
    for horizon in (6, 12, 24):
        for name, chosen in (
            ("after", (start > CAR_CUT) & ~spring),
            ("March to August 2020", spring),
        ):
            limit = CAR_CUT if name == "after" else 2020 * 12 + 2
            old = (start <= limit) & ~spring
            test = chosen & (end - start >= horizon)
            if old.sum() < 5 or test.sum() < 3:
                found.append(
                    (f"{horizon} months, {name}", int(old.sum()), int(test.sum()), *["too few"] * 4)
                )
                continue
            seen = np.minimum(end, limit) - start
            y = total[test, horizon] / exposure[test]
            for method, share in _cars_told(total, exposure, seen, old, horizon).items():
                guess = np.full(len(y), share)
                cells = []
                for measure, form in ((_absolute, ".3f"), (_pool, "+.0%")):
                    mid, low, high = section.bootstrap(
                        measure, y, guess, exposure[test], draws=20 if smoke else 200
                    )
                    cells.append(f"{mid:{form}} [{low:{form}}, {high:{form}}]")
                came = (y * exposure[test]).sum() / exposure[test].sum()
                label = f"{horizon} months, {name}: {method}"
                found.append((label, int(old.sum()), len(y), f"{share:.3f}", f"{came:.3f}", *cells))
    head = ("after charge-off", "learnt from", "judged", "foretold", "came", "MAE", "pool")
    text = (
        "**Car loans**: cash after charge-off, car and borrower together, over the amount charged off. Learnt from "
        "charge-offs to December 2020 with what was seen by then, or to February 2020 for those of March to August "
        "2020, which stand apart and teach nothing. The ladder starts at the exposure, as the first months hold costs. "
        "MAE cuts shares at 0 and 1 (a charge-off of a few dollars brought many times itself). "
        "Few charge-offs: one share for all, so no rank, no tenths and no "
        "boosting; all are secured, prime borrowers."
    )
    return text + "\n\n" + section.table(head, found)


def _cars_told(
    total: np.ndarray, exposure: np.ndarray, seen: np.ndarray, old: np.ndarray, horizon: int
) -> dict[str, float]:
    """Share of exposure by a month: mean of claims seen so long, and Arrears' chain ladder on all."""
    told = {}
    ripe = old & (seen >= horizon)
    if ripe.any():
        told["mean of those seen so long"] = float(
            total[ripe, horizon].sum() / exposure[ripe].sum()
        )
    # Costs make the first months negative: the exposure stands before them as money that is there already.
    ahead = np.arange(horizon + 1)[None, :] <= seen[old][:, None]
    triangle = np.where(ahead, exposure[old][:, None] + total[old][:, : horizon + 1], np.nan)
    ladder = chain_ladder(np.column_stack([exposure[old], triangle]))
    growth = float(np.prod(ladder.factors))
    told["Arrears: chain ladder"] = growth - 1.0
    return told


def _absolute(y: np.ndarray, guess: np.ndarray, _: np.ndarray) -> float:
    return float(np.abs(np.clip(y, 0.0, 1.0) - guess).mean())


def _pool(y: np.ndarray, guess: np.ndarray, exposure: np.ndarray) -> float:
    came = float((y * exposure).sum())
    return float((guess * exposure).sum()) / came - 1.0 if came > 0 else float("nan")
