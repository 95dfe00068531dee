"""Ask the borrower to pay: messages, calls, agencies, letters, visits."""

from __future__ import annotations

import numpy as np

from arrears.channels.situation import Floats, Situation
from arrears.channels.way import Bars, Outcome, Permit, no_pool

NAME = "collect"
pool = no_pool
package = no_pool


def permit(situation: Situation, start: int) -> Permit:  # noqa: ARG001 - the same on every day
    """Always (READINGS B)."""
    return Bars(len(situation.claim)).permit()


def outcome(situation: Situation, start: int) -> Outcome:
    """Usual collections from `start` on, nobody calling before; no cost and no call for a sound borrower."""
    sums = situation.collected if start == 0 else situation.idle_until(start)
    pv_paid = situation.commission * (sums.pv - sums.pv_until(start))
    paid = situation.commission * (sums.cash - sums.cash_until(start))
    hours, visits = efforts(situation)
    effort = hours * situation.number("channels/call_hour_cost") + visits * situation.number(
        "channels/visit_cost"
    )
    later = (1.0 + situation.rate) ** (-start / 12.0)
    sold_pv, sold = situation.court_later
    return Outcome(
        pv=sums.pv + sold_pv - pv_paid - later * effort,
        cash=sums.cash + sold,
        cost=paid + effort,
        months=sums.mean_month,
        uses={"call_hours": hours, "visits": visits},
    )


def efforts(situation: Situation) -> tuple[Floats, Floats]:
    """Call hours and visits of each loan (n,)."""
    hours = situation.by_word("contact_status", "channels/call_hours")
    hours = np.where(situation.overdue, hours, 0.0)
    unseen = situation.loans["contact_status"].is_in(["unreachable", "vanished"]).fill_null(False)
    large = situation.claim >= situation.number("channels/visit_from_claim")
    visited = unseen.to_numpy() & large & (situation.forecast.age >= 0)
    return hours, visited.astype(np.float64)
