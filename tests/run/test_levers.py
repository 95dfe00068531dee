"""Every line of docs/levers.md, tried: one thing changed, all else equal."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from arrears import channels, plan, recovery, rules, standing
from arrears.tape.columns import LOANS

DAY = date(2025, 3, 31)
PAGE = Path(__file__).parents[2] / "docs/levers.md"
BASE: dict[str, object] = {
    "loan_id": "L1",
    "borrower_id": "B1",
    "lender": "Bank",
    "product": "consumer",
    "security": "none",
    "principal": 5_000_000,
    "interest": 400_000,
    "fees": 30_000,
    "provision": 1_000_000,
    "rate": 0.09,
    "monthly_income": 900_000,
    "days_past_due": 400,
    "origination_date": date(2022, 1, 1),
    "maturity_date": date(2025, 1, 1),
    "reported_class": "doubtful",
    "province": "Zhejiang",
    "city_tier": 2,
    "legal_status": "not_sued",
    "contact_status": "reachable",
}
HOME = {"collateral_value": 90_000_000, "collateral_value_date": date(2021, 6, 30)}
KINDS: dict[str, dict[str, object]] = {
    "bad consumer loan": {},
    "bad mortgage": {"product": "mortgage", "security": "home", "principal": 60_000_000, **HOME},
    "bad business loan": {"product": "business", "principal": 60_000_000, **HOME},
    "late loan": {"days_past_due": 45, "maturity_date": date(2027, 1, 1), "reported_class": "special_mention"},
    "no income told": {"monthly_income": None, "days_past_due": 45, "maturity_date": date(2027, 1, 1)},
}  # fmt: skip


def _frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame([{**dict.fromkeys(LOANS), **row} for row in rows], schema=LOANS)


def _book() -> list[dict[str, object]]:
    g = np.random.default_rng(3)
    kinds = list(KINDS.values())[:4]
    return [
        {
            **BASE,
            **kinds[int(g.integers(0, 4))],
            "loan_id": f"L{number:04d}",
            "borrower_id": f"P{number:04d}",
            "principal": int(g.integers(1_000_000, 60_000_000)),
        }
        for number in range(400)
    ]


def _situation(on: str, lever: str, setting: str) -> channels.Situation:
    rows = _book() if on == "book" else [{**BASE, **KINDS[on]}]
    holder = "joint_stock_bank"
    rate, prices = 0.024, 0.0
    if lever in LOANS:
        value = int(setting) if re.fullmatch(r"-?\d+", setting) else setting
        rows = [{**row, lever: value} for row in rows]
    elif lever == "holder":
        holder = setting
    elif lever == "discount_rate":
        rate = float(setting)
    elif lever == "house_prices":
        prices = float(setting)
    loans, book, market = _frame(rows), rules.load("cn"), rules.load_market("cn")
    who, _ = channels.read_holder(holder)
    assert who is not None
    forecast = recovery.forecast(
        loans,
        as_of=DAY,
        market=market,
        discount_rate=rate,
        scenarios=8,
        stress=recovery.Stress(house_prices=prices),
    )
    stands = standing.classify(loans, as_of=DAY, rulebook=book)
    return channels.Situation(loans, stands, forecast, book, who, market, DAY)


def _output(on: str, lever: str, setting: str, output: str) -> float:
    situation = _situation(on, lever, setting)
    offers = channels.offers(situation)
    way, name = output.split(" ")
    if way == "plan":
        limits = {"court_filings": 25.0, "call_hours": 80.0, lever: float(setting)}
        made = plan.make_plan(
            situation, offers, [plan.Capacity(name=key, max=most) for key, most in limits.items()]
        )
        assert isinstance(made, plan.PlanResult)
        return made.value
    row = offers.table().filter(channel=way, start_month=0).row(0, named=True)
    return float(row[name])


def _lines() -> list[tuple[str, ...]]:
    found = re.findall(r"^\| (.+) \|$", PAGE.read_text("utf-8"), re.M)
    return [tuple(cell.strip() for cell in line.split("|")) for line in found[2:]]


@pytest.mark.parametrize("line", _lines(), ids=" ".join)
def test_a_lever_moves_what_the_page_says(line: tuple[str, ...]) -> None:
    lever, before, after, on, output, moves = line
    old, new = (_output(on, lever, setting, output) for setting in (before, after))
    change = new - old
    if moves == "same":
        assert change == 0.0
    else:
        assert change * (1 if moves == "up" else -1) > 1e-6 * max(1.0, abs(old))


def test_every_lever_of_the_issue_has_a_line() -> None:
    needed = {
        "provision", "security", "city_tier", "legal_status", "holder", "contact_status",
        "court_filings", "discount_rate", "house_prices",
    }  # fmt: skip
    assert needed <= {line[0] for line in _lines()}
