"""A run in a few lines."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from arrears.channels import WAYS
from arrears.core.words import counted
from arrears.plan.limit_names import limit_name
from arrears.report import money, money_range, share
from arrears.run.resolution import Resolution
from arrears.tape import Tape


def summary(resolution: Resolution) -> dict[str, object]:
    """For machines: what `--json` prints."""
    total = resolution.book.filter(cut="total").row(0, named=True)
    ways = resolution.plan.table.group_by("channel").len().sort("channel")
    return {
        "as_of": resolution.record["as_of"],
        "rows": resolution.record["rows"],
        "claim": resolution.record["claim"],
        "reported": total["reported"],
        "by_rule": total["by_rule"],
        **{name: total[name] for name in ("with_hidden", "lo90", "hi90")},
        "findings": resolution.three.findings.height,
        "forecast": resolution.situation.forecast.summary,
        "plan": resolution.record["plan"],
        "channels": dict(ways.iter_rows()),
    }


def hidden_told(total: dict[str, float | None]) -> str:
    """What is bad with what is hidden, with its range."""
    found, low, high = total["with_hidden"], total["lo90"], total["hi90"]
    if found is None or low is None or high is None:
        return "no history tells what is hidden"
    return f"with it {money(found)}, nine times in ten {money_range(low, high)}"


def rows_told(tape: Tape) -> list[str]:
    """What was read."""
    counts = tape.counts
    return [
        f"{counted(counts.rows_in, 'loan')} as of {tape.as_of}: {counts.accepted:,} accepted, "
        f"{counts.quarantined:,} in quarantine.",
        f"Owed: {money(counts.claim_accepted)}; in quarantine {money(counts.claim_quarantined)}.",
    ]


def told(resolution: Resolution, out: Path | None = None) -> list[str]:
    """What was found, in seven lines."""
    total = resolution.book.filter(cut="total").row(0, named=True)
    counts, plan = resolution.tape.counts, resolution.plan
    five = resolution.situation.forecast.curve.filter(month=60).row(0, named=True)
    ways = plan.table.group_by("channel").len().sort("len", "channel", descending=[True, False])
    order = ", ".join(f"{WAYS[name]} {count:,}" for name, count in ways.iter_rows())
    dear = plan.capacities.filter(pl.col("shadow_price") > 0).sort("capacity", "scope")
    scarce = ", ".join(limit_name(*row) for row in dear.select("capacity", "scope").iter_rows())
    reported = money(total["reported"], "no class on the tape")
    bad = share(total["by_rule"], total["claim"])
    range_ = money_range(five["q05"], five["q95"])
    lines = {
        "Read": f"{counted(counts.rows_in, 'loan')} as of {resolution.tape.as_of}, "
        f"{counts.quarantined:,} of them in quarantine",
        "Owed": f"{money(total['claim'])}; bad by the rules {money(total['by_rule'])} ({bad}), "
        f"reported {reported}",
        "Hidden": hidden_told(total),
        "Expected": f"{money(five['mean'])} within 60 months, nine times in ten {range_}",
        "Plan": f"worth {money(plan.value)} after costs and tax; under these limits none is worth "
        f"more than {money(plan.bound)}",
        "Ways": order + (f"; scarce: {scarce}" if scarce else ""),
        "Report": str(out / "report.html") if out else "not written",
    }
    return [f"{name:<9} {text}" for name, text in lines.items()]
