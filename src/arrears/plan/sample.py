"""What plans under other limits would be worth, from some loans of the book: packages open and close as they pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from arrears.channels import CHANNELS, STARTS
from arrears.plan import kernels, menus, packages
from arrears.plan.bounds import Bounds
from arrears.plan.capacities import Capacity
from arrears.plan.choices import Choices, restricted
from arrears.plan.kernels import Flags, Floats
from arrears.plan.plan import PlanResult
from arrears.plan.problem import sampled
from arrears.plan.solver import floor_out_of_reach

_MOST = 20_000
_ROUNDS = 6
# Looser than for a plan: what a case changes is told to three figures.
_TOLERANCE = 1e-6
_TENTH = 0.1
# A package that gains a smaller share of what the book is worth is not opened.
_MATTERS = 1e-5


class Best(NamedTuple):
    """What the best plan found is worth after fixed costs, fen, by the packages that are open, at these prices (m,).

    `sound`: none of them is too small.
    """

    sound: bool
    worth: float
    open: Flags
    prices: Floats


class _Held(NamedTuple):
    """Packages by number: those that loans go into, those that are large enough, and what each gains, fen."""

    used: Flags
    large: Flags
    gain: Floats


class Sample:
    """Some loans, evenly taken, with their share of the limits, of the fixed costs and of the smallest sizes.

    What a plan is worth is its dual value, less the fixed costs of the packages that loans go into at its prices. It
    begins with the packages of the plan known; others open where they gain more than they cost, and close where they
    do not or stay too small.

    Attributes:
        loans: how many loans they are.
        times: the book is so many times as large.
        low, high: floors and ceilings (m,).
        own, known: packages of the plan known, and all that can be large enough, by number.
        worst: no plan is worth less, fen.
    """

    def __init__(self, plan: PlanResult, capacities: Sequence[Capacity]) -> None:
        """Of a plan's loans, under these limits."""
        offers, pools = plan.offers, packages.numbered(plan.offers)
        taken = pools[np.arange(len(pools)), plan.column]
        own = np.unique(taken[taken >= 0]).tolist()
        rows, choices, self._packed = sampled(offers, capacities, _MOST)
        self.loans = len(rows)
        self.times = len(pools) / max(self.loans, 1)
        self.low = choices.low
        self.high = choices.high - packages.spent(offers, pools, capacities, own) / self.times
        self._choices = replace(choices, high=self.high)
        self._claim = offers.situation.claim[rows]
        there = np.unique(self._packed.packages[self._packed.packages >= 0]).tolist()
        known = sorted(set(there) - packages.hopeless(offers, pools))
        self.own, self.known = packages.flags(own), packages.flags(known)
        self.cost, self._least = np.zeros(len(self.own)), np.zeros(len(self.own))
        for number in known:
            terms = packages.terms_of(offers, number)
            self.cost[number] = terms.fixed_cost / self.times
            self._least[number] = terms.minimum_claim / self.times
        # No plan is worth less than the worst ways of all loans: a bound well below says that there is none.
        first = choices.first[:-1]
        sums = [np.sum(each.reduceat(choices.value, first)) for each in (np.minimum, np.maximum)]
        self.worst = float(sums[0]) - _TENTH * abs(float(sums[1]))
        self._near = Bounds(self._open(self.own, self._packed.barred)[0])
        self._prices = self._near.under(self.low, self.high)[1]

    def near(self, low: Floats, high: Floats) -> float:
        """What plans by the packages of the plan known are worth under limits (m,) near its own, fixed costs apart."""
        return self.times * self._near.under(low, high)[0]

    def used(self, number: int) -> float:
        """What the best plan by the packages of the plan known uses of one capacity, under its limits."""
        return self.times * float(self._near.used(self._prices)[number])

    def most(self, number: int) -> float:
        """The most that plans by any packages use of one capacity, under the plan's limits."""
        choices, _ = self._open(self.known, self._packed.barred)
        bounds = Bounds(replace(choices, value=choices.uses_of(number)))
        return self.times * bounds.under(self.low, self.high)[0]

    def best(
        self, low: Floats, high: Floats, *, without: str | None = None, begin: Best | None = None
    ) -> Best | None:
        """The best plan found under these limits (m,), without one way; None where no plan keeps them.

        Args:
            begin: of limits near these; else the packages of the plan known come first.
        """
        barred = self._packed.barred.copy()
        if without is not None:
            first = CHANNELS.index(without) * len(STARTS)
            barred[:, first : first + len(STARTS)] = True
        case = _Case(self, begin.open if begin else self.own, floors=bool((low > 0.0).any()))
        near = begin.prices if begin else self._prices
        found: list[Best] = []
        for _ in range(_ROUNDS):
            choices, kept = self._open(case.open, barred)
            solved = self._solved(choices, low, high, near)
            if solved is None:
                # A floor may ask for more packages than the plan known has.
                if not found and case.open_all():
                    continue
                break
            bound, prices = solved
            near = prices
            held = self._held(choices, kept, prices, shut=~case.open, barred=barred)
            worth = bound - float(self.cost[held.used].sum())
            sound = not (held.used & ~held.large).any()
            found.append(Best(sound, self.times * worth, case.open, prices))
            if not case.changes(held):
                break
        # A plan with packages too small is told only where there is no other.
        return max(found, key=lambda one: one[:2], default=None)

    def _solved(
        self, choices: Choices, low: Floats, high: Floats, near: Floats
    ) -> tuple[float, Floats] | None:
        """A bound on what plans are worth and the prices that prove it; None where no plan keeps the limits (m,)."""
        if floor_out_of_reach(replace(choices, low=low, high=high)) is not None:
            return None
        found = Bounds(choices, near, tolerance=_TOLERANCE).under(low, high)
        return found if found[0] >= self.worst else None

    def _held(
        self, choices: Choices, kept: Flags, prices: Floats, *, shut: Flags, barred: Flags
    ) -> _Held:
        """The packages at these prices."""
        chosen = kernels.best_choices(choices.menu, prices)[2]
        taken = self._packed.packages[kept][chosen]
        worth = kernels.reduced(chosen, choices.menu, prices)
        packed = self._packed._replace(barred=barred)
        size, gain = kernels.weigh(packed, shut, taken, worth, self._claim, prices)
        used = packages.flags(np.unique(taken[taken >= 0]).tolist())
        return _Held(used, (size >= self._least) | self.own, gain - self.cost)

    def _open(self, open_: Flags, barred: Flags) -> tuple[Choices, Flags]:
        """What may be chosen while these packages are open and these offers barred (n, 18), and which choices it is."""
        menu, columns, numbers, _ = self._packed
        kept = menus.open_ones(menu, columns, numbers, barred, ~open_, True)
        return restricted(self._choices, kept), kept


class _Case:
    """Which packages are open under some limits.

    Attributes:
        open: by number.
    """

    def __init__(self, sample: Sample, begin: Flags, *, floors: bool) -> None:
        """These at first; under floors those of the plan known stay."""
        self.open = begin
        self._known = sample.known
        self._stay = sample.own if floors else np.zeros_like(sample.own)
        self._tried = np.zeros_like(sample.own)
        self._matters = _MATTERS * abs(sample.worst)

    def open_all(self) -> bool:
        """Whether there was one more to open."""
        more = self._known & ~self.open
        self.open = self.open | more
        self._tried |= more
        return bool(more.any())

    def changes(self, held: _Held) -> bool:
        """Whether one has opened or closed: those too small or not worth their cost close, one of each way opens."""
        losing = held.used & (~held.large | (held.gain < 0.0)) & ~self._stay
        new = self._known & held.large & (held.gain > self._matters) & ~self.open & ~self._tried
        gains = {number: float(held.gain[number]) for number in np.flatnonzero(new).tolist()}
        new = packages.flags(packages.of_most_gain(gains))
        self.open = (self.open & ~losing) | new
        self._tried |= losing | new
        return bool((losing | new).any())
