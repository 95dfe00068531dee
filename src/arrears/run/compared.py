"""Two runs side by side: which loans go another way, and why."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl

from arrears import report
from arrears.channels import WAYS
from arrears.files import staged
from arrears.report.parts import paragraph, shell, table
from arrears.run import record as run_record
from arrears.run.limits_moved import OtherLimit, moved_by, other_limits
from arrears.run.products import Products, to_json
from arrears.run.stages import Stages, Watcher

_PLANNED = ("capacity", "previous", "letter", "excel")


@dataclass(frozen=True)
class Compared:
    """What changed from run `a` to run `b`.

    Attributes:
        table: `loan_id, channel_a, channel_b, value_a, value_b, why`, a row a loan of either.
        moves: `before, now, loans, gain`, a row for each way and start left for another.
        limits: that differ.
    """

    table: pl.DataFrame
    moves: pl.DataFrame
    summary: dict[str, object]
    limits: list[OtherLimit]

    def lines(self) -> list[str]:
        """For people."""
        changes = cast("dict[str, int]", self.summary["why"])
        told = "; ".join(f"{count:,} {why}" for why, count in changes.items() if why != "the same")
        gain, dearer = self._change("value"), self._change("pool_costs")
        packages = ""
        if abs(dearer) >= 1.0:
            cost = f"{report.money(abs(dearer))} {'more' if dearer > 0.0 else 'less'}"
            packages = f", packages, which cost {cost}, taken off"
        return [
            f"{self.summary['changed']:,} of {self.table.height:,} loans go another way or at another time; "
            f"the plan's worth changes by {report.money(gain - dearer)}{packages}.",
            f"Why: {told or 'nothing changed'}.",
            *(f"Limit: {limit.told()}." for limit in self.limits),
        ]

    def _change(self, name: str) -> float:
        """From the first run to the second, fen."""
        one, two = (cast("float", self.summary[f"{name}_{side}"]) for side in ("a", "b"))
        return two - one


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
    limits = other_limits(a, b)
    both = both.join(moved_by(both, limits, b), on="loan_id", how="left")
    other_law = records[0]["rulebook"] != records[1]["rulebook"]
    why = report.why_moved(
        other_law=other_law, both_known=True, same_facts=_facts(records[0]) == _facts(records[1])
    )
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
        "pool_costs_a": plans[0]["pool_costs"],
        "pool_costs_b": plans[1]["pool_costs"],
        "limits": [limit.as_dict() for limit in limits],
    }
    columns = ["loan_id", "channel_a", "channel_b", "value_a", "value_b", "why"]
    return Compared(rows.select(columns), _moves(changed), summary, limits)


def _facts(record: run_record.Record) -> tuple[object, ...]:
    """All of a run that what a loan is worth rests on, but for the limits."""
    inputs = cast("list[dict[str, Any]]", record["inputs"])
    read = {one["name"]: one["sha256"] for one in inputs if one["name"] not in _PLANNED}
    settings = cast("dict[str, Any]", record["settings"])
    asked = {name: value for name, value in settings.items() if name not in _PLANNED}
    rest = (record.get(name) for name in ("version", "rulebook", "market", "holder", "seed"))
    return (read, asked, *rest)


def _moves(changed: pl.DataFrame) -> pl.DataFrame:
    """How many loans leave each way and start for another, and what that changes."""
    both = changed.drop_nulls(["channel_a", "channel_b"]).with_columns(
        before=_told("a"), now=_told("b"), gain=pl.col("value_b") - pl.col("value_a")
    )
    return (
        both.group_by("before", "now", maintain_order=True)
        .agg(loans=pl.len(), gain=pl.col("gain"))
        .with_columns(gain=pl.col("gain").map_elements(_sum, return_dtype=pl.Float64))
        .sort("loans", "before", "now", descending=[True, False, False])
    )


def _told(side: str) -> pl.Expr:
    """A way and its start in words."""
    start = pl.col(f"start_{side}")
    way = pl.col(f"channel_{side}").replace(WAYS)
    return pl.when(start > 0).then(pl.format("{} in {} months", way, start)).otherwise(way + " now")


def _sum(values: pl.Series) -> float:
    return float(np.sum(values.to_numpy()))


def _plan(folder: Path, side: str) -> pl.DataFrame:
    plan = pl.read_parquet(folder / "plan.parquet")
    return plan.select(
        "loan_id",
        pl.col("channel").alias(f"channel_{side}"),
        pl.col("start_month").alias(f"start_{side}"),
        pl.col("value").alias(f"value_{side}"),
    )


def _eligible(folder: Path, both: pl.DataFrame, side: str) -> pl.DataFrame:
    """Whether the way that the other run took may be taken in this one, and its worth there."""
    other = "b" if side == "a" else "a"
    asked = both.select(
        "loan_id", channel=f"channel_{other}", start_month=f"start_{other}"
    ).drop_nulls()
    offers = pl.scan_parquet(folder / "offers.parquet").select(
        "loan_id", "channel", "start_month", "eligible", "value"
    )
    found = asked.lazy().join(offers, on=["loan_id", "channel", "start_month"]).collect()
    return found.select(
        "loan_id",
        pl.col("eligible").alias(f"{other}_in_{side}"),
        pl.col("value").alias(f"worth_of_{other}_in_{side}"),
    )


def _page(a: Path, b: Path, compared: Compared) -> str:
    summary = compared.summary
    title = compared.lines()[0].removesuffix(".")
    counts = [
        [why, report.number(count)] for why, count in cast("dict[str, int]", summary["why"]).items()
    ]
    rows = [
        [row["before"], row["now"], report.number(row["loans"]), report.money(row["gain"])]
        for row in compared.moves.iter_rows(named=True)
    ]
    parts = [
        f"<h1>{escape(title)}</h1>",
        paragraph(f"From {a.name} to {b.name}.", "when"),
        table(["why", "loans"], counts),
        *_limits(compared.limits),
        "<h2>From which way to which</h2>" if rows else "",
        table(["from", "to", "loans", "value changes by"], rows, words=2) if rows else "",
        paragraph("Loan by loan: comparison.parquet.", "note"),
    ]
    return shell(title, parts)


def _limits(limits: list[OtherLimit]) -> list[str]:
    if not limits:
        return []
    what = "One limit differs" if len(limits) == 1 else f"{len(limits)} limits differ"
    return [f"<h2>{what}</h2>", table(["limit"], [[limit.told()] for limit in limits])]
