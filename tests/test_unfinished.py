"""A process that is told to stop takes back what it was filling, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from arrears import unfinished
from arrears.files import staged


@pytest.fixture(autouse=True)
def _none_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "_filled", [])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def old_run(folder: Path) -> Path:
    with staged(folder / "out") as place:
        (place.folder / "run.json").write_text("old")
    return folder / "out"


def test_before_anything_is_begun_there_is_something_to_stop() -> None:
    assert unfinished.take_all_back()


def test_a_half_filled_folder_goes_and_an_old_run_stays(tmp_path: Path) -> None:
    out = old_run(tmp_path)
    with pytest.raises(FileNotFoundError), staged(out, force=True) as place:
        (place.folder / "run.json").write_text("new")
        assert unfinished.take_all_back()
    assert names(tmp_path) == ["out"]
    assert (out / "run.json").read_text() == "old"


def test_stopped_between_the_renames_the_old_run_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, rename = old_run(tmp_path), Path.rename
    between: list[str] = []

    def stopped(self: Path, to: Path) -> Path:
        if self.suffix == ".partial" and to == out:
            between.extend(names(tmp_path))
            assert unfinished.take_all_back()
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt), staged(out, force=True):
        pass
    assert "out" not in between
    assert names(tmp_path) == ["out"]
    assert (out / "run.json").read_text() == "old"


def test_stopped_while_a_run_that_failed_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_back, left = unfinished.Unfinished.take_back, []

    def stopped(self: unfinished.Unfinished) -> None:
        monkeypatch.setattr(unfinished.Unfinished, "take_back", take_back)
        assert unfinished.take_all_back()
        left.extend(names(tmp_path))

    monkeypatch.setattr(unfinished.Unfinished, "take_back", stopped)
    with pytest.raises(ZeroDivisionError), unfinished.filling(tmp_path / "out"):
        raise ZeroDivisionError
    assert left == []
    assert unfinished._filled == []


def test_what_stands_is_not_taken_back(tmp_path: Path) -> None:
    old_run(tmp_path)
    assert not unfinished.take_all_back()
    assert names(tmp_path) == ["out"]


def test_what_another_thread_still_writes_goes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rmdir, turned_away = os.rmdir, 0

    with unfinished.filling(tmp_path / "out") as work:

        def written_at_the_last_moment(path: str | Path, **other: Any) -> None:
            nonlocal turned_away
            try:
                (work.folder / "late").write_text("x")
            except FileNotFoundError:
                turned_away += 1
            rmdir(path, **other)

        (work.folder / "early").write_text("x")
        monkeypatch.setattr(os, "rmdir", written_at_the_last_moment)
        unfinished.take_all_back()
    assert turned_away == 1
    assert names(tmp_path) == []


def test_what_stands_is_forgotten_when_the_next_is_begun(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        with staged(tmp_path / name):
            pass
    assert [work.final.name for work in unfinished._filled] == ["c"]
    assert not unfinished.take_all_back()
    assert names(tmp_path) == ["a", "b", "c"]
