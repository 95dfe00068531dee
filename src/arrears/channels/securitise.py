"""Sell loans reported as non-performing to a trust that issues securities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arrears.channels.situation import Floats, Situation
from arrears.channels.way import Bars, Outcome, Permit, PoolTerms

NAME = "securitise"


def permit(situation: Situation, start: int) -> Permit:
    """An originator; reported as non-performing; not obtained by fraud (READINGS 4, Holder)."""
    bars = Bars(len(situation.claim))
    day, book, holder = situation.day(start), situation.rulebook, situation.holder
    licence = holder.securities_originator
    if licence is False:
        bars.bar(True, "CN-NO-LICENCE", "the holder is no originator")
    elif licence is None and holder.kind not in book.words("cn/securitise/originator_kinds", day):
        bars.bar(True, "CN-ABS-ORIGINATOR", f"{holder.kind} is no originator")
    bars.bar(situation.flag("fraud_flag"), "CN-FRAUD", "obtained by fraud")
    bars.bar_unless_reported(
        situation.reported_npl, situation.npl, "CN-ABS-POOL", "not reported as non-performing"
    )
    return bars.permit()


def outcome(situation: Situation, start: int) -> Outcome:
    """Collect until `start`, then take what investors give for the cash that they expect."""
    months, rate = int(situation.number("securities/cash_months")), "securities/investor_rate"
    gross = sold_for(situation, start, rate=rate, haircut="securities/haircut", months=months)
    capital = situation.capital
    return sold_later(
        situation,
        start,
        gross=gross,
        cost=gross * situation.number("securities/issue_cost"),
        capital=capital,
        uses={
            "securitise_claim": situation.claim,
            "npl_removed": np.where(situation.written_off, 0.0, situation.claim),
        },
    )


def sold_for(situation: Situation, start: int, *, rate: str, haircut: str, months: int) -> Floats:
    """What investors give at `start` (n,): expected cash net of servicing, at their yield, less their haircut."""
    asked = situation.number(rate)
    cash = situation.sold_cash(rate, months)[start] * (1.0 - situation.commission)
    rows = situation.forecast.collateral
    proceeds = situation.forecast.proceeds
    sold = np.where(rows.delay <= months, proceeds * (1.0 + asked) ** (-rows.delay / 12.0), 0.0)
    given: Floats = (cash + sold) * (1.0 - situation.number(haircut))
    return given


def sold_later(
    situation: Situation,
    start: int,
    *,
    gross: Floats,
    cost: Floats,
    capital: Floats | None,
    uses: dict[str, Floats],
) -> Outcome:
    """Usual collections until `start`, and the price of a sale some months after it."""
    usual = situation.collected
    waits = start + situation.number("securities/months")
    before = usual.cash_until(start)
    keeps = 1.0 - situation.commission
    net = (gross - cost) * (1.0 + situation.rate) ** (-waits / 12.0)
    cash = before + gross
    weighted = before * start / 2.0 + gross * waits
    return Outcome(
        pv=usual.pv_until(start) * keeps + net,
        cash=cash,
        cost=before * situation.commission + cost,
        months=np.divide(weighted, cash, out=np.zeros_like(cash), where=cash > 0),
        capital_freed=capital,
        provision_released=situation.provision if capital is not None else None,
        uses=uses,
    )


def pool(situation: Situation) -> PoolTerms:
    """Terms of a pool."""
    return PoolTerms(
        situation.number("securities/fixed_cost"), situation.number("securities/minimum_claim")
    )


def package(situation: Situation) -> npt.NDArray[np.int64]:
    """Secured and unsecured loans apart (n,)."""
    secured = situation.loans["security"].is_in(["home", "vehicle", "other"]).fill_null(False)
    return secured.to_numpy().astype(np.int64)
