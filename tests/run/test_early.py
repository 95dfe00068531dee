"""What is written beside a run stands when the run ends, and what went wrong there is told."""

from __future__ import annotations

import threading

import polars as pl
import pytest

from arrears.run.early import Early
from arrears.run.products import Products
from arrears.run.stopped import Stopped

TABLE = pl.DataFrame({"loan_id": ["A", "B"], "claim": [1, 2]})
# Waited for in full only where the code is wrong.
_AT_MOST = 600.0


def test_what_is_asked_for_stands_after_the_wait(tmp_path) -> None:
    products = Products(tmp_path)
    with Early(products) as early:
        early.table("a.parquet", TABLE)
        early.write(Products.csv, "b.csv", TABLE)
        early.wait()
    assert pl.read_parquet(tmp_path / "a.parquet").equals(TABLE)
    assert set(products.hashes) == {"a.parquet", "b.csv"}


def test_nothing_is_written_where_no_folder_is_asked_for(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    written: list[Products] = []
    with Early(None) as early:
        early.write(written.append)
        early.table("a.parquet", TABLE)
        early.wait()
    assert written == list(tmp_path.iterdir()) == []


def test_what_could_not_be_written_is_told(tmp_path) -> None:
    (tmp_path / "a.parquet").mkdir()
    with Early(Products(tmp_path)) as early:
        early.table("a.parquet", TABLE)
        with pytest.raises(OSError, match="directory"):
            early.wait()


def test_a_run_that_fails_gives_up_what_is_not_begun(tmp_path) -> None:
    written: list[str] = []
    begun, given_up = threading.Event(), threading.Event()

    def slow(_: Products) -> None:
        begun.set()
        given_up.wait(_AT_MOST)
        written.append("slow")

    def run() -> None:
        with Early(Products(tmp_path)) as early:
            early.write(slow)
            early.table("a.parquet", TABLE)
            early._begun[1].add_done_callback(lambda _: given_up.set())
            assert begun.wait(_AT_MOST)
            raise Stopped([], 2)

    with pytest.raises(Stopped):
        run()
    assert written == ["slow"]
    assert not (tmp_path / "a.parquet").exists()


def test_what_comes_after_a_stop_makes_no_folder_anew(tmp_path) -> None:
    products = Products(tmp_path / "taken back")
    for name in ("a.parquet", "handover/a.parquet"):
        with pytest.raises(FileNotFoundError):
            products.table(name, TABLE)
    assert not list(tmp_path.iterdir())
