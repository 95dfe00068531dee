"""A YAML file read against a Pydantic model."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from arrears.files.nearest import did_you_mean
from arrears.files.yamlfile import Lines, read_yaml
from arrears.problems import Problem

M = TypeVar("M", bound=BaseModel)


def read_model(path: Path, model: type[M], *, code: str) -> tuple[M | None, list[Problem]]:
    """The file as a `model`, or None and everything that is wrong, each with its line.

    Args:
        code: the start of the problems' codes, e.g. `HOLDER`.
    """
    data, lines, problems = read_yaml(path)
    if data is None:
        return None, problems
    return check_model(data, model, lines, code=code)


def check_model(
    data: object, model: type[M], lines: Lines, *, code: str
) -> tuple[M | None, list[Problem]]:
    """`data` as a `model`; problems name the line that `lines` knows for each value."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        told = error.errors()
        # a list of which a part is wrong is not also too short
        inner = [detail["loc"] for detail in told]
        first = [
            detail
            for detail in told
            if not any(
                len(one) > len(detail["loc"]) == _shared(one, detail["loc"]) for one in inner
            )
        ]
        return None, [_problem(detail, model, lines, code) for detail in first]


def _shared(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> int:
    """How many steps two places begin with alike."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _problem(detail: ErrorDetails, model: type[BaseModel], lines: Lines, code: str) -> Problem:
    place = detail["loc"]
    where = lines.where(place)
    why = "The file does not fit its model."
    if detail["type"] == "extra_forbidden":
        name = str(place[-1])
        found = f"{name!r} is no field here."
        names = _fields(model, place[:-1])
        return Problem(
            f"{code}-UNKNOWN-FIELD", "error", where, found, why, did_you_mean(name, names)
        )
    if detail["type"] == "missing":
        found = f"{str(place[-1])!r} is missing."
        return Problem(f"{code}-MISSING-FIELD", "error", where, found, why, "Add it.")
    told = detail["msg"].removeprefix("Value error, ")
    # what holds a whole mapping is shown by its line
    found = told if isinstance(detail["input"], dict | list) else f"{detail['input']!r}: {told}"
    return Problem(f"{code}-BAD-VALUE", "error", where, found, why, "Correct the value.")


def _fields(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    inner: type[BaseModel] = model
    for key in place:
        if isinstance(key, str) and key in inner.model_fields:
            inner = _model_in(inner.model_fields[key].annotation) or inner
    return [field.alias or name for name, field in inner.model_fields.items()]


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)
