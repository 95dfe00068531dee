"""Ways to sell side by side, and the deals that the plan proposes, each with its own page."""

from __future__ import annotations

from html import escape
from typing import cast

import polars as pl

from arrears.report import figures
from arrears.report.contents import WAYS, Contents
from arrears.report.parts import paragraph, table

_NAMES = {"nothing": "kept and collected"}


def section(contents: Contents) -> str:
    """The table of the three ways, then the deals; nothing where no loan may be sold."""
    parts = [*_ways(contents.disposals), *_deals(contents)]
    return "\n".join(parts)


def _ways(found: pl.DataFrame) -> list[str]:
    count = int(found["loans"][0])
    if not count:
        return []
    dear = found.drop_nulls("profit").sort("profit", descending=True)
    best = WAYS.get(str(dear["way"][0]), "") if dear.height else ""
    title = f"Of the ways to sell the same {count:,} loans, {best} books the most"
    heads = [
        "way", "profit (yuan)", "cash (yuan)", "bad loans removed (yuan)", "bad-loan ratio", "capital freed (yuan)",
        "capital kept (yuan)", "capital ratio", "continuing involvement (yuan)", "goes to", "creditor", "servicer",
    ]  # fmt: skip
    rows = [
        [
            WAYS.get(row["way"], _NAMES.get(row["way"], row["way"])),
            figures.yuan(row["profit"]),
            figures.yuan(row["cash"]),
            figures.yuan(row["npl_removed"]),
            figures.percent(row["bad_loan_ratio"], 2),
            figures.yuan(row["capital_freed"]),
            figures.yuan(row["capital_kept"]),
            figures.percent(row["capital_ratio"], 2),
            figures.yuan(row["continuing_involvement"]),
            *(str(row[name] or "") for name in ("investors", "creditor", "servicer")),
        ]
        for row in found.iter_rows(named=True)
    ]
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
