"""A process of its own for pictures: the converter starts slowly, and while it draws all other threads wait."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Whoever asked for pictures ends it, by its input; a key pressed at the terminal is not meant for it.
_DRAWS = """
import json, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
import vl_convert
vl_convert.vegalite_to_svg('{"mark": "point"}')
for spec in sys.stdin:
    print(json.dumps(vl_convert.vegalite_to_svg(spec)), flush=True)
"""
_beside: list[subprocess.Popen[str]] = []


@contextmanager
def pen() -> Iterator[None]:
    """Start drawing in a process beside this one; where none can be started, pictures are drawn here."""
    words, pipe = [sys.executable or "", "-P", "-c", _DRAWS], subprocess.PIPE
    try:
        process = subprocess.Popen(  # noqa: S603
            words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
    except OSError:
        yield
        return
    _beside.append(process)
    try:
        yield
    finally:
        _beside.remove(process)
        process.kill()
        process.communicate()


def draw(spec: dict[str, object]) -> str:
    """A Vega-Lite picture as SVG."""
    text = json.dumps(spec)
    return _drawn_beside(text) or _drawn_here(text)


def _drawn_here(spec: str) -> str:
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(spec)
    return drawn


def _drawn_beside(spec: str) -> str:
    """Nothing where there is no such process, or it has ended."""
    if not _beside:
        return ""
    process = _beside[-1]
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        print(spec, file=process.stdin, flush=True)
        return str(json.loads(process.stdout.readline()))
    except (OSError, ValueError):
        return ""
