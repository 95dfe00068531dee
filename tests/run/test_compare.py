"""Two runs side by side: what a limit and a reform change, and that nothing changes nothing."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from arrears import report, run
from arrears.run.limits_moved import OtherLimit, moved_by


def test_a_run_is_the_same_as_itself(case, tmp_path) -> None:
    found = run.compare(case.out, case.out, out=tmp_path / "out")
    assert found.summary["changed"] == 0
    assert found.table["why"].unique().to_list() == ["the same"]
    assert pl.read_parquet(tmp_path / "out/comparison.parquet").equals(found.table)


def test_other_limits_are_named_as_the_cause(case, root, tmp_path) -> None:
    capacity = tmp_path / "tight.yaml"
    text = (root / "tests/run/capacities.yaml").read_text("utf-8")
    capacity.write_text(text.replace("max: 40}", "max: 1}"), "utf-8")
    tight = tmp_path / "tight"
    run.resolve(replace(case.request, capacity=str(capacity)), out=tight)
    found = run.compare(case.out, tight, out=tmp_path / "out")
    plans = [pl.read_parquet(folder / "plan.parquet") for folder in (case.out, tight)]
    differ = plans[0]["channel"] != plans[1]["channel"]
    differ |= plans[0]["start_month"] != plans[1]["start_month"]
    assert found.summary["changed"] == differ.sum() > 0
    counts = found.summary["why"]
    of_limits = {why for why in counts if why.startswith("other limits")}
    assert set(counts) - of_limits <= {*report.SAME_WAY, "other loans took its place"}
    # Whoever was to be sued now and is not was in the way of the limit on filings
    now = [(plan["channel"] == "litigate") & (plan["start_month"] == 0) for plan in plans]
    freed = plans[0].filter(now[0] & ~now[1])["loan_id"]
    sued = found.table.filter(pl.col("loan_id").is_in(freed.implode()))
    assert of_limits == {"other limits: court filings at most 1, 40 before"} == set(sued["why"])
    limits = {(row["capacity"], row["scope"]): row["b"] for row in found.summary["limits"]}
    assert limits["court_filings", ""] == 1.0
    assert any("court filings at most 1," in line for line in found.lines())
    # Who starts later counts and is told as well as who goes another way
    assert found.moves["loans"].sum() == differ.sum()
    both = plans[0].join(plans[1], on="loan_id", suffix="_b").filter(differ)
    assert found.moves["gain"].sum() == pytest.approx((both["value_b"] - both["value"]).sum())
    page = (tmp_path / "out/comparison.html").read_text("utf-8")
    assert "court filings at most 1," in page


def test_what_packages_cost_is_in_the_change_of_the_plans_worth(case, root, tmp_path) -> None:
    capacity = tmp_path / "free.yaml"
    text = (root / "tests/run/capacities.yaml").read_text("utf-8")
    lines = [line for line in text.splitlines() if "npl_removed" not in line]
    capacity.write_text("\n".join(lines), "utf-8")
    free = tmp_path / "free"
    found = run.resolve(replace(case.request, capacity=str(capacity)), out=free)
    plans = [resolution.plan for resolution in (case.found, found)]
    costs = [plan.pool_costs for plan in plans]
    assert costs[0] > costs[1]
    net = (plans[1].value - costs[1]) - (plans[0].value - costs[0])
    told = run.compare(case.out, free, out=tmp_path / "out").lines()[0]
    saved = report.money(costs[0] - costs[1])
    worth = f"the plan's worth changes by {report.money(net)}"
    assert told.endswith(f"{worth}, packages, which cost {saved} less, taken off.")
    assert worth in (tmp_path / "out/comparison.html").read_text("utf-8").replace("&#x27;", "'")


def test_a_limit_is_blamed_only_where_it_can_have_moved_the_loan(tmp_path) -> None:
    """Of five loans: one in the court's province and one out of it leave court for calls; one goes to court; one was
    overtaken in worth; one starts later, where the limit does not look.
    """
    ids = ["in", "out", "to", "worth", "later"]
    ways = {"litigate": (1.0, 0.3), "collect": (0.0, 2.0)}
    offers = pl.DataFrame(
        [
            (loan, way, start, filings, hours)
            for loan in ids
            for way, (filings, hours) in ways.items()
            for start in (0, 6)
        ],
        schema={"loan_id": pl.String, "channel": pl.String, "start_month": pl.Int32,
                "uses_court_filings": pl.Float64, "uses_call_hours": pl.Float64},
        orient="row",
    )  # fmt: skip
    offers.write_parquet(tmp_path / "offers.parquet")
    provinces = ["Henan", "Hebei", "Henan", "Henan", "Henan"]
    pl.DataFrame({"loan_id": ids, "province": provinces}).write_parquet(
        tmp_path / "accepted.parquet"
    )
    moved = pl.DataFrame(
        {
            "loan_id": ids,
            "channel_a": ["litigate", "litigate", "collect", "litigate", "litigate"],
            "channel_b": ["collect", "collect", "litigate", "collect", "litigate"],
            "start_a": [0, 0, 0, 0, 0],
            "start_b": [0, 0, 0, 0, 6],
        }
    )
    henan = OtherLimit("court_filings", "province=Henan", "max", 9.0, 2.0, 5.0)
    hours = OtherLimit("call_hours", "", "max", 9.0, 20.0, 1.0)
    found = dict(moved_by(moved, [hours, henan], tmp_path).rows())
    assert henan.told() == "court filings (province Henan) at most 2, 9 before"
    # More hours draw a loan to calls, fewer filings drive it off: the dearer is named
    assert found == {
        "in": henan.told(),
        "out": hours.told(),
        "worth": henan.told(),
        "later": henan.told(),
    }
    worths = pl.DataFrame(
        {
            "loan_id": ids,
            "value_a": [10.0, 10.0, 10.0, 10.0, 10.0],
            "worth_of_b_in_a": [8.0, 8.0, 8.0, 8.0, 8.0],
            "value_b": [8.0, 8.0, 8.0, 12.0, 8.0],
            "worth_of_a_in_b": [10.0, 10.0, 10.0, 10.0, 10.0],
            "b_in_a": [True] * 5,
            "a_in_b": [True] * 5,
            "limit": [found.get(loan) for loan in ids],
        }
    )
    both = moved.join(worths, on="loan_id")
    why = both.select(report.why_moved(both_known=True)).to_series().to_list()
    assert why[0] == f"other limits: {henan.told()}"
    assert why[2] == "other loans took its place"
    assert why[3] == "another way is worth more now"
    same = both.select(report.why_moved(both_known=True, same_facts=True)).to_series()
    assert same[3] == why[0]


@pytest.mark.parametrize(
    ("sense", "a", "b", "towards"),
    [
        ("max", 5.0, 3.0, -1),
        ("max", None, 3.0, -1),
        ("max", 3.0, 5.0, 1),
        ("max", 3.0, None, 1),
        ("min", 5.0, 3.0, -1),
        ("min", 5.0, None, -1),
        ("min", 3.0, 5.0, 1),
        ("min", None, 5.0, 1),
    ],
)
def test_a_limit_moves_loans_to_or_from_what_it_counts(sense, a, b, towards) -> None:
    assert OtherLimit("visits", "", sense, a, b, 0.0).towards == towards


def test_money_limits_are_told_in_yuan_with_their_scope() -> None:
    limit = OtherLimit("transfer_claim", "branch=Branch 01, North", "min", None, 500_000.0, 0.0)
    said = "transfer claim (Branch 01, North) at least 5,000 yuan, none before"
    assert limit.told() == said
    gone = OtherLimit("visits", "", "max", 60.0, None, 0.0)
    assert gone.told() == "visits without limit, at most 60 before"
    assert limit.as_capacity.scope == {"branch": "Branch 01, North"}


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


@pytest.mark.parametrize(
    ("before", "worth_now", "now", "said"),
    [
        # The way before has lost, and another is worth more than it is today
        (10.0, 6.0, 8.0, "another way is worth more now"),
        # Nothing has changed but what may be done
        (10.0, 10.0, 8.0, "other limits, or other loans took its place"),
        (10.0, 10.0, 12.0, "other limits, or other loans took its place"),
        (10.0, 12.0, 8.0, "other limits, or other loans took its place"),
        (None, 6.0, 8.0, "other limits, or other loans took its place"),
    ],
)
def test_a_way_is_called_worth_more_only_where_worths_have_changed(before, worth_now, now, said):
    row = pl.DataFrame(
        {
            "channel_a": ["litigate"], "start_a": [0], "value_a": [before],
            "channel_b": ["collect"], "start_b": [0], "value_b": [now],
            "b_in_a": [True], "a_in_b": [True], "worth_of_a_in_b": [worth_now],
        },
        schema_overrides={"value_a": pl.Float64},
    )  # fmt: skip
    assert row.select(report.why_moved()).item() == said


def test_tighter_limits_make_no_way_worth_more(case, root, tmp_path) -> None:
    capacity = tmp_path / "tight.yaml"
    text = (root / "tests/run/capacities.yaml").read_text("utf-8")
    capacity.write_text(text.replace("max: 40}", "max: 1}"), "utf-8")
    request = replace(case.request, capacity=str(capacity), previous=str(case.out / "plan.parquet"))
    found = run.resolve(request, out=tmp_path / "out").changes
    assert found is not None
    other = found.filter(~pl.col("why").is_in(report.SAME_WAY))
    assert other.height > 0
    assert set(other["why"]) == {"other limits, or other loans took its place"}
