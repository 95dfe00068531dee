"""Sell loans reported as non-performing to a trust that issues securities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arrears.channels.issue import KINDS, kinds, reckoned, take
from arrears.channels.situation import Flags, Floats, Situation
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
        told = f"{holder.kind} is no originator"
        bars.bar(True, "CN-ABS-ORIGINATOR", told, "cn/securitise/originator_kinds")
    bars.bar(situation.flag("fraud_flag"), "CN-FRAUD", "obtained by fraud")
    bars.bar_unless_reported(
        situation.reported_npl, situation.npl, "CN-ABS-POOL", "cn/securitise/reported_classes"
    )
    return bars.permit()


def outcome(situation: Situation, start: int) -> Outcome:
    """Collect until `start`, then take what a deal on such loans brings (`issue.take`)."""
    return sold_later(
        situation,
        start,
        channel=NAME,
        open_=permit(situation, start).eligible,
        capital=situation.capital,
        uses={
            "securitise_claim": situation.claim,
            "npl_removed": situation.removed,
        },
    )


def sold_later(
    situation: Situation,
    start: int,
    *,
    channel: str,
    open_: Flags,
    capital: Floats | None,
    uses: dict[str, Floats],
) -> Outcome:
    """Usual collections until `start`, and from then on what a deal on loans of each one's kind brings.

    The pool is collected for a fee that covers what collecting costs; neither is in cash or cost.

    Args:
        open_: loans that may go (n,); the others get nothing.
    """
    kind, usual = situation.once("kinds", kinds), situation.collected
    base = situation.once(f"reckoned_{start}", lambda s: reckoned(s, start))
    # What a yuan brings by kind; the last column is that of the loans which may not go.
    brings, shut = np.zeros((4, len(KINDS) + 1)), len(KINDS)
    for number in np.flatnonzero(np.bincount(kind[open_])).tolist():
        found = take(situation, channel, number)
        brings[:, number] = found.worth, found.cash, found.cost, start + found.months
    place = np.where(open_, kind, shut)
    worth, got, cost = (row[place] * base for row in brings[:3])
    waits = brings[3, place]
    before = usual.cash_until(start)
    cash = before + got
    weighted = before * start / 2.0 + got * waits
    keeps = 1.0 - situation.commission
    return Outcome(
        pv=usual.pv_until(start) * keeps + worth * (1.0 + situation.rate) ** (-start / 12.0),
        cash=cash,
        cost=before * situation.commission + cost,
        months=np.divide(weighted, cash, out=np.zeros_like(cash), where=cash > 0),
        capital_freed=capital,
        provision_released=situation.provision if capital is not None else None,
        uses=uses,
    )


def pool(situation: Situation) -> PoolTerms:
    """Terms of a pool."""
    number = situation.number
    smallest = number("securities/minimum_claim")
    return PoolTerms(
        number("securities/fixed_cost"),
        smallest,
        largest_loan=number("securities/largest_loan") * smallest,
        most={"province": number("securities/most_in_one_province")},
    )


def package(situation: Situation) -> npt.NDArray[np.int64]:
    """Secured and unsecured loans apart (n,)."""
    return situation.says("security", "home", "vehicle", "other").astype(np.int64)
