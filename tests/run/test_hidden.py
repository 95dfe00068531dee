"""`hidden` on a small book: its products, an inspection, and what `explain` says of a loan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from arrears import run


@pytest.fixture(scope="module")
def done(case, tmp_path_factory) -> tuple[Path, run.Done]:
    out = tmp_path_factory.mktemp("hidden") / "out"
    return out, run.hidden(case.request, propose=30, out=out)


def test_products_are_those_of_the_contract(done, case) -> None:
    out, told = done
    months = pl.read_parquet(out / "hidden.parquet")
    assert months.columns == ["loan_id", "month", "p_sound", "p_strained", "p_bad"]
    sums = months.select(pl.sum_horizontal("p_sound", "p_strained", "p_bad")).to_series()
    assert (sums - 1).abs().max() < 1e-5
    assert months.select("loan_id", "month").is_unique().all()
    bunched = pl.read_csv(out / "bunching.csv")
    assert bunched.columns == ["lender", "branch", "threshold", "excess", "se", "z"]
    assert {"90/91", "120/121", "180/181", "quarter_end"} <= set(bunched["threshold"])
    audit = pl.read_csv(out / "audit.csv")
    assert audit.columns[:2] == ["loan_id", "why"]
    assert audit.height == 30
    page = (out / "hidden.html").read_text("utf-8")
    assert "What this rests on" in page
    assert "<script" not in page
    assert told.summary["basis"] == "model"


def test_the_last_month_is_what_the_standing_says(done, case) -> None:
    out, _ = done
    standing = pl.read_parquet(out / "standing.parquet")
    assert standing.equals(case.found.standing)
    last = pl.read_parquet(out / "hidden.parquet").group_by("loan_id").agg(pl.col("p_bad").last())
    both = standing.filter(pl.col("p_hidden") > 0).join(last, on="loan_id")
    assert both.height > 0
    assert ((both["p_hidden"] - both["p_bad"]).abs() < 1e-5).all()


def test_explain_names_the_months(case) -> None:
    why = pl.read_parquet(case.out / "hidden_why.parquet").filter(pl.col("months") != "")
    loan = why.sort("p_hidden", descending=True)["loan_id"][0]
    step = next(s for s in run.explain(case.out, loan).steps if s.rule == "p_hidden")
    assert step.result == why.filter(loan_id=loan)["p_hidden"][0]
    assert why.filter(loan_id=loan)["months"][0] in step.value


def test_an_inspection_is_learnt_from(case, done, tmp_path) -> None:
    ids = pl.read_csv(done[0] / "audit.csv")["loan_id"].to_list()
    rows = [f"{name},{'true' if place < 3 else 'false'}" for place, name in enumerate(ids)]
    extra = ["nobody,true", f"{ids[5]},true", "", f"{ids[6]},perhaps"]
    file = tmp_path / "found.csv"
    file.write_text("\n".join(["loan_id,hidden", *rows, *extra]), encoding="utf-8")
    request = replace(case.request, audit=str(file))
    told = run.hidden(request, out=tmp_path / "out")
    codes = {problem.code for problem in told.problems}
    assert {"AUDIT-UNKNOWN-LOAN", "AUDIT-TWICE", "AUDIT-NO-BOOL"} <= codes
    p = dict(
        pl.read_parquet(tmp_path / "out/standing.parquet").select("loan_id", "p_hidden").iter_rows()
    )
    assert [p[name] for name in ids[:3]] == [1, 1, 1]
    assert p[ids[8]] == 0
    assert told.summary["inspection"]["found"] == 3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("loan,hidden\nL1,true\n", "AUDIT-NO-COLUMN"),
        ("loan_id,hidden\nnobody,true\n", "AUDIT-EMPTY"),
    ],
)
def test_an_audit_that_says_nothing_stops_the_work(case, tmp_path, text, code) -> None:
    file = tmp_path / "found.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(run.Stopped) as stopped:
        run.hidden(replace(case.request, audit=str(file)), out=tmp_path / "out")
    assert code in {problem.code for problem in stopped.value.problems}
    assert not (tmp_path / "out").exists()
