"""Offers, demands, claims for the court, notices of assignment, to print; nobody is named whom the tape does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import polars as pl

from arrears.channels import AMCS, Situation
from arrears.conduct import limits
from arrears.handover.court_words import court_words
from arrears.handover.room import first
from arrears.handover.sentences import ENFORCED, PENDING, sentences
from arrears.handover.template import FIELDS, Template, bundled, pages
from arrears.tape.columns import WORDS

MOST = 2_000
_MONEY = (
    "claim",
    "principal",
    "interest",
    "fees",
    "fee",
    "half_fee",
    "waived_interest",
    "waived_fees",
    "waived_principal",
    "instalment",
    "last_instalment",
    "to_pay",
)
_DATES = (
    "as_of",
    "answer_by",
    "limitation_ends",
    "origination_date",
    "maturity_date",
    "last_payment_date",
    "judgment_date",
    "past_due_since",
)
_UNKNOWN = {"zh": "未知", "en": "not known"}
# In a paper for the court a gap is filled in by hand, from the bank's own file.
_GAP = "______________"
# Who has bought the claim is paid by its own account, and not where the contract says.
_PAY_BUYER = {
    "zh": "存入债权转让通知所载的账户",
    "en": "to the account that the notice of assignment names",
}
_PAY_APP = {
    "zh": "存入贷款合同约定的账户，或通过我们的手机应用",
    "en": "to the account that your loan contract names, or in our app",
}
_PAY_BANK = {
    "zh": "存入贷款合同约定的账户、通过我们的手机应用，或前往我们的任一网点",
    "en": "to the account that your loan contract names, in our app, or at any of our branches",
}
_NUMBER = {"zh": "贷款合同所载的电话", "en": "the number in your loan contract"}
_COURT = {"zh": "有管辖权的人民法院", "en": "the people's court in charge"}
_WAIVER = {"zh": "减免{}；", "en": "We waive {}. "}
_WAIVED = {
    "zh": {"interest": "利息 {}", "fees": "费用 {}", "principal": "本金 {}"},
    "en": {
        "interest": "{} of the interest",
        "fees": "{} of the fees",
        "principal": "{} of the principal",
    },
}
_NO_BRANCHES = ("consumer_finance", "fintech")
_BESIDE = ("security", "legal_status")
_AND = {"zh": "、", "en": " and "}
_HOURS = {
    "zh": "{0}之前和{1}之后，我们不会与您联系。",
    "en": "Nobody calls you before {0} or after {1}.",
}


def offer_letters(
    offers: pl.DataFrame, situation: Situation, own: Template | None, most: int | None
) -> str:
    """The letters of `offers.csv`, by branch, the largest claims first.

    Args:
        own: a letter that the holder wrote, instead of ours.
        most: at most so many; None for all.
    """
    rows = (
        _with_loans(offers, situation)
        .with_columns(
            to_pay=pl.col("claim")
            - pl.sum_horizontal("waived_interest", "waived_fees", "waived_principal"),
            first_month=pl.col("grace_months") + 1,
        )
        .with_columns(last_instalment=last_instalment())
    )
    rows = first(rows, most).sort("branch", "loan_id", nulls_last=True)
    letter = (own,) if own else bundled("offer")
    return _document("Offers of new terms", rows, situation, letter)


def last_instalment() -> pl.Expr:
    """What the others leave of what is to be paid, of `to_pay, instalments, instalment`."""
    return pl.col("to_pay") - (pl.col("instalments") - 1) * pl.col("instalment")


def demands(asked: pl.DataFrame, situation: Situation, most: int | None) -> str:
    """A demand for payment with a receipt to sign for each loan, by branch, the largest claims first.

    Args:
        asked: `loan_id, limitation_ends` of the loans whose borrowers are sent one.
    """
    rows = _with_loans(asked, situation).with_columns(
        past_due_since=pl.col("as_of") - pl.duration(days=pl.col("days_past_due"))
    )
    rows = first(rows, most).sort("branch", "loan_id", nulls_last=True)
    return _document("Demands for payment", rows, situation, bundled("demand"), gap=_GAP)


def claims(filings: pl.DataFrame, situation: Situation, most: int | None) -> str:
    """What to hand in for `filings.csv`, by court, in the order of their priority: a claim, before it an application
    for mediation where there is somebody to agree with; or with a judgment or a mediation in hand an application for
    enforcement. A case that is filed and not decided needs no paper.
    """
    # Where the tape names no court the queue is that of a province, which is no court to write to.
    queued = filings.rename({"court": "queue"}).drop("claim", "legal_status", strict=False)
    rows = _with_loans(queued, situation)
    rows = rows.filter(pl.col("legal_status").fill_null("not_sued") != PENDING)
    kept = first(rows, most, by="priority", falling=False).sort(
        "queue", "priority", nulls_last=True
    )
    halved = situation.rulebook.number("cn/court/summary_halving", situation.as_of)
    kept = kept.with_columns(
        other=pl.col("legal_status").is_in(ENFORCED).fill_null(False),
        half_fee=(pl.col("fee") * halved + 0.5).floor().cast(pl.Int64),
    )
    papers = bundled("filing"), bundled("enforcement"), bundled("mediation")
    return _document(
        "Claims", kept, situation, papers[0], other=papers[1], before=papers[2], gap=_GAP
    )


def assignments(rows: pl.DataFrame, situation: Situation, most: int | None) -> str:
    """A notice of assignment for each loan of a package (Civil Code 546); buyer and day are left open."""
    kept = first(_with_loans(rows.select("loan_id"), situation), most)
    kept = kept.sort("claim", "loan_id", descending=[True, False])
    return _document("Notices of assignment", kept, situation, bundled("assignment"))


def _with_loans(rows: pl.DataFrame, situation: Situation) -> pl.DataFrame:
    loans = situation.loans.with_columns(
        claim=pl.Series(situation.claim.astype("int64")), as_of=pl.lit(situation.as_of)
    )
    names = [
        name for name in (*FIELDS, *_BESIDE) if name in loans.columns and name not in rows.columns
    ]
    return rows.join(loans.select("loan_id", *names), on="loan_id", how="left")


def _document(
    title: str,
    rows: pl.DataFrame,
    situation: Situation,
    letter: tuple[Template, ...],
    *,
    other: tuple[Template, ...] = (),
    before: tuple[Template, ...] = (),
    gap: str = "",
) -> str:
    """A letter for each row; the `other` one where the column of that name says so.

    Args:
        before: goes before it where the column `mediation` says so.
        gap: what stands for the unknown, instead of a word for it.
    """
    days = int(situation.number("channels/offer_open_days"))
    told = rows.with_columns(answer_by=pl.lit(situation.as_of + timedelta(days=days)))
    fields = _fields(told, situation, gap)
    made = fields.select(_article(letter)).to_series()
    if other:
        made = made.zip_with(~rows["other"], fields.select(_article(other)).to_series())
    if before:
        ahead = pl.when(rows["mediation"]).then(_article(before)).otherwise(pl.lit(""))
        made = fields.select(ahead).to_series() + made
    return pages(title, made)


def _article(letter: tuple[Template, ...]) -> pl.Expr:
    sheets = (template.html() for template in letter)
    return pl.concat_str(pl.lit("<article>"), *sheets, pl.lit("</article>"))


def _fields(rows: pl.DataFrame, situation: Situation, gap: str) -> pl.DataFrame:
    """The fields of each letter in both languages, `language/field`, safe to print; what a letter of this kind does
    not have stays empty.
    """
    rule = limits(situation.rulebook, situation.as_of)
    found: dict[str, pl.Expr] = {}
    for language, hours in _HOURS.items():
        unknown = gap or _UNKNOWN[language]
        told = {name: _told(name, rows, language, unknown) for name in FIELDS}
        told["hours"] = pl.lit(
            hours.format(rule.not_before, rule.not_after) if rule.not_before else ""
        )
        told["waiver"] = _waiver(told, rows, language)
        told["holder"] = _holder(situation, told["lender"], gap)
        told["phone"] = pl.lit(situation.holder.service_phone or _NUMBER[language])
        told["ways_to_pay"] = pl.lit(_ways_to_pay(situation.holder.kind)[language])
        told |= sentences(rows, situation, told, language)
        told |= court_words(situation, language)
        found |= {f"{language}/{name}": _safe(text) for name, text in told.items()}
    return rows.select(**found)


def _holder(situation: Situation, lender: pl.Expr, gap: str) -> pl.Expr:
    """Who asks and signs: where no file names the holder the lender, but who has bought the claim has not lent it."""
    name = situation.holder.name
    if name is None and gap and situation.holder.kind in AMCS:
        name = gap
    return lender if name is None else pl.lit(name)


def _ways_to_pay(kind: str) -> Mapping[str, str]:
    if kind in AMCS:
        return _PAY_BUYER
    return _PAY_APP if kind in _NO_BRANCHES else _PAY_BANK


def _safe(text: pl.Expr) -> pl.Expr:
    """As `html.escape` does."""
    for sign, word in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#x27;"),
    ):
        text = text.str.replace_all(sign, word, literal=True)
    return text


def _waiver(told: Mapping[str, pl.Expr], rows: pl.DataFrame, language: str) -> pl.Expr:
    """What is waived, part by part; nothing is not spoken of."""
    parts = [
        pl.when(pl.col(f"waived_{part}") != 0).then(pl.format(words, told[f"waived_{part}"]))
        for part, words in _WAIVED[language].items()
        if f"waived_{part}" in rows.columns
    ]
    if not parts:
        return pl.lit("")
    listed = pl.concat_str(parts, separator=_AND[language], ignore_nulls=True)
    return pl.when(listed != "").then(pl.format(_WAIVER[language], listed)).otherwise(pl.lit(""))


def _told(name: str, rows: pl.DataFrame, language: str, unknown: str) -> pl.Expr:
    """A field in words; what is not known is said to be."""
    known = name in rows.columns
    missing = pl.lit(unknown if known else "")
    if name == "branch":
        lender = pl.col("lender").replace("", None) if "lender" in rows.columns else pl.lit(None)
        missing = pl.coalesce(lender, pl.lit(unknown))
    if name == "court":
        missing = pl.lit(_COURT[language])
    return pl.coalesce(_SAY.get(name, _plain)(rows[name], language), missing) if known else missing


def _plain(column: pl.Series, language: str) -> pl.Expr:  # noqa: ARG001 - the same in every language
    return pl.lit(column.cast(pl.String))


def _sum(column: pl.Series, language: str) -> pl.Expr:
    unit = "元" if language == "zh" else " yuan"
    return pl.lit(
        pl.Series(
            [None if fen is None else f"{fen / 100:,.2f}{unit}" for fen in column], dtype=pl.String
        )
    )


def _day(column: pl.Series, language: str) -> pl.Expr:
    day = pl.lit(column)
    return day.dt.to_string("%Y年%-m月%-d日" if language == "zh" else "%Y-%m-%d")


def _count(column: pl.Series, language: str) -> pl.Expr:  # noqa: ARG001 - the same in every language
    told = [None if number is None else f"{number:,}" for number in column]
    return pl.lit(pl.Series(told, dtype=pl.String))


def _product(column: pl.Series, language: str) -> pl.Expr:
    if language == "zh":
        return pl.lit(column.replace_strict(WORDS["product"], return_dtype=pl.String))
    return pl.lit(column.str.replace_all("_", " "))


_SAY: dict[str, Callable[[pl.Series, str], pl.Expr]] = {
    **dict.fromkeys(_MONEY, _sum),
    **dict.fromkeys(_DATES, _day),
    "days_past_due": _count,
    "product": _product,
}
