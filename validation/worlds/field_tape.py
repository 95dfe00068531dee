"""The tape of the book that plans are tried on, in the canonical columns of docs/tape.md."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from validation.worlds.dates import as_dates, calendar
from validation.worlds.debtors import CONTACT, COURT_MONTHS, PRODUCTS, PROVINCES, STEPS, Debtors

if TYPE_CHECKING:
    from validation.worlds.field import Past

COST = (0, 10, 5, 800, 0, 600, 12_000, 2_000)
REACHED = (0.0, 0.9, 0.6, 0.5, 0.5, 0.8, 0.6, 0.9)
BEFORE_BAD = 3


def ids(count: int) -> list[str]:
    """Names of loans."""
    return [f"F{number:06d}" for number in range(count)]


def tables(
    now: Debtors, lived: list[Past], *, as_of: date, stream: np.random.Generator
) -> dict[str, pl.DataFrame]:
    """All tables, by name."""
    count, months = len(now.kind), len(lived)
    firsts = np.array([day.toordinal() for day in calendar(as_of, months + BEFORE_BAD, 0)])
    name, due_day = np.array(ids(count)), stream.integers(1, 29, count)
    default = firsts[-now.age] + due_day - 1
    owed = np.stack([month.owed for month in lived], axis=1)
    firsts = firsts[BEFORE_BAD:]
    payments = _payments(name, lived, firsts, stream)
    return {
        "loans": _loans(
            now, payments, name=name, default=default, as_of=as_of, months=months, stream=stream
        ),
        "months": _months(now, owed, lived, name=name, default=default, firsts=firsts),
        "payments": payments,
        "contacts": _contacts(now, lived, name=name, firsts=firsts, stream=stream),
        "events": _events(now, lived, name=name, firsts=firsts),
    }


def _payments(
    name: np.ndarray, lived: list[Past], firsts: np.ndarray, stream: np.random.Generator
) -> pl.DataFrame:
    parts = []
    for at, month in enumerate(lived):
        for source, amount in (("borrower", month.own), ("court", month.court)):
            index = np.nonzero(amount > 0)[0]
            when = as_dates(firsts[at] + stream.integers(12, 28, len(index)))
            parts.append(
                pl.DataFrame(
                    {"loan_id": name[index], "date": when, "amount": amount[index].astype(np.int64)}
                ).with_columns(source=pl.lit(source))
            )
    return pl.concat(parts).sort("loan_id", "date", "source")


def _months(
    now: Debtors,
    owed: np.ndarray,
    lived: list[Past],
    *,
    name: np.ndarray,
    default: np.ndarray,
    firsts: np.ndarray,
) -> pl.DataFrame:
    """From the month of default until nothing is owed."""
    opening = np.concatenate([now.claim[:, None], owed[:, :-1]], axis=1)
    begun = firsts[1:] > default[:, None]
    loan, at = np.nonzero(begun & (opening > 0))
    paid = np.stack([month.own + month.court for month in lived], axis=1)[loan, at].astype(np.int64)
    left = owed[loan, at].astype(np.int64)
    return pl.DataFrame(
        {
            "loan_id": name[loan],
            "month": as_dates(firsts[at]),
            "paid_principal": paid,
            "paid_interest": np.zeros(len(loan), np.int64),
            "days_past_due": np.where(left > 0, firsts[at + 1] - 1 - default[loan], 0),
            "balance": left,
        }
    )


def _contacts(
    now: Debtors,
    lived: list[Past],
    *,
    name: np.ndarray,
    firsts: np.ndarray,
    stream: np.random.Generator,
) -> pl.DataFrame:
    """Steps lie in the first days of a month, payments after them."""
    parts = []
    for at, month in enumerate(lived):
        index = np.nonzero(month.step > 0)[0]
        step = month.step[index]
        heard = np.array([1.0, 0.3, 0.02])[now.contact[index]] * np.array(REACHED)[step]
        reached = stream.random(len(index)) < heard
        word = np.where(stream.random(len(index)) < 0.3, "promise", "reached")
        outcome = np.where(month.own[index] > 0, "paid", np.where(reached, word, "none"))
        parts.append(
            pl.DataFrame(
                {
                    "loan_id": name[index],
                    "date": as_dates(firsts[at] + stream.integers(0, 10, len(index))),
                    "step": np.array(STEPS)[step],
                    "outcome": outcome,
                    "cost": np.array(COST)[step],
                }
            )
        )
    return pl.concat(parts).sort("loan_id", "date")


def _events(
    now: Debtors, lived: list[Past], *, name: np.ndarray, firsts: np.ndarray
) -> pl.DataFrame:
    """Suits, judgments and new terms before the cut-off date, and settlements that left something unpaid."""
    months = len(lived)
    sued = np.nonzero(now.filed >= 0)[0]
    judged = now.filed + COURT_MONTHS[now.province]
    done = np.nonzero((now.filed >= 0) & (judged < months))[0]
    before = now.claim
    parts = [(sued, now.filed[sued], "filed", None), (done, judged[done], "judged", None)]
    for at, month in enumerate(lived):
        waived = np.nonzero((month.owed == 0) & (before > month.own + month.court))[0]
        waived = waived[month.own[waived] > 0]
        parts.append((waived, np.full(len(waived), at), "settled", month.own[waived]))
        given = np.nonzero(month.given)[0]
        parts.append((given, np.full(len(given), at), "restructured", None))
        before = month.owed
    return pl.concat(
        pl.DataFrame(
            {
                "loan_id": name[index],
                "date": as_dates(firsts[at] + 27),
                "kind": [kind] * len(index),
                "amount": pl.Series(
                    [None] * len(index) if amount is None else amount.astype(np.int64),
                    dtype=pl.Int64,
                ),
            }
        )
        for index, at, kind, amount in parts
    ).sort("loan_id", "date", "kind")


def _loans(
    now: Debtors,
    payments: pl.DataFrame,
    *,
    name: np.ndarray,
    default: np.ndarray,
    as_of: date,
    months: int,
    stream: np.random.Generator,
) -> pl.DataFrame:
    """Settled loans stand there with nothing owed."""
    count = len(now.kind)
    owed = now.owed.astype(np.int64)
    late = np.where(owed > 0, as_of.toordinal() - default, 0)
    paid = payments.group_by("loan_id").agg(
        last_payment_date=pl.col("date").last(), last_payment=pl.col("amount").last()
    )
    begun = default - stream.integers(200, 900, count)
    judged = (now.filed >= 0) & (now.filed + COURT_MONTHS[now.province] < months)
    reported = np.select(
        [late > 360, late > 270, late > 90, late > 0],
        ["loss", "doubtful", "substandard", "special_mention"],
        "normal",
    )
    return (
        pl.DataFrame(
            {
                "as_of": as_of,
                "loan_id": name,
                "borrower_id": [f"B{number:06d}" for number in range(count)],
                "lender": "Northern Consumer Finance",
                "branch": np.array(PROVINCES)[now.province],
                "product": np.array(PRODUCTS)[now.product],
                "security": "none",
                "province": np.array(PROVINCES)[now.province],
                "birth_year": now.born,
                "monthly_income": (now.income * np.exp(stream.normal(0, 0.15, count))).astype(
                    np.int64
                ),
                "principal": owed,
                "interest": np.zeros(count, np.int64),
                "fees": np.zeros(count, np.int64),
                "original_principal": now.claim.astype(np.int64),
                "days_past_due": late,
                "origination_date": as_dates(begun),
                "default_date": as_dates(default),
                "reported_class": reported,
                "contact_status": np.array(CONTACT)[now.contact],
                "legal_status": np.where(
                    now.filed < 0, "not_sued", np.where(judged, "enforcing", "filed")
                ),
            }
        )
        .join(paid, on="loan_id", how="left")
        .with_columns(default_date=pl.when(pl.col("days_past_due") > 0).then("default_date"))
        .sort("loan_id")
    )
