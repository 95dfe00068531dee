"""The tape of a book with hidden bad loans, in the canonical columns of docs/tape.md, and its truth."""

from __future__ import annotations

import numpy as np
import polars as pl

from validation.worlds.dates import as_dates
from validation.worlds.hidden_loans import loans
from validation.worlds.hidden_made import Made
from validation.worlds.hidden_rows import events, payments

MONEY = ("due_principal", "due_interest", "paid_principal", "paid_interest", "balance")
BAD, STRAINED = 90, 30


def tables(made: Made, stream: np.random.Generator) -> dict[str, pl.DataFrame]:
    """All tables of a book, keyed as `hidden.Hidden` names them."""
    every = _months(made)
    upto = every.filter(pl.col("at") <= made.cut)
    standing = loans(made, stream)
    paid = payments(made, upto, stream)
    last = paid.filter(pl.col("amount") > 0).sort("loan_id", "date").group_by("loan_id").last()
    standing = standing.join(
        last.select("loan_id", last_payment_date="date", last_payment="amount"),
        on="loan_id",
        how="left",
    )
    truth = _truth(made, standing)
    later = every.filter(pl.col("at") > made.cut).select(
        "loan_id", "month", "days_past_due", "balance", paid=pl.col("own") + pl.col("cover")
    )
    return {
        "loans": standing.drop("_index"),
        "months": upto.select("loan_id", "month", "due_principal", "due_interest", "paid_principal",
                              "paid_interest", "days_past_due", "balance", "rate"),
        "events": events(made, stream),
        "payments": paid,
        "truth": truth,
        "states": upto.select("loan_id", "month", "true_state"),
        "later": later,
        "outcome": later.group_by("loan_id").agg(worst_days=pl.col("days_past_due").max()).sort("loan_id"),
    }  # fmt: skip


def _truth(made: Made, standing: pl.DataFrame) -> pl.DataFrame:
    """What is true of each loan on the cut-off date; a closed one is sound."""
    now, index = made.log.months[made.cut], standing["_index"].to_numpy()
    claim = pl.col("principal") + pl.col("interest")
    hides = made.bank.zeal[made.bank.branch] > 0
    return (
        standing.with_columns(
            open=claim > 0,
            true_days=now["true_days"][index],
            true_state=_state(now["true_days"], now["thin"])[index],
            branch_hides=hides[index],
        )
        .select(
            "loan_id",
            pl.when("open").then("true_state").otherwise(pl.lit("sound")).alias("true_state"),
            "branch_hides",
            hidden=(pl.col("true_days") > BAD) & (pl.col("days_past_due") <= BAD) & pl.col("open"),
            claim=claim,
        )
        .select(
            "loan_id",
            "hidden",
            "true_state",
            "branch_hides",
            hidden_amount=pl.col("claim") * pl.col("hidden"),
        )
    )


def _state(true_days: np.ndarray, thin: np.ndarray) -> np.ndarray:
    return np.where(
        true_days > BAD, "bad", np.where((true_days > STRAINED) | thin, "strained", "sound")
    )


def _months(made: Made) -> pl.DataFrame:
    """A row a loan and month, with what only the truth knows."""
    running = made.column("running")
    running[:, : made.window] = False
    loan, at = np.nonzero(running)
    values = {
        name: made.column(name)[loan, at]
        for name in (*MONEY, "days", "true_days", "rate", "thin", "own", "cover")
    }
    state = _state(values.pop("true_days"), values.pop("thin"))
    every = pl.DataFrame(
        {
            "loan_id": made.ids(loan, at),
            "index": loan,
            "at": at,
            "month": as_dates(made.book.firsts[at]),
            **values,
            "true_state": state,
        }
    ).rename({"days": "days_past_due"})
    every = _with_refinancing(made, every)
    whole = [*MONEY, "own", "cover", "refinanced", "days_past_due"]
    return every.with_columns(pl.col(whole).cast(pl.Int64)).sort("loan_id", "month")


def _with_refinancing(made: Made, every: pl.DataFrame) -> pl.DataFrame:
    """The month in which a new loan paid the old one: the old one ends with nothing owed."""
    names = {"index": pl.Int64, "at": pl.Int64, "p": pl.Float64, "i": pl.Float64}
    told = [
        one for one in made.log.events if one["kind"] == "refinanced" and one["month"] <= made.cut
    ]
    paid = pl.concat(
        [
            pl.DataFrame(schema=names),
            *(
                pl.DataFrame(
                    {
                        "index": one["loan"],
                        "at": one["month"],
                        "p": one["principal"],
                        "i": one["interest"],
                    },
                    schema_overrides=names,
                )
                for one in told
            ),
        ]
    )
    principal, interest = pl.col("p").fill_null(0), pl.col("i").fill_null(0)
    return (
        every.join(paid, on=["index", "at"], how="left")
        .with_columns(
            pl.col("paid_principal") + principal,
            pl.col("paid_interest") + interest,
            balance=pl.when(pl.col("p").is_null()).then("balance").otherwise(0),
            refinanced=principal + interest,
        )
        .drop("p", "i")
    )
