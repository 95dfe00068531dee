"""What each way of the plan brings and books, what steps to collect add, and what a ban of the law costs."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import cast

from arrears.channels import WAYS
from arrears.report import figures
from arrears.report.contents import Contents
from arrears.report.parts import paragraph, table

_NAMES = {"plan": "the plan", "write_off": "written off now"}


def section(contents: Contents) -> str:
    """Worth, profit of today and of five years, ratios by way; the ban on waiving principal; the steps to collect."""
    whole = contents.outcomes.filter(way="plan").row(0, named=True)
    title = (
        f"The plan books {figures.money(whole['profit_now'])} today "
        f"and {figures.money(whole['profit_5y'])} over five years, net book value taken off"
    )
    heads = [
        "way", "loans", "worth (yuan)", "profit today (yuan)", "within five years (yuan)",
        "capital freed (yuan)", "bad-loan ratio", "coverage",
    ]  # fmt: skip
    rows = [
        [
            WAYS.get(row["way"], _NAMES.get(row["way"], row["way"])),
            figures.number(row["loans"]),
            *(figures.yuan(row[name]) for name in ("value", "profit_now", "profit_5y", "capital_freed")),
            figures.percent(row["bad_loan_ratio"], 2),
            figures.percent(row["coverage"]),
        ]
        for row in contents.outcomes.iter_rows(named=True)
        if row["loans"] or row["way"] == "plan"
    ]  # fmt: skip
    parts = [
        f'<h2 id="brings">{escape(title)}</h2>',
        table(heads, rows, words=1),
        paragraph(
            "Profits bear what packages cost whatever their size. "
            "Ratios of a row are those after the sales or write-offs of that way alone. A loan that is written off "
            "goes its way all the same: the claim stays. All figures: outcomes.csv.",
            "note",
        ),
        _ban(cast("Mapping[str, float]", contents.record["principal_ban"])),
        _steps(cast("list[Mapping[str, object]]", contents.record["steps"])),
        _suits(cast("Mapping[str, float | None]", contents.record["suits"])),
        _terms(cast("Mapping[str, float | None]", contents.record["terms"])),
    ]
    return "\n".join(part for part in parts if part)


def _ban(ban: Mapping[str, float]) -> str:
    """What could be had if principal might be waived; nothing where it may, or where it would bring nothing."""
    lost = ban["offers"] + ban["others"]
    if lost < 100.0:
        return ""
    return paragraph(
        f"The ban on waiving principal costs about {figures.money(lost)}: offers of the plan would bring "
        f"{figures.money(ban['offers'])} more with a part of the principal waived, and for "
        f"{figures.number(ban['loans'])} other loans such an offer would be worth "
        f"{figures.money(ban['others'])} more than their way. Limits on offers are not counted."
    )


def _steps(steps: list[Mapping[str, object]]) -> str:
    """Steps that the tape's own contacts have told something about."""
    learnt = [row for row in steps if row["own"] is not None]
    if not learnt:
        return ""
    rows = [
        [str(row["step"]).replace("_", " ")]
        + [figures.number(cast("float", row[name]), 2) for name in ("market", "own", "se", "used")]
        for row in learnt
    ]
    heads = ["step", "market", "this tape", "standard error", "used"]
    return table(heads, rows, words=1) + paragraph(
        "What a step adds to the logit of a payment within a fortnight, against loans alike that were left alone. "
        "The tape's own contacts are believed as far as their numbers carry.",
        "note",
    )


def _suits(suits: Mapping[str, float | None]) -> str:
    """What the tape's own suits have told; nothing where there were too few."""
    seen, market, bring = suits["seen"], suits["market"], suits["bring"]
    if seen is None or market is None or bring is None:
        return ""
    return paragraph(
        f"{figures.number(suits['suits'])} suits of this tape have so far added {figures.percent(seen)} of the debt, "
        f"standard error {figures.percent(suits['se'])}, against loans alike that were not sued; the market's figures "
        f"say {figures.percent(market)}. What a suit adds is taken as {figures.number(bring, 2)} times the market's."
    )


def _terms(terms: Mapping[str, float | None]) -> str:
    """How soon the tape's own terms were broken; nothing where there were too few."""
    if terms["monthly"] is None:
        return ""
    return paragraph(
        f"Of {figures.number(terms['terms'])} borrowers past due who were given new terms on this tape, "
        f"{figures.percent(terms['seen'])} broke them in a month, standard error {figures.percent(terms['se'])}; the "
        f"market's figure is {figures.percent(terms['market'])}, {figures.percent(terms['monthly'])} is taken."
    )
