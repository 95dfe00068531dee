"""The courts: what a case adds, to whom, how soon, and what interrupts a limitation."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from arrears import channels
from arrears.channels import litigate
from arrears.recovery.forecast import window


def test_what_a_case_adds_worked_by_hand(situation) -> None:
    there = situation({})
    weights = window(there.rate, 0)[None, :]
    effect = there.number("channels/judgment_effect")
    # Contact does not count in what is enforced, but a loan of a better score keeps it
    base = max(there.forecast.params.product_effect["consumer"], float(there.forecast.score[0]))
    judged = replace(there.forecast, score=np.array([base]))

    def worth(month: int) -> float:
        return float(judged.voluntary(weights, shift=effect, from_month=month)[0, 0])

    usual = float(there.forecast.voluntary(weights)[0, 0])
    # Zhejiang: judgment after 4 months, felt 2 later; 45 per cent are mediated in the first month
    gain = 0.45 * worth(1) + 0.55 * worth(6) - usual
    chance = 0.4 * 0.85 * 1.1
    pv = (usual + chance * gain) * (1.0 - 0.3) - litigate.case_costs(there)[0]
    assert litigate.outcome(there, 0).pv[0] == pytest.approx(pv, rel=1e-9)


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


def test_the_fee_is_halved_for_those_who_settle_early(situation) -> None:
    """A claim of 100,000 yuan: 2,300 yuan in full (FACTS 7.3), four fifths of the cases at half."""
    there = situation({"principal": 10_000_000, "interest": 0, "fees": 0})
    lawyer, frozen = 40_000, 0.3 * 102_000
    costs = litigate.case_costs(there)[0]
    assert costs == pytest.approx(230_000 * 0.6 + frozen + lawyer, rel=0.01)
    under_way = situation({"legal_status": "filed"})
    assert np.allclose(litigate.case_costs(under_way), lawyer)
