"""`deal check` and `deal run`: a deal file, and what its classes get from given collections."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import polars as pl

from arrears import deals, report
from arrears.core.hashing import file_hash
from arrears.files import did_you_mean, staged
from arrears.problems import Problem, errors
from arrears.run.products import Products, to_json
from arrears.run.stages import Stages, Watcher
from arrears.run.stopped import ANSWER_IS_NO, Stopped

_CASH = {"scenario": pl.Int64, "month": pl.Int64, "collections": pl.Int64}
_MOVES_OF = 100


@dataclass(frozen=True)
class DealRun:
    """A deal that ran: `deal.json`, and for people."""

    summary: dict[str, object]
    told: tuple[str, ...]

    def lines(self) -> list[str]:
        """For people."""
        return list(self.told)


def deal_check(file: Path) -> deals.Deal:
    """A deal from its file.

    Raises:
        Stopped: it has faults (status 1), or is not there (status 2).
    """
    deal, problems = deals.read_deal(file)
    if errors(problems) or deal is None:
        missing = all(problem.code == "FILE-UNREADABLE" for problem in problems)
        raise Stopped(problems) if missing else Stopped(problems, ANSWER_IS_NO)
    return deal


def deal_run(
    file: Path, *, cash: Path, out: Path, force: bool = False, watcher: Watcher | None = None
) -> DealRun:
    """Run a deal on collections by scenario and month: `tranches.parquet, moves.parquet, deal.json`.

    `moves.parquet` holds the first 100 scenarios.

    Raises:
        Stopped: the deal has faults (status 1), or the cash cannot be used (status 2).
    """
    deal = deal_check(file)
    stages = Stages(watcher)
    with staged(out, force=force) as place:
        with stages.stage("read"):
            placed, problems = deals.place(deal, _cash(cash))
        if placed is None:
            raise Stopped(problems)
        with stages.stage("run"):
            days = {}
            for number, (scenario, collections) in enumerate(placed.items(), start=1):
                days[scenario] = deals.run_deal(deal, collections)
                stages.watcher.advance(number, len(placed))
        summary = deals.answers(deal, days)
        products = Products(place.folder)
        products.table("tranches.parquet", deals.tranches(days))
        first = dict(list(days.items())[:_MOVES_OF])
        products.table("moves.parquet", deals.moves(first))
        products.json("deal.json", summary)
        record = {
            "command": "deal run",
            "inputs": [
                {"name": name, "path": str(path), "sha256": file_hash(path)}
                for name, path in (("deal", file), ("cash", cash))
            ],
            "products": dict(sorted(products.hashes.items())),
            "seconds": stages.seconds,
        }
        (place.folder / "run.json").write_text(to_json(record), encoding="utf-8")
    return DealRun(summary | {"out": str(out)}, tuple(_told(deal, summary)))


def _cash(path: Path) -> pl.DataFrame:
    """`scenario, month, collections` (fen) from CSV or Parquet."""
    why = "The deal needs its collections."
    try:
        table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        text = str(error).splitlines()[0][:80]
        problem = Problem("CASH-UNREADABLE", "error", str(path), text, why, "Give CSV or Parquet.")
        raise Stopped([problem]) from None
    for name in _CASH:
        if name not in table.columns:
            text, fix = f"The column {name} is missing.", did_you_mean(name, table.columns)
            raise Stopped([Problem("CASH-NO-COLUMN", "error", str(path), text, why, fix)])
    found = table.select(pl.col(name).cast(dtype, strict=False) for name, dtype in _CASH.items())
    if found.is_empty() or sum(found.null_count().row(0)):
        text = "A cell is empty or no whole number." if found.height else "There are no rows."
        fix = "Give whole numbers; collections in fen."
        raise Stopped([Problem("CASH-BAD-CELL", "error", str(path), text, why, fix)])
    if found["month"].min() < 1:  # type: ignore[operator]
        fix = "Month 1 begins on the cut-off date."
        raise Stopped(
            [Problem("CASH-BAD-CELL", "error", str(path), "A month is below 1.", why, fix)]
        )
    return found


def _told(deal: deals.Deal, summary: dict[str, object]) -> list[str]:
    lines = [f"{deal.name}: {summary['scenarios']:,} scenarios."]
    for name, row in cast("dict[str, dict[str, float | None]]", summary["tranches"]).items():
        earned = row["yield"]
        life = row["wal_years"]
        lines.append(
            f"{name:<9} {report.money(row['size'])}, yield {report.percent(earned, 2)}, "
            f"average life {'n/a' if life is None else f'{life:.2f} years'}, short in "
            f"{report.percent(row['probability_of_shortfall'])} of scenarios, "
            f"expected loss {report.percent(row['expected_loss'], 2)}"
        )
    kept = cast("dict[str, int]", summary["conservation"])
    lines.append(
        f"Cash in {report.money(kept['in'])}, out the same to the fen: difference {kept['difference']}."
    )
    return lines
