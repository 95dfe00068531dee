"""Principal of the senior classes, in list order or as the recovery trigger says."""

from __future__ import annotations

from arrears.deals import kernels as k
from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "none"
INTEREST: tuple[str, ...] = ()
PRINCIPAL: tuple[str, ...] = ("senior",)


def build(b: Builder, step: Step) -> None:  # noqa: ARG001
    """In proportion to balances while the recovery trigger is content, in sequence otherwise."""
    how = k.BY_TRIGGER if b.deal.triggers.recovery else k.SEQUENCE
    b.repay([b.classes[one.name] for one in b.deal.seniors()], how)
