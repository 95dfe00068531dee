"""Pictures drawn in a process beside are those drawn here."""

from __future__ import annotations

import subprocess
import sys

import pytest

from arrears.report import drawing

BARS = {"data": {"values": [{"a": "x", "b": 1}]}, "mark": "bar", "encoding": {"x": {"field": "a"}}}


def test_a_picture_drawn_beside_is_the_one_drawn_here() -> None:
    here = drawing.draw(BARS)
    with drawing.pen():
        assert drawing._drawn_beside('{"mark": "point"}').startswith("<svg")
        assert drawing.draw(BARS) == here
    assert drawing._beside == []


def test_where_the_process_ends_early_pictures_are_drawn_here() -> None:
    here = drawing.draw(BARS)
    with drawing.pen():
        drawing._beside[0].kill()
        drawing._beside[0].wait()
        assert drawing._drawn_beside('{"mark": "point"}') == ""
        assert drawing.draw(BARS) == here


@pytest.mark.parametrize("interpreter", ["/nowhere/python", "", None])
def test_where_no_process_can_be_started_pictures_are_drawn_here(
    monkeypatch: pytest.MonkeyPatch, interpreter: str | None
) -> None:
    monkeypatch.setattr(sys, "executable", interpreter)
    with drawing.pen():
        assert drawing._beside == []
        assert drawing.draw(BARS).startswith("<svg")


def test_nobody_is_left_when_the_work_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []
    with pytest.raises(KeyboardInterrupt), drawing.pen():
        started += drawing._beside
        raise KeyboardInterrupt
    assert started[0].poll() is not None


def test_a_spec_that_cannot_be_drawn_is_an_error_all_the_same() -> None:
    with drawing.pen(), pytest.raises(ValueError, match=r"[Vv]ega"):
        drawing.draw({"mark": "no such mark", "data": 5})
