"""`resolve`, `verify`, `explain`, `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from arrears import report, run
from arrears.cli import options as o
from arrears.cli.examples import with_examples
from arrears.cli.show import Bar, show_object, show_problems
from arrears.cli.tape_command import takes_a_tape

_STAGES = 10


def add_to(app: typer.Typer) -> None:
    """Put the commands of this file into the application."""
    app.command(
        epilog=with_examples(
            "arrears resolve loans.csv --as-of 2025-03-31 -o result",
            "arrears resolve loans.parquet --holder bank.yaml --capacity quarter.yaml -o result",
        )
    )(takes_a_tape(resolve, stages=_STAGES, show=_finish))
    app.command(
        epilog=with_examples("arrears verify result", "arrears verify result --inputs archive/2025")
    )(verify)
    app.command(
        epilog=with_examples(
            "arrears explain result L000123", "arrears explain result L000123 --json"
        )
    )(explain)
    app.command(
        epilog=with_examples(
            "arrears compare last this -o changes", "arrears compare last this --json -o changes"
        )
    )(compare)
    app.command(epilog=with_examples("arrears demo", "arrears demo --out /tmp/demo"))(demo)


def resolve(
    capacity: o.Capacity = None,
    previous: o.Previous = None,
    letter: o.Letter = None,
    audit: o.Audit = None,
    scenarios: o.Scenarios = 1000,
    holdout: o.Holdout = 0.0,
    stress: o.Stress = None,
    model: o.Model = None,
    **asked: Any,
) -> Any:
    """Find the best lawful way out of each loan, and build the papers for it."""
    with report.pen():
        return run.resolve(asked.pop("request"), **asked)


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What a command on a tape left.")],
    inputs: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the input files lie now.")
    ] = None,
    threads: o.Threads = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Run a recorded run again and compare what comes out with what lies there."""
    with Bar(_STAGES, quiet=quiet) as bar:
        verified = run.verify(folder, inputs=inputs, watcher=bar)
    if json:
        show_object({"folder": str(folder), "same": True, "products": verified.products})
    elif not quiet:
        print(f"The same: {verified.products} products of {folder} come out again as they lie.")


def explain(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `resolve` left.")],
    loan_id: Annotated[str, typer.Argument(metavar="LOAN_ID")],
    json: o.Json = False,
) -> None:
    """Why this class, this stage, these ways, this choice: each with its article."""
    explained = run.explain(folder, loan_id)
    if json:
        show_object(explained.as_dict())
    else:
        print("\n".join(explained.lines()))


def compare(
    a: Annotated[Path, typer.Argument(metavar="DIR", help="What an earlier `resolve` left.")],
    b: Annotated[Path, typer.Argument(metavar="DIR", help="What a later one left.")],
    out: o.Out,
    force: o.Force = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Say which loans go another way in the second run, and why."""
    with Bar(1, quiet=quiet) as bar:
        compared = run.compare(a, b, out=out, force=force, watcher=bar)
    if json:
        show_object({**compared.summary, "out": str(out)})
    else:
        print("\n".join(compared.lines()))


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the products.")
    ] = Path("out/demo"),
    threads: o.Threads = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """The main job on a synthetic bank of 20,000 loans; replaces its own earlier folder."""
    with Bar(_STAGES + 1, quiet=quiet) as bar:
        resolution = run.demo(out=out, watcher=bar)
    _finish(resolution, out, quiet=True, json=json)
    if not json and not quiet:
        print("\n".join(run.files_told(out)))


def _finish(resolution: run.Resolution, out: Path, *, quiet: bool, json: bool) -> None:
    if json:
        show_object({**run.summary(resolution), "out": str(out)})
        return
    if not quiet:
        rest = f"All of them: {out / 'quarantine.csv'}."
        show_problems(resolution.problems, as_json=False, rest=rest)
    print("\n".join(run.told(resolution, out)))
