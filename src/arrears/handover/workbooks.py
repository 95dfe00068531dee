"""Worklist, offers, filings and write-offs as workbooks that a person sorts and filters at once; money in yuan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import polars as pl

from arrears.channels import WAYS
from arrears.core.money import in_yuan
from arrears.files.workbook import Book
from arrears.handover import cases
from arrears.handover.room import first
from arrears.handover.sentences import ENFORCED, PENDING

_YUAN = (
    "claim",
    "principal",
    "provision",
    "last_payment",
    "collateral_value",
    "value",
    "instalment",
    "last_instalment",
    "to_pay",
    "waived_interest",
    "waived_fees",
    "waived_principal",
    "fee",
    "fee_now",
    "preservation_fee",
    "expected_worth",
)
_SHARE = "share of income"
_WIDTHS = {
    "action": 260,
    "reason": 560,
    "note": 420,
    "paper": 230,
    "steps": 240,
    "court": 130,
    "collector": 110,
    "article": 150,
    "priority": 60,
    "days_past_due": 65,
    "product": 85,
    "security": 75,
    "contact_status": 85,
    "not_before": 60,
    "not_after": 60,
    "max_dials": 50,
    "credit_repair": 60,
    "call_hours": 55,
    "visits": 50,
    "instalments": 80,
    "cases": 60,
    "branch": 85,
    "claim": 85,
    "last_step": 75,
    "last_outcome": 75,
    "next_limitation": 110,
    "file": 130,
}
_WIDTH = 95
_WORDS = (
    "product",
    "security",
    "contact_status",
    "legal_status",
    "last_step",
    "last_outcome",
    "reason",
)
# What a collector takes along: as many columns as an A4 page holds so that they can be read.
_ON_PAPER = (
    "collector",
    "loan_id",
    "contact_with",
    "product",
    "claim",
    "days_past_due",
    "contact_status",
    "action",
    "steps",
    "not_before",
    "not_after",
    "max_dials",
    "limitation_ends",
    "last_contact",
    "last_step",
    "last_outcome",
)
_DAY, _PARTS = {"num_format": "yyyy-mm-dd"}, {"num_format": "#,##0.00"}
_A4, _LINE, _DIGIT = 9, 15.0, 7
_MOST_LISTS, _AT_ONCE = 500, 2
# What a loan is worth by this way and what another would bring is no collector's matter.
_OF_THE_PLAN = ("value", "reason")


@dataclass(frozen=True)
class Workbook:
    """A workbook that is to be written: where, of when, its first sheet, at most so many rows."""

    path: Path
    as_of: dt.date
    cover: Iterable[tuple[str, str]]
    most: int


def worklist(work: pl.DataFrame, book: Workbook) -> pl.DataFrame:
    """By collector: what each has to do, and every case with its facts, dates and limits; the cases that it holds."""
    busy = work.filter(pl.col("action") != "none").with_columns(
        runs=cases.runs_until(book.as_of), note=cases.note(book.as_of)
    )
    by_collector = (
        busy.group_by("collector")
        .agg(
            cases=pl.len(),
            borrowers=pl.col("borrower_id").n_unique(),
            claim=pl.col("claim").sum(),
            call_hours=pl.col("call_hours").sum(),
            visits=pl.col("visits").sum(),
            demands=(pl.col("action") == "demand").sum(),
            next_limitation=pl.col("runs").min(),
        )
        .sort("collector")
        .with_columns(file=_own_file())
    )
    steps = pl.col("steps").str.replace_all("+", ", ", literal=True).str.replace_all("_", " ")
    kept = first(busy, book.most, by="value")
    told = kept.sort("collector", "runs", "loan_id", "action", nulls_last=True).with_columns(
        action=cases.action_said(),
        # Until a later way starts the plan counts on the usual steps alone.
        steps=pl.when(pl.col("action").str.starts_with("collect_then"))
        .then(pl.lit("as usual"))
        .otherwise(steps),
    )
    rest = pl.exclude(*_ON_PAPER, "runs", "note", "reason")
    told = told.select(*_ON_PAPER, rest, "note", "reason")
    write(book, "Worklist", {"Collectors": by_collector, "Worklist": told})
    named = by_collector.select("collector", "file")
    return told.join(named, on="collector", how="left", nulls_equal=True, maintain_order="left")


def own_lists(told: pl.DataFrame, folder: Path, book: Workbook) -> None:
    """A worklist for each collector, who needs to see nobody else's cases, nor what the plan makes of his own.

    Args:
        told: what `worklist` gave.
        folder: in which each has its `file`.
        book: its cover is that of each list, its path is not used.
    """
    mine = told.drop_nulls("file").group_by("file", maintain_order=True)
    # Rows are told and packed outside of Python.
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        written = [
            workers.submit(_own_list, rows, folder / str(name), book) for (name,), rows in mine
        ]
        for each in written:
            each.result()


def _own_list(rows: pl.DataFrame, path: Path, book: Workbook) -> None:
    whose = rows["collector"][0] or "whoever has the cases that name no collector"
    cover = [("Worklist of", f"{whose}, and nobody else"), *book.cover]
    path.parent.mkdir(exist_ok=True)
    own = rows.drop("file", *_OF_THE_PLAN, strict=False)
    write(replace(book, path=path, cover=cover), "Worklist", {"Worklist": own})


def _own_file() -> pl.Expr:
    """The file of each collector, by number: a name may hold what no file's can."""
    number = pl.int_range(1, pl.len() + 1)
    words = pl.format("collectors/{}.xlsx", number.cast(pl.String).str.zfill(3))
    return pl.when(number <= _MOST_LISTS).then(words)


def offers(offered: pl.DataFrame, book: Workbook) -> None:
    """Every offer with its terms and the article that allows them."""
    kept = first(offered, book.most, by="claim")
    write(book, "Offers", {"Offers": kept.sort("branch", "loan_id", nulls_last=True)})


def filings(sued: pl.DataFrame, book: Workbook) -> None:
    """By court: what each is asked to take, and every case with its paper and fee, in the order of priority."""
    new = cases.new_claim()
    told = sued.with_columns(
        paper=cases.paper(),
        fee_now=pl.when(new).then("fee").otherwise(0),
        preservation_fee=pl.when(new).then("preservation_fee"),
        note=pl.concat_str(
            cases.note(book.as_of), cases.note_of_suit(), separator="; ", ignore_nulls=True
        ).replace("", None),
    )
    status = pl.col("legal_status")
    courts = (
        told.group_by("court")
        .agg(
            cases=pl.len(),
            new_claims=new.sum(),
            enforcement=status.is_in(ENFORCED).sum(),
            waiting=status.eq(PENDING).sum(),
            claim=pl.col("claim").sum(),
            fee_now=pl.col("fee_now").sum(),
        )
        .sort("court")
    )
    kept = first(told, book.most, by="priority", falling=False)
    rows = kept.sort("court", "priority").select(
        "court", "priority", "loan_id", "paper", "claim", "fee_now", "preservation_fee",
        "limitation_ends", "branch", "product", "days_past_due", "contact_status", "security", "judgment_date",
        "expected_worth", "note",
    )  # fmt: skip
    write(book, "Filings", {"Courts": courts, "Filings": rows})


def write_offs(rows: pl.DataFrame, book: Workbook) -> None:
    """What can be written off now; collection goes on."""
    kept = first(rows, book.most, by="claim")
    told = kept.with_columns(pl.col("goes_on").replace_strict(WAYS))
    write(book, "Write-offs", {"Write-offs": told})


def write(book: Workbook, name: str, sheets: dict[str, pl.DataFrame]) -> None:
    """A workbook: its cover, then its sheets."""
    title = f"{name} {book.as_of}"
    with Book.of(book.path, title=title, day=book.as_of) as written:
        _cover(written, title, book.cover)
        for sheet, table in sheets.items():
            _add(written, sheet, table)


def _add(book: Book, name: str, table: pl.DataFrame) -> None:
    """A sheet: the table as people read it, the head in sight, ready to print."""
    shown = _shown(table)
    sheet = book.file.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    forms = _formats(book.file, shown)
    for place, (column, form) in enumerate(zip(table.columns, forms, strict=True)):
        width = max(
            _WIDTHS.get(column, _WIDTH), _room(shown[:, place]), _head_room(shown.columns[place])
        )
        sheet.set_column_pixels(place, place, width, form)
    book.fill(sheet, shown, named=True)
    _heads(book.file, sheet, shown)
    _on_paper(sheet)
    if table.columns[: len(_ON_PAPER)] == list(_ON_PAPER):
        sheet.print_area(0, 0, shown.height, len(_ON_PAPER) - 1)


def _room(cells: pl.Series) -> int:
    """Pixels that the largest amount needs: a number that has no room is shown as hashes."""
    if not cells.dtype.is_float():
        return 0
    largest = cast("float | None", cells.abs().max()) or 0.0
    return (len(f"{largest:,.2f}") + 2) * _DIGIT


def _head_room(head: str) -> int:
    """Pixels that a head needs to stand in two lines: a third is cut off."""
    words = head.split()
    halves = [
        max(len(" ".join(words[:place])), len(" ".join(words[place:])))
        for place in range(1, len(words) + 1)
    ]
    return (min(halves) + 1) * _DIGIT


def _formats(file: Any, table: pl.DataFrame) -> list[Any]:
    """Words stand off from the figure before them; a share is told in per cent."""
    words, whole, share, day, parts = (
        file.add_format(look)
        for look in ({"indent": 1}, {"num_format": "#,##0"}, {"num_format": "0.0%"}, _DAY, _PARTS)
    )
    return [
        words
        if kind in {pl.String, pl.Boolean}
        else day
        if kind == pl.Date
        else share
        if name == _SHARE
        else whole
        if kind.is_integer()
        else parts
        for name, kind in table.schema.items()
    ]


def _heads(file: Any, sheet: Any, table: pl.DataFrame) -> None:
    """A head stands over its column as the cells do: numbers and dates to the right."""
    look = {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}
    right, left = (
        file.add_format({**look, "align": "right"}),
        file.add_format({**look, "indent": 1}),
    )
    for place, (name, kind) in enumerate(table.schema.items()):
        to_right = kind.is_numeric() or kind == pl.Date
        sheet.write_string(0, place, name, right if to_right else left)
    sheet.set_row(0, 2 * _LINE)


def _cover(book: Book, title: str, rows: Iterable[tuple[str, str]]) -> None:
    """What it is, of when, from what, and what a reader must know of it."""
    head = book.file.add_format({"bold": True, "valign": "top"})
    text = book.file.add_format({"text_wrap": True, "valign": "top"})
    big = book.file.add_format({"bold": True, "font_size": 14})
    _on_paper(book.cover(title, rows, looks=(big, head, text)))


def _on_paper(sheet: Any) -> None:
    """A4, across, as wide as the paper, the head on every page."""
    sheet.set_paper(_A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P / &N")


def _shown(table: pl.DataFrame) -> pl.DataFrame:
    """Cells and heads as people read them."""
    there = set(table.columns)
    said = table.with_columns(
        *in_yuan(*(name for name in _YUAN if name in there)),
        *(pl.col(name).cast(pl.String).str.replace_all("_", " ") for name in _WORDS if name in there),
    )  # fmt: skip
    heads = {
        name: name.replace("_", " ") + (" (yuan)" if name in _YUAN else "") for name in said.columns
    }
    return said.rename(heads)
