"""Fees by name, what is beyond their caps."""

from __future__ import annotations

from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "fees"
INTEREST: tuple[str, ...] = ()
PRINCIPAL: tuple[str, ...] = ()


def build(b: Builder, step: Step) -> None:
    """One after another."""
    b.pay(*(b.over[name] for name in step.names))
