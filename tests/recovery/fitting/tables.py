"""Small canonical tables for the tests of fitting, and a book whose truth is known."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from arrears.recovery.params import Params, collections
from arrears.rules import load_market
from arrears.tape.columns import LOANS, MONTHS, PAYMENTS

DAY = date(2025, 3, 31)
MARKET = load_market("cn")
PARAMS = Params.of(MARKET, DAY)
CURVE = collections(0.0889, 1.065, 120)


def loans(*changes: dict) -> pl.DataFrame:
    base = {"product": "consumer", "principal": 1_000_000, "days_past_due": 0}
    rows = [
        {**dict.fromkeys(LOANS), **base, "loan_id": f"L{number:04d}", **change}
        for number, change in enumerate(changes)
    ]
    return pl.DataFrame(rows, schema=LOANS)


def payments(*rows: tuple) -> pl.DataFrame:
    """Rows of loan number, date, amount and, where told, source."""
    table = [
        {**dict.fromkeys(PAYMENTS), "loan_id": f"L{row[0]:04d}", "date": row[1], "amount": row[2],
         "source": row[3] if len(row) > 3 else "borrower"}
        for row in rows
    ]  # fmt: skip
    return pl.DataFrame(table, schema=PAYMENTS)


def months(*rows: tuple) -> pl.DataFrame:
    """Rows of loan number, month, days past due and cash."""
    table = [
        {**dict.fromkeys(MONTHS), "loan_id": f"L{row[0]:04d}", "month": row[1],
         "days_past_due": row[2], "paid_principal": row[3], "paid_interest": 0}
        for row in rows
    ]  # fmt: skip
    return pl.DataFrame(table, schema=MONTHS)


def month_ends(count: int) -> list[date]:
    """The last days of the months up to the cut-off date, oldest first."""
    ends = [DAY]
    while len(ends) < count:
        ends.append(ends[-1].replace(day=1) - timedelta(days=1))
    return ends[::-1]


def _log_odds(age: np.ndarray, card: np.ndarray, lost: np.ndarray) -> np.ndarray:
    return -1.2 - 0.8 * np.log1p(age) + 0.7 * card - 1.0 * lost


def true_share(table: pl.DataFrame, months: int) -> float:
    """Share of the claims of a known book that is paid within so many months, in expectation."""
    card = (table["product"] == "credit_card").to_numpy()
    lost = (table["contact_status"] == "unreachable").to_numpy()
    owed = table["principal"].to_numpy().astype(float)
    age = np.floor((table["days_past_due"].to_numpy() - 91) / 30.4375)
    paid = 0.0
    for month in range(months):
        cash = owed * 0.36 / (1 + np.exp(-_log_odds(age + month, card, lost)))
        paid, owed = paid + cash.sum(), owed - cash
    return paid / table["principal"].sum()


def known_book(
    count: int, span: int, *, level: float = 0.0, seed: int = 0
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Loans past day 91 and their payments, from a hazard that is known.

    Log odds of a payment: -1.2 - 0.8 log(1 + age) + 0.7 for cards - 1.0 for the unreachable + `level`; a payment
    takes a fifth of what is owed, one in five settles.
    """
    g = np.random.default_rng(seed)
    ends = month_ends(span)
    card = g.random(count) < 0.5
    lost = g.random(count) < 0.3
    days = g.integers(91, 91 + span * 30, count)
    owed = np.round(np.exp(g.normal(13.5, 0.8, count))).astype(np.int64)
    begin = ends[0].replace(day=1)
    rows = []
    for end in ends:
        first = end.replace(day=1)
        past = days - (DAY - first).days
        age = np.maximum((past - 91) / 30.4375, 0.0).astype(int)
        eta = _log_odds(age, card, lost) + level
        pays = (past >= 91) & (owed > 0) & (g.random(count) < 1 / (1 + np.exp(-eta)))
        full = pays & (g.random(count) < 0.2)
        cash = np.where(full, owed, np.maximum(owed // 5, 1)) * pays
        on = first + timedelta(days=int(g.integers(0, 27)))
        rows += [(int(n), on, int(cash[n])) for n in np.flatnonzero(cash)]
        owed = owed - cash
    table = loans(
        *(
            {
                "product": "credit_card" if card[n] else "consumer",
                "contact_status": "unreachable" if lost[n] else "reachable",
                "principal": int(owed[n]),
                "days_past_due": int(days[n]),
                "province": ("Zhejiang", "Henan", "Hubei")[n % 3],
                "last_payment_date": begin.replace(year=begin.year - 3),
            }
            for n in range(count)
        )
    )
    return table, payments(*rows).sort("loan_id", "date")
