"""Same in, same out: threads, parts of a tape, and running again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from arrears import run


def _resolve(request: run.Request, out: Path, *more: str) -> dict[str, object]:
    files = [word for name in ("payments", "months", "events", "contacts", "holder", "capacity")
             for word in (f"--{name}", getattr(request, name))]  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "arrears.cli",
        "resolve",
        request.loans,
        *files,
        "-o",
        str(out),
    ]
    done = subprocess.run(
        [*command, "-q", "--scenarios", "200", *more], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads((out / "run.json").read_text("utf-8"))


def test_one_and_two_threads_leave_the_same_contents(case, tmp_path) -> None:
    one = _resolve(case.request, tmp_path / "one", "--threads", "1")
    two = _resolve(case.request, tmp_path / "two", "--threads", "2")
    here = json.loads((case.out / "run.json").read_text("utf-8"))
    assert one["products"] == two["products"] == here["products"]


def test_two_halves_of_a_tape_add_up_to_the_whole(case, tmp_path) -> None:
    """What is learnt is learnt from the whole book, the hidden part from its branches too; calls are a borrower's own,
    all else is a loan's own."""
    alone = dict.fromkeys(("capacity", "payments", "months", "events", "contacts"))
    accepted = case.found.tape.loans
    odd = accepted["borrower_id"].rank("dense") % 2 == 1
    found = []
    for number, part in enumerate((accepted, accepted.filter(odd), accepted.filter(~odd))):
        path = tmp_path / f"part{number}.parquet"
        part.write_parquet(path)
        found.append(run.resolve(replace(case.request, loans=str(path), **alone)))
    whole, *halves = found
    learnt = ("p_hidden", "hidden_amount")
    for all_rows, parts in (
        (whole.standing.drop(learnt), [half.standing.drop(learnt) for half in halves]),
        (whole.offers.table(), [half.offers.table() for half in halves]),
    ):
        keys = [name for name in ("loan_id", "channel", "start_month") if name in all_rows.columns]
        assert_frame_equal(pl.concat(parts).sort(keys), all_rows, check_exact=True)


def test_verify_agrees_with_an_untouched_run(case) -> None:
    assert run.verify(case.out).products > 10


def test_verify_finds_inputs_that_moved(case, book, tmp_path, root) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(book, moved)
    for path in (case.request.holder, case.request.capacity):
        shutil.copy(path, moved)
    copy = tmp_path / "copy"
    shutil.copytree(case.out, copy)
    record = json.loads((copy / "run.json").read_text("utf-8"))
    for entry in record["inputs"]:
        entry["path"] = "/nowhere/" + Path(entry["path"]).name
    (copy / "run.json").write_text(json.dumps(record), "utf-8")
    assert run.verify(copy, inputs=moved).products > 10
    with pytest.raises(run.Stopped) as stopped:
        run.verify(copy)
    assert stopped.value.status == 2
    assert {problem.code for problem in stopped.value.problems} == {"INPUT-NOT-FOUND"}
