"""Work cut into blocks by the data, never by the number of threads."""

from __future__ import annotations

from collections.abc import Iterator


def blocks(rows: int, size: int) -> Iterator[slice]:
    """Consecutive slices of at most `size` rows, covering `rows` of them."""
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))
