"""The main job: from a tape of loans to the way out of each, and the papers for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

import polars as pl

from arrears import channels, handover, plan, recovery, report, rules, standing
from arrears.core.words import counted
from arrears.files import staged
from arrears.files.folder import RECORD
from arrears.plan import WhatIf
from arrears.problems import Problem
from arrears.run import record as run_record
from arrears.run import steps
from arrears.run.deals import package_reports
from arrears.run.early import Early
from arrears.run.gather import Gathered, gather
from arrears.run.products import Products, to_json
from arrears.run.request import Request
from arrears.run.stages import Stages, Watcher
from arrears.run.stopped import ANSWER_IS_NO, Stopped
from arrears.run.unseen import stand
from arrears.run.values import forecast_of
from arrears.standing.hidden import Hidden
from arrears.tape import Tape
from arrears.tape.link import debtors, link

_HANDOVER = "handover"


@dataclass(frozen=True)
class Resolution:
    """What a run found: the tables of the products, and the record.

    Attributes:
        reasons: `hidden_why.parquet`.
        situation: the loans that owe anything, with class, forecast, holder and law, in the order of the plan.
        record: the content of `run.json`.
        decision: what the papers are made of.
        changes: what is other than in the plan before; None where none was named.
    """

    tape: Tape
    standing: pl.DataFrame
    situation: channels.Situation
    offers: channels.Offers
    plan: plan.PlanResult
    three: report.ThreeWays
    reasons: pl.DataFrame
    ratios: pl.DataFrame
    outcomes: pl.DataFrame
    disposals: pl.DataFrame
    packages: pl.DataFrame
    what_if: WhatIf
    record: run_record.Record
    decision: handover.Decision
    problems: tuple[Problem, ...]
    changes: pl.DataFrame | None = None

    @property
    def book(self) -> pl.DataFrame:
        """`book.csv`."""
        return self.three.book


def resolve(
    request: Request,
    *,
    out: Path | None = None,
    force: bool = False,
    watcher: Watcher | None = None,
) -> Resolution:
    """Find the best lawful way out of each loan; products go to `out` where it is given.

    Raises:
        Stopped: the input cannot be used (status 2), or floors cannot be met (status 1).
        BadArgument: `out` cannot be written to.
    """
    stages = Stages(watcher)
    if out is None:
        return _find(request, stages, Early(None))
    with staged(out, force=force) as place:
        products = Products(place.folder)
        with Early(products) as early:
            resolution = _find(request, stages, early)
            _write(resolution, request, products, early=early, stages=stages)
    return resolution


def _find(request: Request, stages: Stages, early: Early) -> Resolution:
    gathered = _read(request, stages)
    with stages.stage("classify"):
        classed, hidden = stand(gathered)
    with stages.stage("contacts"):
        seen = steps.learned(gathered)
    situation = situate(gathered, classed, stages, seen)
    # Until here Polars has work for all processors.
    early.write(_write_debtors, gathered.tape)
    early.write(_write_tape, gathered.tape)
    early.table("standing.parquet", classed)
    early.table("forecast.parquet", situation.forecast.table)
    early.table("curve.parquet", situation.forecast.curve)
    with stages.stage("suits"):
        suits = steps.suits(gathered, situation)
        given = steps.terms(gathered)
        situation = replace(situation, suits_bring=suits.bring, terms_broken=given.monthly)
    with stages.stage("offers"):
        offers = channels.offers(situation, stages.watcher.advance)
    with stages.stage("plan"):
        offers, result = steps.planned(gathered, offers, stages.watcher.advance)
    situation = offers.situation
    if isinstance(result, plan.Unreachable):
        raise Stopped([*result.problems(), *gathered.problems], ANSWER_IS_NO)
    decision = handover.Decision(
        gathered.tape,
        situation,
        offers,
        result,
        handover.facts(gathered.tape, gathered.rulebook),
        gathered.letter,
        request.excel_all,
    )
    early.write(_write_offers, offers)
    early.table("plan.parquet", result.table)
    early.write(_write_papers, decision)
    with stages.stage("book"):
        three = three_ways(gathered, classed, hidden)
        reasons = hidden.reasons()
    with stages.stage("ratios"):
        ratios = plan.ratios(situation, offers, result)
        outcomes = plan.outcomes(situation, offers, result)
        disposals = plan.disposals(situation, offers)
        packages = plan.package_table(offers, result)
        principal_ban = plan.ban_costs(situation, offers, result)
    with stages.stage("what if"):
        what_if = plan.what_if(result, gathered.capacities, ratios=ratios)
    with stages.stage("inputs"):
        record = run_record.of_tape(gathered)
    record["fills"] = [*cast("list[object]", record["fills"]), *_fills(gathered)]
    record |= {
        "plan": _plan_told(result),
        "principal_ban": principal_ban,
        "steps": [] if seen is None else seen.table.to_dicts(),
        "suits": asdict(suits),
        "terms": asdict(given),
    }
    off = plan.put_off(result, gathered.capacities)
    problems = (*gathered.problems, *_late_suits(situation, result), *off)
    return Resolution(
        tape=gathered.tape,
        standing=classed,
        situation=situation,
        offers=offers,
        plan=result,
        three=three,
        reasons=reasons,
        ratios=ratios,
        outcomes=outcomes,
        disposals=disposals,
        packages=packages,
        what_if=what_if,
        record=record,
        decision=decision,
        problems=problems,
        changes=None
        if gathered.previous is None
        else report.changes(gathered.previous, result.table, offers),
    )


def three_ways(gathered: Gathered, classed: pl.DataFrame, hidden: Hidden) -> report.ThreeWays:
    """The book as reported, by the rules and with what is hidden, by other standards, and what stands out in it."""
    loans = gathered.tape.loans
    book = report.book(loans, classed, hidden)
    return report.ThreeWays(
        book=book,
        standards=standards_of(gathered, classed),
        warnings=report.warnings(loans, classed),
        findings=report.findings(loans, classed, book, hidden),
        why=hidden.why,
    )


def standards_of(gathered: Gathered, classed: pl.DataFrame) -> pl.DataFrame:
    """The same book under the law of the run and under each standard that it may be compared by."""
    law, tape = gathered.rulebook, gathered.tape
    books = {law.name: law}
    books |= {name: rules.load(name) for name in ("cn", *rules.STANDARDS) if name != law.standard}
    standings = {
        name: classed
        if book is law
        else standing.classify(
            tape.loans, as_of=tape.as_of, rulebook=book, months=tape.months, events=tape.events
        )
        for name, book in books.items()
    }
    titles = {name: _main_article(name) for name in books}
    return report.by_standard(tape.loans, standings, titles)


def _main_article(name: str) -> str:
    return {"eba": "EBA-NPE", "basel": "BCBS-D403", "ifrs9": "IFRS9-B5.5.37"}.get(
        name, "CN-CLASS-2023"
    )


def _late_suits(situation: channels.Situation, result: plan.PlanResult) -> list[Problem]:
    """A warning where claims are to be sued for although their limitation has passed (READINGS 7.2)."""
    sued = (result.table["channel"] == "litigate").to_numpy()
    late = int((sued & situation.limitation_passed).sum())
    if not late:
        return []
    found = f"{late:,} claims planned for court are past their limitation."
    why = "The court does not raise it, the borrower may; their chance is taken as lower."
    fix = "Look for a demand or a payment that interrupts it, and add it to the tape."
    return [Problem("LIMITATION-PASSED", "warning", "limitation_ends", found, why, fix)]


def _read(request: Request, stages: Stages) -> Gathered:
    """All that the user gave, of which something is owed."""
    with stages.stage("read"), ThreadPoolExecutor(1) as beside:
        # What forecasts is loaded while the tape is read.
        ready = beside.submit(recovery.get_ready)
        gathered = gather(request)
        # Not every way of running kernels lets two threads do so at once.
        ready.result()
    _something_is_owed(gathered)
    return gathered


def _something_is_owed(gathered: Gathered) -> None:
    """Raises Stopped where no loan of the tape owes anything."""
    counts = gathered.tape.counts
    if counts.closed < counts.accepted:
        return
    text = (
        f"{counted(counts.accepted, 'loan is', 'loans are')} accepted, none of which owes anything."
    )
    fix = "Check principal, interest and fees; `classify` and `history` take such a tape."
    why = "There is nothing left to work on."
    problem = Problem("NOTHING-OWED", "error", "loans", text, why, fix)
    raise Stopped([problem, *gathered.problems])


def _plan_told(result: plan.PlanResult) -> dict[str, object]:
    """What the record tells of the plan."""
    names = ("value", "bound", "gap", "pool_costs", "moved", "switching")
    return {name: getattr(result, name) for name in names}


def _fills(gathered: Gathered) -> list[dict[str, object]]:
    """Nulls that classing and forecast read in a named way, as the record counts them."""
    loans = gathered.tape.loans
    found = [*standing.fills(loans), *recovery.fills(loans), *channels.fills(loans)]
    return [{"column": column, "rule": rule, "rows": rows} for column, rule, rows in found]


def classify(gathered: Gathered) -> pl.DataFrame:
    """The standing of every accepted loan."""
    return stand(gathered)[0]


def situate(
    gathered: Gathered,
    classed: pl.DataFrame,
    stages: Stages,
    seen: channels.Uplift | None = None,
) -> channels.Situation:
    """The loans that owe anything, with all that a way out is judged by.

    Args:
        seen: what steps to collect add by the holder's own contacts.
    """
    tape = gathered.tape
    with stages.stage("forecast"):
        forecast, loans = forecast_of(gathered)
    return channels.Situation(
        loans=loans,
        standing=classed.filter(pl.Series(tape.claim > 0)),
        forecast=forecast,
        rulebook=gathered.rulebook,
        holder=gathered.holder,
        market=gathered.market,
        as_of=tape.as_of,
        events=tape.events,
        steps_add=None if seen is None else seen.effect,
        held_out=steps.held_out(loans["loan_id"], gathered.request.holdout, gathered.request.seed),
    )


def _write(
    resolution: Resolution, request: Request, products: Products, *, early: Early, stages: Stages
) -> None:
    """All products that are not written yet, and the record last."""
    with stages.stage("tables"):
        _write_tables(products, resolution)
    with stages.stage("packages"):
        proposed = _write_packages(products, resolution.decision)
    with stages.stage("report"):
        # The page tells of the debtors, whose table was asked for first.
        early.wait(1)
        _write_report(products, resolution, proposed, every=request.excel_all)
    with stages.stage("papers"):
        early.wait()
    products.adopt_all(_HANDOVER)
    record = resolution.record
    record["products"] = dict(sorted(products.hashes.items()))
    record["seconds"] = stages.seconds
    (products.folder / RECORD).write_text(to_json(record), encoding="utf-8")


def _write_tables(products: Products, resolution: Resolution) -> None:
    """The tables that stand last."""
    products.table("hidden_why.parquet", resolution.reasons)
    products.table("capacities.parquet", resolution.what_if.capacities)
    products.table("ladders.parquet", channels.ladder_table(resolution.situation))
    write_three_ways(products, resolution.three)
    products.csv("ratios.csv", resolution.ratios)
    products.csv("outcomes.csv", resolution.outcomes)
    products.csv("disposals.csv", resolution.disposals)
    products.csv("packages.csv", resolution.packages)
    products.csv("whatif.csv", resolution.what_if.cases)
    products.csv("frontier.csv", resolution.what_if.frontier)


def write_three_ways(products: Products, three: report.ThreeWays) -> None:
    """The tables of the book three ways."""
    for name in ("book", "standards", "warnings", "findings"):
        products.csv(f"{name}.csv", getattr(three, name))


def _write_tape(products: Products, tape: Tape) -> None:
    """What was accepted, and what was not."""
    products.table("accepted.parquet", tape.loans)
    for name, table in (("months", tape.months), ("events", tape.events)):
        if table is not None:
            products.table(f"accepted_{name}.parquet", table)
    products.csv("quarantine.csv", tape.quarantine)


def _write_debtors(products: Products, tape: Tape) -> None:
    """Who owes how much in all."""
    products.table("debtors.parquet", debtors(tape.loans, link(tape.loans)))


def _write_offers(products: Products, offers: channels.Offers) -> None:
    """All ways of all loans."""
    products.stream("offers.parquet", offers.tables())


def _write_papers(products: Products, decision: handover.Decision) -> None:
    """What those who carry the plan out are given."""
    handover.write_papers(decision, products.folder / _HANDOVER)


def _write_packages(products: Products, decision: handover.Decision) -> list[dict[str, object]]:
    """What leaves, and what its deals bring."""
    folder = products.folder / _HANDOVER
    handover.write_packages(decision, folder)
    return package_reports(folder)


def _write_report(
    products: Products, resolution: Resolution, proposed: list[dict[str, object]], *, every: bool
) -> None:
    """The plan as people read it, sort it and filter it."""
    contents = report.Contents(
        tape=resolution.tape,
        standing=resolution.standing,
        situation=resolution.situation,
        plan=resolution.plan,
        three=resolution.three,
        record=resolution.record,
        ratios=resolution.ratios,
        outcomes=resolution.outcomes,
        disposals=resolution.disposals,
        packages=resolution.packages,
        deals=proposed,
        what_if=resolution.what_if,
        debtors=pl.read_parquet(products.folder / "debtors.parquet"),
        changes=resolution.changes,
    )
    products.text("report.html", report.html(contents))
    report.workbook(contents, products.folder / "plan.xlsx", all_rows=every)
    products.adopt("plan.xlsx")
