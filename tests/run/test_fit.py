"""`fit`, and the commands that take its model."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from arrears import run
from arrears.recovery.fitting.glm import FitMissing
from arrears.run.modelfile import read_model
from tests.recovery.fitting.tables import DAY, known_book, loans


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> run.Request:
    """800 loans past day 91 with fourteen months of payments, and one loan of a thin product."""
    out = tmp_path_factory.mktemp("small")
    table, paid = known_book(800, 14, seed=4)
    thin = loans({"loan_id": "M", "product": "mortgage", "days_past_due": 300})
    told = pl.concat([table, thin]).with_columns(
        borrower_id="loan_id", lender=pl.lit("Bank"), as_of=pl.lit(DAY)
    )
    told.write_parquet(out / "loans.parquet")
    paid.write_parquet(out / "payments.parquet")
    files = {name: str(out / f"{name}.parquet") for name in ("loans", "payments")}
    return run.Request(**files, scenarios=40)


@pytest.fixture(scope="module")
def fitted(small: run.Request, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, run.Done]:
    out = tmp_path_factory.mktemp("fitted") / "fit"
    return out, run.fit(small, out=out)


def test_a_fit_leaves_model_page_and_pools(fitted: tuple[Path, run.Done]) -> None:
    out, done = fitted
    model, problems = read_model(out / "model.json")
    assert model is not None
    assert not problems
    assert done.summary["believed"] == pytest.approx(model.believed)
    page = (out / "fit.html").read_text("utf-8")
    assert f"{model.seen.payments:,} payments seen" in page
    assert page.count("<svg") >= 4
    assert model.tests
    assert not re.search(r"\bnan\b|\bNone\b", page)
    pools = pl.read_csv(out / "pools.csv")
    assert pools.columns == ["by", "pool", "loans", "claim", "collected", "remaining", "se", "tail"]
    triangle = pl.read_csv(out / "triangle_default.csv")
    sums = triangle.filter(~pl.col("estimated")).group_by("pool").agg(pl.col("cash").sum())
    both = pools.filter(by="default").join(sums, on="pool")
    assert both["collected"].to_list() == pytest.approx(both["cash"].to_list())
    record = json.loads((out / "run.json").read_text("utf-8"))
    assert set(record["products"]) >= {"model.json", "fit.html", "pools.csv"}
    thin = [problem for problem in done.problems if problem.code == "FIT-TOO-LITTLE"]
    assert thin
    assert all("lacks" in problem.why for problem in thin)


def test_the_same_tape_gives_the_same_model(
    small: run.Request, fitted: tuple[Path, run.Done], tmp_path: Path
) -> None:
    run.fit(small, out=tmp_path / "again")
    first, again = (folder / "model.json" for folder in (fitted[0], tmp_path / "again"))
    assert first.read_bytes() == again.read_bytes()


def test_a_run_with_a_model_says_so_and_is_verified(
    small: run.Request, fitted: tuple[Path, run.Done], tmp_path: Path
) -> None:
    model = str(fitted[0] / "model.json")
    request = replace(small, model=model, payments=None)
    found = run.resolve(request, out=tmp_path / "result")
    assert found.situation.forecast.basis == "model"
    inputs = {entry["name"]: entry for entry in found.record["inputs"]}  # type: ignore[attr-defined]
    assert inputs["model"]["path"] == model
    assert inputs["model"]["rows"] is None
    assert "model of the bank" in (tmp_path / "result/report.html").read_text("utf-8")
    assert run.verify(tmp_path / "result").products > 10
    priced = run.price(request, out=tmp_path / "price")
    assert priced.summary["basis"] == "model"
    assert "payments in" in str(priced.summary["rests_on"])
    prior = run.forecast(replace(request, model=None), out=tmp_path / "prior")
    ours = run.forecast(request, out=tmp_path / "ours")
    assert prior.summary["basis"] == "market prior"
    assert ours.summary["basis"] == "model"
    assert ours.summary["mean_12m"] != prior.summary["mean_12m"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (None, "MODEL-NOT-FOUND"),
        ("{", "MODEL-NOT-JSON"),
        ("[]", "MODEL-OTHER-FORMAT"),
        ({"format": "something else"}, "MODEL-OTHER-FORMAT"),
        ({"format_version": 99}, "MODEL-OTHER-VERSION"),
        ({"log_odds": [0.0]}, "MODEL-BAD-VALUE"),
        ({"share_paid": "much"}, "MODEL-BAD-VALUE"),
        ({"surprise": 1}, "MODEL-UNKNOWN-FIELD"),
        ({"products": {}}, "MODEL-BAD-VALUE"),
    ],
)
def test_another_model_is_refused(
    small: run.Request, fitted: tuple[Path, run.Done], tmp_path: Path, change: object, code: str
) -> None:
    path = tmp_path / "model.json"
    if isinstance(change, str):
        path.write_text(change)
    elif isinstance(change, dict):
        told = json.loads((fitted[0] / "model.json").read_text("utf-8"))
        path.write_text(json.dumps({**told, **change}))
    with pytest.raises(run.Stopped) as stopped:
        run.forecast(replace(small, model=str(path)), out=tmp_path / "out")
    assert stopped.value.status == 2
    assert code in {problem.code for problem in stopped.value.problems}
    assert all(len(problem.found) < 400 for problem in stopped.value.problems)
    assert not (tmp_path / "out").exists()


def test_a_model_that_has_seen_what_came_after_is_told(
    small: run.Request, fitted: tuple[Path, run.Done], tmp_path: Path
) -> None:
    told = json.loads((fitted[0] / "model.json").read_text("utf-8"))
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**told, "as_of": "2025-12-31"}))
    done = run.forecast(replace(small, model=str(path)), out=tmp_path / "out")
    assert "MODEL-SEES-AHEAD" in {problem.code for problem in done.problems}


def test_without_history_there_is_nothing_to_fit(small: run.Request, tmp_path: Path) -> None:
    with pytest.raises(run.Stopped) as stopped:
        run.fit(replace(small, payments=None), out=tmp_path / "out")
    assert [problem.code for problem in stopped.value.problems] == ["NO-HISTORY"]


def test_a_history_before_any_default_and_payments_past_the_debt_are_told(tmp_path: Path) -> None:
    (tmp_path / "loans.csv").write_text(
        "loan_id,borrower_id,lender,product,principal,original_principal,days_past_due,as_of\n"
        "A,1,b,consumer,100000,200000,150,2025-03-31\nB,2,b,consumer,100000,200000,150,2025-03-31\n"
    )
    (tmp_path / "payments.csv").write_text(
        "loan_id,date,amount\nA,2024-08-01,5000\nB,2024-09-01,900000000\nC,2024-09-01,5\n"
        "A,2024-12-31,0\n"
    )
    request = run.Request(str(tmp_path / "loans.csv"), payments=str(tmp_path / "payments.csv"))
    done = run.fit(request, out=tmp_path / "fit")
    codes = {problem.code for problem in done.problems}
    assert {"PAYMENT-OVER-DEBT", "UNKNOWN-LOAN", "FIT-TOO-LITTLE"} <= codes
    (tmp_path / "payments.csv").write_text("loan_id,date,amount\nA,2027-08-01,5000\n")
    late = run.fit(request, out=tmp_path / "late")
    assert "NO-LOAN-MONTHS" in {problem.code for problem in late.problems}
    assert late.summary["chosen"] == "market prior"


def test_payments_that_end_long_before_the_cut_off_date_are_told_and_rare_ones_are_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "loans.csv").write_text(
        "loan_id,borrower_id,lender,product,principal,original_principal,days_past_due,as_of\n"
        "A,1,b,consumer,100000,200000,900,2025-03-31\n"
    )
    request = run.Request(str(tmp_path / "loans.csv"), payments=str(tmp_path / "payments.csv"))

    def told(days: list[str]) -> list[str]:
        rows = "".join(f"A,{day},100\n" for day in days)
        (tmp_path / "payments.csv").write_text(f"loan_id,date,amount\n{rows}")
        done = run.fit(request, out=tmp_path / "fit", force=True)
        early = [problem for problem in done.problems if problem.code == "HISTORY-ENDS-EARLY"]
        return [problem.found for problem in early]

    often = [f"2024-{month:02d}-{day:02d}" for month in range(1, 9) for day in (3, 13)]
    found = told(often)
    assert "2024-08-13; the 7 whole months" in found[0]
    assert "2 a month were usual" in found[0]
    assert not told([*often, "2025-03-02"])
    assert not told(["2023-08-03", "2024-08-03"]), "one in half a year: silence tells nothing"


def test_a_row_mistyped_into_another_century_does_not_make_a_history(
    small: run.Request, fitted: tuple[Path, run.Done], tmp_path: Path
) -> None:
    payments = pl.read_parquet(str(small.payments))
    stray = payments.head(1).with_columns(date=pl.lit(date(1999, 5, 5)))
    path = tmp_path / "payments.parquet"
    pl.concat([payments, stray]).write_parquet(path)
    done = run.fit(replace(small, payments=str(path)), out=tmp_path / "fit")
    told = [problem for problem in done.problems if problem.code == "HISTORY-BEGINS-ALONE"]
    assert "1 row lies alone, from 1999-05-05 on" in told[0].found
    assert done.summary["products"] == fitted[1].summary["products"]


def test_without_the_libraries_it_says_what_to_install(
    small: run.Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("glum", "tabmat", "lightgbm"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(FitMissing) as missing:
        run.fit(small, out=tmp_path / "out")
    assert "pip install" in missing.value.fix
    assert run.as_problem(missing.value).code == "FIT-NOT-INSTALLED"


def test_a_package_by_its_header_is_priced_by_the_model_and_again(
    fitted: tuple[Path, run.Done], tmp_path: Path
) -> None:
    header = tmp_path / "notice.yaml"
    told = "{name: A, base_date: %s, product: %s, unpaid: 9_000_000 yuan, loans: 300, days_overdue: 400}"
    header.write_text(told % (DAY, "credit_card"), "utf-8")
    model = fitted[0] / "model.json"
    bare = run.price_header(header, out=tmp_path / "bare", scenarios=40)
    done = run.price_header(header, out=tmp_path / "own", scenarios=40, model=model, seed=2)
    assert (bare.summary["basis"], done.summary["basis"]) == ("market prior", "model")
    assert not done.problems
    assert "payments in" in str(done.summary["rests_on"])
    # the known book pays other than the market does
    assert done.summary["price"] != pytest.approx(bare.summary["price"], rel=0.02)
    assert run.verify(tmp_path / "own").products == 4
    other = read_model(model)[0].model_copy(update={"why": "changed"})  # type: ignore[union-attr]
    (tmp_path / "model.json").write_text(other.model_dump_json(), "utf-8")
    with pytest.raises(run.Stopped) as stopped:
        run.verify(tmp_path / "own", inputs=tmp_path)
    assert "input model" in {problem.where for problem in stopped.value.problems}


def test_a_model_that_does_not_fit_a_header_says_so(
    fitted: tuple[Path, run.Done], tmp_path: Path
) -> None:
    header = tmp_path / "notice.yaml"
    told = "{name: A, base_date: %s, product: %s, unpaid: 9_000_000 yuan, loans: 300, days_overdue: 400}"
    header.write_text(told % ("2024-01-31", "business"), "utf-8")
    model = fitted[0] / "model.json"
    done = run.price_header(header, out=tmp_path / "own", scenarios=40, model=model)
    assert {problem.code for problem in done.problems} == {"MODEL-SEES-AHEAD", "MODEL-NOT-SEEN"}
    with pytest.raises(run.Stopped) as stopped:
        run.price_header(header, out=tmp_path / "no", model=header)
    assert [problem.code for problem in stopped.value.problems] == ["MODEL-NOT-JSON"]
