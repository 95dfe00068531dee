"""Ask the borrower to pay: messages, calls, agencies, letters, visits."""

from __future__ import annotations

import numpy as np

from arrears.channels.ladder import idle, ladders, responses, responses_at, rolls
from arrears.channels.situation import Floats, Situation, Sums
from arrears.channels.way import Bars, Outcome, Permit, no_pool

NAME = "collect"
pool = no_pool
package = no_pool


def permit(situation: Situation, start: int) -> Permit:  # noqa: ARG001 - the same on every day
    """Always (READINGS B)."""
    return Bars(len(situation.claim)).permit()


def outcome(situation: Situation, start: int) -> Outcome:
    """The loan's ladder for a quarter from `start` on and usual collecting after it, nobody calling before.

    No cost and no call for a sound borrower. Commission is due on what comes while nobody calls, too: the loan stays
    where it is placed.
    """
    taken, usual = ladders(situation), situation.collected
    sums = usual if start == 0 else idle(situation, start)
    gain, meanwhile = _gain(situation, start, sums)
    kappa = situation.commission
    free = np.where(taken.own, kappa, 0.0)
    pv_paid = kappa * (sums.pv + gain[0]) - free * meanwhile[0]
    paid = kappa * (sums.cash + gain[1]) - free * meanwhile[1]
    part, later = _still_owing(situation, start), (1.0 + situation.rate) ** (-start / 12.0)
    effort = part * taken.cost
    sold_pv, sold = situation.court_later
    return Outcome(
        pv=sums.pv + gain[0] + sold_pv - pv_paid - later * effort,
        cash=sums.cash + gain[1] + sold,
        cost=paid + effort,
        months=sums.mean_month,
        uses={"call_hours": part * taken.hours, "visits": part * taken.visits},
    )


def _gain(situation: Situation, start: int, sums: Sums) -> tuple[Floats, Floats]:
    """What the ladder adds to usual collecting, and the cash of its quarter past day 91: worth and cash (2, n) each."""
    shift = ladders(situation).shift
    seen = responses(situation) if start == 0 else responses_at(situation, start)
    still = situation.once(f"unmoved_{start}", lambda _: seen.at(np.zeros_like(shift))[:2].copy())
    moved = seen.at(shift)
    gain, meanwhile = moved[:2] - still, moved[2:]
    if start == 0:
        return gain, meanwhile
    claim = np.maximum(situation.claim, 1.0)
    owed = np.clip(1.0 - sums.cash_until(start) / claim, 0.0, 1.0)
    later = np.array([(1.0 + situation.rate) ** (-start / 12.0), 1.0])[:, None]
    return gain * owed * later, meanwhile * owed * later


def _still_owing(situation: Situation, start: int) -> Floats:
    """Chance that a loan past due is still to be collected at `start` (n,): before day 91 that it has reached it."""
    if start == 0:
        return np.ones(len(situation.claim))
    return np.where(situation.forecast.age < 0, rolls(situation)[1], 1.0)
