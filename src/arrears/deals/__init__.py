"""Securities and income rights: the deal file, the waterfall to the fen, what each tranche gets."""

from arrears.deals.answers import answers
from arrears.deals.deal import Deal, read_deal
from arrears.deals.engine import Day, run_deal
from arrears.deals.tables import moves, place, tranches

__all__ = ["Day", "Deal", "answers", "moves", "place", "read_deal", "run_deal", "tranches"]
