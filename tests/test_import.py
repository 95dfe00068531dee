"""`import arrears` is light, and its names are there."""

from __future__ import annotations

import subprocess
import sys

import arrears

HEAVY = {"polars", "numpy", "numba", "scipy", "pydantic", "altair", "highspy", "rich", "typer"}


def test_importing_loads_no_heavy_library() -> None:
    code = "import sys, arrears; print(*{name.split('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(run.stdout.split())


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(arrears, name) is not None for name in arrears.__all__)
    assert not hasattr(arrears, "resolv")
