"""A product folder that appears under its name by one rename, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arrears.errors import BadArgument
from arrears.unfinished import Unfinished, filling

RECORD = "run.json"


@contextmanager
def staged(out: Path, *, force: bool = False, record: str = RECORD) -> Iterator[Unfinished]:
    """Give a hidden folder beside `out`; on leaving without an error it takes `out`'s name.

    Args:
        force: replace a folder that holds an earlier run.
        record: the file by which a folder is known to be Arrears' own.

    Raises:
        BadArgument: `out` is a file, holds a run and `force` is not set, or holds what is not Arrears'.
        OSError: the place cannot be written, or the disk is full.
    """
    out = out.absolute()
    _check_free(out, force=force, record=record)
    out.parent.mkdir(parents=True, exist_ok=True)
    with filling(out) as work:
        work.folder.chmod(0o755)
        yield work
        work.appear()


def _check_free(out: Path, *, force: bool, record: str) -> None:
    if out.exists() and not out.is_dir():
        raise BadArgument(
            f"{out.name} is a file.",
            code="OUT-IS-A-FILE",
            where="--out",
            why="Products need a folder of their own.",
            fix="Name another folder.",
        )
    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / record).exists():
        raise BadArgument(
            f"The folder {out.name} holds files that are not Arrears'.",
            code="OUT-NOT-EMPTY",
            where="--out",
            why="Writing there could destroy them.",
            fix="Name a new or an empty folder.",
        )
    if not force:
        raise BadArgument(
            f"The folder {out.name} holds a run already.",
            code="OUT-HOLDS-A-RUN",
            where="--out",
            why="A run is never replaced unasked.",
            fix="Name another folder, or add --force to replace it.",
        )
