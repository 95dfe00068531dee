"""Why a loan stands and goes where it does: each step with its article and the values that it rests on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from arrears import rules, run

HEAD = (
    "loan_id,borrower_id,lender,product,security,principal,interest,fees,provision,days_past_due,"
    "origination_date,maturity_date,last_payment_date,reported_class,legal_status,contact_status"
)
LOANS = f"""{HEAD}
consumer,B1,East,consumer,none,3000000,0,0,0,91,2024-01-15,2026-01-15,2024-12-01,substandard,not_sued,reachable
card,B2,East,credit_card,none,1500000,0,0,1000000,121,2019-05-01,2024-05-01,,doubtful,filed,vanished
home,B3,East,mortgage,home,90000000,0,0,0,0,2020-02-01,2045-02-01,,normal,not_sued,reachable
backed,B4,East,business,guarantee,5000000,0,0,0,400,2021-02-01,2022-02-01,,loss,not_sued,reachable
"""
Steps = dict[str, dict[str, object]]
Explain = Callable[..., Steps]


@pytest.fixture(scope="module")
def explain(tmp_path_factory) -> Explain:
    """The steps of a loan by their rule, for a holder and a day; each run is made once."""
    folder = tmp_path_factory.mktemp("explained")
    (folder / "loans.csv").write_text(LOANS, "utf-8")

    def of(
        loan: str, holder: str = "joint_stock_bank", day: str = "2025-03-31", book: str = "cn"
    ) -> Steps:
        out: Path = folder / f"{holder}-{day}-{book}"
        if not out.exists():
            request = run.Request(
                str(folder / "loans.csv"),
                as_of=date.fromisoformat(day),
                holder=holder,
                rulebook=book,
                scenarios=2,
            )
            run.resolve(request, out=out)
        told = run.explain(out, loan).as_dict()
        steps = told["steps"]
        assert isinstance(steps, list)
        return {step["rule"]: step for step in steps} | {"not_verified": told["not_verified"]}  # type: ignore[dict-item]

    return of


def test_every_step_that_the_contract_names_is_there_with_its_answer(explain) -> None:
    steps = explain("consumer")
    answers = {
        "five_tier": "substandard",
        "stage": 3,
        "regime": "CN-CLASS-2023",
        "limitation_ends": "2029-01-15",
        "court_fee": 55_000,
        "credit_repair": False,
        "max_instalments": None,
        "max_dials": None,
        "eligible:collect": True,
        "eligible:restructure": True,
        "eligible:litigate": True,
        "eligible:transfer": True,
        "eligible:securitise": True,
        "eligible:income_rights": True,
    }
    assert {rule: steps[rule]["result"] for rule in answers} == answers
    card = explain("card")
    assert card["max_instalments"]["result"] == 60
    assert card["eligible:restructure"]["result"] is False
    assert "3 years from maturity, 2024-05-01" in str(card["limitation_ends"]["value"])


def test_only_what_rests_on_an_open_value_is_said_to_be_not_verified(explain) -> None:
    steps = explain("consumer")
    assert steps["five_tier"]["rests_on"] == ("cn/classification/floors_2023",)
    assert steps["five_tier"]["verified"]
    card = explain("card")
    assert not card["five_tier"]["verified"]
    assert "cn/classification/card_matrix (CN-CARD-2011-92)" in card["not_verified"]
    backed = explain("backed")
    assert not backed["eligible:transfer"]["verified"]
    assert "cn/transfer/guarantee_bars" in backed["eligible:transfer"]["rests_on"]


@pytest.mark.parametrize(
    ("holder", "way", "article", "leaf"),
    [
        ("local_amc", "transfer", "CN-PILOT-RESALE", "cn/transfer/resale_allowed"),
        ("rural_bank", "securitise", "CN-ABS-ORIGINATOR", "cn/securitise/originator_kinds"),
        ("fintech", "transfer", "CN-PILOT-2022-1191", "cn/transfer/sellers_batch2"),
        ("fintech", "income_rights", "CN-INCOME-2016-82", "cn/income_rights/seller_kinds"),
    ],
)
def test_a_way_that_the_holder_may_not_go_says_which_value_closes_it(
    holder: str, way: str, article: str, leaf: str, explain
) -> None:
    step = explain("consumer", holder)[f"eligible:{way}"]
    assert step["result"] is False
    assert step["article"] == article
    assert leaf in step["rests_on"]


def test_days_on_both_sides_of_the_pilot_and_its_term(explain) -> None:
    before = explain("consumer", day="2025-03-31")["eligible:transfer"]
    assert before["article"] == "CN-PILOT-2021-26"
    after = explain("backed", day="2027-01-01")["eligible:transfer"]
    assert after["result"] is True
    assert "term ended" in after["value"]
    assert after["article"] == "CN-PILOT-2025-EXT"


def test_under_another_standard_its_own_values_decide(explain) -> None:
    steps = explain("consumer", book="eba")
    assert steps["five_tier"]["result"] == "non_performing"
    assert "eba/default/past_due_days" in steps["five_tier"]["rests_on"]


def test_every_value_that_a_step_rests_on_is_one_of_the_rulebook(explain) -> None:
    paths = set(rules.load("cn").leaves) | set(rules.load("eba").leaves)
    for loan in ("consumer", "card", "home", "backed"):
        for holder in ("joint_stock_bank", "local_amc", "rural_bank", "fintech"):
            steps = explain(loan, holder)
            rests = {p for s in steps.values() if isinstance(s, dict) for p in s["rests_on"]}
            assert rests <= paths
            assert all(
                s["rests_on"]
                for n, s in steps.items()
                if n.startswith("eligible:t") and s["result"]
            )
