"""What collecting costs a buyer: commission by the age that a loan has in the month in which it pays."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from arrears.recovery import Forecast, grid
from arrears.recovery.stock import project
from arrears.rules import MarketBook

Floats = npt.NDArray[np.float64]


def by_age(market: MarketBook, as_of: date, months: int) -> Floats:
    """Commission in each month since day 91 (2 x months,), a share of what is paid then."""
    table = np.array(market.table("channels/commission", as_of))
    place = np.searchsorted(table[:, 0], np.arange(2 * months), side="right") - 1
    share: Floats = table[np.maximum(place, 0), 1]
    return share


def by_month(forecast: Forecast, market: MarketBook, as_of: date, cash: Floats) -> Floats:
    """Commission in each month to come (months,), a share of all cash of that month: loans grow old meanwhile.

    Args:
        cash: expected in each month (months,). What collateral brings comes through the court and pays none.
    """
    ages, width = len(forecast.params.odds), len(cash)
    stock = project(
        np.zeros_like(forecast.age), forecast.age, forecast.score, forecast.claim, ages=ages
    )
    paid = np.einsum("kn,knm->km", stock.sums[0], forecast.shares()[stock.age][:, :, :width])
    share = by_age(market, as_of, ages)
    rates = share[stock.age[:, None] + np.arange(width)]
    sold = np.zeros(width)
    inside = forecast.collateral.delay <= width
    month = np.maximum(forecast.collateral.delay[inside], 1) - 1
    np.add.at(sold, month, forecast.proceeds[inside])
    early = market.number("channels/commission_before_91", as_of)
    young = np.maximum(cash - sold - paid.sum(axis=0), 0.0) if (forecast.age < 0).any() else 0.0
    cost = (paid * rates).sum(axis=0) + early * young
    rate = np.divide(cost, cash, out=np.zeros(width), where=cash > 0.0)
    clipped: Floats = np.clip(rate, 0.0, 1.0)
    return clipped


def kept_by_loan(
    forecast: Forecast,
    weights: Floats,
    market: MarketBook,
    as_of: date,
    *,
    paid: Floats | None = None,
) -> Floats:
    """Weighted cash of each loan less commission (n,), collateral included.

    Args:
        weights: of the months to come (H,).
        paid: what each loan pays of itself, so weighted (n,), where it is known.
    """
    ages = len(forecast.params.odds)
    share = by_age(market, as_of, ages)
    rates = share[np.arange(ages)[:, None] + np.arange(ages)]
    shares = forecast.shares()

    def worth(wanted: Floats, mine: npt.NDArray[np.int64]) -> Floats:
        table = np.einsum("anm,am->an", shares, (1.0 - rates) * wanted[:ages])[:, :, None]
        loans = (forecast.age[mine], forecast.score[mine], forecast.claim[mine])
        found: Floats = grid.read_off(np.ascontiguousarray(table), *loans)[:, 0]
        return found

    kept = worth(weights, np.arange(len(forecast.age)))
    for delay, mine in forecast.delays:
        later = weights.copy()
        later[:delay] = 0.0
        kept[mine] -= forecast.covered[mine] * worth(later, mine)
        if delay >= 1:
            kept[mine] += forecast.proceeds[mine] * weights[min(delay, len(weights)) - 1]
    young = forecast.age < 0
    if young.any():
        early = market.number("channels/commission_before_91", as_of)
        paid = forecast.voluntary(weights[None, :])[:, 0] if paid is None else paid
        kept[young] += (1.0 - early) * paid[young]
    return kept
