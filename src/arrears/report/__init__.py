"""What people read: figures in words, charts, the page, the workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.lazily import lazily

if TYPE_CHECKING:
    from arrears.report.books import book_page, book_workbook
    from arrears.report.by_class import ThreeWays, book, by_standard
    from arrears.report.contents import Contents
    from arrears.report.deal import deal_page, deal_workbook
    from arrears.report.drawing import pen
    from arrears.report.due import DueFacts, due_workbook
    from arrears.report.figures import money, money_range, number, percent, share
    from arrears.report.fitted import fit_page
    from arrears.report.found import findings, told_findings
    from arrears.report.hiding import HiddenPage, Inspected, hidden_findings, hidden_page
    from arrears.report.history import Past, history_page
    from arrears.report.moved import SAME_WAY, changes, why_moved
    from arrears.report.page import html
    from arrears.report.result_workbook import workbook, workbook_hash
    from arrears.report.tracked import pools_line, track_page
    from arrears.report.valuation import price_page
    from arrears.report.warning import warnings

_FILE = {
    "Contents": "contents",
    "DueFacts": "due",
    "HiddenPage": "hiding",
    "Inspected": "hiding",
    "Past": "history",
    "SAME_WAY": "moved",
    "ThreeWays": "by_class",
    "book": "by_class",
    "book_page": "books",
    "book_workbook": "books",
    "by_standard": "by_class",
    "changes": "moved",
    "deal_page": "deal",
    "deal_workbook": "deal",
    "due_workbook": "due",
    "findings": "found",
    "fit_page": "fitted",
    "hidden_findings": "hiding",
    "hidden_page": "hiding",
    "history_page": "history",
    "html": "page",
    "money": "figures",
    "money_range": "figures",
    "number": "figures",
    "percent": "figures",
    "pen": "drawing",
    "pools_line": "tracked",
    "price_page": "valuation",
    "share": "figures",
    "told_findings": "found",
    "track_page": "tracked",
    "warnings": "warning",
    "why_moved": "moved",
    "workbook": "result_workbook",
    "workbook_hash": "result_workbook",
}

__all__ = [
    "SAME_WAY",
    "Contents",
    "DueFacts",
    "HiddenPage",
    "Inspected",
    "Past",
    "ThreeWays",
    "book",
    "book_page",
    "book_workbook",
    "by_standard",
    "changes",
    "deal_page",
    "deal_workbook",
    "due_workbook",
    "findings",
    "fit_page",
    "hidden_findings",
    "hidden_page",
    "history_page",
    "html",
    "money",
    "money_range",
    "number",
    "pen",
    "percent",
    "pools_line",
    "price_page",
    "share",
    "told_findings",
    "track_page",
    "warnings",
    "why_moved",
    "workbook",
    "workbook_hash",
]

__getattr__ = lazily(__name__, _FILE)
