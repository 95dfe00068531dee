"""What every verb that takes a tape shares: read, work, leave the products, record the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from arrears.files import staged
from arrears.files.folder import RECORD
from arrears.problems import Problem
from arrears.run import record as run_record
from arrears.run.gather import Gathered, gather
from arrears.run.products import Products, to_json
from arrears.run.request import Request
from arrears.run.stages import Stages, Watcher


@dataclass(frozen=True)
class Done:
    """How a verb ended.

    Attributes:
        summary: for machines.
        lines: for people.
        problems: what was found on the way and did not stop it.
    """

    summary: dict[str, object]
    lines: tuple[str, ...]
    problems: tuple[Problem, ...]


Work = Callable[[Gathered, Products, Stages], tuple[dict[str, object], list[str]]]


def job(
    request: Request,
    work: Work,
    *,
    name: str,
    out: Path,
    force: bool = False,
    watcher: Watcher | None = None,
    more: Sequence[Problem] = (),
    asked: Mapping[str, object] | None = None,
) -> Done:
    """Read the tape, do the work, and leave its products with `run.json` in `out`.

    Args:
        work: writes the products and tells what it found: a summary, and lines for people.
        more: what the work finds wrong on its way, looked at when it is done.
        asked: what this verb alone was asked, so that `verify` can ask it again.

    Raises:
        Stopped: the input cannot be used.
        BadArgument: `out` cannot be written to.
    """
    stages = Stages(watcher)
    with staged(out, force=force) as place:
        with stages.stage("read"):
            gathered = gather(request)
        products = Products(place.folder)
        summary, lines = work(gathered, products, stages)
        record = run_record.of_tape(gathered) | {"command": name, "summary": summary}
        record["asked"] = dict(asked or {})
        record["products"] = dict(sorted(products.hashes.items()))
        record["seconds"] = stages.seconds
        (place.folder / RECORD).write_text(to_json(record), encoding="utf-8")
    return Done(summary | {"out": str(out)}, tuple(lines), (*gathered.problems, *more))
