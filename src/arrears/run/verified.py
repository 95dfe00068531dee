"""Do a recorded run again and compare what comes out with what lies there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import arrears
from arrears.core.hashing import file_hash
from arrears.files.folder import RECORD
from arrears.problems import Problem
from arrears.run import books, calls, fitted, header, hiding, persons, values
from arrears.run import record as run_record
from arrears.run.products import product_hash
from arrears.run.request import Request
from arrears.run.resolution import resolve
from arrears.run.stages import Watcher
from arrears.run.stopped import ANSWER_IS_NO, Stopped
from arrears.unfinished import filling

# Verbs that take a tape, and its own file alone where that is all they read; `resolve` names none in its record.
_AGAIN: dict[str, Callable[..., object]] = {
    "resolve": resolve,
    "classify": books.classify,
    "history": books.history,
    "due": calls.due,
    "fit": fitted.fit,
    "hidden": hiding.hidden,
    "link": persons.link,
    "forecast": values.forecast,
    "price": values.price,
}


@dataclass(frozen=True)
class Verified:
    """A run that came out the same.

    Attributes:
        products: how many products were compared.
    """

    folder: Path
    products: int


def verify(folder: Path, *, inputs: Path | None = None, watcher: Watcher | None = None) -> Verified:
    """Run a recorded run again from its inputs.

    Args:
        folder: what a verb that takes a tape, or `price --header`, left.
        inputs: where its input files lie now; None for where they lay then.

    Raises:
        Stopped: something differs (status 1), or the run cannot be repeated (status 2).
    """
    record = run_record.read(folder)
    verb = str(record.get("command", "resolve"))
    if verb not in _AGAIN:
        raise Stopped([_not_repeated(verb, folder)])
    asked = cast("dict[str, object]", record.get("asked", {}))
    with filling(Path(tempfile.gettempdir()) / "arrears-verify") as place:
        again = place.folder / "again"
        if "header" in record:
            problems = _header_again(record, asked, out=again, inputs=inputs)
        else:
            request = found_again(run_record.request_of(record), inputs)
            problems = _changed_inputs(record, request.files())
            _AGAIN[verb](request, out=again, watcher=watcher, **asked)
        problems += changed_products(record, folder)
        problems += _differences(record, run_record.read(again))
    if problems:
        raise Stopped(problems, ANSWER_IS_NO)
    return Verified(folder, len(cast("dict[str, str]", record["products"])))


def found_again(request: Request, inputs: Path | None, *, reforms_only: bool = False) -> Request:
    """The request with its files where they lie now.

    Raises:
        Stopped: one of them (of the reforms, where only these are needed) is not there.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name, typed in request.files().items():
        place = _place(name, typed, inputs)
        if place is None and not (reforms_only and not name.startswith("reform")):
            problems.append(_missing(name, typed))
        found[name] = str(place)
    if problems:
        raise Stopped(problems)
    return request.with_files(found)


def _header_again(
    record: run_record.Record, asked: Mapping[str, object], *, out: Path, inputs: Path | None
) -> list[Problem]:
    """Price a package by its header again; whether the header is another file."""
    entries = cast("list[dict[str, str]]", record["inputs"])
    files: dict[str, str] = {}
    for entry in entries:
        place = _place(entry["name"], entry["path"], inputs)
        if place is None:
            raise Stopped([_missing(entry["name"], entry["path"])])
        files[entry["name"]] = str(place)
    settings = dict(cast("dict[str, Any]", record["settings"]))
    settings["holder"] = files.get("holder") or settings.get("holder") or "joint_stock_bank"
    model = Path(files["model"]) if "model" in files else None
    seed = cast("int", record["seed"])
    header.price_header(
        Path(files["header"]),
        out=out,
        seed=seed,
        model=model,
        **settings,
        **cast("dict[str, Any]", asked),
    )
    return _changed_inputs(record, files)


def _place(name: str, typed: str, inputs: Path | None) -> Path | None:
    """Where an input lies now; None where it is nowhere."""
    places = [Path(typed)]
    if inputs is not None:
        suffix = "".join(Path(typed).suffixes)
        places = [inputs / Path(typed).name, inputs / f"{name}{suffix}", *places]
    return next((path for path in places if path.is_file()), None)


def _not_repeated(verb: str, folder: Path) -> Problem:
    return Problem(
        "NOT-REPEATED",
        "error",
        str(folder),
        f"It was left by `{verb}`, which is not run again.",
        f"Verified are {', '.join(sorted(_AGAIN))}.",
        "Run the command again and compare.",
    )


def _missing(name: str, typed: str) -> Problem:
    return Problem(
        "INPUT-NOT-FOUND",
        "error",
        name,
        f"{typed} is not there.",
        "The run cannot be repeated without it.",
        "Name the folder where it lies now: --inputs FOLDER.",
    )


def _changed_inputs(record: run_record.Record, files: Mapping[str, str]) -> list[Problem]:
    then = {
        entry["name"]: entry["sha256"] for entry in cast("list[dict[str, str]]", record["inputs"])
    }
    return [
        _differs(f"input {name}", f"{path} is not the file that the run read.")
        for name, path in files.items()
        if file_hash(Path(path)) != then[name]
    ]


def changed_products(record: run_record.Record, folder: Path) -> list[Problem]:
    """Products on disk that are not what the record says."""
    then = cast("dict[str, str]", record["products"])
    there = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    } - {RECORD}
    problems = [_differs(name, "The product is missing.") for name in sorted(then.keys() - there)]
    problems += [
        _differs(name, "The record knows no such product.") for name in sorted(there - then.keys())
    ]
    for name in sorted(then.keys() & there):
        if _hash_or_none(folder / name) != then[name]:
            problems.append(_differs(name, "Its content is not what the run left."))
    return problems


def _hash_or_none(path: Path) -> str | None:
    try:
        return product_hash(path)
    except Exception:
        return None


def _differences(then: Mapping[str, object], now: Mapping[str, object]) -> list[Problem]:
    """Where the record of the second run differs: everything in it but the seconds and where the inputs lay."""
    problems: list[Problem] = []
    for name in sorted((then.keys() | now.keys()) - {"seconds", "inputs", "products"}):
        if then.get(name) != now.get(name):
            problems.append(_differs(f"{RECORD} {name}", _was(then.get(name), now.get(name))))
    old, new = (cast("dict[str, str]", record["products"]) for record in (then, now))
    problems += [
        _differs(name, "Running again gives another content.")
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    rows = [
        [(entry["name"], entry["sha256"], entry["rows"]) for entry in record]
        for record in (
            cast("list[dict[str, object]]", then["inputs"]),
            cast("list[dict[str, object]]", now["inputs"]),
        )
    ]
    if rows[0] != rows[1]:
        problems.append(_differs(f"{RECORD} inputs", "The inputs recorded are not those read now."))
    return problems


def _was(then: object, now: object) -> str:
    return f"The record says {_short(then)}, running again gives {_short(now)}."


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _differs(where: str, found: str) -> Problem:
    return Problem(
        "DIFFERS",
        "error",
        where,
        found,
        "The run is not what its record says.",
        f"Compare with a run by Arrears {arrears.__version__}, or run the job again.",
    )
