"""`forecast` and `price`: what loans will still pay, and what they are worth to a buyer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import cast

import polars as pl

import arrears
from arrears import channels, market, recovery, report, rules
from arrears.core.hashing import file_hash
from arrears.files import staged
from arrears.problems import Problem
from arrears.run.gather import Gathered
from arrears.run.job import Done, job
from arrears.run.products import Products, to_json
from arrears.run.request import Request
from arrears.run.stages import Stages, Watcher
from arrears.run.stopped import Stopped


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
        summary = {"as_of": gathered.tape.as_of.isoformat(), "claim": float(found.claim.sum())}
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
            reserve = _reserve(found, gathered.market, gathered.tape.as_of)
            priced = market.price(
                found,
                loans,
                market=gathered.market,
                as_of=gathered.tape.as_of,
                irr=irr,
                bidders=bidders,
                reserve=reserve,
            )
        title, stress = Path(request.loans).name, request.stress
        left = _leave(priced, found, products, reserve=reserve, title=title, stress=stress)
        accepted.result()
        return left

    asked = {"irr": irr, "bidders": bidders}
    # What draws and what forecasts is started while the tape is read, the largest table written beside the forecast.
    with ThreadPoolExecutor(2) as beside:
        beside.submit(report.get_ready)
        ready = beside.submit(recovery.get_ready)
        return job(request, work, name="price", out=out, force=force, watcher=watcher, asked=asked)


def price_header(
    header: Path,
    *,
    out: Path,
    irr: float | None = None,
    bidders: int | None = None,
    scenarios: int = 1000,
    seed: int = 0,
    stress: str | None = None,
    force: bool = False,
) -> Done:
    """A buyer's valuation of a package of which only the public header is known.

    Raises:
        Stopped: the header cannot be used.
    """
    told, problems = market.read_header(header)
    if told is None:
        raise Stopped(problems)
    book = rules.load_market("cn")
    day = told.base_date
    unknown = set(told.litigation) - set(book.numbers("recovery/legal_effect", day))
    if unknown:
        found = f"No legal status {sorted(unknown)[0]!r}."
        fix = f"Use {', '.join(book.numbers('recovery/legal_effect', day))}."
        raise Stopped(
            [Problem("HEADER-BAD-VALUE", "error", f"{header} litigation", found, "", fix)]
        )
    loans = market.loans_of(told, book.number("buyer/principal_share", day))
    holder = channels.Holder.model_validate({"kind": "joint_stock_bank"})
    forecast = recovery.forecast(
        loans,
        as_of=day,
        market=book,
        discount_rate=channels.discount_rate(holder, book, day),
        seed=seed,
        scenarios=scenarios,
        stress=recovery.Stress.named(stress, book, day) if stress else None,
    )
    reserve = _reserve(forecast, book, day)
    priced = market.price(
        forecast,
        loans,
        market=book,
        as_of=day,
        irr=irr,
        bidders=bidders,
        start_price=None if told.start_price is None else float(told.start_price),
        reserve=reserve,
    )
    with staged(out, force=force) as place:
        products = Products(place.folder)
        summary, lines = _leave(
            priced, forecast, products, reserve=reserve, title=told.name, stress=stress
        )
        if told.start_price:
            asked = 100 * told.start_price / forecast.claim.sum()
            lines.append(
                f"Start     {report.money(told.start_price)}, {asked:.1f} fen on the yuan owed"
            )
        record = {
            "version": arrears.__version__,
            "command": "price",
            "as_of": day.isoformat(),
            "inputs": [
                {"name": "header", "path": str(header), "sha256": file_hash(header), "rows": 1}
            ],
            "header": told.model_dump(mode="json"),
            "market": {"name": book.name, "hash": book.hash},
            "settings": {"scenarios": scenarios, "stress": stress},
            "asked": {"irr": irr, "bidders": bidders},
            "seed": seed,
            "summary": summary,
        }
        record["products"] = dict(sorted(products.hashes.items()))
        (place.folder / "run.json").write_text(to_json(record), encoding="utf-8")
    return Done(summary | {"out": str(out)}, tuple(lines), tuple(problems))


def _reserve(found: recovery.Forecast, book: rules.MarketBook, day: date) -> float:
    """What keeping the loans is worth to the seller: its own collections less commission, at its own rate."""
    weights = recovery.window(found.discount_rate, 0)
    return float(market.kept_by_loan(found, weights, book, day).sum())


def _leave(
    priced: market.Priced,
    found: recovery.Forecast,
    products: Products,
    *,
    reserve: float,
    title: str,
    stress: str | None,
) -> tuple[dict[str, object], list[str]]:
    told = priced.told | {"reserve": reserve, "stress": stress}
    bid, per = priced.price, priced.told["per_claim"]
    products.table("curve.parquet", found.curve)
    products.table("buckets.parquet", priced.buckets)
    products.json("price.json", told)
    products.text(
        "price.html",
        report.price_page(
            title, told, buckets=priced.buckets, by_irr=priced.by_irr, forecast=found
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
        f"Loses     with a probability of {report.percent(priced.loses, 0)}",
        f"Reserve   {report.money(reserve)}: what keeping is worth to the seller",
        f"Auction   {sale['bidders']} bidders who may come, expected price "
        f"{report.money(float(str(sale['expected_winning_bid'])))}",
    ]
    return told, lines
