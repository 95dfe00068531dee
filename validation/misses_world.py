"""Does `due` know who will miss? The next month of books whose households are followed beyond the cut-off date."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl

from arrears.recovery.histories.misses import ahead
from arrears.recovery.histories.states import BAD, BUCKETS, bucket
from arrears.rules import load_market
from validation import section
from validation.worlds.hidden import Setting, book

TITLE = "Who misses the next payment"
GROUPS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.2, 0.5, 1.0)


def main(smoke: bool) -> str:
    """The section."""
    told, came, at = [], [], []
    seeds = range(1) if smoke else range(4)
    for seed in seeds:
        made = book(Setting(loans=3_000 if smoke else 20_000, dial=0.5, seed=seed))
        chances = ahead(
            made.loans,
            made.months,
            market=load_market("cn"),
            as_of=made.loans["as_of"][0],
            events=made.events,
        )
        after = made.later.sort("loan_id", "month").group_by("loan_id", maintain_order=True).first()
        both = (
            made.loans.select(
                "loan_id",
                "days_past_due",
                at=bucket(pl.col("days_past_due")),
                p=pl.Series(chances.miss),
            )
            .join(after.select("loan_id", to=bucket(pl.col("days_past_due"))), on="loan_id")
            .filter(pl.col("at") < BAD)
        )
        told.append(both["p"].to_numpy())
        came.append((both["to"] > both["at"]).to_numpy())
        at.append(both["at"].to_numpy())
    p, missed, state = (np.concatenate(parts) for parts in (told, came, at))
    rows = []
    for low, high in pairwise(GROUPS):
        mine = (p >= low) & (p < high)
        if mine.sum() >= 30:
            share, least, most = section.bootstrap(
                lambda x: float(x.mean()), missed[mine].astype(float)
            )
            rows.append(
                (
                    f"{low:.1%} to {high:.1%}",
                    f"{mine.sum():,}",
                    f"{p[mine].mean():.2%}",
                    f"{share:.2%} [{least:.2%}, {most:.2%}]",
                )
            )
    ranks = []
    for name, score in (("p_miss of `due`", p), ("bucket alone", state.astype(float))):
        for where, mine in (
            ("all", np.ones(len(p), dtype=bool)),
            (f"{BUCKETS[0]} loans", state == 0),
        ):
            area, least, most = section.bootstrap(
                section.area_under_curve, score[mine], missed[mine]
            )
            ranks.append((f"{name}, {where}", f"{area:.3f} [{least:.3f}, {most:.3f}]"))
    text = (
        f"{len(p):,} loans up to 90 days past due in {len(seeds)} synthetic books: the chance given on the cut-off "
        "date, and whether the loan was in a worse bucket a month later. The bucket alone says nothing of loans that "
        "are current."
    )
    return "\n\n".join(
        [
            f"## {TITLE}",
            text,
            section.table(("chance given", "loans", "mean", "missed"), rows),
            section.table(("ranked by", "area under the curve"), ranks),
        ]
    )


if __name__ == "__main__":
    section.run(main)
