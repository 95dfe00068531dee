"""Folders that are being filled, and how each is taken back.

They are known here so that a process that is told to stop can end where it stands. An exception raised there instead
would pass through compiled code that called back into Python and cannot carry it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_filled: list[Unfinished] = []
_TRIES = 5


class Unfinished:
    """A hidden folder beside the place where it is to appear."""

    def __init__(self, folder: Path, final: Path) -> None:
        self.folder, self.final = folder, final
        self._aside = folder.with_suffix(".old")
        self._gone = folder.with_suffix(".gone")

    @property
    def stands(self) -> bool:
        """Whether it has its final name."""
        return not (self.folder.exists() or self._gone.exists())

    def appear(self) -> None:
        """Give the folder its final name, in the place of what has it."""
        if self.final.exists():
            self._aside.mkdir()
            self.final.rename(self._aside / self.final.name)
        self.folder.rename(self.final)

    def take_back(self) -> None:
        """Leave nothing but what stood, or now stands, under the final name."""
        old = self._aside / self.final.name
        if old.exists() and not self.final.exists():
            old.rename(self.final)
        # Other threads may still write here: under another name they no longer find it.
        with suppress(OSError):
            self.folder.rename(self._gone)
        for folder in (self.folder, self._gone, self._aside):
            _remove(folder)


@contextmanager
def filling(final: Path) -> Iterator[Unfinished]:
    """A new hidden folder beside `final`; on leaving it is gone, or stands under that name."""
    folder = tempfile.mkdtemp(prefix=f".{final.name}.", suffix=".partial", dir=final.parent)
    work = Unfinished(Path(folder), final)
    _filled[:] = [*(earlier for earlier in _filled if not earlier.stands), work]
    try:
        yield work
    finally:
        given_up = not work.stands
        work.take_back()
        if given_up:
            _filled.remove(work)


def take_all_back() -> bool:
    """Leave no folder half filled.

    Returns:
        False where all that was begun stands, so that there is nothing to stop.
    """
    waiting = [work for work in _filled if not work.stands]
    for work in reversed(waiting):
        work.take_back()
    return bool(waiting) or not _filled


def _remove(folder: Path) -> None:
    """A file that was being opened as the folder moved may come in while it is emptied."""
    for _ in range(_TRIES):
        if not folder.exists():
            return
        shutil.rmtree(folder, ignore_errors=True)
