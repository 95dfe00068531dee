"""Packages for other houses: a public notice, and a tape without anything that names a borrower."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import cast

import polars as pl

from arrears.channels import Situation
from arrears.core.dates import DAYS_A_YEAR
from arrears.handover.letters import MOST, assignments
from arrears.handover.pools import write_deal
from arrears.plan import PlanResult, folders
from arrears.tape.anonymise import BIRTHS, K, without_small_cells
from arrears.tape.columns import CLASSES, WORDS

_TITLES = {
    "transfer": "Bulk transfer of personal bad loans",
    "securitise": "Pool of bad-loan securities",
    "income_rights": "Transfer of income rights",
}
_SEEN = (
    f"The tape names nobody: loans and borrowers have running numbers, births are by {BIRTHS} years and days of "
    f"origination by month, and year of birth or province are left out where fewer than {K} loans of a product share "
    "them."
)
_MONEY = ("principal", "interest", "fees", "original_principal", "collateral_value")
_PLAIN = (
    "product",
    "security",
    "province",
    "birth_year",
    "days_past_due",
    "reported_class",
    "legal_status",
    "written_off",
)


def write(situation: Situation, plan: PlanResult, folder: Path, *, every: bool = False) -> None:
    """One folder a package that goes now: `notice.md`, `tape.csv`; for a sale the notices to borrowers, else the deal.

    Beside them `package_loans.csv`: which loan each number of a tape is.

    Args:
        every: a notice for every loan, not only the first ones.
    """
    loans = situation.loans.with_columns(
        package=plan.packages, five_tier=situation.standing["five_tier"]
    )
    listed = [pl.DataFrame(schema={"package": pl.String, "number": pl.Int64, "loan_id": pl.String})]
    for name, told in folders(plan.packages).items():
        if told is None:
            continue
        channel, number = told.split("/package-")
        place = folder / told
        place.mkdir(parents=True)
        rows = loans.filter(pl.col("package") == name).sort("loan_id")
        text = notice(rows, situation, channel, int(number))
        (place / "notice.md").write_text(text, encoding="utf-8", newline="\n")
        tape(rows, situation, channel).write_csv(place / "tape.csv")
        listed.append(
            rows.select(pl.lit(told).alias("package"), _numbers().alias("number"), "loan_id")
        )
        if channel in {"securitise", "income_rights"}:
            write_deal(rows, situation, channel, place)
        if channel == "transfer":
            notices = assignments(rows, situation, None if every else MOST)
            # Apart from the package: they name loans as the seller does, and go to borrowers alone.
            page = folder / "assignments" / f"{place.name}.html"
            page.parent.mkdir(exist_ok=True)
            page.write_text(notices, encoding="utf-8", newline="\n")
    # Stays in the house: whoever holds it knows whom a tape means.
    folder.mkdir(exist_ok=True)
    pl.concat(listed).write_csv(folder / "package_loans.csv")


def _numbers() -> pl.Expr:
    """Number of each loan in the tape of its package."""
    return pl.int_range(1, pl.len() + 1, dtype=pl.Int64)


def tape(rows: pl.DataFrame, situation: Situation, channel: str) -> pl.DataFrame:
    """The tape of a package, as any house reads it: running numbers for ids, money in yuan as the header says, no
    linkage, no cell of province, birth and product that fewer than five share; buyers of a sale no longer see what is
    written off (FACTS 2.3).
    """
    borrower = pl.col("borrower_id").rank("dense").cast(pl.Int64)
    hidden = channel == "transfer" and not _full_header(situation)
    plain = [name for name in _PLAIN if not (hidden and name == "written_off")]
    return without_small_cells(rows).select(
        _numbers().alias("loan_number"),
        borrower.alias("borrower_number"),
        pl.lit(situation.as_of).alias("as_of"),
        "lender",
        *(pl.col(name) for name in plain),
        pl.col("origination_date").dt.month_start(),
        *((pl.col(name) / 100).round(2).alias(f"{name} (yuan)") for name in _MONEY),
    )


def notice(rows: pl.DataFrame, situation: Situation, channel: str, number: int) -> str:
    """The public header of a package (FACTS 2.3), from the figures of its loans."""
    claim = rows.select(pl.sum_horizontal("principal", "interest", "fees")).to_series()
    principal, total = int(rows["principal"].sum()), int(claim.sum())
    unpaid = principal + int(rows["interest"].sum())
    owed = rows["principal"] + rows["interest"].fill_null(0)
    days = float((rows["days_past_due"] * owed).sum()) / max(int(owed.sum()), 1)
    ages = situation.as_of.year - rows["birth_year"].drop_nulls()
    age = f"{float(str(ages.mean())):.1f} years" if len(ages) else "n/a (no year of birth)"
    lines = [
        f"# {_TITLES[channel]}, package {number:02d}",
        "",
        "| item | value |",
        "|---|---|",
        f"| Base date | {situation.as_of} |",
        f"| Unpaid principal | {_yuan(principal)} |",
        f"| Unpaid interest | {_yuan(int(rows['interest'].sum()))} |",
        f"| Unpaid principal and interest | {_yuan(unpaid)} |",
        f"| Other fees | {_yuan(int(rows['fees'].sum()))} |",
        f"| Claim in all | {_yuan(total)} |",
        f"| Loans | {rows.height:,} |",
        f"| Borrowers | {rows['borrower_id'].n_unique():,} |",
        f"| Days past due, weighted by principal and interest | {days:,.2f} |",
        f"| Age of borrowers, mean | {age} |",
        f"| Years past due, weighted | {days / DAYS_A_YEAR:.1f} |",
        f"| Five classes as reported | {_counts(rows, 'reported_class', CLASSES)} |",
        *_more(rows, situation, channel, owed),
        f"| Security | {_counts(rows, 'security', tuple(WORDS['security']))} |",
        f"| Litigation | {_counts(rows, 'legal_status', tuple(WORDS['legal_status']))} |",
        "",
        "First overdue day: the first due date that was not paid in full; days past due count from it.",
        "",
        _SEEN,
        "",
        *_conditions(channel),
        "",
    ]
    return "\n".join(lines)


def _more(rows: pl.DataFrame, situation: Situation, channel: str, owed: pl.Series) -> list[str]:
    """What the notice of a sale gave until October 2025 (FACTS 2.3); investors see why a loan that is reported milder
    stands in a pool of bad ones.
    """
    off = f"| Written off | {int(rows['written_off'].fill_null(False).sum()):,} |"
    if channel != "transfer":
        return [f"| Five classes by the rules | {_counts(rows, 'five_tier', CLASSES)} |", off]
    if not _full_header(situation):
        return []
    each = rows.select("borrower_id", owed=owed).group_by("borrower_id").agg(pl.col("owed").sum())
    mean, most = int(owed.sum()) / each.height, float(str(each["owed"].max()))
    return [
        off,
        f"| Unpaid principal and interest of a borrower, mean | {_yuan(mean)} |",
        f"| Unpaid principal and interest of a borrower, largest | {_yuan(most)} |",
        f"| Amount granted, weighted by principal and interest | {_granted(rows, owed)} |",
    ]


def _granted(rows: pl.DataFrame, owed: pl.Series) -> str:
    """The line of credit, or what was lent, of the loans that tell it."""
    known = rows["original_principal"].is_not_null()
    weight = owed.filter(known).to_numpy().astype(float)
    if not weight.sum():
        return "n/a (no original principal)"
    granted = rows["original_principal"].filter(known).to_numpy().astype(float)
    return _yuan(float(granted @ weight) / float(weight.sum()))


def _full_header(situation: Situation) -> bool:
    """Whether notices of sales still gave maxima, means and what is written off."""
    until = situation.rulebook.value("cn/transfer/header_until", situation.as_of).value
    return situation.as_of <= cast("date", until)


def _conditions(channel: str) -> list[str]:
    if channel == "transfer":
        return [
            "The sale is full and final, without recourse and without any promise to buy back. The buyer collects or "
            "restructures the loans itself and may not sell them on; harsh collection is forbidden.",
            "Until a borrower has been told of the assignment, payments to the seller discharge the debt.",
            "From the day of assignment the buyer reports the loans to the credit bureau, as a continuation "
            "and not anew.",
        ]
    if channel == "securitise":
        return [
            "The originator stays servicer. The deal is in deal.yaml, its cash in cash.parquet, all on a page in "
            "term_sheet.md."
        ]
    return [
        "For qualified institutions only, looked through to the end. The bank stays creditor and goes on collecting; "
        "its capital for the loans stays in full. Performing and non-performing loans are not mixed."
    ]


def _yuan(fen: float) -> str:
    return f"{fen / 100:,.2f} yuan"


def _counts(rows: pl.DataFrame, column: str, words: tuple[str, ...]) -> str:
    found = dict(rows.group_by(column).len().iter_rows())
    told = [f"{word.replace('_', ' ')} {found[word]:,}" for word in words if word in found]
    if found.get(None):
        told.append(f"not given {found[None]:,}")
    return ", ".join(told)
