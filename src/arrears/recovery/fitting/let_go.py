"""What closed loans owed and never paid: without it a settlement or a sale would look like payment in full."""

from __future__ import annotations

import numpy as np
import polars as pl

from arrears.recovery.fitting.features import month_index
from arrears.recovery.params import Ints

_NONE = -1


def found(
    loans: pl.DataFrame,
    dated: pl.DataFrame,
    sold: Ints,
    *,
    months: pl.DataFrame | None,
    events: pl.DataFrame | None,
) -> tuple[Ints, Ints]:
    """Fen let go (n,), and the month in which a settlement or write-off ended the loan (n,), -1 where none did.

    Of loans with nothing owed. Told by the last balance of `months`, interest and fees put on it as the product's open
    loans have them; else by the last write-off among `events`; else, where the loan was settled or sold, by its first
    principal; each less what was paid since.

    Args:
        dated: `loan, month, cash`, reversals netted, sorted.
        sold: (n,) month of the sale; -1 where there is none.
    """
    ids = loans["loan_id"]
    claim = pl.sum_horizontal("principal", "interest", "fees")
    table = loans.select(
        "product",
        "principal",
        loan=pl.int_range(pl.len()),
        claim=claim,
        first=pl.col("original_principal"),
        sold=pl.Series(sold),
    )
    gross = (pl.col("claim").sum() / pl.col("principal").sum()).over("product")
    table = table.with_columns(gross=gross.fill_nan(1.0).fill_null(1.0).clip(1.0, None))
    for name, told in (("balance", _balances(months)), ("write_off", _events(events, "write_off"))):
        since = numbered(told, ids).rename({"month": f"{name}_month"})
        table = table.join(since, on="loan", how="left", maintain_order="left")
    ended = numbered(_events(events, "settled"), ids).select("loan", settled="month")
    table = table.join(ended, on="loan", how="left", maintain_order="left")
    paid = dated.join(table.select("loan", "balance_month", "write_off_month"), on="loan")
    sums = paid.group_by("loan").agg(
        all=pl.col("cash").sum(),
        after_balance=pl.col("cash").filter(pl.col("month") > pl.col("balance_month")).sum(),
        after_write_off=pl.col("cash").filter(pl.col("month") > pl.col("write_off_month")).sum(),
        last=pl.col("month").filter(pl.col("cash") > 0).max(),
    )
    table = table.join(sums, on="loan", how="left", maintain_order="left")
    zero = {name: pl.col(name).fill_null(0) for name in ("all", "after_balance", "after_write_off")}
    was_sold = pl.col("sold") >= 0
    by_balance = pl.when(zero["after_balance"] < pl.col("balance")).then(
        pl.col("balance") * pl.col("gross") - zero["after_balance"]
    ).otherwise(0.0)  # fmt: skip
    rest = (
        pl.when(pl.col("balance").is_not_null())
        .then(by_balance)
        .when(pl.col("write_off").is_not_null())
        .then(pl.col("write_off") - zero["after_write_off"])
        .when(was_sold | pl.col("settled").is_not_null())
        .then(pl.col("first").fill_null(0) - zero["all"])
    )
    given_up = pl.when(pl.col("claim") == 0).then(rest).fill_null(0.0).clip(0.0, None)
    end = pl.coalesce(pl.col("balance_month") + 1, "settled", "write_off_month", "last")
    made = table.select(
        rest=given_up.round().cast(pl.Int64),
        closed=pl.when((given_up > 0) & ~was_sold).then(end).fill_null(_NONE).cast(pl.Int64),
    )
    return np.array(made["rest"].to_numpy()), np.array(made["closed"].to_numpy())


def numbered(table: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """The table by loan number instead of by id; rows of other loans are dropped."""
    numbers = pl.DataFrame({"loan_id": ids, "loan": np.arange(len(ids))})
    return table.join(numbers, on="loan_id").drop("loan_id")


def _balances(months: pl.DataFrame | None) -> pl.DataFrame:
    """The last balance above 0: `loan_id, balance, month`."""
    if months is None:
        return _none("balance")
    some = months.filter(pl.col("balance") > 0).select(
        "loan_id", "balance", month=month_index(pl.col("month"))
    )
    return some.group_by("loan_id").agg(
        pl.col("balance").sort_by("month").last(), pl.col("month").max()
    )


def _events(events: pl.DataFrame | None, kind: str) -> pl.DataFrame:
    """The last event of a kind: `loan_id, <kind>, month`, the amount under its name."""
    if events is None:
        return _none(kind)
    some = events.filter(kind=kind).select(
        "loan_id", pl.col("amount").alias(kind), month=month_index(pl.col("date"))
    )
    return some.group_by("loan_id").agg(pl.col(kind).sort_by("month").last(), pl.col("month").max())


def _none(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema={"loan_id": pl.String, name: pl.Int64, "month": pl.Int64})
