"""The courts: what a case adds, to whom, how soon, and what interrupts a limitation."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from arrears import channels
from arrears.channels import litigate
from arrears.recovery.forecast import window


def _shares(there, score: float, shifted: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Share of a claim that is paid in each month, the hazard shifted as in a suit in the months [from, until)."""
    params, age = there.forecast.params, int(there.forecast.age[0])
    effect = there.number("channels/judgment_effect")
    owed = np.ones(there.forecast.push.shape[0])
    found = []
    for month in range(len(params.odds) - age):
        inside = shifted[0] <= month < shifted[1]
        lift = params.odds[age + month] * np.exp(score + effect * inside)
        odds = lift * there.forecast.push[:, month]
        paid = owed * params.share_paid * odds / (1.0 + odds)
        owed = owed - paid
        found.append(paid.mean())
    return np.array(found)


def test_what_a_case_adds_worked_by_hand(situation) -> None:
    there = situation({})
    months = int(there.number("courts/enforced_months"))
    # Neither contact nor own payments say what a court can take: the score of the product
    usual, own = (
        _shares(there, score)
        for score in (there.forecast.params.product_effect["consumer"], there.forecast.score[0])
    )
    worth = (1.0 + there.rate) ** (-np.arange(1, len(usual) + 1) / 12.0)

    def gain(month: int) -> float:
        case = _shares(
            there, there.forecast.params.product_effect["consumer"], (month, month + months)
        )
        return float((case - usual) @ worth)

    # Zhejiang: judgment after 4 months, felt 2 later; 45 per cent are mediated in the first month
    added = 0.45 * gain(1) + 0.55 * gain(6)
    unpaid = (1.0 - own.sum()) / (1.0 - usual.sum())
    chance = 0.4 * 0.85 * 1.1
    pv = there.claim[0] * (own @ worth + chance * added * unpaid) * (1.0 - 0.3)
    pv -= litigate.case_costs(there)[0]
    assert litigate.outcome(there, 0).pv[0] == pytest.approx(pv, rel=1e-3)


def test_own_payments_say_who_is_willing_not_what_a_court_can_take(situation) -> None:
    """Two loans alike, one of whom pays more of himself: the case adds the same share of what stays unpaid."""
    there = situation({"contact_status": "unknown"}, {"contact_status": "unknown"})
    score = there.forecast.score + np.array([0.0, 1.5])
    there = replace(there, forecast=replace(there.forecast, score=score), _once={}, _sold={})
    added = litigate._gains(there)[0][1]
    assert added[1] < added[0]
    assert added / there.forecast.unpaid == pytest.approx(added[0] / there.forecast.unpaid[0])


def test_once_the_court_no_longer_looks_collecting_is_as_usual(situation) -> None:
    there = situation({"days_past_due": 91})
    table, until = litigate._enforced(there, 6), 6 + int(there.number("courts/enforced_months"))
    usual = there.forecast.shares()
    assert np.array_equal(table[:, :, :6], usual[:, :, :6])
    assert (table[0, :, 6:until] > usual[0, :, 6:until]).any()
    owed = (1.0 - table[0, :, :until].sum(axis=1)) / (1.0 - usual[0, :, :until].sum(axis=1))
    assert table[0, :, until:] == pytest.approx(owed[:, None] * usual[0, :, until:], abs=1e-12)
    assert (table.sum(axis=2) <= 1.0 + 1e-12).all()


def test_after_a_sale_the_shortfall_alone_goes_on_paying(situation) -> None:
    home = {"product": "mortgage", "security": "home", "collateral_value": 3_000_000}
    there = situation(home, {**home, "collateral_value": 90_000_000}, {"product": "mortgage"})
    for start in channels.STARTS:
        cash = litigate.outcome(there, start).cash
        delay = int(there.forecast.collateral.delay[0])
        paid = there.forecast.voluntary(window(0.0, 0, start + delay)[None, :])[:, 0]
        later = there.forecast.voluntary(window(0.0, start + delay)[None, :])[:, 0]
        short = 1.0 - there.forecast.covered
        gain = litigate._gains(there)[start][1]
        assert cash == pytest.approx(paid + short * (later + gain) + there.forecast.proceeds)
    assert there.forecast.covered[0] < 0.6
    assert there.forecast.covered[1] > 0.8
    assert there.forecast.covered[2] == 0.0


def test_nothing_to_take_is_not_worth_a_suit(situation) -> None:
    there = situation(
        {"contact_status": "reachable"}, {"contact_status": "vanished"}, {"legal_status": "terminated"}
    )  # fmt: skip
    taken = litigate.takeable(there)
    assert taken[0] == pytest.approx(2 * taken[1])
    assert taken[0] > 5 * taken[2]
    net = litigate.outcome(there, 0).pv - channels.offers(there).outcomes[0].pv
    assert net[0] > 10 * net[2]
    assert net[0] > net[1]


def test_of_unsued_card_debts_most_are_screened_out(situation) -> None:
    """One court filtered out 86 per cent of its card cases (FACTS 7.3); contact mixed as unknown."""
    words = ("reachable", "unreachable", "vanished", None)
    taken = litigate.takeable(
        situation(*[{"product": "credit_card", "province": "Hunan", "contact_status": word} for word in words])
    )  # fmt: skip
    assert 0.1 < taken.mean() < 0.3


def test_slow_courts_are_worth_less_and_a_judgment_in_hand_more(situation) -> None:
    there = situation(
        {"province": "Hunan"}, {"province": "Henan"}, {"province": "Hunan", "legal_status": "judged"}
    )  # fmt: skip
    assert litigate.waits(there).tolist() == [6, 9, 2]
    gain = litigate._gains(there)[0][0]
    assert gain[0] > gain[1]


def test_suing_later_brings_less(situation) -> None:
    there = situation({})
    gains = [litigate._gains(there)[start][0][0] for start in channels.STARTS]
    assert gains[0] > gains[1] > gains[2] > 0.0


@pytest.mark.parametrize(
    ("last", "status", "days", "wanted"),
    [
        (date(2022, 4, 30), "not_sued", 900, True),
        (date(2022, 3, 15), "not_sued", 900, False),
        (date(2024, 4, 30), "not_sued", 900, False),
        (date(2022, 4, 30), "filed", 900, False),
        (date(2022, 4, 30), "not_sued", 0, False),
    ],
)
def test_a_demand_is_proposed_where_the_limitation_ends_soon(
    situation, last: date, status: str, days: int, wanted: bool
) -> None:
    loan = {"maturity_date": date(2021, 1, 1), "last_payment_date": last, "legal_status": status,
            "days_past_due": days}  # fmt: skip
    assert channels.demands(situation(loan)).tolist() == [wanted]


def test_no_demand_is_proposed_after_a_judgment(situation) -> None:
    loan = {"judgment_date": date(2023, 5, 15), "legal_status": "terminated", "days_past_due": 900}
    there = situation(loan)
    assert there.limitation_ends.to_list() == [date(2025, 5, 15)]
    assert channels.demands(there).tolist() == [False]


def test_the_fee_is_halved_for_those_who_settle_early(situation) -> None:
    """A claim of 100,000 yuan: 2,300 yuan in full (FACTS 7.3), four fifths of the cases at half."""
    there = situation({"principal": 10_000_000, "interest": 0, "fees": 0})
    lawyer, frozen = 40_000, 0.3 * 102_000
    costs = litigate.case_costs(there)[0]
    assert costs == pytest.approx(230_000 * 0.6 + frozen + lawyer, rel=0.01)
    under_way = situation({"legal_status": "filed"})
    assert np.allclose(litigate.case_costs(under_way), lawyer)
