"""Hashes of content: the same for the same values, whatever file or chunk they came in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, is_dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from arrears.errors import BadArgument

if TYPE_CHECKING:
    import polars as pl

_PIECE = 1 << 20
_ROWS = 250_000


def content_hash(value: object) -> str:
    """SHA-256 of the canonical JSON of `value` (keys sorted, dates in ISO form, dataclasses as mappings).

    Raises:
        BadArgument: `value` holds something that has no canonical form.
    """
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain
    )
    return hashlib.sha256(text.encode()).hexdigest()


def bytes_hash(content: bytes) -> str:
    """SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while piece := source.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def table_hash(table: pl.DataFrame) -> str:
    """SHA-256 of a table's names, types and values, row by row; chunks and containers do not enter."""
    digest = TableHash()
    digest.add(table)
    return digest.hexdigest()


class TableHash:
    """The hash of a table that comes part by part: the same whatever the parts."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._begun = False

    def add(self, part: pl.DataFrame) -> None:
        """The next rows."""
        if not self._begun:
            names = [(name, str(dtype)) for name, dtype in part.schema.items()]
            self._digest.update(repr(names).encode())
            self._begun = True
        for start in range(0, part.height, _ROWS):
            self._digest.update(part.slice(start, _ROWS).hash_rows(seed=0).to_numpy().tobytes())

    def hexdigest(self) -> str:
        """The hash of all rows."""
        return self._digest.hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, date | Path):
        return str(value)
    if isinstance(value, tuple | set | frozenset):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise BadArgument(f"A {type(value).__name__} has no canonical form to hash.")
