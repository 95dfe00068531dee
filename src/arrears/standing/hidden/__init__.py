"""Hidden bad loans: indicators, scorecard, hidden-state model, bunching, audits."""

from arrears.standing.hidden.find import Book, find, read_book
from arrears.standing.hidden.finding import Hidden

__all__ = ["Book", "Hidden", "find", "read_book"]
