"""All expenses without a cap, after an event of default."""

from __future__ import annotations

from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "none"
INTEREST: tuple[str, ...] = ()
PRINCIPAL: tuple[str, ...] = ()


def build(b: Builder, step: Step) -> None:  # noqa: ARG001
    """Arrears, what is beyond the cap, and what is new."""
    b.merge(b.over["expenses"], b.ledgers["expenses"])
    b.pay(b.ledgers["expenses"])
