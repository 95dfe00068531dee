"""`fit`: a recovery model from a tape's own history."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import arrears
from arrears import report, standing
from arrears.core.words import counted
from arrears.problems import Problem
from arrears.recovery.fitting.features import month_index, month_of
from arrears.recovery.params import collections
from arrears.run.gather import Gathered
from arrears.run.job import Done, job
from arrears.run.products import Products
from arrears.run.request import Request
from arrears.run.stages import Stages, Watcher
from arrears.run.stopped import Stopped
from arrears.run.strays import without_strays

if TYPE_CHECKING:
    from arrears.recovery.fitting.model import RecoveryModel

_HALF = 0.5
_SILENT = 10.0
# A payment of more than this many times the first principal, or of what is still owed where that is not told, is
# no payment on this loan.
_TIMES, _TIMES_OWED = 1.5, 10


def fit(
    request: Request, *, out: Path, force: bool = False, watcher: Watcher | None = None
) -> Done:
    """Fit recovery on history: `model.json, fit.html, pools.csv, triangle_default.csv`, triangle_purchase.csv.

    Raises:
        Stopped: the tape cannot be used, or carries neither payments nor months.
        FitMissing: a library of fitting is not installed.
    """
    found: list[Problem] = []

    def work(
        gathered: Gathered, products: Products, stages: Stages
    ) -> tuple[dict[str, object], list[str]]:
        from arrears.recovery.fitting import pools
        from arrears.recovery.fitting.person_period import history

        tape = gathered.tape
        payments, months = _tables(gathered, found)
        with stages.stage("history"):
            past = history(
                tape.loans, as_of=tape.as_of, payments=payments, months=months, events=tape.events
            )
            kinds = [pools.by_default(past), pools.by_purchase(past)]
        found.extend(_silent(payments, past.end))
        with stages.stage("fit"):
            model = _fit(gathered, past, source="months" if payments is None else "payments")
        found.extend(_thin(model))
        with stages.stage("write"):
            products.text("model.json", model.model_dump_json(indent=1) + "\n")
            products.csv("pools.csv", pl.concat([kind.table for kind in kinds]))
            for kind in kinds:
                if kind.ladder is not None:
                    products.csv(f"triangle_{kind.by}.csv", kind.triangle)
            products.text("fit.html", report.fit_page(model, kinds))
        return _summary(model, found), _lines(model, out)

    return job(request, work, name="fit", out=out, force=force, watcher=watcher, more=found)


def _tables(
    gathered: Gathered, found: list[Problem]
) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
    """Payments that can be believed, and months.

    Raises:
        Stopped: the tape has neither.
    """
    tape = gathered.tape
    payments, months = tape.payments, tape.months
    if payments is None and months is None:
        text = "The tape carries neither payments nor months."
        fix = "Add --payments or --months."
        why = "A model is fitted on what loans have paid."
        raise Stopped([Problem("NO-HISTORY", "error", "--payments", text, why, fix)])
    end = month_of(tape.as_of)
    if months is not None:
        months = without_strays(months, table="months", column="month", end=end, found=found)
    if payments is None:
        return None, months
    payments = without_strays(payments, table="payments", column="date", end=end, found=found)
    known = tape.loans.select(
        "loan_id",
        most=pl.coalesce(
            _TIMES * pl.col("original_principal"),
            _TIMES_OWED * pl.sum_horizontal("principal", "interest", "fees"),
        ),
    )
    placed = payments.join(known, on="loan_id", how="left", maintain_order="left")
    over = placed.filter((pl.col("amount") > pl.col("most")) & (pl.col("most") > 0))
    if over.height:
        many = counted(over.height, "payment is", "payments are")
        text = f"{many} larger than the debt, e.g. of loan {over['loan_id'][0]}."
        fix = "Check the amounts and their unit."
        why = "They are left out of the fit."
        found.append(Problem("PAYMENT-OVER-DEBT", "warning", "payments amount", text, why, fix))
    kept = placed.filter(
        ~((pl.col("amount") > pl.col("most")) & (pl.col("most") > 0)).fill_null(False)
    )
    return kept.drop("most"), months


def _silent(payments: pl.DataFrame | None, end: int) -> list[Problem]:
    """A warning where payments end long before the cut-off date: nobody can tell a dry spell from a short export.

    Args:
        end: the last whole month seen.
    """
    if payments is None or payments.is_empty():
        return []
    month = payments.select(month_index(pl.col("date")))["date"]
    last, first = int(month.max()), int(month.min())  # type: ignore[arg-type]
    usual = payments.height / (last - first + 1)
    silent = end - last
    # By chance so many months without any are seen once in twenty thousand times.
    if silent < 1 or usual * silent < _SILENT:
        return []
    text = (
        f"The last payment is of {payments['date'].sort()[-1]}; the {silent} whole months after it up to the cut-off "
        f"date hold none, where {usual:,.0f} a month were usual."
    )
    why = "They count as months in which nobody paid."
    fix = "Add the later payments, or give the tape and --as-of of the day on which they end."
    return [Problem("HISTORY-ENDS-EARLY", "warning", "--payments", text, why, fix)]


def _fit(gathered: Gathered, past, *, source) -> RecoveryModel:  # type: ignore[no-untyped-def]
    from arrears.recovery.fitting.fitter import fit_model

    tape, market, day = gathered.tape, gathered.market, gathered.tape.as_of
    curve = collections(
        market.number("recovery/curve_c1", day),
        market.number("recovery/curve_beta", day),
        int(market.number("recovery/curve_months", day)),
    )
    ends = standing.limitation_ends(
        tape.loans, as_of=day, rulebook=gathered.rulebook, events=tape.events
    )
    month = ends.dt.year().cast(pl.Int64) * 12 + ends.dt.month() - 1
    return fit_model(
        past,
        tape.loans,
        market=market,
        curve=curve,
        version=arrears.__version__,
        source=source,
        limited=np.array(month.fill_null(-1).to_numpy(), dtype=np.int64),
    )


def _thin(model: RecoveryModel) -> list[Problem]:
    """Warnings where the history is too thin to be believed: what is taken instead, and how much was missing."""
    where = "--months" if model.seen.source == "months" else "--payments"
    if not model.seen.loan_months:
        text = "No month of the history lies after a loan's day 91."
        why = "The market prior alone is used."
        fix = "Check the dates: the history ends before any default begins, or no loan was past due so long."
        return [Problem("NO-LOAN-MONTHS", "warning", where, text, why, fix)]
    thin = {
        name: belief
        for name, belief in model.products.items()
        if belief.expected > 0 and belief.z < _HALF
    }
    return [
        Problem(
            "FIT-TOO-LITTLE",
            "warning",
            f"{where} {name}",
            f"{belief.payments:,} payments where {belief.expected:.1f} were expected.",
            f"The market prior weighs {100 * (1 - belief.z):.0f} %; for a weight of a half the history lacks "
            f"{belief.missing:.0f} expected payments",
            "Add older months, or more loans.",
        )
        for name, belief in thin.items()
    ]


def _summary(model: RecoveryModel, found: list[Problem]) -> dict[str, object]:
    return {
        "as_of": model.as_of.isoformat(),
        "seen": model.seen.model_dump(),
        "chosen": model.chosen,
        "why": model.why,
        "tests": {name: test.model_dump() for name, test in model.tests.items()},
        "believed": model.believed,
        "products": {name: belief.model_dump() for name, belief in model.products.items()},
        "share_paid": model.share_paid,
        "problems": [problem.as_dict() for problem in found],
    }


def _lines(model: RecoveryModel, out: Path) -> list[str]:
    seen = model.seen
    return [
        f"Seen      {counted(seen.payments, 'payment')} in {counted(seen.loan_months, 'loan-month')} past day 91",
        f"Taken     {model.chosen.replace('boosted', 'boosted trees')}. {model.why}",
        f"Believed  {report.percent(model.believed, 0)} own experience, the rest is the market prior",
        f"Model     {out / 'model.json'}; page: {out / 'fit.html'}",
    ]
