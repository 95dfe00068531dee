"""Worklists, offers and filings, each exactly for the loans that the plan sends there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from arrears.channels import Offers, Situation, demands, ladder_table, terms
from arrears.conduct import Limits, limits
from arrears.files import MOST_LOANS, SHEET_ROWS
from arrears.handover import cases, covers, letters, packages, workbooks
from arrears.handover.template import Template
from arrears.plan import PlanResult
from arrears.rules import Rulebook, court_fee, preservation_fee
from arrears.standing import credit_repair, limitation_ends
from arrears.tape import Tape, claim

_ACTIONS = {"collect": "collect", "restructure": "offer_terms", "litigate": "file_suit"}
_LATER = {
    **_ACTIONS,
    "transfer": "sell_in_bulk",
    "securitise": "securitise",
    "income_rights": "sell_income_rights",
}
_WORKLIST = (
    "loan_id",
    "branch",
    "action",
    "not_before",
    "not_after",
    "max_dials",
    "limitation_ends",
    "credit_repair",
    "contact_with",
    "steps",
)
_FACTS = (
    "borrower_id",
    "product",
    "claim",
    "days_past_due",
    "security",
    "collateral_value",
    "contact_status",
    "legal_status",
    "judgment_date",
    "agency",
    "last_payment_date",
    "last_payment",
    "last_contact",
    "last_step",
    "last_outcome",
    "call_hours",
    "visits",
    "value",
    "reason",
)
_WHO = ("branch", "collector", "borrower_id", "product", "claim", "days_past_due", "contact_status")
_CASE = (
    "branch",
    "product",
    "days_past_due",
    "contact_status",
    "fraud_flag",
    "security",
    "judgment_date",
)
_EFFORT = ("call_hours", "visits")
_SOLD = ("transfer", "securitise", "income_rights")


@dataclass(frozen=True)
class Decision:
    """What was decided, and all that its papers need.

    Attributes:
        facts: limitation, credit repair and filing fee of every accepted loan, as `facts` gives them.
        letter: the holder's own text of an offer, instead of ours.
        every: every row in what people read, not only the first ones.
    """

    tape: Tape
    situation: Situation
    offers: Offers
    plan: PlanResult
    facts: pl.DataFrame
    letter: Template | None = None
    every: bool = False

    @cached_property
    def known(self) -> pl.DataFrame:
        """Plan, loans and facts side by side, in the order of the plan."""
        return _joined(self)


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


def write_packages(decision: Decision, folder: Path) -> None:
    """Write what leaves, a folder below `folder` for each way to sell.

    Raises:
        OSError: the place cannot be written.
    """
    folder.mkdir(exist_ok=True)
    for channel in _SOLD:
        (folder / channel).mkdir(exist_ok=True)
    packages.write(decision.situation, decision.plan, folder, every=decision.every)


def write_papers(decision: Decision, folder: Path) -> None:
    """Write worklists, offers, filings and write-offs below `folder`.

    Raises:
        OSError: the place cannot be written.
    """
    folder.mkdir(exist_ok=True)
    day, most = decision.tape.as_of, SHEET_ROWS if decision.every else MOST_LOANS
    work, offered, sued = worklist(decision), offers(decision), filings(decision)
    off = write_offs(decision)
    work.select(_WORKLIST).write_csv(folder / "worklist.csv")
    offered.write_csv(folder / "offers.csv")
    sued.write_csv(folder / "filings.csv")
    off.write_csv(folder / "write_off.csv")
    offered_to = _with_facts(offered, decision)
    suits = sued.join(decision.known.select("loan_id", *_CASE), on="loan_id", how="left")
    cover = covers.Covers(decision.situation, most)
    whole = workbooks.Workbook(folder / "worklist.xlsx", day, cover.worklist(work), most)
    lists = workbooks.worklist(work, whole)
    workbooks.own_lists(lists, folder, replace(whole, cover=cover.own_list()))
    for name, write_it, table, told in (
        ("offers", workbooks.offers, offered_to, cover.offers(offered_to)),
        ("filings", workbooks.filings, suits, cover.filings(suits)),
        ("write_off", workbooks.write_offs, off, cover.write_offs(off)),
    ):
        write_it(table, workbooks.Workbook(folder / f"{name}.xlsx", day, told, most))
    letters_most = None if decision.every else letters.MOST
    repaired = offered.join(decision.facts.select("loan_id", "credit_repair"), on="loan_id")
    asked = work.filter(pl.col("action") == "demand").select("loan_id", "limitation_ends")
    papers = {
        "offers.html": letters.offer_letters(
            repaired, decision.situation, decision.letter, letters_most
        ),
        "demands.html": letters.demands(asked, decision.situation, letters_most),
        "filings.html": letters.claims(sued, decision.situation, letters_most),
    }
    for name, text in papers.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _with_facts(offered: pl.DataFrame, decision: Decision) -> pl.DataFrame:
    """Offers with who is to make them and to whom, by branch."""
    known = decision.known.select("loan_id", *_WHO)
    table = offered.join(known, on="loan_id", how="left").with_columns(
        to_pay=pl.col("claim")
        - pl.sum_horizontal("waived_interest", "waived_fees", "waived_principal")
    )
    return table.select("loan_id", *_WHO, "to_pay", *offered.columns[1:]).sort(
        "branch", "loan_id", nulls_last=True
    )


def _joined(decision: Decision) -> pl.DataFrame:
    loans = decision.situation.loans.select(
        "loan_id",
        "branch",
        "agency",
        "days_past_due",
        "fraud_flag",
        "contact_status",
        "legal_status",
        "judgment_date",
        "security",
        "collateral_value",
        "last_payment_date",
        "last_payment",
        "written_off",
        "reported_class",
        "provision",
        collector=pl.coalesce("collector", "branch"),
        court=pl.coalesce("court", "province"),
    )
    steps = ladder_table(decision.situation).select("steps", "held_out")
    loans = loans.with_columns(*steps, *_efforts(decision))
    known = decision.plan.table.join(loans, on="loan_id", maintain_order="left").join(
        decision.facts, on="loan_id", maintain_order="left"
    )
    contacts = cases.last_contacts(decision.tape.contacts)
    return known.join(contacts, on="loan_id", how="left", maintain_order="left")


def _efforts(decision: Decision) -> list[pl.Series]:
    """Hours and visits that the plan's capacities count for each loan (n,); none for what starts later."""
    column = decision.plan.column
    now = decision.plan.table["start_month"].to_numpy() == 0
    found = []
    for name in _EFFORT:
        values = np.zeros(len(column))
        for number in np.unique(column[now]):
            uses, mine = decision.offers.uses(int(number), name), now & (column == number)
            values[mine] = 0.0 if uses is None else uses[mine]
        found.append(pl.Series(name, values))
    return found


def worklist(decision: Decision) -> pl.DataFrame:
    """A row a loan that this house works on now, until it is sold if it is sold later, and a row a demand; nobody calls
    a sound borrower.

    A borrower of several loans is contacted once for all of them: `contact_with` is the loan of the largest claim.
    """
    rows = decision.known.with_columns(action=_action())
    table = _listed(rows, limits(decision.situation.rulebook, decision.tape.as_of))
    worked = table.filter(pl.col("action").is_not_null())
    return pl.concat([worked, _demands(table, decision.situation)]).sort("loan_id", "action")


def _action() -> pl.Expr:
    """What is to be done, of the plan; null for what is sold now."""
    channel, later = pl.col("channel"), pl.col("start_month") > 0
    at_ease = ~channel.is_in(["restructure", "litigate"]) & (
        (pl.col("days_past_due") == 0) | ((channel == "collect") & ~later & pl.col("held_out"))
    )
    then = channel.replace_strict(_LATER, default=None)
    now = channel.replace_strict(_ACTIONS, default=None)
    return (
        pl.when(at_ease & (later | (channel == "collect")))
        .then(pl.lit("none"))
        .when(later & (channel == "collect"))
        .then(pl.format("collect_from_month_{}", "start_month"))
        .when(later)
        .then(pl.format("collect_then_{}_in_month_{}", then, "start_month"))
        .otherwise(now)
    )


def _listed(rows: pl.DataFrame, rules: Limits) -> pl.DataFrame:
    """The worklist's columns for all loans of the plan, of `action`."""
    busy = (pl.col("action") != "none").fill_null(value=False)

    def when_called(value: object, dtype: type[pl.DataType]) -> pl.Expr:
        return pl.when(pl.col("action") != "none").then(pl.lit(value, dtype))

    under = (
        rows.filter(busy)
        .sort("claim", "loan_id", descending=[True, False])
        .group_by("borrower_id")
        .agg(contact_with=pl.col("loan_id").first())
    )
    rows = rows.join(under, on="borrower_id", how="left", maintain_order="left")
    return rows.select(
        "loan_id",
        "branch",
        "action",
        not_before=when_called(rules.not_before, pl.String),
        not_after=when_called(rules.not_after, pl.String),
        max_dials=when_called(rules.max_dials, pl.Int32),
        limitation_ends="limitation_ends",
        credit_repair="credit_repair",
        contact_with=pl.when(busy).then("contact_with"),
        steps=pl.when((pl.col("channel") == "collect") & busy).then("steps"),
        collector="collector",
        **{name: pl.col(name) for name in _FACTS},
    )


def _demands(table: pl.DataFrame, situation: Situation) -> pl.DataFrame:
    """A row for each loan whose limitation ends soon and for which no suit is filed now, sold or not: a sale is not
    closed on the day on which it is planned, and who services securities goes on being owed.
    """
    rules = limits(situation.rulebook, situation.as_of)
    due = situation.loans["loan_id"].filter(pl.Series(demands(situation)))
    return (
        table.filter((pl.col("action") != "file_suit").fill_null(value=True))
        .join(due.to_frame(), on="loan_id", how="semi")
        .with_columns(pl.lit(0.0).alias(name) for name in _EFFORT)
        .with_columns(
            action=pl.lit("demand"),
            steps=pl.lit(None, pl.String),
            not_before=pl.lit(rules.not_before, pl.String),
            not_after=pl.lit(rules.not_after, pl.String),
            max_dials=pl.lit(rules.max_dials, pl.Int32),
            contact_with=pl.coalesce("contact_with", "loan_id"),
        )
    )


def offers(decision: Decision) -> pl.DataFrame:
    """A row a loan planned for restructure now: terms that add up to what is owed less what is waived."""
    situation, offered = decision.situation, terms(decision.situation)
    now = _now(decision, "restructure")
    cards = (situation.loans["product"] == "credit_card").to_numpy()
    day = situation.as_of
    interest = situation.rulebook.cite("cn/waive/interest", day).article
    card = situation.rulebook.leaf("cn/instalments/card_max_months").in_force(day)
    cap = card.article if card else interest
    principal = situation.rulebook.cite("cn/waive/principal", day).article
    share = pl.Series("share_of_income", offered.share_of_income).fill_nan(None)
    waived = offered.waived_interest + offered.waived_fees + offered.waived_principal
    table = pl.DataFrame(
        {
            "loan_id": situation.loans["loan_id"],
            "to_pay": situation.claim.astype(np.int64) - waived,
            "instalments": offered.instalments,
            "instalment": offered.instalment,
            "waived_interest": offered.waived_interest,
            "waived_fees": offered.waived_fees,
            "waived_principal": offered.waived_principal,
            "share_of_income": share,
            "grace_months": offered.grace,
            "last_instalment": 0,
            "article": np.where(
                offered.waived_principal > 0, principal, np.where(cards, cap, interest)
            ),
        }
    )
    table = table.with_columns(last_instalment=letters.last_instalment()).drop("to_pay")
    return table.filter(pl.Series(now)).sort("loan_id")


def filings(decision: Decision) -> pl.DataFrame:
    """A row a loan planned for litigate now: fraud first, then who has vanished, then whose time ends soon, then by
    worth.
    """
    day, book = decision.tape.as_of, decision.situation.rulebook
    soon = day + timedelta(days=int(decision.situation.number("courts/demand_days")))
    rows = decision.known.filter((pl.col("channel") == "litigate") & (pl.col("start_month") == 0))
    ordered = rows.sort(
        pl.col("fraud_flag").fill_null(False),
        (pl.col("contact_status") == "vanished").fill_null(False),
        (cases.runs_until(day) <= soon).fill_null(False),
        "value",
        "loan_id",
        descending=[True, True, True, True, False],
    )
    frozen = preservation_fee(ordered["claim"].to_numpy(), book, day)
    return ordered.select(
        "loan_id",
        "court",
        "claim",
        fee="court_fee",
        limitation_ends="limitation_ends",
        priority=pl.int_range(1, pl.len() + 1),
        expected_worth="value",
        legal_status="legal_status",
        mediation=cases.asks_mediation(),
        preservation_fee=pl.Series(frozen, dtype=pl.Int64),
    )


def write_offs(decision: Decision) -> pl.DataFrame:
    """A row a loan that can be written off now, the largest claims first; collection goes on whatever its way."""
    rows = decision.known.filter("write_off_now")
    article = decision.situation.rulebook.cite("cn/write_off/class", decision.tape.as_of).article
    return rows.sort("claim", "loan_id", descending=[True, False]).select(
        "loan_id",
        "branch",
        "product",
        "claim",
        "provision",
        "days_past_due",
        "reported_class",
        "limitation_ends",
        goes_on=pl.col("channel"),
        article=pl.lit(article),
    )


def _now(decision: Decision, channel: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    table = decision.plan.table
    return ((table["channel"] == channel) & (table["start_month"] == 0)).to_numpy()
