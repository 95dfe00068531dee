"""Commands that take a tape share its options: they are written once, here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
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
_REQUEST = [name for name in _OPTIONS if name not in {"out", "threads", "force", "quiet", "json"}]

# Options of a verb's own that are a request's too.
_ASKED = ("scenarios", "stress", "model")


def takes_a_tape(verb: Callable[..., Any], *, or_else: str | None = None) -> Callable[..., None]:
    """A command with the options of a tape and those of `verb`, which gets `request, out, force, watcher` besides.

    What it gives has a `summary`, `lines` and `problems`.

    Args:
        or_else: an option of `verb` that may stand in the tape's place; the request is then None.
    """
    own = {
        name: parameter
        for name, parameter in inspect.signature(verb, eval_str=True).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }

    def command(**typed: Any) -> None:
        extras = {name: typed.pop(name) for name in own}
        asked: dict[str, Any] = {name: extras[name] for name in _ASKED if name in extras}
        if "audit" in extras:
            asked["audit"] = extras.pop("audit")
        named = {name: typed[name] for name in _REQUEST}
        if typed["loans"] is None and (or_else is None or extras[or_else] is None):
            raise typer.BadParameter(f"Name a tape{f' or give --{or_else}' if or_else else ''}.")
        request = None
        if typed["loans"] is not None:
            request = o.request(reforms=named.pop("reform"), **named, **asked)
        with Bar(_STAGES, quiet=typed["quiet"]) as bar:
            done = verb(
                request=request, out=Path(typed["out"]), force=typed["force"], watcher=bar, **extras
            )
        if typed["json"]:
            show_object(done.summary)
            return
        if not typed["quiet"]:
            show_problems(done.problems, as_json=False, rest="All of them: arrears check.")
        print("\n".join(done.lines))

    options = dict(_OPTIONS)
    if or_else:
        options["loans"] = options["loans"].replace(annotation=o.OptionalLoans, default=None)
    parameters = [*options.values(), *(p.replace(kind=p.KEYWORD_ONLY) for p in own.values())]
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    )
    command.__doc__ = verb.__doc__
    command.__name__ = verb.__name__
    return command
