"""The law and the market as data: dated values with references."""

from arrears.rules.book import Citation, Difference, Rulebook, diff
from arrears.rules.fees import court_fee, enforcement_fee, preservation_fee
from arrears.rules.leaf import Leaf, Reform, Value
from arrears.rules.load import STANDARDS, check, load, names, read_reform, require_force
from arrears.rules.market import MarketBook, MarketValue, load_market
from arrears.rules.tell import explain, page, show

__all__ = [
    "STANDARDS",
    "Citation",
    "Difference",
    "Leaf",
    "MarketBook",
    "MarketValue",
    "Reform",
    "Rulebook",
    "Value",
    "check",
    "court_fee",
    "diff",
    "enforcement_fee",
    "explain",
    "load",
    "load_market",
    "names",
    "page",
    "preservation_fee",
    "read_reform",
    "require_force",
    "show",
]
