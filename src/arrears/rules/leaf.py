"""One parameter of the law, with its dated values; a change of law as data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from arrears.files import did_you_mean

Kind = Literal["whole", "number", "date", "text", "flag", "list", "mapping"]

_IS: dict[str, Callable[[object], bool]] = {
    "whole": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "date": lambda value: isinstance(value, date),
    "text": lambda value: isinstance(value, str),
    "flag": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list) and bool(value),
    "mapping": lambda value: isinstance(value, dict) and bool(value),
}


# Units that say what is listed, or of what a number is.
_PLAIN_UNITS = (
    "fen", "kinds", "working days", "products", "flag by kind", "periods", "classes", "security", "reasons",
    "provinces", "households", "fraction and years", "events", "contacts", "concessions", "cities", "attempts a day",
    "companies", "institutions", "terms", "routes", "acts",
)  # fmt: skip
_MOST_FRACTION = 10.0
_OF_UNIT: dict[str, tuple[str, ...]] = {
    "day": ("date",),
    "flag": ("flag",),
    "class": ("text",),
    "local time": ("text",),
    "days": ("whole", "list"),
    "months": ("whole",),
    "years": ("whole",),
    "fraction": ("number", "list"),
}


class Value(BaseModel):
    """A value in force from `start` until `end` (excluded), and what it rests on."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    value: object
    start: date = Field(alias="from")
    end: date | None = Field(default=None, alias="to")
    article: str
    reference: str = Field(min_length=1)
    verified: bool
    published: date | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Value:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"it ends on {self.end}, not after it starts on {self.start}")
        return self

    def as_dict(self) -> dict[str, object]:
        """Canonical content, for hashing and for machines."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Leaf(BaseModel):
    """A parameter: what it is, in what unit, and its values in the order of their dates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = Field(min_length=1)
    unit: str
    type: Kind
    values: tuple[Value, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unit_fits(self) -> Leaf:
        if self.unit not in {*_OF_UNIT, *_PLAIN_UNITS}:
            raise ValueError(
                f"no unit {self.unit!r}. {did_you_mean(self.unit, (*_OF_UNIT, *_PLAIN_UNITS))}"
            )
        kinds = _OF_UNIT.get(self.unit)
        if kinds and self.type not in kinds:
            raise ValueError(f"a {self.type} has no unit {self.unit!r}")
        return self

    @model_validator(mode="after")
    def _values_fit(self) -> Leaf:
        for value in self.values:
            if not _IS[self.type](value.value):
                raise ValueError(f"{value.value!r} is no {self.type}")
            number = value.value if self.unit == "fraction" else None
            if isinstance(number, int | float) and not 0 <= number <= _MOST_FRACTION:
                raise ValueError(f"{number!r} is no fraction; is it in per cent?")
        for before, after in zip(self.values, self.values[1:], strict=False):
            if after.start <= before.start:
                raise ValueError(f"the value from {after.start} does not come after the one before")
            if before.end is not None and before.end > after.start:
                raise ValueError(f"two values are in force on {after.start}")
        return self

    def in_force(self, day: date) -> Value | None:
        """The value in force on `day`, None where none is."""
        for value in reversed(self.values):
            if value.start <= day:
                return value if value.end is None or day < value.end else None
        return None


class Article(BaseModel):
    """A law or notice that values rest on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    chinese: str
    text: str


class Reform(BaseModel):
    """A change of law: new values of leaves that exist, each from its date on, and the articles that they bring."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    description: str = ""
    articles: dict[str, Article] = {}
    changes: dict[str, tuple[Value, ...]]
