"""The part of the report that looks at people, not loans."""

from __future__ import annotations

from html import escape

import polars as pl

from arrears.core.words import counted
from arrears.report import figures
from arrears.report.parts import paragraph, table


def section(owed: pl.DataFrame) -> str:
    """How many people owe the book, and how much of it the largest of them owe; nobody is named.

    Args:
        owed: `debtors.parquet`, the largest claim first.
    """
    total = int(owed["claim"].sum())
    groups = [
        ("all debtors", owed),
        ("with several loans", owed.filter(pl.col("loans") > 1)),
        ("at several lenders", owed.filter(pl.col("lenders") > 1)),
        ("the ten who owe most", owed.head(10)),
        ("the hundredth part who owe most", owed.head(max(owed.height // 100, 1))),
    ]
    rows = [
        [
            name,
            figures.number(some.height),
            figures.number(int(some["loans"].sum())),
            figures.yuan(int(some["claim"].sum())),
            figures.share(int(some["claim"].sum()), total),
        ]
        for name, some in groups
        if some.height
    ]
    heads = ["debtors", "number", "loans", "they owe, yuan", "of what is owed"]
    few = owed.head(10)
    share = figures.share(int(few["claim"].sum()), total)
    title = f"The ten who owe most, of {figures.number(owed.height)} debtors, owe {share} of it all"
    if few.height == owed.height:
        title = f"{counted(owed.height, 'debtor owes', 'debtors owe')} it all"
    told = "Loans are put to one person by their keys; each debtor's total: debtors.parquet."
    return "\n".join(
        [
            f'<h2 id="owed">{escape(title)}</h2>',
            table(heads, rows),
            paragraph(told, "note"),
        ]
    )
