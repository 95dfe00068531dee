"""The page of a valuation: the price first, then what it rests on."""

from __future__ import annotations

from html import escape
from typing import Any

import polars as pl

from arrears.recovery import Forecast
from arrears.report import charts, figures
from arrears.report.book import PRODUCTS
from arrears.report.parts import paragraph, shell, table


def price_page(
    title: str,
    told: dict[str, Any],
    *,
    buckets: pl.DataFrame,
    by_irr: pl.DataFrame,
    forecast: Forecast,
) -> str:
    """`price.html`: the same for the same valuation."""
    claim = float(forecast.claim.sum())
    per = figures.price(told["price"], claim)
    head = f"{title}: {figures.money(told['price'])}, {per}"
    q = told["quantiles"]
    items = [
        (figures.money(told["price"]), f"for {figures.percent(told['irr_asked'], 0)} a year", per),
        (
            figures.money(told["expected_collections"]),
            f"expected to come in within {told['months']} months",
            f"nine times in ten {figures.money_range(q['q05'], q['q95'])}",
        ),
        (
            figures.percent(told["probability_of_loss"], 0),
            "probability that collections do not cover price and costs",
            f"multiple {figures.number(told['multiple'], 2)}, paid back in month {told['payback_month'] or 'none'}",
        ),
        (
            figures.money(told["reserve"]),
            "what keeping the loans is worth to the seller",
            f"with {told['bidders']} bidders a winner pays about {figures.money(told['expected_winning_bid'])}",
        ),
    ]
    shown = "\n".join(
        f"<li><b>{escape(big)}</b><span>{escape(what)}</span><span>{escape(more)}</span></li>"
        for big, what, more in items
    )
    costs = [[name.replace("_", " "), figures.yuan(fen)] for name, fen in told["costs"].items()]
    rows = [
        [
            PRODUCTS.get(row["product"], row["product"]),
            row["age_band"],
            figures.yuan(row["claim"]),
            _fen(row["per_claim"]),
            _fen(row["per_principal"]),
        ]
        for row in buckets.iter_rows(named=True)
    ]
    fan = charts.svg(
        charts.fan_of(forecast.curve), "Cumulative collections with their range", "fan"
    )
    line = (
        charts.svg(charts.price_by_irr(by_irr, claim), "Price against return", "irr")
        if claim
        else ""
    )
    parts = [
        f"<h1>{escape(head)}</h1>",
        f'<ul class="numbers">{shown}</ul>',
        "<h2>What comes in</h2>",
        f"<figure>{fan}</figure>",
        "<h2>What it costs, within the horizon</h2>",
        table(["cost", "yuan"], costs),
        paragraph("Funding is inside the return asked for; the others are taken off before it.", "note"),
        "<h2>A higher return, a lower price</h2>",
        f"<figure>{line}</figure>",
        "<h2>Worth by product and age</h2>",
        table(["product", "past due", "claim, yuan", "fen a yuan owed", "fen a yuan of principal"], rows, words=2),
        paragraph(f"It rests on a {told['basis']}: {told['rests_on']}.", "note"),
    ]  # fmt: skip
    return shell(head, parts)


def _fen(share: float | None) -> str:
    return figures.NOT_KNOWN if share is None else figures.number(100 * share, 1)
