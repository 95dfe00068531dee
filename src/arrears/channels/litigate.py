"""Go to court: mediation, suit, enforcement, sale of collateral."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels.situation import STARTS, Flags, Floats, Situation, Sums
from arrears.channels.way import Bars, Outcome, Permit, no_pool
from arrears.recovery import grid
from arrears.recovery.forecast import HORIZON, window
from arrears.rules import court_fee, preservation_fee

Ints = npt.NDArray[np.int64]
NAME = "litigate"
pool = no_pool
package = no_pool
_UNDER_WAY = ("filed", "judged", "enforcing")
_LEAST_LEFT = 1e-6
# Sums over all months stand before those of the first ones.
_WHOLE = 3


def permit(situation: Situation, start: int) -> Permit:  # noqa: ARG001 - the same on every day
    """From one day past due until the case has ended (READINGS B)."""
    bars = Bars(len(situation.claim))
    ended = situation.says("legal_status", "ended")
    bars.bar(~situation.overdue, "CN-READING-NOT-DUE", "nothing is past due")
    bars.bar(ended, "CN-READING-ENDED", "the case has ended")
    return bars.permit()


def outcome(situation: Situation, start: int) -> Outcome:
    """Usual cash until the case is mediated or enforced, more after it where there is something to take, and the
    collateral, less the costs of the case. Once collateral is sold, only the shortfall goes on paying.
    """
    late = situation.late
    won = np.where(situation.limitation_passed, situation.number("channels/late_claim_chance"), 1.0)
    gain = won[late] * (_gains(situation)[start] * (1.0 - situation.forecast.covered[late]))
    usual = _until_sold(situation, start, won)
    sold = won * situation.forecast.proceeds
    delay = start + situation.forecast.collateral.delay
    months = usual.cash * usual.mean_month
    pv, cash = usual.pv.copy(), usual.cash.copy()
    for sums, more in zip((pv, cash, months), gain, strict=True):
        sums[late] += more
    later = (1.0 + situation.rate) ** (-start / 12.0)
    costs = case_costs(situation)
    proceeds = sold * (1.0 + situation.rate) ** (-delay / 12.0)
    total = cash + sold
    months += sold * delay
    hours = situation.each(situation.number("channels/case_hours"))
    return Outcome(
        pv=pv * (1.0 - situation.commission) + proceeds - later * costs,
        cash=total,
        cost=cash * situation.commission + costs,
        months=np.divide(months, total, out=np.zeros_like(total), where=total > 0),
        uses={"court_filings": situation.each(1.0), "call_hours": hours},
    )


def _until_sold(situation: Situation, start: int, won: Floats) -> Sums:
    """Usual cash without that of the first months alone: the sale takes the part of the claim that it covers.

    Args:
        won: chance that a claim past its limitation is (n,).
    """
    weights = situation.weights[:_WHOLE]
    taken = situation.forecast.settled_by_sale(weights, [start] * _WHOLE)
    taken *= -won[:, None]
    taken += situation.collected.values[:, :_WHOLE]
    return Sums(taken)


def takeable(situation: Situation) -> Floats:
    """Chance that there is something to take, by contact, product, legal status and province (n,)."""
    chance = situation.by_word("contact_status", "courts/takeable")
    for column, path in (
        ("product", "courts/takeable_by_product"),
        ("legal_status", "courts/takeable_by_status"),
        ("province", "courts/chance_by_province"),
    ):
        chance = chance * situation.by_word(column, path, 1.0)
    return np.clip(chance, 0.0, 1.0)


def demands(situation: Situation) -> Flags:
    """Loans past due whose limitation ends soon: a demand that can be proven interrupts it (FACTS 7.2) (n,).

    After a judgment it moves nothing (READINGS 7.2): what ends then is the time to apply for enforcement.
    """
    soon = situation.as_of + timedelta(days=int(situation.number("courts/demand_days")))
    ends = situation.limitation_ends
    near = ((ends >= situation.as_of) & (ends <= soon)).fill_null(False).to_numpy()
    judged = situation.loans["judgment_date"].is_not_null().to_numpy()
    sued = situation.says("legal_status", *_UNDER_WAY, "ended") | judged
    return np.asarray(near & situation.overdue & ~sued)


def case_costs(situation: Situation) -> Floats:
    """Expected cost of a case (n,), fen: fees with the halving expected, freezing of property, the lawyer."""
    return situation.once("case_costs", _case_costs)


def _case_costs(situation: Situation) -> Floats:
    claims, day, book = situation.claim.astype(np.int64), situation.as_of, situation.rulebook
    early = situation.number("channels/settled_early")
    halved = book.number("cn/court/summary_halving", day)
    fee = court_fee(claims, book, day) * (1.0 - early * (1.0 - halved))
    frozen = preservation_fee(claims, book, day) * situation.number("channels/preserved")
    under_way = situation.says("legal_status", *_UNDER_WAY)
    costs: Floats = np.where(under_way, 0.0, fee + frozen)
    return costs + situation.number("channels/lawyer_cost")


def waits(situation: Situation) -> npt.NDArray[np.int64]:
    """Months from filing until enforcement is felt (n,): by province; who has a judgment need not wait for it."""
    after = int(situation.number("courts/months_to_enforcement"))
    enforcing, judged = (situation.says("legal_status", word) for word in ("enforcing", "judged"))
    whole = situation.forecast.collateral.judgment + after
    found: npt.NDArray[np.int64] = np.select([enforcing, judged], [0, after], whole)
    return found


def _gains(situation: Situation) -> dict[int, Floats]:
    return situation.once("court_gains", _court_gains)


def _court_gains(situation: Situation) -> dict[int, Floats]:
    """What a case adds to usual cash of the loans past day 91 from each start: worth, cash, cash times month (3, k).

    What they owe by then is what usual collecting leaves.
    """
    forecast, found = situation.forecast, {}
    months = len(forecast.params.odds)
    weights = np.stack([window(situation.rate, 0), window(0.0, 0), np.arange(1.0, HORIZON + 1)])[
        :, :months
    ]
    late = situation.late
    filed = [
        (forecast.age[late] + start, situation.claim[late] * situation.owed_after(start)[late])
        for start in STARTS
    ]
    for start, total in zip(STARTS, added(situation, weights, late, filed), strict=True):
        gain = total.T * situation.suits_bring
        later = (1.0 + situation.rate) ** (-start / 12.0)
        found[start] = np.stack([gain[0] * later, gain[1], gain[2] + start * gain[1]])
    return found


def added(
    situation: Situation, weights: Floats, loans: Ints, filed: list[tuple[Ints, Floats]]
) -> list[Floats]:
    """Weighted sums of what cases on some loans (k,) add to usual cash (k, F), if filed at such ages with so much owed.

    A borrower's own payments tell whether he is willing, not what a court can take: the unwilling are whom suits are
    for. So a case adds to every loan of a product the same share of what usual collecting leaves unpaid, where there is
    something to take.
    """
    forecast, alike = situation.forecast, _of_product(situation)[loans]
    wait = waits(situation)[loans]
    early = int(situation.number("courts/months_to_mediation"))
    mediates = np.where(wait > early, situation.number("courts/mediated"), 0.0)
    parts = [(early, mediates)]
    parts += [
        (int(months), np.where(wait == months, 1.0 - mediates, 0.0)) for months in np.unique(wait)
    ]
    usual = forecast.shares()
    tables = [grid.weigh(_enforced(situation, month) - usual, weights) for month, _ in parts]
    paid = grid.weigh(usual, np.ones((1, usual.shape[2])))
    chance, score = takeable(situation)[loans, None], forecast.score[loans]
    sums = []
    for age, owed in filed:
        ones = np.ones(len(owed))
        own, others = (1.0 - grid.read_off(paid, age, shift, ones) for shift in (score, alike))
        left = owed * (np.clip(own, 0.0, 1.0) / np.maximum(others, _LEAST_LEFT))[:, 0]
        total = np.zeros((len(owed), len(weights)))
        for table, (_, share) in zip(tables, parts, strict=True):
            mine = np.flatnonzero(share > 0.0)
            taken = grid.read_off(table, age[mine], alike[mine], left[mine])
            total[mine] += share[mine, None] * taken
        sums.append(total * chance)
    return sums


def _enforced(situation: Situation, month: int) -> Floats:
    """Shares of a claim paid by age, node and month if a case is felt from a month on, until the court no longer looks
    for property; after it what is left is collected as usual.
    """
    forecast = situation.forecast
    shares = forecast.shares(situation.number("channels/judgment_effect"), month)
    usual, until = forecast.shares(), month + int(situation.number("courts/enforced_months"))
    owed, would = (1.0 - paid[:, :, :until].sum(axis=2) for paid in (shares, usual))
    left = np.divide(owed, would, out=np.zeros_like(owed), where=would > _LEAST_LEFT)
    return np.concatenate([shares[:, :, :until], left[:, :, None] * usual[:, :, until:]], axis=2)


def typical(situation: Situation) -> dict[str, float]:
    """Mean score of a product's loans past day 91, of whom nobody knows whether they answer, by product."""
    return situation.once("typical", _typical)


def _typical(situation: Situation) -> dict[str, float]:
    late = np.flatnonzero(situation.forecast.age >= 0)
    words, found = situation.loans["product"].gather(late), situation.forecast.found[late]
    known = {}
    for word in words.unique().sort():
        mine = found[(words == word).to_numpy()]
        # By the market's figures a product's loans are alike: then no rounding may tell how many there are.
        known[word] = float(mine[0] + (mine - mine[0]).mean())
    return known


def _of_product(situation: Situation) -> Floats:
    """The typical score of each loan's product (n,); its own where the book holds none past day 91."""
    known = situation.loans["product"].replace_strict(
        typical(situation), default=None, return_dtype=pl.Float64
    )
    return np.where(known.is_null(), situation.forecast.found, known.fill_null(0.0))
