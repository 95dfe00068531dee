"""The page of a valuation: the price first, then what it rests on."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import Any

import numpy as np
import polars as pl

from arrears.core.words import counted
from arrears.recovery import Forecast
from arrears.report import charts, figures
from arrears.report.by_class import PRODUCTS
from arrears.report.parts import paragraph, shell, table

_COSTS = {
    "commission": "what those who collect keep, more of older loans",
    "litigation": "courts and lawyers",
    "tax": "value-added tax on what comes in",
    "channel_fee": "use of an asset management company's licence, once",
    "funding": "interest on the price until it is paid back",
}


def price_page(
    title: str,
    told: dict[str, Any],
    *,
    as_of: date,
    buckets: pl.DataFrame,
    by_irr: pl.DataFrame,
    forecast: Forecast,
) -> str:
    """`price.html`: the same for the same valuation."""
    claim = float(forecast.claim.sum())
    per = figures.price(told["price"], claim)
    head = f"{title}: {figures.money(told['price'])}, {per}"
    q, span = told["quantiles"], told["price_range"]
    items = [
        (
            figures.money(told["price"]),
            f"{per}, for {figures.percent(told['irr_asked'], 0)} a year",
            f"nine times in ten {figures.money_range(span['q05'], span['q95'])}",
        ),
        (
            figures.money(told["expected_collections"]),
            f"expected to come in within {told['months']} months",
            f"nine times in ten {figures.money_range(q['q05'], q['q95'])}",
        ),
        (
            figures.percent(told["probability_of_loss"], 0),
            f"chance that price and costs are not covered{_none(told, forecast)}",
            _back(told),
        ),
        (
            figures.money(told["reserve"]),
            "what keeping the loans is worth to the seller",
            f"a sale with {counted(int(told['bidders']), 'bidder')} who may come brings about "
            f"{figures.money(told['expected_winning_bid'])}",
        ),
    ]
    shown = "\n".join(
        f"<li><b>{escape(big)}</b><span>{escape(what)}</span><span>{escape(more)}</span></li>"
        for big, what, more in items
    )
    spent = sorted(told["costs"].items(), key=lambda cost: (cost[0] == "funding", -cost[1]))
    costs = [[name.replace("_", " "), _COSTS[name], figures.yuan(fen)] for name, fen in spent]
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
    comes, costly, falls = _comes(told, forecast), _costly(told), _falls(told, by_irr)
    fan = charts.svg(charts.fan_of(forecast.curve), comes, "fan")
    line = charts.svg(charts.price_by_irr(by_irr, claim), falls, "irr") if claim else ""
    parts = [
        f"<h1>{escape(head)}</h1>",
        paragraph(f"As of {figures.day(as_of)}. {_rests(told)}", "when"),
        f'<ul class="numbers">{shown}</ul>',
        f"<h2>{escape(comes)}</h2>",
        f"<figure>{fan}<figcaption class=note>What has come in by each month, before costs. Inner band: half of all "
        "scenarios; outer band: nine in ten.</figcaption></figure>",
        f"<h2>{escape(costly)}</h2>",
        table(["cost", "of what", "yuan"], costs, words=2, short=1),
        paragraph("Funding is inside the return asked for; the others are taken off before it.", "note"),
        f"<h2>{escape(falls)}</h2>",
        f"<figure>{line}</figure>",
        *_auction(told),
        f"<h2>{escape(_dearest(buckets))}</h2>",
        table(["product", "past due", "claim, yuan", "fen a yuan owed", "fen a yuan of principal"], rows, words=2),
        paragraph(
            f"At the return asked for, before the channel fee, of what comes in within {told['months']} months: who "
            "pays as agreed over a longer term pays the rest after it. All figures: price.json, curve.parquet, "
            f"buckets.parquet.{_under(told)}",
            "note",
        ),
    ]  # fmt: skip
    return shell(head, parts)


def _rests(told: dict[str, Any]) -> str:
    """What the forecast rests on."""
    if told["basis"] == "model":
        return f"It rests on a model of the bank's own history: {told['rests_on']}."
    return "It rests on published recoveries and prices of the market, not on the history of these loans."


def _none(told: dict[str, Any], forecast: Forecast) -> str:
    """That no scenario loses, which is not to say that none can."""
    return "" if told["probability_of_loss"] else f" (in none of {len(forecast.paths):,} scenarios)"


def _back(told: dict[str, Any]) -> str:
    """How often, and when, the price comes back."""
    if told["multiple"] is None:
        return "nothing is paid"
    month = told["payback_month"]
    when = f"paid back in month {month}" if month else f"not paid back in {told['months']} months"
    return f"after costs {figures.number(told['multiple'], 2)} times the price comes in, {when}"


def _comes(told: dict[str, Any], forecast: Forecast) -> str:
    """How early the cash comes."""
    whole = told["expected_collections"]
    if not whole:
        return "Nothing is expected to come in"
    early = figures.percent(forecast.at(12)["mean"] / whole, 0)
    return f"{early} of what comes in within {told['months']} months comes in the first year"


def _costly(told: dict[str, Any]) -> str:
    """What costs take of the cash, and which most."""
    taken = {name: fen for name, fen in told["costs"].items() if name != "funding"}
    whole, most = told["expected_collections"], max(taken, key=lambda name: taken[name])
    if not whole:
        return "Costs, of which none is covered"
    parts = (figures.percent(fen / whole, 0) for fen in (sum(taken.values()), taken[most]))
    return (
        f"Costs take {next(parts)} of what comes in, {most.replace('_', ' ')} alone {next(parts)}"
    )


def _falls(told: dict[str, Any], by_irr: pl.DataFrame) -> str:
    """What ten points more of return cost the seller."""
    rates, prices = by_irr["irr"].to_numpy(), by_irr["price"].to_numpy()
    asked = float(told["irr_asked"])
    now, more = (float(np.interp(rate, rates, prices)) for rate in (asked, asked + 0.1))
    if now <= 0.0 or asked + 0.1 > rates[-1]:
        return "A higher return leaves a lower price"
    points = (
        f"Asking {figures.percent(asked + 0.1, 0)} a year in place of {figures.percent(asked, 0)}"
    )
    return f"{points} takes {figures.percent(1.0 - more / now, 0)} off the price"


def _dearest(buckets: pl.DataFrame) -> str:
    """Which loans are worth most and least for a yuan owed."""
    known = buckets.drop_nulls("per_claim").sort("per_claim")
    if known.is_empty():
        return "Nothing is owed"

    def told(row: dict[str, Any]) -> str:
        name = PRODUCTS.get(row["product"], row["product"])
        age = row["age_band"].removesuffix(" past due")
        return f"{name}, {age} past due, {_fen(row['per_claim'])}"

    least, most = told(known.row(0, named=True)), told(known.row(-1, named=True))
    if known.height == 1:
        return f"Fen on the yuan owed: {most}"
    return f"Fen on the yuan owed: most for {most}; least for {least}"


def _auction(told: dict[str, Any]) -> list[str]:
    """What an auction brings: by bidders and how far they disagree, the winner's curse, the best start price."""
    if not told["price"]:
        return []
    cells = {(row["bidders"], row["disagreement"]): row for row in told["by_bidders"]}
    counts, far = (sorted({key[place] for key in cells}) for place in (0, 1))
    rows = [
        [str(count), *(_bid(cells[count, width]["price"]) for width in far)] for count in counts
    ]
    curse = (
        f"If all {told['bidders']} come and estimates lie up to {figures.percent(told['disagreement'], 0)} off, a "
        f"winner who bid its own estimate loses {figures.money(told['winners_curse'])} on average: the winner's curse. "
        f"Prices hold for bidders who shade their bids for it. Bidding starts at {figures.money(told['start_price'])}, "
        f"the package is sold with a probability of {figures.percent(told['sale_probability'], 0)}. {_best(told)}"
    )
    heads = ["bidders", *(f"up to {figures.percent(w, 0)} off" for w in far)]
    return [
        f"<h2>{escape(_sale(told))}</h2>",
        table(heads, rows, words=0, short=0),
        paragraph(
            "Expected price, yuan, if it is sold, by bidders who may come and how far their estimates lie off.",
            "note",
        ),
        paragraph(curse),
    ]


def _sale(told: dict[str, Any]) -> str:
    """What the auction is likely to do."""
    if told["sale_probability"] < 0.5:
        chance = figures.percent(told["sale_probability"], 0)
        return f"At a start of {figures.money(told['start_price'])} a sale has a probability of {chance}"
    price = figures.money(told["expected_winning_bid"])
    come = counted(int(told["bidders"]), "bidder")
    brings = "brings" if told["bidders"] == 1 else "bring"
    start = figures.money(told["start_price"])
    return f"If it is sold, {come} who may come {brings} about {price}; bidding starts at {start}"


def _best(told: dict[str, Any]) -> str:
    """The start price that brings the seller most."""
    if told["reserve"] >= told["price"] * (1.0 + told["disagreement"]):
        return f"Keeping, worth {figures.money(told['reserve'])} to the seller, is worth more than any bid."
    return (
        f"The start that brings the seller most is {figures.money(told['best_start_price'])}; it brings "
        f"{figures.money(told['best_start_brings'])}, what keeping is worth counted where it is not sold."
    )


def _under(told: dict[str, Any]) -> str:
    return f" All of it under the stress {told['stress']}." if told["stress"] else ""


def _bid(fen: float | None) -> str:
    return "no sale" if fen is None else figures.yuan(fen)


def _fen(share: float | None) -> str:
    return figures.NOT_KNOWN if share is None else figures.number(100 * share, 1)
