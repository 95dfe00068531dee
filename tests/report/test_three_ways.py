"""The book three ways by hand: sums, ranges, ratios, and the findings with their reasons."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from arrears import report
from arrears.report import threeways
from arrears.standing.hidden.finding import DRAWS, Drawn, Hidden

SIGNS = ("e1", "e2", "e3", "e4", "e5", "interest_only", "dressed", "short_of_notch")


def loans(rows: list[dict[str, object]]) -> pl.DataFrame:
    plain = {
        "branch": "North", "product": "consumer", "province": None, "sector": None, "originator": None,
        "principal": 100, "interest": 0, "fees": 0, "days_past_due": 0, "reported_class": "normal",
        "renewals": 0, "restructured_on": None, "provision": 0,
    }  # fmt: skip
    return pl.DataFrame(
        [{"loan_id": f"L{k}"} | plain | row for k, row in enumerate(rows)],
        schema_overrides={"restructured_on": pl.Date, "renewals": pl.Int32},
    )


def stood(given: pl.DataFrame, classes: list[str], p: list[float]) -> pl.DataFrame:
    return given.select("loan_id").with_columns(
        five_tier=pl.Series(classes),
        stage=pl.lit(1, pl.Int8),
        p_hidden=pl.Series(p, dtype=pl.Float64),
        hidden_amount=pl.Series(p, dtype=pl.Float64) * given["principal"],
    )


def hidden(standing: pl.DataFrame, **signs: list[float]) -> Hidden:
    """Every loan hides its expectation in half of the draws, twice it in the others' stead."""
    n = standing.height
    amounts = np.outer(standing["hidden_amount"], np.tile([0.5, 1.5], DRAWS // 2))
    loan, draw = np.indices((n, DRAWS)).reshape(2, -1)
    draws = Drawn(loan, draw, amounts.ravel().astype(np.float32))
    shown = {name: signs.get(name, [0.0] * n) for name in SIGNS} | {
        "evidence": ["E2 renewed in May"] * n
    }
    table = standing.select("loan_id", "p_hidden", "hidden_amount")
    return Hidden(table, np.arange(n), draws, "model", "So.", pl.DataFrame(shown))


@pytest.fixture
def book():
    given = loans(
        [
            {"days_past_due": 100, "reported_class": "special_mention"},
            {"days_past_due": 100, "reported_class": "substandard", "provision": 50},
            {"reported_class": "special_mention", "renewals": 3},
            {"branch": "South", "principal": 600},
        ]
    )
    standing = stood(given, ["substandard", "substandard", "normal", "normal"], [0, 0, 0.8, 0.0])
    found = hidden(standing)
    return given, standing, found, report.book(given, standing, found)


def test_each_cut_adds_up_and_the_hidden_part_stands_on_the_rules(book) -> None:
    _, _, _, table = book
    total = table.filter(cut="total").row(0, named=True)
    assert (total["loans"], total["claim"], total["reported"], total["by_rule"]) == (4, 900, 100, 200)  # fmt: skip
    assert total["with_hidden"] == pytest.approx(280)
    assert (total["lo90"], total["hi90"]) == pytest.approx((240, 320))
    for cut in ("product", "branch"):
        sums = table.filter(cut=cut).select(pl.col("claim", "by_rule", "with_hidden").sum()).row(0)
        assert sums == pytest.approx((900, 200, 280))
    south = table.filter(cut="branch", key="South").row(0, named=True)
    assert south["with_hidden"] == south["by_rule"] == 0


def test_the_warning_ratios_by_hand(book) -> None:
    given, standing, _, _ = book
    table = report.warnings(given, standing)
    value = dict(table.filter(cut="total").select("ratio", "value").iter_rows())
    assert value["past 90 days to reported bad"] == 2.0
    assert value["bad by the rules to reported bad"] == 2.0
    assert value["bad with hidden to reported bad"] == pytest.approx(2.8)
    assert value["special mention"] == pytest.approx(200 / 900)
    assert value["renewed at least once"] == pytest.approx(100 / 900)
    assert value["restructured"] == 0.0
    assert value["provisions to reported bad"] == 0.5
    assert value["provisions to bad by the rules"] == 0.25
    assert value["provisions to bad with hidden"] == pytest.approx(50 / 280)
    south = dict(table.filter(key="South").select("ratio", "value").iter_rows())
    assert south["past 90 days to reported bad"] is None, "nothing is reported there"


def test_what_is_not_told_is_not_zero() -> None:
    given = loans([{}, {"branch": "South"}]).with_columns(
        reported_class=pl.lit(None, pl.String), provision=pl.lit(None, pl.Int64), renewals=pl.lit(None, pl.Int32)
    )  # fmt: skip
    standing = stood(given, ["normal"] * 2, [0.0, 0.0]).with_columns(
        p_hidden=pl.lit(None, pl.Float64), hidden_amount=pl.lit(None, pl.Float64)
    )
    value = dict(report.warnings(given, standing).filter(cut="total").select("ratio", "value").iter_rows())  # fmt: skip
    assert {name for name, found in value.items() if found is not None} == {"restructured"}
    nobody = Drawn(np.arange(0), np.arange(0), np.zeros(0, np.float32))
    none = Hidden(standing, np.arange(0), nobody, "none", "No.", pl.DataFrame())
    table = report.book(given, standing, none)
    assert table["with_hidden"].null_count() == table["reported"].null_count() == table.height
    total = table.filter(cut="total").row(0, named=True)
    assert "no history tells what is hidden" in threeways.first(total)[2]
    assert "carries no reported class" in threeways.title(total)


def test_a_class_milder_than_the_rules_is_a_finding_and_a_stricter_one_is_none(book) -> None:
    given, standing, found, table = book
    told = report.findings(given, standing, table, found)
    row = told.filter(code="REPORTED-MILDER", cut="total").row(0, named=True)
    assert (row["loans"], row["amount"]) == (1, 100.0)
    assert row["why"] == "1 reported special mention, substandard by the rules, e.g. loan L0"
    behind = told.filter(code="BRANCH-BEHIND").row(0, named=True)
    assert (behind["key"], behind["amount"]) == ("North", 100.0)


def branches(*, hiding: float, honest: float = 0.02) -> tuple[pl.DataFrame, ...]:
    """Forty loans of one branch that may hide, and 160 of four that hardly do."""
    given = loans([{"branch": "West" if k < 40 else f"East {k % 4}"} for k in range(200)])
    p = [hiding if k < 20 else honest for k in range(200)]
    standing = stood(given, ["normal"] * 200, p)
    e2 = [1.0 if k < 18 or k in {60, 61} else 0.0 for k in range(200)]
    found = hidden(standing, e2=e2)
    table = report.book(given, standing, found)
    return report.findings(given, standing, table, found).filter(code="BRANCH-HIDES"), table


def test_a_branch_that_hides_is_named_with_the_signs_its_loans_show() -> None:
    told, table = branches(hiding=0.9)
    row = told.row(0, named=True)
    assert told["key"].to_list() == ["West"]
    assert row["loans"] == 20
    assert row["amount"] == pytest.approx(20 * 90 + 20 * 2)
    assert "23.0 times the share of the other branches" in row["why"]
    sign = (
        "of 20 loans likely bad: renewed or extended without repayment on 18 (of sound ones 1.1 %)"
    )
    assert sign in row["why"]
    assert row["why"].endswith("e.g. loan L0: renewed in May")  # fmt: skip
    three = report.ThreeWays(table, pl.DataFrame(), pl.DataFrame(), told, "So.")
    page = " ".join(threeways.stands_out(three))
    assert "One branch stands out: " in page


def test_where_all_hide_alike_no_branch_is_named() -> None:
    assert branches(hiding=0.02)[0].is_empty()
    assert branches(hiding=0.6, honest=0.6)[0].is_empty()
