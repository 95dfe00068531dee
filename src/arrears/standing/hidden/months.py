"""Every loan-month with what it shows: payment, days past due, acts of the bank, timing against reporting dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from arrears.standing.hidden import words as w
from arrears.standing.hidden.lookthrough import look_through
from arrears.standing.hidden.pairs import new_pays_old
from arrears.tape.columns import MONTHS
from arrears.tape.rebuild import rebuilt

_KINDS = {
    "renewed": ("renewal",),
    "extended": ("extension",),
    "capitalised_event": ("capitalised",),
    "cut_event": ("rate_cut",),
    "eased": ("restructured",),
    "grace": ("grace",),
    "drawn": ("drawdown",),
}


def lived(
    loans: pl.DataFrame, tables: Mapping[str, pl.DataFrame | None], as_of: date
) -> pl.DataFrame:
    """Loan-months with their signs, sorted by loan and month; none where the tape has no histories.

    The rules are those of METHODS 3.1. The cut-off month is added from the loans where `months` end before it.

    Args:
        loans: canonical, n rows.
        tables: canonical `payments`, `months`, `events`.

    Returns:
        `loan` (row of `loans`), `month`, `days`, `balance`, flags by name, and the codes `days_code, pay, act,
        timing, look` (`words`).
    """
    months, payments, events = (_some(tables, name) for name in ("months", "payments", "events"))
    unasked = pl.lit(False)
    if months is None and payments is not None:
        months = rebuilt(loans, payments, as_of)
        unasked = pl.all_horizontal(pl.col("due_principal", "due_interest").is_null())
    if months is None and events is not None:
        months = _months_of(events, as_of)
    if months is None:
        return _empty()
    known = loans.select(
        "loan_id",
        "repayment",
        "product",
        owes="principal",
        now="days_past_due",
        loan=pl.int_range(pl.len(), dtype=pl.UInt32),
    )
    table = _with_today(months.select(_TAKEN).join(known, on="loan_id"), known, as_of)
    table = table.sort("loan", "month")
    for flags in (
        _of_events(events, known),
        _of_payments(payments, events, known),
        new_pays_old(loans, payments, events),
    ):
        if flags is not None:
            table = table.join(flags, on=["loan", "month"], how="left", maintain_order="left")
    missing = [name for name in (*_FLAGS,) if name not in table.columns]
    table = table.with_columns(
        *(pl.lit(False).alias(name) for name in missing), pl.col(_present(table)).fill_null(False)
    )
    table = _compared(table)
    return _coded(table.with_columns(look_through(loans, table)), unasked)


_TAKEN = (
    "loan_id",
    "month",
    "due_principal",
    "due_interest",
    "paid_principal",
    "paid_interest",
    "days_past_due",
    "balance",
    "rate",
)
_FLAGS = (*_KINDS, "quarter_end", "round_trip", "new_old")


SIGNS = (
    "renewed",
    "extended",
    "capitalised",
    "new_old",
    "cut_down",
    "eased",
    "holiday",
    "round_trip",
    "rescue",
    "fell_unpaid",
    "stressed",
    "late",
)


def _present(table: pl.DataFrame) -> list[str]:
    return [name for name in _FLAGS if name in table.columns]


def _some(tables: Mapping[str, pl.DataFrame | None], name: str) -> pl.DataFrame | None:
    table = tables.get(name)
    return None if table is None or table.is_empty() else table


def _months_of(events: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Months in which something was done, where nothing else is known of any month."""
    told = events.filter(pl.col("date") <= as_of)
    rows = told.select("loan_id", month=pl.col("date").dt.month_start()).unique()
    return rows.select(
        pl.col(name) if name in rows.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in MONTHS.items()
    )


def _empty() -> pl.DataFrame:
    codes: dict[str, pl.DataType] = dict.fromkeys(
        ("days_code", "pay", "act", "timing", "look"), pl.UInt8()
    )
    flags: dict[str, pl.DataType] = dict.fromkeys(SIGNS, pl.Boolean())
    kinds: dict[str, pl.DataType] = {
        "loan": pl.UInt32(),
        "month": pl.Date(),
        "balance": pl.Int64(),
        "days": pl.Int32(),
        "look_days": pl.Float64(),
    }
    return pl.DataFrame(schema=kinds | codes | flags)


def _with_today(table: pl.DataFrame, known: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """The cut-off month of loans whose months end before it, with what the loans themselves say."""
    first = date(as_of.year, as_of.month, 1)
    table = table.filter(pl.col("month") <= first)
    ends = table.group_by("loan").agg(last=pl.col("month").max())
    behind = known.join(ends.filter(pl.col("last") < first), on="loan").filter(pl.col("owes") > 0)
    added = behind.select(
        pl.exclude("last"), month=pl.lit(first), days_past_due="now", balance="owes"
    )
    return pl.concat([table, added], how="diagonal")


def _of_events(events: pl.DataFrame | None, known: pl.DataFrame) -> pl.DataFrame | None:
    if events is None:
        return None
    kind = pl.col("kind")
    return (
        events.join(known.select("loan_id", "loan"), on="loan_id")
        .group_by("loan", month=pl.col("date").dt.month_start())
        .agg(kind.is_in(kinds).any().alias(name) for name, kinds in _KINDS.items())
    )


def _of_payments(
    payments: pl.DataFrame | None, events: pl.DataFrame | None, known: pl.DataFrame
) -> pl.DataFrame | None:
    """Payments in the last days of a quarter, and whether they went back within fifteen days (E4)."""
    if payments is None:
        return None
    day = pl.col("date")
    end = day.dt.month_end()
    last = (end.dt.month() % 3 == 0) & ((end - day).dt.total_days() < w.QUARTER_END_DAYS)
    paid = payments.join(known.select("loan_id", "loan"), on="loan_id").select(
        "loan", "date", "amount"
    )
    at_end = paid.filter(last & (pl.col("amount") > 0))
    back = [paid.filter(pl.col("amount") < 0).select("loan", back="date")]
    if events is not None:
        again = events.filter(pl.col("kind") == "drawdown").join(
            known.filter(pl.col("repayment").ne_missing("revolving")).select("loan_id", "loan"),
            on="loan_id",
        )
        back.append(again.select("loan", back="date"))
    gone = (
        at_end.join(pl.concat(back), on="loan")
        .filter((pl.col("back") - day).dt.total_days().is_between(0, w.RELENT_WITHIN))
        .select("loan", month=day.dt.month_start(), round_trip=pl.lit(True))
        .unique()
    )
    ends = at_end.select("loan", month=day.dt.month_start(), quarter_end=pl.lit(True)).unique()
    return ends.join(gone, on=["loan", "month"], how="left")


def _compared(table: pl.DataFrame) -> pl.DataFrame:
    """What a month shows beside the month before it."""

    def before(name: str, months: int = 1) -> pl.Expr:
        return pl.col(name).shift(months).over("loan")

    days, balance = pl.col("days_past_due"), pl.col("balance")
    due = pl.sum_horizontal(pl.col("due_principal", "due_interest").fill_null(0))
    paid = pl.sum_horizontal(pl.col("paid_principal", "paid_interest").fill_null(0))
    silent = pl.all_horizontal(pl.col("paid_principal", "paid_interest").is_null())
    table = table.with_columns(
        due=due,
        paid=paid,
        silent=silent,
        days_before=before("days_past_due"),
        balance_before=before("balance"),
        holiday=_holiday(),
    )
    accrued = pl.coalesce("due_interest", pl.col("rate") / 12 * pl.col("balance_before"))
    grew = (balance - pl.col("balance_before")) / pl.when(accrued > 0).then(accrued)
    cut = before("rate") - pl.col("rate")
    table = table.with_columns(
        pay=_pay(),
        grew=grew.is_between(*w.CAPITALISED_RATIO)
        & ~pl.col("drawn")
        & pl.col("repayment").ne_missing("revolving"),
        cut=cut,
        fell_unpaid=(pl.col("days_before") > 30)
        & (days < pl.col("days_before"))
        & ~silent
        & (paid <= 0),
    )
    usual = pl.col("cut").median().over("product", "month").fill_null(0.0)
    late = (days > 0) | pl.col("pay").is_in([w.PAY.index("partial"), w.PAY.index("none")])
    table = table.with_columns(
        capitalised=(pl.col("grew").fill_null(False) | pl.col("capitalised_event")),
        cut_down=((pl.col("cut") - usual) > w.RATE_CUT).fill_null(False) | pl.col("cut_event"),
        late=late.fill_null(False),
    )
    recent = pl.any_horizontal(*(before("late", back).fill_null(False) for back in (1, 2, 3)))
    return table.with_columns(
        stressed=recent,
        rescue=pl.col("quarter_end") & before("late").fill_null(False) & (paid > 0),
    )


def _holiday() -> pl.Expr:
    """From a grace month on, at most six months, for as long as nothing is paid."""
    ago = pl.int_range(pl.len()).over("loan") - (
        pl.when("grace").then(pl.int_range(pl.len()).over("loan")).forward_fill().over("loan")
    )
    paid = pl.sum_horizontal(pl.col("paid_principal", "paid_interest").fill_null(0))
    return (ago < w.HOLIDAY_MONTHS).fill_null(False) & (paid <= 0)


def _pay() -> pl.Expr:
    """What was paid, by name; interest alone shows no ability to repay, whether the contract asks for more or not."""
    due, paid = pl.col("due"), pl.col("paid")
    interest, principal = (
        pl.col("paid_interest").fill_null(0),
        pl.col("paid_principal").fill_null(0),
    )
    only = (interest > 0) & (principal <= 0)
    asks = (pl.col("due_principal").fill_null(0) > 0) | (
        (pl.col("repayment") == "amortising").fill_null(False) & (pl.col("balance") > 0)
    )

    def code(name: str) -> pl.Expr:
        return pl.lit(w.PAY.index(name), pl.UInt8)

    return (
        pl.when("holiday").then(code("holiday"))
        .when("silent").then(code("unknown"))
        .when(only & asks).then(code("interest_only"))
        .when(only & (paid >= w.PAID_IN_FULL * due)).then(code("contract"))
        .when(paid >= w.PAID_IN_FULL * due).then(
            pl.when(paid > 0).then(code("full")).otherwise(code("nothing_due"))
        )
        .when(paid > 0).then(code("partial"))
        .otherwise(code("none"))
    )  # fmt: skip


def _coded(table: pl.DataFrame, unasked: pl.Expr) -> pl.DataFrame:
    """The codes of every month; of several acts the most telling one counts.

    Args:
        unasked: where nothing tells what was due, so that nothing can be left unmet.
    """
    days = pl.col("days_past_due")
    bucket: pl.Expr = pl.lit(w.DAYS.index("91+"), pl.UInt8)
    for place, top in reversed(list(enumerate(w.DAYS_UP_TO))):
        bucket = pl.when(days <= top).then(pl.lit(place, pl.UInt8)).otherwise(bucket)
    kept = (pl.col("balance") >= w.KEPT_PRINCIPAL * pl.col("balance_before")).fill_null(True)

    def act(name: str) -> pl.Expr:
        return pl.lit(w.ACT.index(name), pl.UInt8)

    def timing(name: str) -> pl.Expr:
        return pl.lit(w.TIMING.index(name), pl.UInt8)

    acts = (
        pl.when(pl.col("renewed") & ~kept).then(act("renewal_paid_down"))
        .when("new_old").then(act("new_pays_old"))
        .when("capitalised").then(act("capitalised"))
        .when("renewed").then(act("renewal"))
        .when("extended").then(act("extension"))
        .when("cut_down").then(act("rate_cut"))
        .when("eased").then(act("relief"))
        .otherwise(act("none"))
    )  # fmt: skip
    times = (
        pl.when("round_trip").then(timing("round_trip"))
        .when("fell_unpaid").then(timing("fell_unpaid"))
        .when("rescue").then(timing("rescue"))
        .otherwise(timing("none"))
    )  # fmt: skip
    look = pl.col("look_days")
    looked = (look > 30).cast(pl.UInt8) + (look > w.DAYS_UP_TO[-1]).cast(pl.UInt8)
    unknown = pl.lit(w.DAYS_UNKNOWN, pl.UInt8)
    return table.select(
        "loan",
        "month",
        "balance",
        *SIGNS,
        days="days_past_due",
        look_days="look_days",
        look=pl.when(
            pl.col("silent") | unasked | (pl.col("repayment") == "revolving").fill_null(False)
        )
        .then(pl.lit(w.LOOK_UNKNOWN, pl.UInt8))
        .otherwise(looked),
        days_code=pl.when(days.is_null()).then(unknown).otherwise(bucket),
        pay="pay",
        act=acts,
        timing=times,
    )
