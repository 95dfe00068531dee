"""A small synthetic book, and what `resolve` makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from arrears import run


@dataclass(frozen=True)
class Case:
    """A request, the folder its run left, and the run itself."""

    request: run.Request
    out: Path
    found: run.Resolution


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """1,500 loans with a year of history, Chinese headers, GB18030."""
    out = tmp_path_factory.mktemp("book") / "book"
    recipe = root / "examples/eastern_bank/recipe.yaml"
    shape = run.SynthRequest(
        loans=1_500, months=12, style="cn", encoding="gb18030", recipe=recipe, seed=3
    )
    run.synth(shape, out=out)
    return out


@pytest.fixture(scope="session")
def request_of_book(book: Path, root: Path) -> run.Request:
    tables = ("loans", "payments", "months", "events", "contacts")
    files = {name: str(book / f"{name}.csv") for name in tables}
    return run.Request(
        **files,
        holder=str(root / "examples/eastern_bank/holder.yaml"),
        capacity=str(root / "tests/run/capacities.yaml"),
        scenarios=200,
    )


@pytest.fixture(scope="session")
def case(request_of_book: run.Request, tmp_path_factory: pytest.TempPathFactory) -> Case:
    out = tmp_path_factory.mktemp("case") / "result"
    found = run.resolve(request_of_book, out=out)
    return Case(request_of_book, out, found)


@pytest.fixture(scope="session")
def resolved(request_of_book: run.Request) -> Callable[..., run.Resolution]:
    """A run of the book with some of the request changed."""

    def again(**changes: object) -> run.Resolution:
        return run.resolve(replace(request_of_book, **changes))

    return again
