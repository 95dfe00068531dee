"""What people read: figures in words, charts, the page, the workbook."""

from arrears.report.book import book, by_standard
from arrears.report.contents import Contents
from arrears.report.figures import money, share
from arrears.report.page import html
from arrears.report.workbook import workbook, workbook_hash

__all__ = ["Contents", "book", "by_standard", "html", "money", "share", "workbook", "workbook_hash"]
