"""Arrears: finds the best lawful way out of each bad personal loan.

The names below are the library; each is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.lazily import lazily

if TYPE_CHECKING:
    from arrears.core.timeline import Timeline
    from arrears.errors import ArrearsError, BadArgument, NotInForce, UnknownPath
    from arrears.problems import Problem
    from arrears.rules import Rulebook, load, load_market
    from arrears.run import Request, Resolution, Stopped, SynthRequest
    from arrears.run.books import classify, history
    from arrears.run.calls import due
    from arrears.run.checked import check
    from arrears.run.explained import explain
    from arrears.run.mapped import mapping
    from arrears.run.resolution import resolve
    from arrears.run.synthesise import synth as synthesise
    from arrears.run.verified import verify
    from arrears.tape import Tape, TapeFiles
    from arrears.tape import read as read_tape

__version__ = "0.1.0"

_ROOM = {
    "ArrearsError": "errors",
    "BadArgument": "errors",
    "NotInForce": "errors",
    "Problem": "problems",
    "Request": "run",
    "Resolution": "run",
    "Rulebook": "rules",
    "Stopped": "run",
    "SynthRequest": "run",
    "Tape": "tape",
    "TapeFiles": "tape",
    "Timeline": "core.timeline",
    "UnknownPath": "errors",
    "check": "run",
    "classify": "run",
    "due": "run",
    "history": "run",
    "explain": "run",
    "load": "rules",
    "load_market": "rules",
    "mapping": "run",
    "read_tape": "tape:read",
    "resolve": "run",
    "synthesise": "run:synth",
    "verify": "run",
}

__all__ = [
    "ArrearsError",
    "BadArgument",
    "NotInForce",
    "Problem",
    "Request",
    "Resolution",
    "Rulebook",
    "Stopped",
    "SynthRequest",
    "Tape",
    "TapeFiles",
    "Timeline",
    "UnknownPath",
    "check",
    "classify",
    "due",
    "explain",
    "history",
    "load",
    "load_market",
    "mapping",
    "read_tape",
    "resolve",
    "synthesise",
    "verify",
]


__getattr__ = lazily("arrears", _ROOM)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
