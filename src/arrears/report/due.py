"""The list of calls as a workbook: a sheet a branch, so that each can take its own tomorrow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from arrears.conduct.limits import Limits
from arrears.files import MOST_LOANS
from arrears.report import figures
from arrears.report.by_class import NOT_GIVEN
from arrears.report.sheets import Sheets

_MOST_SHEETS = 100
_MONEY = ["interest due", "principal due", "payment keeps off", "call is worth"]
_WIDTHS = {"why": 90, "loan": 14, "borrower": 14, "collector": 16}


@dataclass(frozen=True)
class DueFacts:
    """What the list holds for.

    Attributes:
        days: due dates within so many days.
        loan_months: moves of the tape that the chances were learnt from.
    """

    as_of: date
    days: int
    loan_months: int
    limits: Limits


def due_workbook(
    table: pl.DataFrame, path: Path, facts: DueFacts, *, all_rows: bool = False
) -> None:
    """`due.xlsx`: a cover, then the calls of each branch, best first; money in yuan.

    Args:
        table: `due.csv`.
        all_rows: every loan; else the 20,000 whose calls are worth most.
    """
    top = table if all_rows else table.head(MOST_LOANS)
    shown = _for_people(top).with_columns(branch=top["branch"].fill_null(NOT_GIVEN))
    worth = shown.group_by("branch", maintain_order=True).agg(
        pl.col("call is worth").sum(), pl.len()
    )
    order = worth.sort("call is worth", "branch", descending=[True, False])["branch"].to_list()
    day = facts.as_of
    with Sheets.of(path, title=f"Calls before the due date {day}", day=day) as sheets:
        cover = _cover(table, facts, shown=top.height)
        sheets.cover("Whom to call before the due date", cover, width=20)
        names: set[str] = {"cover"}
        for branch in order[:_MOST_SHEETS]:
            mine = shown.filter(branch=branch).drop("branch")
            sheets.add(_name(branch, names), mine, widths=_WIDTHS, money=_MONEY)
        rest = shown.filter(pl.col("branch").is_in(order[_MOST_SHEETS:]))
        if rest.height:
            sheets.add(_name("Other branches", names), rest, widths=_WIDTHS, money=_MONEY)


def _for_people(table: pl.DataFrame) -> pl.DataFrame:
    return table.select(
        loan="loan_id",
        borrower="borrower_id",
        collector="collector",
        due="next_due_date",
        **{
            "days past due": pl.col("days_past_due"),
            "interest due": pl.col("due_interest"),
            "principal due": pl.col("due_principal"),
            "misses, per cent": (pl.col("p_miss") * 100).round(1),
            "payment keeps off": pl.col("worth_of_payment"),
            "call is worth": pl.col("worth_of_call"),
            "only hides": pl.col("only_hides"),
            "contact": pl.col("contact_status"),
            "not before": pl.col("not_before"),
            "not after": pl.col("not_after"),
            "dials a day": pl.col("max_dials"),
        },
        why=_why(),
    )


def _why() -> pl.Expr:
    """What a payment does, in words."""
    paid, missed = (pl.col(f"class_if_{word}").str.replace("_", " ") for word in ("paid", "missed"))
    falls = pl.when(paid != missed).then(
        pl.format("missed it falls to {}, paid it stays {}", missed, paid)
    )
    stays = pl.format("it is {} either way", paid)
    hides = pl.format(
        "; likely bad already ({} %): the payment would only hide it",
        (pl.col("p_hidden") * 100).round(0).cast(pl.Int64),
    )
    off = (
        pl.when(pl.col("worth_of_call") <= 0)
        .then(pl.lit("; a call costs more than it brings"))
        .otherwise(pl.lit(""))
    )
    return pl.concat_str(
        pl.coalesce(falls, stays, pl.lit("no class by this standard")),
        pl.when("only_hides").then(hides).otherwise(pl.lit("")),
        off,
    )


def _cover(table: pl.DataFrame, facts: DueFacts, *, shown: int) -> list[tuple[str, str]]:
    limits = facts.limits
    hours = "no rule was in force on this date"
    if limits.not_before:
        hours = (
            f"between {limits.not_before} and {limits.not_after} local time, at most {limits.max_dials} unanswered "
            f"dials a day and number ({limits.article})"
        )
    learnt = (
        f"{facts.loan_months:,} moves of this tape and the market's figures"
        if facts.loan_months
        else "the market's figures alone: the tape has no months"
    )
    good = table.filter(pl.col("worth_of_call") > 0)
    return [
        ("As of", figures.day(facts.as_of)),
        ("Due", f"within {facts.days} days: {table.height:,} loans, {shown:,} of them here"),
        (
            "Worth a call",
            f"{good.height:,} loans, {figures.money(float(good['worth_of_call'].sum()))} after the cost of calling",
        ),
        ("Only hides", f"{int(table['only_hides'].sum()):,} loans are likely bad already"),
        ("When to call", hours),
        ("Chances rest on", learnt),
        (
            "Order",
            "the best call first: chance of a miss, by how much a call lowers it, what the payment keeps off",
        ),
        ("Amounts", "yuan; due.csv holds fen"),
    ]


def _name(branch: str, taken: set[str]) -> str:
    """A name that Excel takes for a sheet: at most 31 signs, none that it forbids, each once."""
    plain = re.sub(r"[\[\]:*?/\\]", " ", branch)[:28].strip("' ") or "branch"
    name, count = plain, 2
    while name.lower() in taken:
        name, count = f"{plain} {count}"[:31], count + 1
    taken.add(name.lower())
    return name
