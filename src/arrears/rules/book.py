"""The frozen rulebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from types import MappingProxyType

from pydantic import ValidationError

from arrears.core.hashing import content_hash
from arrears.errors import BadArgument, NotInForce, UnknownPath
from arrears.files import did_you_mean
from arrears.rules.leaf import Article, Leaf, Reform, Value


@dataclass(frozen=True)
class Citation:
    """A value and the article that it rests on."""

    path: str
    value: object
    article: str
    reference: str
    verified: bool


@dataclass(frozen=True)
class Difference:
    """A leaf that two rulebooks give differently; None where one of them lacks it."""

    path: str
    a: list[dict[str, object]] | None
    b: list[dict[str, object]] | None

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {"path": self.path, "a": self.a, "b": self.b}

    def line(self) -> str:
        """For people."""
        return f"{self.path}: {_values(self.a)} -> {_values(self.b)}"


def _values(values: list[dict[str, object]] | None) -> str:
    if values is None:
        return "not there"
    return "; ".join(f"{value['value']} from {value['from']}" for value in values)


@dataclass(frozen=True)
class Rulebook:
    """The law: leaves by path `rulebook/file/leaf`, and the articles they rest on. It never changes.

    Attributes:
        standard: by which definition a loan is bad: `cn`, or a standard to compare with.
    """

    name: str
    leaves: Mapping[str, Leaf]
    articles: Mapping[str, Article]
    reforms: tuple[str, ...] = ()
    standard: str = "cn"

    @classmethod
    def of(cls, name: str, leaves: Mapping[str, Leaf], articles: Mapping[str, Article]) -> Rulebook:
        """A rulebook over read-only views."""
        return cls(name, MappingProxyType(dict(leaves)), MappingProxyType(dict(articles)))

    @cached_property
    def hash(self) -> str:
        """Hash of all values and what they rest on; the name does not enter."""
        leaves = {
            path: [leaf.unit, leaf.type, [value.as_dict() for value in leaf.values]]
            for path, leaf in self.leaves.items()
        }
        articles = {name: article.model_dump() for name, article in self.articles.items()}
        return content_hash([self.standard, leaves, articles])

    def paths(self) -> list[str]:
        """All leaves, sorted."""
        return sorted(self.leaves)

    def leaf(self, path: str) -> Leaf:
        """The leaf at `path`.

        Raises:
            UnknownPath: there is none.
        """
        if path not in self.leaves:
            raise UnknownPath(
                f"The rulebook {self.name} has no leaf {path!r}.",
                where=path,
                why="Nothing can be looked up there.",
                fix=did_you_mean(path, self.leaves),
            )
        return self.leaves[path]

    def value(self, path: str, day: date) -> Value:
        """The dated value in force on `day`.

        Raises:
            UnknownPath: no such leaf.
            NotInForce: none is in force then.
        """
        leaf = self.leaf(path)
        value = leaf.in_force(day)
        if value is None:
            raise NotInForce(
                f"{path} is not in force on {day}.",
                where=path,
                why=f"Its first value starts on {leaf.values[0].start}.",
                fix="Ask for a later day.",
            )
        return value

    def at(self, path: str, day: date) -> object:
        """The value of a leaf on `day`; raises as `value` does."""
        return self.value(path, day).value

    def at_or_none(self, path: str, day: date) -> object | None:
        """The value of a leaf on `day`, None where it is not in force then.

        Raises:
            UnknownPath: no such leaf.
        """
        value = self.leaf(path).in_force(day)
        return value.value if value else None

    def day_of(self, path: str, day: date) -> date:
        """The value of a leaf that is a day; raises as `value` does."""
        value = self.at(path, day)
        if not isinstance(value, date):
            raise BadArgument(f"{path} is no day.")
        return value

    def number(self, path: str, day: date) -> float:
        """The value of a leaf that is a number; raises as `value` does."""
        value = self.at(path, day)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadArgument(f"{path} is no number.")
        return value

    def words(self, path: str, day: date) -> tuple[str, ...]:
        """The value of a leaf that is a list of words; empty where it is not in force."""
        value = self.at_or_none(path, day)
        return tuple(str(word) for word in value) if isinstance(value, list) else ()

    def flag(self, path: str, day: date, key: str | None = None) -> bool:
        """The value of a leaf that is a flag, or that of `key` in one that is a mapping of flags."""
        value = self.at(path, day)
        return bool(value.get(key, False) if isinstance(value, dict) else value)

    def cite(self, path: str, day: date) -> Citation:
        """The value of a leaf on `day` with its article; raises as `value` does."""
        value = self.value(path, day)
        return Citation(path, value.value, value.article, value.reference, value.verified)

    def reform(self, reform: Reform) -> Rulebook:
        """A rulebook with the changes of `reform`; all other leaves are shared with this one.

        Raises:
            UnknownPath: a change of a leaf that does not exist.
            BadArgument: a value of another type, or dates that clash.
        """
        leaves, articles = dict(self.leaves), {**self.articles, **reform.articles}
        for path, changes in reform.changes.items():
            leaves[path] = _changed(self.leaf(path), path, changes)
            for change in changes:
                if change.article not in articles:
                    raise BadArgument(
                        f"No article {change.article!r}.",
                        code="REFORM-UNKNOWN-ARTICLE",
                        where=path,
                        why="Every value rests on one.",
                        fix=did_you_mean(change.article, articles) + " Or add it to `articles`.",
                    )
        changed = Rulebook.of(self.name, leaves, articles)
        return replace(changed, reforms=(*self.reforms, reform.name), standard=self.standard)

    def renamed(self, name: str) -> Rulebook:
        """The same law under another name."""
        return replace(self, name=name)

    def compared_by(self, standard: Rulebook) -> Rulebook:
        """The same law with another definition of what is bad, whose leaves and articles are added."""
        merged = Rulebook.of(
            standard.name,
            {**self.leaves, **standard.leaves},
            {**self.articles, **standard.articles},
        )
        return replace(merged, reforms=self.reforms, standard=standard.name)


def _changed(leaf: Leaf, path: str, changes: Iterable[Value]) -> Leaf:
    values = list(leaf.values)
    for change in sorted(changes, key=lambda value: value.start):
        values = sorted([*_cut(values, change), change], key=lambda value: value.start)
    try:
        return Leaf(
            description=leaf.description, unit=leaf.unit, type=leaf.type, values=tuple(values)
        )
    except ValidationError as error:
        raise BadArgument(
            f"The change of {path} does not fit: {error.errors()[0]['msg']}.",
            code="REFORM-DOES-NOT-FIT",
            where=path,
            fix="Correct its value or its dates.",
        ) from None


def _cut(values: Sequence[Value], change: Value) -> Iterator[Value]:
    """What is left of `values` once `change` holds from its start to its end."""
    nexts = [*(value.start for value in values[1:]), None]
    for value, following in zip(values, nexts, strict=True):
        ends = value.end or following
        if value.start < change.start:
            shorter = min(ends or change.start, change.start)
            yield value.model_copy(update={"end": shorter})
        if change.end is not None and (ends is None or ends > change.end):
            yield value.model_copy(update={"start": max(value.start, change.end)})


def diff(a: Rulebook, b: Rulebook) -> list[Difference]:
    """Leaves that differ, by path."""
    found = []
    for path in sorted({*a.leaves, *b.leaves}):
        old, new = (
            [value.as_dict() for value in book.leaves[path].values] if path in book.leaves else None
            for book in (a, b)
        )
        if old != new:
            found.append(Difference(path, old, new))
    return found
