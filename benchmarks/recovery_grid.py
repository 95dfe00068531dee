"""The score grid against a compiled kernel that goes loan by loan: the same model, the same scenarios."""

from __future__ import annotations

import sys
import time
from datetime import date

import numpy as np
from numba import njit, prange

from arrears.recovery import grid
from arrears.recovery.params import Params
from arrears.rules import load_market

MONTHS = 120


@njit(cache=True, parallel=True)
def by_loan(odds, share_paid, push, age, score, claim):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Cash of a book in each scenario and month, every loan worked out by itself."""
    parts = np.zeros((grid.BLOCKS, push.shape[0], push.shape[1]))
    size = (len(age) + grid.BLOCKS - 1) // grid.BLOCKS
    for block in prange(grid.BLOCKS):
        for loan in range(block * size, min((block + 1) * size, len(age))):
            lift = np.exp(score[loan])
            for scenario in range(push.shape[0]):
                owed = claim[loan]
                for month in range(min(push.shape[1], len(odds) - age[loan])):
                    chance = odds[age[loan] + month] * lift * push[scenario, month]
                    paid = owed * share_paid * chance / (1.0 + chance)
                    parts[block, scenario, month] += paid
                    owed -= paid
    return parts.sum(axis=0)


def on_grid(params: Params, push: np.ndarray, book: tuple[np.ndarray, ...]) -> np.ndarray:
    """The same by the grid: one pass over the book, scenarios on the nodes."""
    stock, _ = grid.project(*book, len(params.odds))
    none = np.zeros((push.shape[1], grid.NODES))
    return grid.scenario_cash(params.odds, params.share_paid, push, stock, none)


def timed(work) -> tuple[float, np.ndarray]:  # type: ignore[no-untyped-def]
    """Seconds and result."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def main(words: list[str]) -> None:
    """Print the table as Markdown."""
    loans, scenarios, sample = (2_000, 50, 1) if "--smoke" in words else (270_000, 1_000, 50)
    params = Params.of(load_market("cn"), date(2025, 3, 31))
    g = np.random.default_rng(0)
    age = g.integers(0, 110, loans)
    score = np.clip(g.normal(-0.3, 0.8, loans), grid.LOW, grid.HIGH)
    claim = np.exp(g.normal(15.0, 1.0, loans))
    book = (age, score, claim)
    push = np.exp(params.deviation * grid.factor_paths(scenarios, MONTHS, params.persistence, 1))
    few = push[: max(1, scenarios // sample)]
    by_loan(params.odds, params.share_paid, few[:1], age[:10], score[:10], claim[:10])
    on_grid(params, few[:1], (age[:10], score[:10], claim[:10]))
    ours, cash = timed(lambda: on_grid(params, push, book))
    theirs, exact = timed(lambda: by_loan(params.odds, params.share_paid, few, *book))
    whole = theirs * len(push) / len(few)
    error = np.abs(cash[: len(few)].sum(axis=1) / exact.sum(axis=1) - 1.0).max()
    print(f"## The score grid: {loans:,} loans, {MONTHS} months, {scenarios:,} scenarios\n")
    print("| way | seconds | largest relative error of a scenario's total |\n|---|---:|---:|")
    print(f"| grid, {grid.NODES} nodes by age | {ours:.2f} | {error:.0e} |")
    note = f" (measured on {len(few)} scenarios)" if len(few) < len(push) else ""
    print(f"| compiled, loan by loan{note} | {whole:.1f} | 0 |")
    print(f"\nRatio: {whole / ours:.0f} times faster.")


if __name__ == "__main__":
    main(sys.argv[1:])
