"""Whatever the deal: cash is conserved to the fen, nobody is paid more than is due, and order is rank."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears import run
from arrears.deals import Deal, answers, moves, place, run_deal, tranches
from arrears.deals.deal import STEPS, read_deal
from arrears.deals.engine import split

NORMAL = [step for step in STEPS if step not in {"expenses_all", "unit_capital"}]
ENFORCED = [
    "tax",
    "expenses_all",
    "servicing",
    "senior_interest",
    "senior_principal",
    "sub_principal",
    "excess",
]


@st.composite
def deals(draw) -> tuple[Deal, list[int]]:
    share = st.sampled_from(["0", "0.003", "0.0326", "0.08", "0.4"])
    periods = draw(st.integers(1, 8))
    seniors = draw(st.integers(1, 3))
    classes = [
        {
            "name": f"A{number}", "role": "senior", "face": draw(st.integers(1, 10**9)),
            "interest_on_unpaid": draw(st.booleans()), "day_count": draw(st.sampled_from(["ACT/365F", "30E/360"])),
            "coupon": {"type": "fixed", "rate": draw(share)},
        }
        for number in range(seniors)
    ]  # fmt: skip
    coupon = draw(st.sampled_from([None, {"type": "fixed", "rate": "0.1"}]))
    classes.append(
        {"name": "B", "role": "sub", "face": draw(st.integers(1, 10**9)), "coupon": coupon}
    )
    triggers: dict[str, object] = {}
    if draw(st.booleans()):
        triggers["event_of_default"] = "missed_senior_interest"
    if draw(st.booleans()):
        triggers["recovery"] = {"threshold": "0.7", "curable": draw(st.booleans())}
    body = {
        "rounding": draw(st.sampled_from(["half_up", "down"])),
        "cutoff_date": date(2025, 1, 1),
        "closing_date": date(2025, 2, 11),
        "schedule": {
            "first_collection_end": date(2025, 3, 31), "first_payment": date(2025, 4, 26),
            "every_months": 3, "payments": periods,
        },
        "classes": classes,
        "tax": {"rate": draw(share)},
        "servicing": {"rate": draw(share)},
        "expenses": {
            "cap_per_period": draw(st.one_of(st.none(), st.integers(0, 10**7))),
            "accrual": {"type": "fixed_amount", "amount": draw(st.integers(0, 10**7))},
        },
        "reserve": {"type": "multiple", "multiple": draw(st.sampled_from(["0", "1.5", "3"]))},
        "incentive": {"tiers": [{"lower": 0, "upper": 10**8, "rate": "0"}, {"lower": 10**8, "rate": "0.2"}]},
        "excess": {"servicer_share": draw(share), "residual_holder": draw(st.sampled_from(["B", "originator"]))},
        "triggers": triggers,
        "waterfall": {"normal": NORMAL, "post_enforcement": ENFORCED},
    }  # fmt: skip
    cash = draw(st.lists(st.integers(-(10**8), 10**9), min_size=periods, max_size=periods))
    return Deal.model_validate(body), cash


@settings(max_examples=150, deadline=None)
@given(drawn=deals())
def test_cash_is_conserved_and_nobody_gets_more_than_is_due(drawn) -> None:
    deal, cash = drawn
    days = run_deal(deal, cash)
    receivable = 0
    for day, gross in zip(days, cash, strict=True):
        assert day.available == day.out
        assert day.credited >= 0
        assert day.credited - day.receivable_close == gross - receivable
        receivable = day.receivable_close
        for book in day.classes.values():
            assert 0 <= book.interest_paid <= book.due
            assert 0 <= book.principal_paid <= book.balance_open
        for line in (day.tax, day.servicing, day.incentive):
            assert 0 <= line.paid <= line.due
        if any(day.classes[name].principal_paid for name in day.classes if name.startswith("A")):
            seniors = [day.classes[name] for name in day.classes if name.startswith("A")]
            assert all(book.interest_paid == book.due for book in seniors)
        left = sum(
            book.balance_open - book.principal_paid
            for name, book in day.classes.items()
            if name != "B"
        )
        if day.classes["B"].principal_paid:
            assert left == 0
    told = answers(deal, {0: days})["conservation"]
    assert told["difference"] == 0
    rows = moves({0: days})
    if rows.height:
        flows = rows.group_by(pl.col("to") == "cash").agg(pl.col("amount").sum())
        sums = dict(flows.rows())
        assert sums.get(True, 0) == sums.get(False, 0)
    table = tranches({0: days})
    assert (table["opening"] - table["principal_paid"] - table["closing"]).abs().sum() == 0


@given(
    amount=st.integers(0, 10**12),
    weights=st.lists(st.integers(0, 10**11), min_size=1, max_size=6).filter(any),
)
def test_a_split_adds_up(amount, weights) -> None:
    from math import floor

    parts = split(
        amount, weights, lambda x: floor(x + 1 / 2) if x.denominator == 1 else floor(x * 2 + 1) // 2
    )
    assert sum(parts) == amount
    assert min(parts) >= 0


@pytest.fixture
def text(root: Path) -> str:
    return (root / "examples/deals/card_npl.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("servicing, senior_interest, reserve", "servicing, senior_intrest, reserve", "DEAL-UNKNOWN-STEP"),
        ("sub_principal, sub_coupon, excess]", "sub_principal, excess, sub_coupon]", "DEAL-EXCESS-LAST"),
        ("normal: [tax, ", "normal: [tax, tax, ", "DEAL-STEP-TWICE"),
        ("residual_holder: Sub", "residual_holder: Sab", "DEAL-UNKNOWN-CLASS"),
        ("senior_principal, expenses_overrun", "senior_principal", "DEAL-CAP-WITHOUT-OVERRUN"),
        ("name: Sub, role", "name: Senior, role", "DEAL-CLASS-TWICE"),
        ("closing_date: 2025-06-25", "closing_date: 2025-08-25", "DEAL-DATES"),
        ("  post_enforcement", "  # post_enforcement", "DEAL-NO-ENFORCEMENT"),
        ("type: fixed, rate: 0.0215", "type: floating, index: LPR", "DEAL-NO-CURVE"),
        ("type: fixed, rate: 0.0215", "type: fixed", "DEAL-NO-RATE"),
        ("reserve, senior_principal,", "reserve,", "DEAL-CLASS-UNPAID"),
        ("tax: {rate: 0.0326}", "tax: {rate: much}", "DEAL-BAD-VALUE"),
        ("cutoff_date:", "cut_off_date:", "DEAL-UNKNOWN-FIELD"),
    ],
)  # fmt: skip
def test_a_deal_with_a_fault_is_told(tmp_path, text, old, new, code) -> None:
    assert old in text
    path = tmp_path / "deal.yaml"
    path.write_text(text.replace(old, new), "utf-8")
    _, problems = read_deal(path)
    assert code in {problem.code for problem in problems}
    with pytest.raises(run.Stopped) as stopped:
        run.deal_check(path)
    assert stopped.value.status == 1


def cash_of(path: Path, rows: list[tuple[int, int, int]]) -> Path:
    pl.DataFrame(rows, schema=["scenario", "month", "collections"], orient="row").write_csv(path)
    return path


def test_a_deal_runs_from_files(tmp_path, root) -> None:
    rows = [(s, m, 400_000_000 * (s + 1)) for s in range(3) for m in range(1, 61)]
    ran = run.deal_run(
        root / "examples/deals/card_npl.yaml",
        cash=cash_of(tmp_path / "cash.csv", rows),
        out=tmp_path / "out",
    )
    assert ran.summary["conservation"]["difference"] == 0
    assert ran.summary["conservation"]["in"] == sum(amount for _, _, amount in rows)
    table = pl.read_parquet(tmp_path / "out/tranches.parquet")
    assert table["scenario"].unique().sort().to_list() == [0, 1, 2]
    lives = [run_life(table, scenario) for scenario in range(3)]
    assert lives == sorted(lives, reverse=True)


def run_life(table: pl.DataFrame, scenario: int) -> float:
    mine = table.filter(scenario=scenario, tranche="Senior")
    return float(
        (mine["period"] * mine["principal_paid"]).sum() / max(mine["principal_paid"].sum(), 1)
    )


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([(0, 99, 5)], "CASH-NO-PERIOD"),
        ([(0, 0, 5)], "CASH-BAD-CELL"),
        ([], "CASH-BAD-CELL"),
    ],
)
def test_cash_that_reaches_no_account_is_refused(tmp_path, root, rows, code) -> None:
    cash = cash_of(tmp_path / "cash.csv", rows)
    with pytest.raises(run.Stopped) as stopped:
        run.deal_run(root / "examples/deals/income_rights.yaml", cash=cash, out=tmp_path / "out")
    assert [problem.code for problem in stopped.value.problems] == [code]
    assert not (tmp_path / "out").exists()


def test_months_fall_into_their_periods(root) -> None:
    deal, problems = read_deal(root / "examples/deals/card_npl.yaml")
    assert deal is not None
    assert problems == []
    cash = pl.DataFrame(
        {"scenario": [0] * 4, "month": [1, 3, 4, 6], "collections": [1, 10, 100, 1000]}
    )
    found, _ = place(deal, cash)
    assert found is not None
    assert found[0][:3] == [11, 1100, 0]
