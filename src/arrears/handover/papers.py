"""Worklists, offers and filings, each exactly for the loans that the plan sends there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from arrears.channels import Situation, terms
from arrears.conduct import limits
from arrears.handover.packages import write_packages
from arrears.plan import PlanResult
from arrears.rules import Rulebook, court_fee
from arrears.standing import credit_repair, limitation_ends
from arrears.tape import Tape, claim

_ACTIONS = {"collect": "collect", "restructure": "offer_terms", "litigate": "file_suit"}
MOST_ROWS = 20_000
_SOLD = ("transfer", "securitise", "income_rights")


@dataclass(frozen=True)
class Decision:
    """What was decided, and all that its papers need.

    Attributes:
        facts: limitation, credit repair and filing fee of every accepted loan, as `facts` gives them.
    """

    tape: Tape
    situation: Situation
    plan: PlanResult
    facts: pl.DataFrame


def facts(tape: Tape, rulebook: Rulebook) -> pl.DataFrame:
    """`loan_id, limitation_ends, credit_repair, court_fee` of every accepted loan."""
    day = tape.as_of
    return pl.DataFrame(
        {
            "loan_id": tape.loans["loan_id"],
            "limitation_ends": limitation_ends(
                tape.loans, as_of=day, rulebook=rulebook, events=tape.events
            ),
            "credit_repair": credit_repair(
                tape.loans, as_of=day, rulebook=rulebook, months=tape.months
            ),
            "court_fee": court_fee(claim(tape.loans), rulebook, day),
        }
    )


def write(decision: Decision, folder: Path) -> None:
    """Write all papers below `folder`.

    Raises:
        OSError: the place cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = worklist(decision)
    work.drop("collector").write_csv(folder / "worklist.csv")
    _workbook(work, decision.tape.as_of, folder / "worklist.xlsx")
    offers(decision).write_csv(folder / "offers.csv")
    filings(decision).write_csv(folder / "filings.csv")
    for channel in _SOLD:
        (folder / channel).mkdir(exist_ok=True)
    write_packages(decision.situation, decision.plan, folder)


def _joined(decision: Decision) -> pl.DataFrame:
    """Plan, loans and facts side by side, in the order of the plan."""
    loans = decision.situation.loans.select(
        "loan_id",
        "branch",
        "days_past_due",
        "fraud_flag",
        collector=pl.coalesce("collector", "branch"),
        court=pl.coalesce("court", "province"),
    )
    return decision.plan.table.join(loans, on="loan_id", maintain_order="left").join(
        decision.facts, on="loan_id", maintain_order="left"
    )


def worklist(decision: Decision) -> pl.DataFrame:
    """A row a loan planned for collect, restructure or litigate, whenever; nobody calls a sound borrower."""
    rules = limits(decision.situation.rulebook, decision.tape.as_of)
    rows = _joined(decision).filter(pl.col("channel").is_in(list(_ACTIONS)))
    at_ease = (pl.col("channel") == "collect") & (pl.col("days_past_due") == 0)
    later = (pl.col("start_month") > 0) & (pl.col("channel") != "collect")
    waits = (pl.col("start_month") > 0) & (pl.col("channel") == "collect")
    action = (
        pl.when(at_ease)
        .then(pl.lit("none"))
        .when(waits)
        .then(pl.format("collect_from_month_{}", "start_month"))
        .when(later)
        .then(
            pl.format(
                "collect_then_{}_in_month_{}",
                pl.col("channel").replace_strict(_ACTIONS, default=None),
                "start_month",
            )
        )
        .otherwise(pl.col("channel").replace_strict(_ACTIONS, default=None))
    )

    def when_called(value: object, dtype: type[pl.DataType]) -> pl.Expr:
        return pl.when(~at_ease).then(pl.lit(value, dtype))

    return rows.select(
        "loan_id",
        "branch",
        action=action,
        not_before=when_called(rules.not_before, pl.String),
        not_after=when_called(rules.not_after, pl.String),
        max_dials=when_called(rules.max_dials, pl.Int32),
        limitation_ends="limitation_ends",
        credit_repair="credit_repair",
        collector="collector",
    ).sort("loan_id")


def offers(decision: Decision) -> pl.DataFrame:
    """A row a loan planned for restructure now: terms that add up to what is owed less what is waived."""
    situation, offered = decision.situation, terms(decision.situation)
    now = _now(decision, "restructure")
    cards = (situation.loans["product"] == "credit_card").to_numpy()
    day = situation.as_of
    interest = situation.rulebook.cite("cn/waive/interest", day).article
    card = situation.rulebook.leaf("cn/instalments/card_max_months").in_force(day)
    cap = card.article if card else interest
    share = pl.Series("share_of_income", offered.share_of_income).fill_nan(None)
    table = pl.DataFrame(
        {
            "loan_id": situation.loans["loan_id"],
            "instalments": offered.instalments,
            "instalment": offered.instalment,
            "waived_interest": offered.waived_interest,
            "waived_fees": offered.waived_fees,
            "waived_principal": np.zeros(len(now), dtype=np.int64),
            "share_of_income": share,
            "article": np.where(cards, cap, interest),
        }
    )
    return table.filter(pl.Series(now)).sort("loan_id")


def filings(decision: Decision) -> pl.DataFrame:
    """A row a loan planned for litigate now: fraud first, then by worth, of equals the nearest limitation first."""
    rows = _joined(decision).filter(
        (pl.col("channel") == "litigate") & (pl.col("start_month") == 0)
    )
    ordered = rows.sort(
        pl.col("fraud_flag").fill_null(False),
        "value",
        pl.col("limitation_ends"),
        "loan_id",
        descending=[True, True, False, False],
    )
    return ordered.select(
        "loan_id",
        "court",
        "claim",
        fee="court_fee",
        limitation_ends="limitation_ends",
        priority=pl.int_range(1, pl.len() + 1),
        expected_worth="value",
    )


def _now(decision: Decision, channel: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    table = decision.plan.table
    return ((table["channel"] == channel) & (table["start_month"] == 0)).to_numpy()


def _workbook(work: pl.DataFrame, as_of: date, path: Path) -> None:
    """The worklist by collector, for people: at most 20,000 rows, all of them lie in the CSV."""
    import xlsxwriter

    shown = work.filter(pl.col("action") != "none").sort("collector", "limitation_ends", "loan_id")
    shown = shown.head(MOST_ROWS)
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"title": f"Worklist {as_of}", "created": as_of_time(as_of)})
        shown.select("collector", pl.exclude("collector")).write_excel(
            book,
            worksheet="Worklist",
            freeze_panes=(1, 0),
            column_widths={"loan_id": 110, "action": 240, "collector": 130, "branch": 110},
            dtype_formats={pl.Date: "yyyy-mm-dd"},
            table_style="Table Style Light 1",
        )


def as_of_time(as_of: date) -> object:
    """A workbook's date of creation that no clock changes."""
    import datetime as dt

    return dt.datetime(as_of.year, as_of.month, as_of.day)
