"""The run record: what a run stood on, what it left, and how to do it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import cast

import arrears
from arrears.files.folder import RECORD
from arrears.problems import Problem
from arrears.run.gather import Gathered
from arrears.run.request import Request, is_file_name
from arrears.run.stopped import Stopped

Record = dict[str, object]


def of_tape(gathered: Gathered) -> Record:
    """The part that `check` and `resolve` share: versions, inputs, law, rows, claim and fills."""
    tape, request, rulebook = gathered.tape, gathered.request, gathered.rulebook
    counts = tape.counts
    return {
        "version": arrears.__version__,
        "as_of": tape.as_of.isoformat(),
        "inputs": gathered.inputs(),
        "rows": {
            "in": counts.rows_in,
            "accepted": counts.accepted,
            "quarantined": counts.quarantined,
            "closed": counts.closed,
        },
        "claim": {
            "in": counts.claim_in,
            "accepted": counts.claim_accepted,
            "quarantined": counts.claim_quarantined,
            "unreadable_rows": counts.unreadable_rows,
        },
        "rulebook": {
            "name": rulebook.name,
            "hash": rulebook.hash,
            "reforms": [Path(path).stem for path in request.reforms],
        },
        "market": _market(gathered),
        "holder": gathered.holder.model_dump(mode="json"),
        "settings": settings(request),
        "seed": request.seed,
        "fills": [asdict(fill) for fill in tape.fills],
    }


def _market(gathered: Gathered) -> Record:
    """Which value of each market figure was taken, and why."""
    market, day = gathered.market, gathered.tape.as_of
    entries = {path: market.entry(path, day) for path in market.paths()}
    return {
        "name": market.name,
        "hash": market.hash,
        "values": {
            path: {"observed": entry.observed.isoformat(), "why": entry.selection_note}
            for path, entry in entries.items()
        },
    }


def settings(request: Request) -> Record:
    """What the user asked for besides the input files."""
    return {
        "holder": None if is_file_name(request.holder) else request.holder,
        "as_of": request.as_of.isoformat() if request.as_of else None,
        "rulebook": request.rulebook,
        "scenarios": request.scenarios,
        "excel_all": request.excel_all,
        "holdout": request.holdout,
        "stress": request.stress,
    }


def request_of(record: Mapping[str, object]) -> Request:
    """The request that a record was made by, files at their paths as typed."""
    inputs = cast("list[dict[str, str]]", record["inputs"])
    typed = {entry["name"]: entry["path"] for entry in inputs}
    asked = cast("dict[str, object]", record["settings"])
    day = cast("str | None", asked["as_of"])
    reforms = tuple(path for name, path in typed.items() if name.startswith("reform_"))
    request = Request(
        typed["loans"],
        holder=cast("str", asked["holder"] or typed["holder"]),
        as_of=date.fromisoformat(day) if day else None,
        rulebook=cast("str", asked["rulebook"]),
        reforms=reforms,
        seed=cast("int", record["seed"]),
        scenarios=cast("int", asked["scenarios"]),
        excel_all=cast("bool", asked["excel_all"]),
        holdout=cast("float", asked.get("holdout", 0.0)),
        stress=cast("str | None", asked.get("stress")),
    )
    return request.with_files(typed)


def read(folder: Path) -> Record:
    """The record of a finished run.

    Raises:
        Stopped: the folder holds none that can be read.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        found = f"No {RECORD} in {folder}."
        why = "Only a folder that a finished run has left can be used."
        fix = "Name the folder given as --out."
        raise Stopped([Problem("NO-RUN", "error", str(folder), found, why, fix)]) from None
    except ValueError:
        record = None
    if not isinstance(record, dict) or not {"inputs", "settings", "seed", "products"} <= set(
        record
    ):
        found = f"{RECORD} cannot be read as a run record."
        why = "It was changed or cut short."
        fix = "Run the job again."
        raise Stopped([Problem("BAD-RUN-RECORD", "error", str(path), found, why, fix)])
    return record
