"""`deal check | run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arrears import run
from arrears.cli import options as o
from arrears.cli.examples import with_examples
from arrears.cli.show import Bar, show_object

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The deal: YAML.")]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this file into the application."""
    deal = typer.Typer(
        help="Securities and income rights.", no_args_is_help=True, rich_markup_mode=None
    )
    deal.command(
        epilog=with_examples(
            "arrears deal check examples/deals/card_npl.yaml", "arrears deal check deal.yaml --json"
        )
    )(check)
    deal.command(
        "run",
        epilog=with_examples(
            "arrears deal run deal.yaml --cash cash.parquet -o deal",
            "arrears deal run deal.yaml --cash cash.csv --json -o deal",
        ),
    )(run_it)
    app.add_typer(deal, name="deal")


def check(file: _File, json: o.Json = False) -> None:
    """Check a deal before anything runs."""
    deal = run.deal_check(file)
    if json:
        show_object({"problems": [], "name": deal.name, "classes": len(deal.classes)})
    else:
        dates = len(deal.dates())
        print(f"Nothing is wrong: {deal.name}, {len(deal.classes)} classes, {dates} payment dates.")


def run_it(
    file: _File,
    cash: Annotated[
        Path, typer.Option("--cash", metavar="F", help="scenario, month, collections (fen).")
    ],
    out: o.Out,
    force: o.Force = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Run a deal on collections by scenario and month."""
    with Bar(2, quiet=quiet) as bar:
        ran = run.deal_run(file, cash=cash, out=out, force=force, watcher=bar)
    if json:
        show_object(ran.summary)
    else:
        print("\n".join(ran.lines()))
