"""The commands."""

from __future__ import annotations

import typer

import arrears
from arrears.cli import book, books, deals, law, main_job, persons, values
from arrears.cli.examples import with_examples

app = typer.Typer(
    name="arrears",
    help="Finds the best lawful way out of each bad personal loan.",
    epilog=with_examples("arrears demo", "arrears resolve loans.csv --as-of 2025-03-31 -o result"),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="The version, and nothing else."),
) -> None:
    if version:
        print(f"arrears {arrears.__version__}")
        raise typer.Exit


main_job.add_to(app)
book.add_to(app)
law.add_to(app)
persons.add_to(app)
values.add_to(app)
books.add_to(app)
deals.add_to(app)
