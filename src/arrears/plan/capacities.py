"""What can really be done: limits that a person writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from arrears.channels import CAPACITIES, COLUMNS, STARTS, Offers
from arrears.core.money import money_of_field
from arrears.core.words import counted
from arrears.files import did_you_mean, read_model, read_yaml
from arrears.plan.kernels import Floats
from arrears.problems import Problem, errors
from arrears.tape.columns import province

SCOPES = (
    "branch",
    "court",
    "province",
    "agency",
    "collector",
    "product",
    "lender",
    "start_month",
)
_IN_FEN = ("transfer_claim", "securitise_claim", "income_rights_claim", "npl_removed", "cash_cost")


def _amount(told: object, line: ValidationInfo) -> object:
    name = line.data.get("name")
    if not isinstance(told, str) or name in _IN_FEN or name not in CAPACITIES:
        return money_of_field(told)
    try:
        return float(told.replace(",", ""))
    except ValueError:
        raise ValueError(f"{name} is no money, and {told!r} is no number") from None


_Counted = tuple[str, int, tuple[tuple[str, str], ...]]
Amount = Annotated[float, BeforeValidator(_amount), Field(allow_inf_nan=False)]


def _known_places(scope: object) -> object:
    if not isinstance(scope, dict) or not isinstance(scope.get("province"), str):
        return scope
    return {**scope, "province": province(scope["province"])}


class Capacity(BaseModel):
    """A limit: at most `max`, at least `min`, of the loans in its scope.

    Attributes:
        scope: column and word, e.g. {province: Zhejiang}; `start_month` is 0 unless named.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    max: Amount | None = None
    min: Amount | None = None
    scope: Annotated[dict[str, str | int], BeforeValidator(_known_places)] = {}

    @model_validator(mode="after")
    def _limits_something(self) -> Capacity:
        if self.max is None and self.min is None:
            raise ValueError("give max, min or both")
        lowest = min(self.max or 0, self.min or 0)
        if lowest < 0:
            raise ValueError(f"{self.told(lowest)} is no limit: a limit is zero or more")
        if self.max is not None and self.min is not None and self.min > self.max:
            least, most = self.told(self.min), self.told(self.max)
            raise ValueError(f"min {least} lies above max {most}")
        return self

    @property
    def start(self) -> int:
        """The start month that counts."""
        return int(self.scope.get("start_month", 0))

    @property
    def in_fen(self) -> bool:
        """Whether it is counted in money."""
        return self.name in _IN_FEN

    def told(self, limit: float) -> str:
        """A limit as a person says it."""
        return f"{limit / 100:,.0f} yuan" if self.in_fen else f"{limit:,.15g}"

    def places(self) -> dict[str, str | int]:
        """The scope without its start month."""
        return {key: word for key, word in self.scope.items() if key != "start_month"}

    @property
    def counted(self) -> _Counted:
        """What it counts: name, start month and places."""
        places = tuple(sorted((key, str(word)) for key, word in self.places().items()))
        return self.name, self.start, places

    def scope_told(self) -> str:
        """`province=Zhejiang`; empty for the whole book."""
        return ", ".join(f"{key}={word}" for key, word in sorted(self.scope.items()))


def scope_of(told: str) -> dict[str, str | int]:
    """The scope that `Capacity.scope_told` told."""
    found: dict[str, str | int] = {}
    # A word may hold a comma: what follows one is a scope of its own only where it begins as one.
    for part in re.split(rf", (?=(?:{'|'.join(SCOPES)})=)", told) if told else []:
        key, word = part.split("=", 1)
        found[key] = int(word) if key == "start_month" else word
    return found


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    capacities: tuple[Capacity, ...]


def read_capacities(path: Path) -> tuple[tuple[Capacity, ...] | None, list[Problem]]:
    """The limits of a file, line by line, None where they cannot be used, and what is wrong."""
    file, problems = read_model(path, _File, code="CAPACITY")
    if file is None:
        return None, problems + _rest(path)
    seen: dict[_Counted, Capacity] = {}
    for number, capacity in enumerate(file.capacities, start=1):
        place = f"{path.name} capacities/{number}"
        problems += _wrong(capacity, place)
        other = seen.get(capacity.counted)
        if other is not None and not _other_side(capacity, other):
            found = f"{capacity.name} stands twice with the same scope."
            why, fix = "One of them must hold.", "Keep one."
            problems.append(Problem("CAPACITY-TWICE", "error", place, found, why, fix))
        seen[capacity.counted] = capacity if other is None else _both_sides(capacity, other)
    return (None if errors(problems) else file.capacities), problems


def joined(capacities: Sequence[Capacity]) -> tuple[Capacity, ...]:
    """With a floor and a ceiling of the same, written in two lines, as one limit."""
    found: dict[_Counted, Capacity] = {}
    for capacity in capacities:
        other = found.get(capacity.counted)
        found[capacity.counted] = capacity if other is None else _both_sides(capacity, other)
    return tuple(found.values())


def _other_side(one: Capacity, two: Capacity) -> bool:
    """Whether one is a floor alone and the other a ceiling alone."""
    return (one.max is None) != (two.max is None) and (one.min is None) != (two.min is None)


def _both_sides(one: Capacity, two: Capacity) -> Capacity:
    return two.model_copy(
        update={
            "max": one.max if two.max is None else two.max,
            "min": one.min if two.min is None else two.min,
        }
    )


def _rest(path: Path) -> list[Problem]:
    """What is wrong with the lines that fit the model, where others do not: all is told at once."""
    data, _, _ = read_yaml(path)
    lines = data.get("capacities") if isinstance(data, dict) else None
    problems = []
    for number, line in enumerate(lines if isinstance(lines, list) else [], start=1):
        try:
            capacity = Capacity.model_validate(line)
        except ValidationError:
            continue
        problems += _wrong(capacity, f"{path.name} capacities/{number}")
    return problems


def _wrong(capacity: Capacity, place: str) -> list[Problem]:
    problems = []
    if capacity.name not in CAPACITIES:
        found = f"{capacity.name!r} is no capacity."
        fix = did_you_mean(capacity.name, CAPACITIES)
        why = "It would limit nothing."
        problems.append(Problem("CAPACITY-UNKNOWN", "error", place, found, why, fix))
    for key in capacity.scope:
        if key not in SCOPES:
            found = f"{key!r} is no scope."
            fix = did_you_mean(key, SCOPES)
            why = "It would limit nothing."
            problems.append(Problem("CAPACITY-UNKNOWN-SCOPE", "error", place, found, why, fix))
    if capacity.start not in STARTS:
        found = f"No way starts in month {capacity.start}."
        fix = "Ways start in month 0, 6 or 12."
        why = "It would limit nothing."
        problems.append(Problem("CAPACITY-UNKNOWN-SCOPE", "error", place, found, why, fix))
    return problems


def check_scopes(capacities: Sequence[Capacity], loans: pl.DataFrame) -> list[Problem]:
    """What limits say against the loans and against each other: scopes that hold no loan, that cross, that clash."""
    held = [
        _Held(number, capacity, inside(capacity, loans))
        for number, capacity in enumerate(capacities, start=1)
    ]
    problems = [_nobody(one, loans) for one in held if not one.mine.any() and one.capacity.places()]
    for one, two in combinations(held, 2):
        if one.capacity.name != two.capacity.name or one.capacity.start != two.capacity.start:
            continue
        if not _apart(one.capacity, two.capacity):
            problems += [*_cross(one, two), *_clash(one, two), *_clash(two, one)]
    return problems


@dataclass(frozen=True)
class _Held:
    """A limit with its number in the file, from 1, and who is in its scope (n,)."""

    number: int
    capacity: Capacity
    mine: pl.Series

    @property
    def place(self) -> str:
        """`capacities/2 visits branch=south`."""
        told = f"capacities/{self.number} {self.capacity.name} {self.capacity.scope_told()}"
        return told.rstrip()

    @property
    def scope(self) -> str:
        """Its scope and its number, for a sentence about another limit."""
        return f"{self.capacity.scope_told() or 'the whole book'} (capacities/{self.number})"


def _cross(one: _Held, two: _Held) -> list[Problem]:
    """Two scopes of which neither holds the other."""
    both = int((one.mine & two.mine).sum())
    if not both or both >= min(int(one.mine.sum()), int(two.mine.sum())):
        return []
    found = f"Its scope and {two.scope} share {counted(both, 'loan')}, and neither holds the other."
    fix = (
        "This is as it should be if each is a limit of its own; else scope both by the same column."
    )
    why = "Both limits count these loans."
    return [Problem("CAPACITY-SCOPES-CROSS", "warning", one.place, found, why, fix)]


def _apart(one: Capacity, two: Capacity) -> bool:
    """Whether a column that both scopes name tells them apart."""
    mine, theirs = one.places(), two.places()
    return any(str(mine[key]) != str(theirs[key]) for key in mine.keys() & theirs.keys())


def _nobody(one: _Held, loans: pl.DataFrame) -> Problem:
    """A scope in which no loan lies, with the nearest word that some loan has."""
    for key, word in one.capacity.places().items():
        known = loans.select(_column(key).cast(pl.String).alias(key))[key].drop_nulls().unique()
        if str(word) not in known:
            found = f"No loan has {key} {word}."
            fix = did_you_mean(str(word), known) if len(known) else f"The tape tells no {key}."
            break
    else:
        found = f"No loan has {one.capacity.scope_told()} together."
        fix = "Drop one of them."
    why = "The limit holds no loan."
    return Problem("CAPACITY-SCOPE-EMPTY", "warning", one.place, found, why, fix)


def _clash(floor: _Held, ceiling: _Held) -> list[Problem]:
    """A floor above a ceiling that counts all that it counts."""
    least, most = floor.capacity.min, ceiling.capacity.max
    if least is None or most is None or least <= most:
        return []
    if (floor.mine & ~ceiling.mine).any():
        return []
    told = [floor.capacity.told(limit) for limit in (least, most)]
    found = f"At least {told[0]} is asked for, at most {told[1]} is there in {ceiling.scope}."
    fix = f"Lower min to {told[1]}, or raise max."
    return [Problem("CAPACITY-CLASH", "error", floor.place, found, "No plan keeps both.", fix)]


def _column(key: str) -> pl.Expr:
    """The loans' column of a scope; the court is the province, the collector the branch, if not named."""
    others = {"court": "province", "collector": "branch"}
    return pl.coalesce(key, others[key]) if key in others else pl.col(key)


def inside(capacity: Capacity, loans: pl.DataFrame) -> pl.Series:
    """Whether each loan lies in the scope (n,)."""
    holds = pl.lit(True)
    for key, word in capacity.places().items():
        holds &= _column(key).cast(pl.String) == str(word)
    return loans.select(pl.repeat(True, pl.len()) & holds.fill_null(False)).to_series()


Use = tuple[int, int, Floats, npt.NDArray[np.bool_]]
"""A capacity, a column that it counts, amounts (n,) and who is in its scope (n,)."""


def uses_of(offers: Offers, capacities: Sequence[Capacity]) -> list[Use]:
    """Every column that a capacity counts."""
    found = []
    for number, capacity in enumerate(capacities):
        within = inside(capacity, offers.situation.loans).to_numpy()
        for column, (_, start) in enumerate(COLUMNS):
            amount = offers.uses(column, capacity.name) if start == capacity.start else None
            if amount is not None:
                found.append((number, column, amount, within))
    return found
