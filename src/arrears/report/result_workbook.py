"""The plan as a workbook that a person sorts and filters at once."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from arrears.core.hashing import bytes_hash, content_hash
from arrears.files import MOST_LOANS, SHEET_ROWS
from arrears.plan.limit_names import place
from arrears.report import figures
from arrears.report.by_class import ThreeWays
from arrears.report.contents import Contents
from arrears.report.sheets import Sheets

_PLAN = {
    "loan_id": 14,
    "borrower_id": 14,
    "product": 13,
    "claim": 16,
    "principal": 16,
    "channel": 14,
    "start_month": 12,
    "write_off_now": 14,
    "value": 16,
    "runner_up": 14,
    "regret": 14,
    "reason": 80,
}
PACKAGE_MONEY = ("claim", "principal", "cash", "cost", "value", "alone", "fixed_cost", "gain")


def workbook(contents: Contents, path: Path, *, all_rows: bool = False) -> None:
    """Write `plan.xlsx`: a cover, then a sheet a question; money in yuan.

    Args:
        all_rows: every loan that a sheet has room for; else the 20,000 of most worth.
    """
    day = contents.tape.as_of
    with Sheets.of(path, title=f"Plan {day}", day=day) as sheets:
        table = contents.plan.table
        top = _of_most_worth(table, SHEET_ROWS if all_rows else MOST_LOANS)
        sheets.cover("Plan of resolution", _cover(contents, shown=top.height))
        sheets.add("Which way", top, widths=_PLAN)
        sheets.add("Ways out", contents.by_way.drop("place"))
        money = [name for name, kind in contents.disposals.schema.items() if kind == pl.Float64]
        money = [name for name in money if not name.endswith("ratio")]
        sheets.add("Ways to sell", contents.disposals, money=money, widths={"investors": 26})
        if contents.packages.height:
            sheets.add("Packages", contents.packages, money=PACKAGE_MONEY, widths={"folder": 26})
        sheets.add(
            "Limits", _limits(contents.what_if.capacities), widths={"capacity": 20, "scope": 30}
        )
        sheets.add("Book", contents.three.book.head(MOST_LOANS))
        add_book(sheets, contents.three)
        curve = contents.situation.forecast.curve
        sheets.add("Recovery", curve, money=curve.columns[1:])
        sheets.add("Quarantine", contents.tape.quarantine.head(MOST_LOANS))


def _of_most_worth(table: pl.DataFrame, most: int) -> pl.DataFrame:
    return table.sort("value", "loan_id", descending=[True, False]).head(most)


def _cover(contents: Contents, *, shown: int) -> list[tuple[str, str]]:
    """What, of when, from what, how sure."""
    plan, counts, total = contents.plan, contents.tape.counts, contents.total
    five = contents.curve_at(60)
    left_out = plan.table.height - shown
    more = f"; {left_out:,} more in plan.parquet" if left_out else ""
    return [
        ("As of", figures.day(contents.tape.as_of)),
        ("Holder", contents.situation.holder.kind.replace("_", " ")),
        ("Loans read", f"{counts.rows_in:,}, of them {counts.quarantined:,} in quarantine"),
        ("Owed", figures.money(total["claim"])),
        ("Bad by the rules", figures.money(total["by_rule"])),
        ("Reported as bad", figures.money(total["reported"], "no class on the tape")),
        ("With hidden", _with_hidden(total)),
        ("Hidden rests on", contents.three.why),
        ("Expected in 60 months", f"{figures.money(five['mean'])} ({figures.money_range(five['q05'], five['q95'])})"),
        ("Worth of the plan", f"{figures.money(plan.value)}, at most {figures.money(plan.bound)}"),
        ("Recovery rests on", contents.situation.forecast.basis),
        ("Rulebook", f"{contents.situation.rulebook.name} {contents.situation.rulebook.hash[:12]}"),
        ("Loans on the sheet", f"{shown:,} of most worth{more}"),
        ("Amounts", "yuan; the files beside this one hold fen"),
    ]  # fmt: skip


def _with_hidden(total: dict[str, float | None]) -> str:
    found, low, high = total["with_hidden"], total["lo90"], total["hi90"]
    if found is None or low is None or high is None:
        return figures.money(None, "the tape tells no history")
    return f"{figures.money(found)} ({figures.money_range(low, high)}, nine times in ten)"


def add_book(sheets: Sheets, three: ThreeWays) -> None:
    """The sheets of warning ratios and of what stands out."""
    shares = three.warnings.rename({"value": "share"})
    sheets.add("Warning ratios", shares, widths={"ratio": 32, "why": 40})
    found = three.findings.head(MOST_LOANS)
    sheets.add("What stands out", found, widths={"code": 18, "why": 100}, money=["amount"])


def _limits(table: pl.DataFrame) -> pl.DataFrame:
    """Limits in words; those of money in yuan, and what a unit is worth in yuan a unit."""
    from arrears.report.contents import UNITS

    in_money = pl.col("capacity").replace_strict(
        {name: word.startswith("yuan") for name, word in UNITS.items()}, default=False
    )
    scaled = [
        pl.when(in_money).then(pl.col(name) / 100).otherwise(pl.col(name)).alias(name)
        for name in ("limit", "used")
    ]
    prices = [
        pl.when(in_money).then(pl.col(name)).otherwise(pl.col(name) / 100).alias(name)
        for name in ("shadow_price", "shadow_low", "shadow_high")
    ]
    return table.with_columns(
        *scaled,
        *prices,
        pl.col("capacity").str.replace_all("_", " "),
        pl.Series("scope", [place(scope) for scope in table["scope"]], pl.String),
    )


def workbook_hash(path: Path) -> str:
    """Hash of a workbook's sheets, names and cells; dates inside the container do not enter.

    Raises:
        ValueError, OSError: it cannot be read as a workbook.
    """
    import zipfile

    with zipfile.ZipFile(path) as book:
        names = sorted(name for name in book.namelist() if not name.startswith("docProps/"))
        return content_hash({name: bytes_hash(book.read(name)) for name in names})
