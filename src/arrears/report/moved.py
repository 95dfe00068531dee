"""What is other than in the plan before: which loans go another way, from which to which, and why."""

from __future__ import annotations

from html import escape

import numpy as np
import polars as pl

from arrears.channels import COLUMNS, WAYS, Offers
from arrears.report import figures
from arrears.report.contents import Contents
from arrears.report.parts import paragraph, table

_MOVED, _YUAN = 0.01, 100.0
SAME_WAY = ("the same", "same way, other value")
_NONE = "none"


def why_moved(
    *, other_law: bool = False, both_known: bool = False, same_facts: bool = False
) -> pl.Expr:
    """Why a loan goes in plan `b` as it does, of `channel_*, start_*, value_*` of plans `a` and `b`, `b_in_a` and
    `a_in_b`: whether the way of one may be taken in the other; null where nobody knows.

    Args:
        both_known: offers and limits of both plans are, and not of `b` alone; then `worth_of_b_in_a` tells the worth of
            a way that was not taken, as `worth_of_a_in_b` does, and `limit` which limit that differs can have moved
            the loan, null where none can.
        same_facts: nothing but limits differs, so that what a way gains it gains by them.
    """
    law = ": another law or holder" if other_law else ""
    apart = (pl.col("value_a") - pl.col("value_b")).abs() > _MOVED * pl.col("value_a").abs()
    moved = apart.fill_null(False)
    crowded_out = "other limits, or other loans took its place"
    limited, overtaken, gained = pl.lit(None, pl.String), pl.lit(value=False), _fallen_behind()
    if both_known:
        crowded_out = "other loans took its place"
        limited = pl.format("other limits: {}", "limit")
        never = pl.lit(value=False)
        overtaken, gained = (never, never) if same_facts else _gains()
    same = (pl.col("channel_a") == pl.col("channel_b")) & (
        (pl.col("start_a") == pl.col("start_b")).fill_null(True)
    )
    return (
        pl.when(pl.col("channel_a").is_null())
        .then(pl.lit("new on the tape"))
        .when(pl.col("channel_b").is_null())
        .then(pl.lit("left the tape"))
        .when(same)
        .then(pl.when(moved).then(pl.lit(SAME_WAY[1])).otherwise(pl.lit(SAME_WAY[0])))
        .when(~pl.col("b_in_a").fill_null(True))
        .then(pl.lit("may now be taken" + law))
        .when(~pl.col("a_in_b").fill_null(True))
        .then(pl.lit("may no longer be taken" + law))
        .when(overtaken)
        .then(pl.lit("another way is worth more now"))
        .when(limited.is_not_null())
        .then(limited)
        .when(gained)
        .then(pl.lit("another way is worth more now"))
        .otherwise(pl.lit(crowded_out))
    )


def _fallen_behind() -> pl.Expr:
    """Whether the way of `a` is worth another sum in `b`, and less than the way that is taken there."""
    now = pl.col("worth_of_a_in_b")
    other = (now - pl.col("value_a")).abs() > _MOVED * pl.col("value_a").abs()
    return (other & (pl.col("value_b") > now)).fill_null(False)


def _gains() -> tuple[pl.Expr, pl.Expr]:
    """Whether the way of `b` has overtaken the way of `a` from one plan to the other; whether it has gained on it."""
    now = pl.col("value_b") - pl.col("worth_of_a_in_b")
    before = pl.col("worth_of_b_in_a") - pl.col("value_a")
    gained = now - before > _MOVED * pl.col("value_a").abs()
    overtaken = gained & (now > 0.0) & (before < 0.0)
    return overtaken.fill_null(False), gained.fill_null(False)


def changes(before: pl.DataFrame, plan: pl.DataFrame, offers: Offers) -> pl.DataFrame:
    """`loan_id, before?, now?, value_before?, value_now?, why`, a row a loan of either plan.

    Args:
        before: `loan_id, channel, start_month?, value?` of the plan before.
        plan: `plan.parquet`, in the order of the offers.
    """
    of = {"channel": "channel", "start_month": "start", "value": "value"}
    now = plan.select(
        "loan_id",
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        *(pl.col(name).alias(f"{short}_b") for name, short in of.items()),
    )
    was = before.select(
        "loan_id", *(pl.col(name).alias(f"{short}_a") for name, short in of.items())
    )
    both = now.join(was, on="loan_id", how="full", coalesce=True)
    still, worth = _still_open(both, offers)
    both = both.with_columns(still, worth, b_in_a=pl.lit(value=True))
    return both.select(
        "loan_id",
        before="channel_a",
        now="channel_b",
        value_before="value_a",
        value_now="value_b",
        why=why_moved(),
    ).sort("loan_id")


def _still_open(both: pl.DataFrame, offers: Offers) -> tuple[pl.Series, pl.Series]:
    """Whether the way before may be taken now, true for loans that are not in both plans; what it is worth now."""
    rows = both["row"].fill_null(-1).to_numpy()
    way = both["channel_a"].fill_null("").to_numpy()
    start = both["start_a"].fill_null(0).to_numpy()
    found, worth = np.ones(both.height, dtype=np.bool_), np.full(both.height, np.nan)
    for column, (channel, month) in enumerate(COLUMNS):
        mine = (rows >= 0) & (way == channel) & (start == month)
        found[mine] = offers.eligible(column)[rows[mine]]
        worth[mine] = offers.value[rows[mine], column]
    return pl.Series("a_in_b", found), pl.Series("worth_of_a_in_b", worth).fill_nan(None)


def section(contents: Contents) -> str:
    """The comparison with the plan before; nothing where none was named."""
    found = contents.changes
    if found is None:
        return ""
    other = found.filter(~pl.col("why").is_in(SAME_WAY))
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
    moved = shared.filter(~pl.col("why").is_in(SAME_WAY)).height
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
