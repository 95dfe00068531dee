"""What a portfolio is worth to a buyer, and what a seller should ask."""

from arrears.market.costs import kept_by_loan
from arrears.market.header import Header, loans_of, read_header
from arrears.market.price import Priced, price

__all__ = ["Header", "Priced", "kept_by_loan", "loans_of", "price", "read_header"]
