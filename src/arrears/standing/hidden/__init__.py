"""Hidden bad loans: indicators, scorecard, hidden-state model, bunching, audits."""

from arrears.standing.hidden.audit import by_design, propose
from arrears.standing.hidden.bunching import bunching, thresholds
from arrears.standing.hidden.find import find, read_book
from arrears.standing.hidden.finding import Book, Hidden
from arrears.standing.hidden.portfolio import Gap, inspection_gap

__all__ = [
    "Book",
    "Gap",
    "Hidden",
    "bunching",
    "by_design",
    "find",
    "inspection_gap",
    "propose",
    "read_book",
    "thresholds",
]
