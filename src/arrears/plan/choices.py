"""What each loan may choose and the limits that all share, as arrays; and parts of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arrears.plan import kernels, menus
from arrears.plan.kernels import Floats, Ints, Menu, Shorts


@dataclass(frozen=True)
class Choices:
    """What each of n loans may choose (c choices in all), and the limits (m) on what the choices use.

    Attributes:
        first: (n + 1,) where the choices of each loan begin; each has at least one.
        value: (c,) what a choice is worth.
        start: (c + 1,) where the uses of each choice begin.
        cap, amount: (u,) which capacity a use is of, and how much.
        low, high: (m,) limits; -inf and inf where there is none.
    """

    first: Ints
    value: Floats
    start: Ints
    cap: Shorts
    amount: Floats
    low: Floats
    high: Floats

    @property
    def menu(self) -> Menu:
        """What the compiled passes take."""
        return Menu(self.first, self.value, self.start, self.cap, self.amount)

    def used(self, chosen: Ints) -> Floats:
        """What these choices use (m,)."""
        used: Floats = kernels.used_by(chosen, self.menu, len(self.low))
        return used

    def uses_of(self, number: int) -> Floats:
        """What each choice uses of one capacity (c,)."""
        count = len(self.value)
        owner = np.repeat(np.arange(count), np.diff(self.start))
        mine = self.cap == number
        total: Floats = np.bincount(owner[mine], self.amount[mine], count).astype(np.float64)
        return total


@dataclass(frozen=True)
class Part:
    """The loans whose choice is open near some prices; all others take their best one.

    Attributes:
        choices: of the open loans, their limits less what the others use.
        number: of each choice of `choices`, its number in the whole.
        settled: (n,) choice of each other loan in the whole; -1 where it is open.
        value: what the others' choices are worth.
    """

    choices: Choices
    number: Ints
    settled: Ints
    value: float

    def whole(self, chosen: Ints) -> Ints:
        """The choices of all loans (n,) from those of the open ones."""
        every = self.settled.copy()
        every[every < 0] = self.number[chosen]
        return every


def part_near(choices: Choices, prices: Floats, reach: Floats) -> Part:
    """Without the choices that are a loan's best at no prices within `reach` (m,) of these.

    At such prices the dual values of part and whole are the same; at others the part's is the lower one.
    """
    c = choices
    kept, counts, settled, value, used = kernels.rivals(c.menu, prices, reach)
    number = np.flatnonzero(kept)
    start, uses = _ranges(c.start, number)
    part = Choices(
        first=np.concatenate([[0], np.cumsum(counts[settled < 0])]),
        value=c.value[number],
        start=start,
        cap=c.cap[uses],
        amount=c.amount[uses],
        low=c.low - used,
        high=c.high - used,
    )
    return Part(part, number, settled, value)


def sampled(choices: Choices, most: int) -> Choices:
    """At most so many of the loans, evenly, with their share of the limits; its prices are near those of the whole."""
    count = len(choices.first) - 1
    loans = np.arange(0, count, max(-(-count // most), 1))
    share = len(loans) / max(count, 1)
    first, picked = _ranges(choices.first, loans)
    start, uses = _ranges(choices.start, picked)
    return Choices(
        first=first,
        value=choices.value[picked],
        start=start,
        cap=choices.cap[uses],
        amount=choices.amount[uses],
        low=choices.low * share,
        high=choices.high * share,
    )


def restricted(choices: Choices, keep: npt.NDArray[np.bool_]) -> Choices:
    """The choices that are kept; each loan keeps one at least."""
    menu: Menu = menus.only(choices.menu, keep)
    return Choices(*menu, low=choices.low, high=choices.high)


def _ranges(begins: Ints, which: Ints) -> tuple[Ints, Ints]:
    """Where the ranges of `which` begin when laid end to end, and the numbers in them."""
    counts = begins[which + 1] - begins[which]
    ends = np.concatenate([[0], np.cumsum(counts)])
    numbers: Ints = np.arange(ends[-1]) + np.repeat(begins[which] - ends[:-1], counts)
    return ends, numbers
