"""Cash placed into the deal's periods, and what happened as tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from arrears.core.dates import add_months
from arrears.core.words import counted
from arrears.deals import kernels as k
from arrears.deals.builder import LARGEST
from arrears.deals.deal import Deal
from arrears.deals.engine import Run
from arrears.deals.kernels import Ints
from arrears.problems import Problem

_WHY = "Cash must reach an account."
_SHOWN = 5


@dataclass(frozen=True)
class Cash:
    """Gross collections by payment date and scenario (T, S), fen, and the scenarios' own numbers (S,)."""

    collections: Ints
    names: Ints


def _of_months(deal: Deal, months: int) -> list[int | None]:
    """Period of each month from the cut-off date; None where it lies in none, or across two.

    Month 1 begins on the cut-off date, or on the day after where that begins a month.
    """
    dates = deal.dates()
    after = deal.cutoff_date + timedelta(days=1)
    begins = after if after.day == 1 else deal.cutoff_date
    found: list[int | None] = []
    for month in range(months):
        first = add_months(begins, month)
        last = add_months(begins, month + 1) - timedelta(days=1)
        inside = (
            n
            for n, one in enumerate(dates)
            if one.collection_start <= first and last <= one.collection_end
        )
        found.append(next(inside, None))
    return found


def dates_reached(deal: Deal, months: int) -> int:
    """How many payment dates have all their months among the first so many."""
    after = deal.cutoff_date + timedelta(days=1)
    begins = after if after.day == 1 else deal.cutoff_date
    told = add_months(begins, months) - timedelta(days=1)
    return sum(one.collection_end <= told for one in deal.dates())


def place(deal: Deal, cash: pl.DataFrame) -> tuple[Cash | None, list[Problem]]:
    """Collections by period and scenario, from `scenario, month, collections` (fen, months from 1)."""
    of_month = _of_months(deal, int(str(cash["month"].max())))
    periods = pl.Series([-1 if one is None else one for one in of_month], dtype=pl.Int64)
    placed = cash.with_columns(period=periods.gather(cash["month"] - 1))
    lost = placed.filter(pl.col("period") < 0, pl.col("collections") != 0)
    if lost.height:
        total = int(lost["collections"].abs().sum())
        first, final = (int(str(one)) for one in (lost["month"].min(), lost["month"].max()))
        text = f"{total:,} fen in months {first} to {final} reach no collection period."
        fix = (
            "Lengthen the schedule, or cut the collection periods at months from the cut-off date."
        )
        return None, [Problem("CASH-NO-PERIOD", "error", "--cash month", text, _WHY, fix)]
    problems = _gaps(cash)
    if problems:
        return None, problems
    names = cash["scenario"].unique().sort()
    gross = np.zeros((len(deal.dates()), len(names)), np.int64)
    inside = placed.filter(pl.col("period") >= 0)
    columns = np.searchsorted(names.to_numpy(), inside["scenario"].to_numpy())
    np.add.at(gross, (inside["period"].to_numpy(), columns), inside["collections"].to_numpy())
    if float(np.abs(gross).sum(axis=0, dtype=np.float64).max()) >= LARGEST:
        text = "A scenario collects more than 11 trillion yuan."
        fix = "Give collections in fen."
        return None, [Problem("CASH-TOO-LARGE", "error", "--cash collections", text, _WHY, fix)]
    return Cash(gross, names.to_numpy()), _ends_early(deal, of_month)


def _gaps(cash: pl.DataFrame) -> list[Problem]:
    """Months or scenarios that are missing, or told twice."""
    found = []
    rows = cash.group_by("scenario", "month").len()
    twice = rows.filter(pl.col("len") > 1).sort("scenario", "month")
    if twice.height:
        scenario, month, _ = twice.row(0)
        text = f"Scenario {scenario} tells month {month} twice."
        fix = "Give each month of each scenario one row."
        found.append(Problem("CASH-MONTH-TWICE", "error", "--cash month", text, _WHY, fix))
    last = int(str(cash["month"].max()))
    counts = rows.group_by("scenario").agg(pl.len()).sort("scenario")
    short = counts.filter(pl.col("len") < last)["scenario"].to_list()
    for scenario in short[:_SHOWN]:
        there = set(rows.filter(scenario=scenario)["month"].to_list())
        missing = [month for month in range(1, last + 1) if month not in there]
        told = ", ".join(map(str, missing[:_SHOWN])) + ("…" if len(missing) > _SHOWN else "")
        more = f" {len(short):,} scenarios have such gaps." if len(short) > 1 else ""
        text = f"Scenario {scenario} has no month {told}.{more}"
        fix = f"Give every scenario the months 1 to {last}; 0 where nothing comes in."
        where = f"--cash scenario {scenario}"
        found.append(Problem("CASH-MISSING-MONTH", "error", where, text, _WHY, fix))
    names = counts["scenario"]
    first, final = int(str(names.min())), int(str(names.max()))
    if final - first + 1 != len(names):
        gap = next(n for n in range(first, final) if n not in set(names.to_list()))
        text = f"Scenario {gap} is missing between {first} and {final}."
        fix = "Give it, or number the scenarios without gaps."
        found.append(Problem("CASH-MISSING-SCENARIO", "error", "--cash scenario", text, _WHY, fix))
    return found


def _ends_early(deal: Deal, of_month: list[int | None]) -> list[Problem]:
    """A warning where the cash ends before the deal does."""
    reached = max((one for one in of_month if one is not None), default=-1)
    missing = len(deal.dates()) - 1 - reached
    if missing <= 0:
        return []
    text = f"The cash ends {counted(missing, 'payment date')} before the deal does."
    fix = "Give more months, or fewer payments in the schedule."
    why = "Nothing is taken to come in after it."
    return [Problem("CASH-ENDS-EARLY", "warning", "--cash month", text, why, fix)]


def cash_table(cash: np.ndarray) -> pl.DataFrame:
    """`cash.parquet` from whole fen by scenario and month (S, M); scenarios from 0, months from 1."""
    scenarios, months = cash.shape
    return pl.DataFrame(
        {
            "scenario": np.repeat(np.arange(scenarios, dtype=np.int64), months),
            "month": np.tile(np.arange(1, months + 1, dtype=np.int64), scenarios),
            "collections": cash.astype(np.int64).reshape(-1),
        }
    )


def tranches(run: Run, names: Ints) -> pl.DataFrame:
    """`tranches.parquet`: a row a scenario, period and class, up to each scenario's final date."""
    program, dates = run.program, len(run.values)
    classes = list(program.classes.values())
    cells: dict[str, list[Ints]] = {name: [] for name in _CELLS}
    for one in classes:
        row = {
            name: run.values[:, run.kept[slot]].T
            for name, slot in (
                ("closing", one.balance),
                ("principal_paid", one.principal),
                ("interest_unpaid", one.interest.due),
                ("interest_paid", one.interest.paid),
            )
        }
        if one.tranche.role == "notional":
            row["closing"] = run.values[:, run.kept[one.base]].T
        row["opening"] = row["closing"] + row["principal_paid"]
        row["interest_due"] = row["interest_unpaid"] + row["interest_paid"]
        for name in _CELLS:
            cells[name].append(row[name])
    count = run.scenarios
    wide = (count, dates, len(classes))
    there = np.broadcast_to(run.alive.T[:, :, None], wide).reshape(-1)

    def column(values: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.broadcast_to(values, wide).reshape(-1)[there])

    ids = np.arange(dates)
    days = pl.Series([one.payment_date for one in program.dates])
    labels = pl.Series([one.tranche.name for one in classes])
    period = column(ids[None, :, None])
    which = column(np.arange(len(classes))[None, None, :])
    told = {
        "scenario": column(np.asarray(names)[:, None, None]),
        "period": period + 1,
        "tranche": labels.gather(which),
        "date": days.gather(period),
    }
    return pl.DataFrame(
        told | {name: column(np.stack(parts, axis=2)) for name, parts in cells.items()}
    )


_CELLS = (
    "opening",
    "interest_due",
    "interest_paid",
    "interest_unpaid",
    "principal_paid",
    "closing",
)


def moves(run: Run, names: Ints) -> pl.DataFrame:
    """`moves.parquet`: every movement of cash, a row each; what comes in, then what the steps pay, in their order."""
    program = run.program
    came = [("pool", k.CREDITED), ("reserve", k.RESERVE_OPEN), ("call", k.CALL)]
    sources = [source for source, _ in came] + ["cash"] * len(program.moves)
    targets = ["cash"] * len(came) + [to for _, _, to in program.moves]
    steps = ["inflow"] * len(came) + [step.label for _, step, _ in program.moves]
    inflow = np.stack([run.of(slot) for _, slot in came], axis=1)
    paid = np.where(run.alive[:, None, :], run.moves, 0)
    amounts = np.concatenate([inflow, paid], axis=1).transpose(2, 0, 1)
    scenario, period, column = np.nonzero(amounts)
    mode = run.values[:, run.kept[k.MODE]].T[scenario, period]
    days = pl.Series([one.payment_date for one in program.dates], dtype=pl.Date)
    words = pl.Series(["normal", "post_enforcement"])
    return pl.DataFrame(
        {
            "scenario": np.asarray(names)[scenario],
            "period": period + 1,
            "date": days.gather(period),
            "from": pl.Series(sources, dtype=pl.String).gather(column),
            "to": pl.Series(targets, dtype=pl.String).gather(column),
            "amount": amounts[scenario, period, column],
            "step": pl.Series(steps, dtype=pl.String).gather(column),
            "reason": words.gather(mode),
        }
    )
