"""Securities and income rights: the deal file, the waterfall to the fen, what each class gets, how large it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.lazily import lazily

if TYPE_CHECKING:
    from arrears.deals.checks import check, read_deal
    from arrears.deals.deal import Deal
    from arrears.deals.engine import Run, in_chunks, run_deal
    from arrears.deals.program import Program, compiled
    from arrears.deals.results import Answers, Brought, answers, brought
    from arrears.deals.sizing import Sized, Stress, size, sized_deal
    from arrears.deals.tables import Cash, cash_table, dates_reached, moves, place, tranches
    from arrears.deals.template import Asked, Built, Terms, sized_file

_FILE = {
    "Answers": "results",
    "Asked": "template",
    "Built": "template",
    "Brought": "results",
    "Cash": "tables",
    "Deal": "deal",
    "Program": "program",
    "Run": "engine",
    "Sized": "sizing",
    "Stress": "sizing",
    "Terms": "template",
    "answers": "results",
    "brought": "results",
    "cash_table": "tables",
    "check": "checks",
    "compiled": "program",
    "dates_reached": "tables",
    "in_chunks": "engine",
    "moves": "tables",
    "place": "tables",
    "read_deal": "checks",
    "run_deal": "engine",
    "size": "sizing",
    "sized_deal": "sizing",
    "sized_file": "template",
    "tranches": "tables",
}

__all__ = [
    "Answers",
    "Asked",
    "Brought",
    "Built",
    "Cash",
    "Deal",
    "Program",
    "Run",
    "Sized",
    "Stress",
    "Terms",
    "answers",
    "brought",
    "cash_table",
    "check",
    "compiled",
    "dates_reached",
    "in_chunks",
    "moves",
    "place",
    "read_deal",
    "run_deal",
    "size",
    "sized_deal",
    "sized_file",
    "tranches",
]

__getattr__ = lazily("arrears.deals", _FILE)
