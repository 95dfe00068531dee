"""What happened before the cut-off date: months, payments, events and contacts that fit the loans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.dates import add_months
from arrears.tape.columns import CONTACTS, EVENTS, MONTHS, PAYMENTS, Columns

_EPOCH = date(1970, 1, 1)
_C1, _BETA = 0.0889, 1.065
_PAID_AT_ONCE = 0.25
# Days before the cut-off date within which a loan that hides was renewed.
_RENEWED = (20, 330)
_DAYS_A_MONTH = 30

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Past:
    """The tables, and the columns of the loans that follow from them."""

    tables: dict[str, pl.DataFrame]
    last: list[pl.Series]


def history(
    drawn: dict[str, np.ndarray],
    frame: pl.DataFrame,
    *,
    months: int,
    as_of: date,
    g: np.random.Generator,
) -> Past:
    """Months back from the cut-off date.

    Before default a loan pays what is due; a hidden one pays interest alone, just before the month ends;
    after it, few pay, the fewer the older the default (METHODS 1.5).
    """
    ids, today = frame["loan_id"], (as_of - _EPOCH).days
    balance = drawn["principal"].astype(np.int64)
    rows: list[pl.DataFrame] = []
    for back in range(months):
        end = _month_end(as_of, back)
        first = date(end.year, end.month, 1)
        rows.append(_month(drawn, ids, balance, first=first, end=end, today=today, g=g))
        balance = balance + rows[-1]["paid_principal"].to_numpy()
    table = pl.concat(rows[::-1])
    lived = table.filter(table["alive"]).sort("loan_id", "month")
    payments = _payments(lived)
    last = frame.select("loan_id").join(
        payments.group_by("loan_id").agg(pl.col("date", "amount").sort_by("date").last()),
        on="loan_id",
        how="left",
        maintain_order="left",
    )
    due = _next_due(drawn, as_of)
    tables = {
        "payments": _shape(payments, PAYMENTS),
        "months": _shape(lived, MONTHS),
        "events": _shape(_events(drawn, frame, today, g), EVENTS),
        "contacts": _shape(_contacts(drawn, ids, today, g), CONTACTS),
    }
    return Past(
        tables,
        [last["date"].alias("last_payment_date"), last["amount"].alias("last_payment"), *due],
    )


def _month_end(as_of: date, back: int) -> date:
    """The cut-off date for the month of it, else the last day of an earlier month."""
    if back == 0:
        return as_of
    first = add_months(date(as_of.year, as_of.month, 1), 1 - back)
    return date.fromordinal(first.toordinal() - 1)


def _month(
    drawn: dict[str, np.ndarray],
    ids: pl.Series,
    balance: Ints,
    *,
    first: date,
    end: date,
    today: int,
    g: np.random.Generator,
) -> pl.DataFrame:
    """One month of every loan; `balance` is that of its end."""
    count, last = len(balance), (end - _EPOCH).days
    late_since = today - drawn["days"]
    days = np.where(drawn["days"] > 0, np.maximum(last - late_since, 0), 0)
    interest = np.round(balance * drawn["rate"] / 12).astype(np.int64)
    principal = np.where(drawn["product"] == "business", 0, balance // np.maximum(drawn["term"], 1))
    good = days == 0
    hidden = drawn["hidden"]
    age = np.maximum((days - 91) / 30.4375, 0.0) + 1.0
    pays = g.random(count) < np.where(days > 90, _C1 * age**-_BETA / _PAID_AT_ONCE, 0.25)
    some = np.where(days > 90, balance * _PAID_AT_ONCE, interest) * pays
    paid_interest = np.where(good, interest, np.where(hidden, interest, np.round(some))).astype(
        np.int64
    )
    paid_principal = np.where(good & ~hidden, principal, 0).astype(np.int64)
    span = (end - first).days
    on = np.where(hidden, span, g.integers(0, min(span, 27) + 1, count)) + (first - _EPOCH).days
    return pl.DataFrame(
        {
            "loan_id": ids,
            "month": pl.Series([first]).new_from_index(0, count),
            "due_principal": np.where(hidden, 0, principal).astype(np.int64),
            "due_interest": interest,
            "paid_principal": paid_principal,
            "paid_interest": paid_interest,
            "days_past_due": days.astype(np.int32),
            "balance": balance,
            "rate": drawn["rate"],
            "on": pl.Series(on.astype(np.int32)).cast(pl.Date),
            "alive": last - (today - drawn["seen"] * _DAYS_A_MONTH) > 31,
        }
    )


def _payments(lived: pl.DataFrame) -> pl.DataFrame:
    paid = pl.col("paid_principal") + pl.col("paid_interest")
    return lived.filter(paid > 0).select(
        "loan_id",
        date="on",
        amount=paid,
        principal_part="paid_principal",
        interest_part="paid_interest",
        source=pl.lit("borrower"),
    )


def _next_due(drawn: dict[str, np.ndarray], as_of: date) -> list[pl.Series]:
    """The next due date and what falls due, for loans that still run."""
    runs = drawn["days"] <= 90
    level = drawn["principal"] // np.maximum(drawn["term"] - drawn["seen"], 6)
    interest = np.round(drawn["principal"] * drawn["rate"] / 12).astype(np.int64)
    when = pl.Series([add_months(as_of, 1)]).new_from_index(0, len(runs))
    mask = pl.Series(runs)

    def kept(name: str, values: pl.Series) -> pl.Series:
        return pl.select(pl.when(mask).then(values)).to_series().alias(name)

    return [
        kept("next_due_date", when),
        kept("next_due_interest", pl.Series(interest)),
        kept("next_due_principal", pl.Series(level.astype(np.int64))),
    ]


def _events(
    drawn: dict[str, np.ndarray], frame: pl.DataFrame, today: int, g: np.random.Generator
) -> pl.DataFrame:
    """Renewals and extensions of hidden loans; demands, suits, judgments, restructurings and write-offs."""
    count = len(drawn["days"])
    first, last = _RENEWED
    # A loan younger than that is renewed within its own life.
    life = np.minimum(drawn["seen"] * _DAYS_A_MONTH, last)
    spread = (g.integers(first, last, count) - first) * (life - first) // (last - first)
    renewed = today - first - spread

    def some(kind: str, where: npt.NDArray[np.bool_], day: pl.Series) -> pl.DataFrame:
        mask = pl.Series(where)
        return (
            pl.DataFrame({"loan_id": frame["loan_id"], "date": day})
            .filter(mask)
            .with_columns(kind=pl.lit(kind))
        )

    days = pl.Series(renewed.astype(np.int32)).cast(pl.Date)
    sued = frame["legal_status"].is_in(["filed", "judged", "enforcing"]).to_numpy()
    filed = pl.Series((today - (drawn["days"] * 0.6).astype(np.int64)).astype(np.int32)).cast(
        pl.Date
    )
    parts = [
        some("renewal", drawn["hidden"] & (g.random(count) < 0.7), days),
        some("extension", drawn["hidden"] & (g.random(count) < 0.3), days),
        some("capitalised", drawn["hidden"] & (g.random(count) < 0.2), days),
        some("demand", frame["last_demand_date"].is_not_null().to_numpy(), frame["last_demand_date"]),
        some("filed", sued, filed),
        some("judged", frame["judgment_date"].is_not_null().to_numpy(), frame["judgment_date"]),
        some("restructured", frame["restructured_on"].is_not_null().to_numpy(), frame["restructured_on"]),
    ]  # fmt: skip
    return pl.concat(parts).sort("loan_id", "date", "kind")


def _contacts(
    drawn: dict[str, np.ndarray], ids: pl.Series, today: int, g: np.random.Generator
) -> pl.DataFrame:
    """Up to three steps of the last sixty days on each overdue loan."""
    late = np.flatnonzero(drawn["days"] > 0)
    which = np.repeat(late, g.integers(0, 4, len(late)))
    steps = g.choice(np.array(["text", "call", "call", "letter", "visit"]), len(which))
    outcomes = g.choice(np.array(["none", "none", "reached", "promise", "refused"]), len(which))
    back = np.minimum(g.integers(1, 60, len(which)), drawn["days"][which])
    return pl.DataFrame(
        {
            "loan_id": ids.gather(which.astype(np.uint32)),
            "date": pl.Series((today - back).astype(np.int32)).cast(pl.Date),
            "step": steps,
            "outcome": outcomes,
            "cost": np.where(steps == "visit", 15_000, 200).astype(np.int64),
        }
    ).sort("loan_id", "date", "step", "outcome")


def _shape(table: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Canonical columns in their order; those that are not there are null."""
    return table.select(
        (pl.col(name) if name in table.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in columns.items()
    )
