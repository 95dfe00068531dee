"""Histories checked against each other and against the loans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from arrears.core.words import counted
from arrears.problems import Problem

_NEAR = 100
_DAYS = 31
_GRACE = 3
_EASED = ("renewal", "extension", "restructured", "capitalised", "grace", "settled", "write_off")
_KEPT = ("write_off", "restructured", "settled", "capitalised", "drawdown", "renewal")


def cross_check(
    loans: pl.DataFrame, tables: Mapping[str, pl.DataFrame | None], as_of: date
) -> list[Problem]:
    """What the histories of accepted loans contradict: warnings, each with how many and an example.

    Args:
        tables: canonical `payments`, `months`, `events`, `contacts`, in any order.
    """
    months, payments, events = (tables.get(name) for name in ("months", "payments", "events"))
    found: list[Problem] = []
    if months is not None and not months.is_empty():
        ordered = months.sort("loan_id", "month")
        found += _gaps(ordered) + _spans(ordered, loans, as_of) + _moves(ordered, events, loans)
        found += _fallen(ordered, events, payments) + _against_loans(ordered, loans, as_of)
        if payments is not None and not payments.is_empty():
            found += _against_payments(ordered, payments)
    contacts = tables.get("contacts")
    if contacts is not None and not contacts.is_empty():
        found += _before_default(contacts, loans, as_of)
    for name, table in (("payments", payments), ("events", events), ("contacts", contacts)):
        if table is not None and not table.is_empty():
            found += _outside(name, table, loans, as_of)
    return found


def _told(  # noqa: PLR0917 - the parts of a problem, in its order
    code: str, where: str, rows: pl.DataFrame, what: tuple[str, str], found: str, fix: str
) -> list[Problem]:
    """A problem of so many rows; `what` they are, one and many, each with its verb."""
    if rows.is_empty():
        return []
    text = f"{counted(rows.height, *what)} {found}, e.g. loan {rows['loan_id'][0]}."
    return [Problem(code, "warning", where, text, "Histories that disagree mislead.", fix)]


def _gaps(months: pl.DataFrame) -> list[Problem]:
    before = pl.col("month").shift(1).over("loan_id")
    gaps = months.filter(pl.col("month") > before.dt.offset_by("1mo"))
    return _told(
        "MONTHS-WITH-GAPS",
        "months",
        gaps,
        ("gap lies", "gaps lie"),
        "between two months of a loan",
        "Export every month.",
    )


def _spans(months: pl.DataFrame, loans: pl.DataFrame, as_of: date) -> list[Problem]:
    """Months outside the life of their loan or after the cut-off date, and histories of one month alone."""
    begun = months.join(loans.select("loan_id", "origination_date"), on="loan_id")
    early = begun.filter(pl.col("month") < pl.col("origination_date").dt.month_start())
    late = months.filter(pl.col("month") > as_of)
    found = _told(
        "MONTH-BEFORE-LOAN", "months month", early, ("month lies", "months lie"), "before the loan began",
        "Correct the month, or the loan's origination_date.",
    ) + _told(
        "MONTH-AFTER-CUT-OFF", "months month", late, ("month lies", "months lie"), "after the cut-off date",
        "Leave them out, or correct the month.",
    )  # fmt: skip
    if months["month"].n_unique() == 1:
        found += _told(
            "SINGLE-MONTH", "months month", months, ("row is", "rows are"), "of one and the same month: nothing moves",
            "Export every month; a year and more tells most.",
        )  # fmt: skip
    return found


def _fallen(
    months: pl.DataFrame, events: pl.DataFrame | None, payments: pl.DataFrame | None
) -> list[Problem]:
    """Days past due that are fewer than a month before, where nothing was paid and no event says why."""
    before = pl.col("days_past_due").shift(1).over("loan_id")
    follows = pl.col("month").shift(1).over("loan_id") == pl.col("month").dt.offset_by("-1mo")
    unpaid = (pl.col("paid_principal") + pl.col("paid_interest")) <= 0
    fell = months.filter((pl.col("days_past_due") < before) & follows & unpaid)
    for table, kept in ((events, pl.col("kind").is_in(_EASED)), (payments, pl.col("amount") > 0)):
        if table is not None and not table.is_empty():
            why = table.filter(kept).select("loan_id", month=pl.col("date").dt.month_start())
            fell = fell.join(why, on=["loan_id", "month"], how="anti")
    return _told(
        "DAYS-FALL-UNPAID", "months days_past_due", fell, ("time", "times"), "days past due fall without a payment",
        "Add the payment, or the event that explains it.",
    )  # fmt: skip


def _moves(months: pl.DataFrame, events: pl.DataFrame | None, loans: pl.DataFrame) -> list[Problem]:
    """Balances that move by another sum than was paid, where no event says why; a revolving one may rise."""
    revolves = (pl.col("product") == "credit_card") | (pl.col("repayment") == "revolving")
    kinds = loans.select("loan_id", revolves=revolves.fill_null(False))
    before = pl.col("balance").shift(1).over("loan_id")
    moved = months.with_columns(fell=before - pl.col("balance")).join(kinds, on="loan_id")
    paid = pl.col("paid_principal").fill_null(0)
    falls = pl.col("fell") > paid + _NEAR
    rises = (pl.col("fell") < paid - _NEAR) & ~pl.col("revolves")
    if events is not None and not events.is_empty():
        why = events.filter(pl.col("kind").is_in(_KEPT)).select(
            "loan_id", month=pl.col("date").dt.month_start()
        )
        moved = moved.join(why, on=["loan_id", "month"], how="anti")
    fix = "Add the payment, or the event that explains it."
    return _told(
        "BALANCE-MOVES-UNPAID",
        "months balance",
        moved.filter(falls),
        ("balance falls", "balances fall"),
        "by more than was paid",
        fix,
    ) + _told(
        "BALANCE-STAYS-PAID",
        "months balance",
        moved.filter(rises),
        ("balance rises, or falls", "balances rise, or fall"),
        "by less than was paid",
        fix,
    )


def _against_loans(months: pl.DataFrame, loans: pl.DataFrame, as_of: date) -> list[Problem]:
    """The month of the cut-off date against the loans as they stand."""
    now = months.filter(pl.col("month") == date(as_of.year, as_of.month, 1)).join(
        loans.select("loan_id", "principal", owed_days="days_past_due"), on="loan_id"
    )
    days = now.filter((pl.col("days_past_due") - pl.col("owed_days")).abs() > _DAYS)
    balance = now.filter((pl.col("balance") - pl.col("principal")).abs() > _NEAR)
    return _told(
        "DAYS-DIFFER", "months days_past_due", days, ("loan is", "loans are"), "otherwise past due in the last month",
        "Correct one of them.",
    ) + _told(
        "BALANCES-DIFFER", "months balance", balance, ("last balance is", "last balances are"), "not what is owed",
        "Correct one of them.",
    )  # fmt: skip


def _against_payments(months: pl.DataFrame, payments: pl.DataFrame) -> list[Problem]:
    paid = pl.col("paid_principal").fill_null(0) + pl.col("paid_interest").fill_null(0)
    sums = payments.group_by("loan_id", month=pl.col("date").dt.month_start()).agg(
        came=pl.col("amount").sum()
    )
    both = months.select("loan_id", "month", said=paid).join(sums, on=["loan_id", "month"])
    differ = both.filter((pl.col("said") - pl.col("came")).abs() > _NEAR)
    return _told(
        "PAYMENTS-DIFFER", "months", differ, ("month says", "months say"), "another sum than the payments",
        "Correct one of the tables.",
    )  # fmt: skip


def _before_default(contacts: pl.DataFrame, loans: pl.DataFrame, as_of: date) -> list[Problem]:
    """Steps to collect on a loan that was not yet past due."""
    since = pl.lit(as_of) - pl.duration(days=pl.col("days_past_due") + _GRACE)
    early = contacts.join(
        loans.filter(pl.col("days_past_due") > 0).select("loan_id", since=since), on="loan_id"
    ).filter(pl.col("date") < pl.col("since"))
    return _told(
        "CONTACT-BEFORE-DEFAULT", "contacts date", early,
        ("step to collect lies", "steps to collect lie"), "before the loan fell past due",
        "Correct the date, or days_past_due; such steps are left out of what steps add.",
    )  # fmt: skip


def _outside(name: str, table: pl.DataFrame, loans: pl.DataFrame, as_of: date) -> list[Problem]:
    verb = f"{name.removesuffix('s')} lies", f"{name} lie"
    begun = table.join(loans.select("loan_id", "origination_date"), on="loan_id")
    early = begun.filter(pl.col("date") < pl.col("origination_date"))
    late = table.filter(pl.col("date") > as_of)
    return _told(
        "DATE-BEFORE-LOAN", f"{name} date", early, verb, "before the loan began",
        "Correct the date.",
    ) + _told(
        "DATE-AFTER-CUT-OFF", f"{name} date", late, verb, "after the cut-off date",
        "Leave them out, or correct the date.",
    )  # fmt: skip
