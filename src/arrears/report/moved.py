"""What is other than in the plan before: which loans go another way, from which to which, and why."""

from __future__ import annotations

from html import escape

import numpy as np
import polars as pl

from arrears.channels import COLUMNS, Offers
from arrears.report import figures
from arrears.report.contents import WAYS, Contents
from arrears.report.parts import paragraph, table

_MOVED, _YUAN = 0.01, 100.0
_SAME, _NEW, _GONE = "the same way", "new on the tape", "not in this plan: off the tape, or paid"
_BARRED, _WORTH = "the way before may no longer be taken", "another way is worth more now"
_PLACE = "limits, or other loans that took their place"
_NONE = "none"


def changes(before: pl.DataFrame, plan: pl.DataFrame, offers: Offers) -> pl.DataFrame:
    """`loan_id, before?, now?, value_before?, value_now?, why`, a row a loan of either plan.

    Args:
        before: `loan_id, channel, start_month?, value?` of the plan before.
        plan: `plan.parquet`, in the order of the offers.
    """
    now = plan.select(
        "loan_id", "channel", "start_month", "value", row=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    both = now.join(before, on="loan_id", how="full", suffix="_before", coalesce=True)
    gone = (pl.col("value") - pl.col("value_before")).abs() > _MOVED * pl.col("value_before").abs()
    start = pl.col("start_month_before")
    same = (pl.col("channel") == pl.col("channel_before")) & (
        (pl.col("start_month") == start).fill_null(True)
    )
    why = (
        pl.when(pl.col("channel_before").is_null())
        .then(pl.lit(_NEW))
        .when(pl.col("channel").is_null())
        .then(pl.lit(_GONE))
        .when(same)
        .then(pl.lit(_SAME))
        .when(~_still_open(both, offers))
        .then(pl.lit(_BARRED))
        .when(gone)
        .then(pl.lit(_WORTH))
        .otherwise(pl.lit(_PLACE))
    )
    return both.select(
        "loan_id",
        before="channel_before",
        now="channel",
        value_before="value_before",
        value_now="value",
        why=why,
    ).sort("loan_id")


def _still_open(both: pl.DataFrame, offers: Offers) -> pl.Series:
    """Whether the way before may be taken now; true for loans that are not in both plans."""
    rows = both["row"].fill_null(-1).to_numpy()
    way = both["channel_before"].fill_null("").to_numpy()
    start = both["start_month_before"].fill_null(0).to_numpy()
    found = np.ones(both.height, dtype=np.bool_)
    for column, (channel, month) in enumerate(COLUMNS):
        mine = (rows >= 0) & (way == channel) & (start == month)
        found[mine] = offers.eligible(column)[rows[mine]]
    return pl.Series(found)


def section(contents: Contents) -> str:
    """The comparison with the plan before; nothing where none was named."""
    found = contents.changes
    if found is None:
        return ""
    other = found.filter(pl.col("why") != _SAME)
    counts = found.group_by("why").len().sort("len", "why", descending=[True, False])
    ways = [pl.col(side).replace(WAYS).fill_null(_NONE) for side in ("before", "now")]
    moves = (
        other.with_columns(ways)
        .sort("loan_id")
        .group_by("before", "now", maintain_order=True)
        .agg(
            loans=pl.len(),
            value_before="value_before",
            value_now="value_now",
        )
        .sort("loans", "before", "now", descending=[True, False, False])
    )
    rows = [
        [
            row["before"],
            row["now"],
            figures.number(row["loans"]),
            *(_sum(row[side]) for side in ("value_before", "value_now")),
        ]
        for row in moves.iter_rows(named=True)
    ]
    return "\n".join(
        [
            f'<h2 id="changes">{escape(_title(found, other.height))}</h2>',
            table(["why", "loans"], [[why, figures.number(count)] for why, count in counts.rows()]),
            "<h3>From which way to which</h3>" if rows else "",
            table(["before", "now", "loans", "worth before, yuan", "worth now, yuan"], rows, words=2)
            if rows
            else "",
            paragraph(
                "A later start of the same way counts as another one. Loan by loan, and with what limits and law have "
                "to do with it: arrears compare OLD NEW.",
                "note",
            ),
        ]
    )  # fmt: skip


def _sum(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return figures.yuan(float(np.sum(known))) if known else figures.NOT_KNOWN


def _title(found: pl.DataFrame, other: int) -> str:
    shared = found.drop_nulls(["before", "now"])
    moved = shared.filter(pl.col("why") != _SAME).height
    text = f"{figures.number(moved)} of {figures.number(shared.height)} loans go another way than in the plan before"
    if not other:
        text = "Every loan goes the way of the plan before"
    elif found.height > shared.height:
        new, gone = (int(found[side].null_count()) for side in ("before", "now"))
        text += f"; {figures.number(new)} are new, {figures.number(gone)} are gone"
    if shared["value_before"].null_count() == shared.height:
        return text
    sums = [
        float(np.sum(shared[side].fill_null(0.0).to_numpy()))
        for side in ("value_before", "value_now")
    ]
    more = sums[1] - sums[0]
    if abs(more) < _YUAN:
        return text
    word = "more" if more >= 0 else "less"
    return f"{text}; the loans of both plans are worth {figures.money(abs(more))} {word}"
