"""What a paper for the court says of the law and of the claim, each only where it is true of its loan."""

from __future__ import annotations

import polars as pl

from arrears.channels import AMCS, Situation

_HALVING, _FEE = "cn/court/summary_halving", "cn/court/filing_fee"
_YEARS, _TOLD, _CARD_MOST = (
    "cn/limitation/years",
    "cn/transfer/debtor_notice",
    "cn/instalments/card_max_months",
)
_PARENTHESES = {"zh": "（{}）", "en": " ({})"}
_MEDIATION = {
    "zh": "原告申请先行调解，调解申请书随本诉状一并提交。",
    "en": " The claimant asks for mediation first; the application goes with this claim.",
}
_AT_MOST = {"zh": "（最多 {} 期）", "en": ", {} at most"}
_SELLER = {"zh": "自{}", "en": " by {}"}
_ASSIGNED = {
    "zh": "本债权系{}受让取得，债务人已于______________收到债权转让通知{}，通知及送达证明见附件。",
    "en": " The claim was assigned to the claimant{}; the borrower was notified of it on ______________{}, notice and "
    "proof of delivery are enclosed.",
}


def court_words(situation: Situation, language: str) -> dict[str, pl.Expr]:
    """The sentences of each row in one language, by field; rows with `mediation`, where they are for the court."""
    laws = {"fee_law": _FEE, "half_law": _HALVING}
    return {
        **{field: pl.lit(law(situation, path, language)) for field, path in laws.items()},
        "assigned": _assigned(situation, language),
        "at_most": _at_most(situation, language),
    }


def mediation(language: str) -> pl.Expr:
    """That mediation is asked for, of `mediation`."""
    return pl.when(pl.col("mediation")).then(pl.lit(_MEDIATION[language])).otherwise(pl.lit(""))


def limitation_law(situation: Situation, language: str) -> str:
    """The articles that a limitation rests on."""
    return law(situation, _YEARS, language)


def law(situation: Situation, path: str, language: str) -> str:
    """The article of a rule, in parentheses; nothing where it was not read in a source, or is not yet in force."""
    book, day = situation.rulebook, situation.as_of
    value = book.leaf(path).in_force(day)
    if value is None or not value.verified:
        return ""
    return _PARENTHESES[language].format(article_named(situation, value.article, language))


def article_named(situation: Situation, code: str, language: str) -> str:
    """An article in words that a sentence may be filled with."""
    article = situation.rulebook.articles[code]
    named = article.chinese if language == "zh" else article.title
    return named.replace("{", "").replace("}", "")


def _assigned(situation: Situation, language: str) -> pl.Expr:
    """How the claim came to a holder that has bought it, of `lender`, who has sold it where it is another."""
    if situation.holder.kind not in AMCS:
        return pl.lit("")
    name, told = situation.holder.name, law(situation, _TOLD, language)
    seller = pl.format(_SELLER[language], "lender")
    other = pl.lit(name is not None) & (pl.col("lender") != pl.lit(name or ""))
    whose = pl.when(other.fill_null(value=False)).then(seller).otherwise(pl.lit(""))
    return pl.format(_ASSIGNED[language].format("{}", told), whose)


def _at_most(situation: Situation, language: str) -> pl.Expr:
    """How many instalments a card debt may be agreed in (FACTS 6.2)."""
    most = situation.rulebook.leaf(_CARD_MOST).in_force(situation.as_of)
    if most is None:
        return pl.lit("")
    card = (pl.col("product") == "credit_card").fill_null(False)
    words = pl.lit(_AT_MOST[language].format(most.value))
    return pl.when(card).then(words).otherwise(pl.lit(""))
