"""Seconds by stage account for the whole of a run."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from arrears.run import stages


@pytest.fixture
def clock(monkeypatch) -> Callable[..., None]:
    """Tells these seconds to the stages alone: whoever else asks is told the time."""

    def tells(*seconds: float) -> None:
        told = iter(seconds)
        fake = SimpleNamespace(perf_counter=lambda: next(told))
        monkeypatch.setattr(stages, "time", fake)

    return tells


def test_stages_and_what_lies_between_add_up(clock) -> None:
    clock(0.0, 1.0, 3.5, 4.0, 4.25, 6.0, 7.5, 8.0)
    run = stages.Stages()
    for name in ("read", "plan", "read"):
        with run.stage(name):
            pass
    assert run.seconds == {"read": 4.0, "plan": 0.25, "other": 3.75}


def test_a_stage_that_fails_is_counted(clock) -> None:
    clock(0.0, 1.0, 3.0, 3.0)
    run = stages.Stages()
    with pytest.raises(OSError, match="full"), run.stage("write"):
        raise OSError("full")
    assert run.seconds == {"write": 2.0, "other": 1.0}
