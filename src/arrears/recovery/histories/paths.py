"""The path of each loan through the states of METHODS 2.1, month by month, in arrays that are counted in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.recovery.histories import kernels
from arrears.recovery.histories.states import SOLD, WRITTEN_OFF
from arrears.recovery.params import Ints

_NEVER = np.iinfo(np.int32).max

Small = npt.NDArray[np.int8]
Months = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Paths:
    """Loan-months of L loans, loan after loan and month after month (R rows).

    Attributes:
        loan_id: (L,) in the order of the rows.
        first: (L + 1,) where the rows of each loan begin.
        month: (R,) months since `begin`.
        state: (R,) place in `states.STATES`; -1 where the days past due are not known, and after the loan has ended.
        balance: (R,) fen; -1 where it is not known.
        ended: (L,) state in the month after the last row, where the tape says so; else -1.
        product: (L,) place in `products`.
        eased: (L,) month in which the terms were changed; beyond all months where they never were.
        opened: (L,) month of origination, may be negative; beyond all months where it is not known.
        months: how many months there are, up to that of the cut-off date.
    """

    loan_id: pl.Series
    first: Ints
    month: Months
    state: Small
    balance: Ints
    ended: Small
    product: Small
    eased: Months
    opened: Months
    begin: date
    months: int
    products: tuple[str, ...]

    def month_of(self, place: int) -> date:
        """The first day of a month by its number."""
        whole = self.begin.year * 12 + self.begin.month - 1 + place
        return date(whole // 12, whole % 12 + 1, 1)


def paths(
    months: pl.DataFrame,
    loans: pl.DataFrame,
    *,
    as_of: date,
    events: pl.DataFrame | None = None,
    payments: pl.DataFrame | None = None,
) -> Paths:
    """Follow every loan that has months.

    A loan ends as closed with the first of its last months in which it owes nothing (a card at zero is current), or
    after its last month where it owes nothing by the cut-off date; as written-off in the month of that event; as sold
    in the month of a payment whose source is a sale. What a tape does not tell is no end: the loan is out of sight.

    Args:
        months: canonical loan-months; those after the cut-off date are left out.
        loans: `loan_id, product`, and where there are any `origination_date, restructured_on` and sums owed.
        events, payments: canonical.
    """
    table = _in_order(months.filter(pl.col("month") <= as_of))
    new = (table["loan_id"] != table["loan_id"].shift(1)).fill_null(True)
    starts = np.flatnonzero(new.to_numpy()).astype(np.int64)
    first = np.append(starts, table.height).astype(np.int64)
    begin = table["month"].min() if table.height else as_of
    assert isinstance(begin, date)
    begin = date(begin.year, begin.month, 1)
    ids = table["loan_id"].gather(starts)
    facts = _facts(ids, loans, events, payments, begin=begin)
    products = tuple(facts["product"].unique().sort().to_list())
    product = facts["product"].cast(pl.Enum(products)).to_physical().cast(pl.Int8)
    horizon = _number(as_of, begin)
    month = _numbers(table["month"], begin)
    days = table["days_past_due"].cast(pl.Int32).fill_null(-1).to_numpy()
    balance = _column(table, "balance")
    state, ended = kernels.states(
        first, month, days, balance,
        (facts["exit"].to_numpy(), facts["exit_month"].to_numpy(), facts["empty"].to_numpy(), facts["card"].to_numpy()),
        horizon,
    )  # fmt: skip
    return Paths(
        loan_id=ids,
        first=first,
        month=month,
        state=state,
        balance=balance,
        ended=ended,
        product=product.to_numpy(),
        eased=facts["eased"].to_numpy(),
        opened=facts["opened"].to_numpy(),
        begin=begin,
        months=horizon + 1,
        products=products,
    )


def _column(table: pl.DataFrame, name: str) -> Ints:
    if name not in table.columns:
        return np.full(table.height, -1, dtype=np.int64)
    known: Ints = table[name].cast(pl.Int64).fill_null(-1).to_numpy()
    return known


def _in_order(months: pl.DataFrame) -> pl.DataFrame:
    """Loan after loan, month after month; sorted only where it is not."""
    same = months["loan_id"] == months["loan_id"].shift(1)
    later = months["month"] > months["month"].shift(1)
    runs = months.filter(~same.fill_null(False))["loan_id"]
    tidy = bool((later | ~same).all()) and runs.n_unique() == runs.len()
    return months if tidy else months.sort("loan_id", "month")


def _number(day: date, begin: date) -> int:
    return (day.year - begin.year) * 12 + day.month - begin.month


def _numbers(days: pl.Series, begin: date) -> Months:
    whole = days.dt.year() * 12 + days.dt.month().cast(pl.Int32) - (begin.year * 12 + begin.month)
    found: Months = whole.cast(pl.Int32).to_numpy()
    return found


def _facts(
    ids: pl.Series,
    loans: pl.DataFrame,
    events: pl.DataFrame | None,
    payments: pl.DataFrame | None,
    *,
    begin: date,
) -> pl.DataFrame:
    """What is known of each loan besides its months: `product, exit, exit_month, empty, card, eased, opened`."""

    def number(day: pl.Expr) -> pl.Expr:
        whole = day.dt.year() * 12 + day.dt.month().cast(pl.Int32)
        return (whole - (begin.year * 12 + begin.month)).cast(pl.Int32)

    owed = [name for name in ("principal", "interest", "fees") if name in loans.columns]
    known = {name: pl.lit(None, pl.Date) for name in ("origination_date", "restructured_on")}
    table = loans.with_columns(
        value.alias(name) for name, value in known.items() if name not in loans.columns
    ).select(
        "loan_id",
        "product",
        "origination_date",
        "restructured_on",
        empty=pl.sum_horizontal(owed) <= 0 if owed else pl.lit(False),
    )
    table = ids.to_frame().join(table, on="loan_id", how="left", maintain_order="left")
    firsts = {
        "written_off": _first_day(events, pl.col("kind") == "write_off"),
        "eased_on": _first_day(events, pl.col("kind") == "restructured"),
        "sold_on": _first_day(payments, pl.col("source") == "sale"),
    }
    for name, days in firsts.items():
        table = table.join(
            days.rename({"date": name}), on="loan_id", how="left", maintain_order="left"
        )
    off, sold = number(pl.col("written_off")), number(pl.col("sold_on"))
    away = sold.fill_null(_NEVER) < off.fill_null(_NEVER)
    eased = pl.min_horizontal("eased_on", "restructured_on")
    return table.select(
        product=pl.col("product").fill_null("(not given)"),
        exit=pl.when(away).then(SOLD).otherwise(WRITTEN_OFF).cast(pl.Int8),
        exit_month=pl.min_horizontal(off, sold).fill_null(_NEVER),
        empty=pl.col("empty").fill_null(False),
        card=(pl.col("product") == "credit_card").fill_null(False),
        eased=number(eased).fill_null(_NEVER),
        opened=number(pl.col("origination_date")).fill_null(_NEVER),
    )


def _first_day(table: pl.DataFrame | None, which: pl.Expr) -> pl.DataFrame:
    """`loan_id, date` of the first row that holds, of each loan."""
    if table is None or table.is_empty():
        return pl.DataFrame(schema={"loan_id": pl.String, "date": pl.Date})
    return table.filter(which).group_by("loan_id").agg(pl.col("date").min())
