"""Packages that are worth something else to each buyer: what one more bidder is worth against a clever reserve.

Where buyers differ in what collecting costs them rather than in what they know, bidding goes up to the second highest
worth. With worths spread evenly between 0 and 1 all is known in closed form (METHODS 6.1, Bulow and Klemperer 1996).
"""

from __future__ import annotations

from arrears.errors import BadArgument

BEST_RESERVE = 0.5


def uniform_revenue(bidders: int, reserve: float = 0.0) -> float:
    """Expected revenue with worths uniform on [0, 1] and a reserve in [0, 1].

    Raises:
        BadArgument: no bidder, or a reserve outside [0, 1].
    """
    if bidders < 1 or not 0.0 <= reserve <= 1.0:
        raise BadArgument("Revenue needs a bidder or more and a reserve from 0 to 1.")
    kept = reserve**bidders * (1.0 - 2.0 * bidders * reserve / (bidders + 1.0))
    return (bidders - 1.0) / (bidders + 1.0) + kept
