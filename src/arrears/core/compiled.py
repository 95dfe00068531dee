"""Kernels that Numba compiles, and how their code is kept on disk for the next run.

Numba's own way of keeping it goes wrong in three cases that do happen. It numbers the files of a kernel and lists them
before they are there: two processes that compile it for different types at once may take the same number, and whoever
comes later runs the code that was made for the other's types. It looks whether the kernel's own file has changed, not
whether another has that the kernel calls or takes a constant from. And where no folder can be written to, it fails.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numba
from numba.core.caching import IndexDataCacheFile
from numba.core.dispatcher import Dispatcher

_PLAIN = (bool, int, float, str, bytes, type(None))
# Operators of its values are nowhere called by a name.
_USED_BY_ALL = Path(__file__).with_name("lanes.py")


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Numba's `njit`, but for how the code is kept."""

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            kernel = numba.njit(**options)(function)
        except RuntimeError:
            # No folder can be written to: it is compiled in each process anew.
            return numba.njit(**(options | {"cache": False}))(function)
        kept = _kept(kernel)
        if kept is not None:
            kept.__class__ = _Files
            kept._source_stamp = (kept._source_stamp, *_made_from(function))
        return kernel

    return compiled


class _Files(IndexDataCacheFile):  # type: ignore[misc]
    """Code of a kernel, in a file of its own for each kind of arguments, which is listed once it is there."""

    def save(self, key: Any, data: Any) -> None:
        """Where there is no room, the next run compiles it anew."""
        number = int.from_bytes(sha256(repr(key).encode()).digest()[:6])
        name = self._data_name(number)
        with suppress(OSError):
            self._save_data(name, data)
            self._save_index(self._load_index() | {key: name})


def _kept(kernel: Any) -> Any:
    """Where a kernel's code is kept; None where it is not."""
    return getattr(getattr(kernel, "_cache", None), "_cache_file", None)


def _made_from(function: Callable[..., Any]) -> Iterator[object]:
    """What a kernel uses that is not in its own file: the code of others, and constants."""
    yield _of_file(_USED_BY_ALL)
    there = function.__globals__
    for name in sorted(_names(function.__code__) & there.keys()):
        used = there[name]
        if isinstance(used, Dispatcher):
            yield name, getattr(_kept(used), "_source_stamp", None)
        elif _is_plain(used):
            yield name, repr(used)
        else:
            home = used.__name__ if isinstance(used, ModuleType) else used.__class__.__module__
            yield name, _changed(getattr(used, "__module__", None) or home)


def _names(code: CodeType) -> set[str]:
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _is_plain(value: object) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return all(isinstance(part, _PLAIN) for part in parts)


def _changed(module: str) -> tuple[float, int] | None:
    """When a module of ours was changed last, and its size."""
    file = getattr(sys.modules.get(module), "__file__", None)
    ours = module.partition(".")[0] == __name__.partition(".")[0]
    return _of_file(Path(file)) if file and ours else None


def _of_file(path: Path) -> tuple[float, int]:
    found = path.stat()
    return found.st_mtime, found.st_size
