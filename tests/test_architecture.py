"""The house is as ARCHITECTURE.md says."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

SRC = "src/arrears"
MOST_LINES, MOST_IN_FUNCTION = 600, 80


def _blocks(root: Path) -> list[str]:
    return re.findall(r"```\n(.*?)```", (root / "ARCHITECTURE.md").read_text("utf-8"), re.S)


def _rooms(root: Path) -> set[str]:
    return {
        path.name
        for path in (root / SRC).iterdir()
        if path.is_dir() and path.name != "__pycache__" and any(path.rglob("*.*"))
    }


def test_the_tree_of_the_page_is_the_tree_on_disk(root: Path) -> None:
    told = set(re.findall(r"── (\w+)/", _blocks(root)[1]))
    assert told == _rooms(root)


def test_the_layers_of_the_page_are_those_that_the_linter_checks(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    checked = []
    for layer in layers:
        rooms = [name.strip().removeprefix("arrears.") for name in layer.split("|")]
        there = [name for name in rooms if not name.startswith("(")]
        if there:
            checked.append(" | ".join(there))
    assert _blocks(root)[2].split("\n")[:-1] == checked


def test_every_room_with_code_has_a_layer(root: Path) -> None:
    data_only = {"rulebooks", "marketbooks"}
    assert set(re.findall(r"\w+", _blocks(root)[2])) - {"problems", "errors", "unfinished"} == (
        _rooms(root) - data_only
    )


def test_rooms_of_data_hold_no_code(root: Path) -> None:
    for room in ("rulebooks", "marketbooks"):
        assert not list((root / SRC / room).rglob("*.py"))


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def test_files_and_functions_stay_small(root: Path) -> None:
    too_long = []
    for path in sorted((root / SRC).rglob("*.py")):
        place = path.relative_to(root)
        lines = path.read_text("utf-8").count("\n")
        if lines > MOST_LINES:
            too_long.append(f"{place}: {lines} lines")
        for function in _functions(path):
            length = (function.end_lineno or function.lineno) - function.lineno + 1
            if length > MOST_IN_FUNCTION:
                too_long.append(f"{place}:{function.lineno} {function.name}: {length} lines")
    assert not too_long


def test_no_engine_reads_the_clock_or_the_environment(root: Path) -> None:
    engines = {"core", "standing", "recovery", "conduct", "synth", "channels", "plan"}
    forbidden = re.compile(r"\b(datetime\.now|date\.today|time\.time|os\.environ|os\.getenv)\b")
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for room in engines
        for path in (root / SRC / room).rglob("*.py")
        if (match := forbidden.search(path.read_text("utf-8")))
    ]
    assert not found


def test_nothing_is_left_undone_in_the_sources(root: Path) -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplemented\w*)\b")
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for path in (root / SRC).rglob("*.py")
        if (match := marks.search(path.read_text("utf-8")))
    ]
    assert not found
