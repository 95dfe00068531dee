"""`verify` finds a changed value or word in any product."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import polars as pl
import pytest

from arrears import run
from arrears.run.verified import changed_products


def _change_parquet(path: Path) -> None:
    table = pl.read_parquet(path)
    name = next(n for n, t in table.schema.items() if t in {pl.Float64, pl.Int64, pl.String})
    at = pl.int_range(pl.len()) == table.height // 2
    other = pl.lit("x") if table.schema[name] == pl.String else pl.col(name) + 1
    table.with_columns(pl.when(at).then(other).otherwise(pl.col(name)).alias(name)).write_parquet(
        path
    )


def _change_workbook(path: Path) -> None:
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = next(n for n in sorted(parts) if n.startswith("xl/worksheets/") and b"<v>" in parts[n])
    before, after = parts[sheet].split(b"<v>", 1)
    parts[sheet] = before + b"<v>1" + after
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)


def _change_text(path: Path) -> None:
    text = path.read_text("utf-8")
    at = next(i for i in range(len(text) // 2, len(text)) if text[i].isalnum())
    path.write_text(text[:at] + ("7" if text[at] != "7" else "8") + text[at + 1 :], "utf-8")


CHANGES = {".parquet": _change_parquet, ".xlsx": _change_workbook}


def test_every_product_of_a_run_is_guarded(case, tmp_path) -> None:
    record = json.loads((case.out / "run.json").read_text("utf-8"))
    for name in record["products"]:
        copy = tmp_path / "copy"
        shutil.copytree(case.out, copy)
        path = copy / name
        if path.suffix == ".parquet" and pl.read_parquet(path).height == 0:
            shutil.rmtree(copy)
            continue
        CHANGES.get(path.suffix, _change_text)(path)
        assert [problem.where for problem in changed_products(record, copy)] == [name]
        shutil.rmtree(copy)


def test_a_product_removed_or_added_is_found(case, tmp_path) -> None:
    record = json.loads((case.out / "run.json").read_text("utf-8"))
    copy = tmp_path / "copy"
    shutil.copytree(case.out, copy)
    (copy / "book.csv").rename(copy / "book2.csv")
    found = {problem.where for problem in changed_products(record, copy)}
    assert found == {"book.csv", "book2.csv"}


@pytest.mark.parametrize(
    ("name", "value"), [("as_of", "2025-04-01"), ("plan", {"value": 1.0}), ("version", "9")]
)
def test_a_changed_record_is_found(case, tmp_path, name, value) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(case.out, copy)
    record = json.loads((copy / "run.json").read_text("utf-8"))
    record[name] = value
    (copy / "run.json").write_text(json.dumps(record), "utf-8")
    with pytest.raises(run.Stopped) as stopped:
        run.verify(copy)
    assert stopped.value.status == 1
    assert f"run.json {name}" in {problem.where for problem in stopped.value.problems}


def test_a_whole_change_with_its_hash_is_found_by_running_again(case, tmp_path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(case.out, copy)
    _change_text(copy / "book.csv")
    record = json.loads((copy / "run.json").read_text("utf-8"))
    record["products"]["book.csv"] = run.product_hash(copy / "book.csv")
    (copy / "run.json").write_text(json.dumps(record), "utf-8")
    with pytest.raises(run.Stopped) as stopped:
        run.verify(copy)
    assert [problem.where for problem in stopped.value.problems] == ["book.csv"]
