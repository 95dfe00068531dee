"""Page and workbook of the book three ways."""

from __future__ import annotations

from datetime import date
from html import escape
from pathlib import Path

from arrears.report import figures, threeways
from arrears.report.by_class import CUTS, ThreeWays
from arrears.report.parts import paragraph, shell
from arrears.report.result_workbook import add_book
from arrears.report.sheets import Sheets


def book_page(as_of: date, three: ThreeWays) -> str:
    """`book.html`."""
    total = three.total
    big, what, how_sure = threeways.first(total)
    title = f"{big} {what}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        paragraph(f"As of {figures.day(as_of)}; {how_sure}.", "when"),
        f"<h2>{escape(threeways.title(total))}</h2>",
        threeways.bars(three, "product"),
        threeways.cut_table(three, "product", total=True),
        paragraph(three.why, "note"),
        *threeways.stands_out(three),
        *(part for cut in CUTS[2:] for part in threeways.one_cut(three, cut)),
        threeways.ratios(three),
        threeways.by_standard(three),
        paragraph(
            "All of it: book.csv, book.xlsx, warnings.csv, findings.csv, standing.parquet.", "note"
        ),
    ]
    return shell(title, parts)


def book_workbook(three: ThreeWays, path: Path, as_of: date) -> None:
    """`book.xlsx`: a cover, a sheet a cut, the warning ratios and what stands out; money in yuan."""
    big, what, how_sure = threeways.first(three.total)
    rows = (
        ("As of", figures.day(as_of)),
        ("Answer", f"{big} {what}"),
        ("How sure", how_sure),
        ("Hidden rests on", three.why),
        ("Amounts", "yuan; the files beside this one hold fen"),
    )
    with Sheets.of(path, title=f"Book {as_of}", day=as_of) as sheets:
        sheets.cover("The book three ways", rows)
        for cut in CUTS:
            sheets.add(cut, three.book.filter(cut=cut).drop("cut"))
        add_book(sheets, three)
