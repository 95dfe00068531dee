"""YAML with the line of every value, and duplicate keys refused."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from arrears.problems import Problem

Key = str | int
Place = tuple[Key, ...]

_DEEPEST = 50
_BASE: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT, _PLAIN = "tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9][0-9_]*)$")


class _Loader(_BASE):  # type: ignore[valid-type, misc]
    """YAML would read a phone number or branch 0571 as 377, to the base of eight."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the base has it
        first: [(tag, _PLAIN if tag == _INT else seen) for tag, seen in resolvers]
        for first, resolvers in _BASE.yaml_implicit_resolvers.items()
    }


class Lines:
    """Where each value of a file stands: from its place in the data (keys and list positions) to its line."""

    def __init__(self, path: Path, prefix: Place = ()) -> None:
        self.path = path
        self.prefix = prefix
        self.of: dict[Place, int] = {}

    def below(self, key: Key) -> Lines:
        """The lines of one value of a mapping or list, its places counted from there."""
        part = Lines(self.path, (*self.prefix, key))
        part.of = {place[1:]: line for place, line in self.of.items() if place[:1] == (key,)}
        return part

    def where(self, place: Place) -> str:
        """`file:line key/2/key` of the value, or of the nearest one around it; entries of a list count from 1."""
        known = place
        while known and known not in self.of:
            known = known[:-1]
        line = self.of.get(known, 1)
        return f"{self.path.name}:{line} {'/'.join(map(_counted, (*self.prefix, *place)))}".rstrip()


def read_yaml(path: Path) -> tuple[object | None, Lines, list[Problem]]:
    """The data of a YAML file, the line of each value, and what is wrong with it.

    Data is None where the file cannot be used: missing, not text, not YAML, or with a key twice in one mapping.
    """
    lines = Lines(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "cannot be read"
        return None, lines, [_trouble("FILE-UNREADABLE", str(path), reason, "Check the path.")]
    except UnicodeDecodeError:
        return None, lines, [_trouble("FILE-NOT-TEXT", str(path), "Not UTF-8.", "Save as UTF-8.")]
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        problems: list[Problem] = []
        if node is None:
            return {}, lines, problems
        _walk(node, (), lines, problems)
        data = None if problems else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        found = error.problem or "cannot be parsed"
        return None, lines, [_trouble("FILE-NOT-YAML", f"{path.name}:{line}", found, "Mend it.")]
    except yaml.YAMLError as error:
        return None, lines, [_trouble("FILE-NOT-YAML", path.name, str(error), "Mend it.")]
    except ValueError as error:
        found = f"A value that cannot be: {error}."
        return None, lines, [_trouble("FILE-BAD-VALUE", path.name, found, "Correct it.")]
    finally:
        loader.dispose()
    return data, lines, problems


def _counted(key: Key) -> str:
    """As a person counts who reads the file from its top."""
    return str(key + 1) if isinstance(key, int) else key


def _walk(node: yaml.Node, place: Place, lines: Lines, problems: list[Problem]) -> None:
    lines.of[place] = node.start_mark.line + 1
    if len(place) > _DEEPEST:
        where = f"{lines.path.name}:{node.start_mark.line + 1}"
        found = "A value holds itself, or lies deeper than anything here does."
        problems.append(_trouble("FILE-TOO-DEEP", where, found, "Write it out."))
        return
    if isinstance(node, yaml.SequenceNode):
        for position, child in enumerate(node.value):
            _walk(child, (*place, position), lines, problems)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            name = str(key.value)
            if name in seen:
                where = f"{lines.path.name}:{key.start_mark.line + 1} {name}"
                found = f"The key {name!r} stands twice in one mapping."
                problems.append(_trouble("FILE-DUPLICATE-KEY", where, found, "Keep one of them."))
            seen.add(name)
            _walk(child, (*place, name), lines, problems)
            lines.of[(*place, name)] = key.start_mark.line + 1


def _trouble(code: str, where: str, found: str, fix: str) -> Problem:
    return Problem(code, "error", where, found, "The file cannot be used as it is.", fix)
