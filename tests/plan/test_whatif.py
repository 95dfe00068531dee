"""What other limits would do; fairness between a borrower's loans; leaving the plan before only where that pays."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears import run
from arrears.channels import CHANNELS, COLUMNS
from arrears.channels.situation import numbers_of
from arrears.plan import Capacity, check_scopes
from arrears.plan.borrowers import contradicting


@pytest.fixture(scope="module")
def runs(tmp_path_factory, root):
    place = tmp_path_factory.mktemp("whatif")
    recipe = root / "examples/eastern_bank/recipe.yaml"
    run.synth(run.SynthRequest(loans=1_200, months=1, recipe=recipe, seed=7), out=place / "book")
    book = str(place / "book/loans.csv")
    text = "capacities:\n  - {name: court_filings, max: 3}\n  - {name: call_hours, max: 300}\n"
    (place / "tight.yaml").write_text(text, "utf-8")
    tight = run.Request(book, capacity=str(place / "tight.yaml"), scenarios=20)
    first = run.resolve(tight, out=place / "first")
    after = run.Request(book, previous=str(place / "first/plan.parquet"), scenarios=20)
    return first, run.resolve(after), run.resolve(run.Request(book, scenarios=20))


def test_a_limit_is_worth_less_with_each_unit(runs) -> None:
    told = runs[0].what_if.capacities
    assert (told["shadow_price"] > 0).any()
    for row in told.iter_rows(named=True):
        assert row["shadow_low"] <= row["shadow_price"] <= row["shadow_high"]


def test_what_is_put_off_to_months_without_a_limit_stands_in_the_report(runs) -> None:
    told = [one for one in runs[0].problems if one.code == "CAPACITY-NOT-LATER"]
    assert told
    inputs = runs[1].record["inputs"]
    (path,) = [Path(one["path"]) for one in inputs if one["name"] == "previous"]
    page = html.unescape((path.parent / "report.html").read_text("utf-8"))
    for one in told:
        assert one.found in page


def test_a_floor_and_a_ceiling_have_ranges_of_their_own(runs, tmp_path) -> None:
    limits = tmp_path / "both.yaml"
    line = "{name: npl_removed, min: 1_500_000 yuan, max: 900_000_000 yuan}"
    limits.write_text(f"capacities:\n  - {line}\n", "utf-8")
    book = runs[0].record["inputs"][0]["path"]
    found = run.resolve(run.Request(book, capacity=str(limits), scenarios=20)).what_if.capacities
    told = {row["sense"]: row for row in found.iter_rows(named=True)}
    assert told["min"]["shadow_price"] > 0.0
    assert told["min"]["shadow_high"] > 0.0
    assert told["max"]["shadow_price"] == told["max"]["shadow_low"] == 0.0
    assert told["max"]["shadow_high"] == pytest.approx(0.0, abs=1e-9)


def test_no_way_less_is_worth_more(runs) -> None:
    cases = {row["case"]: row["value"] for row in runs[0].what_if.cases.iter_rows(named=True)}
    base = cases["these limits"]
    assert cases["no limits"] >= base * (1 - 1e-9)
    assert all(cases[f"without {name}"] <= base * (1 + 1e-5) for name in CHANNELS[1:])
    plan = runs[0].plan
    assert plan.value - plan.pool_costs <= base * (1 + 1e-5)


def test_a_way_that_a_floor_needs_cannot_be_left_out(runs, tmp_path) -> None:
    floor = tmp_path / "floor.yaml"
    floor.write_text("capacities:\n  - {name: transfer_claim, min: 500_000 yuan}\n", "utf-8")
    book = runs[0].record["inputs"][0]["path"]
    out = tmp_path / "out"
    found = run.resolve(run.Request(book, capacity=str(floor), scenarios=20), out=out)
    cases = {row["case"]: row["change"] for row in found.what_if.cases.iter_rows(named=True)}
    assert cases.pop("without transfer") is None
    assert all(change is not None for change in cases.values())
    assert "a floor cannot be kept" in (out / "report.html").read_text("utf-8")


def test_a_better_ratio_never_costs_less(runs) -> None:
    points = runs[2].what_if.frontier
    removed, cost = points["npl_removed"].to_numpy(), points["cost"].to_numpy()
    scale = abs(points["value"][0])
    assert (np.diff(removed) >= 0.0).all()
    assert (np.diff(cost) >= -1e-5 * scale).all()
    assert cost[-1] > 0.0
    ratio = points["bad_loan_ratio"].to_numpy()
    assert (np.diff(ratio) <= 1e-12).all()


def test_ways_are_left_only_where_that_pays(runs) -> None:
    tight, after, free = (found.plan for found in runs)
    changed = (tight.table["channel"] != after.table["channel"]).sum()
    assert changed == after.moved
    price = runs[1].situation.number("channels/switch_cost")
    assert after.switching == changed * price
    assert 0 < changed <= (tight.table["channel"] != free.table["channel"]).sum()
    gains = after.table.filter(after.table["channel"] != tight.table["channel"])
    stayed = tight.table.join(gains.select("loan_id", new="value"), on="loan_id")
    assert (stayed["new"] - stayed["value"] > price - 1.0).all()
    assert after.value <= after.bound


def test_nobody_is_offered_terms_and_sued(runs) -> None:
    for found in runs:
        table = found.plan.table.group_by("borrower_id").agg(ways=pl.col("channel").unique())
        both = table["ways"].list.contains("restructure") & table["ways"].list.contains("litigate")
        assert not both.any()


@settings(deadline=None)
@given(st.data())
def test_bars_end_every_contradiction(data) -> None:
    count = data.draw(st.integers(1, 12))
    draw = data.draw
    borrowers = pl.Series([draw(st.sampled_from("ABC")) for _ in range(count)])
    column = np.array([draw(st.integers(0, len(COLUMNS) - 1)) for _ in range(count)])
    value = np.array([[draw(st.integers(0, 9)) for _ in COLUMNS] for _ in range(count)], float)
    bars = contradicting(numbers_of(borrowers), value, column)
    channel = np.array(CHANNELS)[column // 3]
    for person in borrowers.unique():
        mine = (borrowers == person).to_numpy()
        ways = set(channel[mine])
        clash = {"restructure", "litigate"} <= ways
        assert bars[mine].any() == clash
        if clash:
            worth = {way: value[mine & (channel == way), :] for way in ("restructure", "litigate")}
            sums = {
                way: value[np.flatnonzero(mine & (channel == way)), column[mine & (channel == way)]]
                for way in worth
            }
            kept = max(("restructure", "litigate"), key=lambda way: sums[way].sum())
            barred = "litigate" if kept == "restructure" else "restructure"
            first = 3 * CHANNELS.index(barred)
            assert bars[mine][:, first : first + 3].all()
            assert bars[mine].sum() == 3 * mine.sum()


LOANS = pl.DataFrame(
    {
        "court": ["Hangzhou", "Ningbo", None],
        "province": ["Zhejiang", "Zhejiang", "Jiangsu"],
        "branch": ["north", "south", "south"],
        "collector": [None, None, "Lin"],
        "agency": pl.Series([None, None, None], dtype=pl.String),
    }
)


@pytest.mark.parametrize(
    ("limits", "code", "word"),
    [
        ([{"max": 3, "scope": {"court": "Hangzhu"}}], "CAPACITY-SCOPE-EMPTY", "Hangzhou"),
        ([{"max": 3, "scope": {"agency": "A1"}}], "CAPACITY-SCOPE-EMPTY", "tells no agency"),
        (
            [{"max": 3, "scope": {"court": "Ningbo", "branch": "north"}}],
            "CAPACITY-SCOPE-EMPTY",
            "together",
        ),
        (
            [
                {"max": 3, "scope": {"branch": "south"}},
                {"max": 3, "scope": {"province": "Zhejiang"}},
            ],
            "CAPACITY-SCOPES-CROSS",
            "share 1 loan,",
        ),
        (
            [{"min": 5, "scope": {"province": "Jiangsu"}}, {"max": 4}],
            "CAPACITY-CLASH",
            "whole book",
        ),
    ],
)
def test_limits_are_held_against_loans_and_each_other(limits, code, word) -> None:
    found = check_scopes([Capacity(name="visits", **limit) for limit in limits], LOANS)
    assert [problem.code for problem in found] == [code]
    assert word in found[0].line()


def test_a_limit_is_named_by_its_number_in_the_file() -> None:
    limits = [
        Capacity(name="visits", max=1),
        Capacity(name="visits", max=1, scope={"court": "Hangzhu"}),
        Capacity(name="visits", min=5, scope={"branch": "south"}),
        Capacity(name="visits", max=9, scope={"province": "Zhejiang"}),
    ]
    found = {problem.code: problem for problem in check_scopes(limits, LOANS)}
    assert {code: problem.where for code, problem in found.items()} == {
        "CAPACITY-SCOPE-EMPTY": "capacities/2 visits court=Hangzhu",
        "CAPACITY-CLASH": "capacities/3 visits branch=south",
        "CAPACITY-SCOPES-CROSS": "capacities/3 visits branch=south",
    }
    assert "(capacities/1)" in found["CAPACITY-CLASH"].found
    assert "(capacities/4)" in found["CAPACITY-SCOPES-CROSS"].found


def test_money_floors_and_ceilings_clash_in_yuan() -> None:
    found = check_scopes(
        [
            Capacity(name="npl_removed", min=300_000, scope={"branch": "south"}),
            Capacity(name="npl_removed", max=200_000),
        ],
        LOANS,
    )
    assert "At least 3,000 yuan is asked for, at most 2,000 yuan" in found[0].found


def test_nested_scopes_and_scopes_apart_are_as_they_should_be() -> None:
    limits = [
        {"max": 9},
        {"max": 3, "scope": {"province": "Zhejiang"}},
        {"max": 2, "scope": {"court": "Ningbo"}},
        {"max": 2, "scope": {"court": "Jiangsu"}},
        {"max": 2, "scope": {"collector": "north"}},
    ]
    assert check_scopes([Capacity(name="visits", **limit) for limit in limits], LOANS) == []


def test_a_holder_that_may_sell_nothing_gets_a_plan_and_a_page(runs, tmp_path) -> None:
    book = runs[0].record["inputs"][0]["path"]
    out = tmp_path / "out"
    run.resolve(run.Request(book, holder="fintech", scenarios=20), out=out)
    told = pl.read_csv(out / "disposals.csv")
    assert told["cash"].null_count() == told.height
    assert (out / "report.html").exists()
