"""Recovery accounts that have a closed form: spells of paying and not paying until a write-off, and mixes of rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arrears.errors import BadArgument
from arrears.recovery.params import Floats


@dataclass(frozen=True)
class Spells:
    """A borrower who pays in some months and not in others, written off after a row of months without payment.

    The idea is that of Thomas, Matuszyk, So, Mues and Moore (2016); the closed form is METHODS 1.3.

    Attributes:
        begins: chance that a month without payment is followed by one with.
        ends: chance that a month with payment is followed by one without.
        patience: months without payment in a row after which it is written off.
        payment: share of the claim paid in a month with payment.
    """

    begins: float
    ends: float
    patience: int
    payment: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.begins < 1.0 and 0.0 < self.ends <= 1.0 and self.payment >= 0.0):
            raise BadArgument("Chances lie between 0 and 1; a paying spell must be able to end.")
        if self.patience < 1:
            raise BadArgument("Patience is a month or more.")

    @property
    def resumes(self) -> float:
        """Chance that payments begin again before the write-off."""
        return float(1.0 - (1.0 - self.begins) ** self.patience)

    @property
    def paying_months(self) -> float:
        """Expected months with payment, from the first month without: r / (b (1 - r)), r the chance to resume."""
        return self.resumes / (self.ends * (1.0 - self.resumes))

    @property
    def recovery(self) -> float:
        """Expected recovery, a share of the claim (the claim's own limit is looked at for the mean alone)."""
        return min(1.0, self.payment * self.paying_months)

    def one_month_more(self) -> float:
        """What waiting one more month before the write-off adds to the recovery, a share of the claim."""
        later = Spells(self.begins, self.ends, self.patience + 1, self.payment)
        return self.payment * (later.paying_months - self.paying_months)


def mixed_rate(shares: Floats, rates: Floats) -> float:
    """Recovery rate of a whole made of parts: its parts' rates weighed by their shares.

    Raises:
        BadArgument: shares that do not add up to 1.
    """
    if abs(float(np.sum(shares)) - 1.0) > 1e-9:
        raise BadArgument(f"Shares add up to {float(np.sum(shares)):g}, not to 1.")
    return float(np.dot(shares, rates))
