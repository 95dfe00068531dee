"""Sell the right to a loan's cash; the holder stays creditor, goes on collecting, and keeps the capital."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arrears.channels.securitise import sold_later
from arrears.channels.situation import Situation
from arrears.channels.way import Bars, Outcome, Permit, PoolTerms

NAME = "income_rights"
_NOTICE = "CN-INCOME-2016-82"


def permit(situation: Situation, start: int) -> Permit:
    """Banks and consumer finance, from its day on, every loan that was not obtained by fraud (READINGS 5)."""
    bars = Bars(len(situation.claim))
    day, book = situation.day(start), situation.rulebook
    opens = book.day_of("cn/income_rights/from", situation.as_of)
    bars.bar(day < opens, _NOTICE, f"not before {opens}", "cn/income_rights/from")
    seller = situation.holder.kind in book.words("cn/income_rights/seller_kinds", max(day, opens))
    told = f"{situation.holder.kind} may not"
    bars.bar(not seller, _NOTICE, told, "cn/income_rights/seller_kinds")
    bars.bar(situation.flag("fraud_flag"), "CN-FRAUD", "obtained by fraud")
    return bars.permit()


def outcome(situation: Situation, start: int) -> Outcome:
    """Collect until `start`, then take what a trust's units bring; no capital and no provision is freed (FACTS 5)."""
    return sold_later(
        situation,
        start,
        channel=NAME,
        open_=permit(situation, start).eligible,
        capital=None,
        uses={"income_rights_claim": situation.claim},
    )


def pool(situation: Situation) -> PoolTerms:
    """Terms of a package."""
    return PoolTerms(
        situation.number("securities/income_fixed_cost"),
        situation.number("securities/income_minimum_claim"),
    )


def package(situation: Situation) -> npt.NDArray[np.int64]:
    """Performing and non-performing never share a package (n,)."""
    return (situation.npl | situation.reported_npl).astype(np.int64)
