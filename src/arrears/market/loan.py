"""What each loan is worth to a buyer by itself: expected cash less the costs of getting it, at the return asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from arrears.recovery import Forecast
from arrears.recovery.forecast import window
from arrears.recovery.outlook import CURVE
from arrears.rules import MarketBook

Floats = npt.NDArray[np.float64]


def worth_to_buyer(
    forecast: Forecast, *, market: MarketBook, as_of: date, starts: Sequence[int] = (0,)
) -> Floats:
    """Worth of each loan past day 91 to a buyer who takes it over in so many months (starts, n), fen of that day.

    METHODS 5.1: the cash of the buyer's horizon, less commission by the age of then, tax and litigation, discounted
    at the return asked for. Loans before day 91 are 0: nobody buys them under the pilot.
    """

    def figure(name: str) -> float:
        return market.number(f"buyer/{name}", as_of)

    asked, months = figure("irr"), min(int(figure("horizon")), CURVE)
    weights = [
        window(asked, start, start + months) * (1.0 + asked) ** (start / 12.0) for start in starts
    ]
    cash = forecast.voluntary(np.stack(weights), past_only=True).T
    table = np.array(market.table("channels/commission", as_of))
    keeps = []
    for start in starts:
        place = np.searchsorted(table[:, 0], forecast.age + start, side="right") - 1
        keeps.append(1.0 - table[np.maximum(place, 0), 1] - figure("vat") - figure("litigation"))
    worth: Floats = cash * np.stack(keeps)
    return worth
