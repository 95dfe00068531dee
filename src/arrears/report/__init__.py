"""What people read: figures in words, charts, the page, the workbook."""

from arrears.report.book import book, by_standard
from arrears.report.contents import Contents
from arrears.report.figures import money, money_range, percent, share
from arrears.report.page import html
from arrears.report.valuation import price_page
from arrears.report.workbook import workbook, workbook_hash

__all__ = [
    "Contents",
    "book",
    "by_standard",
    "html",
    "money",
    "money_range",
    "percent",
    "price_page",
    "share",
    "workbook",
    "workbook_hash",
]
