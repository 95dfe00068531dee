"""What people read: figures in words, charts, the page, the workbook."""

from arrears.report.book import ThreeWays, book, by_standard
from arrears.report.books import book_page, book_workbook
from arrears.report.charts import get_ready
from arrears.report.contents import WAYS, Contents
from arrears.report.deal import deal_page, deal_workbook
from arrears.report.due import DueFacts, due_workbook
from arrears.report.figures import money, money_range, number, percent, share
from arrears.report.findings import findings, told_findings
from arrears.report.fit_page import fit_page
from arrears.report.hiding import HiddenPage, Inspected, hidden_findings, hidden_page
from arrears.report.history import Past, history_page
from arrears.report.moved import SAME_WAY, changes, why_moved
from arrears.report.page import html
from arrears.report.track_page import pools_line, track_page
from arrears.report.valuation import price_page
from arrears.report.warning import warnings
from arrears.report.workbook import workbook, workbook_hash

__all__ = [
    "SAME_WAY",
    "WAYS",
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
    "get_ready",
    "hidden_findings",
    "hidden_page",
    "history_page",
    "html",
    "money",
    "money_range",
    "number",
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
