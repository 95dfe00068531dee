"""`classify`, `history`, `due` and `link` on a small book."""

from __future__ import annotations

import polars as pl
import pytest

from arrears import run


@pytest.fixture(scope="module")
def classified(case, tmp_path_factory):
    out = tmp_path_factory.mktemp("classified") / "out"
    run.classify(case.request, out=out)
    return out


def test_classify_says_what_the_main_job_says(case, classified) -> None:
    assert pl.read_parquet(classified / "standing.parquet").equals(case.found.standing)
    assert (classified / "book.csv").read_bytes() == (case.out / "book.csv").read_bytes()
    page = (classified / "book.html").read_text("utf-8")
    assert "Warning ratios" in page
    assert "<script" not in page
    warned = pl.read_csv(classified / "warnings.csv")
    loans, reported = case.found.tape.loans, ["substandard", "doubtful", "loss"]
    claim = pl.sum_horizontal("principal", "interest", "fees")
    late = loans.filter(pl.col("days_past_due") > 90).select(claim.sum()).item()
    bad = loans.filter(pl.col("reported_class").is_in(reported)).select(claim.sum()).item()
    assert warned["value"][0] == pytest.approx(late / bad)


def test_the_workbook_says_what_the_tables_say(classified) -> None:
    book = pl.read_csv(classified / "book.csv").filter(cut="branch").sort("key")
    sheets = pl.read_excel(classified / "book.xlsx", sheet_id=0)
    sheet = sheets["branch"].sort("key")
    for name in ("claim", "by_rule", "with_hidden", "lo90"):
        yuan = sheet[f"{name.replace('_', ' ')} (yuan)"].cast(pl.Float64)
        assert (yuan * 100).to_list() == pytest.approx(book[name].to_list(), abs=1)
    ratios = pl.read_csv(classified / "warnings.csv")
    assert sheets["Warning ratios"].height == ratios.height
    told = pl.read_csv(classified / "findings.csv")
    assert sheets["What stands out"]["code"].to_list() == told["code"].to_list()


def test_history_needs_months(case, tmp_path) -> None:
    from dataclasses import replace

    run.history(case.request, out=tmp_path / "out")
    roll = pl.read_csv(tmp_path / "out/roll.csv")
    sums = roll.group_by("month", "product", "from").agg(pl.col("p").sum())["p"]
    assert (sums - 1.0).abs().max() < 1e-9
    with pytest.raises(run.Stopped) as stopped:
        run.history(replace(case.request, months=None, payments=None), out=tmp_path / "none")
    assert [problem.code for problem in stopped.value.problems] == ["NO-MONTHS"]
    assert not (tmp_path / "none").exists()


def test_link_finds_the_borrowers_of_one_lender(case, tmp_path) -> None:
    run.link(case.request, out=tmp_path / "out")
    persons = pl.read_parquet(tmp_path / "out/persons.parquet")
    loans = case.found.tape.loans.join(persons, on="loan_id")
    assert (
        loans.group_by("lender", "borrower_id")
        .agg(pl.col("person_id").n_unique())["person_id"]
        .max()
        == 1
    )
    debtors = pl.read_parquet(tmp_path / "out/debtors.parquet")
    assert debtors.equals(pl.read_parquet(case.out / "debtors.parquet"))
    assert debtors["claim"].sum() == case.found.tape.claim.sum()
