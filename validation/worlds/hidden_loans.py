"""The loans of a book with hidden bad ones, as they stand on the cut-off date."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from validation.worlds.dates import as_dates
from validation.worlds.hidden_made import Made
from validation.worlds.households import PRODUCTS, PROVINCES, SECTORS


def loans(made: Made, stream: np.random.Generator) -> pl.DataFrame:
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
    next_due = as_dates(book.firsts[made.cut + 1] + book.due_day[index] - 1)
    due_interest = np.round(balance * now["rate"][index] / 12).astype(np.int64)
    level = np.clip(now["instalment"][index] - due_interest, 0, balance)
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
            "original_principal": now["original"][index].astype(np.int64),
            "rate": now["rate"][index],
            "provision": np.floor(share * (balance + interest)).astype(np.int64),
            "days_past_due": days,
            "origination_date": _monthas_dates(made, began, 1),
            "maturity_date": _monthas_dates(made, np.maximum(now["maturity"][index], began + 1), book.due_day[index]),
            "default_date": pl.Series(np.where(days > 0, days, -1)),
            "next_due_date": next_due,
            "next_due_interest": due_interest,
            "next_due_principal": due_principal.astype(np.int64),
            "reported_class": reported,
            "restructured_on": pl.Series(relieved),
            "restructure_count": (relieved >= 0).astype(np.int64),
            "renewals": np.where(closed, 0, now["renewals"][index]),
            "contact_status": np.where(hard, "unreachable", "reachable"),
            "_index": index,
        }
    ).with_columns(
        default_date=pl.when(pl.col("default_date") >= 0).then(pl.lit(made.as_of) - pl.duration(days="default_date")),
        restructured_on=pl.when(pl.col("restructured_on") >= 0).then(_monthas_dates(made, np.maximum(relieved, 0), 1)),
    ).sort("loan_id")  # fmt: skip


def _monthas_dates(made: Made, month: np.ndarray, day: np.ndarray | int) -> pl.Series:
    """Dates in months counted from the first of the book; months before it are reckoned back."""
    begin = date.fromordinal(int(made.book.firsts[0]))
    absolute = begin.year * 12 + begin.month - 1 + month
    years, months = absolute // 12 - 1970, absolute % 12
    stamps = (years.astype("datetime64[Y]").astype("datetime64[M]") + months).astype(
        "datetime64[D]"
    )
    return pl.Series(stamps + (np.asarray(day) - 1)).cast(pl.Date)
