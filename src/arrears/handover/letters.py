"""Offers, claims for the court and notices of assignment, to print; nobody is named whom the tape does not name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta

import polars as pl

from arrears.channels import Situation
from arrears.conduct import limits
from arrears.handover.template import FIELDS, Template, bundled, pages
from arrears.tape.columns import WORDS

MOST = 2_000
_MONEY = (
    "claim",
    "principal",
    "interest",
    "fees",
    "fee",
    "waived_interest",
    "waived_fees",
    "waived_principal",
    "instalment",
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
)
# Who has a judgment or a mediation in hand asks for enforcement; a case that is filed waits for the court.
_ENFORCED, _PENDING = ("mediated", "judged", "enforcing", "terminated"), "filed"
_UNKNOWN = {"zh": "未知", "en": "not known"}
_COURT = {"zh": "有管辖权的人民法院", "en": "the people's court in charge"}
_WAIVER = {"zh": "减免{0}；", "en": "We waive {0}. "}
_WAIVED = {
    "zh": {"interest": "利息 {0}", "fees": "费用 {0}", "principal": "本金 {0}"},
    "en": {
        "interest": "{0} of the interest",
        "fees": "{0} of the fees",
        "principal": "{0} of the principal",
    },
}
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
    rows = _with_loans(offers, situation).with_columns(
        to_pay=pl.col("claim")
        - pl.sum_horizontal("waived_interest", "waived_fees", "waived_principal"),
        first_month=pl.col("grace_months") + 1,
    )
    rows = _first(rows, most).sort("branch", "loan_id", nulls_last=True)
    papers = [(own,) if own else bundled("offer")] * rows.height
    return _document("Offers of new terms", rows, situation, papers)


def claims(filings: pl.DataFrame, situation: Situation, most: int | None) -> str:
    """What to hand in for `filings.csv`, by court, in the order of their priority: a claim, or with a judgment or a
    mediation in hand an application for enforcement. A case that is filed and not decided needs no paper.
    """
    status = situation.loans.select("loan_id", "legal_status")
    rows = _with_loans(filings.drop("claim"), situation).join(status, on="loan_id", how="left")
    rows = rows.filter(pl.col("legal_status").fill_null("not_sued") != _PENDING)
    kept = rows if most is None else rows.sort("priority").head(most)
    kept = kept.sort("court", "priority", nulls_last=True)
    claim, enforced = bundled("filing"), bundled("enforcement")
    papers = [enforced if word in _ENFORCED else claim for word in kept["legal_status"]]
    return _document("Claims", kept, situation, papers)


def assignments(rows: pl.DataFrame, situation: Situation, most: int | None) -> str:
    """A notice of assignment for each loan of a package (Civil Code 546); buyer and day are left open."""
    known = _with_loans(rows.select("loan_id"), situation)
    kept = _first(known, most)
    return _document(
        "Notices of assignment", kept, situation, [bundled("assignment")] * kept.height
    )


def _first(rows: pl.DataFrame, most: int | None) -> pl.DataFrame:
    ordered = rows.sort("claim", "loan_id", descending=[True, False])
    return ordered if most is None else ordered.head(most)


def _with_loans(rows: pl.DataFrame, situation: Situation) -> pl.DataFrame:
    loans = situation.loans.with_columns(
        claim=pl.Series(situation.claim.astype("int64")), as_of=pl.lit(situation.as_of)
    )
    names = [name for name in FIELDS if name in loans.columns and name not in rows.columns]
    return rows.join(loans.select("loan_id", *names), on="loan_id", how="left")


def _document(
    title: str,
    rows: pl.DataFrame,
    situation: Situation,
    templates: Sequence[tuple[Template, ...]],
) -> str:
    days = int(situation.number("channels/offer_open_days"))
    until = situation.as_of + timedelta(days=days)
    told = rows.with_columns(answer_by=pl.lit(until))
    return pages(title, zip(_fields(told, situation), templates, strict=True))


def _fields(rows: pl.DataFrame, situation: Situation) -> Iterator[Mapping[str, str]]:
    """The fields of each letter in both languages; what a letter of this kind does not have stays empty."""
    rule = limits(situation.rulebook, situation.as_of)
    hours = (rule.not_before, rule.not_after)
    always = {
        f"{language}/hours": text.format(*hours) if rule.not_before else ""
        for language, text in _HOURS.items()
    }
    for row in rows.iter_rows(named=True):
        found = dict(always)
        for language in _UNKNOWN:
            for name in FIELDS:
                if name not in {"hours", "waiver"}:
                    found[f"{language}/{name}"] = _told(name, row, language)
            found[f"{language}/waiver"] = _waiver(found, row, language)
        yield found


def _waiver(found: Mapping[str, str], row: Mapping[str, object], language: str) -> str:
    """What is waived, part by part; nothing is not spoken of."""
    parts = [
        words.format(found[f"{language}/waived_{part}"])
        for part, words in _WAIVED[language].items()
        if row.get(f"waived_{part}")
    ]
    return _WAIVER[language].format(_AND[language].join(parts)) if parts else ""


def _told(name: str, row: Mapping[str, object], language: str) -> str:
    value = row.get(name)
    if value is None:
        if name == "branch":
            return str(row.get("lender") or _UNKNOWN[language])
        if name == "court":
            return _COURT[language]
        return "" if name not in row else _UNKNOWN[language]
    return _SAY.get(name, _plain)(value, language)


def _plain(value: object, language: str) -> str:  # noqa: ARG001 - the same in every language
    return str(value)


def _sum(value: object, language: str) -> str:
    fen = int(str(value))
    return f"{fen / 100:,.2f}{'元' if language == 'zh' else ' yuan'}"


def _day(value: object, language: str) -> str:
    assert isinstance(value, date)
    if language == "zh":
        return f"{value.year}年{value.month}月{value.day}日"
    return value.isoformat()


def _product(value: object, language: str) -> str:
    return WORDS["product"][str(value)] if language == "zh" else str(value).replace("_", " ")


_SAY: dict[str, Callable[[object, str], str]] = {
    **dict.fromkeys(_MONEY, _sum),
    **dict.fromkeys(_DATES, _day),
    "product": _product,
}
