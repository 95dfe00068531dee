"""New pays old (E1): a new loan of the same borrower and lender, close to a repayment of about its size."""

from __future__ import annotations

import polars as pl

from arrears.standing.hidden import words as w


def new_pays_old(
    loans: pl.DataFrame, payments: pl.DataFrame | None, events: pl.DataFrame | None
) -> pl.DataFrame | None:
    """Loan-months in which new money repaid old: `loan` (row of `loans`), `month`, `new_old`.

    The rule of METHODS 3.1, E1: same borrower and lender, within 30 days, new over repaid between a half and one and
    a half. Both loans are marked. An event that names the loan it pays counts as it stands.
    """
    known = loans.select(
        "loan_id",
        "borrower_id",
        "lender",
        "repayment",
        started="origination_date",
        lent=pl.coalesce("original_principal", "principal"),
        loan=pl.int_range(pl.len(), dtype=pl.UInt32),
    )
    found = []
    if events is not None:
        found.append(_told(events, known))
    if payments is not None:
        repaid = _repaid(payments, known)
        found.append(_between(repaid, known))
        if events is not None:
            found.append(_within(repaid, events, known))
    if not found:
        return None
    return pl.concat(found).unique().with_columns(new_old=pl.lit(True))


def _marks(table: pl.DataFrame, loan: str, day: str) -> pl.DataFrame:
    return table.select(loan=pl.col(loan), month=pl.col(day).dt.month_start()).drop_nulls()


def _told(events: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Renewals and drawdowns that name another loan."""
    named = events.filter(
        pl.col("kind").is_in(["renewal", "drawdown"]),
        pl.col("related_loan_id").is_not_null(),
        pl.col("related_loan_id") != pl.col("loan_id"),
    )
    places = known.select("loan_id", "loan")
    other = places.select(related_loan_id="loan_id", other="loan")
    both = named.join(places, on="loan_id").join(other, on="related_loan_id", how="left")
    return pl.concat([_marks(both, "loan", "date"), _marks(both, "other", "date")])


def _repaid(payments: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """What was repaid of a loan in a month, principal where the tape tells it."""
    principal = pl.coalesce("principal_part", "amount")
    return (
        payments.filter(pl.col("amount") > 0)
        .with_columns(principal=principal)
        .join(known.select("loan_id", "borrower_id", "lender", "loan", "repayment"), on="loan_id")
        .group_by(
            "borrower_id", "lender", "loan", "repayment", month=pl.col("date").dt.month_start()
        )
        .agg(paid=pl.col("principal").sum(), on=pl.col("date").max())
        .filter(pl.col("paid") > 0)
    )


def _near(later: pl.Expr, paid_on: pl.Expr) -> pl.Expr:
    return (later - paid_on).dt.total_days().abs() <= w.NEW_OLD_WITHIN


def _alike(new: pl.Expr, paid: pl.Expr) -> pl.Expr:
    return (new / paid).is_between(*w.NEW_OLD_RATIO)


def _between(repaid: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """A loan that began close to a repayment of another one."""
    many = known.filter(pl.len().over("borrower_id", "lender") > 1)
    new = many.select("borrower_id", "lender", "started", "lent", new="loan").drop_nulls()
    pairs = (
        repaid.join(new, on=["borrower_id", "lender"])
        .filter(pl.col("new") != pl.col("loan"))
        .filter(_near(pl.col("started"), pl.col("on")), _alike(pl.col("lent"), pl.col("paid")))
    )
    return pl.concat([_marks(pairs, "loan", "on"), _marks(pairs, "new", "started")])


def _within(repaid: pl.DataFrame, events: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """A drawdown on the same loan close to its repayment; revolving loans do nothing else."""
    drawn = (
        events.filter(pl.col("kind") == "drawdown", pl.col("amount") > 0)
        .join(known.select("loan_id", "loan"), on="loan_id")
        .select("loan", "date", "amount")
    )
    pairs = (
        repaid.filter(pl.col("repayment").ne_missing("revolving"))
        .join(drawn, on="loan")
        .filter(_near(pl.col("date"), pl.col("on")), _alike(pl.col("amount"), pl.col("paid")))
    )
    return _marks(pairs, "loan", "on")
