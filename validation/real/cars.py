"""The car loans as tapes: what was known on a cut-off date, and the cash of each claim in default after it.

Months behind are counted from what was paid, as the source tells none; cash of the car and of the borrower go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from arrears.core.dates import DAYS_A_MONTH, add_months

DEFAULT = 91
# Payment holidays of spring 2020: a run of months without payment that began from March to July counts as agreed for
# four months, whatever came of it, as nothing else can be known in the middle of it.
HOLIDAY_FROM, HOLIDAY_TO, HOLIDAY_MONTHS = 2020 * 12 + 2, 2020 * 12 + 6, 4
# Days past due that a charged-off loan has at least: some are charged off with few months behind (bankruptcies).
_CHARGED_OFF = 4


@dataclass(frozen=True)
class Cars:
    """All months of all loans, sorted by loan and month.

    Attributes:
        months: `loan_id, at, deal, balance, cash, gone, owed, behind, behind_all, holiday`: months since the year 0,
            fen; `owed` at the month's end, `behind` in whole instalments, holidays not counted as due, `behind_all`
            as if they had been.
        loans: the source's rows.
    """

    months: pl.DataFrame
    loans: pl.DataFrame

    @property
    def ends(self) -> dict[str, int]:
        """Last month reported, by deal."""
        return dict(self.months.group_by("deal").agg(pl.col("at").max()).iter_rows())


def read(folder: Path) -> Cars:
    """The source's two tables, months behind counted."""
    loans = pl.read_csv(folder / "auto_abs/loans.csv.gz", infer_schema_length=None)
    loans = loans.with_columns(number="loan_id", loan_id=pl.format("A{}", "loan_id"))
    months = pl.read_csv(folder / "auto_abs/months.csv.gz", infer_schema_length=None)
    joined = months.rename({"loan_id": "number"}).join(
        loans.select("number", "loan_id", "deal", due="scheduled_payment"), on="number"
    )
    lost = pl.col("charged_off").fill_null(0.0)
    # The cost booked on nearly every charge-off is no cash of the borrower.
    sold = pl.col("repossession").fill_null(0.0)
    came = pl.col("paid").fill_null(0.0) + pl.col("recovered").fill_null(0.0)
    table = joined.select(
        "loan_id",
        "deal",
        at=_index(pl.col("month")),
        balance=_fen(pl.col("balance").fill_null(0.0)),
        lost=_fen(lost),
        cash=_fen(came + pl.when((lost > 0) & (sold < 0)).then(0.0).otherwise(sold)),
        of_the_car=_fen(pl.when(lost > 0).then(sold.clip(0.0, None)).otherwise(0.0)),
        share=pl.col("paid").fill_null(0.0) / pl.col("due"),
    ).sort("loan_id", "at")
    gone = (pl.col("lost") > 0).cum_sum().over("loan_id") > 0
    # What was paid in the month of the charge-off is taken off the amount charged off already, the car is not.
    since = pl.when(gone & (pl.col("lost") == 0)).then("cash").when(gone).then("of_the_car")
    after = since.otherwise(0).cum_sum().over("loan_id")
    table = table.with_columns(
        gone=gone,
        owed=pl.when(gone)
        .then((pl.col("lost").cum_sum().over("loan_id") - after).clip(0, None))
        .otherwise("balance"),
    )
    loan = table["loan_id"].rank("dense").to_numpy()
    columns = (loan, table["at"].to_numpy(), table["share"].to_numpy(), table["gone"].to_numpy())
    strict, holiday = behind(*columns, holidays=True)
    every, _ = behind(*columns, holidays=False)
    counted = {"behind": strict, "behind_all": every, "holiday": holiday}
    return Cars(
        table.drop("share", "of_the_car").with_columns(pl.Series(n, v) for n, v in counted.items()),
        loans,
    )


def _index(month: pl.Expr) -> pl.Expr:
    return month.str.head(4).cast(pl.Int64) * 12 + month.str.tail(2).cast(pl.Int64) - 1


def _fen(dollars: pl.Expr) -> pl.Expr:
    return (dollars * 100).round().cast(pl.Int64)


def behind(
    loan: np.ndarray, at: np.ndarray, share: np.ndarray, gone: np.ndarray, *, holidays: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Whole instalments behind after each month, and the months of a holiday; ahead counts up to three months.

    Args:
        share: of the instalment that was paid.
        gone: charged off; from then on a month more is behind every month.
        holidays: a payment holiday of spring 2020 falls due later.
    """
    found, holiday = np.zeros(len(share), dtype=np.int64), np.zeros(len(share), dtype=bool)
    owed, run, begun = 0.0, 0, 0
    for k in range(len(share)):
        if k == 0 or loan[k] != loan[k - 1]:
            owed, run = 0.0, 0
        run = run + 1 if share[k] < 0.05 and not gone[k] else 0
        begun = int(at[k]) if run == 1 else begun
        agreed = 0 < run <= HOLIDAY_MONTHS and HOLIDAY_FROM <= begun <= HOLIDAY_TO
        holiday[k] = agreed
        paid = 0.0 if gone[k] else share[k]
        owed = max(owed + (0.0 if holidays and agreed else 1.0) - paid, -3.0)
        if gone[k] and (k == 0 or loan[k] != loan[k - 1] or not gone[k - 1]):
            owed = max(owed, float(_CHARGED_OFF))
        found[k] = max(int(np.floor(owed + 0.05)), 0)
    return found, holiday


@dataclass(frozen=True)
class Look:
    """A cut-off date: the tape of that day and the claims in default with what came after.

    Attributes:
        loans, payments, months, events: canonical tables, all loans of the pools.
        claims: `loan_id, owed, apart, cash_6, cash_12, cash_24`, fen; cash null where the reports end before. `apart`
            claims are in default only if a holiday counts as one.
    """

    as_of: date
    loans: pl.DataFrame
    payments: pl.DataFrame
    months: pl.DataFrame
    events: pl.DataFrame
    claims: pl.DataFrame


def look(cars: Cars, as_of: date, horizons: tuple[int, ...], *, apart: bool = False) -> Look:
    """The tape of a month's end, and the claims past day 91 on it.

    Args:
        apart: holidays count as months behind, and claims that are in default by that alone are `apart`.
    """
    now = as_of.year * 12 + as_of.month - 1
    deals = [deal for deal, end in cars.ends.items() if end >= now + min(horizons)]
    known = cars.months.filter(pl.col("at") <= now, pl.col("deal").is_in(deals)).with_columns(
        days=days("behind_all" if apart else "behind")
    )
    last = known.group_by("loan_id", maintain_order=True).last()
    # Reports of a loan that is paid off end; a charged-off loan may miss months, in which it grows older.
    last = last.with_columns(
        owed=pl.when(pl.col("gone") | (pl.col("at") == now)).then("owed").otherwise(0)
    ).with_columns(
        days=pl.when(pl.col("owed") > 0)
        .then(pl.col("days") + ((now - pl.col("at")) * DAYS_A_MONTH).cast(pl.Int64))
        .otherwise(0)
    )
    facts = last.join(cars.loans, on="loan_id").sort("loan_id")
    paid = known.filter(pl.col("cash") != 0)
    ends = pl.DataFrame({"at": range(now - 240, now + 1)}).with_columns(
        day=pl.Series(
            [add_months(as_of.replace(day=1), month - now) for month in range(now - 240, now + 1)]
        )
    )
    claims = last.filter(pl.col("days") >= DEFAULT, pl.col("owed") > 0)
    claims = claims.select("loan_id", "deal", "owed", apart=days("behind") < DEFAULT)
    later = cars.months.filter(pl.col("at") > now).join(claims.select("loan_id"), on="loan_id")
    for months in horizons:
        came = (
            later.filter(pl.col("at") <= now + months)
            .group_by("loan_id")
            .agg(pl.col("cash").sum().clip(0, None))
        )
        seen = [deal for deal, end in cars.ends.items() if end >= now + months]
        claims = (
            claims.join(came, on="loan_id", how="left", maintain_order="left")
            .with_columns(
                pl.when(pl.col("deal").is_in(seen))
                .then(pl.col("cash").fill_null(0))
                .alias(f"cash_{months}")
            )
            .drop("cash")
        )
    return Look(
        as_of,
        _loans(facts, paid.join(ends, on="at"), as_of),
        paid.join(ends, on="at").select(
            "loan_id", date=pl.col("day") + pl.duration(days=14), amount="cash",
            source=pl.lit("borrower"),
        ).sort("loan_id", "date"),
        known.join(ends, on="at").select(
            "loan_id", month="day", days_past_due="days", balance="owed"
        ).sort("loan_id", "month"),
        known.filter(pl.col("lost") > 0).join(ends, on="at").select(
            "loan_id", date=pl.col("day") + pl.duration(days=14), kind=pl.lit("write_off"),
            amount="lost",
        ).sort("loan_id", "date"),
        claims.sort("loan_id"),
    )  # fmt: skip


def days(column: str) -> pl.Expr:
    """Days past due of whole instalments behind."""
    return (pl.col(column) * DAYS_A_MONTH).cast(pl.Int64)


def _loans(facts: pl.DataFrame, paid: pl.DataFrame, as_of: date) -> pl.DataFrame:
    last = paid.filter(pl.col("cash") > 0).group_by("loan_id").agg(
        last_payment_date=pl.col("day").max() + pl.duration(days=14)
    )  # fmt: skip
    begun = (pl.col("originated") + "-01").str.to_date()
    return (
        facts.join(last, on="loan_id", how="left")
        .select(
            "loan_id",
            "last_payment_date",
            "rate",
            as_of=pl.lit(as_of),
            borrower_id="loan_id",
            lender=pl.lit("Ally Bank"),
            product=pl.lit("consumer"),
            repayment=pl.lit("amortising"),
            principal="owed",
            interest=pl.lit(0, pl.Int64),
            fees=pl.lit(0, pl.Int64),
            original_principal=_fen(pl.col("amount")),
            days_past_due=pl.col("days").cast(pl.Int32),
            origination_date=begun,
            maturity_date=begun.dt.offset_by(pl.format("{}mo", "term_months")),
            written_off=pl.col("gone") & (pl.col("owed") > 0),
        )
        .sort("loan_id")
    )
