"""Fees by name, each up to its cap."""

from __future__ import annotations

from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "fees"
INTEREST: tuple[str, ...] = ()
PRINCIPAL: tuple[str, ...] = ()


def build(b: Builder, step: Step) -> None:
    """One after another; a fee on what remains takes its share of the cash that is left."""
    for name in step.names:
        if b.fees[name].basis == "remaining":
            b.share_of_rest(name, b.fees[name].rate)
        else:
            b.pay(b.ledgers[name])
