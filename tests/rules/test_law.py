"""The law, leaf by leaf, against a table written from the sources; no number and no date of it may move unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml

from arrears.rules import STANDARDS, Rulebook, load
from arrears.rules.leaf import Leaf, Value

HERE = Path(__file__).parent
LAW = yaml.safe_load((HERE / "law.yaml").read_text(encoding="utf-8"))
TABLES = {
    "standing/situations.yaml": "it",
    "standing/standards.yaml": "it",
    "standing/by_hand.yaml": "say",
    "channels/eligibility.yaml": "say",
}
DAY = timedelta(days=1)


def holding(path: str) -> Rulebook:
    standard = path.split("/", 1)[0]
    return load(standard if standard in STANDARDS else "cn")


def holds(row: Mapping[str, object], leaf: Leaf) -> bool:
    """Whether a leaf is as the row says: from its first day to its last, and not the day before."""

    def at(day: date) -> object:
        value = leaf.in_force(day)
        return value.value if value else None

    start, end = row["from"], row.get("to")
    known = at(start) == row["is"] != at(start - DAY)
    if end is not None:
        return known and at(end - DAY) == row["is"] != at(end)
    return known


@pytest.mark.parametrize("row", LAW, ids=lambda row: row["it"])
def test_the_law_says(row: Mapping[str, object]) -> None:
    assert holds(row, holding(row["rule"]).leaf(row["rule"]))


def test_every_dated_value_of_every_rulebook_has_its_sentence() -> None:
    told = {(row["rule"], row["from"]) for row in LAW}
    there = {
        (path, value.start)
        for name in ("cn", *STANDARDS)
        for path, leaf in load(name).leaves.items()
        for value in leaf.values
    }
    assert told == there
    assert len({row["it"] for row in LAW}) == len(LAW)


def test_there_are_two_hundred_situations_and_more_beside_it() -> None:
    root = HERE.parent
    count = len(LAW)
    for name, key in TABLES.items():
        rows = yaml.safe_load((root / name).read_text(encoding="utf-8"))
        rows = rows if isinstance(rows, list) else [row for part in rows.values() for row in part]
        assert all(row.get(key) for row in rows if isinstance(row, dict))
        count += len(rows)
    assert count >= 200


def _moved(value: object) -> Iterator[object]:
    """The value with one number, one day or one word of it changed by the least."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, date):
        yield from (value - DAY, value + DAY)
    elif isinstance(value, int):
        yield from (value - 1, value + 1)
    elif isinstance(value, float):
        yield from (value - 0.001, value + 0.001)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            for moved in _moved(part):
                yield [*value[:place], moved, *value[place + 1 :]]


def _mutants(leaf: Leaf) -> Iterator[Leaf]:
    """The leaf with one number changed by one unit, or one date by one day."""

    def with_value(place: int, **changes: object) -> Leaf:
        values: list[Value] = list(leaf.values)
        values[place] = values[place].model_copy(update=changes)
        return leaf.model_copy(update={"values": tuple(values)})

    for place, value in enumerate(leaf.values):
        for moved in _moved(value.value):
            yield with_value(place, value=moved)
        for name in ("start", "end"):
            for day in _moved(getattr(value, name)):
                yield with_value(place, **{name: day})


def test_no_number_and_no_date_may_move_unseen() -> None:
    tried = 0
    for name in ("cn", *STANDARDS):
        book = load(name)
        for path, leaf in book.leaves.items():
            rows = [row for row in LAW if row["rule"] == path]
            for mutant in _mutants(leaf):
                tried += 1
                assert not all(holds(row, mutant) for row in rows), (path, mutant)
    assert tried > 400
