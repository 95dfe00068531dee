"""Capacities, the dual solver, shadow prices, repair and pools."""

from arrears.plan.capacities import Capacity, read_capacities
from arrears.plan.plan import PlanResult, Unreachable, make_plan

__all__ = ["Capacity", "PlanResult", "Unreachable", "make_plan", "read_capacities"]
