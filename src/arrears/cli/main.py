"""Where the command line starts, and how each of its ends looks."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from arrears.unfinished import take_all_back

if TYPE_CHECKING:
    from arrears.problems import Problem

DONE, NOT_WRITTEN, OUR_FAULT, STOPPED_BY_USER = 0, 2, 70, 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # The collector of cycles would look at every cell of a workbook again and again; arrays do not need it.
    gc.set_threshold(100_000, 50, 50)
    _limit_threads(words)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    _leave(run(words))


def _leave(status: int) -> NoReturn:
    """All is written: to take a large book apart in memory would only take time."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except BrokenPipeError:
            continue
        except OSError:
            status = status or NOT_WRITTEN
    os._exit(status)


def run(words: Sequence[str]) -> int:
    """Run one command; the exit status of CONTRACT: 0, 1, 2, 70 or 130."""
    try:
        from arrears.cli.app import app

        status = app(list(words), standalone_mode=False)
    except SystemExit as ended:
        # Typer ends so where nobody reads on, with the status of a command whose answer is no.
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        return _end(ended.__context__, as_json=False)
    except BaseException as error:
        # a panic of Polars is no Exception
        return _end(error, as_json="--json" in words)
    return status if isinstance(status, int) else DONE


def _end(error: BaseException, *, as_json: bool) -> int:
    """Say how a command ended that did not run through."""
    if type(error).__name__ in {"KeyboardInterrupt", "Abort"}:
        _say_stopped()
        return STOPPED_BY_USER
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    from typer.exceptions import Exit

    from arrears.run import NOT_DONE, Stopped

    if isinstance(error, Exit):
        return error.exit_code
    if isinstance(error, Stopped):
        _tell(error.problems, as_json=as_json)
        return error.status
    problem = _problem(error)
    if problem is None:
        return _our_fault(error)
    _tell([problem], as_json=as_json)
    return NOT_DONE


def _tell(problems: Sequence[Problem], *, as_json: bool) -> None:
    """Say what stops the command; the status is the same whether or not anybody reads it."""
    from arrears.cli.show import show_problems

    try:
        show_problems(problems, as_json=as_json)
    except OSError:
        # Standard output may be what has no room.
        with contextlib.suppress(OSError):
            show_problems(problems, as_json=False)


def _problem(error: BaseException) -> Problem | None:
    """The error as something the user can mend; None where it is a fault of ours."""
    from typer.exceptions import TyperException

    from arrears.errors import ArrearsError
    from arrears.run import as_problem

    if isinstance(error, TyperException):
        return _bad_option(error)
    if isinstance(error, ArrearsError):
        return as_problem(error)
    return _of_the_machine(error)


def _limit_threads(words: Sequence[str]) -> None:
    """Polars and Numba size their pools when they are imported, so this comes before any of them."""
    for position, word in enumerate(words):
        name, _, value = word.partition("=")
        if name != "--threads":
            continue
        count = value or (words[position + 1] if position + 1 < len(words) else "")
        if count.isdigit() and int(count) > 0:
            os.environ["POLARS_MAX_THREADS"] = count
            os.environ["NUMBA_NUM_THREADS"] = str(min(int(count), os.cpu_count() or 1))


def _stop(number: int, frame: FrameType | None) -> None:
    """End here and now; once all that was asked for stands, only if asked again."""
    if take_all_back():
        _say_stopped()
        os._exit(STOPPED_BY_USER)
    signal.signal(number, signal.SIG_DFL)


def _say_stopped() -> None:
    """Past the buffers: the interrupt may have come while one of them was being written."""
    clear = b"\r\x1b[2K\x1b[?25h" if os.isatty(2) else b""
    # Who read it may have gone at the same key; an error would be raised where the run stands.
    with contextlib.suppress(OSError):
        os.write(2, clear + b"Stopped. Nothing was left under the name of --out.\n")


def _bad_option(error: Exception) -> Problem:
    from arrears.problems import Problem

    context = getattr(error, "ctx", None)
    command = context.command_path if context else "arrears"
    message = str(getattr(error, "message", "") or error)
    possible = getattr(error, "possibilities", None)
    fix = f"Did you mean {possible[0]!r}?" if possible else f"See {command} --help."
    return Problem("BAD-OPTION", "error", command, message, "It cannot be run like this.", fix)


def _of_the_machine(error: BaseException) -> Problem | None:
    """Trouble with disk or memory, which the user can mend; None where it is none."""
    from arrears.problems import Problem

    number = getattr(error, "errno", None)
    text = str(error)
    if number in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} or _says_full(text):
        found, fix = "There is no room left to write.", "Free space, or name another --out."
        return Problem("DISK-FULL", "error", "--out", found, "Products would be cut short.", fix)
    if isinstance(error, MemoryError):
        found, fix = "The memory is not enough.", "Cut the tape by branch and run the parts."
        return Problem("MEMORY-FULL", "error", "", found, "The work needs all of it at once.", fix)
    if isinstance(error, OSError):
        place = str(error.filename or "")
        found = error.strerror or text
        return Problem(
            "NOT-WRITABLE", "error", place, found, "The file or folder cannot be used.", "Check it."
        )
    return None


def _says_full(text: str) -> bool:
    return any(f"os error {number}" in text for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def _our_fault(error: BaseException) -> int:
    handle, name = tempfile.mkstemp(prefix="arrears-fault-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(_without_values(error))
    path = Path(name)
    print(f"FAULT: a fault of Arrears, not of your data. Details lie in {path}.", file=sys.stderr)
    return OUR_FAULT


def _without_values(error: BaseException) -> list[str]:
    """The traceback with the kind of error but not its message, which may quote a row of the tape."""
    lines = traceback.format_tb(error.__traceback__)
    return [*lines, f"{type(error).__module__}.{type(error).__qualname__}\n"]
