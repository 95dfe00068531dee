"""A verb that could not be done, or whose answer is no."""

from __future__ import annotations

from collections.abc import Iterable

from arrears.problems import Problem, by_severity

ANSWER_IS_NO = 1
NOT_DONE = 2


class Stopped(Exception):
    """Carries every problem found and the exit status that the command line gives for it.

    Args:
        problems: what was found, at least one error.
        status: 1 where the answer is no, 2 where it could not be done.
    """

    def __init__(self, problems: Iterable[Problem], status: int = NOT_DONE) -> None:
        self.problems = by_severity(problems)
        self.status = status
        super().__init__("\n".join(problem.line() for problem in self.problems))
