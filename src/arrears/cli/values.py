"""`fit`, `forecast`, `price`, `track`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from arrears import report, run
from arrears.cli import options as o
from arrears.cli.examples import with_examples
from arrears.cli.show import show_object, show_problems
from arrears.cli.tape_command import takes_a_tape

_Irr = Annotated[
    float | None, typer.Option("--irr", metavar="R", help="Return asked for a year, e.g. 0.15.")
]
_Bidders = Annotated[
    int | None, typer.Option("--bidders", metavar="N", min=1, help="How many bid.")
]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this file into the application."""
    app.command(
        epilog=with_examples(
            "arrears fit loans.csv --payments payments.csv -o fit",
            "arrears fit loans.parquet --months months.parquet --json -o fit",
        )
    )(takes_a_tape(fit))
    app.command(
        epilog=with_examples(
            "arrears forecast loans.csv -o forecast",
            "arrears forecast loans.parquet --model fit/model.json --json -o forecast",
        )
    )(takes_a_tape(forecast))
    app.command(
        epilog=with_examples(
            "arrears price loans.csv --irr 0.18 -o bid",
            "arrears price --header examples/notices/ant_consumer_2025_1.yaml -o bid",
        )
    )(takes_a_tape(price, or_else="header"))
    app.command(
        epilog=with_examples(
            "arrears track result --payments payments.csv -o track",
            "arrears track forecast --payments payments.parquet --json -o track",
        )
    )(track)


def fit(**asked: Any) -> Any:
    """Fit recovery on the tape's own history; needs --payments or --months."""
    return run.fit(asked.pop("request"), **asked)


def forecast(
    scenarios: o.Scenarios = 1000,
    stress: o.Stress = None,
    model: o.Model = None,
    **asked: Any,
) -> Any:
    """Say what will still be paid, loan by loan and as a whole with its range."""
    return run.forecast(asked.pop("request"), **asked)


def price(
    irr: _Irr = None,
    bidders: _Bidders = None,
    header: Annotated[
        Path | None,
        typer.Option("--header", metavar="F", help="A package's public header, instead of a tape."),
    ] = None,
    scenarios: o.Scenarios = 1000,
    stress: o.Stress = None,
    model: o.Model = None,
    holder: o.HolderOption = "joint_stock_bank",
    seed: o.Seed = 0,
    **asked: Any,
) -> Any:
    """Say what a buyer can pay, from a tape or from a public header."""
    request = asked.pop("request")
    with report.pen():
        if header is None:
            return run.price(request, irr=irr, bidders=bidders, **asked)
        asked.pop("watcher")
        asked |= {"scenarios": scenarios, "stress": stress, "holder": holder, "seed": seed}
        asked["model"] = Path(model) if model else None
        return run.price_header(header, irr=irr, bidders=bidders, **asked)


def track(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="What resolve, forecast or price left.")
    ],
    payments: Annotated[
        Path, typer.Option(metavar="F", help="Payments of its loans after its cut-off date.")
    ],
    out: o.Out,
    force: o.Force = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Hold what came in against the forecast of an earlier run, and forecast again."""
    done = run.track(folder, payments=payments, out=out, force=force)
    if json:
        show_object(done.summary)
        return
    if not quiet:
        show_problems(done.problems, as_json=False, rest="")
    print("\n".join(done.lines))
