"""Forward and backward in lanes against the same written plainly, on ragged histories."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numba
import numpy as np
import pytest

from arrears.core.lanes import ROW
from arrears.standing.hidden import kernels


class Found(NamedTuple):
    """What a pass gives: posterior, that of first and last months, moves, states by code, log-likelihood."""

    gamma: np.ndarray
    edges: np.ndarray
    moved: np.ndarray
    rows: np.ndarray
    likely: float


class Case:
    """Random histories: `n` loans of up to `months` months, `states` states, cells and quarters of moves."""

    def __init__(self, n: int, months: int, states: int, cells: int, seed: int) -> None:
        g = np.random.default_rng(seed)
        self.length = g.integers(1, months + 1, n)
        self.first = np.concatenate([[0], np.cumsum(self.length)[:-1]])
        self.code = g.integers(0, 6, self.length.sum()).astype(np.int32)
        self.last = np.maximum(g.integers(months - 3, months + 2, n), self.length - 1)
        self.slot = np.arange(months + 2) // 3
        self.cell = g.integers(0, cells, n)
        self.emission = g.random((6, states)) + 0.01
        self.initial = g.dirichlet(np.ones(states), cells)
        self.moves = g.dirichlet(np.ones(states), (cells, int(self.slot.max()) + 1, states))
        self.ends = g.random((2, states)) + 0.1
        self.end_code = g.integers(0, 2, n)
        self.weight = g.random(n) + 0.5

    def compiled(self, learn: bool = True) -> Found:
        states = self.emission.shape[1]
        table = np.zeros((len(self.emission), ROW))
        table[:, :states] = self.emission
        gamma = np.zeros((len(self.code), states), dtype=np.float32)
        edges = np.zeros((len(self.length), 2, states))
        groups = kernels.grouped(self.cell, self.last, self.length)
        moved, seen, likely = kernels.posterior(
            (0,) * states, self.code, self.first, self.length, *groups, self.slot, self.cell, table, self.initial,
            self.moves, self.ends, self.end_code, self.weight, gamma, edges, learn,
        )  # fmt: skip
        return Found(gamma, edges, moved, seen.sum(axis=0)[:, :states], float(likely.sum()))

    def shown(self, loan: int) -> np.ndarray:
        """Likelihood of each month of a loan in each state."""
        place = slice(self.first[loan], self.first[loan] + self.length[loan])
        seen = self.emission[self.code[place]].copy()
        seen[-1] *= self.ends[self.end_code[loan]]
        return seen

    def move(self, loan: int, step: int) -> np.ndarray:
        """Moves into month `step` of a loan."""
        month = self.last[loan] - self.length[loan] + 1 + step
        return self.moves[self.cell[loan], self.slot[month]]

    def plain(self) -> Found:
        gamma = np.zeros((len(self.code), self.emission.shape[1]))
        moved, total = np.zeros_like(self.moves), 0.0
        for loan in range(len(self.length)):
            seen, months = self.shown(loan), self.length[loan]
            ahead = [self.initial[self.cell[loan]] * seen[0]]
            for step in range(1, months):
                ahead.append(ahead[-1] @ self.move(loan, step) * seen[step])
            back = [np.ones(seen.shape[1])]
            for step in range(months - 1, 0, -1):
                back.insert(0, self.move(loan, step) @ (seen[step] * back[0]))
            whole = ahead[-1].sum()
            for step in range(months):
                gamma[self.first[loan] + step] = ahead[step] * back[step] / whole
                if step:
                    month = self.last[loan] - months + 1 + step
                    joint = ahead[step - 1][:, None] * self.move(loan, step)
                    joint = joint * (seen[step] * back[step]) / whole
                    moved[self.cell[loan], self.slot[month]] += self.weight[loan] * joint
            total += self.weight[loan] * np.log(whole)
        ends = self.first + self.length - 1
        rows = np.zeros_like(self.emission)
        np.add.at(rows, self.code, gamma * np.repeat(self.weight, self.length)[:, None])
        return Found(gamma, np.stack([gamma[self.first], gamma[ends]], axis=1), moved, rows, total)


@pytest.mark.parametrize(
    ("n", "months", "states", "cells"),
    [(1, 1, 3, 1), (200, 9, 3, 40), (300, 17, 4, 7), (9, 30, 4, 3)],
)
def test_lanes_give_what_one_loan_after_the_other_gives(n, months, states, cells) -> None:
    case = Case(n, months, states, cells, seed=n)
    ours, plain = case.compiled(), case.plain()
    np.testing.assert_allclose(ours.gamma, plain.gamma, rtol=0, atol=6e-8)
    for mine, other in zip(ours[1:], plain[1:], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-12)


def test_every_month_is_in_full_what_one_loan_after_the_other_gives() -> None:
    case = Case(60, 11, 3, 4, seed=8)
    seen = case.emission[case.code]
    case.emission, case.code = seen, np.arange(len(case.code), dtype=np.int32)
    np.testing.assert_allclose(case.compiled().rows, case.plain().rows, rtol=1e-12)


def test_what_is_not_asked_for_is_not_added_up() -> None:
    case = Case(60, 11, 3, 4, seed=8)
    asked, unasked = case.compiled(), case.compiled(learn=False)
    assert np.array_equal(asked.gamma, unasked.gamma)
    assert asked.likely == unasked.likely
    assert not unasked.moved.any()
    assert not unasked.rows.any()


def test_the_posterior_is_that_of_all_paths_added_up() -> None:
    case = Case(3, 4, 3, 2, seed=5)
    gamma = case.compiled().gamma
    for loan in range(3):
        seen, months = case.shown(loan), case.length[loan]
        sums = np.zeros((months, 3))
        for path in itertools.product(range(3), repeat=int(months)):
            chance = case.initial[case.cell[loan], path[0]] * seen[0, path[0]]
            for step in range(1, months):
                chance *= case.move(loan, step)[path[step - 1], path[step]] * seen[step, path[step]]
            for step, state in enumerate(path):
                sums[step, state] += chance
        place = slice(case.first[loan], case.first[loan] + months)
        np.testing.assert_allclose(gamma[place], sums / sums.sum(axis=1, keepdims=True), atol=6e-8)


def test_threads_change_no_bit() -> None:
    case = Case(500, 12, 4, 90, seed=2)
    many = case.compiled()
    had = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one = case.compiled()
    finally:
        numba.set_num_threads(had)
    assert all(np.array_equal(a, b) for a, b in zip(many, one, strict=True))


def test_long_unlikely_histories_do_not_underflow() -> None:
    case = Case(4, 120, 3, 1, seed=3)
    case.emission *= 1e-30
    found = case.compiled()
    assert np.isfinite(found.likely)
    np.testing.assert_allclose(found.gamma.sum(axis=1), 1.0, rtol=1e-6)
    case.emission *= 1e30
    usual = case.compiled()
    np.testing.assert_array_less(np.abs(found.gamma - usual.gamma), 1e-7)
    lost = (case.weight * case.length).sum() * np.log(1e-30)
    np.testing.assert_allclose(found.likely, usual.likely + lost, rtol=1e-12)
