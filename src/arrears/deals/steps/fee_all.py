"""Fees by name without a cap, after an event of default."""

from __future__ import annotations

from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "fees"
INTEREST: tuple[str, ...] = ()
PRINCIPAL: tuple[str, ...] = ()


def build(b: Builder, step: Step) -> None:
    """One after another."""
    for name in step.names:
        b.merge(b.over[name], b.ledgers[name])
        b.pay(b.ledgers[name])
