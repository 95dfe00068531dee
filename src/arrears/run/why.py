"""Why a way out is open to a loan or closed: the facts, the article, and the values of the rulebook that decide it."""

from __future__ import annotations

from datetime import date

from arrears import channels
from arrears.channels.way import Permit
from arrears.standing import Step

_TRANSFER = "cn/transfer/"
_OPEN = {
    "collect": ("", (), "whoever holds a loan may ask for it"),
    "restructure": ("", (), "the borrower can be spoken with"),
    "litigate": ("CN-CIVIL-CODE-188", (), "past due and not ended"),
    "transfer": (
        "CN-PILOT-2021-26",
        ("eligible_products", "excluded_security", "reported_classes"),
        "reported as non-performing, without collateral, no bar, by a seller of the pilot",
    ),
    "securitise": (
        "CN-ABS-POOL",
        ("reported_classes",),
        "reported as non-performing, by an originator",
    ),
    "income_rights": (
        "CN-INCOME-2016-82",
        ("from", "seller_kinds"),
        "banks and consumer finance, every loan; no capital is freed",
    ),
}


def step(situation: channels.Situation, channel: str, permit: Permit) -> Step:
    """Whether one loan may take a way today, and why."""
    if permit.eligible[0]:
        return _open(situation, channel)
    bar = permit.bars[int(permit.blocked[0])]
    reason = bar.reason
    if permit.after_reclass[0]:
        reason += "; it could, if reported as the rules class it"
    return Step(f"eligible:{channel}", bar.article, reason, False, bar.rests)


def _open(situation: channels.Situation, channel: str) -> Step:
    article, leaves, words = _OPEN[channel]
    paths = [f"cn/{channel}/{leaf}" for leaf in leaves]
    loan = situation.loans.row(0, named=True)
    if channel == "transfer":
        article, words, more = _sold(situation, loan, article, words)
        paths += more
    if channel == "litigate" and situation.limitation_passed[0]:
        words += "; the limitation has passed, but a court does not raise it by itself"
        paths.append("cn/limitation/court_raises_it")
    if channel == "securitise" and situation.holder.securities_originator is None:
        article += ", CN-ABS-ORIGINATOR"
        paths.append("cn/securitise/originator_kinds")
    security, reported = (loan[name] or "not told" for name in ("security", "reported_class"))
    facts = f"{loan['product']}, security {security}, reported {reported}, {situation.holder.kind}"
    told = f"{words} ({facts})"
    return Step(f"eligible:{channel}", article, told, True, tuple(paths))


def _sold(
    situation: channels.Situation, loan: dict[str, object], article: str, words: str
) -> tuple[str, str, list[str]]:
    """Article, words and further values of a sale: whose batch, a guarantee, and whether the term has ended."""
    book, day, kind = situation.rulebook, situation.as_of, situation.holder.kind
    paths = []
    if kind in book.words(_TRANSFER + "sellers_batch1", day):
        paths.append(_TRANSFER + "sellers_batch1")
    else:
        article = "CN-PILOT-2022-1191"
        paths += [_TRANSFER + "sellers_batch2"]
        if kind in book.words(_TRANSFER + "sellers_batch2_by_province", day):
            paths = [_TRANSFER + "sellers_batch2_by_province", _TRANSFER + "batch2_provinces"]
    if loan["security"] == "guarantee":
        paths.append(_TRANSFER + "guarantee_bars")
    until = book.at_or_none(_TRANSFER + "term_until", day)
    if isinstance(until, date) and day > until:
        article = book.cite(_TRANSFER + "term_until", day).article
        words = f"term ended, business continues until a successor policy; {words}"
        paths.append(_TRANSFER + "term_until")
    return article, words, paths
