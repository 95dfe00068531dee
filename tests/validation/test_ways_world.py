"""Plans are tried fairly: equal capacity for all, and nothing planted is read."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from validation import ways_world
from validation.worlds import field, policies


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory):
    made = field.Field(field.Setting(loans=500, later=24, seed=5))
    return made, ways_world.resolved(made, tmp_path_factory.mktemp("ways"))


def test_a_ranking_gets_no_more_and_the_plan_no_more_than_the_capacity(tried) -> None:
    made, found = tried
    scarce = ways_world.options(found)
    score = policies.scores(made.tables, seed=5)["balance"]
    plan = policies.fill(found.situation.loans, score, scarce)
    limits = {
        row["capacity"]: row for row in found.plan.capacities.filter(scope="").iter_rows(named=True)
    }
    assert all(row["used"] <= row["limit"] + 1e-9 for row in limits.values())
    assert (plan["channel"] == "litigate").sum() == limits["court_filings"]["limit"]
    assert (plan["channel"] == "restructure").sum() == limits["restructure_offers"]["limit"]


def test_the_plan_reads_no_planted_kind(tried) -> None:
    _, found = tried
    columns = set(found.situation.loans.columns) | set(found.plan.table.columns)
    assert "kind" not in columns


def test_every_loan_of_the_plan_is_told_to_the_field(tried) -> None:
    made, found = tried
    told = ways_world.as_told(found)
    assert told["loan_id"].equals(found.plan.table["loan_id"])
    steps = set(told.filter(pl.col("channel") == "collect")["step"])
    assert steps <= {*ways_world.STEPS, "none"}
    worth, cash = ways_world.brought(
        made, told, ways_world.Prices.of(found.situation), 2, found.situation.rate
    )
    assert (worth > 0).all()
    assert (worth <= cash).all()
    assert np.isfinite(worth).all()
