"""`classify` and `history`: what the book is, and how it moved."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from arrears import report
from arrears.core.words import counted
from arrears.problems import Problem
from arrears.recovery.histories import chains, moves, rolls, semi_markov
from arrears.recovery.histories.paths import Paths, paths
from arrears.run.gather import Gathered
from arrears.run.job import Done, job
from arrears.run.products import Products
from arrears.run.request import Request
from arrears.run.resolution import three_ways, write_three_ways
from arrears.run.stages import Stages, Watcher
from arrears.run.stopped import Stopped
from arrears.run.summarised import hidden_told
from arrears.run.unseen import stand
from arrears.tape import Tape
from arrears.tape.rebuild import rebuilt


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
            f"Owed      {report.money(total['claim'])}, {counted(int(total['loans'] or 0), 'loan')}",
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
            "warnings": three.warnings.filter(cut="total").to_dicts(),
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
                pooled=rolls.pooled(moved),
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
            whole = past.pooled
            summary: dict[str, object] = {
                "moves": int(past.roll["n"].sum()),
                "months": "given" if tape.months is not None else "rebuilt from payments",
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
            *([] if tape.months is not None else ["Months    rebuilt from payments and terms"]),
            f"Foretold  by {'a logit from ' + ', '.join(won) + ', else ' if won else ''}the chain",
            f"Report    {out / 'history.html'}",
        ]
        return summary, lines

    return job(request, work, name="history", out=out, force=force, watcher=watcher)


def _months(tape: Tape) -> pl.DataFrame | None:
    """The months of a tape; where it has none, those that its payments and schedules tell."""
    if tape.months is not None or tape.payments is None:
        return tape.months
    return rebuilt(tape.loans, tape.payments, tape.as_of)


def _paths(gathered: Gathered) -> Paths:
    """The paths of the tape's loans.

    Raises:
        Stopped: the tape carries no months with days past due, nor payments to rebuild them from.
    """
    tape = gathered.tape
    months = _months(tape)
    if months is None or months["days_past_due"].null_count() == months.height:
        found = "The tape carries no months with days past due."
        fix = "Add them with --months, or --payments of loans whose terms are known."
        none = Problem("NO-MONTHS", "error", "--months", found, "Nothing moves.", fix)
        raise Stopped([none])
    return paths(months, tape.loans, as_of=tape.as_of, events=tape.events, payments=tape.payments)
