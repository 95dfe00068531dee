"""Sentences that a letter holds only where they are true of its loan; each empty elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from arrears.channels import AMCS, Situation
from arrears.handover.court_words import article_named, limitation_law, mediation

_Until = Callable[[str, pl.Expr], pl.Expr]
# Who has a judgment or a mediation in hand asks for enforcement; a case that is filed waits for the court.
ENFORCED, PENDING = ("mediated", "judged", "enforcing", "terminated"), "filed"
_DAYS = {"zh": "%Y年%-m月%-d日", "en": "%Y-%m-%d"}
_UNDER_WAY = ("enforcing", "terminated")
_CARD_TERMS = "cn/instalments/card_no_new_card"

_APPLICATION = {
    "zh": {"enforcing": "继续执行申请书", "terminated": "恢复执行申请书"},
    "en": {
        "enforcing": "Application to go on with enforcement",
        "terminated": "Application to resume enforcement",
    },
}
_FIRST = {"zh": "强制执行申请书", "en": "Application for enforcement"}
_STATE = {
    "zh": {
        "enforcing": "案件正在执行，请求继续执行。",
        "terminated": "案件已终结本次执行程序，请求恢复执行；财产线索由申请执行人根据自有档案填写。",
    },
    "en": {
        "enforcing": " The case is being enforced; please go on with it.",
        "terminated": " This round of enforcement was closed; please resume it. What is known of property is entered "
        "from the applicant's own file.",
    },
}
_TIME = {"zh": "申请执行期限届满日：{}。", "en": " The time to apply ends on {}."}
_LIMITATION = {"zh": "诉讼时效届满日：{}{}。", "en": " Limitation ends on {}{}."}
_EARLY = {
    "zh": "贷款期限尚未届满，原告依合同约定宣布全部贷款提前到期。",
    "en": " Its term has not ended; the claimant calls in the whole loan, as the contract allows.",
}
_OF_COLLATERAL = {
    "zh": "；四、原告就{}折价或者拍卖、变卖所得的价款优先受偿",
    "en": "; 4. to be paid first out of what the {} brings",
}
_COLLATERAL = {
    "zh": {"home": "抵押房产", "vehicle": "抵押车辆", "other": "担保物"},
    "en": {"home": "mortgaged home", "vehicle": "mortgaged vehicle", "other": "collateral"},
}
_GUARANTEE = {
    "zh": "；四、保证人依保证合同承担保证责任",
    "en": "; 4. the guarantor to answer as the guarantee says",
}
_GUARANTOR = {"zh": "及保证人", "en": " and the guarantor"}
_PRIVACY = {
    "zh": "我们不会与其他任何人谈论您的贷款。",
    "en": "We speak with nobody else about your loan.",
}
_PRIVACY_BUT_GUARANTOR = {
    "zh": "除您和您的保证人外，我们不会与任何人谈论您的贷款。",
    "en": "We speak with nobody but you and your guarantor about your loan.",
}
_TERM = {"zh": "，到期日 {}", "en": ", term until {}"}
_HANDLED = {"zh": "，经办网点 {}", "en": ", handled by {}"}
_YOUR_BRANCH = {"zh": "您的经办网点 {}，", "en": "your branch, {}; "}
_REPAIR = {
    "zh": "如您在{}前（含当日）还清全部逾期款项，该笔逾期信息将不再在您的征信报告中展示。",
    "en": " If you pay all that is overdue by {}, it is no longer shown in your credit record.",
}
_MATURED = {
    "zh": "贷款期限已于{}届满，全部款项均已到期。",
    "en": " Its term ended on {}, and all of it is due.",
}
_INTERRUPTS = {
    "zh": "本通知即我们对您履行还款义务的请求：依照{}，本通知送达您时，诉讼时效中断，{}年的时效期间重新计算。"
    "没有本通知，诉讼时效将于{}届满。",
    "en": " This letter is a request to perform: by law ({}) it interrupts the limitation on the day on which it "
    "reaches you, and the time of {} years starts anew. Without it the limitation ends on {}.",
}
_LIMITATION_YEARS, _RESTARTS = "cn/limitation/years", "cn/limitation/interrupts"
_REPAIR_UNTIL = "cn/credit_repair/until"
_GUARANTEED = pl.col("security") == "guarantee"
_CARD = {
    "zh": "金额均为人民币。分期款项全部还清之前，任何银行均不再向您发放信用卡；您按期还款期间，我们停止催收；"
    "如您未按期还款，未还部分立即到期，我们恢复催收。",
    "en": " All sums are in yuan. Until the instalments are paid in full you get no new credit card from any "
    "bank. While you keep to them nobody collects from you; if you do not, what is left falls due at once "
    "and we collect again.",
}


def sentences(
    rows: pl.DataFrame, situation: Situation, told: Mapping[str, pl.Expr], language: str
) -> dict[str, pl.Expr]:
    """The sentences of each row in one language, by field.

    Args:
        rows: the letters' loans, `as_of` beside them.
        told: `limitation_ends` and `maturity_date` in words, or a gap to fill.
    """
    have = set(rows.columns)
    status, empty = pl.col("legal_status"), pl.lit("")
    ahead = pl.col("limitation_ends") >= pl.col("as_of") if "limitation_ends" in have else None
    loan = (pl.col("product") != "credit_card").fill_null(True)
    runs_on = loan & (pl.col("maturity_date") > pl.col("as_of"))
    judged = pl.col("judgment_date").is_not_null() & ~status.is_in(_UNDER_WAY).fill_null(False)

    def until(words: str, holds: pl.Expr) -> pl.Expr:
        # A paper for the court does not say that its own time has run out: filings.xlsx tells it to the one who signs.
        return (
            empty
            if ahead is None
            else _where(holds & ahead, pl.format(words, told["limitation_ends"]))
        )

    return {
        "application": status.replace_strict(_APPLICATION[language], default=_FIRST[language]),
        "state": status.replace_strict(_STATE[language], default=""),
        "time_to_apply": until(_TIME[language], judged),
        "limitation": until(_limitation(situation, language), pl.lit(value=True)),
        "interrupts": _interrupts(situation, until, language),
        "matured": _matured(language),
        # A card has no term to fill in.
        "term": _where(
            loan | pl.col("maturity_date").is_not_null(),
            pl.format(_TERM[language], told["maturity_date"]),
        ),
        "early": _where(runs_on, pl.lit(_EARLY[language])),
        "secured": _secured(language),
        "guarantor": _where(_GUARANTEED, pl.lit(_GUARANTOR[language])),
        "privacy": pl.when(_GUARANTEED.fill_null(value=False))
        .then(pl.lit(_PRIVACY_BUT_GUARANTOR[language]))
        .otherwise(pl.lit(_PRIVACY[language])),
        "handled_by": _of_branch(_HANDLED[language], situation, have),
        "your_branch": _of_branch(_YOUR_BRANCH[language], situation, have),
        "card_terms": _card(situation, language),
        "credit_repair": _repair(situation, language) if "credit_repair" in have else empty,
        "mediation": mediation(language) if "mediation" in have else empty,
    }


def _limitation(situation: Situation, language: str) -> str:
    return _LIMITATION[language].format("{}", limitation_law(situation, language))


def _where(holds: pl.Expr, words: pl.Expr) -> pl.Expr:
    return pl.when(holds.fill_null(False)).then(words).otherwise(pl.lit(""))


def _secured(language: str) -> pl.Expr:
    """What is asked for besides, of collateral or guarantor."""
    kind = pl.col("security")
    what = kind.replace_strict(_COLLATERAL[language], default=None, return_dtype=pl.String)
    of_collateral = pl.format(_OF_COLLATERAL[language], what)
    return (
        pl.when(what.is_not_null())
        .then(of_collateral)
        .when(_GUARANTEED.fill_null(value=False))
        .then(pl.lit(_GUARANTEE[language]))
        .otherwise(pl.lit(""))
    )


def _of_branch(words: str, situation: Situation, have: set[str]) -> pl.Expr:
    """That a branch has the loan in hand; nothing where the tape names none, or names that of the seller."""
    if "branch" not in have or situation.holder.kind in AMCS:
        return pl.lit("")
    return _where(pl.col("branch") != "", pl.format(words, "branch"))


def _matured(language: str) -> pl.Expr:
    """That nothing of it is still to fall due."""
    ended = pl.col("maturity_date") <= pl.col("as_of")
    return _where(ended, pl.format(_MATURED[language], _day(pl.col("maturity_date"), language)))


def _interrupts(situation: Situation, until: _Until, language: str) -> pl.Expr:
    """What a demand does by the Civil Code; nobody is sent one after a judgment."""
    book, day = situation.rulebook, situation.as_of
    named = article_named(situation, book.cite(_RESTARTS, day).article, language)
    years = int(book.number(_LIMITATION_YEARS, day))
    words = _INTERRUPTS[language].format(named, years, "{}")
    return until(words, pl.lit(value=True))


def _day(day: pl.Expr, language: str) -> pl.Expr:
    return day.dt.to_string(_DAYS[language])


def _card(situation: Situation, language: str) -> pl.Expr:
    """What an agreement on a card debt has to state (FACTS 6.2), where that rule is in force."""
    if situation.rulebook.leaf(_CARD_TERMS).in_force(situation.as_of) is None:
        return pl.lit("")
    return _where(pl.col("product") == "credit_card", pl.lit(_CARD[language]))


def _repair(situation: Situation, language: str) -> pl.Expr:
    """That paying up still hides the record, to whom it does."""
    until = situation.rulebook.value(_REPAIR_UNTIL, situation.as_of).value
    last = _day(pl.lit(until, pl.Date), language)
    return _where(pl.col("credit_repair"), pl.format(_REPAIR[language], last))
