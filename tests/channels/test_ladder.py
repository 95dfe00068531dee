"""The ladder of steps: against a plain search, and what moves it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from arrears.channels import cells, collect, ladder
from arrears.recovery.forecast import window

LOANS: list[dict[str, object]] = [
    {"days_past_due": 400},
    {"days_past_due": 120, "principal": 900_000, "interest": 0, "fees": 0},
    {"days_past_due": 2_500, "contact_status": "unreachable"},
    {"days_past_due": 300, "contact_status": "vanished", "principal": 60_000_000},
    {"days_past_due": 45, "product": "credit_card", "contact_status": None},
    {"days_past_due": 700, "product": "mortgage", "principal": 80_000_000},
    {"days_past_due": 12, "product": "mortgage", "principal": 80_000_000},
    {"days_past_due": 0, "reported_class": "normal"},
]


def _plain_worth(situation, loan: int, shift: float, *, own: bool) -> float:
    """Worth of a loan under a shift of its quarter, by the grid itself and no interpolation in the shift."""
    forecast, rate = situation.forecast, situation.rate
    weights = np.stack([window(rate, 0), window(rate, 0, 3)])
    kappa = float(situation.commission[loan])
    if forecast.age[loan] < 0:
        roll = forecast.due.roll
        odds = roll * np.exp(-shift) / (1.0 - roll)
        moved = replace(forecast, due=replace(forecast.due, roll=odds / (1.0 + odds)))
        return (1.0 - kappa) * float(moved.voluntary(weights)[loan, 0])
    moved = replace(forecast, score=forecast.score + shift)
    cash = moved.voluntary(weights, shift=-shift, from_month=3)[loan]
    return (1.0 - kappa) * float(cash[0]) + own * kappa * float(cash[1])


def _plain_best(situation, loan: int) -> tuple[float, float]:
    """Best worth less cost over all sets of steps, and the worth of no step at all."""
    names, most = cells.RUNGS, situation.number("ladder/most")
    row = situation.loans.row(loan, named=True)
    contact = row["contact_status"] or "unknown"
    age = int(situation.forecast.age[loan])
    factor = situation.market.numbers("ladder/by_product", situation.as_of)[row["product"]]
    if age >= 0:
        table = situation.market.table("ladder/by_age", situation.as_of)
        factor *= [value for months, value in table if age >= months][-1]

    def adds(step: str, word: str) -> float:
        base = situation.market.numbers(f"ladder/{step}", situation.as_of)
        share = situation.market.numbers(f"ladder/{word}", situation.as_of)[step]
        return base["late" if age >= 0 else "early"] * factor * share

    prices = situation.market.numbers("ladder/step_cost", situation.as_of)
    prices["visit"] = situation.number("channels/visit_cost")
    hours = situation.market.numbers("channels/call_hours", situation.as_of)[contact]
    prices["call"] = hours * situation.number("channels/call_hour_cost")
    found = situation.market.numbers("ladder/traced", situation.as_of).get(contact, 0.0)

    def together(steps: list[str], chance: float) -> float:
        left = 1.0
        for step in steps:
            plain = adds(step, contact)
            plain += chance * max(adds(step, "reachable") - plain, 0.0)
            left *= 1.0 - min(plain, most) / most
        return most * (1.0 - left)

    first = situation.market.numbers("ladder/from_day", situation.as_of)
    early = {step for step, day in first.items() if row["days_past_due"] < day}
    usual = together(["text", "call", "letter"], 0.0)
    best, alone = -np.inf, 0.0
    for picks in product((False, True), repeat=len(names)):
        steps = [name for name, pick in zip(names, picks, strict=True) if pick]
        if ("agency" in steps and {"call", "visit"} & set(steps)) or early & set(steps):
            continue
        for chance in (0.0, found) if found else (0.0,):
            cost = sum(prices.get(step, 0.0) for step in steps)
            cost += situation.number("ladder/trace_cost") if chance else 0.0
            shift = together(steps, chance) - usual
            net = _plain_worth(situation, loan, shift, own="agency" not in steps) - cost
            best = max(best, net)
            alone = alone if steps else net
    return best, alone


@pytest.mark.parametrize("loan", [1, 4, 6])
def test_the_ladder_is_the_best_of_all_sets_of_steps(situation, loan: int) -> None:
    there = situation(LOANS[loan])
    best, alone = _plain_best(there, 0)
    sold = float(there.court_later[0][0])
    offered = float(collect.outcome(there, 0).pv[0]) - sold
    assert offered == pytest.approx(best, rel=2e-3)
    assert best > alone


def test_between_its_shifts_the_parabola_is_the_grid(situation) -> None:
    there = situation(*LOANS[:6])
    for shift in (-0.5, -0.2, 0.3, 0.6):
        seen = ladder.responses(there).at(np.full(6, shift))[0]
        for loan in range(6):
            kappa = float(there.commission[loan])
            plain = _plain_worth(there, loan, shift, own=False) / (1.0 - kappa)
            assert seen[loan] == pytest.approx(plain, rel=5e-3)


def test_no_ladder_begins_at_its_top(situation) -> None:
    """A home is worth a visit and a notice at any time; nobody is visited who is some days late."""
    large = {"product": "mortgage", "security": "none", "principal": 900_000_000}
    days = (1, 30, 31, 90, 91, 1_200)
    there = situation(*[{**large, "days_past_due": late} for late in days])
    words = [set(told.split("+")) for told in ladder.ladders(there).words]
    assert [("visit" in steps, "court_notice" in steps) for steps in words] == [
        (False, False), (False, False), (True, False), (True, False), (True, True), (True, True),
    ]  # fmt: skip
    assert all("call" in steps for steps in words)
    # What own contacts say of a step does not bring it forward
    own = np.full((cells.COUNT, len(cells.RUNGS)), 0.5)
    learnt = ladder.ladders(replace(there, steps_add=own, _once={})).words
    assert ["court_notice" in told for told in learnt] == [False] * 4 + [True] * 2


def test_nobody_calls_a_sound_borrower(situation) -> None:
    taken = ladder.ladders(situation(*LOANS))
    assert taken.steps[-1] == -1
    assert taken.cost[-1] == taken.hours[-1] == taken.shift[-1] == 0.0
    assert taken.words[-1] is None


def test_small_stale_claims_are_not_called_and_large_fresh_ones_are(situation) -> None:
    small = {"days_past_due": 2_800, "principal": 300_000, "interest": 0, "fees": 0}
    taken = ladder.ladders(situation(small, {"days_past_due": 120, "principal": 20_000_000}))
    assert taken.hours[0] == 0.0
    assert taken.hours[1] > 0.0
    assert "call" in taken.words[1]


def test_nobody_hands_a_few_fen_to_an_agency(situation) -> None:
    owed = {"days_past_due": 200, "interest": 0, "fees": 0, "provision": 0}
    there = situation(*[{**owed, "principal": fen} for fen in (1, 100, 1_000)])
    assert ladder.ladders(there).words.to_list() == ["none"] * 3


def test_an_agency_takes_the_place_of_own_calls_and_visits(situation) -> None:
    found = ladder.options(situation({}))
    agency = found.steps >> cells.RUNGS.index("agency") & 1
    calls = found.steps >> cells.RUNGS.index("call") & 1
    visits = found.steps >> cells.RUNGS.index("visit") & 1
    assert agency.any()
    assert not (agency & (calls | visits)).any()
    assert not found.own[agency == 1].any()


def test_idle_months_cost_and_the_longer_the_more(situation) -> None:
    there = situation(*LOANS[:3])
    usual = there.collected.pv
    six, twelve = (ladder.idle(there, start).pv for start in (6, 12))
    assert (usual > six).all()
    assert (six > twelve).all()


def test_steps_add_less_the_more_there_are(situation) -> None:
    effect = ladder.effects(situation({}))
    one = ladder.together(effect, np.arange(7) == 2, 1.2)
    two = ladder.together(effect, np.isin(np.arange(7), (2, 5)), 1.2)
    other = ladder.together(effect, np.arange(7) == 5, 1.2)
    assert (two >= one).all()
    assert (two <= one + other + 1e-12).all()
    assert (two <= 1.2).all()


def test_the_law_caps_the_hours_of_dialling(situation) -> None:
    from datetime import date

    before, after = situation({}), situation({}, day=date(2026, 6, 30))
    capped = ladder.call_hours(after)
    assert (capped <= ladder.call_hours(before)).all()
    assert (capped <= 6 * 10 * 2 / 60).all()


def test_one_borrower_is_called_once_for_all_his_loans(situation) -> None:
    alone = ladder.ladder_table(situation({}))
    both = situation({"borrower_id": "B1"}, {"borrower_id": "B1"}, {"borrower_id": "B2"})
    table = ladder.ladder_table(both)
    called = table["hours"] > 0
    assert called.all()
    assert table["hours"].to_list() == pytest.approx([alone["hours"][0] * k for k in (0.5, 0.5, 1)])
    assert table["visits"].to_list() == pytest.approx(
        [alone["visits"][0] * k for k in (0.5, 0.5, 1)]
    )
    # A loan that is not past due takes no part of the call
    sound = situation(
        {"borrower_id": "B1"}, {"borrower_id": "B1", "days_past_due": 0, "default_date": None}
    )
    assert ladder.ladder_table(sound)["hours"].to_list() == [alone["hours"][0], 0.0]
