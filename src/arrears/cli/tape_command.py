"""Commands that take a tape share its options: they are written once, here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

import typer

from arrears.cli import options as o
from arrears.cli.show import Bar, show_object, show_problems

_STAGES = 4


def _tape(
    loans: o.Loans,
    out: o.Out,
    payments: o.Payments = None,
    months: o.Months = None,
    events: o.Events = None,
    contacts: o.Contacts = None,
    map_file: o.Map = None,
    holder: o.HolderOption = "joint_stock_bank",
    as_of: o.AsOf = None,
    rulebook: o.RulebookOption = "cn",
    reform: o.Reforms = None,
    seed: o.Seed = 0,
    threads: o.Threads = None,
    excel: o.Excel = None,
    force: o.Force = False,
    quiet: o.Quiet = False,
    json: o.Json = False,
) -> None: ...


_OPTIONS = inspect.signature(_tape, eval_str=True).parameters
_OF_REQUEST = set(inspect.signature(o.request).parameters)


def _show(done: Any, out: Path | None, *, quiet: bool, json: bool) -> None:
    if json:
        show_object(done.summary)
        return
    if not quiet:
        show_problems(done.problems, as_json=False, rest="All of them: arrears check.")
    print("\n".join(done.lines))


def _refuse(typed: Mapping[str, Any], own: Container[str], or_else: str) -> None:
    """Options of a tape that say nothing of what stands in its place are not passed over in silence.

    Raises:
        typer.BadParameter: one was given.
    """
    for name in _OF_REQUEST - {"loans"}:
        given = name in _OPTIONS and name not in own and typed[name] != _OPTIONS[name].default
        if given and typed[name]:
            option = name.removesuffix("_file").replace("_", "-")
            raise typer.BadParameter(f"--{option} goes with a tape, not with --{or_else}.")


def takes_a_tape(
    verb: Callable[..., Any],
    *,
    or_else: str | None = None,
    stages: int = _STAGES,
    show: Callable[..., None] = _show,
) -> Callable[..., None]:
    """A command with the options of a tape and those of `verb`, which gets `request, out, force, watcher` besides.

    Args:
        verb: its own options go before those of a tape that have the same name, and are the request's where one has
            their name.
        or_else: an option of `verb` that may stand in the tape's place; the request is then None.
        show: prints what the verb gives; without it, that has a `summary`, `lines` and `problems`.
    """
    own = {
        name: parameter
        for name, parameter in inspect.signature(verb, eval_str=True).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }

    def command(**typed: Any) -> None:
        if typed["loans"] is None and (or_else is None or typed[or_else] is None):
            raise typer.BadParameter(f"Name a tape{f' or give --{or_else}' if or_else else ''}.")
        request = None
        if typed["loans"] is None:
            _refuse(typed, own, or_else or "")
        elif or_else and typed[or_else] is not None:
            raise typer.BadParameter(f"Name a tape or give --{or_else}, not both.")
        else:
            request = o.request(**{name: typed[name] for name in typed if name in _OF_REQUEST})
        given = {name: typed[name] for name in ("out", "force", *own)}
        with Bar(stages, quiet=typed["quiet"]) as bar:
            done = verb(request=request, watcher=bar, **given)
        show(done, typed["out"], quiet=typed["quiet"], json=typed["json"])

    options = {**_OPTIONS, **own}
    if or_else:
        options["loans"] = options["loans"].replace(annotation=o.OptionalLoans, default=None)
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in options.values()]
    )
    command.__doc__ = verb.__doc__
    command.__name__ = verb.__name__
    return command
