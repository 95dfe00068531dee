"""Which way ships, by what followed an earlier day."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hidden_cases import AS_OF, event, events, loan, loans, month, months

from arrears import rules, standing
from arrears.standing.hidden import read_book
from arrears.standing.hidden.choice import area, choose, levelled


def a_book(failing: int):
    """Sixty loans that pay interest alone for a year; so many of them have interest added in the last months."""
    rows, acts, table = [], [], []
    for number in range(160):
        name = f"L{number:03d}"
        table.append(loan(name))
        alone = {"paid_principal": 0, "balance": 1_000_000} if number < 60 else {}
        rows += [month(name, back, **alone) for back in range(18)]
        if number < 60:
            acts.append(event(name, date(2024, 3, 3), "extension"))
        if number < failing:
            acts.append(event(name, date(2025, 2, 3), "capitalised"))
    tables = {"months": months(*rows), "events": events(*acts)}
    book = loans(*table)
    classed = standing.classify(book, as_of=AS_OF, rulebook=rules.load("cn"), **tables)
    return read_book(book, tables, standing=classed, as_of=AS_OF)


WEIGHTS = rules.load_market("cn").numbers("hidden/scorecard", AS_OF)


def test_too_few_outcomes_leave_the_model() -> None:
    found = choose(a_book(failing=5), WEIGHTS, seed=0)
    assert (found.way, found.outcomes, found.ranking) == ("model", 5, None)
    assert "Too few" in found.why


def test_ways_are_judged_by_the_loans_that_pay_and_show_a_sign() -> None:
    found = choose(a_book(failing=35), WEIGHTS, seed=0)
    assert (found.judged, found.outcomes) == (60, 35)
    assert set(found.table["way"]) >= {"model", "scorecard"}
    # All sixty look alike on that day, so that no way can be better than the model.
    assert found.way == "model"


def test_area_and_level_by_hand() -> None:
    assert area(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75
    assert area(np.array([1.0, 1.0]), np.array([True, False])) == 0.5
    moved = levelled(np.array([0.1, 0.5, 0.2]), 1.5)
    assert moved.sum() == pytest.approx(1.5)
    assert np.argsort(moved).tolist() == [0, 2, 1]
