"""Two runs side by side: what a limit and a reform change, and that nothing changes nothing."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from arrears import run


def test_a_run_is_the_same_as_itself(case, tmp_path) -> None:
    found = run.compare(case.out, case.out, out=tmp_path / "out")
    assert found.summary["changed"] == 0
    assert found.table["why"].unique().to_list() == ["the same"]
    assert pl.read_parquet(tmp_path / "out/comparison.parquet").equals(found.table)


def test_other_limits_are_named_as_the_cause(case, tmp_path) -> None:
    capacity = tmp_path / "tight.yaml"
    capacity.write_text("capacities:\n  - {name: court_filings, max: 1}\n", "utf-8")
    tight = tmp_path / "tight"
    run.resolve(replace(case.request, capacity=str(capacity)), out=tight)
    found = run.compare(case.out, tight, out=tmp_path / "out")
    plans = [pl.read_parquet(folder / "plan.parquet") for folder in (case.out, tight)]
    differ = plans[0]["channel"] != plans[1]["channel"]
    differ |= plans[0]["start_month"] != plans[1]["start_month"]
    assert found.summary["changed"] == differ.sum() > 0
    assert set(found.summary["why"]) <= {"the same", "same way, other value", "other limits"}
    limits = {(row["capacity"], row["scope"]): row["b"] for row in found.summary["limits"]}
    assert limits["court_filings", ""] == 1.0
    assert any("court_filings at most 1," in line for line in found.lines())
    # Who starts later counts and is told as well as who goes another way
    assert found.moves["loans"].sum() == differ.sum()
    both = plans[0].join(plans[1], on="loan_id", suffix="_b").filter(differ)
    assert found.moves["gain"].sum() == pytest.approx((both["value_b"] - both["value"]).sum())
    page = (tmp_path / "out/comparison.html").read_text("utf-8")
    assert "Court_filings at most 1" in page


def test_a_way_that_a_law_opens_is_named(case, root, tmp_path) -> None:
    opened = tmp_path / "opened"
    floor = tmp_path / "floor.yaml"
    floor.write_text("capacities:\n  - {name: transfer_claim, min: 2_000_000 yuan}\n", "utf-8")
    reform = str(root / "examples/reforms/mortgages_in_bulk.yaml")
    run.resolve(replace(case.request, capacity=str(floor), reforms=(reform,)), out=opened)
    found = run.compare(case.out, opened, out=tmp_path / "out")
    sold = found.table.filter(pl.col("channel_b") == "transfer", pl.col("channel_a") != "transfer")
    loans = case.found.tape.loans.select("loan_id", "product")
    homes = sold.join(loans, on="loan_id").filter(product="mortgage")
    assert homes.height == 0 or homes["why"].str.starts_with("may now be taken").all()


def test_a_folder_that_is_no_run_is_refused(case, tmp_path) -> None:
    with pytest.raises(run.Stopped):
        run.compare(case.out, tmp_path, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_report_compares_with_the_plan_before(case, tmp_path) -> None:
    before = pl.read_parquet(case.out / "plan.parquet")
    path = tmp_path / "plan.parquet"
    # One loan was to be sold, which the rules bar; one has left the tape; one is new.
    barred = case.found.offers.permits[9].blocked >= 0
    ids = before["loan_id"].to_list()
    sold = ids[int(barred.argmax())]
    new = next(loan for loan in ids if loan != sold)
    before.with_columns(
        channel=pl.when(pl.col("loan_id") == sold).then(pl.lit("transfer")).otherwise("channel"),
        start_month=pl.when(pl.col("loan_id") == sold).then(0).otherwise("start_month"),
        loan_id=pl.col("loan_id").replace({new: "gone"}),
    ).write_parquet(path)
    out = tmp_path / "out"
    found = run.resolve(replace(case.request, previous=str(path)), out=out)
    assert found.changes is not None
    why = dict(found.changes.select("loan_id", "why").rows())
    assert why[sold] == "may no longer be taken"
    assert why["gone"] == "left the tape"
    assert why[new] == "new on the tape"
    page = (out / "report.html").read_text("utf-8")
    assert 'id="changes"' in page
    assert "may no longer be taken" in page
    assert 'id="changes"' not in (case.out / "report.html").read_text("utf-8")
