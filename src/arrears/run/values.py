"""`forecast` and `price`: what loans will still pay, and what they are worth to a buyer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast

import polars as pl

from arrears import channels, market, recovery, report, rules
from arrears.core.words import counted
from arrears.run.gather import Gathered
from arrears.run.job import Done, job
from arrears.run.products import Products
from arrears.run.request import Request
from arrears.run.stages import Stages, Watcher


def forecast(
    request: Request, *, out: Path, force: bool = False, watcher: Watcher | None = None
) -> Done:
    """What each loan will pay, and the book with its range: `forecast.parquet, curve.parquet, forecast.json`.

    Raises:
        Stopped: the tape cannot be used.
    """

    def work(
        gathered: Gathered, products: Products, stages: Stages
    ) -> tuple[dict[str, object], list[str]]:
        with stages.stage("forecast"):
            found, _ = forecast_of(gathered)
        products.table("accepted.parquet", gathered.tape.loans)
        products.table("forecast.parquet", found.table)
        products.table("curve.parquet", found.curve)
        summary = {"as_of": gathered.tape.as_of.isoformat(), "claim": round(found.claim.sum())}
        summary |= found.summary
        products.json("forecast.json", summary)
        row = {month: found.at(month) for month in (12, 60)}
        span = report.money_range(row[60]["q05"], row[60]["q95"])
        worth = report.money(float(found.table["pv"].sum()))
        lines = [
            f"Owed      {report.money(float(found.claim.sum()))}",
            f"Expected  {report.money(row[12]['mean'])} within 12 months, "
            f"{report.money(row[60]['mean'])} within 60, nine times in ten {span}",
            f"Worth     {worth} at {100 * found.discount_rate:.1f} % a year, before costs; by a {found.basis}",
        ]
        return summary, lines

    return job(request, work, name="forecast", out=out, force=force, watcher=watcher)


def forecast_of(gathered: Gathered) -> tuple[recovery.Forecast, pl.DataFrame]:
    """The forecast of the loans that owe anything, and these loans."""
    tape = gathered.tape
    loans = tape.loans.filter(pl.Series(tape.claim > 0))
    found = recovery.forecast(
        loans,
        as_of=tape.as_of,
        market=gathered.market,
        discount_rate=channels.discount_rate(gathered.holder, gathered.market, tape.as_of),
        seed=gathered.request.seed,
        scenarios=gathered.request.scenarios,
        stress=gathered.stress,
        model=gathered.model,
    )
    return found, loans


def price(
    request: Request,
    *,
    out: Path,
    irr: float | None = None,
    bidders: int | None = None,
    force: bool = False,
    watcher: Watcher | None = None,
) -> Done:
    """A buyer's valuation of a tape: `price.json, curve.parquet, buckets.parquet, price.html`.

    Args:
        irr: return that the buyer asks for, a year.
        bidders: how many bid.

    Raises:
        Stopped: the tape cannot be used.
    """

    def work(
        gathered: Gathered, products: Products, stages: Stages
    ) -> tuple[dict[str, object], list[str]]:
        accepted = beside.submit(products.table, "accepted.parquet", gathered.tape.loans)
        # Not every way of running kernels lets two threads do so at once.
        ready.result()
        with stages.stage("forecast"):
            found, loans = forecast_of(gathered)
        with stages.stage("price"):
            reserve = reserve_of(found, gathered.market, gathered.tape.as_of)
            priced = market.price(
                found,
                loans,
                market=gathered.market,
                as_of=gathered.tape.as_of,
                irr=irr,
                bidders=bidders,
                reserve=reserve,
            )
        of = Valued(Path(request.loans).name, gathered.tape.as_of, request.stress)
        left = leave(priced, found, products, reserve=reserve, of=of)
        accepted.result()
        return left

    asked = {"irr": irr, "bidders": bidders}
    # What forecasts is loaded while the tape is read.
    with ThreadPoolExecutor(1) as beside:
        ready = beside.submit(recovery.get_ready)
        return job(request, work, name="price", out=out, force=force, watcher=watcher, asked=asked)


def reserve_of(found: recovery.Forecast, book: rules.MarketBook, day: date) -> float:
    """What keeping the loans is worth to the seller: its own collections less commission, at its own rate."""
    weights = recovery.window(found.discount_rate, 0)
    return float(market.kept_by_loan(found, weights, book, day, paid=found.present).sum())


@dataclass(frozen=True)
class Valued:
    """What a valuation is of, and of when."""

    title: str
    as_of: date
    stress: str | None


def leave(
    priced: market.Priced,
    found: recovery.Forecast,
    products: Products,
    *,
    reserve: float,
    of: Valued,
) -> tuple[dict[str, object], list[str]]:
    """Write the products of a valuation; its summary, and lines for people."""
    told = priced.told | {"reserve": reserve, "stress": of.stress}
    bid, per = priced.price, priced.told["per_claim"]
    products.table("curve.parquet", found.curve)
    products.table("buckets.parquet", priced.buckets)
    products.json("price.json", told)
    products.text(
        "price.html",
        report.price_page(
            of.title,
            told,
            as_of=of.as_of,
            buckets=priced.buckets,
            by_irr=priced.by_irr,
            forecast=found,
        ),
    )
    each = (
        "nothing is owed"
        if per is None
        else f"{100 * bid / float(found.claim.sum()):.1f} fen on the yuan owed"
    )
    sale, likely = priced.told, cast("dict[str, float]", priced.told["price_range"])
    span = f"nine times in ten {report.money_range(likely['q05'], likely['q95'])}"
    lines = [
        f"Price     {report.money(bid)}, {each}, for {report.percent(priced.irr_asked, 0)} a year; {span}",
        f"Collects  {report.money(priced.collections)} in {len(priced.net)} months, before costs",
        f"Loses     with a probability of {report.percent(priced.loses, 0)}"
        + ("" if priced.loses else f", in none of {len(found.paths):,} scenarios"),
        f"Reserve   {report.money(reserve)}: what keeping is worth to the seller",
        f"Auction   {counted(int(str(sale['bidders'])), 'bidder')} who may come, expected price "
        f"{report.money(float(str(sale['expected_winning_bid'])))} if it is sold"
        if bid
        else "Auction   nobody bids: what comes in does not cover the costs of getting it and of the deal",
    ]
    return told, lines
