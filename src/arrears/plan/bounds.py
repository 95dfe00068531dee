"""The most that any plan can be worth, under one set of limits after another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from arrears.plan import kernels
from arrears.plan.choices import Choices
from arrears.plan.dual import Dual, descended
from arrears.plan.kernels import Floats
from arrears.plan.solver import TOLERANCE


class Bounds:
    """Bounds for the same choices, each with a hint from those before it.

    A plan that is best at some prices makes a cut under any limits, and the first prices are near all others.
    """

    def __init__(
        self, choices: Choices, prices: Floats | None = None, *, tolerance: float = TOLERANCE
    ) -> None:
        """Of these choices; prices (m,) may be known that are near; the tolerance is of the dual value, relative."""
        self._choices = choices
        self._tolerance = tolerance
        self._prices = prices
        self._plans: list[tuple[float, Floats]] = []

    def under(self, low: Floats, high: Floats) -> tuple[float, Floats]:
        """No plan that keeps these limits (m,) is worth more; and the prices (m,) that prove it."""
        if len(self._choices.first) == 1:
            return 0.0, np.zeros(len(low))
        dual = Dual(replace(self._choices, low=low, high=high), plans=self._plans)
        centre = np.zeros(len(dual.owner)) if self._prices is None else dual.point(self._prices)
        found = descended(dual, centre, self._tolerance)
        self._plans = dual.plans
        self._prices = found.prices if self._prices is None else self._prices
        return found.bound, found.prices

    def used(self, prices: Floats) -> Floats:
        """What the best choices at these prices use (m,)."""
        used: Floats = kernels.best_choices(self._choices.menu, prices)[1]
        return used
