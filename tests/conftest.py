"""What all tests share: where real loans lie, and that none of them skips where they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]

# How long an example takes tells of the machine and of what else runs there, not of the code.
settings.register_profile(
    "patient",
    settings.default,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", default=2_000, type=int, help="how many spoiled tapes are tried")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real loans; the test skips where there is none."""
    folder = Path(os.environ.get("ARREARS_REAL", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip("no real loans here: ARREARS_REAL names no folder that holds data/")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.skipped and item.get_closest_marker("real") and os.getenv("ARREARS_REAL_REQUIRED"):
        report.outcome = "failed"
        report.longrepr = f"skipped although real loans are there: {report.longrepr}"
    return report
