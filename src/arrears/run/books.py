"""`classify`, `history` and `due`: what the book is, how it moved, and whom to call first."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from arrears import conduct, recovery, report
from arrears.problems import Problem
from arrears.recovery.histories import chains, misses, moves, rolls, semi_markov
from arrears.recovery.histories.paths import Paths, paths
from arrears.run.gather import Gathered
from arrears.run.job import Done, job
from arrears.run.products import Products
from arrears.run.request import Request
from arrears.run.resolution import three_ways, write_three_ways
from arrears.run.stages import Stages, Watcher
from arrears.run.stopped import Stopped
from arrears.run.summary import hidden_told
from arrears.run.unseen import stand
from arrears.run.values import forecast_of

_MONTH = 30.0


def classify(
    request: Request, *, out: Path, force: bool = False, watcher: Watcher | None = None
) -> Done:
    """The book three ways: `standing.parquet, book.csv, standards.csv, warnings.csv, findings.csv`, page, workbook.

    Raises:
        Stopped: the tape cannot be used.
    """

    def work(
        gathered: Gathered, products: Products, stages: Stages
    ) -> tuple[dict[str, object], list[str]]:
        with stages.stage("classify"):
            classed, hidden = stand(gathered)
            three = three_ways(gathered, classed, hidden)
        with stages.stage("write"):
            products.table("standing.parquet", classed)
            write_three_ways(products, three)
            products.text("book.html", report.book_page(gathered.tape.as_of, three))
            report.book_workbook(three, products.folder / "book.xlsx", gathered.tape.as_of)
            products.adopt("book.xlsx")
        total = three.total
        told = report.money(total["reported"], "no class on the tape")
        lines = [
            f"Owed      {report.money(total['claim'])}, {total['loans']:,} loans",
            f"Reported  {told}",
            f"By rule   {report.money(total['by_rule'])}",
            f"Hidden    {hidden_told(total)}",
            *(f"Finding   {text}" for text in report.told_findings(three)),
            f"Report    {out / 'book.html'}",
        ]
        summary: dict[str, object] = {
            **total,
            "standards": three.standards.to_dicts(),
            "findings": three.findings.to_dicts(),
        }
        return summary, lines

    return job(request, work, name="classify", out=out, force=force, watcher=watcher)


def history(
    request: Request, *, out: Path, force: bool = False, watcher: Watcher | None = None
) -> Done:
    """How loans moved: `roll.csv, flow.csv, vintage.csv, cure.csv, chain.csv, history.json, history.html`.

    Raises:
        Stopped: the tape cannot be used, or carries no months.
    """

    def work(
        gathered: Gathered, products: Products, stages: Stages
    ) -> tuple[dict[str, object], list[str]]:
        tape = gathered.tape
        with stages.stage("history"):
            known = _paths(gathered)
            moved = moves.count(known)
            past = report.Past(
                roll=rolls.roll_rates(moved, known),
                flow=rolls.flows(moved, known),
                vintage=rolls.vintages(known),
                cure=rolls.cures(known),
                outlook=chains.outlook(moved),
                contests=semi_markov.contest(known),
            )
            chain = chains.table(moved, known)
        with stages.stage("write"):
            for name in ("roll", "flow", "vintage", "cure"):
                products.csv(f"{name}.csv", getattr(past, name))
            products.csv("chain.csv", chain)
            whole = report.pooled(past.roll)
            summary: dict[str, object] = {
                "moves": int(past.roll["n"].sum()),
                "pooled": whole.to_dicts(),
                "outlook": past.outlook.to_dicts(),
                "models": [one.as_dict() for one in past.contests],
            }
            products.json("history.json", summary)
            products.text("history.html", report.history_page(tape.as_of, past))
        worse = whole.filter(pl.col("from") == "61-90", pl.col("to") == "90+")
        rate = worse["p"][0] if worse.height else None
        won = [one.state for one in past.contests if one.ships == "logit"]
        lines = [
            f"Moved     {summary['moves']:,} moves of loans from one month to the next",
            f"Rolled    {report.percent(rate)} a month from 61-90 days to more than 90",
            f"Foretold  by {'a logit from ' + ', '.join(won) + ', else ' if won else ''}the chain",
            f"Report    {out / 'history.html'}",
        ]
        return summary, lines

    return job(request, work, name="history", out=out, force=force, watcher=watcher)


def _paths(gathered: Gathered) -> Paths:
    """The paths of the tape's loans.

    Raises:
        Stopped: the tape carries no months with days past due.
    """
    tape = gathered.tape
    fix = "Add them with --months."
    if tape.months is None or tape.months["days_past_due"].null_count() == tape.months.height:
        found = "The tape carries no months with days past due."
        none = Problem("NO-MONTHS", "error", "--months", found, "Nothing moves.", fix)
        raise Stopped([none])
    return paths(
        tape.months, tape.loans, as_of=tape.as_of, events=tape.events, payments=tape.payments
    )


def due(
    request: Request, *, days: int, out: Path, force: bool = False, watcher: Watcher | None = None
) -> Done:
    """Whom to call before the next due date, best first: `due.csv`.

    Args:
        days: due dates within so many days after the cut-off date.

    Raises:
        Stopped: the tape cannot be used, or says no next due date.
    """

    def work(
        gathered: Gathered, products: Products, stages: Stages
    ) -> tuple[dict[str, object], list[str]]:
        tape, day = gathered.tape, gathered.tape.as_of
        if tape.loans["next_due_date"].null_count() == tape.loans.height:
            found = "No loan says when its next payment is due."
            fix = "Add next_due_date."
            raise Stopped([Problem("NO-DUE-DATES", "error", "next_due_date", found, "", fix)])
        with stages.stage("forecast"):
            found_, loans = forecast_of(gathered)
        with stages.stage("due"):
            table = _due(gathered, found_, loans)
            last = day + timedelta(days=days)
            table = table.filter(pl.col("next_due_date").is_between(day, last, closed="right"))
        products.csv("due.csv", table)
        worth = float((table["p_miss"] * table["worth_of_payment"]).sum())
        lines = [
            f"{table.height:,} loans are due within {days} days; a payment of each is worth {report.money(worth)}.",
            f"Best first: {out / 'due.csv'}",
        ]
        return {"loans": table.height, "days": days, "worth": worth}, lines

    return job(request, work, name="due", out=out, force=force, watcher=watcher)


def _due(gathered: Gathered, forecast: recovery.Forecast, loans: pl.DataFrame) -> pl.DataFrame:
    """A row a loan that is not past day 90: what is due, the chance that it is missed, what one payment is worth.

    A payment lowers the chance of reaching day 91 from what it is a month later to what it is a month earlier; the
    loss then is what the loan never pays, less its collateral.
    """
    tape, market = gathered.tape, gathered.market
    rule = conduct.limits(gathered.rulebook, tape.as_of)
    past = loans["days_past_due"].to_numpy().astype(np.float64)
    missed = misses.chance_of_default(past + _MONTH, market, tape.as_of)
    paid = misses.chance_of_default(np.maximum(past - _MONTH, 0.0), market, tape.as_of)
    loss = np.maximum(forecast.claim * forecast.unpaid - forecast.collateral.net, 0.0)
    miss = misses.chance_of_missing(loans, tape.months, market=market, as_of=tape.as_of)
    table = loans.select(
        "loan_id",
        "branch",
        "next_due_date",
        due_interest="next_due_interest",
        due_principal="next_due_principal",
        days="days_past_due",
    ).with_columns(
        p_miss=pl.Series(miss),
        p_hidden=pl.lit(None, pl.Float64),
        worth_of_payment=pl.Series((missed - paid) * loss),
        not_before=pl.lit(rule.not_before, pl.String),
        not_after=pl.lit(rule.not_after, pl.String),
        max_dials=pl.lit(rule.max_dials, pl.Int32),
        gain=pl.Series(miss * (missed - paid) * loss),
    )
    kept = table.filter(pl.col("days") <= 90, pl.col("next_due_date").is_not_null())
    return kept.sort("gain", "loan_id", descending=[True, False]).drop("gain", "days")
