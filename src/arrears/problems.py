"""What is wrong in a user's data or files, as values that can be collected, sorted and shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Problem:
    """One trouble: its code, how bad it is, where it lies, what was found, why it stops, how to mend it."""

    code: str
    severity: Severity
    where: str
    found: str
    why: str = ""
    fix: str = ""

    def line(self) -> str:
        """`CODE place: what was found. Why it stops. What to do.`"""
        head = f"{self.code} {self.where}".strip()
        return f"{head}: " + " ".join(_sentence(s) for s in (self.found, self.why, self.fix) if s)

    def as_dict(self) -> dict[str, str]:
        """The object that `--json` prints."""
        fix = " ".join(_sentence(s) for s in (self.why, self.fix) if s)
        return {
            "code": self.code,
            "severity": self.severity,
            "where": self.where,
            "found": self.found,
            "fix": fix,
        }


def by_severity(problems: Iterable[Problem]) -> list[Problem]:
    """Errors first; within a severity the order in which they were found."""
    return sorted(problems, key=lambda problem: SEVERITIES.index(problem.severity))


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those that stop the work."""
    return [problem for problem in problems if problem.severity == "error"]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "。")) else text + "."
