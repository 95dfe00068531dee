"""Read a tape, check it, and leave what was accepted and what was not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from arrears.files import staged
from arrears.problems import Problem
from arrears.run import record as run_record
from arrears.run.gather import gather
from arrears.run.products import Products, to_json
from arrears.run.request import Request
from arrears.run.stages import Stages, Watcher
from arrears.tape import Tape

RECORD = "check.json"


@dataclass(frozen=True)
class Checked:
    """A tape that was read, with its record and what is wrong with it."""

    tape: Tape
    record: run_record.Record
    problems: tuple[Problem, ...]


def check(
    request: Request,
    *,
    out: Path | None = None,
    force: bool = False,
    watcher: Watcher | None = None,
) -> Checked:
    """Check a tape; products go to `out` where it is given.

    Raises:
        Stopped: nothing can be done with it.
    """
    stages = Stages(watcher)
    with stages.stage("read"):
        gathered = gather(request)
    record = run_record.of_tape(gathered)
    checked = Checked(gathered.tape, record, gathered.problems)
    if out is not None:
        with staged(out, force=force, record=RECORD) as place, stages.stage("write"):
            products = Products(place.folder)
            products.table("accepted.parquet", gathered.tape.loans)
            products.csv("quarantine.csv", gathered.tape.quarantine)
            record["problems"] = [problem.as_dict() for problem in gathered.problems]
            record["products"] = dict(sorted(products.hashes.items()))
            record["seconds"] = stages.seconds
            (place.folder / RECORD).write_text(to_json(record), encoding="utf-8")
    return checked
