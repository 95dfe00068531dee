"""Ways to sell side by side, and the deals that the plan proposes, each with its own page."""

from __future__ import annotations

from html import escape
from typing import cast

import polars as pl

from arrears.channels import WAYS
from arrears.core.words import counted
from arrears.report import figures
from arrears.report.contents import Contents
from arrears.report.parts import paragraph, table

_NAMES = {"nothing": "as it is"}
_FIGURES = {
    "profit": "profit after tax (yuan)",
    "cash": "cash (yuan)",
    "npl_removed": "bad loans removed (yuan)",
    "bad_loan_ratio": "bad-loan ratio after it",
    "capital_freed": "capital freed (yuan)",
    "capital_kept": "capital that stays bound (yuan)",
    "capital_ratio": "capital ratio after it",
    "provision_released": "provisions released (yuan)",
    "continuing_involvement": "continuing involvement (yuan)",
    "investors": "goes to",
    "creditor": "creditor",
    "servicer": "servicer",
    "article": "by",
}


def section(contents: Contents) -> str:
    """The packages of the plan, the table of the three ways, then the deals; nothing where no loan may be sold."""
    parts = [*_packages(contents.packages), *_ways(contents.disposals), *_deals(contents)]
    return "\n".join(parts)


def _packages(found: pl.DataFrame) -> list[str]:
    """What each package holds, brings and gains."""
    whole = found.filter(cut="total")
    if whole.is_empty():
        return []
    owed, gain = (float(whole[name].to_numpy().sum()) for name in ("claim", "gain"))
    title = (
        f"{counted(whole.height, 'package')} of {figures.money(owed)} owed "
        f"{'brings' if whole.height == 1 else 'bring'} {figures.money(abs(gain))} "
        f"{'more' if gain >= 0.0 else 'less'} than the same loans by their best ways one by one"
    )
    heads = [
        "package", "goes", "loans", "owed (yuan)", "cash (yuan)", "fen on the yuan", "worth (yuan)",
        "one by one (yuan)", "fixed cost (yuan)", "gains (yuan)",
    ]  # fmt: skip
    rows = [
        [
            row["folder"] or WAYS[row["way"]],
            "now" if row["start_month"] == 0 else f"in {row['start_month']} months",
            figures.number(row["loans"]),
            *(figures.yuan(row[name]) for name in ("claim", "cash")),
            figures.number(100 * row["per_claim"], 1),
            *(figures.yuan(row[name]) for name in ("value", "alone", "fixed_cost", "gain")),
        ]
        for row in whole.iter_rows(named=True)
    ]
    told = "By product and age, and the price of a yuan of principal: packages.csv. Limits on the ways one by one are "
    told += "left out of this comparison."
    if bool((whole["gain"] < 0.0).any()):
        told += " A package that loses is made because a floor asks for it, or because such limits bind."
    return [
        f'<h2 id="packages">{escape(title)}</h2>',
        table(heads, rows, words=2),
        paragraph(told, "note"),
    ]


def _ways(found: pl.DataFrame) -> list[str]:
    count = int(found["loans"][0])
    if not count:
        return []
    best = found.drop_nulls("profit").sort("profit", "way", descending=[True, False])
    title = f"No way to sell is open today for {counted(count, 'loan')} reported as bad"
    if best.height:
        way = WAYS[str(best["way"][0])]
        title = (
            f"Sold today, the same {counted(count, 'loan')} would book "
            f"{figures.money(float(best['profit'][0]))} as {way}, the best of the ways that are open"
        )
    ways = list(found.iter_rows(named=True))
    heads = ["", *(WAYS.get(row["way"], _NAMES.get(row["way"], row["way"])) for row in ways)]
    rows = [[told, *(_cell(row[name], told) for row in ways)] for name, told in _FIGURES.items()]
    note = (
        f"Loans reported as bad that may go by each way: {figures.money(float(found['claim'][0]))} owed. Whatever "
        "the plan does with them, and without the fixed cost of a package. After a transfer of income rights the bank "
        "stays creditor and servicer; the claims stay bad loans and keep their capital in full. All figures: "
        "disposals.csv."
    )
    return [
        f'<h2 id="sales">{escape(title)}</h2>',
        table(heads, rows, words=1),
        paragraph(note, "note"),
    ]


def _cell(value: object, told: str) -> str:
    if value is None or isinstance(value, str):
        return value or figures.NOT_KNOWN
    amount = cast("float", value)
    return figures.percent(amount, 2) if "ratio" in told else figures.yuan(amount)


def _deals(contents: Contents) -> list[str]:
    lines = []
    for one in contents.deals:
        issue, size = (cast("int", one[name]) for name in ("issue", "size"))
        collections, short = (cast("float", one[name]) for name in ("collections", "share_short"))
        place = escape(str(one["place"]))
        text = (
            f"{one['name']}: {figures.money(issue)} issued on {figures.money(collections)} of expected "
            f"collections; {one['first']} of {figures.money(size)} falls short in "
            f"{figures.percent(short)} of scenarios."
        )
        links = (
            f'<a href="{place}/report.html">page</a>, <a href="{place}/term_sheet.md">term sheet</a>, '
            f'<a href="{place}/deal.yaml">deal file</a>'
        )
        lines.append(f"<li>{escape(text)} {links}</li>")
    if not lines:
        return []
    title = "What the plan proposes to investors"
    return [f'<h3 id="deals">{title}</h3>', "<ul>", *lines, "</ul>"]
