"""A pool put into a deal: its file, its cash, and what the engine of deals pays the originator."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears import deals
from arrears.channels.holder import Holder
from arrears.channels.situation import Floats, Situation
from arrears.core.dates import DAYS_A_MONTH
from arrears.recovery import forecast, paths_of
from arrears.rules import MarketBook, Rulebook
from arrears.tape.columns import CLASSES, LOANS

SCENARIOS = 200
KINDS = ("performing", "young", "middle", "old", "secured")
_WAYS = {"securitise": "securities", "income_rights": "income_rights"}
_BAD = CLASSES[2:]


@dataclass(frozen=True)
class Take:
    """What a deal brings for each yuan that its loans are reckoned to pay.

    Attributes:
        worth: at the cut-off date and the holder's cost of money, costs of the issue taken off.
        cash: undiscounted, before those costs.
        cost: those costs.
        months: mean month of that cash.
    """

    worth: float = 0.0
    cash: float = 0.0
    cost: float = 0.0
    months: float = 0.0


def built(
    situation: Situation,
    rows: pl.Series,
    channel: str,
    name: str,
    *,
    cash: np.ndarray | None = None,
) -> deals.Built | None:
    """The deal of the market's usual terms on some loans; None where they are expected to pay nothing.

    Args:
        rows: their places.
        name: what the deal is called.
        cash: their `collections`, where these are known.
    """
    months = _months(situation)
    loans = situation.loans[rows]
    if cash is None:
        cash = collections(situation, rows)
    if not cash.sum(axis=1).mean() >= 1.0:
        return None
    number = situation.number
    bad = bool(loans["reported_class"].is_in(_BAD).any())
    securities = channel == "securitise"
    terms = deals.Terms(
        name=name,
        kind=_WAYS[channel],
        pool="performing" if not (securities or bad) else "non_performing",
        originator=_originator(situation),
        cutoff=situation.as_of,
        months=months,
        closes_after=int(number("securities/months")),
        coupon=number("deals/senior_coupon"),
        tax=number("deals/tax"),
        servicing=_servicing(situation, rows),
        expenses=number("deals/expenses"),
        reserve_multiple=number("deals/reserve_multiple"),
        servicer_excess=number("deals/servicer_excess"),
        retention=number("deals/retention"),
    )
    haircut, asked = (
        ("securities/haircut", "deals/sub_yield")
        if securities
        else ("securities/income_haircut", "securities/income_rate")
    )
    stress = deals.Stress(Fraction(str(number(haircut))))
    return deals.sized_file(
        terms, cash, deals.Asked(number("deals/shortfall"), stress, number(asked))
    )


def _months(situation: Situation) -> int:
    """Months of collections that belong to a deal."""
    return int(situation.number("securities/cash_months"))


def collections(situation: Situation, rows: pl.Series) -> np.ndarray:
    """Cash of some loans by scenario and month (SCENARIOS, months), whole fen, by the forecast of the run."""
    months = _months(situation)
    paths = paths_of(
        situation.forecast,
        rows.to_numpy(),
        situation.loans[rows],
        as_of=situation.as_of,
        market=situation.market,
        scenarios=SCENARIOS,
    )
    paths = np.maximum.accumulate(np.maximum(paths[:, :months], 0.0), axis=1)
    return np.diff(np.rint(paths).astype(np.int64), axis=1, prepend=0)


def _originator(situation: Situation) -> dict[str, object]:
    holder = situation.holder
    licence = holder.securities_originator
    return {"kind": holder.kind} | ({} if licence is None else {"licence": licence})


def _servicing(situation: Situation, rows: pl.Series) -> float:
    """Share of collections that collecting costs; a sale of collateral has had its costs taken off."""
    paid, sold = (part[rows.to_numpy()] for part in _parts(situation, 0))
    whole = float(paid.sum() + sold.sum())
    return float((situation.commission[rows.to_numpy()] * paid).sum()) / max(whole, 1.0)


def _parts(situation: Situation, start: int) -> tuple[Floats, Floats]:
    """What each loan is reckoned to pay of itself, and from collateral, in a deal's life (n,), fen at its start."""
    months, path = _months(situation), "deals/senior_coupon"
    delay = situation.forecast.collateral.delay
    sold = situation.forecast.proceeds * (1.0 + situation.number(path)) ** (-delay / 12.0)
    return situation.sold_cash(path, months)[start], np.where(delay <= months, sold, 0.0)


def reckoned(situation: Situation, start: int) -> Floats:
    """What each loan is reckoned to pay in a deal's life from a start month on (n,), fen, net of collecting.

    Discounted at the senior coupon to that month. It says how what a deal brings is shared among its loans.
    """
    paid, sold = _parts(situation, start)
    found: Floats = paid * (1.0 - situation.commission) + sold
    return found


def kinds(situation: Situation) -> npt.NDArray[np.int64]:
    """Kind of pool that each loan is priced by (n,), a place in `KINDS`."""
    bands = np.array(situation.market.table("deals/standard_bands", situation.as_of))
    place = np.searchsorted(bands[:, 0], np.maximum(situation.days, bands[0, 0]), side="right")
    kind = np.where(situation.forecast.covered > 0.0, KINDS.index("secured"), place)
    bad = situation.npl | situation.reported_npl
    return np.where(bad, kind, KINDS.index("performing"))


def take(situation: Situation, channel: str, kind: int) -> Take:
    """What a deal of a way and kind brings for each yuan that its loans are `reckoned` to pay.

    The engine is run on a standard pool of the kind (market book, `deals/standard_...`), so that a loan's price does
    not depend on which other loans the tape holds; `brings` says the same of a real pool.
    """
    return _standard(
        _Key(
            channel,
            kind,
            situation.as_of,
            situation.rate,
            situation.market.hash,
            situation.market,
            situation.rulebook,
            situation.holder,
        )
    )


@dataclass(frozen=True)
class _Key:
    """What a standard pool's deal depends on; `book` stands for the market."""

    channel: str
    kind: int
    as_of: date
    rate: float
    book: str
    market: MarketBook = field(compare=False)
    rulebook: Rulebook = field(compare=False)
    holder: Holder = field(compare=False)


@lru_cache(maxsize=128)
def _standard(key: _Key) -> Take:
    pool = _standard_pool(replace(key, channel=""))
    rows = pl.Series(range(len(pool.claim)))
    cash = pool.once("collections", lambda here: collections(here, rows))
    return brings(pool, rows, key.channel, cash=cash)


@lru_cache(maxsize=len(KINDS))
def _standard_pool(key: _Key) -> Situation:
    """Loans of a kind, all alike, whichever way they are sold; their forecast is the market's."""

    def told(name: str) -> float:
        return key.market.number(f"deals/standard_{name}", key.as_of)

    bands = key.market.table("deals/standard_bands", key.as_of)
    secured, performing = (KINDS[key.kind] == word for word in ("secured", "performing"))
    days = 0 if performing else int(told("secured_days") if secured else bands[key.kind - 1][1])
    claim = round(told("secured_claim" if secured else "claim"))
    loan = {
        **dict.fromkeys(LOANS),
        "lender": "standard",
        "product": "mortgage" if secured else "consumer",
        "security": "home" if secured else "none",
        "collateral_value": round(claim * told("home_over_claim")) if secured else None,
        "principal": claim,
        "interest": 0,
        "fees": 0,
        "days_past_due": days,
        "reported_class": "normal" if performing else "substandard",
    }
    names = [f"S{number}" for number in range(int(told("loans")))]
    rows = [{**loan, "loan_id": name, "borrower_id": name} for name in names]
    loans = pl.DataFrame(rows, schema=LOANS)
    ahead = forecast(
        loans,
        as_of=key.as_of,
        market=key.market,
        discount_rate=key.rate,
        scenarios=0,
        shares=_shares(replace(key, kind=0)),
    )
    nothing = pl.DataFrame()
    return Situation(loans, nothing, ahead, key.rulebook, key.holder, key.market, key.as_of)


@lru_cache(maxsize=1)
def _shares(key: _Key) -> dict[tuple[float, int], Floats]:  # noqa: ARG001 - one for each of them
    """What standard pools of all kinds are forecast with, filled by the first of them."""
    return {}


def brings(
    situation: Situation, rows: pl.Series, channel: str, *, cash: np.ndarray | None = None
) -> Take:
    """What a deal on some loans, by their places, brings for each yuan that they are `reckoned` to pay.

    Args:
        cash: their `collections`, where these are known.
    """
    found = built(situation, rows, channel, "pool", cash=cash)
    base = float(reckoned(situation, 0)[rows.to_numpy()].sum())
    if found is None or base <= 0.0:
        return Take()
    share = situation.number("securities/issue_cost") if channel == "securitise" else 0.0
    program, day = deals.compiled(found.deal), found.deal.cutoff_date
    got = deals.brought(program, found.gross)
    dates = [found.deal.closing_date, *(one.payment_date for one in program.dates)]
    when = np.array([(date - day).days / DAYS_A_MONTH for date in dates])
    flows = np.array([got.proceeds, *(got.kept + got.rest)])
    cost = got.proceeds * share
    factor = (1.0 + situation.rate) ** (-when / 12.0)
    total = float(flows.sum())
    return Take(
        worth=float((flows * factor).sum() - cost * factor[0]) / base,
        cash=total / base,
        cost=cost / base,
        months=float((flows * when).sum()) / max(total, 1.0),
    )
