"""The main job on real loans, from file to report, by the command that a user types."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

pytestmark = pytest.mark.real


def _resolve(out: Path, loans: Path, *more: object) -> dict[str, object]:
    line = [sys.executable, "-m", "arrears.cli", "resolve", loans, "-o", out, "-q", *more]
    done = subprocess.run([*map(str, line)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((out / "run.json").read_text("utf-8"))


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _agrees(record: dict[str, object], out: Path, rows: int, total: Decimal) -> None:
    counted, claim = record["rows"], record["claim"]
    assert counted["in"] == rows
    assert counted["accepted"] >= 0.99 * rows
    assert claim["in"] == int(total * 100)
    quarantine = pl.read_csv(out / "quarantine.csv", infer_schema=False)
    held = quarantine.filter(
        pl.col("source").str.starts_with("loans") | pl.col("source").str.starts_with("outcomes")
    )
    assert held["row"].n_unique() == counted["quarantined"]
    assert (out / "report.html").stat().st_size > 20_000


def test_charged_off_lendingclub_loans(real_data, root, tmp_path) -> None:
    source = real_data / "lendingclub/outcomes.csv.gz"
    record = _resolve(
        tmp_path / "out", source, "--map", root / "examples/maps/lendingclub_charged_off.yaml"
    )
    rows = [row for row in _rows(source) if row["loan_status"] == "Charged Off"]
    owed = sum(
        Decimal(row["funded_amnt_derived"]) - Decimal(row["total_rec_prncp"]) for row in rows
    )
    _agrees(record, tmp_path / "out", len(rows), owed)


def test_car_loans_with_their_months(real_data, root, tmp_path) -> None:
    folder = real_data / "auto_abs"
    record = _resolve(
        tmp_path / "out",
        folder / "loans.csv.gz",
        *("--months", folder / "months.csv.gz"),
        *("--map", root / "examples/maps/auto_abs.yaml"),
    )
    rows = _rows(folder / "loans.csv.gz")
    _agrees(
        record, tmp_path / "out", len(rows), sum(Decimal(row["balance_before"]) for row in rows)
    )
    months = next(entry for entry in record["inputs"] if entry["name"] == "months")
    assert months["rows"] == len(_rows(folder / "months.csv.gz"))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("lendingclub", "lendingclub/outcomes"),
        ("lendingclub_full", "lendingclub_full/loans"),
        ("sba", "sba/loans"),
        ("prosper_charged_off", "prosper_charged_off/loans"),
        ("auto_abs", "auto_abs/loans"),
    ],
)
def test_check_accepts_nearly_every_row_of_every_set(
    real_data, root, tmp_path, name, source
) -> None:
    path, out = real_data / f"{source}.csv.gz", tmp_path / "out"
    line = [sys.executable, "-m", "arrears.cli", "check", path, "-o", out, "--json"]
    line += ["--map", root / f"examples/maps/{name}.yaml"]
    done = subprocess.run([*map(str, line)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert rows["in"] == len(_rows(path))
    assert rows["accepted"] >= 0.99 * rows["in"]
    held = pl.read_csv(out / "quarantine.csv", infer_schema=False)
    assert held["row"].n_unique() == rows["quarantined"]
    assert held["code"].null_count() == held["fix"].null_count() == 0
    assert pl.read_parquet(out / "accepted.parquet")["loan_id"].is_unique().all()
