"""Cash set aside for the next payment date."""

from __future__ import annotations

from arrears.deals.builder import Builder
from arrears.deals.parts import Step

NAMES = "none"
INTEREST: tuple[str, ...] = ()
PRINCIPAL: tuple[str, ...] = ()


def build(b: Builder, step: Step) -> None:  # noqa: ARG001
    """Up to the target; what is above it goes on."""
    b.set_aside()
