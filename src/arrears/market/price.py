"""A buyer's valuation: what comes in, what it costs, and the price that leaves the return asked for (METHODS 5.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.dates import DAYS_A_YEAR
from arrears.errors import BadArgument
from arrears.market import costs as stack
from arrears.market.auction import Terms, best_start, expected, value_over_start
from arrears.recovery import Forecast
from arrears.recovery.forecast import window
from arrears.recovery.outlook import CURVE
from arrears.rules import MarketBook

Floats = npt.NDArray[np.float64]
AGE_BANDS = (
    (1.0, "under 1 year"),
    (2.0, "1 to 2 years"),
    (3.0, "2 to 3 years"),
    (5.0, "3 to 5 years"),
)
NOT_DUE, OLDEST = "not past due", "over 5 years"
AGES = (NOT_DUE, *(name for _, name in AGE_BANDS), OLDEST)
_RANKS = (0.05, 0.25, 0.5, 0.75, 0.95)
_BIDDERS, _DISAGREE = (1, 2, 3, 5, 8), (0.1, 0.3, 0.5)
# More a year than this is a slip: 15 for 0.15.
_MOST = 10.0
_RATES = tuple(number / 100 for number in range(0, 41, 2))


@dataclass(frozen=True)
class Priced:
    """A valuation, fen.

    Attributes:
        told: `price.json` without the reserve, which is the seller's side; the next four are of it.
        net: expected cash after costs by month (horizon,).
        buckets: `product, age_band, claim, per_claim, per_principal`.
        by_irr: `irr, price`.
    """

    told: dict[str, object]
    price: float
    irr_asked: float
    collections: float
    loses: float
    net: Floats
    buckets: pl.DataFrame
    by_irr: pl.DataFrame


def price(
    forecast: Forecast,
    loans: pl.DataFrame,
    *,
    market: MarketBook,
    as_of: date,
    irr: float | None = None,
    bidders: int | None = None,
    start_price: float | None = None,
    reserve: float = 0.0,
) -> Priced:
    """What a buyer can pay for the loans (n rows, in the order of the forecast).

    Args:
        irr: return asked for a year; the market's where it is left out.
        bidders: who bid against each other; the market's usual number where it is left out.
        start_price: no bid is lower; the market's usual distance below the price where it is not told.
        reserve: what keeping the loans is worth to the seller.

    Raises:
        BadArgument: nobody can ask for such a return.
    """

    def figure(name: str) -> float:
        return market.number(f"buyer/{name}", as_of)

    asked = figure("irr") if irr is None else _return(irr)
    count = int(figure("bidders")) if bidders is None else bidders
    months = min(int(figure("horizon")), CURVE)
    owed = float(forecast.claim.sum())
    principal = float(loans["principal"].sum())
    mean = np.diff(forecast.curve["mean"].to_numpy(), prepend=0.0)[:months]
    paths = np.diff(forecast.paths, axis=1, prepend=0.0)[:, :months]
    collections = float(mean.sum())
    commission = stack.by_month(forecast, market, as_of, mean)
    vat, litigation, fee = (figure(name) for name in ("vat", "litigation", "channel_fee"))
    keeps = np.clip(1.0 - commission - vat - litigation, 0.0, 1.0)
    net = mean * keeps
    bid = max(_worth(net, asked) - fee, 0.0)
    life = float((net * np.arange(1, months + 1)).sum() / net.sum()) if net.sum() > 0 else 0.0
    kept = paths * keeps
    loses = float((kept.sum(axis=1) - fee < bid).mean())
    discount = (1.0 + asked) ** (-np.arange(1, months + 1) / 12.0)
    worths = np.maximum((kept * discount).sum(axis=1) - fee, 0.0)
    costs = {
        "commission": float((mean * commission).sum()),
        "litigation": collections * litigation,
        "tax": collections * vat,
        "channel_fee": fee,
        "funding": bid * figure("funding") * life / 12.0,
    }
    told: dict[str, object] = {
        "claim": round(owed),
        "principal": round(principal),
        "expected_collections": collections,
        "months": months,
        "costs": costs,
        "irr_asked": asked,
        "price": bid,
        "per_claim": bid / owed if owed else None,
        "per_principal": bid / principal if principal else None,
        "npv": _worth(net, forecast.discount_rate) - fee - bid,
        "irr": _irr(net, bid + fee) if bid else None,
        "multiple": float(net.sum()) / bid if bid else None,
        "payback_month": _payback(net, bid + fee) if bid else None,
        "probability_of_loss": loses,
        "quantiles": _quantiles(paths.sum(axis=1)),
        "price_range": _quantiles(worths),
        **_sale(bid, reserve, market=market, as_of=as_of, bidders=count, start_price=start_price),
        "basis": forecast.basis,
        "rests_on": forecast.rests_on
        or "published recoveries and prices (FACTS 4.4, 9; METHODS 1.5)",
    }
    weights = window(asked, 0, months) * (1.0 - vat - litigation)
    worth = stack.kept_by_loan(forecast, weights, market, as_of)
    worth *= _to_the_sum(worth, _worth(net, asked))
    table = _buckets(forecast, loans, worth)
    prices = [max(_worth(net, rate) - fee, 0.0) for rate in _RATES]
    by_irr = pl.DataFrame({"irr": list(_RATES), "price": prices})
    return Priced(told, bid, asked, collections, loses, net, table, by_irr)


def _quantiles(values: Floats) -> dict[str, float]:
    return {f"q{int(100 * rank):02d}": float(np.quantile(values, rank)) for rank in _RANKS}


def _return(irr: float) -> float:
    if not 0.0 <= irr <= _MOST:
        raise BadArgument(
            f"A return of {irr:g} a year.",
            where="--irr",
            why=f"It is a fraction from 0 to {_MOST:g}.",
            fix="Give a number such as 0.15.",
        )
    return irr


def _worth(cash: Floats, rate: float) -> float:
    months = np.arange(1, len(cash) + 1)
    return float((cash * (1.0 + rate) ** (-months / 12.0)).sum())


def _irr(cash: Floats, paid: float) -> float | None:
    """Return a year at which the cash is worth what was paid; None where there is none."""
    if paid <= 0.0 or cash.sum() <= 0.0:
        return None
    low, high = -0.99, 100.0
    if (_worth(cash, low) - paid) * (_worth(cash, high) - paid) > 0.0:
        return None
    from scipy.optimize import brentq

    return float(brentq(lambda rate: _worth(cash, rate) - paid, low, high, xtol=1e-10))


def _payback(cash: Floats, paid: float) -> int | None:
    """First month by which the cash covers what was paid."""
    reached = np.flatnonzero(np.cumsum(cash) >= paid)
    return int(reached[0]) + 1 if len(reached) else None


def _sale(
    bid: float,
    reserve: float,
    *,
    market: MarketBook,
    as_of: date,
    bidders: int,
    start_price: float | None,
) -> dict[str, object]:
    """What an auction is expected to bring, and the start price that brings the seller most (METHODS 6).

    The winner's curse is what a winner loses who bid its own estimate, with all bidders there (METHODS 6.1).
    """
    usual = market.number("buyer/bidders", as_of)
    signal = market.number("buyer/signal", as_of)
    shows_up = min(market.number("auction/arrivals", as_of) / usual, 1.0)
    ratio = market.number("auction/price_over_start", as_of)
    typical = Terms(
        value=1.0, start=1.0, bidders=int(usual), shows_up=shows_up, disagreement=signal
    )
    start = bid / value_over_start(ratio, typical) if start_price is None else start_price
    terms = Terms(value=bid, start=start, bidders=bidders, shows_up=shows_up, disagreement=signal)
    found = expected(terms)
    best, brings = best_start(terms, reserve) if bid > 0.0 else (reserve, reserve)
    cases = [
        replace(terms, bidders=count, disagreement=far)
        for count in sorted({*_BIDDERS, bidders})
        for far in _DISAGREE
    ]
    return {
        "bidders": bidders,
        "expected_winning_bid": start if found.price is None else found.price,
        "start_price": start,
        "sale_probability": found.sold if bid > 0.0 else 0.0,
        "best_start_price": best,
        "best_start_brings": brings,
        "disagreement": signal,
        "winners_curse": bid * signal * (bidders - 1.0) / (bidders + 1.0),
        "by_bidders": [
            {
                "bidders": case.bidders,
                "disagreement": case.disagreement,
                "price": found.price,
                "sold": found.sold,
            }
            for case in cases
            for found in [expected(case)]
        ],
    }


def _to_the_sum(parts: Floats, whole: float) -> float:
    """Factor that makes parts add up to a whole that was worked out by month; 1 where there is nothing."""
    total = float(parts.sum())
    return whole / total if total > 0.0 else 1.0


def age_places(days: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Place of each loan's age in `AGES` (n,), by its days past due."""
    edges = [edge for edge, _ in AGE_BANDS]
    place = np.searchsorted(edges, days / DAYS_A_YEAR, side="right") + 1
    return np.where(days > 0, place, 0)


def _buckets(forecast: Forecast, loans: pl.DataFrame, worth: Floats) -> pl.DataFrame:
    """Worth (n,) by product and age, at the return asked for, before the fee of the deal."""
    band = age_places(loans["days_past_due"].to_numpy())
    frame = pl.DataFrame(
        {
            "product": loans["product"],
            "band": band,
            "age_band": pl.Series(AGES).gather(band),
            "claim": forecast.claim,
            "principal": loans["principal"].cast(pl.Float64),
            "worth": worth,
        }
    )
    return (
        frame.group_by("product", "band", "age_band", maintain_order=True)
        .agg(pl.col("claim", "principal", "worth").sum())
        .sort("product", "band")
        .select(
            "product",
            "age_band",
            pl.col("claim").round().cast(pl.Int64),
            per_claim=pl.when(pl.col("claim") > 0).then(pl.col("worth") / pl.col("claim")),
            per_principal=pl.when(pl.col("principal") > 0).then(
                pl.col("worth") / pl.col("principal")
            ),
        )
    )
