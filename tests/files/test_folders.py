"""Product folders appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from arrears.errors import BadArgument
from arrears.files import staged


def fill(out: Path, text: str, **options: object) -> None:
    with staged(out, **options) as stage:
        (stage.folder / "run.json").write_text(text)
        (stage.folder / "sub").mkdir()
        (stage.folder / "sub" / "plan.csv").write_text(text)
        there = out / "sub" / "plan.csv"
        assert not there.exists() or there.read_text() != text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    fill(tmp_path / "new" / "out", "one")
    assert names(tmp_path / "new") == ["out"]
    assert names(tmp_path / "new" / "out") == ["run.json", "sub"]
    assert (tmp_path / "new" / "out").stat().st_mode & 0o777 == 0o755


def test_nothing_stands_under_the_final_name_while_it_is_filled(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with staged(out) as stage:
        assert not out.exists()
        assert stage.final == out
        assert stage.folder.parent == tmp_path
        assert stage.folder.name.startswith(".")
    assert out.exists()


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit])
def test_on_an_error_nothing_stands_under_the_final_name(
    error: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(error), staged(tmp_path / "out") as stage:
        (stage.folder / "half").write_text("half")
        raise error
    assert names(tmp_path) == []


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out", "one")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "run.json").read_text() == "one"


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_somebody_else_is_refused_whatever_is_asked(
    force: bool, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(BadArgument) as caught, staged(out, force=force):
        pytest.fail("nothing may be written here")
    assert caught.value.code == "OUT-NOT-EMPTY"
    assert names(tmp_path) == ["out"]
    assert (out / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("force", [False, True])
def test_a_file_is_refused(force: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("mine")
    with pytest.raises(BadArgument) as caught, staged(out, force=force):
        pytest.fail("nothing may be written here")
    assert caught.value.code == "OUT-IS-A-FILE"
    assert out.read_text() == "mine"


def test_a_run_is_not_replaced_unasked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fill(out, "one")
    with pytest.raises(BadArgument) as caught, staged(out):
        pytest.fail("nothing may be written here")
    assert caught.value.code == "OUT-HOLDS-A-RUN"
    assert "--force" in caught.value.fix
    assert (out / "run.json").read_text() == "one"


def test_force_replaces_a_run_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fill(out, "one")
    (out / "left.txt").write_text("old")
    fill(out, "two", force=True)
    assert names(tmp_path) == ["out"]
    assert names(out) == ["run.json", "sub"]
    assert (out / "run.json").read_text() == "two"


def test_a_forced_run_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fill(out, "one")
    with pytest.raises(ValueError, match="no"), staged(out, force=True) as stage:
        (stage.folder / "run.json").write_text("two")
        raise ValueError("no")
    assert names(tmp_path) == ["out"]
    assert (out / "run.json").read_text() == "one"


def test_another_product_is_known_by_its_own_record(tmp_path: Path) -> None:
    out = tmp_path / "book"
    with staged(out, record="recipe.json") as stage:
        (stage.folder / "recipe.json").write_text("{}")
    with pytest.raises(BadArgument, match="not Arrears"), staged(out, force=True):
        pass
    with staged(out, force=True, record="recipe.json") as stage:
        (stage.folder / "recipe.json").write_text("{}")
