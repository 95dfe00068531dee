"""The ways out, one file each."""

from arrears.channels.broken import Broken, learn_terms
from arrears.channels.holder import AMCS, KINDS, Book, Holder, discount_rate, read_holder
from arrears.channels.ladder import ladder_table, ladders
from arrears.channels.litigate import demands
from arrears.channels.offers import (
    CHANNELS,
    COLUMNS,
    WAYS,
    Offers,
    after_tax,
    at_scarce_prices,
    offers,
    permits_now,
)
from arrears.channels.restructure import Terms, fills, terms, without_ban
from arrears.channels.situation import STARTS, Situation
from arrears.channels.suits import Suits, learn_suits
from arrears.channels.uplift import Uplift, learn
from arrears.channels.way import CAPACITIES, Outcome, Permit, PoolTerms

__all__ = [
    "AMCS",
    "CAPACITIES",
    "CHANNELS",
    "COLUMNS",
    "KINDS",
    "STARTS",
    "WAYS",
    "Book",
    "Broken",
    "Holder",
    "Offers",
    "Outcome",
    "Permit",
    "PoolTerms",
    "Situation",
    "Suits",
    "Terms",
    "Uplift",
    "after_tax",
    "at_scarce_prices",
    "demands",
    "discount_rate",
    "fills",
    "ladder_table",
    "ladders",
    "learn",
    "learn_suits",
    "learn_terms",
    "offers",
    "permits_now",
    "read_holder",
    "terms",
    "without_ban",
]
