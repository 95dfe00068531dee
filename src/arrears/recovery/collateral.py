"""What collateral brings: value of today, two auctions, costs, prior liens; only through the court."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl
import scipy

from arrears.core.records import picked
from arrears.recovery.params import Floats, Ints
from arrears.rules import MarketBook

_REAL = ("home", "vehicle", "other")
# Whose enforcement has ended has had his collateral sold, or no court sells it any more.
_OVER = "ended"
_TIERS = 3
# What the value of today rests on.
_INDEXED = ("city_tier", "collateral_value_date", "security")


class Auction(NamedTuple):
    """One auction of each loan's collateral (n,): the chance that it is the one that sells, and what it keeps."""

    chance: Floats
    kept: Floats


@dataclass(frozen=True)
class Collateral:
    """Collateral of each loan (n,).

    Attributes:
        net: expected proceeds for this claim, fen, over both auctions and over house prices at the sale; 0 where there
            is none, its value is not known or the case has ended.
        delay: months from filing to the proceeds.
        judgment: months from filing to the judgment.
        value: value of today, fen.
        tier: city tier 1 to 3 of a home, 0 of anything else.
        liens, claim: fen.
        auctions: first and second; kept is a share of the value, costs taken off.
    """

    net: Floats
    delay: Ints
    judgment: Ints
    value: Floats
    tier: Ints
    liens: Floats
    claim: Floats
    auctions: tuple[Auction, Auction]

    def of(self, rows: Ints) -> Collateral:
        """That of some loans, by their places."""
        first, second = (Auction(one.chance[rows], one.kept[rows]) for one in self.auctions)
        return picked(self, rows, auctions=(first, second))

    def at(self, prices: Floats | float) -> Floats:
        """Expected proceeds (n,) if homes stand at `prices` times their value of today."""
        worth = self.value * np.where(self.tier > 0, prices, 1.0)
        total = np.zeros(len(worth))
        for chance, kept in self.auctions:
            total += chance * np.clip(worth * kept - self.liens, 0.0, self.claim)
        return total

    def spread(self) -> tuple[Floats, Floats, Floats]:
        """Variance (n,) and third central moment (n,) of the proceeds at today's prices, and the chance of none."""
        outcomes = [
            (chance, np.clip(self.value * kept - self.liens, 0.0, self.claim))
            for chance, kept in self.auctions
        ]
        mean = sum((c * got for c, got in outcomes), np.zeros(len(self.value)))
        none = 1.0 - sum((np.where(got > 0, c, 0.0) for c, got in outcomes), np.zeros(len(mean)))
        left = 1.0 - sum((c for c, _ in outcomes), np.zeros(len(mean)))
        moments = [
            left * (-mean) ** k + sum((c * (got - mean) ** k for c, got in outcomes), 0.0 * mean)
            for k in (2, 3)
        ]
        return moments[0], moments[1], none


def collateral(
    loans: pl.DataFrame,
    claim: Floats,
    *,
    as_of: date,
    market: MarketBook,
    house_prices: float = 0.0,
    court_months: int = 0,
) -> Collateral:
    """Collateral under the market of the cut-off date.

    Args:
        house_prices: change of house prices, e.g. -0.2.
        court_months: added to the time of every court.
    """
    value = loans["collateral_value"].fill_null(0).to_numpy().astype(np.float64)
    security = loans["security"].fill_null("none")
    home = (security == "home").to_numpy()
    over = (loans["legal_status"] == _OVER).fill_null(False)
    real = (security.is_in(_REAL) & ~over).to_numpy()
    mine = np.flatnonzero(real)
    today = np.zeros(len(value))
    today[mine] = value[mine] * _indexed(loans.select(_INDEXED)[mine], as_of, market)
    today *= np.where(home, 1.0 + house_prices, 1.0)

    def by_security(name: str) -> Floats:
        words = market.numbers(f"collateral/{name}", as_of)
        return security.replace_strict(words, default=0.0, return_dtype=pl.Float64).to_numpy()

    keeps = 1.0 - market.number("collateral/sale_cost", as_of)
    first = by_security("first_auction_chance")
    second = (1.0 - first) * by_security("second_auction_chance")
    auctions = (
        Auction(first, keeps * (1.0 - by_security("first_auction_discount"))),
        Auction(second, keeps * (1.0 - by_security("second_auction_discount"))),
    )
    slow = market.numbers("courts/slow_provinces", as_of)
    added = loans["province"].replace_strict(slow, default=0.0, return_dtype=pl.Float64)
    usual = market.number("courts/months_to_judgment", as_of) + court_months
    judgment: Floats = usual + added.fill_null(0.0).to_numpy()
    sold = first + second
    again = np.divide(second, sold, out=np.zeros_like(sold), where=sold > 0)
    delay = judgment + market.number("courts/months_to_sale", as_of)
    delay += np.round(again * market.number("collateral/months_to_second", as_of))
    bare = Collateral(
        net=np.zeros(len(claim)),
        delay=delay.astype(np.int64),
        judgment=judgment.astype(np.int64),
        value=today,
        tier=np.where(home, _tier(loans), 0),
        liens=loans["prior_liens"].fill_null(0).to_numpy().astype(np.float64),
        claim=claim,
        auctions=auctions,
    )
    deviation = np.array([0.0, *market.table("collateral/home_deviation", as_of)[0]])
    spread = deviation[bare.tier] * np.sqrt(bare.delay / 12.0)
    net = np.zeros(len(claim))
    net[mine] = _expected(bare.of(mine), spread[mine])
    return replace(bare, net=net)


def _expected(rows: Collateral, deviation: Floats) -> Floats:
    """Expected proceeds (n,) with prices at the sale lognormal around today's (Black 1976, a spread of two calls)."""
    total = np.zeros(len(rows.value))
    for chance, kept in rows.auctions:
        worth = rows.value * kept
        capped = _call(worth, rows.liens, deviation) - _call(
            worth, rows.liens + rows.claim, deviation
        )
        total += chance * np.clip(capped, 0.0, rows.claim)
    return total


def _call(worth: Floats, strike: Floats, deviation: Floats) -> Floats:
    """Expectation of what a lognormal worth exceeds a strike by (n,)."""
    found = np.maximum(worth - strike, 0.0)
    risky = (worth > 0.0) & (strike > 0.0) & (deviation > 0.0)
    w, k, s = worth[risky], strike[risky], deviation[risky]
    d = np.log(w / k) / s + s / 2.0
    found[risky] = w * scipy.special.ndtr(d) - k * scipy.special.ndtr(d - s)
    return found


def _tier(loans: pl.DataFrame) -> Ints:
    tier = loans["city_tier"].fill_null(_TIERS).clip(1, _TIERS).cast(pl.Int64)
    return tier.to_numpy()


def _indexed(loans: pl.DataFrame, as_of: date, market: MarketBook) -> Floats:
    """Value of today for a yuan of the valuation (n,): house prices by city tier, cars by age."""
    table = np.array(market.table("collateral/home_index", as_of))
    points = np.floor(table[:, 0] / 100) * 12 + table[:, 0] % 100
    tier = _tier(loans)
    when = loans["collateral_value_date"].fill_null(as_of)
    months = (when.dt.year().cast(pl.Int64) * 12 + when.dt.month()).to_numpy().astype(np.float64)
    now = float(as_of.year * 12 + as_of.month)
    grown = np.ones(loans.height)
    for level in range(1, _TIERS + 1):
        mine = tier == level
        then = np.interp(months[mine], points, table[:, level])
        grown[mine] = np.interp(now, points, table[:, level]) / then
    years = np.maximum(now - months, 0.0) / 12.0
    worn = (1.0 - market.number("collateral/vehicle_fall_a_year", as_of)) ** years
    security = loans["security"].fill_null("none")
    cars, homes = (security == "vehicle").to_numpy(), (security == "home").to_numpy()
    return np.where(homes, grown, np.where(cars, worn, 1.0))
