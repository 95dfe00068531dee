"""New terms that the borrower can meet: instalments, grace, and waivers where they are lawful."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels.situation import Floats, Situation
from arrears.channels.way import Bars, Outcome, Permit, no_pool

Ints = npt.NDArray[np.int64]
NAME = "restructure"
pool = no_pool
package = no_pool
_CARD, _CAP = "credit_card", "cn/instalments/card_max_months"
_MOST_BROKEN = 0.5


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
        grace: months before the first instalment.
    """

    instalments: Ints
    instalment: Ints
    waived_interest: Ints
    waived_fees: Ints
    waived_principal: Ints
    share_of_income: Floats
    grace: Ints


@dataclass(frozen=True)
class Means:
    """What a borrower can bear, and what would move him (n,).

    Attributes:
        bearable: fen a month.
        moved: share whom an offer may move: neither stale debtors nor those known to have the means.
        liquidity, over_indebted: weights of those who lack cash, and who owe too much.
        income: of the tape, NaN where it gives none.
    """

    bearable: Floats
    moved: Floats
    liquidity: Floats
    over_indebted: Floats
    income: Floats


def terms(situation: Situation) -> Terms:
    """Of a few lawful waivers and instalments the terms that are worth most (READINGS 6.1, 6.2)."""
    return situation.once("terms", _best_terms)


def means(situation: Situation) -> Means:
    """What borrowers can bear: a share of their income, or of the usual one and of the last payment without it."""
    return situation.once("means", _means)


def fills(loans: pl.DataFrame) -> list[tuple[str, str, int]]:
    """Nulls that offers read in a named way: column, rule, rows."""
    missing = int(loans["monthly_income"].null_count())
    rule = "unknown: usual income of product and city tier, and the last payment"
    return [("monthly_income", rule, missing)] if missing else []


def _means(situation: Situation) -> Means:
    loans, share = situation.loans, situation.number("channels/share_of_income")
    income = loans["monthly_income"].cast(pl.Float64).to_numpy()
    told = np.isfinite(income) & (income > 0)
    table = situation.market.table("restructure/income_by_tier", situation.as_of)
    tiers = {row[0]: row[1] for row in table}
    tier = loans["city_tier"].cast(pl.Float64).replace_strict(tiers, default=1.0)
    usual = situation.by_word("product", "restructure/income") * tier.fill_null(1.0).to_numpy()
    paid = loans["last_payment"].cast(pl.Float64).fill_null(0.0).to_numpy()
    weight = np.where(paid > 0, situation.number("restructure/last_payment_weight"), 0.0)
    guessed = (1.0 - weight) * share * usual + weight * np.minimum(paid, 2.0 * share * usual)
    bearable = np.where(told, share * np.where(told, income, 1.0), guessed)
    whole = np.where(told, income, usual)
    due = situation.claim / np.maximum(situation.forecast.due.term, 12)
    pti = np.clip(due / whole / situation.number("restructure/usual_pti"), 0.5, 2.0)
    dti = situation.claim / (12.0 * whole) / situation.number("restructure/usual_dti")
    cash = situation.by_word("product", "restructure/liquidity") * pti
    debt = situation.by_word("product", "restructure/over_indebted") * np.clip(dti, 0.5, 2.0)
    stale = np.array(situation.market.table("restructure/stale", situation.as_of))
    place = np.searchsorted(stale[:, 0], situation.forecast.age, side="right") - 1
    moved = 1.0 - np.where(place >= 0, stale[np.maximum(place, 0), 1], 0.0)
    both = np.maximum(cash + debt, 1e-9)
    # Who is known to have the means, neither short of cash nor deep in debt, and yet does not pay, no offer moves.
    return Means(
        bearable=np.maximum(bearable, 1.0),
        moved=moved * np.where(told, np.minimum(both, 1.0), 1.0),
        liquidity=moved * cash / both,
        over_indebted=moved * debt / both,
        income=income,
    )


def _best_terms(situation: Situation) -> Terms:
    """The menu, tried one by one; of equal ones the first, which waives least."""
    market, day = situation.market, situation.as_of
    by_law = situation.rulebook.flag("cn/waive/principal", day, situation.holder.kind)
    levels = [row[0] for row in market.table("restructure/waivers", day)]
    eases = [row[0] for row in market.table("restructure/eases", day)]
    cuts = [row[0] for row in market.table("restructure/principal_waivers", day)]
    best: Terms | None = None
    worth = np.full(len(situation.claim), -np.inf)
    for cut, level, ease in product(cuts if by_law else [0.0], levels, eases):
        tried = _tried(situation, level=level, cut=cut, ease=ease)
        pv = _outcome(situation, 0, tried).pv
        better = pv > worth
        worth = np.where(better, pv, worth)
        best = tried if best is None else _either(better, tried, best)
    assert best is not None
    return best


def _either(where: npt.NDArray[np.bool_], a: Terms, b: Terms) -> Terms:
    parts = {
        name: np.where(where, getattr(a, name), getattr(b, name)) for name in Terms.__annotations__
    }
    return Terms(**parts)


def _tried(situation: Situation, *, level: float, cut: float, ease: float = 1.0) -> Terms:
    """Terms with so much of interest and fees and of principal waived, at a share of what can be borne."""
    loans, book, day = situation.loans, situation.rulebook, situation.as_of

    def waived(column: str, share: float) -> Ints:
        owed = loans[column].fill_null(0).to_numpy()
        given: Ints = np.floor(owed * share * situation.npl + 0.5).astype(np.int64)
        return given

    def lawful(column: str) -> float:
        return level * book.flag(f"cn/waive/{column}", day, situation.holder.kind)

    interest, fees = waived("interest", lawful("interest")), waived("fees", lawful("fees"))
    principal = waived("principal", cut)
    rest = situation.claim.astype(np.int64) - interest - fees - principal
    fewest, most = situation.market.table("channels/instalments", day)[0]
    grace = situation.by_word("product", "restructure/grace").astype(np.int64)
    cap = np.full(len(rest), int(most))
    legal = book.at_or_none(_CAP, day)
    if isinstance(legal, int):
        cards = (loans["product"] == _CARD).to_numpy()
        cap = np.where(cards, np.minimum(cap, legal - grace), cap)
    who = means(situation)
    wanted = np.clip(np.ceil(rest / (ease * who.bearable)), int(fewest), cap).astype(np.int64)
    count = np.maximum(np.minimum(wanted, np.maximum(rest, 1)), 1)
    instalment = (rest + count // 2) // count
    with np.errstate(divide="ignore", invalid="ignore"):
        of_income = np.where(who.income > 0, instalment / who.income, np.nan)
    return Terms(count, instalment, interest, fees, principal, of_income, grace)


def outcome(situation: Situation, start: int) -> Outcome:
    """Accepted or not, kept or broken; what is refused or broken is collected as usual."""
    return _outcome(situation, start, terms(situation))


def without_ban(situation: Situation) -> Floats:
    """Worth before tax of the best offer today, if this holder might waive principal too (n,), fen.

    Beside the lawful offers those are tried that waive all interest and fees and a part of the principal.
    """
    best = _outcome(situation, 0, terms(situation)).pv
    for row in situation.market.table("restructure/principal_waivers", situation.as_of)[1:]:
        best = np.maximum(best, _outcome(situation, 0, _tried(situation, level=1.0, cut=row[0])).pv)
    return best


def responses(situation: Situation, offered: Terms) -> tuple[Floats, Floats]:
    """Chance that terms are accepted, and a month's chance that they are broken (n,), by METHODS 7.2.

    A lower payment moves those who lack cash, a waiver those who owe too much; nobody keeps what cannot be borne.
    """
    who, claim = means(situation), np.maximum(situation.claim, 1.0)
    given = (offered.waived_interest + offered.waived_fees + offered.waived_principal) / claim
    ratio = np.log(np.maximum(offered.instalment, 1) / who.bearable)
    lower, higher = np.minimum(ratio, 0.0), np.maximum(ratio, 0.0)
    figure = situation.number
    moves = figure("restructure/payment_elasticity") * (who.liquidity * lower + higher)
    moves -= figure("restructure/writedown_effect") * who.over_indebted * given
    own = situation.terms_broken
    usual = figure("channels/terms_broken") if own is None else own
    broken = np.minimum(usual * np.exp(moves), _MOST_BROKEN)
    base = situation.by_word("contact_status", "channels/offer_accepted")
    with np.errstate(divide="ignore"):
        odds = np.log(base / (1.0 - base))
    odds -= figure("restructure/accept_payment") * (who.liquidity * lower + higher)
    odds += figure("restructure/accept_writedown") * who.over_indebted * given
    accepted: Floats = who.moved / (1.0 + np.exp(-odds))
    return accepted, broken


def _outcome(situation: Situation, start: int, offered: Terms) -> Outcome:
    usual = situation.collected
    accepted, broken = responses(situation, offered)
    left = situation.owed_after(start)
    later = (1.0 + situation.rate) ** (-start / 12.0)
    net = 1.0 - situation.commission
    sold_pv, sold = situation.court_later
    after_pv = (usual.pv - usual.pv_until(start)) * net + sold_pv
    after_cash = usual.cash - usual.cash_until(start) + sold
    owed = np.maximum(left * situation.claim, 1.0)
    each = offered.instalment * left
    monthly = (1.0 + situation.rate) ** (-1.0 / 12.0)
    wait = monthly**offered.grace
    paid_pv, broken_pv, _ = kept(offered.instalments, broken, monthly)
    paid, fails, months = kept(offered.instalments, broken, 1.0)
    kept_pv = wait * each * (paid_pv + broken_pv * after_pv / (later * owed))
    broken_cash = each * fails * after_cash / owed
    kept_cash = each * paid + broken_cash
    hours = np.full(len(owed), situation.number("channels/offer_hours"))
    effort = hours * situation.number("channels/call_hour_cost")
    pv = usual.pv_until(start) * net + accepted * later * kept_pv + (1.0 - accepted) * after_pv
    cash = usual.cash_until(start) + accepted * kept_cash + (1.0 - accepted) * after_cash
    agency = situation.commission * (
        usual.cash_until(start) + (1.0 - accepted) * after_cash + accepted * broken_cash
    )
    plan_months = start + offered.grace + months
    return Outcome(
        pv=pv - later * effort,
        cash=cash,
        cost=agency + effort,
        months=accepted * plan_months + (1.0 - accepted) * usual.mean_month,
        uses={"call_hours": hours, "restructure_offers": np.ones(len(owed))},
    )


def kept(count: Ints, broken: Floats, monthly: float) -> tuple[Floats, Floats, Floats]:
    """Terms of equal instalments that are kept until broken, a month's chance of which is `broken` (n,), for each
    yuan of the instalment: worth of what is paid, worth of what is still owed at a break, mean month of what is paid.

    With q = 1 - broken and a factor v a month, the paid part is the sum of (q v)^m, m = 1 to n; what is owed at a
    break in month m is (n - m + 1), worth v^(m-1), and the break comes with q^(m-1) broken.
    """
    n, x = count.astype(np.float64), (1.0 - broken) * monthly
    near = 1.0 - x < 1e-9
    gap = np.where(near, 1.0, 1.0 - x)
    power = x**n
    whole = np.where(near, n, (1.0 - power) / gap)
    owed = np.where(near, n * (n + 1.0) / 2.0, (n - x * whole) / gap)
    weighted = np.where(near, n * (n + 1.0) / 2.0, x * (whole - n * power) / gap)
    paid = x * whole
    mean = np.divide(weighted, np.where(near, n, paid), out=np.zeros_like(n), where=paid > 0)
    return paid, broken * owed, mean
