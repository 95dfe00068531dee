"""Options that several commands share."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from arrears.run import Request

Loans = Annotated[str, typer.Argument(metavar="LOANS", help="The tape: CSV, Excel or Parquet.")]
OptionalLoans = Annotated[
    str | None, typer.Argument(metavar="LOANS", help="The tape: CSV, Excel or Parquet.")
]
Payments = Annotated[str | None, typer.Option(metavar="F", help="Table of payments.")]
Months = Annotated[str | None, typer.Option(metavar="F", help="Table of loan-months.")]
Events = Annotated[str | None, typer.Option(metavar="F", help="Table of events.")]
Contacts = Annotated[str | None, typer.Option(metavar="F", help="Table of steps taken to collect.")]
Map = Annotated[str | None, typer.Option("--map", metavar="F", help="Mapping of foreign columns.")]
HolderOption = Annotated[
    str, typer.Option("--holder", metavar="F|KIND", help="Who holds the loans: a file, or a kind.")
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="Cut-off date; found in the tape where it says it.",
    ),
]
RulebookOption = Annotated[str, typer.Option("--rulebook", metavar="NAME", help="The law.")]
Reforms = Annotated[
    list[str] | None, typer.Option("--reform", metavar="F", help="Change of law; may be repeated.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of every random stream.")]
Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", min=1, help="Threads; changes time, never a result."),
]
Excel = Annotated[
    str | None,
    typer.Option("--excel", metavar="all", help="'all': every loan in the workbook, not 20,000."),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the products.")]
OptionalOut = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder of the products.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the run that --out holds.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No bar, no notes.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Capacity = Annotated[
    str | None, typer.Option("--capacity", metavar="F", help="What can really be done: a file.")
]
Previous = Annotated[
    Path | None,
    typer.Option(
        "--previous", metavar="DIR", help="An earlier run: leave its ways only if it pays."
    ),
]
Letter = Annotated[
    str | None, typer.Option("--letter", metavar="F", help="Own text of the offer letter.")
]
Audit = Annotated[
    str | None,
    typer.Option(
        "--audit", metavar="F", help="Loans looked into: loan_id, hidden (true or false)."
    ),
]
Holdout = Annotated[
    float,
    typer.Option("--holdout", metavar="SHARE", help="Loans left alone, to measure what steps add."),
]
Scenarios = Annotated[
    int, typer.Option("--scenarios", metavar="N", min=1, help="Scenarios of the common factor.")
]
Stress = Annotated[
    str | None, typer.Option("--stress", metavar="NAME", help="Under a stress of the market book.")
]

Model = Annotated[
    str | None, typer.Option("--model", metavar="F", help="A fitted model; else the market prior.")
]


def day(typed: datetime | None) -> date | None:
    """The day of an option."""
    return typed.date() if typed else None


def request(
    *,
    loans: str,
    payments: str | None,
    months: str | None,
    events: str | None,
    contacts: str | None,
    map_file: str | None,
    holder: str,
    as_of: datetime | None,
    rulebook: str,
    reform: list[str] | None,
    seed: int,
    excel: str | None = None,
    capacity: str | None = None,
    previous: Path | None = None,
    letter: str | None = None,
    audit: str | None = None,
    scenarios: int = 1000,
    holdout: float = 0.0,
    stress: str | None = None,
    model: str | None = None,
) -> Request:
    """The request that the options make.

    Raises:
        typer.BadParameter: `--excel` with a word it does not know.
    """
    if excel not in {None, "all"}:
        raise typer.BadParameter(f"--excel {excel}: the only word it knows is 'all'.")
    return Request(
        loans,
        payments=payments,
        months=months,
        events=events,
        contacts=contacts,
        map=map_file,
        holder=holder,
        as_of=day(as_of),
        rulebook=rulebook,
        reforms=tuple(reform or ()),
        seed=seed,
        capacity=capacity,
        previous=str(previous / "plan.parquet") if previous else None,
        letter=letter,
        audit=audit,
        scenarios=scenarios,
        excel_all=excel == "all",
        holdout=holdout,
        stress=stress,
        model=model,
    )
