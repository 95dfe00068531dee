"""What collateral brings: value of today, auction discount, costs, prior liens; only through the court."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from arrears.recovery.params import Floats, Ints
from arrears.rules import MarketBook

_REAL = ("home", "vehicle", "other")


@dataclass(frozen=True)
class Collateral:
    """Collateral of each loan (n,).

    Attributes:
        net: expected proceeds for this claim, fen; 0 where there is none or its value is not known.
        delay: months from filing to the proceeds.
        judgment: months from filing to the judgment.
    """

    net: Floats
    delay: Ints
    judgment: Ints


def collateral(
    loans: pl.DataFrame,
    claim: Floats,
    *,
    as_of: date,
    market: MarketBook,
    house_prices: float = 0.0,
) -> Collateral:
    """Collateral under the market of the cut-off date.

    Args:
        house_prices: change of house prices, e.g. -0.2.
    """
    value = loans["collateral_value"].fill_null(0).to_numpy().astype(np.float64)
    security = loans["security"].fill_null("none")
    grown = _indexed(loans, as_of, market)
    home = (security == "home").to_numpy()
    today = value * grown * np.where(home, 1.0 + house_prices, 1.0)

    def by_security(path: str) -> Floats:
        words = market.numbers(path, as_of)
        return security.replace_strict(words, default=0.0, return_dtype=pl.Float64).to_numpy()

    kept = 1.0 - by_security("collateral/auction_discount")
    sold = by_security("collateral/resale_chance")
    proceeds = today * kept * (1.0 - market.number("collateral/sale_cost", as_of))
    liens = loans["prior_liens"].fill_null(0).to_numpy().astype(np.float64)
    real = security.is_in(_REAL).to_numpy()
    net = np.where(real, sold * np.clip(proceeds - liens, 0.0, claim), 0.0)
    slow = market.numbers("courts/slow_provinces", as_of)
    added = loans["province"].replace_strict(slow, default=0.0, return_dtype=pl.Float64)
    judgment = market.number("courts/months_to_judgment", as_of) + added.fill_null(0.0).to_numpy()
    delay = judgment + market.number("courts/months_to_sale", as_of)
    return Collateral(net, delay.astype(np.int64), judgment.astype(np.int64))


def _indexed(loans: pl.DataFrame, as_of: date, market: MarketBook) -> Floats:
    """Value of today for a yuan of the valuation (n,): house prices by city tier, cars by age."""
    table = np.array(market.table("collateral/home_index", as_of))
    points = np.floor(table[:, 0] / 100) * 12 + table[:, 0] % 100
    tier = np.clip(loans["city_tier"].fill_null(3).to_numpy(), 1, 3).astype(np.int64)
    when = loans["collateral_value_date"].fill_null(as_of)
    months = (when.dt.year().cast(pl.Int64) * 12 + when.dt.month()).to_numpy().astype(np.float64)
    now = float(as_of.year * 12 + as_of.month)
    grown = np.ones(loans.height)
    for level in (1, 2, 3):
        mine = tier == level
        then = np.interp(months[mine], points, table[:, level])
        grown[mine] = np.interp(now, points, table[:, level]) / then
    years = np.maximum(now - months, 0.0) / 12.0
    worn = (1.0 - market.number("collateral/vehicle_fall_a_year", as_of)) ** years
    security = loans["security"].fill_null("none")
    cars, homes = (security == "vehicle").to_numpy(), (security == "home").to_numpy()
    return np.where(homes, grown, np.where(cars, worn, 1.0))
