"""The coupon of the subordinated classes, as far as it has accrued."""

from __future__ import annotations

from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "none"
INTEREST: tuple[str, ...] = ("sub",)
PRINCIPAL: tuple[str, ...] = ()


def build(b: Builder, step: Step) -> None:  # noqa: ARG001
    """Its place behind principal makes it wait."""
    b.pay(*(b.classes[one.name].interest for one in b.deal.of_role("sub")))
