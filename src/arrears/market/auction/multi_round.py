"""Bidding in several rounds: a free phase, then cycles that each later bid begins anew (FACTS 2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from arrears.market.auction.lot import Bid, Lot, Phase, Refusal, Standing, in_order


def standing(lot: Lot, bids: Sequence[Bid], now: datetime) -> Standing:
    """How the auction stands at `now`.

    A bid counts from the opening until the end, at the start price or more, and an increment above the best so far.
    The end is the free phase and one cycle more, or one cycle after the last bid that counts, whichever is later.
    """
    best: Bid | None = None
    who: set[str] = set()
    refused: list[Refusal] = []
    last_free = lot.opens + lot.free
    closes = last_free + lot.cycle
    for bid in in_order(bids, now):
        least = lot.start_price if best is None else best.amount + lot.increment
        if bid.at < lot.opens:
            refused.append(Refusal(bid, "before the opening"))
        elif bid.at >= closes:
            refused.append(Refusal(bid, "after the end"))
        elif bid.amount < least:
            refused.append(Refusal(bid, f"below {least}"))
        else:
            best = bid
            who.add(bid.bidder)
            closes = max(closes, bid.at + lot.cycle)
    phase: Phase = "delayed"
    if now < lot.opens:
        phase = "not_open"
    elif now >= closes:
        phase = "closed"
    elif now < last_free:
        phase = "free"
    return Standing(phase, best, closes, len(who), tuple(refused))
