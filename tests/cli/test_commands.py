"""The commands as a user types them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

COMMANDS = [
    "check", "map", "resolve", "verify", "explain",
    "fit", "track", "demo", "synth", "link", "anonymise", "forecast", "price",
    "classify", "history", "due", "compare",
    "hidden", "deal check", "deal run", "deal size", "deal report",
    "rules show", "rules explain", "rules diff", "rules check",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_and_ends_with_two_examples(arrears, command) -> None:
    done = arrears(*command.split(), "--help")
    assert done.status == 0
    lines = done.out.rstrip().split("\n")
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 100
    assert [line.strip()[: 8 + len(command)] for line in lines[-2:]] == [f"arrears {command}"] * 2


def test_the_pages_commands_are_those_of_the_command_line(arrears, root) -> None:
    page = (root / "docs/commands.md").read_text("utf-8")
    told = set(re.findall(r"^\| `((?:rules |deal )?[a-z]+)", page.split("## Commands")[1], re.M))
    assert told == set(COMMANDS)
    top = arrears("--help").out.split("Commands:")[1].split("Examples:")[0]
    assert set(re.findall(r"^  (\w+)", top, re.M)) == {name.split()[0] for name in COMMANDS}


def test_the_pages_options_of_a_tape_are_those_of_resolve(arrears, root) -> None:
    page = (root / "docs/commands.md").read_text("utf-8")
    table = page.split("## Options of a tape")[1].split("## Commands")[0]
    options = set(re.findall(r"`(--[a-z-]+)", table))
    helped = set(re.findall(r"(--[a-z-]+)", arrears("resolve", "--help").out.split("Options")[1]))
    assert options - {"--excel"} < helped
    own = {
        "--audit",
        "--capacity",
        "--holdout",
        "--letter",
        "--model",
        "--previous",
        "--scenarios",
        "--stress",
    }
    assert helped - options == own | {"--quiet", "--json", "--help"}


def test_the_whole_way_as_a_user_types_it(arrears, plain, tmp_path) -> None:
    out = tmp_path / "result"
    done = arrears("resolve", plain / "loans.csv", "--as-of", "2025-03-31", "-o", out)
    assert done.status == 0, done.err
    assert "\x1b" not in done.out + done.err
    assert str(out / "report.html") in done.out
    assert arrears("resolve", plain / "loans.csv", "-o", out, "--json").status == 2
    again = arrears("resolve", plain / "loans.csv", "-o", out, "--force", "--json")
    summary = json.loads(again.out)
    assert summary["rows"]["in"] == 300
    assert arrears("verify", out).status == 0
    loan = pl.read_parquet(out / "plan.parquet")["loan_id"][0]
    told = json.loads(arrears("explain", out, loan, "--json").out)
    rules = {step["rule"] for step in told["steps"]}
    assert {"five_tier", "stage", "regime", "limitation_ends", "court_fee"} <= rules
    assert loan in arrears("explain", out, loan).out
    unknown = arrears("explain", out, loan + "9", "--json")
    assert unknown.status == 2
    (out / "book.csv").write_text("tampered", "utf-8")
    assert arrears("verify", out).status == 1


def test_no_bar_is_drawn_where_no_terminal_is_though_colour_is_forced(arrears, tmp_path) -> None:
    forced = {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "TERM": "xterm-256color"}
    done = arrears("resolve", "nothing.csv", "-o", tmp_path / "out", env=forced)
    assert done.status == 2
    assert done.err.startswith("TAPE-NO-FILE nothing.csv:")
    assert "\x1b" not in done.err


def test_check_and_map_need_no_folder(arrears, plain, tmp_path) -> None:
    done = arrears("check", plain / "loans.csv", "--json")
    assert json.loads(done.out)["rows"]["accepted"] == 300
    saved = tmp_path / "map.yaml"
    assert arrears("map", plain / "loans.csv", "--save", saved).status == 0
    again = arrears("check", plain / "loans.csv", "--map", saved, "--json")
    assert json.loads(again.out)["claim"] == json.loads(done.out)["claim"]


def test_the_same_seed_makes_the_same_bytes(arrears, tmp_path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        done = arrears("synth", "--loans", 200, "--seed", seed, "--truth", "-o", tmp_path / name)
        assert done.status == 0, done.err
    content = {
        name: {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in "abc"
    }
    assert content["a"] == content["b"]
    assert content["a"]["loans.csv"] != content["c"]["loans.csv"]
    assert {"loans.csv", "payments.csv", "months.csv", "events.csv", "contacts.csv"} < set(
        content["a"]
    )
    assert pl.read_parquet(tmp_path / "a/truth.parquet").columns == [
        "loan_id", "true_state", "hidden", "person_id",
    ]  # fmt: skip


def test_rules_speak(arrears) -> None:
    shown = json.loads(arrears("rules", "show", "cn/limitation/years", "--json").out)
    assert shown["value"] == 3
    assert list(shown) == ["path", "value", "unit", "from", "to", "reference", "verified"]
    assert shown["to"] is None
    assert "no end is known" in arrears("rules", "show", "cn/limitation/years").out
    assert "188" in arrears("rules", "explain", "cn/limitation/years").out
    wrong = arrears("rules", "show", "cn/limitation/year", "--json")
    assert wrong.status == 2
    assert "cn/limitation/years" in wrong.problems[0]["fix"]
    early = arrears("rules", "show", "cn/transfer/pilot_from", "--on", "1990-01-01", "--json")
    assert early.status in {0, 2}
    assert arrears("rules", "check").status == 0
    differ = json.loads(arrears("rules", "diff", "cn", "cn-principal-reducible", "--json").out)
    assert [row["path"] for row in differ["differences"]] == ["cn/waive/principal"]


def test_a_file_of_rules_with_faults_is_status_1(arrears, tmp_path) -> None:
    path = tmp_path / "reform.yaml"
    path.write_text("name: x\nname: y\n", "utf-8")
    done = arrears("rules", "check", path, "--json")
    assert done.status == 1
    assert done.problems


def _wait_for_handlers(process: subprocess.Popen[bytes]) -> None:
    """However long it takes until the interpreter is in `main`: before that, signals are Python's to answer."""
    mask = 1 << (signal.SIGTERM - 1)
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        caught = re.search(r"SigCgt:\s*(\w+)", status.read_text("utf-8"))
        if caught and int(caught[1], 16) & mask:
            return
        time.sleep(0.05)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("after", [0.0, 0.9, 2.1])
def test_a_run_that_is_stopped_leaves_nothing_under_the_final_name(
    plain, tmp_path, kind, after
) -> None:
    out = tmp_path / "out"
    words = ["resolve", str(plain / "loans.csv"), "--as-of", "2025-03-31", "-o", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "arrears.cli", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _wait_for_handlers(process)
    time.sleep(after)
    process.send_signal(kind)
    error = process.communicate()[1].decode()
    assert "Traceback" not in error
    if process.returncode == 0:
        assert (out / "run.json").exists()
        return
    assert process.returncode == (-kind if kind == signal.SIGKILL else 130)
    assert not out.exists()


# Loads the table of Sobol's numbers in compiled code that would print an exception and drop it.
_HIT_IN_COMPILED_CODE = """
import os, signal, sys
from numpy.lib import _npyio_impl as npz
from arrears.cli.main import main

read = npz.NpzFile.__getitem__

def hit(self, key):
    npz.NpzFile.__getitem__ = read
    os.kill(os.getpid(), signal.SIGTERM)
    return read(self, key)

npz.NpzFile.__getitem__ = hit
main(sys.argv[1:])
"""


def test_an_interrupt_below_compiled_code_ends_the_run(plain, tmp_path) -> None:
    out = tmp_path / "out"
    words = ["forecast", str(plain / "loans.csv"), "--as-of", "2025-03-31", "-o", str(out), "-q"]
    done = subprocess.run(
        [sys.executable, "-c", _HIT_IN_COMPILED_CODE, *words], capture_output=True, check=False
    )
    assert done.returncode == 130
    assert b"Traceback" not in done.stderr
    assert not out.exists()


# Asked to stop when its product stands, as it would while it waits to print; then asked once more.
_HIT_WHEN_DONE = """
import os, signal, sys
from importlib import import_module
from pathlib import Path
from arrears.files import staged

with staged(Path(sys.argv[1])) as place:
    (place.folder / "run.json").write_text("{}")
signal.signal(signal.SIGTERM, import_module("arrears.cli.main")._stop)
os.kill(os.getpid(), signal.SIGTERM)
print("told", flush=True)
os.kill(os.getpid(), signal.SIGTERM)
print("never told")
"""


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_output_that_takes_nothing_is_no_answer(form) -> None:
    words = [sys.executable, "-m", "arrears.cli", "rules", "show", "cn/limitation/years", *form]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"DISK-FULL" in done.stderr
    assert b"Traceback" not in done.stderr
    reads, writes = os.pipe()
    os.close(reads)
    unread = subprocess.run(words, stdout=writes, stderr=subprocess.PIPE, check=False)
    os.close(writes)
    assert (unread.returncode, unread.stderr) == (0, b"")


# Asked to stop with nobody left who reads what it says, as `arrears ... 2>&1 | less` is by Ctrl-C.
_HIT_UNHEARD = """
import os, signal
from importlib import import_module

signal.signal(signal.SIGTERM, import_module("arrears.cli.main")._stop)
reads, writes = os.pipe()
os.close(reads)
os.dup2(writes, 2)
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_stop_that_nobody_hears_of_ends_the_run_all_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", _HIT_UNHEARD], check=False)
    assert done.returncode == 130


def test_a_run_that_stands_is_told_of_and_ends_when_asked_twice(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HIT_WHEN_DONE, tmp_path / "out"],
        capture_output=True,
        check=False,
    )
    assert done.stdout.split() == [b"told"]
    assert done.returncode == -signal.SIGTERM
    assert (tmp_path / "out/run.json").exists()


# In a process that has threads, as this one has, nothing but another program may be run after a fork.
_LITTLE_ROOM = """
import resource, signal, sys
from arrears.cli.main import main

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
main(sys.argv[1:])
"""


def test_a_full_disk_leaves_nothing_and_says_so(plain, tmp_path) -> None:
    out = tmp_path / "out"
    words = ["resolve", plain / "loans.csv", "--as-of", "2025-03-31", "-o", out, "--json"]
    done = subprocess.run(
        [sys.executable, "-c", _LITTLE_ROOM, *words], capture_output=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert {problem["code"] for problem in json.loads(done.stdout)["problems"]} == {"DISK-FULL"}
    assert not out.exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".out")]
