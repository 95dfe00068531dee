"""The tape: columns, mapping, readers, checks, quarantine."""

from arrears.tape.guess import guess
from arrears.tape.mapping import Mapping, read_mapping, save_mapping
from arrears.tape.model import Counts, Fill, Input, Reading, Tape, TapeFiles, claim
from arrears.tape.read import read

__all__ = [
    "Counts",
    "Fill",
    "Input",
    "Mapping",
    "Reading",
    "Tape",
    "TapeFiles",
    "claim",
    "guess",
    "read",
    "read_mapping",
    "save_mapping",
]
