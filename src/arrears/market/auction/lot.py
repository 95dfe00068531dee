"""What is auctioned, what is bid, and how an auction stands: the words that all formats share.

A format is one file with a pure function `standing(lot, bids, now)`: the same lot, bids and time always give the same
answer, so that a desk may ask at any moment and an auditor again years later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from arrears.errors import BadArgument

Phase = Literal["not_open", "free", "delayed", "closed"]


@dataclass(frozen=True)
class Lot:
    """A package at auction; money is fen.

    Attributes:
        start_price: no bid is lower.
        increment: how much a bid must be above the one before, where bids are seen.
        opens: when the first bid may be given.
        free: how long bids may be given freely; a sealed auction lasts so long.
        cycle: how long an auction of several rounds goes on after each later bid.
    """

    start_price: int
    opens: datetime
    increment: int = 1
    free: timedelta = timedelta(minutes=30)
    cycle: timedelta = timedelta(minutes=3)

    def __post_init__(self) -> None:
        if self.start_price < 0 or self.increment < 1:
            raise BadArgument("A lot needs a start price of 0 or more and an increment of a fen.")
        if self.free <= timedelta(0) or self.cycle <= timedelta(0):
            raise BadArgument("A lot needs time: its free phase and its cycle are longer than 0.")


@dataclass(frozen=True)
class Bid:
    """What a bidder offers, fen, and when."""

    bidder: str
    amount: int
    at: datetime


@dataclass(frozen=True)
class Refusal:
    """A bid that does not count, and why."""

    bid: Bid
    why: str


@dataclass(frozen=True)
class Standing:
    """How an auction stands.

    Attributes:
        best: highest bid that counts; None while it is secret, or where there is none.
        closes: when it ends unless another bid comes.
        bidders: how many have given a bid that counts; None while that is secret.
    """

    phase: Phase
    best: Bid | None
    closes: datetime
    bidders: int | None
    refused: tuple[Refusal, ...]

    @property
    def sold_for(self) -> int | None:
        """The price, fen, once it is closed; None where it is not sold."""
        return self.best.amount if self.phase == "closed" and self.best else None


def in_order(bids: Sequence[Bid], now: datetime) -> list[Bid]:
    """The bids given by `now`, the earliest first; bids of one moment as they were received."""
    return sorted((bid for bid in bids if bid.at <= now), key=lambda bid: bid.at)
