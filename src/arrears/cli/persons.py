"""`link`, `anonymise`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from arrears import run
from arrears.cli.examples import with_examples
from arrears.cli.tape_command import takes_a_tape


def add_to(app: typer.Typer) -> None:
    """Put the commands of this file into the application."""
    app.command(
        epilog=with_examples(
            "arrears link loans.csv -o persons", "arrears link loans.parquet --json -o persons"
        )
    )(takes_a_tape(link))
    app.command(
        epilog=with_examples(
            "arrears anonymise loans.csv --key-file key.txt -o shared",
            "arrears anonymise loans.csv --key-file key.txt --k 10 -o shared",
        )
    )(takes_a_tape(anonymise))


def link(**asked: Any) -> Any:
    """Find the loans of one person, across products and lenders."""
    return run.link(asked.pop("request"), **asked)


def anonymise(
    key_file: Annotated[
        Path,
        typer.Option("--key-file", metavar="F", help="File with the secret of the pseudonyms."),
    ],
    k: Annotated[
        int, typer.Option("--k", metavar="N", min=2, help="Fewest loans that share a cell.")
    ] = 5,
    **asked: Any,
) -> Any:
    """Make a tape that may leave the house."""
    return run.anonymise(asked.pop("request"), key_file=key_file, k=k, **asked)
