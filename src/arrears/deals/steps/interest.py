"""Interest of the classes named."""

from __future__ import annotations

from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "classes"
INTEREST: tuple[str, ...] = ("named",)
PRINCIPAL: tuple[str, ...] = ()


def build(b: Builder, step: Step) -> None:
    """One after another, or in proportion to what is due."""
    ledgers = [b.classes[name].interest for name in step.names]
    if step.split == "pro_rata":
        b.rank_equally(*ledgers)
    else:
        b.pay(*ledgers)
