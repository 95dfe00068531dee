"""How soon terms are broken, learned from terms whose truth is known."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears import channels, rules
from arrears.channels import broken
from arrears.core.dates import add_months
from arrears.tape.columns import EVENTS, MONTHS

DAY, FIRST = date(2025, 3, 31), date(2023, 4, 1)


def _tape(
    chance: float, *, count: int = 1_500, late: int = 200, seed: int = 0
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events and months of loans that were given terms in months 1 to 12 and break them with a chance a month."""
    g = np.random.default_rng(seed)
    events, months = [], []
    for number in range(count):
        name, begin, held = f"L{number:05d}", int(g.integers(1, 13)), True
        day = add_months(FIRST, begin)
        events.append(
            {**dict.fromkeys(EVENTS), "loan_id": name, "date": day, "kind": "restructured"}
        )
        for month in range(24):
            held = held and not (month > begin and g.random() < chance)
            row = {"loan_id": name, "month": add_months(FIRST, month), "days_past_due": late,
                   "paid_principal": 50_000 * (month > begin and held), "paid_interest": 0}  # fmt: skip
            months.append({**dict.fromkeys(MONTHS), **row})
    return pl.DataFrame(events, schema=EVENTS), pl.DataFrame(months, schema=MONTHS)


def _learn(events: pl.DataFrame | None, months: pl.DataFrame | None) -> channels.Broken:
    return channels.learn_terms(events, months, as_of=DAY, market=rules.load_market("cn"))


@pytest.mark.parametrize("chance", [0.02, 0.08])
def test_own_terms_are_believed_when_there_are_many(chance: float) -> None:
    found = _learn(*_tape(chance))
    assert found.terms == 1_500
    # Who never pays once is waited for three months, which counts as one month in which terms were broken
    assert found.seen == pytest.approx(chance, abs=4 * found.se)
    assert found.monthly == pytest.approx(chance, rel=0.1)
    assert found.credibility > 0.95


def test_few_terms_or_terms_of_sound_borrowers_teach_nothing() -> None:
    assert _learn(*_tape(0.08, count=40)) == channels.Broken()
    assert _learn(*_tape(0.08, late=0)) == channels.Broken()
    events, months = _tape(0.08, count=60)
    assert _learn(None, months) == _learn(events, None) == channels.Broken()


def test_a_bad_history_is_not_believed_past_the_range_of_the_market() -> None:
    low, high = rules.load_market("cn").entry("channels/terms_broken", DAY).range
    assert _learn(*_tape(0.3)).monthly == pytest.approx(high)
    assert low <= _learn(*_tape(0.0)).monthly < 0.015


def test_new_terms_are_worth_less_where_own_ones_were_broken(situation) -> None:
    from dataclasses import replace

    usual = situation({"days_past_due": 150})
    worse = replace(usual, terms_broken=0.09, _once={}, _sold={})
    worth = [channels.offers(there).outcomes[3].pv[0] for there in (usual, worse)]
    assert worth[1] < worth[0]


def _by_hand(paid: list[int]) -> tuple[int, int]:
    """Months tried and breaks of one loan: 1 paid, 0 not, -1 not told of."""
    trials, begun = 0, False
    for month, what in enumerate(paid):
        begun = begun or what == 1
        after = paid[month + 1] if month + 1 < len(paid) else -1
        if what == -1 or (what == 0 and after == -1) or (not begun and month < 3):
            continue
        trials += 1
        if what == 0 and after == 0:
            return trials, 1
    return trials, 0


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 9).flatmap(
        lambda width: st.lists(
            st.lists(st.sampled_from([1, 1, 0, 0]), min_size=1, max_size=width).map(
                lambda row: row + [-1] * (width - len(row))
            ),
            min_size=1,
            max_size=6,
        )
    )
)
def test_months_and_breaks_are_those_counted_one_by_one(loans: list[list[int]]) -> None:
    table = np.array(loans)
    found = broken._held(table == 1, table >= 0)
    hand = [_by_hand(row) for row in loans]
    assert found == (sum(row[0] for row in hand), sum(row[1] for row in hand))
