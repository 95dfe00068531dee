"""Taxes on what was collected."""

from __future__ import annotations

from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "none"
INTEREST: tuple[str, ...] = ()
PRINCIPAL: tuple[str, ...] = ()


def build(b: Builder, step: Step) -> None:  # noqa: ARG001
    """What is due, what was unpaid before included."""
    b.pay(b.ledgers["tax"])
