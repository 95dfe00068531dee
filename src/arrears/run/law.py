"""Looking into the law."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from arrears import rules
from arrears.problems import errors
from arrears.run.stopped import ANSWER_IS_NO, Stopped


@dataclass(frozen=True)
class RuleShown:
    """A rule's value on a day."""

    shown: dict[str, object]

    def as_dict(self) -> dict[str, object]:
        """`path, value, unit, from, to?, reference, verified`."""
        return self.shown

    def lines(self) -> list[str]:
        """For people."""
        told = self.shown | {"to": self.shown["to"] or "no end is known"}
        return [f"{name + ':':<11}{value}" for name, value in told.items()]


def rule_shown(path: str, *, on: date | None = None, rulebook: str = "cn") -> RuleShown:
    """The value of a rule on a day; its last one where no day is given.

    Raises:
        UnknownPath: no such rulebook or rule.
        NotInForce: no value on that day.
    """
    return RuleShown(rules.show(_holding(path, rulebook), path, on))


def rule_explained(path: str, *, rulebook: str = "cn") -> list[str]:
    """A rule with all its values, dates and articles, as lines.

    Raises:
        UnknownPath: no such rulebook or rule.
    """
    return rules.explain(_holding(path, rulebook), path)


def _holding(path: str, rulebook: str) -> rules.Rulebook:
    """The rulebook asked for, or the standard that a path names."""
    standard = path.partition("/")[0]
    return rules.load(standard if standard in rules.STANDARDS else rulebook)


def rules_differ(a: str, b: str) -> list[rules.Difference]:
    """What differs between two rulebooks; a name that is a file is a reform of `cn`.

    Raises:
        UnknownPath: no such rulebook.
        Stopped: a file that is no reform.
    """
    return rules.diff(_book(a), _book(b))


def _book(name: str) -> rules.Rulebook:
    if not name.endswith((".yaml", ".yml")):
        return rules.load(name)
    reform, problems = rules.read_reform(Path(name))
    if reform is None:
        raise Stopped(problems)
    return rules.load("cn").reform(reform)


def rules_checked(file: Path | None = None) -> int:
    """How many rules were checked.

    Raises:
        Stopped: faults were found (status 1), or the file is not there (status 2).
    """
    count, problems = rules.check(file)
    if errors(problems):
        missing = all(problem.code == "FILE-UNREADABLE" for problem in problems)
        raise Stopped(problems) if missing else Stopped(problems, ANSWER_IS_NO)
    return count
