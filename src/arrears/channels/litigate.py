"""Go to court: sue, have the judgment enforced, sell collateral."""

from __future__ import annotations

import numpy as np

from arrears.channels.situation import Floats, Situation, Sums
from arrears.channels.way import Bars, Outcome, Permit, no_pool
from arrears.rules import court_fee, preservation_fee

NAME = "litigate"
pool = no_pool
package = no_pool
_UNDER_WAY = ("filed", "judged", "enforcing")
_JUDGED = ("judged", "enforcing")


def permit(situation: Situation, start: int) -> Permit:  # noqa: ARG001 - the same on every day
    """From one day past due until the case has ended (READINGS B)."""
    bars = Bars(len(situation.claim))
    ended = (situation.loans["legal_status"] == "ended").fill_null(False).to_numpy()
    bars.bar(~situation.overdue, "CN-READING-NOT-DUE", "nothing is past due")
    bars.bar(ended, "CN-READING-ENDED", "the case has ended")
    return bars.permit()


def outcome(situation: Situation, start: int) -> Outcome:
    """What is paid until and after the judgment, and the collateral, less the costs of the case."""
    usual = situation.collected
    judged = _with_judgment(situation, start)
    chance = np.where(
        situation.limitation_passed, situation.number("channels/late_claim_chance"), 1.0
    )
    rate, rows = situation.rate, situation.forecast.collateral
    sold = chance * situation.forecast.proceeds
    delay = start + rows.delay
    gain_pv = judged.pv - usual.pv
    gain_cash = judged.cash - usual.cash
    pv = usual.pv + chance * gain_pv
    cash = usual.cash + chance * gain_cash
    later = (1.0 + rate) ** (-start / 12.0)
    costs = case_costs(situation)
    keeps = 1.0 - situation.commission
    proceeds = sold * (1.0 + rate) ** (-delay / 12.0)
    total = cash + sold
    months = cash * judged.mean_month + sold * delay
    hours = np.full(len(costs), situation.number("channels/case_hours"))
    return Outcome(
        pv=pv * keeps + proceeds - later * costs,
        cash=total,
        cost=cash * situation.commission + costs,
        months=np.divide(months, total, out=np.zeros_like(total), where=total > 0),
        uses={"court_filings": np.ones(len(costs)), "call_hours": hours},
    )


def case_costs(situation: Situation) -> Floats:
    """Expected cost of a case (n,), fen: fees with the halving expected, freezing of property, the lawyer."""
    claims, day, book = situation.claim.astype(np.int64), situation.as_of, situation.rulebook
    early = situation.number("channels/settled_early")
    halved = book.number("cn/court/summary_halving", day)
    fee = court_fee(claims, book, day) * (1.0 - early * (1.0 - halved))
    frozen = preservation_fee(claims, book, day) * situation.number("channels/preserved")
    under_way = situation.loans["legal_status"].is_in(_UNDER_WAY).fill_null(False).to_numpy()
    costs: Floats = np.where(under_way, 0.0, fee + frozen)
    return costs + situation.number("channels/lawyer_cost")


def _with_judgment(situation: Situation, start: int) -> Sums:
    """Cash when payments grow from the judgment on; courts differ by province."""
    effect = situation.number("channels/judgment_effect")
    has_one = situation.loans["legal_status"].is_in(_JUDGED).fill_null(False).to_numpy()
    wait = np.where(has_one, 0, situation.forecast.collateral.judgment)
    values = situation.collected.values.copy()
    for months in np.unique(wait):
        theirs = wait == months
        sums = situation.forecast.voluntary(
            situation.weights, shift=effect, from_month=start + int(months), past_only=True
        )
        values[theirs] = sums[theirs]
    values[situation.forecast.age < 0] = situation.collected.values[situation.forecast.age < 0]
    return Sums(values)
