"""`classify`, `hidden`, `history`, `due`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from arrears import run
from arrears.cli import options as o
from arrears.cli.examples import with_examples
from arrears.cli.tape_command import takes_a_tape


def add_to(app: typer.Typer) -> None:
    """Put the commands of this file into the application."""
    app.command(
        epilog=with_examples(
            "arrears classify loans.csv -o book",
            "arrears classify loans.csv --rulebook eba --json -o book",
        )
    )(takes_a_tape(classify))
    app.command(
        epilog=with_examples(
            "arrears hidden loans.csv --months months.csv --events events.csv -o hidden",
            "arrears hidden loans.csv --months months.csv --propose-audit 200 -o hidden",
        )
    )(takes_a_tape(hidden))
    app.command(
        epilog=with_examples(
            "arrears history loans.csv --months months.csv -o history",
            "arrears history loans.csv --months months.csv --json -o history",
        )
    )(takes_a_tape(history))
    app.command(
        epilog=with_examples(
            "arrears due loans.csv --days 7 -o calls",
            "arrears due loans.csv --months months.csv --days 5 -o calls",
        )
    )(takes_a_tape(due))


def classify(audit: o.Audit = None, **asked: Any) -> Any:
    """Say what is bad: as reported, by the rules, and with what is hidden."""
    return run.classify(asked.pop("request"), **asked)


def hidden(
    audit: o.Audit = None,
    propose_audit: Annotated[
        int | None,
        typer.Option("--propose-audit", metavar="N", min=1, help="Name N loans to look into next."),
    ] = None,
    **asked: Any,
) -> Any:
    """Say which loans are bad and kept alive so that it does not show, by loan, month and branch."""
    return run.hidden(asked.pop("request"), propose=propose_audit, **asked)


def history(**asked: Any) -> Any:
    """Say how loans moved from month to month: roll rates, vintages, cures and relapses."""
    return run.history(asked.pop("request"), **asked)


def due(
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, help="Due dates within N days.")
    ],
    **asked: Any,
) -> Any:
    """Say whom to call before the next due date, best first."""
    return run.due(asked.pop("request"), days=days, **asked)
