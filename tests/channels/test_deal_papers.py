"""The papers of a deal that the plan proposes: a deal file and cash that the deal commands take as they are."""

from __future__ import annotations

import re

from arrears import run
from arrears.channels.issue import SCENARIOS
from arrears.handover.pools import write_deal
from arrears.run.deals import package_reports


def test_a_package_for_investors_runs_as_it_lies_there(situation, tmp_path) -> None:
    loans = situation(*({"days_past_due": 95 + 12 * n, "principal": 30_000_000} for n in range(60)))
    for channel in ("securitise", "income_rights"):
        place = tmp_path / channel / "package-01"
        place.mkdir(parents=True)
        write_deal(loans.loans, loans, channel, place)
        ran = run.deal_run(
            place / "deal.yaml", cash=place / "cash.parquet", out=tmp_path / f"{channel}-out"
        )
        told = ran.summary
        assert ran.problems == ()
        assert told["scenarios"] == SCENARIOS
        assert told["conservation"]["difference"] == 0
        expected = loans.forecast.at(36)["mean"]
        assert abs(told["collections"]["mean"] / expected - 1.0) < 0.05
        sheet = (place / "term_sheet.md").read_text("utf-8")
        assert all(f"| {name} |" in sheet for name in told["tranches"])
        kind = {"securitise": "Bad-loan securities", "income_rights": "Income rights"}[channel]
        lender = loans.loans["lender"][0]
        assert sheet.startswith(f"# {kind} of {lender}, package 01\n")
        if channel == "securitise":
            assert told["tranches"]["Senior"]["probability_of_shortfall"] <= 0.005


def test_the_report_of_a_deal_is_a_page_and_a_workbook(situation, tmp_path) -> None:
    loans = situation(*({"days_past_due": 95 + 12 * n, "principal": 30_000_000} for n in range(60)))
    write_deal(loans.loans, loans, "securitise", tmp_path)
    came = tmp_path / "came.csv"
    came.write_text(
        "scenario,month,collections\n" + "".join(f"0,{m},100000\n" for m in range(1, 8))
    )
    run.deal_report(
        tmp_path / "deal.yaml", cash=tmp_path / "cash.parquet", out=tmp_path / "out", actual=came
    )
    page = (tmp_path / "out/report.html").read_text("utf-8")
    assert "of what was forecast until now has come in" in page
    assert page.count("<svg") == 2
    assert (tmp_path / "out/report.xlsx").stat().st_size > 5_000


def test_each_deal_of_a_plan_has_its_page_beside_it(situation, tmp_path) -> None:
    loans = situation(*({"days_past_due": 95 + 12 * n, "principal": 30_000_000} for n in range(60)))
    for way in ("securitise", "income_rights"):
        place = tmp_path / "handover" / way / "package-01"
        place.mkdir(parents=True)
        write_deal(loans.loans, loans, way, place)
    told = package_reports(tmp_path / "handover")
    assert [one["place"] for one in told] == [
        "handover/income_rights/package-01",
        "handover/securitise/package-01",
    ]
    for one in told:
        page = (tmp_path / str(one["place"]) / "report.html").read_text("utf-8")
        assert "<svg" in page
        assert (tmp_path / str(one["place"]) / "report.xlsx").exists()
        assert 0 < one["size"] <= one["issue"] < one["collections"]
        assert ("1 class</span>" in page) == ("income" in str(one["place"]))
        assert "<h1>Class " in page
        assert "n/a" not in page
        assert not re.search(r">[a-z]+_[a-z_]+<", page)
        assert "servicing fee, yuan" in page
        assert re.search(
            r"[\d.]+ % of what is collected has come in by the first payment date", page
        )
        # A class is drawn from its size at closing on
        first = page.split('id="fans"')[1].split("<svg")[1].split("</svg>")[0]
        assert ">0</text>" in first
        own = (tmp_path / str(one["place"]) / "term_sheet.md").read_text("utf-8")
        cost = "500,000" if "income" in str(one["place"]) else "2,000,000"
        assert f"Fixed costs of the deal, about {cost} yuan" in own
        order = next(line for line in own.split("\n") if "Order of payment" in line)
        assert "expenses capped, servicing" in order
        assert "expenses capped, servicing" in page
    sheet = (tmp_path / "handover/securitise/package-01/term_sheet.md").read_text("utf-8")
    assert "No public deal was smaller" in sheet
