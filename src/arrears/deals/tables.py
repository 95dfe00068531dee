"""Cash placed into the deal's periods, and what happened as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import polars as pl

from arrears.core.dates import add_months
from arrears.deals.deal import Deal
from arrears.deals.engine import Day
from arrears.problems import Problem


def place(deal: Deal, cash: pl.DataFrame) -> tuple[dict[int, list[int]] | None, list[Problem]]:
    """Collections by scenario and period (fen), from `scenario, month, collections`.

    Month 1 begins on the cut-off date, or on the day after where that begins a month; each month must lie within one
    collection period.
    """
    dates = deal.dates()
    after = deal.cutoff_date + timedelta(days=1)
    begins = after if after.day == 1 else deal.cutoff_date
    of_month: dict[int, int | None] = {}
    for month in cash["month"].unique().sort().to_list():
        first = add_months(begins, month - 1)
        last = add_months(begins, month) - timedelta(days=1)
        of_month[month] = next(
            (
                n
                for n, p in enumerate(dates)
                if p.collection_start <= first and last <= p.collection_end
            ),
            None,
        )
    lost = [month for month, period in of_month.items() if period is None]
    money = cash.filter(pl.col("month").is_in(lost), pl.col("collections") != 0)
    if money.height:
        total = int(money["collections"].abs().sum())
        text = f"{total:,} fen in months {min(lost)} to {max(lost)} reach no collection period."
        fix = (
            "Lengthen the schedule, or cut the collection periods at months from the cut-off date."
        )
        problem = Problem(
            "CASH-NO-PERIOD", "error", "--cash month", text, "Cash must reach an account.", fix
        )
        return None, [problem]
    known = {month: period for month, period in of_month.items() if period is not None}
    placed = cash.filter(pl.col("month").is_in(list(known))).with_columns(
        period=pl.col("month").replace_strict(known, return_dtype=pl.Int64)
    )
    sums = placed.group_by("scenario", "period").agg(pl.col("collections").sum())
    found = {scenario: [0] * len(dates) for scenario in cash["scenario"].unique().sort().to_list()}
    for scenario, period, amount in sums.iter_rows():
        found[scenario][period] = amount
    return found, []


def tranches(days: Mapping[int, Sequence[Day]]) -> pl.DataFrame:
    """`tranches.parquet`: a row a scenario, period and class."""
    rows = [
        {
            "scenario": scenario,
            "period": day.t,
            "tranche": name,
            "date": day.period.payment_date,
            "opening": book.balance_open,
            "interest_due": book.due,
            "interest_paid": book.interest_paid,
            "interest_unpaid": book.due - book.interest_paid,
            "principal_paid": book.principal_paid,
            "closing": book.balance_open - book.principal_paid,
        }
        for scenario, run in days.items()
        for day in run
        for name, book in day.classes.items()
    ]
    return pl.DataFrame(rows)


def moves(days: Mapping[int, Sequence[Day]]) -> pl.DataFrame:
    """`moves.parquet`: every movement of cash, a row each; what comes in, then what the steps pay."""
    rows = []
    for scenario, run in days.items():
        for day in run:
            told = {"scenario": scenario, "period": day.t, "date": day.period.payment_date}
            came = (("pool", day.credited), ("reserve", day.reserve_open), ("call", day.call_price))
            for source, amount in came:
                if amount:
                    rows.append(
                        told
                        | {
                            "from": source,
                            "to": "cash",
                            "amount": amount,
                            "step": "inflow",
                            "reason": day.mode,
                        }
                    )
            for step, to, amount in day.moves:
                rows.append(
                    told
                    | {"from": "cash", "to": to, "amount": amount, "step": step, "reason": day.mode}
                )
    return pl.DataFrame(rows)
