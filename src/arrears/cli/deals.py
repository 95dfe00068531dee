"""`deal check | run | size | report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arrears import run
from arrears.cli import options as o
from arrears.cli.examples import with_examples
from arrears.cli.show import Bar, show_object, show_problems

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The deal: YAML.")]
_Cash = Annotated[
    Path, typer.Option("--cash", metavar="F", help="scenario, month, collections (fen).")
]


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
            "arrears deal run deal.yaml --cash cash.csv --moves all --json -o deal",
        ),
    )(run_it)
    deal.command(
        "size",
        epilog=with_examples(
            "arrears deal size deal.yaml --cash cash.parquet --shortfall 0.01 -o size",
            "arrears deal size deal.yaml --cash cash.parquet --shortfall A=0.001 --delay 3 -o size",
        ),
    )(size)
    deal.command(
        "report",
        epilog=with_examples(
            "arrears deal report deal.yaml --cash cash.parquet -o report",
            "arrears deal report deal.yaml --cash cash.parquet --actual came.csv -o report",
        ),
    )(report_it)
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
    cash: _Cash,
    out: o.Out,
    moves: Annotated[
        str, typer.Option("--moves", metavar="N|all", help="Scenarios in moves.parquet.")
    ] = "100",
    force: o.Force = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Run a deal on collections by scenario and month."""
    if moves != "all" and not moves.isdigit():
        raise typer.BadParameter(f"--moves {moves}: a number, or 'all'.")
    wanted = None if moves == "all" else int(moves)
    with Bar(2, quiet=quiet) as bar:
        ran = run.deal_run(file, cash=cash, out=out, moves=wanted, force=force, watcher=bar)
    _show(ran, json=json)


def size(
    file: _File,
    cash: _Cash,
    shortfall: Annotated[
        list[str],
        typer.Option(
            metavar="[CLASS=]P", help="Chance of falling short of the senior class, or by class."
        ),
    ],
    out: o.Out,
    haircut: Annotated[
        str, typer.Option(metavar="S", help="Stress: share taken off collections.")
    ] = "0",
    delay: Annotated[
        int, typer.Option(metavar="N", min=0, help="Stress: payment dates that cash comes later.")
    ] = 0,
    force: o.Force = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """The largest senior class for a chance of falling short."""
    with Bar(2, quiet=quiet) as bar:
        sized = run.deal_size(
            file,
            cash=cash,
            shortfall=shortfall,
            out=out,
            haircut=haircut,
            delay=delay,
            force=force,
            watcher=bar,
        )
    _show(sized, json=json)


def report_it(
    file: _File,
    cash: _Cash,
    out: o.Out,
    actual: Annotated[
        Path | None,
        typer.Option(metavar="F", help="What came in since: scenario, month, collections."),
    ] = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Term sheet, cash by date, fans by class, investor report: HTML and Excel."""
    with Bar(3, quiet=quiet) as bar:
        told = run.deal_report(file, cash=cash, out=out, actual=actual, force=force, watcher=bar)
    _show(told, json=json)


def _show(ran: run.DealRun, *, json: bool) -> None:
    show_problems(ran.problems, as_json=False)
    if json:
        show_object(ran.summary)
    else:
        print("\n".join(ran.lines()))
