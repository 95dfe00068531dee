"""Expenses, up to the cap of each period."""

from __future__ import annotations

from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "none"
INTEREST: tuple[str, ...] = ()
PRINCIPAL: tuple[str, ...] = ()


def build(b: Builder, step: Step) -> None:  # noqa: ARG001
    """Arrears of earlier periods come on top of this period's cap, not inside it."""
    b.pay(b.ledgers["expenses"])
