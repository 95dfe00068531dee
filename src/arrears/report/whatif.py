"""What other limits would do, in the report: what each way is worth, and what a better ratio costs."""

from __future__ import annotations

import polars as pl

from arrears.channels import WAYS
from arrears.report import charts, figures
from arrears.report.contents import Contents

_CANNOT = "a floor cannot be kept"


def headline(contents: Contents) -> str:
    """What the way that adds most adds."""
    told = contents.what_if.cases.drop_nulls("change")
    ways = told.filter(pl.col("case").str.starts_with("without"))
    if ways.is_empty():
        return "Without any one of the ways a floor cannot be kept"
    top = ways.sort("change", "case").row(0, named=True)
    if top["change"] >= -0.5:
        return "Collecting alone is worth as much as all ways together"
    word = WAYS[top["case"].removeprefix("without ")]
    return f"Without {word} the plan would be worth {figures.money(-top['change'])} less"


def cases(contents: Contents) -> list[list[str]]:
    """Rows of the table of cases."""
    return [
        [
            " ".join([*words, WAYS.get(last, last)]),
            _CANNOT if row["value"] is None else figures.yuan(row["value"]),
            "" if row["value"] is None else figures.yuan(row["change"]),
        ]
        for row in contents.what_if.cases.iter_rows(named=True)
        for *words, last in [row["case"].split(" ")]
    ]


def frontier_title(contents: Contents) -> str | None:
    """What the whole way along the frontier costs; None where nothing can be removed."""
    points = contents.what_if.frontier
    least, most = points.row(0, named=True), points.row(-1, named=True)
    more = most["npl_removed"] - least["npl_removed"]
    if more < 1.0:
        return None
    told = f"Removing {figures.money(more)} more of reported bad loans costs {figures.money(most['cost'])} of value"
    if least["bad_loan_ratio"] is None:
        return told
    low, high = (figures.percent(row["bad_loan_ratio"], 2) for row in (most, least))
    return told if low == high else f"{told}, for a bad-loan ratio of {low} instead of {high}"


def frontier(contents: Contents) -> list[list[str]]:
    """Rows of the table of the frontier."""
    return [
        [
            figures.yuan(row["npl_removed"]),
            figures.yuan(row["value"]),
            figures.yuan(row["cost"]),
            figures.percent(row["bad_loan_ratio"], 3),
        ]
        for row in contents.what_if.frontier.iter_rows(named=True)
    ]


def draw_frontier(contents: Contents) -> dict[str, object]:
    """Cost in value against bad loans removed, million yuan."""
    table = contents.what_if.frontier.select(
        removed=pl.col("npl_removed") / 1e8, cost=pl.col("cost") / 1e8
    )
    return charts.line(
        table,
        ("removed", "reported bad loans removed, million yuan"),
        ("cost", "value given up, million yuan"),
    )
