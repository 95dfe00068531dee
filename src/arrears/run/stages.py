"""The stages of a run: how long each took, and who is told while it lasts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Watcher(Protocol):
    """Who is told how a run goes on; the command line draws a bar."""

    def begin(self, stage: str) -> None:
        """A stage begins."""

    def advance(self, done: float, total: float) -> None:
        """`done` of `total` units of the present stage are through."""

    def end(self) -> None:
        """The present stage is over."""


class Silent:
    """Tells nobody."""

    def begin(self, stage: str) -> None:
        """Nothing."""

    def advance(self, done: float, total: float) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


class Stages:
    """Times the stages of one run, seconds by name in the order in which they ran."""

    def __init__(self, watcher: Watcher | None = None) -> None:
        self.watcher: Watcher = watcher or Silent()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what runs inside; a name used twice adds up."""
        started = time.perf_counter()
        self.watcher.begin(name)
        try:
            yield
        finally:
            self.watcher.end()
            took = time.perf_counter() - started
            self.seconds[name] = round(self.seconds.get(name, 0.0) + took, 3)
