"""Payments and events of a book with hidden bad loans: what a bank's systems have on the record."""

from __future__ import annotations

import numpy as np
import polars as pl

from validation.worlds.dates import as_dates
from validation.worlds.hidden_made import Made
from validation.worlds.managers import CUT_OFF


def payments(made: Made, months: pl.DataFrame, stream: np.random.Generator) -> pl.DataFrame:
    """A row a payment: the household's, somebody else's, and that of the loan that took its place."""
    index, at = months["index"].to_numpy(), months["at"].to_numpy()
    length = np.diff(made.book.firsts)[at]
    usual = made.book.due_day[index] + stream.integers(-1, 3, len(index))
    at_end = (stream.random(len(made.book.start)) < 0.06)[index]
    last_days = length - stream.integers(0, 3, len(index))
    own_day = np.where(at_end, last_days, np.clip(usual, 1, length))
    quarter = made.book.quarter_end[at] & made.bank.deed[index, CUT_OFF]
    cover_day = np.where(quarter, last_days, np.clip(usual, 1, length))
    first = made.book.firsts[at]
    left = (pl.col("paid_interest") - pl.col("own")).clip(0)
    dated = months.with_columns(
        own_date=as_dates(first + own_day - 1),
        cover_date=as_dates(first + cover_day - 1),
        swap_date=as_dates(first + length - 1),
        own_interest=pl.min_horizontal("own", pl.col("paid_interest")),
    ).with_columns(cover_interest=pl.min_horizontal("cover", left))
    dated = dated.with_columns(
        swap_interest=pl.col("paid_interest") - pl.col("own_interest") - pl.col("cover_interest")
    )
    parts = [
        dated.filter(pl.col(money) > 0).select(
            "loan_id",
            date=f"{name}_date",
            amount=money,
            principal_part=pl.col(money) - pl.col(f"{name}_interest"),
            interest_part=f"{name}_interest",
        )
        for name, money in (("own", "own"), ("cover", "cover"), ("swap", "refinanced"))
    ]
    failed = parts[0].filter(
        pl.Series(stream.random(parts[0].height) < 0.002) & (pl.col("date").dt.day() <= 20)
    )
    money = ["amount", "principal_part", "interest_part"]
    back = failed.with_columns(-pl.col(money), pl.col("date") + pl.duration(days=2))
    again = failed.with_columns(pl.col("date") + pl.duration(days=6))
    return (
        pl.concat([*parts, back, again])
        .with_columns(source=pl.lit("borrower"))
        .sort("loan_id", "date")
    )


def events(made: Made, stream: np.random.Generator) -> pl.DataFrame:
    """A row a deed on the record, innocent or not."""
    frames = []
    for told in made.log.events:
        at, loan = int(told["month"]), told["loan"]
        if not made.window <= at <= made.cut:
            continue
        day = (
            stream.integers(1, 28, len(loan))
            if told["kind"] != "drawdown"
            else stream.integers(2, 15, len(loan))
        )
        when = as_dates(np.minimum(made.book.firsts[at] + day - 1, made.book.firsts[at + 1] - 1))
        old = made.ids(loan, np.full(len(loan), at))
        null = np.full(len(loan), np.nan)
        row = {"loan_id": old, "date": when, "kind": told["kind"], "amount": told.get("amount", null),
               "related_loan_id": pl.Series([None] * len(loan), dtype=pl.String),
               "rate_before": told.get("rate_before", null), "rate_after": told.get("rate_after", null)}  # fmt: skip
        if told["kind"] == "refinanced":
            logged = made.bank.logged[loan] | ~made.bank.deed[loan, 0]
            new = made.ids(loan, np.full(len(loan), at + 1))
            end = as_dates(np.full(len(loan), made.book.firsts[at + 1] - 1))
            paid = told["principal"] + told["interest"]
            pairs = (("drawdown", new, old, told["amount"]), ("settled", old, new, paid))
            for kind, mine, other, amount in pairs:
                frames.append(pl.DataFrame({**row, "loan_id": mine, "kind": kind, "date": end, "amount": amount,
                                            "related_loan_id": other}).filter(pl.Series(logged)))  # fmt: skip
            continue
        frames.append(pl.DataFrame(row))
    return (
        pl.concat(frames)
        .with_columns(
            pl.col("amount").fill_nan(None).cast(pl.Int64),
            pl.col("rate_before", "rate_after").fill_nan(None),
        )
        .sort("loan_id", "date", "kind")
    )
