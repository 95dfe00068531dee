"""A name of a package that is loaded late stays what it is once its module is there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

import arrears

LAZY = ("deals", "report", "run")


@pytest.mark.parametrize("room", LAZY)
def test_no_module_bears_the_name_of_one_of_its_names(room: str) -> None:
    package = import_module(f"arrears.{room}")
    there = Path(arrears.__file__).parent / room
    modules = {path.stem for path in there.iterdir() if not path.name.startswith("_")}
    assert not modules & set(package.__all__)
    assert set(package._FILE) == set(package.__all__)
