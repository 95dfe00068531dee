"""Offers of new terms: what fits, what moves whom, and what the ban on waiving principal costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears import channels
from arrears.channels import restructure

RICH = {"monthly_income": 5_000_000}


def _plain(count: int, broken: float, monthly: float) -> tuple[float, float, float]:
    """Month by month what a yuan of each instalment brings, and what is owed at a break."""
    alive, paid, owed, months, cash = 1.0, 0.0, 0.0, 0.0, 0.0
    for month in range(count):
        owed += alive * broken * (count - month) * monthly**month
        alive *= 1.0 - broken
        paid += alive * monthly ** (month + 1)
        months += alive * monthly ** (month + 1) * (month + 1)
        cash += alive * monthly ** (month + 1)
    return paid, owed, months / cash if cash else 0.0


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 120),
    broken=st.just(0.0) | st.floats(1e-6, 0.5),
    monthly=st.just(1.0) | st.floats(0.9, 0.9999),
)
def test_the_sums_are_those_of_month_by_month(count: int, broken: float, monthly: float) -> None:
    found = restructure.kept(np.array([count]), np.array([broken]), monthly)
    for ours, plain in zip(found, _plain(count, broken, monthly), strict=True):
        assert ours[0] == pytest.approx(plain, rel=1e-5, abs=1e-9)


def test_the_instalment_fits_the_income_where_the_cap_allows(situation) -> None:
    offered = channels.terms(situation({"monthly_income": 900_000}))
    assert offered.share_of_income[0] <= 0.3 + 1e-6
    assert offered.instalments[0] <= 60


def test_a_home_is_paid_over_as_long_as_it_can_be_borne_and_a_card_over_five_years(
    situation,
) -> None:
    """By hand: 900,000 yuan at 30 per cent of 12,000 a month take 250 months; five years ask for 15,000 a month."""
    large = {
        "principal": 90_000_000,
        "interest": 0,
        "fees": 0,
        "monthly_income": 1_200_000,
        "days_past_due": 60,
    }
    offered = channels.terms(situation(*[{**large, "product": name} for name in (
        "mortgage", "business", "consumer", "credit_card")]))  # fmt: skip
    assert offered.instalments[0] in (250, 358)
    assert offered.share_of_income[0] <= 0.3 + 1e-6
    assert offered.instalments[1:].tolist() == [120, 60, 60]


def test_without_an_income_the_region_and_the_last_payment_say_what_can_be_borne(situation) -> None:
    none = {"monthly_income": None}
    there = situation(
        {**none, "city_tier": 1}, {**none, "city_tier": 3}, {**none, "city_tier": 3, "last_payment": 400_000},
        {**none, "city_tier": 3, "last_payment": 10_000}, {"monthly_income": 900_000},
    )  # fmt: skip
    means = restructure.means(there)
    assert means.bearable[0] > means.bearable[1]
    assert means.bearable[2] > means.bearable[1] > means.bearable[3]
    assert means.bearable[4] == pytest.approx(0.3 * 900_000)
    assert np.isnan(channels.terms(there).share_of_income[:4]).all()
    assert [row[2] for row in restructure.fills(there.loans)] == [4]
    # A zero is how systems write that they do not know it
    zero = situation({**none, "city_tier": 1}, {"monthly_income": 0, "city_tier": 1})
    assert restructure.means(zero).bearable[0] == restructure.means(zero).bearable[1]
    assert [(rule[:2], rows) for _, rule, rows in restructure.fills(zero.loans)] == [
        ("un", 1),
        ("0,", 1),
    ]


def test_who_has_several_loans_past_due_bears_his_instalments_together(situation) -> None:
    """By hand: 30 per cent of 10,000 yuan, three quarters of it for three quarters of what is owed."""
    pay = {"monthly_income": 1_000_000, "interest": 0, "fees": 0}
    loans = (
        {**pay, "borrower_id": "A", "principal": 9_000_000},
        {**pay, "borrower_id": "A", "principal": 3_000_000, "product": "credit_card"},
        {**pay, "borrower_id": "A", "principal": 60_000_000, "days_past_due": 0},
        {**pay, "borrower_id": "B", "principal": 9_000_000},
    )
    there = situation(*loans)
    bearable = restructure.means(there).bearable
    assert bearable[[0, 1, 3]] == pytest.approx([225_000, 75_000, 300_000])
    share = channels.terms(there).share_of_income
    # Of the eases of the market book none asks for more than what can be borne
    assert share[0] + share[1] <= 0.3 + 1e-6
    assert share[3] == pytest.approx(channels.terms(situation(loans[3])).share_of_income[0])


def test_nobody_agrees_on_terms_for_a_loan_obtained_by_fraud(situation) -> None:
    card = {"product": "credit_card", "days_past_due": 120}
    fraud, honest = (situation({**card, "fraud_flag": flag}) for flag in (True, None))
    assert restructure.permit(fraud, 0).eligible.all()
    assert restructure.responses(fraud, channels.terms(fraud))[0][0] == 0.0
    assert restructure.responses(honest, channels.terms(honest))[0][0] > 0.1
    asked, left = restructure.outcome(fraud, 0), channels.collect.outcome(fraud, 0)
    assert asked.pv[0] < left.pv[0]


def test_the_last_instalment_is_always_something(situation) -> None:
    """One fen of income asks for as many instalments as may be: of 90 fen the last had been below nought."""
    sizes = [1, 90, 999, 1_999, 3_010, 59_500, 60_300]
    poor = {"monthly_income": 1, "interest": 0, "fees": 0, "product": "credit_card"}
    offered = channels.terms(situation(*[{**poor, "principal": size} for size in sizes]))
    last = np.array(sizes) - (offered.instalments - 1) * offered.instalment
    assert (last > 0).all()
    assert offered.instalments.tolist() == [1, 1, 1, 1, 3, 59, 60]


def _moved(there, **change: object) -> tuple[float, float]:
    """How acceptance and breaking change from the terms of the first loan to changed ones."""
    offered = channels.terms(there)
    parts = {name: getattr(offered, name) for name in restructure.Terms.__annotations__}
    before = restructure.responses(there, offered)
    after = restructure.responses(there, restructure.Terms(**(parts | change)))
    return float(after[0][0] - before[0][0]), float(np.log(after[1][0] / before[1][0]))


def test_a_lower_payment_moves_the_mortgage_holder_and_hardly_the_card_holder(situation) -> None:
    home = {
        "product": "mortgage",
        "security": "home",
        "principal": 60_000_000,
        "days_past_due": 100,
    }
    card = {"product": "credit_card", "principal": 9_000_000, "days_past_due": 100}
    breaks = []
    for loan in (home, card):
        there = situation({**loan, **RICH})
        lower = channels.terms(there).instalment * 9 // 10
        breaks.append(_moved(there, instalment=lower)[1])
    assert breaks[0] < 2.0 * breaks[1] < 0.0
    # Between the two published elasticities, a tenth less means 11 to 22 per cent less breaking
    assert -0.25 < breaks[0] < -0.08


def test_a_waiver_moves_the_card_holder_and_hardly_the_mortgage_holder(situation) -> None:
    home = {
        "product": "mortgage",
        "security": "home",
        "principal": 60_000_000,
        "days_past_due": 100,
    }
    card = {"product": "credit_card", "principal": 9_000_000, "days_past_due": 100}
    found = []
    for loan in (home, card):
        there = situation({**loan, **RICH})
        waived = np.array([int(0.3 * there.claim[0])])
        more, less_broken = _moved(there, waived_principal=waived)
        found.append((more / restructure.means(there).moved[0], less_broken))
    assert found[1][0] > 2.0 * found[0][0] > 0.0
    assert found[1][1] < 2.0 * found[0][1] < 0.0


def test_stale_debt_is_moved_by_nothing(situation) -> None:
    fresh, stale = (
        situation({"product": "credit_card", "days_past_due": days}) for days in (120, 2_500)
    )
    waived = np.array([2_000_000])
    assert (
        _moved(stale, waived_principal=waived)[0] < 0.3 * _moved(fresh, waived_principal=waived)[0]
    )


def test_who_could_pay_and_does_not_is_moved_by_no_offer(situation) -> None:
    """METHODS 7.2: offers move those who lack cash and those who owe too much; the others have means and won't."""
    there = situation(
        *[{"days_past_due": 120, "monthly_income": pay} for pay in (300_000, 600_000, 5_000_000)]
    )
    moved = restructure.means(there).moved
    assert moved[0] == pytest.approx(0.95)
    assert moved[0] > moved[1] > moved[2] == pytest.approx(0.95 * 0.5)
    accepted = restructure.responses(there, channels.terms(there))[0]
    assert accepted[2] < 0.7 * accepted[0]


def test_nobody_waives_principal_but_who_may(situation) -> None:
    amc = {"kind": "local_amc"}
    loan = {"product": "credit_card", "principal": 9_000_000}
    assert channels.terms(situation(loan, holder=amc)).waived_principal[0] == 0
    free = situation(loan, holder=amc, rulebook="cn-principal-reducible")
    bank = situation(loan, rulebook="cn-principal-reducible")
    assert channels.terms(bank).waived_principal[0] == 0
    ours = restructure.outcome(situation(loan, holder=amc), 0).pv[0]
    assert restructure.outcome(free, 0).pv[0] >= ours
    freed = restructure.without_ban(situation(loan, holder=amc))[0]
    assert ours <= freed <= restructure.outcome(free, 0).pv[0] * (1.0 + 1e-12)


def test_principal_is_waived_only_where_interest_and_fees_are(situation) -> None:
    loans = [
        {
            "product": product,
            "days_past_due": days,
            "principal": size,
            "interest": size // 5,
            "fees": size // 50,
            "monthly_income": income,
        }
        for product in ("credit_card", "consumer", "business")
        for days in (120, 500, 900)
        for size in (1_000_000, 9_000_000, 20_000_000)
        for income in (None, 400_000)
    ]
    amc = {"kind": "local_amc"}
    there = situation(*loans, holder=amc, rulebook="cn-principal-reducible")
    offered = channels.terms(there)
    touched = offered.waived_principal > 0
    assert touched.any()
    owed = {name: there.loans[name].to_numpy()[touched] for name in ("interest", "fees")}
    assert (offered.waived_interest[touched] == owed["interest"]).all()
    assert (offered.waived_fees[touched] == owed["fees"]).all()


def test_the_ban_never_pays_the_single_loan(situation) -> None:
    loans = [
        {"product": product, "days_past_due": days, "principal": size}
        for product in ("credit_card", "consumer")
        for days in (120, 900)
        for size in (1_000_000, 20_000_000)
    ]
    there = situation(*loans)
    gain = restructure.without_ban(there) - restructure.outcome(there, 0).pv
    assert (gain >= -1e-9).all()
    assert gain.max() > 0.0


def test_terms_with_grace_and_a_waiver_add_up(situation) -> None:
    loans = [{"product": product, "principal": size} for size in (7, 999_999, 40_000_001)
             for product in ("mortgage", "credit_card", "business")]  # fmt: skip
    there = situation(*loans, holder={"kind": "local_amc"}, rulebook="cn-principal-reducible")
    offered = channels.terms(there)
    rest = there.claim - offered.waived_interest - offered.waived_fees - offered.waived_principal
    assert (np.abs(rest - offered.instalments * offered.instalment) < offered.instalments).all()
    cards = (there.loans["product"] == "credit_card").to_numpy()
    assert (offered.instalments + offered.grace)[cards].max() <= 60
    assert (offered.grace[cards] == 0).all()
