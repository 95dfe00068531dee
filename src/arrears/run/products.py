"""Products as they are written: each with the hash of its content."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from arrears.core.hashing import TableHash, bytes_hash, table_hash


class Products:
    """Writes products into a folder and keeps the content hash of each by its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hashes: dict[str, str] = {}

    def table(self, name: str, table: pl.DataFrame) -> None:
        """A Parquet file."""
        table.write_parquet(
            self._place(name), compression="zstd", compression_level=1, statistics=False
        )
        self.hashes[name] = table_hash(table)

    def stream(self, name: str, parts: Iterator[pl.DataFrame]) -> None:
        """A Parquet file of the rows of one part after another, at least one; a few are in memory at a time."""
        from polars.io.plugins import register_io_source

        digest, first = TableHash(), next(parts)

        def rows(*_: object) -> Iterator[pl.DataFrame]:
            for part in itertools.chain([first], parts):
                digest.add(part)
                yield part

        whole = register_io_source(rows, schema=first.schema)
        whole.sink_parquet(self._place(name), compression="zstd", compression_level=1)
        self.hashes[name] = digest.hexdigest()

    @contextmanager
    def in_parts(self, name: str) -> Iterator[Parts]:
        """A Parquet file of rows that come part by part, one part in memory at a time."""
        place = self._place(name)
        parts = Parts(place.with_suffix(".parts"))
        yield parts
        files = pl.scan_parquet(parts.files)
        files.sink_parquet(place, compression="zstd", compression_level=1)
        shutil.rmtree(parts.folder)
        self.hashes[name] = parts.hash.hexdigest()

    def csv(self, name: str, table: pl.DataFrame) -> None:
        """A CSV file in UTF-8."""
        table.write_csv(self._place(name))
        self.adopt(name)

    def text(self, name: str, text: str) -> None:
        """A text file in UTF-8."""
        self._place(name).write_text(text, encoding="utf-8", newline="\n")
        self.adopt(name)

    def json(self, name: str, value: Mapping[str, object]) -> None:
        """A JSON file."""
        self.text(name, to_json(value))

    def adopt(self, name: str) -> None:
        """Take in a file that another room has written here."""
        self.hashes[name] = product_hash(self.folder / name)

    def adopt_all(self, folder: str) -> None:
        """Take in every file under `folder`."""
        for path in sorted((self.folder / folder).rglob("*")):
            if path.is_file():
                self.adopt(path.relative_to(self.folder).as_posix())

    def _place(self, name: str) -> Path:
        path = self.folder / name
        # A stop may have taken the folder itself back: nothing makes it anew.
        if path.parent != self.folder:
            path.parent.mkdir(exist_ok=True)
        return path


class Parts:
    """The parts of a table on their way to one file; at least one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Path] = []
        self.hash = TableHash()
        folder.mkdir(parents=True)

    def add(self, part: pl.DataFrame) -> None:
        """The next rows."""
        self.hash.add(part)
        self.files.append(self.folder / f"{len(self.files):06d}.parquet")
        part.write_parquet(self.files[-1], compression="lz4")


def product_hash(path: Path) -> str:
    """Hash of what a product says: a table's values, a workbook's cells, a text without its line ends.

    Raises:
        OSError, polars.exceptions.PolarsError, ValueError: it cannot be read as what its name says.
    """
    if path.suffix == ".parquet":
        return table_hash(pl.read_parquet(path))
    if path.suffix == ".xlsx":
        from arrears import report

        return report.workbook_hash(path)
    return bytes_hash(path.read_bytes().replace(b"\r\n", b"\n"))


def to_json(value: Mapping[str, object]) -> str:
    """JSON as the products hold it: UTF-8, indented, dates in ISO form."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n"
