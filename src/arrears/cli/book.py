"""`check`, `map`, `synth`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from arrears import run
from arrears.cli import options as o
from arrears.cli.examples import with_examples
from arrears.cli.show import Bar, show_object, show_problems
from arrears.cli.tape_command import takes_a_tape


class Style(StrEnum):
    """How a synthetic tape looks."""

    cn = "cn"
    plain = "plain"


class Format(StrEnum):
    """Containers of a table."""

    csv = "csv"
    parquet = "parquet"
    xlsx = "xlsx"


def add_to(app: typer.Typer) -> None:
    """Put the commands of this file into the application."""
    app.command(
        epilog=with_examples(
            "arrears check loans.csv --as-of 2025-03-31",
            "arrears check loans.xlsx --map bank.yaml -o checked",
        )
    )(takes_a_tape(check, stages=2, show=_told))
    app.command(
        "map",
        epilog=with_examples("arrears map loans.csv", "arrears map loans.csv --save bank.yaml"),
    )(map_columns)
    app.command(
        epilog=with_examples(
            "arrears synth --loans 20000 -o book",
            "arrears synth --loans 5000 --style cn --encoding gb18030 --truth -o book",
        )
    )(synth)


def check(out: o.OptionalOut = None, **asked: Any) -> Any:
    """Read a tape and say what is wrong with it."""
    return run.check(asked.pop("request"), out=out, **asked)


def _told(checked: run.Checked, out: Path | None, *, quiet: bool, json: bool) -> None:
    if json:
        problems = [problem.as_dict() for problem in checked.problems]
        show_object({**checked.record, "problems": problems, "out": str(out) if out else None})
        return
    if not quiet:
        rest = f"All of them: {out / 'quarantine.csv'}." if out else "All of them: add --out DIR."
        show_problems(checked.problems, as_json=False, rest=rest)
    print("\n".join(run.rows_told(checked.tape)))


def map_columns(
    loans: o.Loans,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="F", help="Save the mapping here.")
    ] = None,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Show which column of a tape is taken for what."""
    guessed = run.mapping(Path(loans), save=save)
    if json:
        show_object(guessed.as_dict())
    elif not quiet:
        print("\n".join(guessed.lines()))
    if save and not (quiet or json):
        print(f"Saved: {save}")


def synth(
    loans: Annotated[int, typer.Option("--loans", metavar="N", min=1, help="How many loans.")],
    out: o.Out,
    months: Annotated[
        int, typer.Option("--months", metavar="M", min=1, help="Months of history.")
    ] = 24,
    as_of: o.AsOf = None,
    style: Annotated[
        Style, typer.Option(help="Chinese headers and words, or plain.")
    ] = Style.plain,
    format: Annotated[Format, typer.Option("--format", help="Container.")] = Format.csv,
    encoding: Annotated[
        str, typer.Option("--encoding", metavar="utf-8|gb18030", help="Of CSV files.")
    ] = "utf-8",
    recipe: Annotated[
        Path | None, typer.Option("--recipe", metavar="F", help="What the book is like: a file.")
    ] = None,
    truth: Annotated[bool, typer.Option("--truth", help="Leave truth.parquet too.")] = False,
    seed: o.Seed = 0,
    threads: o.Threads = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None:
    """Make a synthetic book whose truth is known."""
    with Bar(1, quiet=quiet) as bar:
        made = run.synth(
            run.SynthRequest(
                loans=loans,
                months=months,
                as_of=o.day(as_of),
                style=style.value,
                format=format.value,
                encoding=encoding,
                recipe=recipe,
                truth=truth,
                seed=seed,
            ),
            out=out,
            force=force,
            watcher=bar,
        )
    if json:
        show_object({"out": str(out), "rows": made})
    elif not quiet:
        rows = ", ".join(f"{count:,} {name}" for name, count in made.items())
        print(f"{out}: {rows}.")
