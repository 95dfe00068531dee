"""Compiled code that is kept is the code of this source and of these types, whoever else keeps some at the time."""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from numba.core import caching

from arrears.core import compiled

INNER = (
    "from {njit} import njit\nADDED = {added}\n@njit(cache=True)\ndef inner(x): return x + ADDED\n"
)
OUTER = (
    "from {njit} import njit\nfrom inner_kernel import ADDED, inner\n@njit(cache=True)\n"
    "def outer(x): return 10 * inner(x) + ADDED\n"
)
Load = Callable[..., Any]


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """The outer kernel as a new process would have it, where the inner one adds so much."""
    clock = iter(range(1, 100))

    def loaded(added: int = 1, njit: str = compiled.__name__) -> Any:
        inner, outer = tmp_path / "inner_kernel.py", tmp_path / "outer_kernel.py"
        text = INNER.format(njit=njit, added=added)
        if not inner.exists() or inner.read_text() != text:
            inner.write_text(text)
            outer.write_text(OUTER.format(njit=njit))
            os.utime(inner, (next(clock),) * 2)
        os.utime(outer, (1, 1))
        monkeypatch.setitem(sys.modules, inner.stem, _module(inner))
        return _module(outer).outer

    return loaded


def test_a_kernel_is_compiled_once(load: Load) -> None:
    assert load()(5) == 61
    again = load()
    assert again(5) == 61
    assert sum(again.stats.cache_hits.values()) == 1


def test_a_kernel_is_compiled_anew_where_what_it_calls_has_changed(load: Load) -> None:
    assert load(1)(5) == 61
    assert load(2)(5) == 72


def test_two_that_keep_code_for_different_types_at_once_keep_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the list before either writes; the one is through while the other is half way."""
    one, other, later = (compiled._Files(str(tmp_path), "kernel", "stamp") for _ in range(3))
    write, opened = one._open_for_write, 0

    def the_other_comes_between(path: str) -> Any:
        nonlocal opened
        opened += 1
        if opened == 2:
            other.save("fractions", "code for fractions")
        return write(path)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(compiled._Files, "_load_index", lambda _: {})
        meanwhile.setattr(one, "_open_for_write", the_other_comes_between)
        one.save("whole", "code for whole numbers")
    kept = [later.load("whole"), later.load("fractions")]
    assert kept == ["code for whole numbers", None]


def test_where_there_is_no_room_it_runs_all_the_same(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(caching.IndexDataCacheFile, "_save_data", full)
    assert load()(5) == 61


def test_where_no_folder_can_be_written_to_it_runs_all_the_same(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])
    assert load()(5) == 61


def test_every_kernel_is_kept_so(root: Path) -> None:
    places = [path for path in (root / "src").rglob("*.py") if path.name != "compiled.py"]
    found = [path.name for path in places if "njit(" in path.read_text("utf-8")]
    assert len(found) > 10
    by_numba = re.compile(r"numba\.(njit|jit)|from numba import .*jit")
    assert not [path.name for path in places if by_numba.search(path.read_text("utf-8"))]
