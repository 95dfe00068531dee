"""Two runs side by side: which loans go another way, and why."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, cast

import polars as pl

from arrears import report
from arrears.files import staged
from arrears.report.parts import paragraph, shell, table
from arrears.run import record as run_record
from arrears.run.products import Products, to_json
from arrears.run.stages import Stages, Watcher


@dataclass(frozen=True)
class Compared:
    """What changed from run `a` to run `b`.

    Attributes:
        table: `loan_id, channel_a, channel_b, value_a, value_b, why`, a row a loan of either.
    """

    table: pl.DataFrame
    summary: dict[str, object]

    def lines(self) -> list[str]:
        """For people."""
        changes = cast("dict[str, int]", self.summary["why"])
        told = ", ".join(f"{count:,} {why}" for why, count in changes.items() if why != "the same")
        gain = cast("float", self.summary["value_b"]) - cast("float", self.summary["value_a"])
        return [
            f"{self.summary['changed']:,} of {self.table.height:,} loans go another way; "
            f"the plan's worth changes by {report.money(gain)}.",
            f"Why: {told or 'nothing changed'}.",
        ]


def compare(
    a: Path, b: Path, *, out: Path, force: bool = False, watcher: Watcher | None = None
) -> Compared:
    """Compare two runs of `resolve`: `comparison.parquet, comparison.html` in `out`.

    Raises:
        Stopped: one of them is no run.
        BadArgument: `out` cannot be written to.
    """
    stages = Stages(watcher)
    records = [run_record.read(folder) for folder in (a, b)]
    with staged(out, force=force) as place, stages.stage("compare"):
        compared = _compare(a, b, records)
        products = Products(place.folder)
        products.table("comparison.parquet", compared.table)
        products.text("comparison.html", _page(a, b, compared))
        record = {"command": "compare", "runs": [str(a), str(b)], "summary": compared.summary}
        record["products"] = dict(sorted(products.hashes.items()))
        (place.folder / "run.json").write_text(to_json(record), encoding="utf-8")
    return compared


def _compare(a: Path, b: Path, records: list[run_record.Record]) -> Compared:
    one, two = (_plan(folder, side) for folder, side in ((a, "a"), (b, "b")))
    both = one.join(two, on="loan_id", how="full", coalesce=True)
    opened = _eligible(a, both, "a"), _eligible(b, both, "b")
    both = both.join(opened[0], on="loan_id", how="left").join(opened[1], on="loan_id", how="left")
    limits = [pl.read_parquet(folder / "capacities.parquet") for folder in (a, b)]
    other_law = records[0]["rulebook"] != records[1]["rulebook"]
    other_limits = (
        not limits[0]
        .select("capacity", "scope", "sense", "limit")
        .equals(limits[1].select("capacity", "scope", "sense", "limit"))
    )
    why = report.why_moved(other_law=other_law, other_limits=other_limits)
    rows = both.with_columns(why=why).sort("loan_id")
    changed = rows.filter(~pl.col("why").is_in(report.SAME_WAY))
    counts = rows.group_by("why").len().sort("len", "why", descending=[True, False])
    plans = [cast("dict[str, Any]", record["plan"]) for record in records]
    summary: dict[str, object] = {
        "loans": rows.height,
        "changed": changed.height,
        "why": dict(counts.rows()),
        "value_a": plans[0]["value"],
        "value_b": plans[1]["value"],
    }
    columns = ["loan_id", "channel_a", "channel_b", "value_a", "value_b", "why"]
    return Compared(rows.select(columns), summary)


def _plan(folder: Path, side: str) -> pl.DataFrame:
    plan = pl.read_parquet(folder / "plan.parquet")
    return plan.select(
        "loan_id",
        pl.col("channel").alias(f"channel_{side}"),
        pl.col("start_month").alias(f"start_{side}"),
        pl.col("value").alias(f"value_{side}"),
    )


def _eligible(folder: Path, both: pl.DataFrame, side: str) -> pl.DataFrame:
    """Whether the way that the other run took may be taken in this one: `loan_id, <other>_in_<side>`."""
    other = "b" if side == "a" else "a"
    asked = both.select(
        "loan_id", channel=f"channel_{other}", start_month=f"start_{other}"
    ).drop_nulls()
    offers = pl.scan_parquet(folder / "offers.parquet").select(
        "loan_id", "channel", "start_month", "eligible"
    )
    found = asked.lazy().join(offers, on=["loan_id", "channel", "start_month"]).collect()
    return found.select("loan_id", pl.col("eligible").alias(f"{other}_in_{side}"))


def _page(a: Path, b: Path, compared: Compared) -> str:
    summary = compared.summary
    title = compared.lines()[0]
    counts = [
        [why, report.number(count)] for why, count in cast("dict[str, int]", summary["why"]).items()
    ]
    moves = (
        compared.table.filter(pl.col("channel_a") != pl.col("channel_b"))
        .group_by("channel_a", "channel_b", maintain_order=True)
        .agg(loans=pl.len(), gain=(pl.col("value_b") - pl.col("value_a")).sum())
        .sort("loans", "channel_a", "channel_b", descending=[True, False, False])
    )
    rows = [
        [
            report.WAYS[row["channel_a"]], report.WAYS[row["channel_b"]], report.number(row["loans"]),
            report.money(row["gain"]),
        ]
        for row in moves.iter_rows(named=True)
    ]  # fmt: skip
    parts = [
        f"<h1>{escape(title)}</h1>",
        paragraph(f"From {a.name} to {b.name}.", "when"),
        table(["why", "loans"], counts),
        "<h2>From which way to which</h2>",
        table(["from", "to", "loans", "value changes by"], rows, words=2),
    ]
    return shell(title, parts)
