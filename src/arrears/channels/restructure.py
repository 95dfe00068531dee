"""New terms that the borrower can meet: instalments, and a waiver of interest and fees where it is lawful."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit, prange

from arrears.channels.situation import Floats, Situation
from arrears.channels.way import Bars, Outcome, Permit, no_pool

NAME = "restructure"
pool = no_pool
package = no_pool
_CARD, _CAP = "credit_card", "cn/instalments/card_max_months"
_FEWEST = 3


def permit(situation: Situation, start: int) -> Permit:  # noqa: ARG001 - the same on every day
    """Unless the borrower has vanished (READINGS 6.2)."""
    bars = Bars(len(situation.claim))
    vanished = (situation.loans["contact_status"] == "vanished").fill_null(False).to_numpy()
    bars.bar(vanished, "CN-READING-VANISHED", "the borrower has vanished")
    return bars.permit()


@dataclass(frozen=True)
class Terms:
    """What would be offered today (n,), fen and months.

    Attributes:
        instalment: each of them; the last one may be smaller.
        share_of_income: NaN where the income is not known.
    """

    instalments: npt.NDArray[np.int64]
    instalment: npt.NDArray[np.int64]
    waived_interest: npt.NDArray[np.int64]
    waived_fees: npt.NDArray[np.int64]
    share_of_income: Floats


def terms(situation: Situation) -> Terms:
    """Instalments within the borrower's means and the legal cap; principal is never waived (READINGS 6.1, 6.2)."""
    loans, book, day = situation.loans, situation.rulebook, situation.as_of
    share = situation.number("channels/waived_share") * situation.npl

    def waived(column: str) -> npt.NDArray[np.int64]:
        owed = loans[column].fill_null(0).to_numpy()
        allowed = book.flag(f"cn/waive/{column}", day, situation.holder.kind)
        given: npt.NDArray[np.int64] = np.floor(owed * share * allowed + 0.5).astype(np.int64)
        return given

    interest, fees = waived("interest"), waived("fees")
    rest = situation.claim.astype(np.int64) - interest - fees
    usual, most = situation.market.table("channels/instalments", day)[0]
    cap = np.full(len(rest), int(most))
    legal = book.at_or_none(_CAP, day)
    if isinstance(legal, int):
        cards = (loans["product"] == _CARD).to_numpy()
        cap = np.where(cards, np.minimum(cap, legal), cap)
    income = loans["monthly_income"].cast(pl.Float64).to_numpy()
    bearable = income * situation.number("channels/share_of_income")
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = np.where(np.isnan(income), usual, np.ceil(rest / bearable))
    count = np.clip(np.nan_to_num(wanted, nan=usual, posinf=1e6), _FEWEST, cap).astype(np.int64)
    count = np.minimum(count, np.maximum(rest, 1))
    instalment = (rest + count // 2) // count
    with np.errstate(divide="ignore", invalid="ignore"):
        of_income = np.where(income > 0, instalment / income, np.nan)
    return Terms(count, instalment, interest, fees, of_income)


def outcome(situation: Situation, start: int) -> Outcome:
    """Accepted or not, kept or broken; what is refused or broken is collected as usual."""
    usual, offered = situation.collected, terms(situation)
    accepted = situation.by_word("contact_status", "channels/offer_accepted")
    broken = situation.number("channels/terms_broken")
    left = situation.forecast.owed_after(start)
    later = (1.0 + situation.rate) ** (-start / 12.0)
    net = 1.0 - situation.commission
    sold_pv, sold = situation.court_later
    after_pv = (usual.pv - usual.pv_until(start)) * net + sold_pv
    after_cash = usual.cash - usual.cash_until(start) + sold
    owed = np.maximum(left * situation.claim, 1.0)
    kept = _kept(
        offered.instalments,
        offered.instalment.astype(np.float64) * left,
        after_pv / (later * owed),
        after_cash / owed,
        (1.0 + situation.rate) ** (-1.0 / 12.0),
        broken,
    )
    hours = np.full(len(owed), situation.number("channels/offer_hours"))
    effort = hours * situation.number("channels/call_hour_cost")
    pv = usual.pv_until(start) * net + accepted * later * kept[0] + (1.0 - accepted) * after_pv
    cash = usual.cash_until(start) + accepted * kept[1] + (1.0 - accepted) * after_cash
    agency = situation.commission * (
        usual.cash_until(start) + (1.0 - accepted) * after_cash + accepted * kept[3]
    )
    plan_months = np.divide(kept[2], kept[1], out=np.zeros_like(cash), where=kept[1] > 0)
    return Outcome(
        pv=pv - later * effort,
        cash=cash,
        cost=agency + effort,
        months=accepted * (start + plan_months) + (1.0 - accepted) * usual.mean_month,
        uses={"call_hours": hours, "restructure_offers": np.ones(len(owed))},
    )


@njit(cache=True, parallel=True)
def _kept(  # noqa: PLR0917 - a compiled kernel takes its arrays by position
    count: npt.NDArray[np.int64],
    instalment: Floats,
    pv_share: Floats,
    cash_share: Floats,
    monthly: float,
    broken: float,
) -> Floats:
    """Terms that are kept until broken: present value, cash, cash times month, cash after the break (4, n).

    Args:
        pv_share, cash_share: what a yuan still owed brings by usual collection.
    """
    sums = np.zeros((4, len(count)))
    for loan in prange(len(count)):
        alive, discount = 1.0, 1.0
        for month in range(count[loan]):
            owed = instalment[loan] * (count[loan] - month)
            fails = alive * broken
            sums[0, loan] += fails * discount * owed * pv_share[loan]
            sums[1, loan] += fails * owed * cash_share[loan]
            sums[2, loan] += fails * owed * cash_share[loan] * (month + 1)
            sums[3, loan] += fails * owed * cash_share[loan]
            alive -= fails
            discount *= monthly
            sums[0, loan] += alive * discount * instalment[loan]
            sums[1, loan] += alive * instalment[loan]
            sums[2, loan] += alive * instalment[loan] * (month + 1)
    return sums
