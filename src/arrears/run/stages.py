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
    """Times the stages of one run, none of which stands inside another."""

    def __init__(self, watcher: Watcher | None = None) -> None:
        self.watcher: Watcher = watcher or Silent()
        self._began = time.perf_counter()
        self._took: dict[str, float] = {}

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by name in the order in which they ran, and `other` between them: they add up to the whole."""
        whole = time.perf_counter() - self._began
        told = {name: round(took, 3) for name, took in self._took.items()}
        return told | {"other": round(max(whole - sum(self._took.values()), 0.0), 3)}

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
            self._took[name] = self._took.get(name, 0.0) + took
