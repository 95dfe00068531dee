"""Which column of a foreign tape is taken for what."""

from __future__ import annotations

from pathlib import Path

from arrears import tape
from arrears.run.stopped import Stopped


def mapping(loans: Path, *, save: Path | None = None) -> tape.Mapping:
    """Guess a mapping, and save it where `save` is given.

    Raises:
        Stopped: the file is no table.
    """
    guessed, problems = tape.guess(loans)
    if guessed is None:
        raise Stopped(problems)
    if save is not None:
        tape.save_mapping(guessed, save)
    return guessed
