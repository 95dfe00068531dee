"""A book laid on nodes: parts add up to the whole, few nodes are enough, and no thread changes a figure."""

from __future__ import annotations

from datetime import date

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.recovery import factors, grid, kernels, stock
from arrears.recovery.params import Params
from arrears.rules import load_market

PARAMS = Params.of(load_market("cn"), date(2025, 3, 31))
AGES = len(PARAMS.odds)


def _book(seed: int, loans: int) -> tuple[np.ndarray, ...]:
    g = np.random.default_rng(seed)
    segment = 5 * g.integers(0, 4, loans) + g.integers(0, 5, loans)
    age = g.integers(-1, AGES + 3, loans)
    score = np.clip(g.normal(-0.3, 0.8, loans), grid.LOW, grid.HIGH)
    return segment, age, score, np.round(np.exp(g.normal(15.0, 1.0, loans)))


def _project(book: tuple[np.ndarray, ...]) -> stock.Stock:
    return stock.project(*book, ages=AGES)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.integers(2, 5))
def test_stocks_of_parts_add_up_to_the_stock_of_the_whole(seed, loans, parts) -> None:
    book = _book(seed, loans)
    whole = _project(book)
    part = np.random.default_rng(seed).integers(0, parts, loans)
    added = _project(tuple(column[part == 0] for column in book))
    for number in range(1, parts):
        added += _project(tuple(column[part == number] for column in book))
    assert (added.key == whole.key).all()
    scale = np.abs(whole.sums).max(initial=1.0)
    assert np.abs(added.sums - whole.sums).max(initial=0.0) <= 1e-12 * scale
    # Cut between cells, not through them, it is the same bit for bit.
    cut = np.median(whole.key) if len(whole.key) else 0
    below = np.where(book[1] < 0, -1, book[0] * AGES + book[1]) <= cut
    halves = [_project(tuple(column[mine] for column in book)) for mine in (below, ~below)]
    assert np.array_equal((halves[0] + halves[1]).sums, whole.sums)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.sampled_from([1, 2, 3, 4, 6, 10]))
def test_gauss_nodes_have_the_moments_of_the_scores_themselves(seed, loans, order) -> None:
    g = np.random.default_rng(seed)
    score = np.clip(g.normal(-0.3, g.uniform(0.01, 1.5), loans), grid.LOW, grid.HIGH)
    claim = np.exp(g.normal(10.0, 1.0, loans))
    laid = stock.project(np.zeros(loans, int), np.zeros(loans, int), score, claim, ages=AGES)
    nodes, weights = stock.gauss(laid.sums[0], order)
    assert (weights >= 0.0).all()
    centred = score - (grid.LOW + grid.HIGH) / 2
    for power in range(2 * order):
        exact = (claim * (centred / 3.75) ** power).sum() / claim.sum()
        ours = (weights[0] * ((nodes[0] - (grid.LOW + grid.HIGH) / 2) / 3.75) ** power).sum()
        assert ours / claim.sum() == pytest.approx(exact, abs=1e-9)


def _plain(book: tuple[np.ndarray, ...], push: np.ndarray, months: int) -> np.ndarray:
    """Expected cash by month and scenario, loan by loan, by plain NumPy."""
    cash = np.zeros((months, push.shape[2]))
    for segment, age, score, claim in zip(*book, strict=True):
        if not 0 <= age < AGES:
            continue
        owed = np.full(push.shape[2], claim)
        for month in range(min(months, AGES - age)):
            odds = PARAMS.odds[age + month] * np.exp(score) * push[segment // 5, month]
            paid = owed * PARAMS.share_paid * odds / (1.0 + odds)
            cash[month] += paid
            owed -= paid
    return cash


def test_four_nodes_a_cell_give_every_scenario_to_a_ten_thousandth() -> None:
    book, months, count = _book(3, 1_500), 60, 37
    drawn = factors.draw(count, months, PARAMS.persistence, 5)
    z = drawn.of_segments([0, 5, 10, 15], PARAMS.factor_weights)
    push = np.exp(PARAMS.deviation * z)
    curves = np.repeat(PARAMS.odds[:, None], count, axis=1)
    plain = _plain(book, push, months)
    laid = _project(book)
    errors = {}
    for order in (2, 4, 8):
        cells = stock.cells_of(laid.sums[0], laid.segment // 5, laid.age, order=order)
        cash = kernels.scenario_cash(curves, PARAMS.share_paid, push, cells)
        assert cash.shape == plain.shape
        errors[order] = np.abs(cash.sum(axis=0) / plain.sum(axis=0) - 1.0).max()
    assert errors[2] < 2e-2
    assert errors[4] < 2e-4
    assert errors[8] < 1e-7


def test_late_arrivals_and_sold_parts_pay_from_their_month_on() -> None:
    months, count = 30, 5
    push = np.ones((1, months, count))
    curves = np.repeat(PARAMS.odds[:, None], count, axis=1)
    laid = _project((np.zeros(1, int), np.zeros(1, int), np.zeros(1), np.array([1000.0]))).sums[0]
    nil = np.zeros(1, dtype=np.int64)

    def cash(hits: np.ndarray | None = None, **when: object) -> np.ndarray:
        cells = stock.cells_of(laid, nil, nil, order=2, **when)
        return kernels.scenario_cash(curves, PARAMS.share_paid, push, cells, hits)

    now, late, sold = cash(), cash(start=nil + 7), cash(since=12)
    assert late[:7].max() == 0.0
    assert late[7:] == pytest.approx(now[: months - 7])
    assert sold[:12].max() == 0.0
    assert (sold[12:] == now[12:]).all()
    hits = np.ones((1, months, count))
    hits[0, 6, 2] = 1.5
    assert cash(hits, start=nil + 7)[:, 2] == pytest.approx(1.5 * late[:, 0])


def test_no_thread_changes_a_stock_or_a_scenario() -> None:
    book = _book(11, 3_000)
    push = np.exp(0.2 * np.random.default_rng(1).standard_normal((20, 24, 40)))
    curves = np.repeat(PARAMS.odds[:, None], 40, axis=1)

    def once() -> tuple[np.ndarray, np.ndarray]:
        laid = _project(book)
        cells = stock.cells_of(laid.sums[0], laid.segment, laid.age, order=4)
        return laid.sums, kernels.scenario_cash(curves, PARAMS.share_paid, push, cells)

    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = once()
    finally:
        numba.set_num_threads(before)
    for one, many in zip(alone, once(), strict=True):
        assert np.array_equal(one, many)
