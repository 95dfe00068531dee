"""What a caller did wrong.

Trouble in a user's data or files is a value (`arrears.problems.Problem`); an exception here means that the calling
code, or the option a user typed, asked for something that cannot be.
"""

from __future__ import annotations


class ArrearsError(Exception):
    """Root of the tree.

    Args:
        found: what happened, with the value.
        code: short name of the kind of error, for machines and for searching.
        where: the place (option, path in a rulebook, file).
        why: why it cannot go on.
        fix: what to do, with the nearest valid name.
    """

    default_code = "ARREARS"

    def __init__(
        self, found: str, *, code: str = "", where: str = "", why: str = "", fix: str = ""
    ) -> None:
        self.code = code or self.default_code
        self.found, self.where, self.why, self.fix = found, where, why, fix
        super().__init__(" ".join(part for part in (found, why, fix) if part))


class NotInForce(ArrearsError):
    """A value was asked for on a day on which it is not in force."""

    default_code = "NOT-IN-FORCE"


class UnknownPath(ArrearsError):
    """No such rule, rulebook or market value."""

    default_code = "UNKNOWN-PATH"


class BadArgument(ArrearsError):
    """An argument lies outside what the function accepts."""

    default_code = "BAD-ARGUMENT"
