"""Deal files and their faults, cash files and theirs, and what the commands leave behind."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from arrears import run
from arrears.core.hashing import table_hash
from arrears.deals import Deal, compiled, in_chunks, place, read_deal, results, run_deal
from arrears.deals import kernels as k
from arrears.run import deals as verbs


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


def test_tables_come_in_parts_and_are_the_same_as_in_one(tmp_path, root, monkeypatch) -> None:
    rows = [(s, m, 300_000_000 + 7_000 * s) for s in range(11) for m in range(1, 61)]
    cash = cash_of(tmp_path / "cash.csv", rows)
    hashes = []
    for name in ("whole", "parts"):
        out = tmp_path / name
        run.deal_run(root / "examples/deals/card_npl.yaml", cash=cash, out=out)
        told = json.loads((out / "run.json").read_text("utf-8"))["products"]
        for product in ("tranches.parquet", "moves.parquet"):
            assert told[product] == table_hash(pl.read_parquet(out / product))
        hashes.append([told["tranches.parquet"], told["moves.parquet"]])
        assert not list(out.glob("*.parts"))
        monkeypatch.setattr(results, "in_chunks", by_threes)
        monkeypatch.setattr(verbs, "_MOVED", 3)
    assert hashes[0] == hashes[1]


def by_threes(program, gross, **_):
    return in_chunks(program, gross, chunk=3)


def test_a_reserve_foresees_expenses_on_the_opening_balance(text) -> None:
    """By hand: balances before the first principal are the faces."""
    body = yaml.safe_load(text)
    body["expenses"] = {"accrual": {"type": "rate_on_opening_balance", "rate": 0.003}}
    body["reserve"] = {"type": "multiple", "multiple": 2}
    body["waterfall"]["normal"].remove("expenses_overrun")
    deal = Deal.model_validate(body)
    program = compiled(deal)
    gross = np.zeros((len(program.dates), 1), np.int64)
    gross[0] = 10**9
    found = run_deal(program, gross, keep=[k.TARGET]).of(k.TARGET)
    nxt = program.dates[1]
    years = Fraction((nxt.accrual_end - nxt.accrual_start).days, 365)
    balances = sum(one.face for one in deal.classes)
    senior = sum(
        one.face * (deal.rate(one, nxt.accrual_start) or 0) * years for one in deal.seniors()
    )
    wanted = 2 * (balances * Fraction("0.003") * years + senior)
    assert int(found[0, 0]) == int(wanted + Fraction(1, 2))


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
        ([(0, 1, 1.5)], "CASH-BAD-CELL"),
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
    rows = {
        "scenario": [0] * 6,
        "month": [1, 2, 3, 4, 5, 6],
        "collections": [1, 0, 10, 100, 0, 1000],
    }
    found, warned = place(deal, pl.DataFrame(rows))
    assert found is not None
    assert found.collections[:3, 0].tolist() == [11, 1100, 0]
    assert [problem.code for problem in warned] == ["CASH-ENDS-EARLY"]


BODY = {
    "cutoff_date": "2025-01-01",
    "closing_date": "2025-02-10",
    "schedule": {"first_collection_end": "2025-03-31", "first_payment": "2025-04-28", "every_months": 3, "payments": 8},
    "classes": [
        {"name": "A", "role": "senior", "face": 10**8, "coupon": {"type": "fixed", "rate": 0.03}},
        {"name": "B", "role": "sub", "face": 5 * 10**7},
    ],
    "fees": [
        {"name": "trustee", "basis": "flat", "amount": 10_000},
        {"name": "vat", "basis": "fee", "of": "trustee", "rate": 0.06},
    ],
    "excess": {"residual_holder": "B"},
    "waterfall": {
        "normal": [{"fee": "trustee"}, {"fee": "vat"}, "senior_interest", "senior_principal", "sub_principal", "excess"]
    },
}  # fmt: skip


def faults(folder: Path, **changes: object) -> dict[str, str]:
    path = folder / "deal.yaml"
    path.write_text(
        yaml.safe_dump(json.loads(json.dumps(BODY)) | changes, sort_keys=False), "utf-8"
    )
    _, problems = read_deal(path)
    told = [(one.code, f"{one.where}: {one.found} {one.fix}") for one in reversed(problems)]
    return dict(told)


def normal(*steps: object) -> dict[str, object]:
    return {"waterfall": {"normal": [*steps, *BODY["waterfall"]["normal"]]}}


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        (normal({"fee": None}), "DEAL-STEP-NO-ACCOUNT", "names no account"),
        (normal({"interest": []}), "DEAL-STEP-NO-ACCOUNT", "names no account"),
        (normal({"fee": "trusty"}), "DEAL-STEP-NO-ACCOUNT", "Did you mean 'trustee'?"),
        (normal("unit_capital"), "DEAL-STEP-NO-ACCOUNT", "no class to pay"),
        (normal("incentive"), "DEAL-STEP-NO-ACCOUNT", "No incentive"),
        ({"accounts": {"costs": ["trustee", "vat"], "notes": ["A"]}}, "DEAL-STEP-NO-ACCOUNT", "B reaches no account"),
        ({"fees": [{"name": "trustee", "basis": "fee", "of": "vat", "rate": 0.1}, BODY["fees"][1]]},
         "DEAL-FEE-CIRCLE", "trustee of vat of trustee"),
        ({"fees": [{"name": "trustee", "basis": "fee", "of": "trustee", "rate": 0.1}, BODY["fees"][1]]},
         "DEAL-FEE-CIRCLE", "trustee of trustee"),
        ({"fees": [*BODY["fees"], {"name": "audit", "basis": "flat", "amount": 1}]}, "DEAL-FEE-UNPAID", "audit"),
        ({"fees": [BODY["fees"][0] | {"cap": 5}, BODY["fees"][1]]}, "DEAL-CAP-WITHOUT-OVERRUN", "fee_overrun: trustee"),
        ({"excess": {"shares": {"servicer": 0.8, "B": 0.1}}}, "DEAL-SHARES-SUM", "add up to 0.9"),
        ({"excess": {"servicer_share": 1.2, "residual_holder": "B"}}, "DEAL-SHARES-SUM", "1.2"),
        ({"tax": {"rate": 0.5}, "servicing": {"rate": 0.6}}, "DEAL-SHARES-SUM", "1.1 of each yuan"),
        ({"retention": 1.05}, "DEAL-SHARES-SUM", "is no share"),
        ({"excess": {}}, "DEAL-NO-REMAINDER", "no holder"),
        ({"closing_date": "2024-12-01"}, "DEAL-DATES", "comes before cut-off"),
        ({"classes": [BODY["classes"][0] | {"day_count": "ACT/366"}, BODY["classes"][1]]}, "DEAL-BAD-VALUE", "365F"),
        ({"parties": {"originator": {"kind": "rural_bank"}}}, "DEAL-ORIGINATOR", "rural bank may not issue"),
        ({"parties": {"originator": {"kind": "large_state_bank", "licence": False}}}, "DEAL-ORIGINATOR", "may not"),
        ({"kind": "income_rights", "parties": {"originator": {"kind": "fintech"}}}, "DEAL-ORIGINATOR", "2016-82"),
        ({"kind": "income_rights", "pool": "mixed"}, "DEAL-POOL-MIXED", "two deals"),
        ({"kind": "income_rights", "investors": "anyone"}, "DEAL-INVESTORS", "institutions"),
        ({"classes": [BODY["classes"][0] | {"coupon": {"type": "fixed", "rate": -0.01}}, BODY["classes"][1]]},
         "DEAL-NEGATIVE-RATE", "below 0"),
        ({"classes": [BODY["classes"][0] | {"face": 2**50}, BODY["classes"][1]]}, "DEAL-TOO-LARGE", "11 trillion"),
        ({"classes": [BODY["classes"][0] | {"coupon": {"type": "fixed", "rate": "0.12345678901234567"}},
                      BODY["classes"][1]]}, "DEAL-TOO-FINE", "fewer digits"),
        ({"classes": [*BODY["classes"], {"name": "X", "role": "notional", "face": 1}]}, "DEAL-NOTIONAL", "notional_of"),
        ({"classes": [BODY["classes"][0] | {"target": [["2025-06-01", 2 * 10**8]]}, BODY["classes"][1]]},
         "DEAL-TARGET", "rises"),
        ({"classes": [BODY["classes"][0], BODY["classes"][1] | {"coupon": {"type": "fixed", "rate": 0.1}}]},
         "DEAL-CLASS-UNPAID", "No step pays the coupon of B"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_told_with_its_place_and_mend(tmp_path, changes, code, told) -> None:
    assert faults(tmp_path) == {}
    found = faults(tmp_path, **changes)
    assert list(found) == [code]
    assert told in found[code]
    assert found[code].startswith("deal.yaml:")


def test_an_originator_with_a_licence_or_of_the_right_kind_may_issue(tmp_path) -> None:
    for who in ({"kind": "rural_bank", "licence": True}, {"kind": "joint_stock_bank"}):
        assert faults(tmp_path, parties={"originator": who}) == {}
    bank = {"originator": {"kind": "rural_bank"}}
    assert faults(tmp_path, parties=bank, pool="performing") == {}
    assert faults(tmp_path, parties=bank, kind="income_rights") == {}


def test_a_negative_rate_runs_where_the_curve_says_so(tmp_path) -> None:
    """What is negative is kept against later interest; nobody pays in."""
    classes = [
        BODY["classes"][0] | {"coupon": {"type": "floating", "index": "X"}},
        BODY["classes"][1],
    ]
    curves = {"X": [["2024-12-01", -0.01], ["2025-09-01", 0.02]]}
    assert faults(tmp_path, classes=classes, curves=curves) == {}
    rows = [(0, month, 100_000) for month in range(1, 25)]
    run.deal_run(
        tmp_path / "deal.yaml", cash=cash_of(tmp_path / "cash.csv", rows), out=tmp_path / "out"
    )
    mine = pl.read_parquet(tmp_path / "out/tranches.parquet").filter(tranche="A").sort("period")
    assert mine["interest_due"][0] < 0
    assert mine["interest_paid"].min() == 0
    assert mine["interest_paid"].max() > 0


@pytest.mark.parametrize(
    ("drop", "code"),
    [
        (lambda s, m: (s, m) == (1, 3), "CASH-MISSING-MONTH"),
        (lambda _, m: m == 3, "CASH-MISSING-MONTH"),
        (lambda s, m: (s, m) == (2, 24), "CASH-MISSING-MONTH"),
        (lambda s, _: s == 1, "CASH-MISSING-SCENARIO"),
    ],
)
def test_gaps_in_the_cash_are_told(tmp_path, drop, code) -> None:
    faults(tmp_path)
    rows = [(s, m, 100_000) for s in range(4) for m in range(1, 25) if not drop(s, m)]
    cash = cash_of(tmp_path / "cash.csv", rows)
    with pytest.raises(run.Stopped) as stopped:
        run.deal_run(tmp_path / "deal.yaml", cash=cash, out=tmp_path / "out")
    assert {problem.code for problem in stopped.value.problems} == {code}
    assert stopped.value.status == 2


def lognormal(scenarios: int, months: int, total: float) -> list[tuple[int, int, int]]:
    g = np.random.default_rng(1)
    shape = np.exp(-np.arange(months) / 12.0)
    draws = total * shape / shape.sum() * np.exp(g.normal(0.0, 0.4, (scenarios, 1)))
    return [(s, m + 1, int(draws[s, m])) for s in range(scenarios) for m in range(months)]


def test_answers_are_those_of_the_tables(tmp_path) -> None:
    faults(tmp_path)
    cash = cash_of(tmp_path / "cash.csv", lognormal(60, 24, 1.4e8))
    told = run.deal_run(tmp_path / "deal.yaml", cash=cash, out=tmp_path / "out", moves=None).summary
    table = pl.read_parquet(tmp_path / "out/tranches.parquet")
    last = table.filter(pl.col("period") == 8)
    for name in ("A", "B"):
        mine, ends = told["tranches"][name], last.filter(tranche=name)
        short = (ends["closing"] + ends["interest_unpaid"] > 0).mean()
        assert mine["probability_of_shortfall"] == pytest.approx(short)
        assert mine["expected_loss"] == pytest.approx(ends["closing"].mean() / mine["size"])
        lost = ends.filter(pl.col("closing") > 0)["scenario"]
        assert mine["first_loss_scenario"] == (lost.min() if len(lost) else None)
        assert mine["mildest_loss_scenario"] in [*lost.to_list(), None]
        assert mine["yield_for_price"]["105"] < mine["yield_for_price"]["95"]
        price = mine["price_for_yield"]["0.03"] / 100 * mine["size"]
        assert price < mine["price_for_yield"]["0.02"] / 100 * mine["size"]
    assert 0.0 < told["tranches"]["B"]["probability_of_shortfall"] < 1.0
    assert (
        told["tranches"]["A"]["break_even_multiple"] < told["tranches"]["B"]["break_even_multiple"]
    )
    moved = pl.read_parquet(tmp_path / "out/moves.parquet")
    assert moved["scenario"].n_unique() == 60
    flows = moved.group_by("scenario", pl.col("to") == "cash").agg(pl.col("amount").sum())
    came, left = (
        flows.filter(pl.col("to") == way).sort("scenario")["amount"] for way in (True, False)
    )
    assert came.to_list() == left.to_list()
    paid = moved.filter(pl.col("to") == "A").group_by("scenario").agg(pl.col("amount").sum())
    mine = (
        table.filter(tranche="A")
        .group_by("scenario")
        .agg(pl.col("interest_paid").sum() + pl.col("principal_paid").sum())
    )
    assert paid.sort("scenario").rows() == mine.sort("scenario").rows()


def test_the_break_even_multiple_is_where_a_class_is_just_paid(tmp_path) -> None:
    faults(tmp_path)
    rows = [(0, m, 8_000_000) for m in range(1, 25)]
    cash = cash_of(tmp_path / "cash.csv", rows)
    told = run.deal_run(tmp_path / "deal.yaml", cash=cash, out=tmp_path / "out").summary
    multiple = told["tranches"]["B"]["break_even_multiple"]
    for times, short in ((multiple, 0.0), (multiple * 0.999, 1.0)):
        scaled = cash_of(tmp_path / "c.csv", [(0, m, round(c * times)) for _, m, c in rows])
        again = run.deal_run(tmp_path / "deal.yaml", cash=scaled, out=tmp_path / "o", force=True)
        assert again.summary["tranches"]["B"]["probability_of_shortfall"] == short


def test_a_senior_class_is_as_large_as_it_may_be_to_the_fen(tmp_path) -> None:
    faults(tmp_path)
    cash = cash_of(tmp_path / "cash.csv", lognormal(80, 24, 1.4e8))
    file = tmp_path / "deal.yaml"
    sized = run.deal_size(file, cash=cash, shortfall=["0.05"], out=tmp_path / "size").summary
    for more, within in ((0, True), (1, False)):
        face = [BODY["classes"][0] | {"face": sized["senior"] + more}, BODY["classes"][1]]
        assert faults(tmp_path, classes=face) == {}
        ran = run.deal_run(file, cash=cash, out=tmp_path / "out", force=True).summary
        assert (ran["tranches"]["A"]["probability_of_shortfall"] <= 0.05) is within
    assert sized["binding_step"] in {"senior_principal", "senior_interest"}
    assert len(sized["scenarios"]) == 5
    faults(tmp_path)
    again = run.deal_size(file, cash=cash, shortfall=["0.05"], haircut="0.2", out=tmp_path / "s2")
    assert again.summary["senior"] < sized["senior"]
    later = run.deal_size(file, cash=cash, shortfall=["0.05"], delay=2, out=tmp_path / "s3")
    assert later.summary["senior"] < sized["senior"]
    both = run.deal_size(file, cash=cash, shortfall=["A=0.05", "B=0.3"], out=tmp_path / "s4")
    one, two = both.summary["classes"]
    assert one["size"] == sized["senior"]
    assert two["probability_of_shortfall"] <= 0.3
    assert two["binding_step"] == "sub_principal"


def test_every_template_is_without_fault(root) -> None:
    for path in sorted((root / "examples/deals").rglob("*.yaml")):
        assert read_deal(path)[1] == [], path
