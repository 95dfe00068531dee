"""`verify` finds a changed value or word in any product."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from arrears import run
from arrears.rules import load_market
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


def test_a_price_is_run_again_as_it_was_asked(tmp_path) -> None:
    run.synth(run.SynthRequest(loans=60, months=2, seed=4), out=tmp_path / "book")
    request = run.Request(str(tmp_path / "book/loans.csv"), stress="slump", scenarios=20)
    run.price(request, out=tmp_path / "bid", irr=0.2, bidders=3)
    assert run.verify(tmp_path / "bid").products == 5
    assert "under the stress slump" in (tmp_path / "bid/price.html").read_text("utf-8")
    record = json.loads((tmp_path / "bid/run.json").read_text("utf-8"))
    record["asked"]["irr"] = 0.1
    (tmp_path / "bid/run.json").write_text(json.dumps(record), "utf-8")
    with pytest.raises(run.Stopped) as stopped:
        run.verify(tmp_path / "bid")
    assert {problem.where for problem in stopped.value.problems} >= {"price.json", "price.html"}


def test_a_header_is_priced_again_and_a_changed_one_found(tmp_path) -> None:
    header = tmp_path / "notice.yaml"
    header.write_text(
        "{name: A, base_date: 2025-03-31, product: credit_card, unpaid: 1_000_000 yuan, loans: 30, days_overdue: 700}",
        "utf-8",
    )
    run.price_header(header, out=tmp_path / "bid", scenarios=20, seed=3)
    assert run.verify(tmp_path / "bid").products == 4
    header.write_text(header.read_text("utf-8").replace("700", "500"), "utf-8")
    with pytest.raises(run.Stopped) as stopped:
        run.verify(tmp_path / "bid")
    assert "input header" in {problem.where for problem in stopped.value.problems}


def test_what_is_not_run_again_says_so(tmp_path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    record = {"command": "compare", "inputs": [], "settings": {}, "seed": 0, "products": {}}
    (folder / "run.json").write_text(json.dumps(record), "utf-8")
    with pytest.raises(run.Stopped) as stopped:
        run.verify(folder)
    assert [problem.code for problem in stopped.value.problems] == ["NOT-REPEATED"]


def test_resolve_under_a_stress_is_worth_less_and_is_run_again(tmp_path) -> None:
    run.synth(run.SynthRequest(loans=150, months=2, seed=4), out=tmp_path / "book")
    request = run.Request(str(tmp_path / "book/loans.csv"), scenarios=20, stress="severe")
    calm = run.resolve(replace(request, stress=None))
    hard = run.resolve(request, out=tmp_path / "hard")
    assert hard.plan.value < calm.plan.value
    assert hard.record["settings"]["stress"] == "severe"
    page = (tmp_path / "hard/report.html").read_text("utf-8")
    assert "all of it under the stress severe" in page
    assert "stresses/severe" in page
    others = {path for path in load_market("cn").paths() if path.startswith("stresses/")}
    assert len(others) > 1
    assert not [path for path in others - {"stresses/severe"} if path in page]
    run.verify(tmp_path / "hard")
