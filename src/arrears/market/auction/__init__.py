"""Auctions of packages: the pilot's formats, what rational buyers bid, and what a seller should ask."""

from arrears.market.auction.bids import closed_form, equilibrium, naive_profit, rational_profit
from arrears.market.auction.lot import Bid, Lot, Refusal, Standing
from arrears.market.auction.proceeds import Expected, Terms, best_start, expected, value_over_start

__all__ = [
    "Bid",
    "Expected",
    "Lot",
    "Refusal",
    "Standing",
    "Terms",
    "best_start",
    "closed_form",
    "equilibrium",
    "expected",
    "naive_profit",
    "rational_profit",
    "value_over_start",
]
