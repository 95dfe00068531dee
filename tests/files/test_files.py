"""Files that a person wrote, and folders that appear whole or not at all."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict

from arrears.errors import BadArgument
from arrears.files import did_you_mean, nearest, read_model, staged


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount: int


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    parts: list[Inner] = []


def _read(tmp_path, text):
    path = tmp_path / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_model(path, Outer, code="X")


def test_a_good_file_is_read(tmp_path) -> None:
    found, problems = _read(tmp_path, "name: a\nparts:\n  - {amount: 3}\n")
    assert found == Outer(name="a", parts=[Inner(amount=3)])
    assert not problems


@pytest.mark.parametrize(
    ("text", "code", "where", "word"),
    [
        ("nam: a\n", "X-UNKNOWN-FIELD", "file.yaml:1", "name"),
        ("name: a\nparts:\n  - {amont: 3}\n", "X-UNKNOWN-FIELD", "file.yaml:3", "amount"),
        (
            "name: a\nparts:\n  - {amount: many}\n",
            "X-BAD-VALUE",
            "file.yaml:3 parts/1/amount",
            "many",
        ),
        ("parts: []\n", "X-MISSING-FIELD", "file.yaml:1", "name"),
        ("name: a\nname: b\n", "FILE-DUPLICATE-KEY", "file.yaml:2", "name"),
        ("name: [\n", "FILE-NOT-YAML", "file.yaml", ""),
        ("name: 2025-02-31\n", "FILE-BAD-VALUE", "file.yaml", ""),
        (b"\xff\xfe\x00", "FILE-NOT-TEXT", "file.yaml", "UTF-8"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_nearest_name(
    tmp_path, text, code, where, word
) -> None:
    found, problems = _read(tmp_path, text)
    assert found is None
    match = [problem for problem in problems if problem.code == code]
    assert match
    assert where in match[0].where
    assert word in match[0].line()


def test_a_missing_file_is_a_problem(tmp_path) -> None:
    found, problems = read_model(tmp_path / "none.yaml", Outer, code="X")
    assert found is None
    assert problems[0].code == "FILE-UNREADABLE"


def test_the_nearest_name_or_the_list() -> None:
    assert nearest("Court_filing", ["visits", "court_filings"]) == "court_filings"
    assert nearest("zzz", ["visits"]) is None
    assert "visits" in did_you_mean("zzz", ["visits"])


def test_a_folder_appears_when_all_is_there(tmp_path) -> None:
    out = tmp_path / "a/b/out"
    with staged(out) as place:
        (place.folder / "run.json").write_text("{}")
        assert not out.exists()
    assert [path.name for path in out.iterdir()] == ["run.json"]
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_an_error_leaves_nothing(tmp_path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="midway"), staged(out) as place:
        (place.folder / "run.json").write_text("{}")
        raise ValueError("midway")
    assert not list(tmp_path.iterdir())


def test_an_earlier_run_is_replaced_only_by_force_and_stays_on_error(tmp_path) -> None:
    out = tmp_path / "out"
    with staged(out) as place:
        (place.folder / "run.json").write_text("old")
    with pytest.raises(BadArgument) as error, staged(out):
        pass
    assert error.value.code == "OUT-HOLDS-A-RUN"
    with pytest.raises(ValueError, match="x"), staged(out, force=True):
        raise ValueError("x")
    assert (out / "run.json").read_text() == "old"
    with staged(out, force=True) as place:
        (place.folder / "run.json").write_text("new")
    assert (out / "run.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
