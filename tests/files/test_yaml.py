"""Files that a person wrote: what is wrong, on which line, and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from arrears.files import did_you_mean, nearest, read_model, read_yaml


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: int
    starts: str | None = Field(default=None, alias="from")


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    parts: list[Inner] = []
    inner: Inner | None = None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "holder.yaml"


def codes(file: Path, content: str | bytes) -> list[tuple[str, str]]:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    data, _, problems = read_yaml(file)
    assert (data is None) == bool(problems)
    return [(problem.code, problem.where) for problem in problems]


def test_a_good_file_is_read_with_the_line_of_every_value(file: Path) -> None:
    file.write_text("name: x\nparts:\n  - amount: 1\n  - amount: 2\n")
    data, lines, problems = read_yaml(file)
    assert problems == []
    assert data == {"name": "x", "parts": [{"amount": 1}, {"amount": 2}]}
    assert lines.where(("parts", 1, "amount")) == "holder.yaml:4 parts/2/amount"
    assert lines.where(("parts", 1, "nothing")) == "holder.yaml:4 parts/2/nothing"
    assert lines.below("parts").where((0, "amount")) == "holder.yaml:3 parts/1/amount"


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "FILE-DUPLICATE-KEY", 3),
        ("a:\n  - {b: 1, b: 1}\n", "FILE-DUPLICATE-KEY", 2),
        ("a: [1, 2\nb: 3\n", "FILE-NOT-YAML", 2),
        ("a: 1\n\tb: 2\n", "FILE-NOT-YAML", 2),
        ("a: !!python/object:os.system x\n", "FILE-NOT-YAML", 1),
        ("a: *nobody\n", "FILE-NOT-YAML", 1),
        ("a: 1\n---\nb: 2\n", "FILE-NOT-YAML", 2),
    ],
)
def test_a_fault_is_told_with_its_line(file: Path, content: str, code: str, line: int) -> None:
    ((found, where),) = codes(file, content)
    assert found == code
    assert where.startswith(f"holder.yaml:{line}")


def test_every_key_given_twice_is_told(file: Path) -> None:
    assert len(codes(file, "a: 1\na: 2\nb: 1\nb: 2\n")) == 2


def test_a_file_that_is_no_text_is_told(file: Path) -> None:
    assert codes(file, b"name: \xff\xfe\n")[0][0] == "FILE-NOT-TEXT"
    assert codes(file, "name: \x00\n")[0][0] == "FILE-NOT-YAML"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        data, _, (problem,) = read_yaml(path)
        assert data is None
        assert problem.code == "FILE-UNREADABLE"


def test_an_empty_file_is_an_empty_mapping(file: Path) -> None:
    file.write_text("# nothing\n")
    assert read_yaml(file)[0] == {}


@pytest.mark.parametrize("content", ["day: 2025-02-30\n", "day: 2025-13-01\n"])
def test_a_day_that_does_not_exist_is_a_problem_and_no_crash(file: Path, content: str) -> None:
    assert codes(file, content)


def test_a_value_that_holds_itself_is_a_problem_and_no_crash(file: Path) -> None:
    assert codes(file, "a: &x [*x]\n")


@pytest.mark.parametrize(
    ("content", "code", "where", "fix"),
    [
        ("name: x\nnmae: y\n", "T-UNKNOWN-FIELD", "holder.yaml:2 nmae", "'name'"),
        (
            "name: x\ninner: {amount: 1, form: y}\n",
            "T-UNKNOWN-FIELD",
            "holder.yaml:2 inner/form",
            "'from'",
        ),
        (
            "name: x\nparts:\n  - amount: 1\n    amuont: 2\n",
            "T-UNKNOWN-FIELD",
            "holder.yaml:4 parts/1/amuont",
            "'amount'",
        ),
        ("parts: []\n", "T-MISSING-FIELD", "holder.yaml:1 name", "Add it."),
        (
            "name: x\nparts:\n  - amount: much\n",
            "T-BAD-VALUE",
            "holder.yaml:3 parts/1/amount",
            "Correct",
        ),
    ],
)
def test_what_does_not_fit_the_model_is_told(
    file: Path, content: str, code: str, where: str, fix: str
) -> None:
    file.write_text(content)
    model, (problem,) = read_model(file, Outer, code="T")
    assert model is None
    assert (problem.code, problem.where) == (code, where)
    assert fix in problem.fix


def test_the_nearest_name_is_found_whatever_its_case() -> None:
    known = ["transfer", "collect", "litigate"]
    assert nearest("TRANSFR", known) == "transfer"
    assert nearest("xyz", known) is None
    assert did_you_mean("colect", known) == "Did you mean 'collect'?"
    assert did_you_mean("xyz", known) == "Known: collect, litigate, transfer."
    assert did_you_mean("xyz", [f"k{n:02}" for n in range(30)]).endswith("k19….")
