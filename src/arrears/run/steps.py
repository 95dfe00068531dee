"""Steps to collect: what the holder's own contacts say of them, who is left alone to measure them, who goes without
where calls and visits are scarce.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears import channels, plan
from arrears.run.gather import Gathered


def learned(gathered: Gathered) -> channels.Uplift | None:
    """What each step adds by the tape's contacts and payments; None where it has not both."""
    tape = gathered.tape
    paid = tape.payments if tape.payments is not None else _of_months(tape.months)
    if tape.contacts is None or paid is None:
        return None
    return channels.learn(tape.loans, tape.contacts, paid, as_of=tape.as_of, market=gathered.market)


def suits(gathered: Gathered, situation: channels.Situation) -> channels.Suits:
    """What cases bring by the tape's own suits."""
    tape = gathered.tape
    if tape.events is None:
        return channels.Suits()
    return channels.learn_suits(situation, tape.loans, tape.payments, tape.months)


def terms(gathered: Gathered) -> channels.Broken:
    """How soon terms are broken by those that the tape has seen given."""
    tape = gathered.tape
    return channels.learn_terms(tape.events, tape.months, as_of=tape.as_of, market=gathered.market)


def _of_months(months: pl.DataFrame | None) -> pl.DataFrame | None:
    """Payments at the end of their months, where there is no better table."""
    if months is None:
        return None
    paid = pl.sum_horizontal("paid_principal", "paid_interest")
    return months.select(
        "loan_id", date=pl.col("month").dt.month_end(), amount=paid, source=pl.lit("borrower")
    ).filter(pl.col("amount") > 0)


def held_out(loan_ids: pl.Series, share: float, seed: int) -> npt.NDArray[np.bool_] | None:
    """Loans left alone (n,), about `share` of them by a hash of their id; None where the share is 0."""
    if not share:
        return None
    place = loan_ids.hash(seed=seed).to_numpy().astype(np.float64) / 2.0**64
    return np.asarray(place < share)


_EFFORT = {"call_hours": "channels/call_hour_cost", "visits": "channels/visit_cost"}
_FACTORS = (4.0, 16.0, 1024.0)
_WORTH_IT = 1.0001

Told = Callable[[float, float], None]


def planned(
    gathered: Gathered, offers: channels.Offers, progress: Told | None = None
) -> tuple[channels.Offers, plan.PlanResult | plan.Unreachable]:
    """The plan; where calls or visits are too scarce for it, once more with ladders that use fewer of them.

    A ladder is chosen for each loan by itself. Where the hours do not go round, the price at which they are weighed
    is raised, in steps of two so that a little more capacity does not change who is called; the offers of the better
    plan are given back with it.
    """
    before, limits = gathered.previous, gathered.capacities
    first = plan.make_plan(offers.situation, offers, limits, progress, before=before)
    best: tuple[channels.Offers, plan.PlanResult | plan.Unreachable] = offers, first
    for prices in _to_try(gathered, first):
        tried = channels.at_scarce_prices(offers, prices)
        found: plan.PlanResult | plan.Unreachable | None
        if isinstance(best[1], plan.Unreachable):
            found = plan.make_plan(tried.situation, tried, limits, progress, before=before)
        else:
            found = plan.make_better_plan(best[1], tried, progress, by=_WORTH_IT, before=before)
        if isinstance(found, plan.PlanResult):
            best = tried, found
    return best


def _to_try(
    gathered: Gathered, found: plan.PlanResult | plan.Unreachable
) -> list[dict[str, float]]:
    """Prices of calls and visits that are tried, fen a unit, by what the first plan says of them.

    Its shadow price is that of going without the whole ladder; going without the scarce step alone costs less.
    """
    cost = {
        name: gathered.market.number(path, gathered.tape.as_of) for name, path in _EFFORT.items()
    }
    if isinstance(found, plan.Unreachable):
        names = {c.name for c in gathered.capacities if c.name in _EFFORT and c.max is not None}
        limited = not found.alone and names
        return [{name: f * cost[name] for name in names} for f in _FACTORS] if limited else []
    dear: dict[str, float] = {}
    for row in found.capacities.filter(sense="max").iter_rows(named=True):
        name = row["capacity"]
        if name in _EFFORT and row["shadow_price"] >= cost[name]:
            dear[name] = max(dear.get(name, 0.0), float(row["shadow_price"]))
    steps = {name: cost[name] * 2.0 ** np.floor(np.log2(dear[name] / cost[name])) for name in dear}
    return [{name: part * price for name, price in steps.items()} for part in (1.0, 0.5) if steps]
