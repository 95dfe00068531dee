"""How loans moved, in words, tables and pictures."""

from arrears.report.history.page import history_page
from arrears.report.history.told import Past

__all__ = ["Past", "history_page"]
