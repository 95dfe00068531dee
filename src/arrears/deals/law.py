"""Whether the parties of a deal may do what they do, by the rulebook on the closing date."""

from __future__ import annotations

from collections.abc import Iterator

from arrears.deals.deal import Deal
from arrears.rules import Rulebook, load

Fault = tuple[str, tuple[str | int, ...], str, str]


def permissions(deal: Deal, rulebook: Rulebook | None = None) -> Iterator[Fault]:
    """Faults of law: who issues, who invests, what is mixed (FACTS 4, 5; READINGS 4, 5, Holder).

    A deal that names no originator is not asked who he is.
    """
    book = rulebook or load("cn")
    yield from _originator(deal, book)
    if deal.kind != "income_rights":
        return
    opens = book.day_of("cn/income_rights/from", deal.closing_date)
    day = max(opens, deal.closing_date)
    if deal.closing_date < opens:
        text = f"Income rights may be transferred from {opens} on."
        yield "DEAL-TOO-EARLY", ("closing_date",), text, "Choose a later closing date."
    if deal.pool == "mixed" and not book.flag("cn/income_rights/mixing_allowed", day):
        text = "Performing and non-performing loans may not share a package (CN-INCOME-2016-82)."
        yield "DEAL-POOL-MIXED", ("pool",), text, "Make two deals of it."
    if deal.investors == "anyone" and book.flag("cn/income_rights/institutions_only", day):
        text = "Income rights go to qualified institutions only (CN-INCOME-2016-82)."
        yield "DEAL-INVESTORS", ("investors",), text, "Write investors: institutions."


def _originator(deal: Deal, book: Rulebook) -> Iterator[Fault]:
    who = deal.parties.originator
    if who is None or (who.kind is None and who.licence is None):
        return
    path, what = "cn/securitise/originator_kinds", "issue bad-loan securities (CN-ABS-ORIGINATOR)"
    if deal.kind == "income_rights":
        path, what = "cn/income_rights/seller_kinds", "transfer income rights (CN-INCOME-2016-82)"
    elif deal.pool == "performing":
        return
    opens = book.day_of("cn/income_rights/from", deal.closing_date)
    kinds = book.words(path, max(deal.closing_date, opens))
    may = who.licence if who.licence is not None and deal.kind == "securities" else None
    if may is False or (may is None and who.kind not in kinds):
        named = (who.kind or "the originator").replace("_", " ")
        fix = f"Kinds that may: {', '.join(kinds)}; or licence: true where it has one."
        place = ("parties", "originator")
        yield "DEAL-ORIGINATOR", place, f"A {named} may not {what}.", fix
