"""Bad input gets a problem with code, place and mend, and exit status 2 where nothing can be done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

FIRST = pl.int_range(pl.len()) == 0


def _fails(done, *, status: int = 2) -> None:
    assert done.status == status, done.err
    assert done.problems
    for problem in done.problems:
        assert problem["code"]
        assert problem["found"]
    assert any(problem["fix"] for problem in done.problems)


def _resolve(here, loans: Path, out: Path, *more: object):
    return here("resolve", loans, "--as-of", "2025-03-31", "-o", out, "--json", *more)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("nothing-there.csv", None),
        ("empty.csv", b""),
        ("head-only.csv", b"loan_id,borrower_id,lender,product,principal,days_past_due\n"),
        ("noise.csv", bytes(range(256)) * 40),
        ("noise.parquet", b"PAR1 this is no table PAR1"),
        ("noise.xlsx", b"PK\x03\x04 this is no workbook"),
        ("noise.csv.gz", b"\x1f\x8b this is no gzip"),
        ("loans.docx", b"PK\x03\x04"),
    ],
)
def test_a_file_that_is_no_table_stops_the_run(here, tmp_path, name, content) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    done = _resolve(here, path, tmp_path / "out")
    _fails(done)
    assert not (tmp_path / "out").exists()


def test_a_folder_is_no_tape(here, tmp_path) -> None:
    _fails(_resolve(here, tmp_path, tmp_path / "out"))


@pytest.mark.parametrize("suffix", ["parquet", "xlsx"])
def test_a_truncated_container_stops_the_run(here, plain, tmp_path, suffix) -> None:
    path = tmp_path / f"loans.{suffix}"
    loans = pl.read_csv(plain / "loans.csv", infer_schema=False)
    loans.write_parquet(path) if suffix == "parquet" else loans.write_excel(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    _fails(_resolve(here, path, tmp_path / "out"))


def test_a_missing_required_column_is_named_with_the_nearest_header(
    here, changed, tmp_path
) -> None:
    path = changed()
    loans = pl.read_csv(path, infer_schema=False).rename({"principal": "principle"})
    loans.write_csv(path)
    done = _resolve(here, path, tmp_path / "out")
    _fails(done)
    assert any("principal" in str(p) and "principle" in str(p) for p in done.problems)


def test_all_rows_bad_stops_the_run_and_says_why(here, changed, tmp_path) -> None:
    path = changed(pl.lit("spaceship").alias("product"))
    done = _resolve(here, path, tmp_path / "out")
    _fails(done)


def test_a_book_in_which_nobody_owes_anything_has_no_way_out_to_find(here, tmp_path) -> None:
    path = tmp_path / "loans.csv"
    path.write_text(
        "loan_id,borrower_id,lender,product,principal,days_past_due\nA,1,b,consumer,0,0\n"
    )
    done = _resolve(here, path, tmp_path / "out")
    _fails(done)
    assert done.problems[0]["code"] == "NOTHING-OWED"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("principal", "-100"),
        ("principal", "999999999999999999999999"),
        ("origination_date", "2024-02-31"),
        ("product", "spaceship"),
        ("days_past_due", "-5"),
        ("days_past_due", "many"),
    ],
)
def test_one_bad_row_goes_to_quarantine_and_the_rest_goes_on(
    here, changed, tmp_path, column, value
) -> None:
    bad = pl.when(FIRST).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
    out = tmp_path / "out"
    done = here("check", changed(bad, rows=40), "--as-of", "2025-03-31", "-o", out, "--json")
    assert done.status == 0, done.err
    quarantine = pl.read_csv(out / "quarantine.csv", infer_schema=False)
    assert set(quarantine["row"]) == {"2"}
    assert column in set(quarantine["column"])
    assert pl.read_parquet(out / "accepted.parquet").height == 39


def test_all_rows_with_a_duplicate_id_go_to_quarantine(here, changed, tmp_path) -> None:
    second = pl.int_range(pl.len()) == 1
    same = pl.when(second).then(pl.col("loan_id").shift(1)).otherwise("loan_id").alias("loan_id")
    out = tmp_path / "out"
    done = here("check", changed(same, rows=40), "--as-of", "2025-03-31", "-o", out)
    assert done.status == 0, done.err
    assert set(pl.read_csv(out / "quarantine.csv", infer_schema=False)["row"]) == {"2", "3"}
    assert pl.read_parquet(out / "accepted.parquet").height == 38


def test_a_cut_off_date_outside_the_force_of_the_rules_is_refused(here, changed, tmp_path) -> None:
    path = changed(pl.lit("2005-01-31").alias("as_of"), rows=5)
    done = here("resolve", path, "-o", tmp_path / "out", "--json")
    _fails(done)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("capacities:\n  - {name: court_filing, max: 3}\n", "court_filings"),
        ("capacities:\n  - {name: visits, max: lots}\n", "lots"),
        ("capacities:\n  - {name: visits, most: 3}\n", "most"),
        ("capacities: [\n", ""),
    ],
)
def test_a_capacity_file_that_is_wrong_is_shown_with_the_nearest_name(
    here, plain, tmp_path, text, word
) -> None:
    path = tmp_path / "capacities.yaml"
    path.write_text(text, "utf-8")
    done = _resolve(here, plain / "loans.csv", tmp_path / "out", "--capacity", path)
    _fails(done)
    assert word in str(done.problems)
    assert "capacities.yaml" in str(done.problems)


def test_floors_that_cannot_be_met_say_which_and_by_how_much(here, plain, tmp_path) -> None:
    path = tmp_path / "capacities.yaml"
    path.write_text("capacities:\n  - {name: npl_removed, min: 900_000_000_000 yuan}\n", "utf-8")
    done = _resolve(here, plain / "loans.csv", tmp_path / "out", "--capacity", path)
    _fails(done, status=1)
    assert "npl_removed" in str(done.problems)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--holder", "join_stock_bank"),
        ("--rulebook", "cnn"),
        ("--reform", "no-such.yaml"),
        ("--holder", "no-such.yaml"),
        ("--map", "no-such.yaml"),
        ("--no-such-option",),
        ("--scenarios", "0"),
        ("--excel", "some"),
    ],
)
def test_an_option_that_cannot_be_is_refused(here, plain, tmp_path, words) -> None:
    _fails(_resolve(here, plain / "loans.csv", tmp_path / "out", *words))


def test_an_output_place_that_cannot_be_written_is_refused(here, plain, tmp_path) -> None:
    file = tmp_path / "file"
    file.write_text("mine", "utf-8")
    for out in (file, file / "below"):
        _fails(_resolve(here, plain / "loans.csv", out))
    assert file.read_text("utf-8") == "mine"


def test_foreign_files_are_never_overwritten(here, plain, tmp_path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine", "utf-8")
    for more in ((), ("--force",)):
        _fails(_resolve(here, plain / "loans.csv", out, *more))
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("more", [["loans.csv"], ["--as-of", "2024-01-31"], ["--reform", "r.yaml"]])
def test_what_says_nothing_of_a_header_is_refused(here, root, tmp_path, more) -> None:
    header = root / "examples/notices/pab_2025_13.yaml"
    done = here("price", "--header", header, "-o", tmp_path / "out", "--json", *more)
    _fails(done)
    assert [problem["code"] for problem in done.problems] == ["BAD-OPTION"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["nothing-there.csv", "loans.csv"])
def test_the_status_is_the_same_where_nobody_reads_the_problems(tmp_path, name) -> None:
    (tmp_path / "loans.csv").write_text("loan_id\nA\n", "utf-8")
    read, write = os.pipe()
    os.close(read)
    words = ["resolve", tmp_path / name, "--as-of", "2025-03-31", "-o", tmp_path / "out"]
    done = subprocess.run(
        [sys.executable, "-m", "arrears.cli", *words, "--quiet"], stderr=write, check=False
    )
    os.close(write)
    assert done.returncode == 2
