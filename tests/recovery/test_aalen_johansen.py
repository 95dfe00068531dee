"""The estimator against hand-worked and published figures, and against the chains of METHODS 2.4."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.errors import BadArgument
from arrears.recovery.aalen_johansen import aalen_johansen, from_moves
from arrears.recovery.markov import absorbed

STORE = np.array(
    [
        [0.0, 0.2, 0.0, 0.8, 0.0],
        [0.0, 0.0, 0.1, 0.9, 0.0],
        [0.0, 0.0, 0.0, 0.85, 0.15],
        [0.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0],
    ]
)
SUPPLIER = np.array(
    [
        [1.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0, 0.0],
        [0.8, 0.0, 0.0, 0.2, 0.0],
        [0.4, 0.0, 0.0, 0.3, 0.3],
        [0.2, 0.1, 0.0, 0.6, 0.1],
    ]
)


def test_with_two_states_it_is_kaplan_and_meier_with_greenwoods_error() -> None:
    # Remission under 6-mercaptopurine, Freireich et al. 1963, as published in every textbook of survival analysis
    weeks = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    target = [1] * 9 + [-1] * 12
    found = aalen_johansen(np.zeros(21), weeks, np.zeros(21, dtype=int), target, states=2)
    assert found.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    share = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    error = [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346]
    assert found.chance[:, 0, 0] == pytest.approx(share, abs=5e-4)
    assert found.se[:, 0, 0] == pytest.approx(error, abs=5e-5)


def test_two_competing_ends_by_hand() -> None:
    # five loans; at 1 one goes bad, at 2 one is paid, then one is lost from sight, at 4 one of the two left goes bad
    stop, target = [1, 2, 3, 4, 5], [1, 2, -1, 1, -1]
    found = aalen_johansen([0] * 5, stop, [0] * 5, target, states=3)
    assert found.chance[:, 0, 1] == pytest.approx([1 / 5, 1 / 5, 1 / 5 + 3 / 5 * 1 / 2])
    assert found.chance[:, 0, 2] == pytest.approx([0, 4 / 5 * 1 / 4, 1 / 5])
    assert found.se[0, 0, 1] == pytest.approx(np.sqrt(0.2 * 0.8 / 5))
    assert found.at(0.5).tolist() == np.eye(3).tolist()
    assert found.at(3.9)[0].tolist() == pytest.approx([3 / 5, 1 / 5, 1 / 5])


def test_a_loan_seen_late_is_at_risk_from_then_on() -> None:
    # the second is seen from 2 on: at 1 one of one moves, at 3 one of two
    found = aalen_johansen([0, 2, 1], [1, 3, 9], [0, 0, 0], [1, 1, -1], states=2)
    assert found.chance[:, 0, 1].tolist() == [1.0, 1.0]
    late = aalen_johansen([0, 2, 0], [1, 3, 9], [0, 0, 0], [1, 1, -1], states=2)
    assert late.chance[:, 0, 1] == pytest.approx([1 / 2, 1 / 2 + 1 / 2 * 1 / 2])


@pytest.mark.parametrize(("chain", "bad"), [(STORE, 4), (SUPPLIER, 1)])
def test_of_expected_moves_it_gives_the_published_chain_exactly(chain, bad) -> None:
    stock, moves = np.full(len(chain), 1_000.0), []
    for _ in range(400):
        moves.append(stock[:, None] * chain)
        stock = stock @ chain
    found = from_moves(np.array(moves))
    fate = absorbed(chain)
    at = list(fate.absorbing).index(bad)
    assert found.chance[-1][list(fate.transient), bad] == pytest.approx(fate.ends[:, at], abs=1e-9)
    assert found.chance[11] == pytest.approx(np.linalg.matrix_power(chain, 12))


@pytest.mark.parametrize("chain", [STORE, SUPPLIER])
def test_of_loans_that_a_published_chain_moves_it_finds_the_chain_within_its_error(chain) -> None:
    rng = np.random.default_rng(7)
    loans, months = 4_000, 8
    ends = {k for k in range(5) if chain[k, k] == 1.0}
    rows = []
    for loan in range(loans):
        state = 2 + loan % 3 if chain is SUPPLIER else loan % 3
        for month in range(months):
            if state in ends:
                break
            to = int(rng.choice(5, p=chain[state]))
            rows.append((month, month + 1, state, to))
            state = to
    start, stop, origin, target = (np.array(column) for column in zip(*rows, strict=True))
    found = aalen_johansen(start, stop, origin, target, states=5)
    true = np.linalg.matrix_power(chain, months)
    assert (np.abs(found.chance[-1] - true) <= 4 * found.se[-1] + 1e-9).all()
    assert found.se[-1].max() < 0.03


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(1, 40))
def test_it_is_what_a_plain_loop_finds(seed, states, count) -> None:
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 6, count)
    stop = start + rng.integers(1, 6, count)
    origin, target = rng.integers(0, states, count), rng.integers(-1, states, count)
    found = aalen_johansen(start, stop, origin, target, states=states)
    rows = list(zip(start, stop, origin, target, strict=True))
    now = np.eye(states)
    for place, time in enumerate(sorted({b for _, b, h, j in rows if j not in {-1, h}})):
        step = np.eye(states)
        for g in range(states):
            risk = [row for row in rows if row[2] == g and row[0] < time <= row[1]]
            for _, end, _, to in risk:
                if end == time and to not in {-1, g}:
                    step[g, to] += 1 / len(risk)
                    step[g, g] -= 1 / len(risk)
        now = now @ step
        assert found.chance[place] == pytest.approx(now, abs=1e-12)
    assert found.chance.sum(axis=2) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (([0, 0], [1], [0], [1]), "a start, a stop"),
        (([2], [1], [0], [1]), "before it begins"),
        (([0], [1], [0], [5]), "outside 0 to 1"),
    ],
)
def test_what_is_no_sojourn_is_refused(rows, says) -> None:
    with pytest.raises(BadArgument, match=says):
        aalen_johansen(*rows, states=2)
