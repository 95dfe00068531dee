"""What a portfolio is worth to a buyer, and what a seller should ask."""

from arrears.market.header import Header, loans_of, read_header
from arrears.market.price import Priced, commission_shares, price

__all__ = ["Header", "Priced", "commission_shares", "loans_of", "price", "read_header"]
