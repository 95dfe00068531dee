"""The main job on a synthetic bank, made on the spot."""

from __future__ import annotations

from pathlib import Path

import arrears
from arrears.problems import Problem
from arrears.run.request import Request
from arrears.run.resolution import Resolution, resolve
from arrears.run.stages import Watcher
from arrears.run.stopped import Stopped
from arrears.run.synthesise import SynthRequest, synth

LOANS = 20_000


def demo(*, out: Path, loans: int = LOANS, watcher: Watcher | None = None) -> Resolution:
    """Make Eastern Bank's tape beside `out` and resolve it; an earlier demo is replaced.

    Raises:
        Stopped: the examples are not there.
        BadArgument: `out` holds something else.
    """
    home = Path(arrears.__file__).parents[2]
    examples = (Path() if home == Path.cwd() else home) / "examples" / "eastern_bank"
    if not examples.is_dir():
        found, why = "The examples are not there.", "The demo makes its bank from them."
        fix = "Run it from a copy of the repository."
        raise Stopped([Problem("NO-EXAMPLES", "error", str(examples), found, why, fix)])
    tape = tape_of(out)
    shape = SynthRequest(
        loans=loans,
        months=24,
        style="cn",
        encoding="gb18030",
        recipe=examples / "recipe.yaml",
    )
    synth(shape, out=tape, force=True, watcher=watcher)
    request = Request(
        str(tape / "loans.csv"),
        payments=str(tape / "payments.csv"),
        months=str(tape / "months.csv"),
        events=str(tape / "events.csv"),
        contacts=str(tape / "contacts.csv"),
        holder=str(examples / "holder.yaml"),
        capacity=str(examples / "capacities.yaml"),
    )
    return resolve(request, out=out, force=True, watcher=watcher)


def tape_of(out: Path) -> Path:
    """Where the tape of the demo lies."""
    return out.with_name(f"{out.name}_tape")


def files_told(out: Path) -> list[str]:
    """Where its files are."""
    return [
        f"Tape      {tape_of(out)}/ (loans, payments, months, events, contacts; GB18030)",
        f"Files     {out}/ (plan.xlsx, plan.parquet, offers.parquet, handover/, run.json and more)",
    ]
