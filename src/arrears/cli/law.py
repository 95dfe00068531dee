"""`rules show | explain | diff | check`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from arrears import run
from arrears.cli import options as o
from arrears.cli.examples import with_examples
from arrears.cli.show import show_object

_Path = Annotated[str, typer.Argument(metavar="PATH", help="e.g. cn/limitation/years")]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this file into the application."""
    rules = typer.Typer(
        help="The law, as data.",
        rich_markup_mode=None,
        no_args_is_help=True,
        epilog=with_examples(
            "arrears rules show cn/limitation/years --on 2025-03-31",
            "arrears rules diff cn cn-principal-reducible",
        ),
    )
    rules.command(
        epilog=with_examples(
            "arrears rules show cn/limitation/years",
            "arrears rules show cn/classification/floors_2023 --on 2025-03-31 --json",
        )
    )(show)
    rules.command(
        epilog=with_examples(
            "arrears rules explain cn/instalments/card_max_months",
            "arrears rules explain cn/transfer/term_until --json",
        )
    )(explain)
    rules.command(
        epilog=with_examples(
            "arrears rules diff cn cn-principal-reducible",
            "arrears rules diff cn reform.yaml --json",
        )
    )(diff)
    rules.command(epilog=with_examples("arrears rules check", "arrears rules check reform.yaml"))(
        check
    )
    app.add_typer(rules, name="rules")


def show(
    path: _Path,
    on: Annotated[
        datetime | None,
        typer.Option(
            "--on", formats=["%Y-%m-%d"], metavar="D", help="Day; today's law if left out."
        ),
    ] = None,
    rulebook: o.RulebookOption = "cn",
    json: o.Json = False,
) -> None:
    """The value of a rule on a day."""
    shown = run.rule_shown(path, on=o.day(on), rulebook=rulebook)
    if json:
        show_object(shown.as_dict())
    else:
        print("\n".join(shown.lines()))


def explain(path: _Path, rulebook: o.RulebookOption = "cn", json: o.Json = False) -> None:
    """A rule with all its values, dates, references and its article."""
    lines = run.rule_explained(path, rulebook=rulebook)
    if json:
        show_object({"path": path, "lines": lines})
    else:
        print("\n".join(lines))


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A rulebook, or a reform of cn.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    json: o.Json = False,
) -> None:
    """What differs between two rulebooks."""
    found = run.rules_differ(a, b)
    if json:
        show_object({"differences": [row.as_dict() for row in found]})
    else:
        print("\n".join(row.line() for row in found) or "No difference.")


def check(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A reform, or rules.")] = None,
    json: o.Json = False,
) -> None:
    """Check the bundled rules, or a file of rules."""
    count = run.rules_checked(file)
    if json:
        show_object({"problems": [], "leaves": count})
    else:
        print(f"Nothing is wrong: {count} leaves checked.")
