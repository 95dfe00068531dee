"""Principal of the subordinated classes, in list order."""

from __future__ import annotations

from arrears.deals import kernels as k
from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "none"
INTEREST: tuple[str, ...] = ()
PRINCIPAL: tuple[str, ...] = ("sub",)


def build(b: Builder, step: Step) -> None:  # noqa: ARG001
    """Down to nothing."""
    b.repay([b.classes[one.name] for one in b.deal.of_role("sub")], k.SEQUENCE)
