"""Seconds by stage account for the whole of a run."""

from __future__ import annotations

import itertools

import pytest

from arrears.run import stages


def test_stages_and_what_lies_between_add_up(monkeypatch) -> None:
    clock = itertools.chain([0.0, 1.0, 3.5, 4.0, 4.25, 6.0, 7.5, 8.0])
    monkeypatch.setattr(stages.time, "perf_counter", lambda: next(clock))
    run = stages.Stages()
    for name in ("read", "plan", "read"):
        with run.stage(name):
            pass
    assert run.seconds == {"read": 4.0, "plan": 0.25, "other": 3.75}


def test_a_stage_that_fails_is_counted(monkeypatch) -> None:
    clock = itertools.chain([0.0, 1.0, 3.0, 3.0])
    monkeypatch.setattr(stages.time, "perf_counter", lambda: next(clock))
    run = stages.Stages()
    with pytest.raises(OSError, match="full"), run.stage("write"):
        raise OSError("full")
    assert run.seconds == {"write": 2.0, "other": 1.0}
