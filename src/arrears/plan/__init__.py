"""Capacities, the dual solver, shadow prices, repair and pools."""

from arrears.plan.capacities import (
    Capacity,
    check_scopes,
    inside,
    joined,
    read_capacities,
    scope_of,
)
from arrears.plan.disposals import disposals
from arrears.plan.later import put_off
from arrears.plan.packages import folders
from arrears.plan.plan import PlanResult, make_better_plan, make_plan
from arrears.plan.pool import Concentration, Pool, PoolRules, select_pool
from arrears.plan.ratios import ban_costs, outcomes, ratios
from arrears.plan.sold import package_table
from arrears.plan.unreachable import Unreachable
from arrears.plan.whatif import WhatIf, what_if

__all__ = [
    "Capacity",
    "Concentration",
    "PlanResult",
    "Pool",
    "PoolRules",
    "Unreachable",
    "WhatIf",
    "ban_costs",
    "check_scopes",
    "disposals",
    "folders",
    "inside",
    "joined",
    "make_better_plan",
    "make_plan",
    "outcomes",
    "package_table",
    "put_off",
    "ratios",
    "read_capacities",
    "scope_of",
    "select_pool",
    "what_if",
]
