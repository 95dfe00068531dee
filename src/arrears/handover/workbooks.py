"""Worklist, offers and filings as workbooks that a person sorts and filters at once; money in yuan."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from arrears.files.workbook import workbook

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
_FORMS = {"day": "yyyy-mm-dd", "amount": "#,##0.00", "count": "#,##0", "word": "General"}
_STYLE = "Table Style Light 1"


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
    with workbook(path, title=title, day=as_of) as book:
        styles = {
            kind: book.inner.add_format({"num_format": form, "valign": "vcenter"})
            for kind, form in _FORMS.items()
        }
        for name, table in sheets.items():
            money = [column for column in _YUAN if column in table.columns]
            shown = table.with_columns((pl.col(column) / 100).round(2) for column in money)
            shown = shown.rename({column: f"{column} (yuan)" for column in money})
            sheet = book.inner.add_worksheet(name)
            formats = [styles[_form(kind)] for kind in shown.dtypes]
            heads = [
                {"header": head, "format": form}
                for head, form in zip(shown.columns, formats, strict=True)
            ]
            sheet.add_table(0, 0, 1, shown.width - 1, {"columns": heads, "style": _STYLE})
            book.rows(sheet, shown, formats)
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(shown.columns):
                sheet.set_column_pixels(place, place, _WIDTHS.get(column, _WIDTH))


def _form(kind: pl.DataType) -> str:
    """Which of `_FORMS` a column is shown in."""
    if kind == pl.Date:
        return "day"
    return "amount" if kind.is_float() else "count" if kind.is_integer() else "word"
