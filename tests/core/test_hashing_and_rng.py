"""Hashes of content, and streams of chance that are named."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.core.hashing import bytes_hash, content_hash, file_hash, table_hash
from arrears.core.rng import generator
from arrears.errors import BadArgument

TABLE = pl.DataFrame(
    {
        "loan_id": ["a", "b", None, "一"],
        "fen": [1, None, 3, 4],
        "share": [0.1, 0.2, None, 0.4],
        "day": [date(2025, 1, 1), None, date(2025, 1, 3), date(2025, 1, 4)],
        "flag": [True, False, None, True],
    }
)
CODE = """
import polars as pl
from arrears.core.hashing import table_hash
print(table_hash(pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", None], "c": [0.5, 1.5, None]})))
"""


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), max_size=4).map(sorted))
def test_chunks_do_not_enter_the_hash(cuts: list[int]) -> None:
    ends = [0, *cuts, 4]
    parts = [TABLE.slice(a, b - a) for a, b in pairwise(ends)]
    assert table_hash(pl.concat(parts, rechunk=False)) == table_hash(TABLE)


def test_the_container_does_not_enter_the_hash(tmp_path: Path) -> None:
    TABLE.write_parquet(tmp_path / "t.parquet", row_group_size=2)
    TABLE.write_ipc(tmp_path / "t.arrow")
    TABLE.write_csv(tmp_path / "t.csv")
    for back in (
        pl.read_parquet(tmp_path / "t.parquet"),
        pl.read_ipc((tmp_path / "t.arrow").read_bytes()),
        pl.read_csv(tmp_path / "t.csv", schema=TABLE.schema),
        pl.concat([TABLE, TABLE]).slice(4),
    ):
        assert back.equals(TABLE)
        assert table_hash(back) == table_hash(TABLE)


def test_a_table_of_many_blocks_hashes_like_its_chunks() -> None:
    many = pl.DataFrame({"n": np.arange(600_001), "w": ["a", "bc", None] * 200_000 + ["d"]})
    chunks = pl.concat([many.slice(0, 250_001), many.slice(250_001)], rechunk=False)
    assert table_hash(chunks) == table_hash(many)


@pytest.mark.parametrize(
    "other",
    [
        TABLE.reverse(),
        TABLE.rename({"fen": "yuan"}),
        TABLE.with_columns(pl.col("fen").cast(pl.Int32)),
        TABLE.with_columns(pl.col("fen").fill_null(0)),
        TABLE.with_columns(pl.col("loan_id").fill_null("")),
        TABLE.with_columns(pl.col("flag").fill_null(False)),
        TABLE.select("fen", pl.exclude("fen")),
        TABLE.head(3),
        TABLE.head(0),
    ],
)
def test_other_content_has_another_hash(other: pl.DataFrame) -> None:
    assert table_hash(other) != table_hash(TABLE)


def test_values_that_change_places_within_a_row_change_the_hash() -> None:
    owed = pl.DataFrame({"principal": [1, 2, None], "interest": [2, 1, 0]})
    swapped = owed.select(principal="interest", interest="principal")
    assert table_hash(swapped) != table_hash(owed)
    assert len(set(owed.hash_rows(seed=0))) == owed.height


def test_another_process_with_other_threads_finds_the_same_hash() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", CODE],
            env=os.environ | {"PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "3")
    }
    assert len(found) == 1


@dataclass
class Pair:
    b: int
    a: date


def test_content_is_hashed_by_its_canonical_form() -> None:
    day = date(2025, 1, 1)
    same = [{"a": 1, "b": [day]}, {"b": (day,), "a": 1}, {"b": ["2025-01-01"], "a": 1}]
    assert len({content_hash(value) for value in same}) == 1
    assert content_hash({3, 1, 2}) == content_hash([1, 2, 3])
    assert content_hash(Pair(1, day)) == content_hash({"a": day, "b": 1})
    assert len({content_hash(value) for value in (1, "1", 1.5, None, [], {}, "", True)}) == 8
    with pytest.raises(BadArgument, match="object"):
        content_hash({"x": object()})


def test_files_are_hashed_by_their_bytes(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "f").write_bytes(content)
    assert file_hash(tmp_path / "f") == bytes_hash(content) == hashlib.sha256(content).hexdigest()


def draws(*key: str | int, seed: int = 7, n: int = 1000) -> list[float]:
    return generator(seed, *key).standard_normal(n).tolist()


def test_the_same_name_gives_the_same_numbers_in_any_order_of_use() -> None:
    first = draws("luck"), draws("factor")
    second = draws("factor"), draws("luck")
    assert first == (second[1], second[0])
    stream = generator(7, "luck")
    stream.random(5)
    assert draws("luck") == first[0]


def test_other_names_and_seeds_give_other_numbers() -> None:
    keys = [("a",), ("b",), ("a", 1), ("a", "1"), ("a", 2), ("a1",), (), ("a", "b"), ("b", "a")]
    found = {tuple(draws(*key, n=3)) for key in keys} | {tuple(draws("a", seed=8, n=3))}
    assert len(found) == len(keys) + 1


def test_streams_of_neighbouring_blocks_are_not_alike() -> None:
    streams = np.array([draws("book", block, n=4000) for block in range(6)])
    apart = np.corrcoef(streams)[np.triu_indices(6, 1)]
    assert np.abs(apart).max() < 5 / np.sqrt(4000)
