"""Kenya's small loans: how soon late payment dries up, and what is foretold of those that came to day 91."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from validation import section
from validation.real import totals
from validation.real.sources import read


def drying(folder: Path) -> str:
    """How soon late payment dries up: chance of repayment in each week after the due day, of Kenya's loans."""
    start, seen = pl.col("start").str.to_date(), pl.col("seen").str.to_date()
    loans = read(folder, "kenya_microloans/loans").filter(pl.col("dates_clear") == 1)
    loans = loans.with_columns(
        paid=pl.when(pl.col("repaid") == 1).then(pl.col("days") - 21).otherwise(10_000),
        followed=(seen - start).dt.total_days() - 21,
    )
    rows = []
    for first, last in ((0, 7), (7, 14), (14, 21), (21, 30), (30, 60), (60, 90), (90, 180)):
        late = loans.filter(pl.col("paid") > first, pl.col("followed") >= last)
        if late.height < 30:
            continue
        hit = (late["paid"] <= last).to_numpy().astype(float)
        weekly = [
            1 - (1 - share) ** (7 / (last - first))
            for share in section.bootstrap(lambda a: float(a.mean()), hit, draws=200)
        ]
        share = f"{weekly[0]:.1%} [{weekly[1]:.1%}, {weekly[2]:.1%}]"
        rows.append((f"{first} to {last}", f"{late.height:,}", f"{hit.sum():,.0f}", share))
    text = "**Kenya, how soon late payment dries up**: repaid in a week, of loans open that were followed so long."
    return text + "\n\n" + section.table(("days past due", "open", "repaid", "a week"), rows)


def silent(folder: Path) -> str:
    """Kenya's loans that came to day 91: none was repaid; the whole fit on the earlier, judged on the later."""
    start, seen = pl.col("start").str.to_date(), pl.col("seen").str.to_date()
    loans = read(folder, "kenya_microloans/loans").filter(pl.col("dates_clear") == 1)
    days = (seen - start).dt.total_days() - 21 - 91
    open_then = loans.filter(days >= 30, (pl.col("days") > 21 + 91) | (pl.col("repaid") == 0))
    open_then = open_then.with_columns(wait=days // 30).sort("start")
    cut = int(0.6 * open_then.height)
    came = (open_then["repaid"] == 1).to_numpy().astype(float)
    wait = open_then["wait"].to_numpy()
    both = [
        totals.Totals(
            came[rows], np.full(len(came[rows]), 1000.0), np.zeros(len(came[rows]), dtype=int)
        )
        for rows in (slice(0, cut), slice(cut, None))
    ]
    layout = totals.Layout(91, wait[:cut], wait[cut:], None)
    told = totals.foretold(*both, layout).share
    prior = totals.foretold(*both, layout, fitted=False).share
    return (
        f"**Kenya, past day 91, through `fit` and `forecast`**: of {open_then.height} loans that came to day 91, "
        f"{came.sum():.0f} were repaid. Fitted on the {cut} that were taken earlier, the model foretells "
        f"{told.mean():.1%} of the other {len(told)}, each over its time in view ({wait[cut:].mean():.1f} months in "
        f"the mean); {both[1].share.mean():.1%} came, and the market prior alone says {prior.mean():.1%}."
    )
