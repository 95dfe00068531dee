"""What the terminal shows: problems, a bar while it works, a few lines at the end."""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from arrears.problems import Problem, by_severity

MOST_OF_A_KIND = 10
WIDTH = 80


def show_problems(problems: Iterable[Problem], *, as_json: bool, rest: str = "") -> None:
    """Problems, worst first: to standard error, or as one object to standard output.

    Args:
        rest: where all of them lie, said when some are not shown.
    """
    ordered = by_severity(problems)
    if as_json:
        print(json.dumps({"problems": [p.as_dict() for p in ordered]}, ensure_ascii=False))
        return
    shown: Counter[str] = Counter()
    for problem in ordered:
        shown[problem.code] += 1
        if shown[problem.code] <= MOST_OF_A_KIND:
            note(problem.line())
    for code, count in shown.items():
        if count > MOST_OF_A_KIND:
            note(f"{code}: {count - MOST_OF_A_KIND:,} more. {rest}".rstrip())


def note(text: str) -> None:
    """A line to standard error, wrapped to 80 columns."""
    wrapped = textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False)
    print("\n".join(wrapped), file=sys.stderr)


def show_object(value: Mapping[str, object]) -> None:
    """One JSON object to standard output."""
    print(json.dumps(value, ensure_ascii=False, default=str))


class Bar:
    """A bar of stages on standard error; nothing where that is no terminal, or quiet is asked for."""

    def __init__(self, stages: int, *, quiet: bool) -> None:
        # FORCE_COLOR, which many a CI sets, would have it drawn into a log file.
        console = Console(stderr=True, force_terminal=sys.stderr.isatty())
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<12}"),
            BarColumn(bar_width=40),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._stages = stages
        self._task: TaskID | None = None
        self._through = 0

    def __enter__(self) -> Bar:
        self._progress.start()
        self._task = self._progress.add_task("", total=self._stages)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, stage: str) -> None:
        """A stage begins."""
        self._update(stage, 0.0)

    def advance(self, done: float, total: float) -> None:
        """Part of the present stage is through."""
        self._update(None, done / total if total else 1.0)

    def end(self) -> None:
        """The present stage is over."""
        self._through += 1
        self._update(None, 0.0)

    def _update(self, stage: str | None, part: float) -> None:
        if self._task is not None:
            self._progress.update(
                self._task, completed=min(self._through + part, self._stages), description=stage
            )
