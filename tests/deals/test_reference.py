"""Worked deals, to the fen: every amount of every row of the reference files."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from arrears.deals import Deal, run_deal
from arrears.deals.answers import average_life, paid_in, received, xirr
from arrears.deals.engine import Day

CASES = [
    "N1_pass_through",
    "N2_card_npl",
    "N2b_card_npl_split_reversed",
    "N3_card_npl_45pct_eod",
    "N4a_trigger_curable",
    "N4b_trigger_not_curable",
    "N5a_floater_call",
    "N5b_floater_no_call",
    "N6_income_rights_trust",
    "N7_negative_collections",
]
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Path:
    return real_data.parent / "reference"


def ran(folder: Path, name: str) -> tuple[Deal, list[Day], dict[str, object]]:
    told = json.loads((folder / f"{name}.json").read_text("utf-8"))
    deal = Deal.model_validate(told["inputs"] | {"name": name})
    days = run_deal(deal, [period.gross_collections or 0 for period in deal.dates()])
    return deal, days, told["expected"]


def row(day: Day) -> dict[str, object]:
    costs = day.costs

    def line(name: str) -> dict[str, int]:
        found = getattr(day, name)
        return {
            "unpaid_open": found.open, "new": found.new, "due": found.due, "paid": found.paid,
            "unpaid_close": found.due - found.paid,
        }  # fmt: skip

    return {
        "t": day.t,
        "payment_date": day.period.payment_date.isoformat(),
        "final": day.final,
        "mode": day.mode,
        "principal_mode": day.principal_mode,
        "collections": {
            "gross": day.gross, "receivable_open": day.receivable_open, "credited": day.credited,
            "receivable_close": day.receivable_close, "cumulative_credited": day.cumulative,
        },
        "call_price": day.call_price,
        "available": day.available,
        "reserve": {"open": day.reserve_open, "target": day.reserve_target, "close": day.reserve_close},
        "tax": line("tax"),
        "servicing": line("servicing"),
        "incentive": line("incentive"),
        "expenses": {
            "accrual": costs.accrual, "invoices": costs.invoices, "new": costs.new, "within_cap": costs.within_cap,
            "arrears_open": costs.arrears_open, "overrun_open": costs.overrun_open, "senior_due": costs.senior_due,
            "senior_paid": costs.senior_paid, "arrears_close": costs.senior_due - costs.senior_paid,
            "overrun_due": costs.overrun_due, "overrun_paid": costs.overrun_paid,
            "overrun_close": costs.overrun_due - costs.overrun_paid,
        },
        "classes": {
            name: {
                "days": book.days, "rate": None if book.rate is None else f"{float(book.rate):.10f}",
                "balance_open": book.balance_open, "unpaid_open": book.unpaid_open, "interest_current": book.current,
                "interest_on_unpaid": book.on_unpaid, "interest_due": book.due, "interest_paid": book.interest_paid,
                "unpaid_close": book.due - book.interest_paid, "principal_paid": book.principal_paid,
                "balance_close": book.balance_open - book.principal_paid,
            }
            for name, book in day.classes.items()
        },
        "excess": {"amount": day.excess, "to_servicer": day.to_servicer, "to_residual": day.to_residual},
        "trigger": day.trigger,
        "cash_in": day.available,
        "cash_out": day.out,
        "difference": day.available - day.out,
    }  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_row_is_the_worked_one(folder, name) -> None:
    _, days, expected = ran(folder, name)
    assert [row(day)["t"] for day in days] == [told["t"] for told in expected["periods"]]
    for day, told in zip(days, expected["periods"], strict=True):
        mine = row(day)
        assert {key: mine[key] for key in told} == told, (name, day.t)


@pytest.mark.parametrize("name", CASES)
def test_yields_and_average_lives_are_the_worked_ones(folder, name) -> None:
    deal, days, expected = ran(folder, name)
    assert (
        sum(paid_in(deal, tranche) for tranche in deal.classes) == expected["closing"]["proceeds"]
    )
    for tranche in deal.classes:
        told = (
            expected["summary"]["classes"][tranche.name]
            if "classes" in expected["summary"]
            else expected["summary"][tranche.name]
        )
        got = sum(amount for _, amount in received(deal, tranche, days))
        assert got == told["total_received"]
        life, rate = average_life(deal, tranche, days), xirr(deal, tranche, days)
        assert (life is None) == (told["wal_years"] == "n/a")
        if life is not None:
            assert float(life) == pytest.approx(float(told["wal_years"]), abs=1e-8)
        assert (rate is None) == (told["xirr"] == "n/a")
        if rate is not None:
            assert rate == pytest.approx(float(told["xirr"]), abs=1e-9)


def test_a_published_deal_rounds_down(folder) -> None:
    """yellowbean/AbsBox, china test01, as the reference folder tells it: 18 rows of A1, 27 of B and of the fee."""
    told = json.loads((folder / "published_china_01.json").read_text("utf-8"))
    inputs, expected = told["inputs"], told["expected"]
    pays = [date.fromisoformat(day) for day in inputs["payment_dates"]]
    closing = date.fromisoformat(inputs["closing_date"])
    starts = [closing, *pays]
    cash = ("principal", "interest", "prepayment", "recovery")
    gross = [
        sum(
            sum(line[part] for part in cash)
            for line in inputs["pool_rows"]
            if (start if number else date.min) < date.fromisoformat(line["date"]) <= pay
        )
        for number, (start, pay) in enumerate(zip(starts, pays, strict=False))
    ]
    periods = [
        {
            "collection_start": start, "collection_end": pay, "accrual_start": start, "accrual_end": pay,
            "payment_date": pay, "invoices": inputs["one_off_fee"]["amount"] if number == 0 else 0,
        }
        for number, (start, pay) in enumerate(zip(starts, pays, strict=False))
    ]  # fmt: skip
    classes = [
        {
            "name": one["name"], "role": one["role"], "face": one["face"], "day_count": one["day_count"],
            "interest_on_unpaid": one["interest_on_unpaid"],
            "coupon": {"type": "fixed", "rate": one["rate_in_force"]} if float(one["rate_in_force"]) else None,
        }
        for one in inputs["classes"]
    ]  # fmt: skip
    order = ["expenses_capped", "senior_interest", "senior_principal", "sub_principal", "excess"]
    deal = Deal.model_validate(
        {
            "rounding": "down", "cutoff_date": inputs["cutoff_date"], "closing_date": closing, "periods": periods,
            "classes": classes, "excess": {"residual_holder": "B"}, "waterfall": {"normal": order},
        }
    )  # fmt: skip
    days = {day.period.payment_date.isoformat(): day for day in run_deal(deal, gross)}
    seen = 0
    for name in ("A1", "B"):
        for line in expected[name]:
            book = days[line["date"]].classes[name]
            excess = days[line["date"]].to_residual if name == "B" else 0
            assert book.balance_open - book.principal_paid == line["balance"]
            assert (book.interest_paid + excess, book.principal_paid) == (
                line["interest"],
                line["principal"],
            )
            seen += 1
    for line in expected["trust_fee"]:
        costs = days[line["date"]].costs
        assert (costs.senior_due - costs.senior_paid, costs.senior_paid) == (
            line["unpaid"],
            line["paid"],
        )
        seen += 1
    assert seen == 72
    assert days[pays[-1].isoformat()].classes["A1"].balance_open == expected["end"]["A1_balance"]
