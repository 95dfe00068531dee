"""Capacities, the dual solver, shadow prices, repair and pools."""

from arrears.plan.capacities import Capacity, read_capacities
from arrears.plan.plan import PlanResult, Unreachable, make_plan
from arrears.plan.ratios import ratios

__all__ = ["Capacity", "PlanResult", "Unreachable", "make_plan", "ratios", "read_capacities"]
