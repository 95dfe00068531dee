"""The plan as a workbook that a person sorts and filters at once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from arrears.core.hashing import content_hash
from arrears.report import figures
from arrears.report.book import ThreeWays
from arrears.report.contents import Contents

MOST_LOANS = 20_000
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
_YUAN = (
    "claim", "principal", "value", "regret", "reported", "by_rule", "with_hidden", "lo90", "hi90", "mean",
)  # fmt: skip


def workbook(contents: Contents, path: Path, *, all_rows: bool = False) -> None:
    """Write `plan.xlsx`: a cover, then a sheet a question; money in yuan.

    Args:
        all_rows: every loan; else the 20,000 of most worth.
    """
    import xlsxwriter

    day = contents.tape.as_of
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        book.set_properties(
            {"title": f"Plan {day}", "created": dt.datetime(day.year, day.month, day.day)}
        )
        formats = {
            "head": book.add_format(
                {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
            ),
            "yuan": book.add_format({"num_format": "#,##0.00"}),
            "title": book.add_format({"bold": True, "font_size": 14}),
            "plain": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        table = contents.plan.table
        top = table if all_rows else _of_most_worth(table)
        _cover(book.add_worksheet("Cover"), contents, formats, shown=top.height)
        write_sheet(book.add_worksheet("Which way"), top, formats, widths=_PLAN)
        ways = contents.by_way.drop("place")
        write_sheet(book.add_worksheet("Ways out"), ways, formats)
        money = [name for name, kind in contents.disposals.schema.items() if kind == pl.Float64]
        money = [name for name in money if not name.endswith("ratio")]
        sales = book.add_worksheet("Ways to sell")
        write_sheet(sales, contents.disposals, formats, money=money, widths={"investors": 26})
        write_sheet(book.add_worksheet("Limits"), contents.plan.capacities, formats, units=True)
        write_sheet(book.add_worksheet("Book"), contents.three.book.head(MOST_LOANS), formats)
        write_book(book, contents.three, formats)
        curve = contents.situation.forecast.curve
        write_sheet(book.add_worksheet("Recovery"), curve, formats, money=curve.columns[1:])
        write_sheet(
            book.add_worksheet("Quarantine"), contents.tape.quarantine.head(MOST_LOANS), formats
        )


def _of_most_worth(table: pl.DataFrame) -> pl.DataFrame:
    return table.sort("value", "loan_id", descending=[True, False]).head(MOST_LOANS)


def _cover(sheet, contents: Contents, formats, *, shown: int) -> None:  # type: ignore[no-untyped-def]
    """What, of when, from what, how sure."""
    plan, counts, total = contents.plan, contents.tape.counts, contents.total
    five = contents.curve_at(60)
    left_out = plan.table.height - shown
    more = f"; {left_out:,} more in plan.parquet" if left_out else ""
    rows = [
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
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, "Plan of resolution", formats["title"])
    for place, (name, text) in enumerate(rows, start=2):
        sheet.write_string(place, 0, name, formats["head"])
        sheet.write_string(place, 1, text, formats["plain"])


def _with_hidden(total: dict[str, float | None]) -> str:
    found, low, high = total["with_hidden"], total["lo90"], total["hi90"]
    if found is None or low is None or high is None:
        return figures.money(None, "the tape tells no history")
    return f"{figures.money(found)} ({figures.money_range(low, high)}, nine times in ten)"


def write_book(book, three: ThreeWays, formats) -> None:  # type: ignore[no-untyped-def]
    """The sheets of warning ratios and of what stands out."""
    shares = three.warnings.rename({"value": "share"})
    ratios, stands_out = book.add_worksheet("Warning ratios"), book.add_worksheet("What stands out")
    write_sheet(ratios, shares, formats, widths={"ratio": 32, "why": 40})
    found = three.findings.head(MOST_LOANS)
    write_sheet(stands_out, found, formats, widths={"code": 18, "why": 100}, money=["amount"])


def write_sheet(  # type: ignore[no-untyped-def]
    sheet,
    table: pl.DataFrame,
    formats,
    *,
    widths: dict[str, int] | None = None,
    money: list[str] | None = None,
    units: bool = False,
) -> None:
    """A table with frozen head, filter, widths and number formats."""
    in_yuan = set(money or _YUAN) & set(table.columns)
    shown = table.with_columns((pl.col(name) / 100).round(2) for name in in_yuan)
    if units:
        shown = _limits_in_yuan(shown)
    heads = [f"{name} (yuan)" if name in in_yuan else name for name in table.columns]
    for place, (name, head) in enumerate(zip(table.columns, heads, strict=True)):
        width = (widths or {}).get(name, max(12, len(head) + 3))
        sheet.set_column(place, place, width, formats["yuan"] if name in in_yuan else None)
        sheet.write_string(0, place, head.replace("_", " "), formats["head"])
    sheet.freeze_panes(1, 1)
    if table.height:
        sheet.autofilter(0, 0, table.height, table.width - 1)
    for row, cells in enumerate(shown.iter_rows(), start=1):
        for place, cell in enumerate(cells):
            if cell is None:
                continue
            if isinstance(cell, bool):
                sheet.write_string(row, place, "yes" if cell else "no")
            elif isinstance(cell, int | float):
                sheet.write_number(row, place, cell)
            else:
                sheet.write_string(row, place, str(cell))


def _limits_in_yuan(table: pl.DataFrame) -> pl.DataFrame:
    """Money limits in yuan, and what a unit is worth in yuan a unit."""
    from arrears.report.contents import UNITS

    in_money = pl.col("capacity").replace_strict(
        {name: word.startswith("yuan") for name, word in UNITS.items()}, default=False
    )
    scaled = [
        pl.when(in_money).then(pl.col(name) / 100).otherwise(pl.col(name)).alias(name)
        for name in ("limit", "used")
    ]
    price = pl.col("shadow_price")
    return table.with_columns(
        *scaled, pl.when(in_money).then(price).otherwise(price / 100).alias("shadow_price")
    )


def workbook_hash(path: Path) -> str:
    """Hash of a workbook's sheets, names and cells; dates inside the container do not enter.

    Raises:
        ValueError, OSError: it cannot be read as a workbook.
    """
    import re
    import zipfile

    with zipfile.ZipFile(path) as book:
        names = sorted(name for name in book.namelist() if not name.startswith("docProps/"))
        parts = {
            name: re.sub(rb"\s+", b" ", book.read(name)).decode("utf-8", "replace")
            for name in names
        }
    return content_hash(parts)
