"""The market as data: prices, curves and costs, each observed and published on a day, or assumed with a range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, model_validator

from arrears.core.hashing import content_hash
from arrears.errors import ArrearsError, BadArgument, UnknownPath
from arrears.files import check_model, did_you_mean, read_yaml
from arrears.problems import Problem
from arrears.rules.load import bundled


class Quote(BaseModel):
    """A value that was seen, with its source; or one that is assumed, with its range and reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: object
    observed: date
    published: date
    reference: str | None = None
    assumed: bool = False
    range: tuple[float, float] | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _has_a_source_or_is_assumed(self) -> Quote:
        if self.assumed and (self.range is None or not self.reason):
            raise ValueError("an assumed value needs a range and a reason")
        if not self.assumed and not self.reference:
            raise ValueError("a value needs a reference, or `assumed: true` with range and reason")
        if self.published < self.observed:
            raise ValueError("it was published before it was observed")
        return self


class MarketLeaf(BaseModel):
    """A market figure and its values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str
    description: str = Field(min_length=1)
    values: tuple[Quote, ...] = Field(min_length=1)


@dataclass(frozen=True)
class MarketValue:
    """A market figure as a run used it; `selection_note` says which of its values was taken."""

    path: str
    value: object
    unit: str
    description: str
    observed: date
    published: date
    reference: str | None
    assumed: bool
    range: tuple[float, float] | None
    reason: str | None
    selection_note: str


@dataclass(frozen=True)
class MarketBook:
    """Market figures by path `file/leaf`. It never changes.

    Attributes:
        known_by: what was published later is not read; None outside backtests.
    """

    name: str
    leaves: Mapping[str, MarketLeaf]
    known_by: date | None = None

    @cached_property
    def hash(self) -> str:
        """Hash of all values and sources."""
        leaves = {path: leaf.model_dump(mode="json") for path, leaf in self.leaves.items()}
        return content_hash([leaves, self.known_by])

    def paths(self) -> list[str]:
        """All figures, sorted."""
        return sorted(self.leaves)

    def backtest(self, known_by: date) -> MarketBook:
        """The book as it was known on a day."""
        return MarketBook(self.name, self.leaves, known_by)

    def entry(self, path: str, as_of: date) -> MarketValue:
        """The figure for `as_of`: the newest observed by then; on earlier days the first there is.

        Raises:
            UnknownPath: no such figure, or none was published by the cut-off of a backtest.
        """
        leaf = self.leaves.get(path)
        if leaf is None:
            raise UnknownPath(
                f"The market book {self.name} has no figure {path!r}.",
                where=path,
                fix=did_you_mean(path, self.leaves),
            )
        known = [q for q in leaf.values if self.known_by is None or q.published <= self.known_by]
        if not known:
            raise UnknownPath(f"{path} was not published by {self.known_by}.", where=path)
        by_then = [quote for quote in known if quote.observed <= as_of]
        quote = (
            max(by_then, key=lambda q: q.observed)
            if by_then
            else min(known, key=lambda q: q.observed)
        )
        note = (
            "newest observed by the cut-off date" if by_then else "first there is; observed later"
        )
        return MarketValue(
            path,
            quote.value,
            leaf.unit,
            leaf.description,
            quote.observed,
            quote.published,
            quote.reference,
            quote.assumed,
            quote.range,
            quote.reason,
            note,
        )

    def at(self, path: str, as_of: date) -> object:
        """The value alone; raises as `entry` does."""
        return self.entry(path, as_of).value

    def number(self, path: str, as_of: date) -> float:
        """A value that is a number; raises as `entry` does."""
        value = self.at(path, as_of)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadArgument(f"{path} is no number.")
        return float(value)

    def numbers(self, path: str, as_of: date) -> dict[str, float]:
        """A value that is a mapping of words to numbers; raises as `entry` does."""
        value = self.at(path, as_of)
        if not isinstance(value, dict):
            raise BadArgument(f"{path} is no mapping.")
        return {str(key): float(number) for key, number in value.items()}

    def table(self, path: str, as_of: date) -> list[list[float]]:
        """A value that is a list of rows of numbers; raises as `entry` does."""
        value = self.at(path, as_of)
        if not isinstance(value, list):
            raise BadArgument(f"{path} is no table.")
        return [[float(number) for number in row] for row in value]


@cache
def load_market(name: str) -> MarketBook:
    """A bundled market book.

    Raises:
        UnknownPath: no such book.
        ArrearsError: its files are damaged.
    """
    folder = bundled("marketbooks") / name
    if not folder.is_dir():
        raise UnknownPath(f"No market book {name!r}.", fix="Known: cn.")
    leaves: dict[str, MarketLeaf] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        data, lines, found = read_yaml(path)
        problems += found
        for key, body in (data if isinstance(data, dict) else {}).items():
            leaf, wrong = check_model(body, MarketLeaf, lines.below(key), code="MARKET")
            problems += wrong
            if leaf is not None:
                leaves[f"{path.stem}/{key}"] = leaf
    if problems:
        raise ArrearsError(problems[0].line(), code="DAMAGED-MARKETBOOK", where=name)
    return MarketBook(name, MappingProxyType(leaves))
