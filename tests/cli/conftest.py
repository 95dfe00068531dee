"""Runs the command line, in a process of its own as a user does, or here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from arrears import run as runs
from arrears.cli.main import run


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def problems(self) -> list[dict[str, str]]:
        """What `--json` says went wrong."""
        return json.loads(self.out)["problems"]

    @property
    def codes(self) -> set[str]:
        return {problem["code"] for problem in self.problems}


@pytest.fixture(scope="session")
def arrears() -> Callable[..., Done]:
    def command(*words: object, **options: object) -> Done:
        line = [sys.executable, "-m", "arrears.cli", *map(str, words)]
        # As wide as a log file, however wide the terminal of who runs the tests.
        env = {**os.environ, "COLUMNS": "80"} | options.pop("env", {})
        done = subprocess.run(
            line, capture_output=True, encoding="utf-8", check=False, env=env, **options
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return command


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The same in this process: to start another takes longer than most commands that come to nothing."""

    def command(*words: object) -> Done:
        capsys.readouterr()
        status = run([*map(str, words)])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Done(status, told.out, told.err)

    return command


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small book with canonical names, in CSV."""
    out = tmp_path_factory.mktemp("plain") / "book"
    runs.synth(runs.SynthRequest(loans=300, months=6, seed=5), out=out)
    return out


@pytest.fixture
def changed(plain: Path, tmp_path: Path) -> Callable[..., Path]:
    """The loans of the book with some columns changed."""

    def write(*columns: pl.Expr, rows: int | None = None) -> Path:
        path = tmp_path / "loans.csv"
        loans = pl.read_csv(plain / "loans.csv", infer_schema=False)
        loans.head(rows if rows is not None else loans.height).with_columns(columns).write_csv(path)
        return path

    return write
