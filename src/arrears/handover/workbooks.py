"""Worklist, offers and filings as workbooks that a person sorts and filters at once; money in yuan."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

_YUAN = (
    "claim",
    "last_payment",
    "value",
    "instalment",
    "waived_interest",
    "waived_fees",
    "waived_principal",
    "fee",
    "expected_worth",
)
_WIDTHS = {"action": 240, "reason": 560, "court": 160, "collector": 130, "article": 200}
_WIDTH = 110


def worklist(work: pl.DataFrame, as_of: dt.date, path: Path, most: int | None) -> None:
    """By collector: what each has to do, and every case with its facts, dates and limits."""
    busy = work.filter(pl.col("action") != "none")
    by_collector = (
        busy.group_by("collector")
        .agg(
            cases=pl.len(),
            borrowers=pl.col("borrower_id").n_unique(),
            claim=pl.col("claim").sum(),
            call_hours=pl.col("call_hours").sum(),
            visits=pl.col("visits").sum(),
            next_limitation=pl.col("limitation_ends").min(),
        )
        .sort("collector")
    )
    cases = busy.select("collector", pl.exclude("collector")).sort(
        "collector", "limitation_ends", "loan_id"
    )
    _write(
        path,
        f"Worklist {as_of}",
        as_of,
        {"Collectors": by_collector, "Worklist": _cut(cases, most)},
    )


def offers(offered: pl.DataFrame, as_of: dt.date, path: Path, most: int | None) -> None:
    """Every offer with its terms and the article that allows them."""
    _write(path, f"Offers {as_of}", as_of, {"Offers": _cut(offered, most)})


def filings(sued: pl.DataFrame, as_of: dt.date, path: Path, most: int | None) -> None:
    """By court: what each is asked to take, and every claim with its fee, in the order of priority."""
    courts = (
        sued.group_by("court")
        .agg(cases=pl.len(), claim=pl.col("claim").sum(), fee=pl.col("fee").sum())
        .sort("court")
    )
    cases = sued.sort("court", "priority").select(
        "court", "priority", pl.exclude("court", "priority")
    )
    _write(path, f"Filings {as_of}", as_of, {"Courts": courts, "Filings": _cut(cases, most)})


def _cut(table: pl.DataFrame, most: int | None) -> pl.DataFrame:
    return table if most is None else table.head(most)


def _write(path: Path, title: str, as_of: dt.date, sheets: dict[str, pl.DataFrame]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        # A workbook's date of creation that no clock changes.
        made = dt.datetime(as_of.year, as_of.month, as_of.day)
        book.set_properties({"title": title, "created": made})
        for name, table in sheets.items():
            shown = table.with_columns(
                (pl.col(column) / 100).alias(f"{column}")
                for column in _YUAN
                if column in table.columns
            ).rename({column: f"{column} (yuan)" for column in _YUAN if column in table.columns})
            shown.write_excel(
                book,
                worksheet=name,
                freeze_panes=(1, 0),
                column_widths={column: _WIDTHS.get(column, _WIDTH) for column in shown.columns},
                dtype_formats={pl.Date: "yyyy-mm-dd", pl.Float64: "#,##0.00"},
                table_style="Table Style Light 1",
            )
