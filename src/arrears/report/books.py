"""Pages and workbook of the book, and of how it moved."""

from __future__ import annotations

import datetime as dt
from datetime import date
from html import escape
from pathlib import Path

import polars as pl

from arrears.report import figures
from arrears.report.contents import PRODUCTS
from arrears.report.page import paragraph, shell, table
from arrears.standing import NPL, bad

_ROWS = 20


def warnings(loans: pl.DataFrame, standing: pl.DataFrame) -> pl.DataFrame:
    """The usual warning ratios: `ratio, value?, why`; null where the tape does not tell."""
    claim = pl.sum_horizontal("principal", "interest", "fees")
    book = loans.select(
        "days_past_due",
        "reported_class",
        "renewals",
        "restructured_on",
        "provision",
        claim=claim,
    ).with_columns(bad=bad(standing))
    whole = float(book["claim"].sum()) or None
    known = book["reported_class"].null_count() < book.height
    reported = float(book.filter(pl.col("reported_class").is_in(NPL))["claim"].sum())
    late = float(book.filter(pl.col("days_past_due") > 90)["claim"].sum())
    watched = float(book.filter(pl.col("reported_class") == "special_mention")["claim"].sum())
    renewed = book["renewals"].null_count() < book.height
    provisions = float(book["provision"].sum())
    ruled = float(book.filter("bad")["claim"].sum())

    again = float(book.filter(pl.col("renewals") > 0)["claim"].sum())
    eased = float(book.filter(pl.col("restructured_on").is_not_null())["claim"].sum())

    def share(part: float, of: float | None) -> float | None:
        return part / of if of else None

    rows = [
        ("past 90 days to reported bad", share(late, reported) if known else None, "over 1: reported too little"),
        ("special mention", share(watched, whole) if known else None, "where bad loans wait"),
        ("renewed at least once", share(again, whole) if renewed else None, "kept alive without repayment"),
        ("restructured", share(eased, whole), "new terms"),
        ("provisions to reported bad", share(provisions, reported) if known else None, "coverage as reported"),
        ("provisions to bad by the rules", share(provisions, ruled), "coverage by the rules"),
    ]  # fmt: skip
    return pl.DataFrame(
        rows, schema={"ratio": pl.String, "value": pl.Float64, "why": pl.String}, orient="row"
    )


def book_page(
    as_of: date, book: pl.DataFrame, *, standards: pl.DataFrame, warnings: pl.DataFrame
) -> str:
    """`book.html`."""
    total = book.filter(cut="total").row(0, named=True)
    reported = figures.money(total["reported"], "no class")
    title = f"{figures.money(total['by_rule'])} are bad by the rules, {reported} reported"
    parts = [
        f"<h1>{escape(title)}</h1>",
        paragraph(f"As of {figures.day(as_of)}. The hidden part is not estimated here.", "when"),
    ]
    heads = ["loans", "claim, yuan", "reported, yuan", "by the rules, yuan"]
    for cut in ("product", "province", "sector", "branch", "originator"):
        rows = book.filter(cut=cut).sort("by_rule", "key", descending=[True, False]).head(_ROWS)
        if rows.height > 1 or cut == "product":
            told = [
                [
                    PRODUCTS.get(row["key"], row["key"]),
                    figures.number(row["loans"]),
                    *(figures.yuan(row[name]) for name in ("claim", "reported", "by_rule")),
                ]
                for row in rows.iter_rows(named=True)
            ]
            parts += [f"<h2>By {cut}</h2>", table([cut, *heads], told)]
    told = [
        [
            row["standard"], row["article"], figures.number(row["loans"]), figures.yuan(row["claim"]),
            figures.percent(row["share"]),
        ]
        for row in standards.iter_rows(named=True)
    ]  # fmt: skip
    parts += [
        "<h2>The same book by other standards</h2>",
        table(["standard", "article", "bad loans", "claim, yuan", "share"], told, words=2),
        "<h2>Warning ratios</h2>",
        table(
            ["ratio", "what it warns of", "value"],
            [
                [row["ratio"], row["why"], figures.percent(row["value"])]
                for row in warnings.iter_rows(named=True)
            ],
            words=2,
        ),
    ]  # fmt: skip
    return shell(title, parts)


def book_workbook(book: pl.DataFrame, path: Path, as_of: date) -> None:
    """`book.xlsx`: a sheet a cut, money in yuan."""
    import xlsxwriter

    from arrears.report.workbook import write_sheet

    with xlsxwriter.Workbook(path, {"constant_memory": True}) as workbook:
        day = dt.datetime(as_of.year, as_of.month, as_of.day)
        workbook.set_properties({"title": f"Book {as_of}", "created": day})
        formats = {
            "head": workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
            "yuan": workbook.add_format({"num_format": "#,##0.00"}),
        }
        for cut in book["cut"].unique(maintain_order=True):
            rows = book.filter(cut=cut).drop("cut", "with_hidden", "lo90", "hi90")
            write_sheet(workbook.add_worksheet(cut), rows, formats)
