"""Which way is open to whom, and what it is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from arrears import channels, rules
from arrears.channels import (
    collect,
    income_rights,
    ladder,
    litigate,
    restructure,
    securitise,
    transfer,
)
from arrears.recovery.forecast import window

FILES = {
    file.NAME: file
    for file in (collect, restructure, litigate, transfer, securitise, income_rights)
}
TABLE = yaml.safe_load((Path(__file__).parent / "eligibility.yaml").read_text("utf-8"))


@pytest.mark.parametrize("row", TABLE, ids=[row["say"] for row in TABLE])
def test_eligibility(situation, row) -> None:
    day = row.get("day", date(2025, 3, 31))
    there = situation(row.get("loan", {}), holder=row.get("holder"), day=day)
    permit = FILES[row["way"]].permit(there, row.get("start", 0))
    if "eligible" in row:
        assert bool(permit.eligible[0]) == row["eligible"]
        if row["eligible"]:
            assert permit.after_reclass[0]
        else:
            told = permit.bars[permit.blocked[0]].told
            assert told.startswith(row.get("by", "CN-"))
    if "after" in row:
        assert bool(permit.after_reclass[0]) == row["after"]


def test_every_bar_names_an_article_and_values_of_the_rulebook(situation) -> None:
    book = rules.load("cn")
    paths = set(book.paths())
    for kind in channels.KINDS:
        offers = channels.offers(situation({"fraud_flag": True}, holder={"kind": kind}))
        for permit in offers.permits:
            for bar in permit.bars:
                assert bar.article in book.articles
                assert set(bar.rests) <= paths


def test_the_value_of_collecting_worked_by_hand(situation) -> None:
    there = situation({})
    rate = (1 + 0.024) ** (-1 / 12)
    shift = float(ladder.ladders(there).shift[0])
    moved = replace(there.forecast, score=there.forecast.score + shift)
    cash = [
        float(moved.voluntary(window(0.0, m, m + 1)[None, :], shift=-shift, from_month=3)[0, 0])
        for m in range(120)
    ]
    worth = [amount * rate ** (month + 1) for month, amount in enumerate(cash)]
    # 10 months past day 91: the commission from 9 months on, but on nothing that own calls bring in the quarter
    commission, effort = 0.3, float(ladder.ladders(there).cost[0])
    pv = sum(worth) - commission * sum(worth[3:]) - effort
    book_value = 5_430_000 - 1_000_000
    value = pv - 0.25 * max(pv - book_value, 0.0)
    row = channels.offers(there).table().filter(channel="collect", start_month=0).row(0, named=True)
    assert row["value"] == pytest.approx(value, rel=1e-4)
    assert row["pnl"] == pytest.approx(row["value"] - book_value, rel=1e-9)
    assert row["cost"] == pytest.approx(sum(cash[3:]) * commission + effort, rel=1e-4)
    assert effort > 6_000
    assert row["uses_call_hours"] == 1.0
    assert row["capital_freed"] == 0.0


def test_the_price_of_a_sale_worked_by_hand(situation) -> None:
    there = situation({})
    row = (
        channels.offers(there).table().filter(channel="transfer", start_month=0).row(0, named=True)
    )
    months = 400 / 30.4375
    low, high = np.log(0.126), np.log(0.080)
    published = np.exp(low + (high - low) * (months - 6) / 12) * 0.927
    # A buyer's return of 15 per cent; commission of 30, tax of 6 and courts of 5 per cent of what comes in
    bought = float(there.forecast.voluntary(window(0.15, 0, 60)[None, :])[0, 0]) * 0.59
    gross = 5_430_000 * published**0.6 * (bought / 5_430_000) ** 0.4
    net = (gross * 0.98 - 1_500) * 1.024 ** (-2 / 12)
    assert row["cash"] == pytest.approx(gross, rel=1e-9)
    assert row["value"] == pytest.approx(net, rel=1e-9)
    # past 90 days, provision 18 % of the claim, under 20 %: weight 150 %
    assert row["capital_freed"] == pytest.approx(4_430_000 * 1.5 * 0.105, rel=1e-12)
    assert row["provision_released"] == 1_000_000
    assert row["uses_npl_removed"] == row["uses_transfer_claim"] == 5_430_000


def test_a_written_off_loan_frees_no_capital_and_removes_no_bad_loan(situation) -> None:
    table = channels.offers(situation({"written_off": True})).table().filter(channel="transfer")
    assert table["eligible"].all()
    assert (table["capital_freed"] == 0).all()
    # Its provision was used up by the write-off
    assert (table["provision_released"] == 0).all()
    assert (table["uses_npl_removed"] == 0).all()


def test_a_sound_borrower_costs_no_call(situation) -> None:
    there = situation({"days_past_due": 0, "reported_class": "normal"})
    row = channels.offers(there).table().filter(channel="collect", start_month=0).row(0, named=True)
    assert row["cost"] == row["uses_call_hours"] == row["uses_visits"] == 0.0
    assert row["value"] > 0


def test_income_rights_free_no_capital_and_remove_nothing(situation) -> None:
    table = channels.offers(situation({})).table().filter(channel="income_rights")
    assert table["eligible"].all()
    assert (table["capital_freed"] == 0).all()
    assert (table["uses_npl_removed"] == 0).all()
    assert (table["uses_income_rights_claim"] == 5_430_000).all()


@settings(max_examples=40, deadline=None)
@given(
    principal=st.integers(1, 10**9),
    interest=st.integers(0, 10**8),
    fees=st.integers(0, 10**7),
    income=st.none() | st.integers(0, 10**7),
    product=st.sampled_from(["consumer", "credit_card", "business", "mortgage"]),
)
def test_terms_add_up_and_keep_the_cap(
    situation, principal, interest, fees, income, product
) -> None:
    loan = {"principal": principal, "interest": interest, "fees": fees, "monthly_income": income,
            "product": product}  # fmt: skip
    offered = channels.terms(situation(loan))
    count, each = int(offered.instalments[0]), int(offered.instalment[0])
    rest = principal + interest + fees - offered.waived_interest[0] - offered.waived_fees[0]
    assert 1 <= count <= {"mortgage": 360, "business": 120}.get(product, 60)
    assert abs(rest - count * each) < count
    assert rest - (count - 1) * each > 0
    assert 0 <= offered.waived_interest[0] <= interest
    assert 0 <= offered.waived_fees[0] <= fees


def test_offers_hold_every_way_and_start_and_are_null_where_barred(situation) -> None:
    table = channels.offers(situation({}, {"product": "mortgage"}, {"days_past_due": 0})).table()
    assert table.height == 3 * 18
    keys = ["loan_id", "channel", "start_month"]
    assert_frame_equal(table.select(keys), table.select(keys).sort(keys))
    barred = table.filter(~pl.col("eligible"))
    assert barred["value"].null_count() == barred.height > 0
    assert barred["blocked_by"].null_count() == 0
    assert table.filter("eligible")["value"].null_count() == 0


def test_a_loans_offers_do_not_depend_on_those_of_other_borrowers(situation) -> None:
    loans = [
        {"product": product, "days_past_due": days, "principal": size, "borrower_id": f"B{days}"}
        for product, days, size in (
            ("consumer", 10, 4_000_000), ("mortgage", 0, 80_000_000), ("business", 800, 9_000_000),
            ("credit_card", 130, 2_500_000), ("consumer", 2_900, 3_000_000),
        )
    ]  # fmt: skip
    whole = channels.offers(situation(*loans)).table()
    for number, loan in enumerate(loans):
        alone = channels.offers(situation({**loan, "loan_id": f"L{number}"})).table()
        assert_frame_equal(alone, whole.filter(loan_id=f"L{number}"), check_exact=True)


@pytest.mark.parametrize("kind", channels.KINDS)
def test_each_kind_of_holder_has_an_example(root, kind) -> None:
    holder, problems = channels.read_holder(str(root / f"examples/holders/{kind}.yaml"))
    assert holder is not None
    assert holder.kind == kind
    assert not problems


@pytest.mark.parametrize(
    ("written", "phone"),
    [("95000", "95000"), ('"95000"', "95000"), ("0571123456", "0571123456"), ("+86571", "+86571")],
)
def test_a_phone_number_may_look_like_a_number(tmp_path, written, phone) -> None:
    path = tmp_path / "holder.yaml"
    path.write_text(f"kind: city_bank\nservice_phone: {written}\n", "utf-8")
    holder, problems = channels.read_holder(str(path))
    assert holder is not None
    assert (holder.service_phone, problems) == (phone, [])


def test_a_kind_that_is_none_is_told_the_nearest() -> None:
    holder, problems = channels.read_holder("join_stock_bank")
    assert holder is None
    assert "joint_stock_bank" in problems[0].fix


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Zhejiang", "Zhejiang"),
        ("浙江", "Zhejiang"),
        ("浙江省", "Zhejiang"),
        ("广西壮族自治区", "Guangxi"),
        ("zhejiang province", "Zhejiang"),
        ("Henan", "Henan"),
        ("Bavaria", "Bavaria"),
    ],
)
def test_the_holders_province_is_known_by_its_chinese_name_too(tmp_path, told, name) -> None:
    path = tmp_path / "holder.yaml"
    path.write_text(f"kind: city_bank\nprovince: {told}\n", "utf-8")
    holder, problems = channels.read_holder(str(path))
    assert not problems
    assert holder is not None
    assert holder.province == name


def test_a_province_mistyped_is_told_with_the_nearest(tmp_path) -> None:
    path = tmp_path / "holder.yaml"
    path.write_text("kind: city_bank\nprovince: Zhejang\n", "utf-8")
    holder, problems = channels.read_holder(str(path))
    assert holder is None
    assert "is it 'Zhejiang'?" in problems[0].line()
