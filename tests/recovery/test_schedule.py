"""Loans before day 91 against a plain reference: what is due while they pay, and what a default leaves."""

from __future__ import annotations

import numpy as np
import pytest

from arrears.core.lanes import LANES
from arrears.recovery.grid import NODE_SCORES, NODES
from arrears.recovery.schedule import Schedule, early, put_performing

MONTHS, LOANS = 30, 200


def _schedule() -> Schedule:
    g = np.random.default_rng(7)
    return Schedule(
        balance=g.integers(1, 10**8, LOANS) * g.choice([0.0, 1.0, 1.0], LOANS),
        rate=g.choice([0.0, 0.004, 0.02], LOANS),
        term=g.integers(1, 50, LOANS),
        kind=g.integers(0, 3, LOANS),
        roll=g.choice([0.0, 0.1, 0.9, 1.0], LOANS),
        roll_month=g.integers(1, 5, LOANS),
        hazard=g.choice([0.0, 0.01, 0.3], LOANS),
    )


def _performing(
    due: Schedule, score: np.ndarray, weights: np.ndarray, after: np.ndarray
) -> np.ndarray:
    sums = np.zeros((len(score), len(weights)))
    put_performing(sums, due, score, early(due, score), weights=weights, after=after)
    return sums


def _by_hand(due: Schedule, loan: int, weights: list[float], after: list[float]) -> float:
    """Month by month, in plain Python."""
    owed, alive, total = float(due.balance[loan]), 1.0, 0.0
    rate, term = float(due.rate[loan]), int(due.term[loan])
    level = owed * rate / (1 - (1 + rate) ** -term) if rate else owed / term
    for month in range(MONTHS):
        if month >= max(term, int(due.roll_month[loan])):
            break
        chance = float(due.hazard[loan]) * alive
        if month + 1 == due.roll_month[loan]:
            chance += float(due.roll[loan])
        chance = min(chance, alive)
        total += chance * owed * after[month]
        alive -= chance
        if month >= term:
            continue
        interest = owed * rate
        pays = [level, interest, 0.0][due.kind[loan]]
        cash = owed + interest if month == term - 1 else pays
        owed = max(owed + interest - cash, 0.0)
        total += alive * cash * weights[month]
    return total


@pytest.mark.parametrize("rows", [1, LANES - 1, LANES, 2 * LANES + 3])
def test_each_loan_is_worth_what_its_months_are(rows) -> None:
    g = np.random.default_rng(rows)
    due, node = _schedule(), g.integers(0, NODES, LOANS)
    weights, after = g.random((rows, MONTHS)), g.random((MONTHS, NODES, rows))
    found = _performing(due, NODE_SCORES[node], weights, after)
    assert found.shape == (LOANS, rows)
    by_hand = [
        [
            _by_hand(due, loan, weights[row].tolist(), after[:, node[loan], row].tolist())
            for row in range(rows)
        ]
        for loan in range(LOANS)
    ]
    np.testing.assert_allclose(found, by_hand, rtol=1e-9)


def test_a_row_is_the_same_whatever_stands_beside_it() -> None:
    g = np.random.default_rng(1)
    due, score = _schedule(), g.uniform(-5.0, 2.5, LOANS)
    weights, after = g.random((LANES + 2, MONTHS)), g.random((MONTHS, NODES, LANES + 2))
    whole = _performing(due, score, weights, after)
    for row in range(LANES + 2):
        one = slice(row, row + 1)
        alone = _performing(due, score, weights[one], after[:, :, one])
        assert (alone == whole[:, one]).all()
