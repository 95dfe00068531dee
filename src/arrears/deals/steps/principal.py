"""Principal of the classes named."""

from __future__ import annotations

from arrears.deals import kernels as k
from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "classes"
INTEREST: tuple[str, ...] = ()
PRINCIPAL: tuple[str, ...] = ("named",)


def build(b: Builder, step: Step) -> None:
    """In sequence, in proportion, or as the recovery trigger says."""
    how = {"sequential": k.SEQUENCE, "pro_rata": k.PRO_RATA, "trigger": k.BY_TRIGGER}[step.split]
    b.repay([b.classes[name] for name in step.names], how)
