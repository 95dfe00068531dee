"""Learning from an inspection, and the portfolio estimators of METHODS 3.3."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from arrears.standing.hidden.audit import FEATURES, by_design, propose, sharpen
from arrears.standing.hidden.portfolio import (
    capture_recapture,
    counterfactual_roll,
    inspection_gap,
    overdue_to_reported,
    wilson,
)


def test_wilson_is_the_published_interval() -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3: 81/263, 15/148, 0/20, 1/29."""
    for found, of, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(found, of) == pytest.approx((low, high), abs=5e-5)


def test_the_inspection_gap_is_hidden_over_reported() -> None:
    gap = inspection_gap(np.array([True] * 6 + [False] * 94), reported=12)
    assert (gap.found, gap.looked_into, gap.gap) == (6, 100, 0.5)
    assert gap.lo95 < gap.share < gap.hi95
    assert inspection_gap(np.array([True]), reported=0).gap is None


def test_portfolio_estimators_by_hand() -> None:
    assert overdue_to_reported(79.6, 100.0) == pytest.approx(0.796)
    assert overdue_to_reported(1.0, 0.0) is None
    assert counterfactual_roll(
        np.array([100.0, 200.0]), np.array([0.5, 0.5]), np.array([10.0, 20.0])
    ) == pytest.approx(120.0)
    assert capture_recapture(50, 40, 20) == 100
    assert capture_recapture(5, 4, 0) is None


def some_signs(n: int, g: np.random.Generator) -> pl.DataFrame:
    shown = {name: (g.random(n) < 0.05).astype(float) for name in FEATURES}
    return pl.DataFrame(shown | {"outside": np.zeros(n, dtype=np.uint8), "evidence": ["x"] * n})


def test_an_inspection_moves_chances_to_what_it_found() -> None:
    g = np.random.default_rng(0)
    n = 20_000
    signs = some_signs(n, g)
    odds = -4.0 + 4.0 * signs["e1"].to_numpy() + 3.0 * signs["dressed"].to_numpy()
    truth = g.random(n) < 1 / (1 + np.exp(-odds))
    wrong = np.full(n, 0.2)
    looked = np.sort(g.permutation(n)[:2_000])
    found = sharpen(wrong, signs, looked, truth[looked])
    chance = found.chances()
    assert chance.sum() == pytest.approx(truth.sum(), rel=0.15)
    assert np.corrcoef(chance, 1 / (1 + np.exp(-odds)))[0, 1] > 0.9
    drawn = found.drawn(np.arange(n), 50, 0).sum(axis=0)
    assert drawn.min() < truth.sum() < drawn.max()


def test_little_found_moves_the_level_alone() -> None:
    g = np.random.default_rng(1)
    signs = some_signs(500, g)
    chance = g.random(500) * 0.2
    looked = np.arange(60)
    found = sharpen(chance, signs, looked, np.zeros(60, dtype=bool)).chances()
    assert found.max() < chance.max()
    assert np.array_equal(np.argsort(found), np.argsort(chance))


def test_a_proposal_is_half_telling_and_half_random_and_its_estimate_is_honest() -> None:
    g = np.random.default_rng(2)
    n = 3_000
    p = g.beta(0.1, 5, n)
    truth, claim = g.random(n) < p, g.integers(1_000, 9_000, n)
    table = pl.DataFrame({"loan_id": [f"{i:05d}" for i in range(n)], "p_hidden": p})
    signs = some_signs(n, g)
    free = np.ones(n, dtype=bool)
    free[:100] = False
    estimates = []
    for seed in range(60):
        chosen = propose(table, claim, signs, count=400, free=free, seed=seed)
        assert chosen.columns == ["loan_id", "why", "p_hidden", "claim", "chance"]
        assert chosen["loan_id"].n_unique() == 400
        assert (chosen["chance"] == 1.0).sum() == 200
        rows = chosen["loan_id"].cast(pl.Int64).to_numpy()
        assert rows.min() >= 100
        estimates.append(by_design(truth[rows], claim[rows], chosen["chance"].to_numpy()).amount)
    whole = (truth * claim)[free].sum()
    error = np.std(estimates) / np.sqrt(60)
    assert abs(np.mean(estimates) - whole) < 4 * error


def test_more_than_there_are_is_all_there_are() -> None:
    g = np.random.default_rng(3)
    table = pl.DataFrame({"loan_id": ["a", "b", "c"], "p_hidden": [0.5, None, 0.1]})
    chosen = propose(
        table, np.array([1, 2, 3]), some_signs(3, g), count=9, free=np.ones(3, bool), seed=0
    )
    assert chosen["loan_id"].to_list() == ["a", "b", "c"]
