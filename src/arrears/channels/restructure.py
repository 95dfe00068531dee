"""New terms that the borrower can meet: instalments, grace, and waivers where they are lawful."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels.situation import Floats, Situation
from arrears.channels.way import Bars, Outcome, Permit, no_pool
from arrears.core.money import FEN_A_YUAN

Ints = npt.NDArray[np.int64]
NAME = "restructure"
pool = no_pool
package = no_pool
_CARD, _CAP = "credit_card", "cn/instalments/card_max_months"
_MOST_BROKEN = 0.5
_LEAST = 10 * FEN_A_YUAN


def permit(situation: Situation, start: int) -> Permit:  # noqa: ARG001 - the same on every day
    """Unless the borrower has vanished (READINGS 6.2)."""
    bars = Bars(len(situation.claim))
    vanished = situation.says("contact_status", "vanished")
    bars.bar(vanished, "CN-READING-VANISHED", "the borrower has vanished")
    return bars.permit()


@dataclass(frozen=True)
class Terms:
    """What would be offered today (n,), fen and months.

    Attributes:
        instalment: each of them; the last one may be smaller.
        income: NaN where it is not known.
        grace: months before the first instalment.
    """

    instalments: Ints
    instalment: Ints
    waived_interest: Ints
    waived_fees: Ints
    waived_principal: Ints
    income: Floats
    grace: Ints

    @cached_property
    def share_of_income(self) -> Floats:
        """An instalment as a share of a month's income (n,); NaN where that is not known."""
        known = self.income > 0
        share: Floats = np.divide(
            self.instalment, self.income, out=np.full(len(known), np.nan), where=known
        )
        return share


@dataclass(frozen=True)
class Means:
    """What a borrower can bear, and what would move him (n,).

    Attributes:
        bearable: fen a month, for this loan.
        moved: share whom an offer may move: neither stale debtors nor those known to have the means, nor anybody where
            the loan was obtained by fraud.
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
    """What borrowers can bear: a share of their income, or of the usual one and of the last payment without it; who has
    several loans past due bears it once.
    """
    return situation.once("means", _means)


def fills(loans: pl.DataFrame) -> list[tuple[str, str, int]]:
    """What offers read in a named way because it is not told: column, rule, rows; no income at all tells none."""
    income = loans["monthly_income"]
    rule = "unknown: usual income of product and city tier, and the last payment"
    missing = {rule: income.is_null(), f"0, taken as {rule}": income <= 0}
    rows = {told: int(where.sum()) for told, where in missing.items()}
    return [("monthly_income", told, count) for told, count in rows.items() if count]


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
    bearable = (
        np.where(told, share * np.where(told, income, 1.0), guessed) * situation.part_of_means
    )
    whole = np.where(told, income, usual)
    due = situation.claim / np.maximum(situation.forecast.due.term, 12)
    pti = np.clip(due / whole / situation.number("restructure/usual_pti"), 0.5, 2.0)
    dti = situation.claim / (12.0 * whole) / situation.number("restructure/usual_dti")
    cash = situation.by_word("product", "restructure/liquidity") * pti
    debt = situation.by_word("product", "restructure/over_indebted") * np.clip(dti, 0.5, 2.0)
    stale = np.array(situation.market.table("restructure/stale", situation.as_of))
    place = np.searchsorted(stale[:, 0], situation.forecast.age, side="right") - 1
    moved = 1.0 - np.where(place >= 0, stale[np.maximum(place, 0), 1], 0.0)
    # Behind a loan obtained by fraud or a fictitious one stands nobody who could agree and mean it.
    moved = np.where(situation.flag("fraud_flag"), 0.0, moved)
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
    owed, usual = _owed(situation), _usual(situation, 0)
    for cut, level, ease in product(cuts if by_law else [0.0], levels, eases):
        if cut and level < max(levels):
            # Principal is touched only where nothing else is left to waive.
            continue
        tried = _tried(situation, owed, level=level, cut=cut, ease=ease)
        pv = _worth(situation, usual, tried, responses(situation, tried))
        better = pv > worth
        worth = np.where(better, pv, worth)
        best = tried if best is None else _either(better, tried, best)
    assert best is not None
    return best


def _either(where: npt.NDArray[np.bool_], a: Terms, b: Terms) -> Terms:
    pairs = {name: (getattr(a, name), getattr(b, name)) for name in Terms.__annotations__}
    return Terms(**{name: x if x is y else np.where(where, x, y) for name, (x, y) in pairs.items()})


@dataclass(frozen=True)
class _Owed:
    """What terms divide up, and within what bounds (n,), whatever is waived.

    Attributes:
        parts: interest, fees and principal owed.
        fewest, most: instalments.
        grace: months.
    """

    parts: dict[str, Ints]
    fewest: int
    most: Ints
    grace: Ints


def _owed(situation: Situation) -> _Owed:
    loans, book, day = situation.loans, situation.rulebook, situation.as_of
    fewest = int(situation.number("channels/fewest_instalments"))
    grace = situation.by_word("product", "restructure/grace").astype(np.int64)
    cap = situation.by_word("product", "channels/most_instalments").astype(np.int64)
    legal = book.at_or_none(_CAP, day)
    if isinstance(legal, int):
        cards = situation.says("product", _CARD)
        cap = np.where(cards, np.minimum(cap, legal - grace), cap)
    names = ("interest", "fees", "principal")
    parts = {name: loans[name].fill_null(0).to_numpy() for name in names}
    return _Owed(parts, fewest, cap, grace)


def _tried(
    situation: Situation, owed: _Owed, *, level: float, cut: float, ease: float = 1.0
) -> Terms:
    """Terms with so much of interest and fees and of principal waived, at a share of what can be borne."""
    book, day = situation.rulebook, situation.as_of

    def waived(part: str, share: float) -> Ints:
        given: Ints = np.floor(owed.parts[part] * share * situation.npl + 0.5).astype(np.int64)
        return given

    def lawful(part: str) -> float:
        return level * book.flag(f"cn/waive/{part}", day, situation.holder.kind)

    interest, fees = waived("interest", lawful("interest")), waived("fees", lawful("fees"))
    principal = waived("principal", cut)
    rest = situation.claim.astype(np.int64) - interest - fees - principal
    who = means(situation)
    bearable = np.ceil(rest / (ease * who.bearable))
    wanted = np.clip(bearable, owed.fewest, owed.most).astype(np.int64)
    # Of ten yuan and more each, what rounding leaves to the last one is always above nought.
    count = np.maximum(np.minimum(wanted, rest // _LEAST), 1)
    instalment = (rest + count // 2) // count
    return Terms(count, instalment, interest, fees, principal, who.income, owed.grace)


@dataclass(frozen=True)
class _Usual:
    """What comes without new terms, seen from the month in which they would start (n,), fen.

    Attributes:
        later: worth today of a yuan of that month.
        before: worth of what comes until then, less what collecting costs.
        after: worth of what comes from then on, less the same.
        left: share of the claim still owed then.
        owed: then, at least 1.
    """

    later: float
    before: Floats
    after: Floats
    left: Floats
    owed: Floats


def _usual(situation: Situation, start: int) -> _Usual:
    usual, net = situation.collected, 1.0 - situation.commission
    left = situation.owed_after(start)
    return _Usual(
        later=(1.0 + situation.rate) ** (-start / 12.0),
        before=usual.pv_until(start) * net,
        after=(usual.pv - usual.pv_until(start)) * net + situation.court_later[0],
        left=left,
        owed=np.maximum(left * situation.claim, 1.0),
    )


def outcome(situation: Situation, start: int) -> Outcome:
    """Accepted or not, kept or broken; what is refused or broken is collected as usual."""
    offered, collected, usual = terms(situation), situation.collected, _usual(situation, start)
    accepted, broken = situation.once("answers", lambda here: responses(here, terms(here)))
    paid, fails, months = situation.once(
        "kept", lambda here: kept(terms(here).instalments, broken, 1.0)
    )
    refused, each = 1.0 - accepted, offered.instalment * usual.left
    before = collected.cash_until(start)
    after = collected.cash - before + situation.court_later[1]
    broken_cash = each * fails * after / usual.owed
    unmoved = refused * after
    hours = situation.number("channels/offer_hours")
    agency = situation.commission * (before + unmoved + accepted * broken_cash)
    plan_months = start + offered.grace + months
    return Outcome(
        pv=_worth(situation, usual, offered, (accepted, broken)),
        cash=before + accepted * (each * paid + broken_cash) + unmoved,
        cost=agency + hours * situation.number("channels/call_hour_cost"),
        months=accepted * plan_months + refused * collected.mean_month,
        uses={"call_hours": situation.each(hours), "restructure_offers": situation.each(1.0)},
    )


def _worth(
    situation: Situation, usual: _Usual, offered: Terms, answers: tuple[Floats, Floats]
) -> Floats:
    """Present value of terms, less what it takes to agree on them (n,).

    Args:
        answers: chances that they are accepted, and in a month broken.
    """
    accepted, broken = answers
    monthly = (1.0 + situation.rate) ** (-1.0 / 12.0)
    effort = situation.number("channels/offer_hours") * situation.number("channels/call_hour_cost")
    paid, fails, _ = kept(offered.instalments, broken, monthly)
    each = monthly**offered.grace * (offered.instalment * usual.left)
    pv = each * (paid + fails * usual.after / (usual.later * usual.owed))
    worth: Floats = usual.before + accepted * usual.later * pv + (1.0 - accepted) * usual.after
    return worth - usual.later * effort


def without_ban(situation: Situation) -> Floats:
    """Worth before tax of the best offer today, if this holder might waive principal too (n,), fen.

    Beside the lawful offers those are tried that waive all interest and fees and a part of the principal.
    """
    owed, usual = _owed(situation), _usual(situation, 0)
    lawful = terms(situation)
    best = _worth(situation, usual, lawful, responses(situation, lawful))
    for row in situation.market.table("restructure/principal_waivers", situation.as_of)[1:]:
        tried = _tried(situation, owed, level=1.0, cut=row[0])
        best = np.maximum(best, _worth(situation, usual, tried, responses(situation, tried)))
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
    odds = situation.once("odds_of_acceptance", _odds_of_acceptance)
    odds = odds - figure("restructure/accept_payment") * (who.liquidity * lower + higher)
    odds += figure("restructure/accept_writedown") * who.over_indebted * given
    accepted: Floats = who.moved / (1.0 + np.exp(-odds))
    return accepted, broken


def _odds_of_acceptance(situation: Situation) -> Floats:
    """Logarithm of the odds that usual terms are accepted (n,)."""
    base = situation.by_word("contact_status", "channels/offer_accepted")
    with np.errstate(divide="ignore"):
        odds: Floats = np.log(base / (1.0 - base))
    return odds


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
