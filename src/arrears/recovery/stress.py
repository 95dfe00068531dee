"""Named stresses: a change of the market, to see what it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from arrears.errors import BadArgument
from arrears.files import did_you_mean
from arrears.recovery.params import Floats, Params
from arrears.rules import MarketBook

_ROOT = "stresses/"


@dataclass(frozen=True)
class Stress:
    """A change of the market.

    Attributes:
        house_prices: change of the value of homes, e.g. -0.2.
        payments: added to the logit of every payment, for `months` months; 0 for good.
        defaults: factor on the chances of reaching day 91.
        court_months: added to every court's time.
    """

    house_prices: float = 0.0
    payments: float = 0.0
    months: int = 0
    defaults: float = 1.0
    court_months: int = 0

    @classmethod
    def named(cls, name: str, market: MarketBook, as_of: date) -> Stress:
        """A stress of the market book.

        Raises:
            BadArgument: it has none of that name.
        """
        names = [path.removeprefix(_ROOT) for path in market.paths() if path.startswith(_ROOT)]
        if name not in names:
            raise BadArgument(
                f"No stress {name!r}.",
                where="--stress",
                why="A stress is a change of the market book.",
                fix=did_you_mean(name, names),
            )
        told = market.numbers(_ROOT + name, as_of)
        return cls(
            house_prices=told.get("house_prices", 0.0),
            payments=told.get("payments", 0.0),
            months=int(told.get("months", 0)),
            defaults=told.get("defaults", 1.0),
            court_months=int(told.get("court_months", 0)),
        )

    def push(self, months: int) -> Floats:
        """Factor on the odds of a payment in each month to come (months,)."""
        lasts = self.months or months
        return np.where(np.arange(months) < lasts, np.exp(self.payments), 1.0)

    def on(self, params: Params) -> Params:
        """The parameters under it."""
        if self.defaults == 1.0:
            return params
        rolls = [[upto, min(chance * self.defaults, 0.99)] for upto, chance in params.roll_91]
        yearly = {k: min(v * self.defaults, 0.99) for k, v in params.default_a_year.items()}
        return replace(params, roll_91=rolls, default_a_year=yearly)
