"""The steps of a waterfall: a closed set, one file each; the order is the deal file's."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from arrears.deals.steps import (
    excess,
    expenses_all,
    expenses_capped,
    expenses_overrun,
    fee,
    fee_all,
    fee_overrun,
    incentive,
    interest,
    principal,
    reserve,
    senior_interest,
    senior_principal,
    servicing,
    sub_coupon,
    sub_principal,
    tax,
    unit_capital,
)

_FILES: tuple[ModuleType, ...] = (
    tax,
    expenses_capped,
    expenses_overrun,
    expenses_all,
    servicing,
    fee,
    fee_overrun,
    fee_all,
    senior_interest,
    interest,
    reserve,
    senior_principal,
    sub_principal,
    unit_capital,
    principal,
    sub_coupon,
    incentive,
    excess,
)
STEPS: Mapping[str, ModuleType] = {file.__name__.rsplit(".", 1)[-1]: file for file in _FILES}

__all__ = ["STEPS"]
