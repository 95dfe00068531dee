"""Page and workbook of the book three ways."""

from __future__ import annotations

import datetime as dt
from datetime import date
from html import escape
from pathlib import Path

from arrears.report import figures, threeways
from arrears.report.book import CUTS, ThreeWays
from arrears.report.parts import paragraph, shell


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
    import xlsxwriter

    from arrears.report.workbook import write_book, write_sheet

    with xlsxwriter.Workbook(path, {"constant_memory": True}) as workbook:
        day = dt.datetime(as_of.year, as_of.month, as_of.day)
        workbook.set_properties({"title": f"Book {as_of}", "created": day})
        formats = {
            "head": workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
            "yuan": workbook.add_format({"num_format": "#,##0.00"}),
            "title": workbook.add_format({"bold": True, "font_size": 14}),
        }
        cover = workbook.add_worksheet("Cover")
        cover.set_column(0, 0, 24)
        cover.set_column(1, 1, 90)
        cover.write_string(0, 0, "The book three ways", formats["title"])
        big, what, how_sure = threeways.first(three.total)
        rows = (
            ("As of", figures.day(as_of)),
            ("Answer", f"{big} {what}"),
            ("How sure", how_sure),
            ("Hidden rests on", three.why),
            ("Amounts", "yuan; the files beside this one hold fen"),
        )
        for place, (name, text) in enumerate(rows, start=2):
            cover.write_string(place, 0, name, formats["head"])
            cover.write_string(place, 1, text)
        for cut in CUTS:
            write_sheet(
                workbook.add_worksheet(cut), three.book.filter(cut=cut).drop("cut"), formats
            )
        write_book(workbook, three, formats)
