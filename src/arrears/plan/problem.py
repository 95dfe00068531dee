"""The offers and limits as the solver takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from arrears.channels import COLUMNS, STARTS, Offers, Situation
from arrears.plan import kernels, menus, packages
from arrears.plan.capacities import Capacity, Use, uses_of
from arrears.plan.choices import Choices, restricted
from arrears.plan.kernels import Floats, Ints, Numbers
from arrears.plan.solver import EXACT_UP_TO, can_be_kept


class Open(NamedTuple):
    """Choices that are open; of each (c,) way and start month, 0 to 17, and the package it goes into, -1 for none."""

    choices: Choices
    columns: Numbers
    packages: Numbers


@dataclass(frozen=True)
class Problem:
    """The offers and limits as the solver takes them.

    Attributes:
        menu: what each loan may choose while no package is closed and nothing is barred.
        columns, packages: way and start month of each choice (c,), 0 to 17, and the package it goes into, -1 for none.
        barred: offers that a borrower's other loans rule out (n, 18).
        spare: choices are in it that only a floor can make anybody take.
        needed: packages that must reach their smallest size; each is a limit after those of `capacities`.
        spent: what packages take of each limit whatever their size (m,); it is taken off the ceilings.
    """

    situation: Situation
    offers: Offers
    capacities: Sequence[Capacity]
    pools: Numbers
    switch: Floats
    menu: kernels.Menu
    columns: Numbers
    packages: Numbers
    barred: npt.NDArray[np.bool_]
    spare: bool
    spent: Floats
    needed: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls,
        situation: Situation,
        offers: Offers,
        capacities: Sequence[Capacity],
        switch: Floats | None = None,
        *,
        needed: frozenset[int] = frozenset(),
        spare: bool = False,
    ) -> Problem:
        """With every offer open that may be taken.

        Args:
            spare: also choices that nobody takes for want of worth; where there are floors they are kept anyhow.
        """
        switch = np.zeros((1, len(COLUMNS))) if switch is None else switch
        pools, first = packages.numbered(offers), len(capacities)
        sizes = [
            (first + place, column, situation.claim, pools[:, column] == number)
            for place, number in enumerate(sorted(needed))
            for column in [number // packages.PER_OFFER]
        ]
        uses = _laid([*uses_of(offers, capacities), *sizes], len(offers.value))
        floors = any(capacity.min is not None for capacity in capacities)
        spare = spare or floors or bool((uses.amount < 0.0).any())
        # Collecting alone is never barred.
        menu, columns, numbers = menus.menu_of(
            offers.value, switch, pools, uses, len(STARTS), spare
        )
        bars = np.zeros(offers.value.shape, dtype=np.bool_)
        return cls(
            situation,
            offers,
            capacities,
            pools,
            switch,
            menu,
            columns,
            numbers,
            bars,
            spare,
            np.zeros(first),
            needed,
        )

    def needing(self, packages: frozenset[int]) -> Problem:
        """The same, with these packages needed."""
        if packages == self.needed:
            return self
        made = self.of(self.situation, self.offers, self.capacities, self.switch, needed=packages)
        return replace(made, barred=self.barred, spent=self.spent)

    @property
    def packed(self) -> kernels.Packed:
        """What the compiled passes over packages take."""
        return kernels.Packed(self.menu, self.columns, self.packages, self.barred)

    def open(self, closed: set[int]) -> Open:
        """Choices without the packages in `closed`."""
        shut = packages.flags(closed)
        low, high = limits_of(self.capacities)
        sizes = [packages.terms_of(self.offers, one).minimum_claim for one in sorted(self.needed)]
        whole = Choices(
            *self.menu,
            low=np.concatenate([low, sizes]),
            high=np.concatenate([high - self.spent, np.full(len(sizes), np.inf)]),
        )
        keep = menus.open_ones(
            self.menu, self.columns, self.packages, self.barred, shut, self.spare
        )
        return Open(restricted(whole, keep), self.columns[keep], self.packages[keep])

    def is_kept(self, closed: set[int], prices: Floats) -> bool:
        """Whether every limit can be kept without these packages; prices are known that are near."""
        choices = self.open(closed).choices
        # Packages that are needed since have no price yet.
        near = np.zeros(len(choices.low))
        near[: len(prices)] = prices
        return can_be_kept(choices, near, exact_up_to=self.exact_up_to)

    def barring(self, bars: npt.NDArray[np.bool_]) -> Problem:
        """The same, with these offers barred too (n, 18)."""
        return replace(self, barred=self.barred | bars) if bars.any() else self

    @property
    def floors(self) -> bool:
        """Whether something must be reached."""
        return any(capacity.min is not None for capacity in self.capacities)

    @property
    def exact_up_to(self) -> int:
        """So many choices are few; without those that nobody takes, a loan has a quarter of them."""
        return EXACT_UP_TO if self.spare else EXACT_UP_TO // 4


def sampled(
    offers: Offers, capacities: Sequence[Capacity], most: int
) -> tuple[Ints, Choices, kernels.Packed]:
    """Rows of at most so many of the loans, evenly, and all that they may choose, with their share of the limits."""
    count = len(offers.value)
    rows = np.arange(0, count, max(-(-count // most), 1))
    uses = [
        (number, column, amount[rows], within[rows])
        for number, column, amount, within in uses_of(offers, capacities)
    ]
    value, none = offers.value[rows], np.zeros((1, len(COLUMNS)))
    pools, laid = packages.numbered(offers)[rows], _laid(uses, len(rows))
    menu: kernels.Menu
    menu, columns, numbers = menus.menu_of(value, none, pools, laid, len(STARTS), True)
    low, high = limits_of(capacities)
    share = len(rows) / max(count, 1)
    bars = np.zeros(value.shape, dtype=np.bool_)
    choices = Choices(*menu, low=low * share, high=high * share)
    return rows, choices, kernels.Packed(menu, columns, numbers, bars)


def limits_of(capacities: Sequence[Capacity]) -> tuple[Floats, Floats]:
    """Floors and ceilings (m,), infinite where there is none."""
    low = np.array([-np.inf if c.min is None else c.min for c in capacities], dtype=np.float64)
    high = np.array([np.inf if c.max is None else c.max for c in capacities], dtype=np.float64)
    return low, high


def _laid(uses: list[Use], loans: int) -> menus.Uses:
    """Uses by offer and loan."""
    place = np.full(len(COLUMNS), -1)
    columns = sorted({column for _, column, _, _ in uses})
    place[columns] = np.arange(len(columns))
    start = np.zeros(len(columns) * loans + 1, dtype=np.int64)

    def of(cells: Ints, column: int) -> Ints:
        return cells[place[column] * loans :][:loans]

    for _, column, amount, within in uses:
        of(start[1:], column)[:] += within & (amount != 0.0)
    np.cumsum(start, out=start)
    cap, amounts = np.zeros(start[-1], dtype=np.int32), np.zeros(start[-1])
    free = start[:-1].copy()
    for number, column, amount, within in uses:
        menus.fill_uses(amount, within, number, of(free, column), cap, amounts)
    return menus.Uses(place, start, cap, amounts)
