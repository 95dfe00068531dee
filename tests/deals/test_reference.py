"""Worked deals, to the fen: every amount of every row of the reference files."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from arrears.deals import Deal, answers, compiled, run_deal
from arrears.deals.checks import check
from arrears.deals.deal import face_at_price
from arrears.deals.results import flows_of
from arrears.files import Lines

from .plain import Day, run_plain
from .rows import engine_rows, engine_run, plain_rows

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


def read(folder: Path, name: str) -> tuple[Deal, list[int], dict[str, object]]:
    told = json.loads((folder / f"{name}.json").read_text("utf-8"))
    deal = Deal.model_validate(told["inputs"] | {"name": name})
    return deal, [period.gross_collections or 0 for period in deal.dates()], told["expected"]


def row(deal: Deal, day: Day) -> dict[str, object]:
    def line(name: str) -> dict[str, int]:
        found = day.debts[name]
        return {
            "unpaid_open": found.open, "new": found.new, "due": found.due, "paid": found.paid,
            "unpaid_close": found.left,
        }  # fmt: skip

    costs, over = day.debts["expenses"], day.over["expenses"]
    everything = "expenses_all" in {step.word for step in deal.orders()[day.mode]}
    new, arrears, beyond = day.accrual + day.period.invoices, costs.open, over.open
    if everything:
        arrears, beyond = costs.due - new, 0
    told = {
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
        "reserve": {"open": day.reserve_open, "target": day.target, "close": day.reserve},
        "tax": line("tax"),
        "servicing": line("servicing"),
        "incentive": line("incentive"),
        "expenses": {
            "accrual": day.accrual, "invoices": day.period.invoices, "new": new,
            "within_cap": new if everything else day.within_cap, "senior_due": costs.due,
            "senior_paid": costs.paid, "arrears_close": costs.left, "overrun_due": over.due,
            "overrun_paid": over.paid, "overrun_close": over.left,
        },
        "classes": {
            name: {
                "days": book.days, "rate": None if book.rate is None else f"{float(book.rate):.10f}",
                "balance_open": book.balance + book.principal, "unpaid_open": book.interest.open,
                "interest_current": book.current, "interest_on_unpaid": book.on_unpaid,
                "interest_due": book.interest.due, "interest_paid": book.interest.paid,
                "unpaid_close": book.interest.left, "principal_paid": book.principal,
                "balance_close": book.balance,
            }
            for name, book in day.classes.items()
        },
        "excess": {
            "amount": day.excess, "to_servicer": day.takes.get("servicer", 0),
            "to_residual": day.excess - day.takes.get("servicer", 0),
        },
        "trigger": day.trigger,
        "cash_in": day.available,
        "cash_out": sum(amount for _, _, amount in day.moves),
        "difference": day.available - sum(amount for _, _, amount in day.moves),
    }  # fmt: skip
    if not everything:
        told["expenses"] |= {"arrears_open": arrears, "overrun_open": beyond}
    return told


@pytest.mark.parametrize("name", CASES)
def test_every_row_is_the_worked_one(folder, name) -> None:
    """By the plain engine, in every figure; and the engine's rows are those of the plain one."""
    deal, collections, expected = read(folder, name)
    assert check(deal, Lines(folder / name)) == []
    days = run_plain(deal, collections)
    assert [day.t for day in days] == [told["t"] for told in expected["periods"]]
    for day, told in zip(days, expected["periods"], strict=True):
        mine = row(deal, day)
        assert mine["expenses"] == {key: told["expenses"][key] for key in mine["expenses"]}
        assert {key: mine[key] for key in told if key != "expenses"} == {
            key: told[key] for key in told if key != "expenses"
        }, (name, day.t)
    assert engine_rows(engine_run(deal, [collections]), 0) == plain_rows(days)


@pytest.mark.parametrize("name", CASES)
def test_yields_and_average_lives_are_the_worked_ones(folder, name) -> None:
    deal, collections, expected = read(folder, name)
    program = compiled(deal)
    gross = np.array([collections], dtype=np.int64).T
    told = answers(program, gross, [0]).summary
    run = run_deal(program, gross)
    assert told["conservation"]["difference"] == 0
    assert sum(face_at_price(deal, one) for one in deal.classes) == expected["closing"]["proceeds"]
    for tranche in deal.classes:
        summary = expected["summary"]
        worked = summary["classes"][tranche.name] if "classes" in summary else summary[tranche.name]
        assert int(flows_of(run, tranche.name).sum()) == worked["total_received"]
        life, rate = (told["tranches"][tranche.name][key] for key in ("wal_years", "yield"))
        assert (life is None) == (worked["wal_years"] == "n/a")
        if life is not None:
            assert life == pytest.approx(float(worked["wal_years"]), abs=1e-8)
        assert (rate is None) == (worked["xirr"] == "n/a")
        if rate is not None:
            assert rate == pytest.approx(float(worked["xirr"]), abs=1e-9)


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
    ran = run_plain(deal, gross)
    assert engine_rows(engine_run(deal, [gross]), 0) == plain_rows(ran)
    days = {day.period.payment_date.isoformat(): day for day in ran}
    seen = 0
    for name in ("A1", "B"):
        for line in expected[name]:
            book = days[line["date"]].classes[name]
            excess = days[line["date"]].takes.get("B", 0) if name == "B" else 0
            assert book.balance == line["balance"]
            assert (book.interest.paid + excess, book.principal) == (
                line["interest"],
                line["principal"],
            )
            seen += 1
    for line in expected["trust_fee"]:
        costs = days[line["date"]].debts["expenses"]
        assert (costs.left, costs.paid) == (
            line["unpaid"],
            line["paid"],
        )
        seen += 1
    assert seen == 72
    assert days[pays[-1].isoformat()].classes["A1"].balance == expected["end"]["A1_balance"]
