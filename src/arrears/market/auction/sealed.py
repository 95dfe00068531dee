"""One-shot sealed bid: everybody bids once, nobody sees a bid before the end, the highest pays what it bid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from arrears.market.auction.lot import Bid, Lot, Phase, Refusal, Standing, in_order


def standing(lot: Lot, bids: Sequence[Bid], now: datetime) -> Standing:
    """How the auction stands at `now`; of equal bids the earlier one wins."""
    closes = lot.opens + lot.free
    given: dict[str, Bid] = {}
    refused: list[Refusal] = []
    for bid in in_order(bids, now):
        if bid.at < lot.opens:
            refused.append(Refusal(bid, "before the opening"))
        elif bid.at >= closes:
            refused.append(Refusal(bid, "after the end"))
        elif bid.bidder in given:
            refused.append(Refusal(bid, "the bidder has bid"))
        elif bid.amount < lot.start_price:
            refused.append(Refusal(bid, f"below {lot.start_price}"))
        else:
            given[bid.bidder] = bid
    if now < closes:
        phase: Phase = "not_open" if now < lot.opens else "free"
        return Standing(phase, None, closes, None, tuple(refused))
    best = max(given.values(), key=lambda bid: bid.amount, default=None)
    return Standing("closed", best, closes, len(given), tuple(refused))
