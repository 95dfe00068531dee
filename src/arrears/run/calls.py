"""`due`: whom to call before the next payment falls due, by what a call is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from arrears import conduct, report, standing
from arrears.core.words import counted
from arrears.problems import Problem
from arrears.recovery.histories.misses import Ahead, ahead
from arrears.recovery.histories.states import bucket
from arrears.recovery.params import Floats
from arrears.run.gather import Gathered
from arrears.run.job import Done, job
from arrears.run.products import Products
from arrears.run.request import Request
from arrears.run.stages import Stages, Watcher
from arrears.run.stopped import Stopped
from arrears.run.unseen import stand
from arrears.run.values import forecast_of

_MONTH = 30
_QUARTER = 3.0
_HIDES = 0.5
_LAST = 90
_MOST_DAYS = 36_500


def due(
    request: Request, *, days: int, out: Path, force: bool = False, watcher: Watcher | None = None
) -> Done:
    """Whom to call before the next due date, best first: `due.csv`, and `due.xlsx` with a sheet a branch.

    Args:
        days: due dates within so many days after the cut-off date, at least 1.

    Raises:
        Stopped: the tape cannot be used, or says no next due date, or `days` is no number of days.
    """
    if not 1 <= days <= _MOST_DAYS:
        found = f"{counted(days, 'day')} ahead lies no payment."
        fix = f"Give 1 to {_MOST_DAYS:,}."
        raise Stopped([Problem("BAD-DAYS", "error", "--days", found, "", fix)])
    noticed: list[Problem] = []

    def work(
        gathered: Gathered, products: Products, stages: Stages
    ) -> tuple[dict[str, object], list[str]]:
        tape = gathered.tape
        if tape.loans["next_due_date"].null_count() == tape.loans.height:
            found = "No loan says when its next payment is due."
            fix = "Add next_due_date."
            raise Stopped([Problem("NO-DUE-DATES", "error", "next_due_date", found, "", fix)])
        noticed.extend(_left_out(gathered))
        table, learnt = _calls(gathered, days, stages)
        rule = conduct.limits(gathered.rulebook, tape.as_of)
        with stages.stage("write"):
            products.csv("due.csv", table)
            path = products.folder / "due.xlsx"
            report.due_workbook(
                table,
                path,
                report.DueFacts(tape.as_of, days, learnt.loan_months, rule),
                all_rows=request.excel_all,
            )
            products.adopt("due.xlsx")
        return _told(table, gathered, days, out)

    done = job(
        request, work, name="due", out=out, force=force, watcher=watcher, asked={"days": days}
    )
    return replace(done, problems=(*done.problems, *noticed))


def _left_out(gathered: Gathered) -> list[Problem]:
    """Loans that owe and are not bad yet, and whose next due date is missing or has passed."""
    tape = gathered.tape
    runs = tape.loans.filter(pl.Series(tape.claim > 0), pl.col("days_past_due") <= _LAST)
    missing = runs.filter(pl.col("next_due_date").is_null())
    passed = runs.filter(pl.col("next_due_date") <= tape.as_of)
    found = []
    for code, rows, what, said, fix in (
        ("DUE-DATE-MISSING", missing, ("loan says", "loans say"), "no next due date", "Add next_due_date."),
        ("DUE-DATE-PASSED", passed, ("next due date lies", "next due dates lie"), "on or before the cut-off date",
         "Give the next one."),
    ):  # fmt: skip
        if rows.height:
            text = f"{counted(rows.height, *what)} {said}, e.g. loan {rows['loan_id'][0]}."
            why = "They are not on the list."
            found.append(Problem(code, "warning", "loans next_due_date", text, why, fix))
    return found


def _calls(gathered: Gathered, days: int, stages: Stages) -> tuple[pl.DataFrame, Ahead]:
    """A row a loan that is due within so many days and not past day 90, best call first."""
    tape = gathered.tape
    with stages.stage("forecast"):
        forecast, loans = forecast_of(gathered)
    with stages.stage("hidden"):
        unseen = stand(gathered)[0].filter(pl.Series(tape.claim > 0))
    with stages.stage("due"):
        more = {"events": tape.events, "payments": tape.payments}
        learnt = ahead(loans, tape.months, market=gathered.market, as_of=tape.as_of, **more)
        last = tape.as_of + timedelta(days=days)
        soon = loans.select(
            pl.col("next_due_date").is_between(tape.as_of, last, closed="right")
            & (pl.col("days_past_due") <= _LAST)
        ).to_series().fill_null(False)  # fmt: skip
        mine = loans.filter(soon)
        part = soon.to_numpy()
        never = forecast.claim * forecast.unpaid
        loss = np.maximum(never - forecast.collateral.net, 0.0)[part]
        pursuit = _pursuit(gathered, mine, (forecast.claim - never)[part])
        hidden = unseen["p_hidden"].filter(soon)
        table = _priced(
            gathered, mine, learnt, miss=learnt.miss[part], sums=(loss, pursuit), hidden=hidden
        )
    return table, learnt


def _pursuit(gathered: Gathered, loans: pl.DataFrame, comes_in: Floats) -> Floats:
    """Cost of pursuing each loan once it is bad (n,), fen: commission on what comes in, and a quarter's calls."""
    market, day = gathered.market, gathered.tape.as_of
    commission = market.table("channels/commission", day)[0][1]
    hours = _by_contact(loans, market.numbers("channels/call_hours", day))
    return commission * comes_in + hours * market.number("channels/call_hour_cost", day)


def _by_contact(loans: pl.DataFrame, values: dict[str, float]) -> Floats:
    words = loans["contact_status"].fill_null("unknown")
    found: Floats = words.replace_strict(
        values, default=values["unknown"], return_dtype=pl.Float64
    ).to_numpy()
    return found


def _priced(
    gathered: Gathered,
    loans: pl.DataFrame,
    learnt: Ahead,
    *,
    miss: Floats,
    sums: tuple[Floats, Floats],
    hidden: pl.Series,
) -> pl.DataFrame:
    """What one payment keeps from happening, what it only hides, and what a call for it is worth (fen).

    A month after the due date the loan is a month further on if the payment is missed. What a payment keeps off is the
    difference in the chance of going bad, times the loss then (which provisions have to cover) and the cost of pursuit;
    of a loan that is bad already it keeps off nothing: it hides it. A call lowers the chance of a miss by its effect on
    the logit of paying (ladder/call, METHODS 4.2), as far as the borrower can be reached.
    """
    market, day = gathered.market, gathered.tape.as_of
    ahead_days = (loans["next_due_date"] - day).dt.total_days().to_numpy()
    past = loans["days_past_due"].to_numpy()
    missed = np.where(past > 0, past + ahead_days + _MONTH, _MONTH).astype(np.int32)
    paid = np.where(past > 0, past + ahead_days, 0).astype(np.int32)
    kept = np.maximum(_reach(learnt, missed) - _reach(learnt, paid), 0.0)
    loss, pursuit = sums
    sound = 1.0 - hidden.fill_null(0.0).to_numpy()
    worth = sound * kept * (loss + pursuit)
    words = ("reachable", "unreachable", "vanished", "unknown")
    reached = {word: market.numbers(f"ladder/{word}", day)["call"] for word in words}
    effect = market.numbers("ladder/call", day)["early"] * _by_contact(loans, reached)
    called = miss / (miss + (1.0 - miss) * np.exp(effect))
    hours = _by_contact(loans, market.numbers("channels/call_hours", day)) / _QUARTER
    cost = hours * market.number("channels/call_hour_cost", day)
    rule = conduct.limits(gathered.rulebook, day)
    classes = {
        name: _class_at(gathered, loans, days)
        for name, days in (("class_if_paid", paid), ("class_if_missed", missed))
    }
    table = loans.select(
        "loan_id",
        "branch",
        "next_due_date",
        due_interest="next_due_interest",
        due_principal="next_due_principal",
        p_miss=pl.Series(miss),
        p_hidden=hidden,
        worth_of_payment=pl.Series(worth),
        not_before=pl.lit(rule.not_before, pl.String),
        not_after=pl.lit(rule.not_after, pl.String),
        max_dials=pl.lit(rule.max_dials, pl.Int32),
        call_lowers_by=pl.Series(miss - called),
        worth_of_call=pl.Series((miss - called) * worth - cost),
        **classes,
        provision_kept_off=pl.Series(sound * kept * loss),
        pursuit_kept_off=pl.Series(sound * kept * pursuit),
        only_hidden=pl.Series((1.0 - sound) * kept * (loss + pursuit)),
        only_hides=(hidden >= _HIDES).fill_null(False),
        days_past_due="days_past_due",
        borrower_id="borrower_id",
        collector=pl.coalesce("collector", "branch"),
        contact_status="contact_status",
    )
    return table.sort("worth_of_call", "loan_id", descending=[True, False])


def _reach(learnt: Ahead, days: np.ndarray) -> Floats:
    at = pl.select(bucket(pl.lit(pl.Series(days)))).to_series().to_numpy()
    found: Floats = learnt.reach[at]
    return found


def _class_at(gathered: Gathered, loans: pl.DataFrame, days: np.ndarray) -> pl.Series:
    """The class by the rules with other days past due, everything else as it is."""
    tape = gathered.tape
    later = loans.with_columns(days_past_due=pl.Series(days, dtype=pl.Int32))
    found = standing.classify(
        later, as_of=tape.as_of, rulebook=gathered.rulebook, months=tape.months, events=tape.events
    )
    return found["five_tier"]


def _told(
    table: pl.DataFrame, gathered: Gathered, days: int, out: Path
) -> tuple[dict[str, object], list[str]]:
    """The summary, and the lines."""
    worthwhile = table.filter(pl.col("worth_of_call") > 0)
    gain = float(worthwhile["worth_of_call"].sum())
    hides = int(table["only_hides"].sum())
    falls = table.filter(_worse())
    summary: dict[str, object] = {
        "loans": table.height, "days": days, "worth": float((table["p_miss"] * table["worth_of_payment"]).sum()),
        "worth_calling": worthwhile.height, "gain": gain, "only_hides": hides,
    }  # fmt: skip
    if table.is_empty():
        tape = gathered.tape
        runs = tape.loans.filter(pl.Series(tape.claim > 0), pl.col("days_past_due") <= _LAST)
        later = runs["next_due_date"].filter(runs["next_due_date"] > tape.as_of).sort()
        told = f"the next one on {later[0]}" if len(later) else "and none later"
        return summary, [
            f"Nothing is due within {counted(days, 'day')}, {told}.",
            f"List      {out / 'due.csv'}",
        ]
    rule = conduct.limits(gathered.rulebook, gathered.tape.as_of)
    hours = "no rule on hours or dials was in force on this date"
    if rule.not_before:
        hours = f"{rule.not_before} to {rule.not_after}, at most {rule.max_dials} dials a day and number"
    fall = ""
    if table["class_if_missed"].null_count() < table.height:
        fall = f"; {falls.height:,} fall a class if they miss"
    lines = [
        f"Due       {counted(table.height, 'loan')} within {counted(days, 'day')}{fall}",
        f"Call      {worthwhile.height:,} of them, worth {report.money(gain)} after the cost of calling",
        f"Hours     {hours}",
        *(
            [
                f"Hides     {counted(hides, 'loan is', 'loans are')} likely bad already: a payment only hides it"
            ]
            if hides
            else []
        ),
        f"List      {out / 'due.csv'}; by branch: {out / 'due.xlsx'}",
    ]
    return summary, lines


def _worse() -> pl.Expr:
    """Whether a miss makes the class worse."""
    order = {**standing.SEVERITY, "performing": 0, "non_performing": 2}
    kept, lost = (
        pl.col(f"class_if_{word}").replace_strict(order, default=None, return_dtype=pl.Int8)
        for word in ("paid", "missed")
    )
    return (lost > kept).fill_null(False)
