"""Bounds under one set of limits after another are those that each set has by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from arrears.plan import bounds, choices, dual, kernels

LOANS, WAYS, CAPS = 300, 4, 3


def book(seed: int) -> choices.Choices:
    """Four ways; each but the first uses a limit of its own, the last one counts for a floor."""
    g = np.random.default_rng(seed)
    value = g.gamma(2.0, 500.0, (LOANS, WAYS))
    amount = g.gamma(2.0, 0.5, (LOANS, CAPS))
    whole = amount.sum(axis=0)
    return choices.Choices(
        first=np.arange(LOANS + 1) * WAYS,
        value=value.ravel(),
        start=np.concatenate([[0], np.cumsum(np.tile([0, 1, 1, 1], LOANS))]),
        cap=np.tile(np.arange(CAPS, dtype=np.int32), LOANS),
        amount=amount.ravel(),
        low=np.array([-np.inf, -np.inf, 0.3 * whole[2]]),
        high=np.array([0.1, 0.15, np.inf]) * whole,
    )


def relaxed(some: choices.Choices) -> float:
    """The linear program's optimum by HiGHS, without any of our code."""
    count = len(some.value)
    owner = np.repeat(np.arange(count), np.diff(some.start))
    uses = csr_array((some.amount, (some.cap, owner)), shape=(CAPS, count)).toarray()
    upper, lower = np.isfinite(some.high), np.isfinite(some.low)
    one = csr_array((np.ones(count), (np.repeat(np.arange(LOANS), WAYS), np.arange(count))))
    found = linprog(
        -some.value,
        A_ub=np.vstack([uses[upper], -uses[lower]]),
        b_ub=np.concatenate([some.high[upper], -some.low[lower]]),
        A_eq=one,
        b_eq=np.ones(LOANS),
        bounds=(0, 1),
    )
    return float(-found.fun)


@pytest.mark.parametrize("seed", range(3))
def test_each_bound_is_the_linear_optimum_whatever_was_asked_before(seed) -> None:
    some, draw = book(seed), np.random.default_rng(seed)
    asked = bounds.Bounds(some)
    for _ in range(6):
        low, high = some.low * draw.uniform(0.5, 1.5), some.high * draw.uniform(0.5, 2.0)
        found, prices = asked.under(low, high)
        assert found == pytest.approx(relaxed(replace(some, low=low, high=high)), rel=2e-7)
        assert (prices[:2] >= 0.0).all()
        assert prices[2] <= 0.0


def test_what_was_found_out_spares_steps(monkeypatch) -> None:
    some, passes = book(5), []
    best = kernels.best_choices
    monkeypatch.setattr(kernels, "best_choices", lambda *of: passes.append(0) or best(*of))
    asked = bounds.Bounds(some)
    asked.under(some.low, some.high)
    first = len(passes)
    asked.under(some.low, some.high)
    assert len(passes) - first < first / 4


def test_a_known_plan_makes_the_cut_that_it_would_under_other_limits() -> None:
    some = book(6)
    known = dual.Dual(some)
    point = np.array([20.0, 30.0, 40.0]) * known.scale
    known.at(point)
    other = replace(some, high=2.0 * some.high, low=0.5 * some.low)
    told, fresh = dual.Dual(other, plans=known.plans), dual.Dual(other)
    prices = known.prices(point)
    worth = fresh.at(fresh.point(prices))
    height, slope = told.cut(0)
    assert height + slope @ fresh.point(prices) == pytest.approx(worth, rel=1e-12)
    assert slope == pytest.approx(fresh.cut(0)[1])
