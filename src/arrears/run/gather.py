"""Everything that a run stands on, read and checked before any work begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from arrears import channels, handover, plan, recovery, rules, tape
from arrears.core.hashing import file_hash
from arrears.errors import ArrearsError
from arrears.problems import Problem, errors
from arrears.run.audited import read_audit
from arrears.run.modelfile import read_model
from arrears.run.request import TABLES, Request
from arrears.run.stopped import Stopped

if TYPE_CHECKING:
    from arrears.recovery.fitting.model import RecoveryModel


@dataclass(frozen=True)
class Gathered:
    """The law, the holder, what can be done, the market and the tape.

    Attributes:
        previous: `loan_id, channel, start_month?, value?` of the plan before.
        letter: the holder's own text of an offer.
        audit: `loan_id, hidden, chance?` of loans that somebody has looked into.
        problems: what was found on the way and does not stop the work.
        model: what recovery is forecast by; None for the market prior.
    """

    request: Request
    rulebook: rules.Rulebook
    market: rules.MarketBook
    holder: channels.Holder
    capacities: tuple[plan.Capacity, ...]
    previous: pl.DataFrame | None
    letter: handover.Template | None
    audit: pl.DataFrame | None
    tape: tape.Tape
    problems: tuple[Problem, ...]
    model: RecoveryModel | None = None

    @property
    def stress(self) -> recovery.Stress | None:
        """The stress that was asked for; None for the market as it is.

        Raises:
            BadArgument: the market book has none of that name.
        """
        name = self.request.stress
        return recovery.Stress.named(name, self.market, self.tape.as_of) if name else None

    def inputs(self) -> list[dict[str, object]]:
        """Name, path as typed, hash and rows of every file read; rows null where it is no table."""
        typed = self.request.files()
        tables = {entry.name: entry for entry in self.tape.inputs}
        rows = {name: tables[name].rows if name in tables else None for name in typed}
        known = {name: entry.sha256 for name, entry in tables.items()}
        return [
            {
                "name": name,
                "path": path,
                "sha256": known.get(name) or file_hash(Path(path)),
                "rows": rows[name],
            }
            for name, path in typed.items()
        ]


def gather(request: Request) -> Gathered:
    """Read all files of a request.

    Raises:
        Stopped: something needed is missing or wrong; all that was found is in it.
    """
    problems: list[Problem] = []
    rulebook = _rulebook(request, problems)
    holder, found = channels.read_holder(request.holder)
    problems += found
    capacities: tuple[plan.Capacity, ...] | None = ()
    if request.capacity is not None:
        capacities, found = plan.read_capacities(Path(request.capacity))
        problems += found
    previous = _previous(request.previous, problems)
    letter = None
    if request.letter is not None:
        letter, found = handover.read_template(Path(request.letter))
        problems += found
    model: RecoveryModel | None = None
    if request.model is not None:
        model, found = read_model(Path(request.model))
        problems += found
    reading = read_tape(request)
    problems += reading.problems
    if model and reading.tape and model.as_of > reading.tape.as_of:
        problems.append(sees_ahead(model.as_of, reading.tape.as_of))
    if rulebook and reading.tape:
        _check_force(rulebook, reading.tape, problems)
    if capacities and reading.tape:
        problems += plan.check_scopes(capacities, reading.tape.loans)
    audit = None
    if request.audit is not None and reading.tape:
        audit, found = read_audit(Path(request.audit), reading.tape.loans)
        problems += found
    if not (rulebook and holder and reading.tape and capacities is not None) or errors(
        [problem for problem in problems if problem not in reading.problems]
    ):
        raise Stopped(problems)
    market = rules.load_market("cn")
    return Gathered(
        request,
        rulebook,
        market,
        holder,
        plan.joined(capacities),
        previous,
        letter,
        audit,
        reading.tape,
        tuple(problems),
        model,
    )


def _previous(path: str | None, problems: list[Problem]) -> pl.DataFrame | None:
    """The plan before, where one is named."""
    if path is None:
        return None
    try:
        table = pl.read_parquet(path)
        told = {"start_month": pl.Int32, "value": pl.Float64}
        return table.select(
            "loan_id",
            "channel",
            *(
                (pl.col(n) if n in table.columns else pl.lit(None)).cast(kind).alias(n)
                for n, kind in told.items()
            ),
        )
    except (OSError, pl.exceptions.PolarsError):
        found = f"{path} cannot be read as a plan."
        why = "What the plan before said is not known."
        fix = "Name the folder that an earlier `resolve` has left."
        problems.append(Problem("PREVIOUS-UNREADABLE", "error", "--previous", found, why, fix))
        return None


def sees_ahead(model: date, day: date, what: str = "tape") -> Problem:
    """That a model knows what came after a cut-off date."""
    found = f"The model was fitted as of {model}, the {what} is of {day}."
    why = "It knows what came after the cut-off date."
    return Problem("MODEL-SEES-AHEAD", "warning", "--model", found, why, "Use an earlier model.")


def read_tape(request: Request) -> tape.Reading:
    """The tape alone."""
    paths = {name: getattr(request, name) for name in TABLES}
    files = tape.TapeFiles(**{name: Path(path) for name, path in paths.items() if path})
    mapping = Path(request.map) if request.map else None
    return tape.read(files, mapping=mapping, as_of=request.as_of)


def rulebook_of(request: Request) -> rules.Rulebook:
    """The rulebook of a request, its reforms applied.

    Raises:
        Stopped: no such rulebook, or a reform that cannot be read or does not fit.
    """
    try:
        rulebook = rules.load(request.rulebook)
        for path in request.reforms:
            reform, found = rules.read_reform(Path(path))
            if reform is None:
                raise Stopped(found)
            rulebook = rulebook.reform(reform)
    except ArrearsError as error:
        raise Stopped([as_problem(error, "--rulebook")]) from None
    return rulebook


def _rulebook(request: Request, problems: list[Problem]) -> rules.Rulebook | None:
    try:
        return rulebook_of(request)
    except Stopped as stopped:
        problems += stopped.problems
        return None


def _check_force(rulebook: rules.Rulebook, read: tape.Tape, problems: list[Problem]) -> None:
    try:
        rules.require_force(rulebook, read.as_of)
    except ArrearsError as error:
        problems.append(as_problem(error, "--as-of"))


def as_problem(error: ArrearsError, where: str = "") -> Problem:
    """A caller's mistake as the problem that a user is shown."""
    place = error.where or where
    return Problem(error.code, "error", place, error.found, error.why, error.fix)
