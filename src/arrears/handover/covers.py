"""The first sheet of each workbook: what it is, of when, from what, and what a reader must know of it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from arrears.channels import Situation
from arrears.conduct import limits
from arrears.core.words import counted
from arrears.handover import cases

_Rows = list[tuple[str, str]]
_SEVERAL = "A borrower is contacted once for all: under the loan that contact with names."


@dataclass(frozen=True)
class Covers:
    """The covers of one decision; a sheet holds at most `most` rows."""

    situation: Situation
    most: int

    def worklist(self, work: pl.DataFrame) -> _Rows:
        """Of the worklist."""
        busy = work.filter(pl.col("action") != "none")
        hours, visits = float(busy["call_hours"].sum()), float(busy["visits"].sum())
        borrowers = counted(busy["borrower_id"].n_unique(), "borrower")
        return self._all(
            ("Cases", f"{counted(busy.height, 'case')} of {borrowers}; {self._kept(busy.height)}"),
            ("Effort", f"{hours:,.0f} hours of calls, {visits:,.0f} visits, of the ways that start now."),
            ("As usual", f"{self._usual()}, until a later way starts."),
            ("When to call", self._when()),
            ("Order", "By collector; on top the time that ends first and that no case has stopped."),
            ("Demands", "demands.html, to print, in Chinese and English; name and address are entered by hand, the "
             "receipt that the borrower signs proves the demand."),
            ("Several loans", _SEVERAL),
            ("Whose", "The file named beside a collector holds that collector's cases alone; this one stays with "
             "whoever leads them."),
            csv="worklist.csv",
        )  # fmt: skip

    def own_list(self) -> _Rows:
        """Of what one collector is given."""
        return [
            ("As of", f"{self.situation.as_of}"),
            ("When to call", self._when()),
            ("Order", "On top the time that ends first and that no case has stopped."),
            ("Several loans", _SEVERAL),
            ("Amounts", "yuan"),
        ]

    def _when(self) -> str:
        """Hours and dials."""
        rule = limits(self.situation.rulebook, self.situation.as_of)
        if not rule.not_before:
            return "No rule on hours or dials was in force on this date."
        return f"{rule.not_before} to {rule.not_after}, at most {rule.max_dials} dials a day and number."

    def offers(self, offered: pl.DataFrame) -> _Rows:
        """Of the offers."""
        titles = self.situation.rulebook.articles
        names = [f"{code}: {titles[code].title}" for code in sorted(offered["article"].unique())]
        return self._all(
            (
                "Offers",
                f"{counted(offered.height, 'offer')}; {self._kept(offered.height, 'of the largest claims')}",
            ),
            ("Letters", "offers.html, to print, in Chinese and English."),
            ("Articles", "; ".join(names) or "none is needed: nothing is offered"),
            csv="offers.csv",
        )

    def filings(self, sued: pl.DataFrame) -> _Rows:
        """Of the filings."""
        new = sued.filter(cases.new_claim())
        fee = int(new["fee"].sum())
        return self._all(
            ("Cases", f"{counted(sued.height, 'case')}, {new.height:,} of them new claims; "
             f"{self._kept(sued.height, 'priority')}"),
            ("Fee now", f"{fee / 100:,.2f} yuan: the full filing fee of the new claims; half of it comes back where a "
             "case is mediated, withdrawn or heard in summary procedure. Enforcement is not paid in advance."),
            ("Papers", "filings.html, to print, in Chinese and English; names are entered from the bank's own file."),
            ("Order", "Priority: fraud first, then who has vanished, then whose time to sue or to apply ends within "
             f"{self.situation.number('courts/demand_days'):.0f} days, then by worth."),
            ("Preservation", "Its fee is due where freezing of property is asked for; the paper for it names the "
             "property and is written by hand."),
            csv="filings.csv",
        )  # fmt: skip

    def write_offs(self, rows: pl.DataFrame) -> _Rows:
        """Of the write-offs."""
        claim = int(rows["claim"].sum()) if rows.height else 0
        return self._all(
            ("Loans", f"{counted(rows.height, 'loan')}, {claim / 100:,.2f} yuan; {self._kept(rows.height, 'claim')}"),
            ("Conditions", "The class by rule is loss, the provision covers the claim, no sale is planned now."),
            ("After it", "The account is closed, the case is kept: the claim stays, collection goes on as planned."),
            csv="write_off.csv",
        )  # fmt: skip

    def _usual(self) -> str:
        """The steps that every lender takes."""
        shares = self.situation.market.numbers("ladder/usual", self.situation.as_of)
        return ", ".join(step.replace("_", " ") for step, share in shares.items() if share > 0.0)

    def _kept(self, rows: int, by: str = "worth") -> str:
        if rows <= self.most:
            return "all of them here"
        return f"the first {self.most:,} by {by} here"

    def _all(self, *rows: tuple[str, str], csv: str) -> _Rows:
        book, day = self.situation.rulebook, self.situation.as_of
        return [
            ("As of", f"{day}"),
            ("Holder", self.situation.holder.kind.replace("_", " ")),
            *rows,
            ("Amounts", f"yuan; {csv} beside this file holds every row, in fen"),
            ("Rulebook", f"{book.name} {book.hash[:12]}; hashes of all inputs: run.json"),
        ]
