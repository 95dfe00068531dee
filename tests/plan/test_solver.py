"""The plan is within its stated gap of the true optimum, and keeps every limit."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from arrears.plan import kernels, solver
from arrears.plan.choices import Choices, part_near
from arrears.plan.clash import Infeasible, clash_of
from arrears.plan.dual import Dual
from arrears.plan.solver import Solution, can_be_kept, solve


def choices_of(value: np.ndarray, uses: np.ndarray, low: np.ndarray, high: np.ndarray) -> Choices:
    """Dense (n, k) values and (n, k, m) uses as the solver takes them."""
    loans, ways, caps = uses.shape
    flat = uses.reshape(-1, caps)
    choice, cap = np.nonzero(flat)
    counts = np.bincount(choice, minlength=loans * ways)
    return Choices(
        first=np.arange(loans + 1) * ways,
        value=value.ravel().astype(float),
        start=np.concatenate([[0], np.cumsum(counts)]),
        cap=cap.astype(np.int32),
        amount=flat[choice, cap].astype(float),
        low=low.astype(float),
        high=high.astype(float),
    )


def optimum(value: np.ndarray, uses: np.ndarray, low: np.ndarray, high: np.ndarray) -> float | None:
    """The true optimum by HiGHS's branch and bound, written without any of our code."""
    loans, ways, caps = uses.shape
    one = np.kron(np.eye(loans), np.ones(ways))
    rows = np.vstack([one, uses.reshape(-1, caps).T])
    found = milp(
        -value.ravel(),
        integrality=np.ones(loans * ways, dtype=int),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(
            rows, np.concatenate([np.ones(loans), low]), np.concatenate([np.ones(loans), high])
        ),
    )
    return None if found.x is None else float(-found.fun)


def random_book(seed: int, loans: int, *, floor: bool) -> tuple[np.ndarray, ...]:
    g = np.random.default_rng(seed)
    value = g.integers(0, 1000, (loans, 3)).astype(float)
    uses = g.integers(0, 4, (loans, 3, 3)).astype(float)
    uses[:, 0, :] = 0.0
    uses[:, 1, 2] = g.integers(1, 4, loans)
    high = np.array([loans * 0.6, loans * 0.5, np.inf])
    low = np.array([-np.inf, -np.inf, loans * 0.8 if floor else -np.inf])
    return value, uses, low, high


def test_two_loans_one_place_in_court_goes_to_the_one_that_gains_more() -> None:
    value = np.array([[10.0, 15.0], [10.0, 30.0]])
    uses = np.zeros((2, 2, 1))
    uses[:, 1, 0] = 1.0
    found = solve(choices_of(value, uses, np.array([-np.inf]), np.array([1.0])))
    assert isinstance(found, Solution)
    assert found.chosen.tolist() == [0, 3]
    assert found.value == 40.0
    assert found.bound >= 40.0
    assert 5.0 - 1e-6 <= found.prices[0] <= 20.0 + 1e-6


def test_without_limits_each_loan_takes_its_best() -> None:
    value, uses, _, _ = random_book(1, 50, floor=False)
    free = np.full(3, np.inf)
    found = solve(choices_of(value, uses, -free, free))
    assert isinstance(found, Solution)
    assert found.value == found.bound == value.max(axis=1).sum()
    assert found.gap == 0.0


def test_what_choices_use_is_the_sum_of_their_uses() -> None:
    value, uses, low, high = random_book(2, 60, floor=True)
    ways = np.random.default_rng(2).integers(0, 3, 60)
    used = choices_of(value, uses, low, high).used(3 * np.arange(60) + ways)
    assert used.tolist() == uses[np.arange(60), ways].sum(axis=0).tolist()


def test_an_empty_book_has_an_empty_plan() -> None:
    empty = np.zeros(0)
    none = np.zeros(1, dtype=np.int64)
    found = solve(Choices(none, empty, none, np.zeros(0, np.int32), empty, empty, empty))
    assert isinstance(found, Solution)
    assert found.value == 0.0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), loans=st.integers(1, 25), floor=st.booleans())
def test_small_books_are_within_their_stated_gap_of_the_optimum(seed, loans, floor) -> None:
    book = random_book(seed, loans, floor=floor)
    best = optimum(*book)
    found = solve(choices_of(*book))
    if best is None:
        assert isinstance(found, Infeasible)
        return
    assert isinstance(found, Solution)
    used = choices_of(*book).used(found.chosen)
    assert (used <= book[3] + 1e-6).all()
    assert (used >= book[2] - 1e-6).all()
    assert found.bound >= best - 1e-6 * max(1.0, best)
    assert found.value >= best - (found.gap + 1e-6) * max(1.0, found.bound)


@pytest.mark.parametrize("floor", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_dual_and_its_repair_come_close_without_the_exact_way(monkeypatch, seed, floor) -> None:
    monkeypatch.setattr(solver, "EXACT_UP_TO", 0)
    book = random_book(seed, 400, floor=floor)
    found = solve(choices_of(*book))
    assert isinstance(found, Solution)
    best = optimum(*book)
    assert best is not None
    assert found.value <= best + 1e-6 <= found.bound + 2e-6
    assert best - found.value <= found.gap * found.bound + 1e-6
    assert found.gap < 5e-3


@pytest.mark.parametrize("floor", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_prices_of_many_limits_come_as_close(monkeypatch, seed, floor) -> None:
    monkeypatch.setattr(solver, "EXACT_UP_TO", 0)
    monkeypatch.setattr("arrears.plan.dual.MANY", 0)
    book = random_book(seed, 400, floor=floor)
    found = solve(choices_of(*book))
    assert isinstance(found, Solution)
    best = optimum(*book)
    assert best is not None
    assert found.value <= best + 1e-6 <= found.bound + 2e-6
    assert found.gap < 5e-3


def scoped_book(seed: int, loans: int, scopes: int) -> Choices:
    """Three ways; the second and the third are limited in each of many places."""
    g = np.random.default_rng(seed)
    value = g.gamma(2.0, 500.0, (loans, 3))
    place = g.integers(0, scopes, loans)
    cap = np.stack([place, scopes + place], axis=1).ravel()
    amount = np.stack([np.ones(loans), g.gamma(2.0, 0.5, loans)], axis=1).ravel()
    share = np.bincount(cap, weights=amount, minlength=2 * scopes)
    return Choices(
        first=np.arange(loans + 1) * 3,
        value=value.ravel(),
        start=np.concatenate([[0], np.cumsum(np.tile([0, 1, 1], loans))]),
        cap=cap.astype(np.int32),
        amount=amount,
        low=np.full(2 * scopes, -np.inf),
        high=0.1 * share,
    )


def relaxed(choices: Choices) -> float:
    """The linear program's optimum by HiGHS."""
    loans, count = len(choices.first) - 1, len(choices.value)
    owner = np.repeat(np.arange(count), np.diff(choices.start))
    uses = csr_array((choices.amount, (choices.cap, owner)), shape=(len(choices.high), count))
    one = csr_array((np.ones(count), (np.repeat(np.arange(loans), 3), np.arange(count))))
    found = linprog(
        -choices.value, A_ub=uses, b_ub=choices.high, A_eq=one, b_eq=np.ones(loans), bounds=(0, 1)
    )
    return float(-found.fun)


def test_forty_limits_are_kept_and_their_prices_prove_the_linear_optimum() -> None:
    book = scoped_book(1, 3_000, 20)
    found = solve(book)
    assert isinstance(found, Solution)
    assert (book.used(found.chosen) <= book.high + 1e-6).all()
    best = relaxed(book)
    assert best - 1e-6 * best <= found.bound <= best + 1e-4 * best
    assert found.gap < 5e-3


def test_the_slope_of_the_smoothed_dual_is_its_derivative() -> None:
    dual = Dual(scoped_book(2, 300, 4))
    point = np.random.default_rng(3).gamma(2.0, 2_000.0, 8)
    worth, slope, curve = dual.soft(point, 50.0)
    step = 1e-3 * dual.scale
    for place in range(8):
        aside = np.zeros(8)
        aside[place] = step[place]
        up, down = dual.soft(point + aside, 50.0), dual.soft(point - aside, 50.0)
        assert (up[0] - down[0]) / (2 * step[place]) == pytest.approx(slope[place], rel=1e-4)
        assert (up[1] - down[1]) / (2 * step[place]) == pytest.approx(
            curve[place], rel=1e-3, abs=1e-4 * np.abs(curve).max()
        )
    assert worth >= dual.at(point)


def test_a_floor_out_of_reach_says_by_how_much() -> None:
    value, uses, low, high = random_book(3, 20, floor=False)
    low[2] = 10_000.0
    found = solve(choices_of(value, uses, low, high))
    assert isinstance(found, Infeasible)
    assert (found.capacity, found.needed, found.proven) == (2, 10_000.0, True)
    assert found.reached == uses[:, :, 2].max(axis=1).sum()


def most_of(
    number: int, value: np.ndarray, uses: np.ndarray, low: np.ndarray, high: np.ndarray
) -> float | None:
    """The most of a capacity that the other limits leave, choices in parts; None where they leave nothing."""
    loans, ways, caps = uses.shape
    flat = uses.reshape(-1, caps)
    others = low.copy()
    others[number] = -np.inf
    rows, sides = [], []
    for cap in range(caps):
        for sign, side in ((1.0, high[cap]), (-1.0, -others[cap])):
            if np.isfinite(side):
                rows.append(sign * flat[:, cap])
                sides.append(side)
    found = linprog(
        -flat[:, number],
        A_ub=np.array(rows) if rows else None,
        b_ub=sides or None,
        A_eq=np.kron(np.eye(loans), np.ones(ways)),
        b_eq=np.ones(loans),
    )
    return None if found.x is None else float(-found.fun)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), loans=st.integers(2, 15), ceiling=st.floats(0.0, 0.6))
def test_a_clash_says_how_much_the_other_limits_leave(seed, loans, ceiling) -> None:
    value, uses, low, high = random_book(seed, loans, floor=True)
    uses[:, 1, 0] = 1.0
    uses[:, 2, 0] = 2.0
    high[0] = ceiling * loans
    low[2] = 0.9 * loans
    book = value, uses, low, high
    most, found = most_of(2, *book), clash_of(choices_of(*book))
    assert most is not None
    if most >= low[2] - 1e-6:
        assert found is None
        return
    assert found is not None
    assert (found.capacity, found.needed, found.proven) == (2, low[2], True)
    assert found.reached == pytest.approx(most, abs=1e-4 * loans)
    assert found.reached >= most - 1e-6
    assert found.against
    assert all(high[number] < np.inf for number, _ in found.against)


def test_of_limits_that_clash_twice_none_is_said_to_stand_against_another() -> None:
    value, uses = np.zeros((4, 1)), np.ones((4, 1, 2))
    clash = choices_of(value, uses, np.array([5.0, 5.0]), np.array([np.inf, np.inf]))
    assert clash_of(clash) is None


def test_limits_that_clash_are_refused() -> None:
    value = np.array([[1.0, 2.0]] * 4)
    uses = np.zeros((4, 2, 2))
    uses[:, 1, 0] = uses[:, 1, 1] = 1.0
    clash = choices_of(value, uses, np.array([3.0, -np.inf]), np.array([np.inf, 1.0]))
    found = solve(clash)
    assert isinstance(found, Infeasible)
    assert found.proven


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), loans=st.integers(1, 12), dear=st.sampled_from([0.0, 300.0]))
def test_what_can_be_kept_is_kept_by_some_plan_whatever_prices_are_guessed(
    seed, loans, dear
) -> None:
    value, uses, low, high = random_book(seed, loans, floor=True)
    g = np.random.default_rng(seed)
    high = high * g.uniform(0.0, 1.0)
    low = low * g.uniform(0.5, 3.0)
    some = choices_of(value, uses, low, high)
    kept = can_be_kept(some, dear * np.array([1.0, 1.0, -1.0]), exact_up_to=4_000)
    assert kept == (optimum(value, uses, low, high) is not None)


@pytest.mark.parametrize(
    "book", [choices_of(*random_book(9, 41_000, floor=True)), scoped_book(9, 41_000, 20)]
)
def test_one_and_two_threads_choose_the_same(book) -> None:
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = solve(book)
        numba.set_num_threads(before)
        two = solve(book)
    finally:
        numba.set_num_threads(before)
    assert isinstance(one, Solution)
    assert isinstance(two, Solution)
    assert (one.chosen == two.chosen).all()
    assert (one.value, one.bound) == (two.value, two.bound)


def test_a_shadow_price_is_what_one_more_unit_adds() -> None:
    value, uses, low, high = random_book(5, 2_000, floor=False)
    less = solve(choices_of(value, uses, low, high))
    more = solve(choices_of(value, uses, low, high + np.array([20.0, 0.0, 0.0])))
    assert isinstance(less, Solution)
    assert isinstance(more, Solution)
    assert (more.value - less.value) / 20.0 == pytest.approx(less.prices[0], rel=0.1)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), wide=st.sampled_from([0.0, 5.0, 80.0]))
def test_a_part_keeps_whatever_may_be_best_within_reach_and_its_dual_there(seed, wide) -> None:
    g = np.random.default_rng(seed)
    book = choices_of(*random_book(seed, 60, floor=False))
    prices, reach = g.uniform(0.0, 200.0, 3), wide * g.random(3)
    part = part_near(book, prices, reach)
    kept = set(part.number.tolist())
    for _ in range(20):
        near = prices + reach * g.uniform(-1.0, 1.0, 3)
        owner = np.repeat(np.arange(len(book.value)), np.diff(book.start))
        paid = np.bincount(owner, near[book.cap] * book.amount, minlength=len(book.value))
        reduced = (book.value - paid).reshape(60, 3)
        best = np.argmax(reduced, axis=1) + 3 * np.arange(60)
        for loan, choice in enumerate(best.tolist()):
            tied = reduced[loan, choice % 3] - reduced[loan, part.settled[loan] % 3] < 1e-9
            assert choice in kept or choice == part.settled[loan] or tied
        small = part.choices
        own = np.bincount(
            np.repeat(np.arange(len(small.value)), np.diff(small.start)),
            near[small.cap] * small.amount,
            minlength=len(small.value),
        )
        ends = zip(small.first[:-1], small.first[1:], strict=True)
        open_ = sum((small.value - own)[begin:end].max() for begin, end in ends)
        limited = np.isfinite(book.high)
        whole = reduced.max(axis=1).sum() + near[limited] @ book.high[limited]
        mine = part.value + open_ + near[limited] @ small.high[limited]
        # What settled loans use of a limit that is none is paid for in the whole alone.
        loose = near[~limited] @ book.used(part.settled[part.settled >= 0])[~limited]
        assert mine - loose == pytest.approx(whole, rel=1e-9)


def test_prices_of_a_book_much_like_it_lead_there_sooner(monkeypatch) -> None:
    monkeypatch.setattr(solver, "_SAMPLE_FROM", 2_000)
    monkeypatch.setattr(solver, "_SAMPLE", 1_000)
    before = scoped_book(7, 6_000, 40)
    known = solve(before)
    assert isinstance(known, Solution)
    book, passes = replace(before, high=0.99 * before.high), []
    soft = kernels.soft_choices
    monkeypatch.setattr(kernels, "soft_choices", lambda *of: passes.append(0) or soft(*of))
    cold = solve(book)
    first = len(passes)
    warm = solve(book, near=known.prices)
    assert len(passes) - first < 0.8 * first
    assert isinstance(cold, Solution)
    assert isinstance(warm, Solution)
    assert warm.bound == pytest.approx(cold.bound, rel=2e-5)
    assert warm.gap <= cold.gap + 1e-4
    assert (book.used(warm.chosen) <= book.high + 1e-6).all()


@pytest.mark.parametrize("scopes", [4, 40])
def test_a_large_book_priced_by_its_part_comes_as_close_as_whole(monkeypatch, scopes) -> None:
    monkeypatch.setattr(solver, "EXACT_UP_TO", 0)
    book = scoped_book(7, 6_000, scopes)
    whole = solve(book)
    monkeypatch.setattr(solver, "_SAMPLE_FROM", 2_000)
    monkeypatch.setattr(solver, "_SAMPLE", 1_000)
    part = solve(book)
    assert isinstance(whole, Solution)
    assert isinstance(part, Solution)
    assert (book.used(part.chosen) <= book.high + 1e-6).all()
    assert part.value == pytest.approx(book.value[part.chosen].sum())
    assert part.bound == pytest.approx(whole.bound, rel=5e-5)
    assert part.gap <= whole.gap + 1e-4
