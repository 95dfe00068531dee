"""The tape of a book with hidden bad loans, in the canonical columns of docs/tape.md, and its truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from validation.worlds.households import PRODUCTS, PROVINCES, SECTORS
from validation.worlds.keeping import Log
from validation.worlds.lending import Book
from validation.worlds.managers import CUT_OFF, Managers

MONEY = ("due_principal", "due_interest", "paid_principal", "paid_interest", "balance")
BAD, STRAINED = 90, 30


@dataclass(frozen=True)
class Made:
    """A book that has lived; `cut` is the month of the cut-off date, `window` the first one on the tape."""

    as_of: date
    cut: int
    window: int
    book: Book
    bank: Managers
    log: Log

    @cached_property
    def renewed(self) -> np.ndarray:
        """Loans that another took the place of by the cut-off date."""
        return (self.book.switched >= 0) & (self.book.switched <= self.cut)

    def column(self, name: str) -> np.ndarray:
        """(loans, months)."""
        return np.stack([month[name] for month in self.log.months], axis=1)

    @cached_property
    def names(self) -> np.ndarray:
        """(2, loans): the id of a loan, and of the one that took its place."""
        numbers = range(len(self.renewed))
        return np.array([[f"{letter}{number:06d}" for number in numbers] for letter in "LR"])

    def ids(self, loan: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Ids as they were in those months."""
        later = self.renewed[loan] & (month > self.book.switched[loan])
        return self.names[later.astype(np.int64), loan]


def tables(made: Made, stream: np.random.Generator) -> dict[str, pl.DataFrame]:
    """All tables of a book, keyed as `hidden.Hidden` names them."""
    every = _months(made)
    upto = every.filter(pl.col("at") <= made.cut)
    loans = _loans(made, stream)
    payments = _payments(made, upto, stream)
    last = payments.filter(pl.col("amount") > 0).sort("loan_id", "date").group_by("loan_id").last()
    loans = loans.join(
        last.select("loan_id", last_payment_date="date", last_payment="amount"),
        on="loan_id",
        how="left",
    )
    truth = _truth(made, loans)
    later = every.filter(pl.col("at") > made.cut).select(
        "loan_id", "month", "days_past_due", "balance", paid=pl.col("own") + pl.col("cover")
    )
    return {
        "loans": loans.drop("_index"),
        "months": upto.select("loan_id", "month", "due_principal", "due_interest", "paid_principal",
                              "paid_interest", "days_past_due", "balance", "rate"),
        "events": _events(made, stream),
        "payments": payments,
        "truth": truth,
        "states": upto.select("loan_id", "month", "true_state"),
        "later": later,
        "outcome": later.group_by("loan_id").agg(worst_days=pl.col("days_past_due").max()).sort("loan_id"),
    }  # fmt: skip


def _truth(made: Made, loans: pl.DataFrame) -> pl.DataFrame:
    """What is true of each loan on the cut-off date; a closed one is sound."""
    now, index = made.log.months[made.cut], loans["_index"].to_numpy()
    claim = pl.col("principal") + pl.col("interest")
    hides = made.bank.zeal[made.bank.branch] > 0
    return (
        loans.with_columns(
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
        for name in (
            *MONEY,
            "days",
            "true_days",
            "rate",
            "thin",
            "own",
            "cover",
            "capitalised",
            "lent",
        )
    }
    state = _state(values.pop("true_days"), values.pop("thin"))
    every = pl.DataFrame(
        {
            "loan_id": made.ids(loan, at),
            "index": loan,
            "at": at,
            "month": pl.Series(
                made.book.firsts[at] - date(1970, 1, 1).toordinal(), dtype=pl.Int32
            ).cast(pl.Date),
            **values,
            "true_state": state,
        }
    ).rename({"days": "days_past_due"})
    refinanced = [
        told
        for told in made.log.events
        if told["kind"] == "refinanced" and told["month"] <= made.cut
    ]
    if refinanced:
        paid = pl.concat(
            pl.DataFrame(
                {
                    "index": told["loan"],
                    "at": told["month"],
                    "p": told["principal"],
                    "i": told["interest"],
                }
            )
            for told in refinanced
        ).with_columns(pl.col("index", "at").cast(pl.Int64))
        every = (
            every.join(paid, on=["index", "at"], how="left")
            .with_columns(
                pl.col("paid_principal") + pl.col("p").fill_null(0),
                pl.col("paid_interest") + pl.col("i").fill_null(0),
                balance=pl.when(pl.col("p").is_null()).then("balance").otherwise(0),
                refinanced=pl.col("p").fill_null(0) + pl.col("i").fill_null(0),
            )
            .drop("p", "i")
        )
    else:
        every = every.with_columns(refinanced=pl.lit(0.0))
    whole = [*MONEY, "own", "cover", "capitalised", "lent", "refinanced", "days_past_due"]
    return every.with_columns(pl.col(whole).cast(pl.Int64)).sort("loan_id", "month")


def _payments(made: Made, months: pl.DataFrame, stream: np.random.Generator) -> pl.DataFrame:
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
        own_date=_dates(first + own_day - 1),
        cover_date=_dates(first + cover_day - 1),
        swap_date=_dates(first + length - 1),
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


def _dates(ordinals: np.ndarray) -> pl.Series:
    return pl.Series(ordinals - date(1970, 1, 1).toordinal()).cast(pl.Int32).cast(pl.Date)


def _events(made: Made, stream: np.random.Generator) -> pl.DataFrame:
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
        when = _dates(np.minimum(made.book.firsts[at] + day - 1, made.book.firsts[at + 1] - 1))
        old = made.ids(loan, np.full(len(loan), at))
        null = np.full(len(loan), np.nan)
        row = {"loan_id": old, "date": when, "kind": told["kind"], "amount": told.get("amount", null),
               "related_loan_id": pl.Series([None] * len(loan), dtype=pl.String),
               "rate_before": told.get("rate_before", null), "rate_after": told.get("rate_after", null)}  # fmt: skip
        if told["kind"] == "refinanced":
            logged = made.bank.logged[loan] | ~made.bank.deed[loan, 0]
            new = made.ids(loan, np.full(len(loan), at + 1))
            end = _dates(np.full(len(loan), made.book.firsts[at + 1] - 1))
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


def _loans(made: Made, stream: np.random.Generator) -> pl.DataFrame:
    """A row a loan that ran in the window; those that another replaced are closed."""
    book, people = made.book, made.book.people
    count = len(book.start)
    now = made.log.months[made.cut]
    running = made.column("running")[:, made.window : made.cut + 1].any(axis=1)
    replaced = made.renewed & (book.switched >= made.window)
    open_ones, old_ones = np.nonzero(running)[0], np.nonzero(running & replaced)[0]
    index = np.concatenate([open_ones, old_ones])
    closed = np.arange(len(index)) >= len(open_ones)
    ids = made.ids(index, np.where(closed, 0, made.cut + 1))
    began = np.where(made.renewed[index] & ~closed, book.switched[index], book.start[index])
    balance = np.where(closed, 0, now["balance"][index]).astype(np.int64)
    interest = np.where(closed, 0, now["interest_open"][index]).astype(np.int64)
    days = np.where(closed | (balance == 0), 0, now["days"][index])
    reported = np.select([days > 360, days > 270, days > 90, days > 0],
                         ["loss", "doubtful", "substandard", "special_mention"], "normal")  # fmt: skip
    share = np.select([days > 360, days > 270, days > 90, days > 0], [1.0, 0.6, 0.3, 0.03], 0.015)
    relieved = np.where(closed, -1, book.relieved[index])
    relieved = np.where((relieved >= made.window) & (relieved <= made.cut), relieved, -1)
    hard = stream.random(len(index)) < np.where(days > 90, 0.35, 0.03)
    originator = made.bank.branch[index] * 10 + stream.integers(0, 4, count)[index]
    next_due = _dates(book.firsts[made.cut + 1] + book.due_day[index] - 1)
    due_interest = np.round(balance * now["rate"][index] / 12).astype(np.int64)
    level = np.clip(book.instalment[index] - due_interest, 0, balance)
    due_principal = np.where(book.business[index], 0, level)
    told_income = people.usual * np.exp(0.2 * stream.standard_normal(count))
    told_income = np.round(told_income[index]).astype(np.int64)
    return pl.DataFrame(
        {
            "as_of": made.as_of,
            "loan_id": ids,
            "borrower_id": [f"B{number:06d}" for number in index],
            "lender": "Eastern Rural Bank",
            "branch": [f"branch {number:03d}" for number in made.bank.branch[index]],
            "originator": [f"officer {number:04d}" for number in originator],
            "product": np.array(PRODUCTS)[people.product[index]],
            "repayment": np.where(book.business[index], "interest_only", "amortising"),
            "security": np.where(people.product[index] == 3, "home", "none"),
            "province": np.array(PROVINCES)[people.province[index]],
            "sector": np.array(SECTORS)[people.sector[index]],
            "monthly_income": told_income,
            "principal": balance,
            "interest": interest,
            "fees": np.zeros(len(index), np.int64),
            "original_principal": book.original[index].astype(np.int64),
            "rate": now["rate"][index],
            "provision": np.floor(share * (balance + interest)).astype(np.int64),
            "days_past_due": days,
            "origination_date": _month_dates(made, began, 1),
            "maturity_date": _month_dates(made, np.maximum(book.maturity[index], began + 1), book.due_day[index]),
            "default_date": pl.Series(np.where(days > 0, days, -1)),
            "next_due_date": next_due,
            "next_due_interest": due_interest,
            "next_due_principal": due_principal.astype(np.int64),
            "reported_class": reported,
            "restructured_on": pl.Series(relieved),
            "restructure_count": (relieved >= 0).astype(np.int64),
            "renewals": np.where(closed, 0, book.renewals[index]),
            "contact_status": np.where(hard, "unreachable", "reachable"),
            "_index": index,
        }
    ).with_columns(
        default_date=pl.when(pl.col("default_date") >= 0).then(pl.lit(made.as_of) - pl.duration(days="default_date")),
        restructured_on=pl.when(pl.col("restructured_on") >= 0).then(_month_dates(made, np.maximum(relieved, 0), 1)),
    ).sort("loan_id")  # fmt: skip


def _month_dates(made: Made, month: np.ndarray, day: np.ndarray | int) -> pl.Series:
    """Dates in months counted from the first of the book; months before it are reckoned back."""
    begin = date.fromordinal(int(made.book.firsts[0]))
    absolute = begin.year * 12 + begin.month - 1 + month
    years, months = absolute // 12 - 1970, absolute % 12
    stamps = (years.astype("datetime64[Y]").astype("datetime64[M]") + months).astype(
        "datetime64[D]"
    )
    return pl.Series(stamps + (np.asarray(day) - 1)).cast(pl.Date)
