"""`classify`, `history`, `due`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from arrears import run
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


def classify(**asked: Any) -> Any:
    """Say what is bad: as reported, by the rules, and with what is hidden."""
    return run.classify(asked.pop("request"), **asked)


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
