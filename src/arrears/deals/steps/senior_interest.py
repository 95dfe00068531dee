"""Interest of all senior classes, ranking equally."""

from __future__ import annotations

from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "none"
INTEREST: tuple[str, ...] = ("senior",)
PRINCIPAL: tuple[str, ...] = ()


def build(b: Builder, step: Step) -> None:  # noqa: ARG001
    """In proportion to what is due where cash falls short."""
    b.rank_equally(*(b.classes[one.name].interest for one in b.deal.seniors()))
