"""A book's cash in scenarios: the score grid against drawing every loan in NumPy and against a compiled loop."""

from __future__ import annotations

import sys
import time
from datetime import date

import numpy as np
from numba import njit, prange

from arrears.recovery import factors, grid, kernels, stock
from arrears.recovery.params import Params
from arrears.rules import load_market

MONTHS = 60
ORDERS = (2, 4, 8, 16)
BLOCKS = 64


@njit(cache=True, parallel=True)
def by_loan(curves, share_paid, push, segment, age, score, claim):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Expected cash of a book in each month and scenario, every loan worked out by itself."""
    months, scenarios = push.shape[1:]
    parts = np.zeros((BLOCKS, months, scenarios))
    size = (len(age) + BLOCKS - 1) // BLOCKS
    for block in prange(BLOCKS):
        for loan in range(block * size, min((block + 1) * size, len(age))):
            lift = np.exp(score[loan])
            for scenario in range(scenarios):
                owed = claim[loan]
                for month in range(min(months, len(curves) - age[loan])):
                    chance = curves[age[loan] + month, scenario] * lift
                    chance *= push[segment[loan], month, scenario]
                    paid = owed * share_paid * chance / (1.0 + chance)
                    parts[block, month, scenario] += paid
                    owed -= paid
    return parts


def drawn(params: Params, push: np.ndarray, book: tuple[np.ndarray, ...]) -> np.ndarray:
    """Cash by month and scenario, every payment of every loan drawn, in NumPy."""
    segment, age, score, claim = book
    rng = np.random.default_rng(1)
    odds = np.append(params.odds, 0.0)
    cash = np.zeros(push.shape[1:])
    lift = np.exp(score)
    for scenario in range(push.shape[2]):
        owed = claim.copy()
        for month in range(push.shape[1]):
            chance = (
                odds[np.minimum(age + month, len(params.odds))]
                * lift
                * push[segment, month, scenario]
            )
            chance /= 1.0 + chance
            luck = rng.random(len(owed))
            left = np.where(luck < chance * params.settles, 0.0, 1.0 - params.part_paid)
            after = np.where(luck < chance, owed * left, owed)
            cash[month, scenario] = (owed - after).sum()
            owed = after
    return cash


def expected(params: Params, push: np.ndarray, book: tuple[np.ndarray, ...]) -> np.ndarray:
    """Expected cash by month and scenario, in NumPy."""
    segment, age, score, claim = book
    odds, lift = np.append(params.odds, 0.0), np.exp(score)
    cash = np.zeros(push.shape[1:])
    for scenario in range(push.shape[2]):
        owed = claim.copy()
        for month in range(push.shape[1]):
            chance = (
                odds[np.minimum(age + month, len(params.odds))]
                * lift
                * push[segment, month, scenario]
            )
            paid = owed * params.share_paid * chance / (1.0 + chance)
            cash[month, scenario] = paid.sum()
            owed -= paid
    return cash


def on_grid(
    params: Params, curves: np.ndarray, push: np.ndarray, *, laid: stock.Stock, order: int
) -> np.ndarray:
    """The same on the Gauss nodes of each product and age."""
    cells = stock.cells_of(laid.sums[0], laid.segment, laid.age, order=order)
    return kernels.scenario_cash(curves, params.share_paid, push, cells)


def timed(work, times: int = 1):  # type: ignore[no-untyped-def]
    """Least seconds of some runs, and the result."""
    spans = []
    for _ in range(times):
        began = time.perf_counter()
        found = work()
        spans.append(time.perf_counter() - began)
    return min(spans), found


def main(words: list[str]) -> None:
    """Print the section as Markdown."""
    smoke = "--smoke" in words
    loans, scenarios, few, fewer = (3_000, 48, 4, 2) if smoke else (270_000, 1_000, 20, 2)
    params = Params.of(load_market("cn"), date(2025, 3, 31))
    book = made(loans)
    z = factors.draw(scenarios, MONTHS, params.persistence, 1).of_segments(
        [0, 5, 10, 15], params.factor_weights
    )
    push = np.exp(params.deviation * z)
    curves = np.repeat(params.odds[:, None], scenarios, axis=1)
    project = lambda: stock.project(*book, ages=len(params.odds))  # noqa: E731
    on_grid(params, curves, push, laid=project(), order=4)
    by_loan(curves, params.share_paid, push[:, :, :1].copy(), *(part[:10] for part in book))
    once, laid = timed(project, 3)
    part = push[:, :, :few].copy()
    loop, exact = timed(lambda: by_loan(curves, params.share_paid, part, *book).sum(axis=0))
    loop *= scenarios / few
    numpy_drawn, _ = timed(lambda: drawn(params, push[:, :, :fewer], book))
    numpy_expected, _ = timed(lambda: expected(params, push[:, :, :fewer], book))
    numpy_drawn, numpy_expected = (t * scenarios / fewer for t in (numpy_drawn, numpy_expected))
    print(
        f"## A book's cash in scenarios: {loans:,} loans of four products, ages 1 to 120 months, "
        f"{MONTHS} months, {scenarios:,} scenarios\n"
    )
    print(
        "| way | seconds | largest error of a scenario's total | NumPy draws over it |\n|---|---:|---:|---:|"
    )
    for order in ORDERS:
        runs, cash = timed(
            lambda order=order: on_grid(params, curves, push, laid=laid, order=order), 3
        )
        error = np.abs(cash[:, :few].sum(axis=0) / exact.sum(axis=0) - 1.0).max()
        whole = once + runs
        row(f"grid, {order} Gauss nodes a product and age", whole, f"{error:.0e}", numpy_drawn)
    row(f"compiled, loan by loan (on {few} scenarios)", loop, "0", numpy_drawn)
    row(f"NumPy, expectations (on {fewer} scenarios)", numpy_expected, "0", numpy_drawn)
    row(f"NumPy, every payment drawn (on {fewer} scenarios)", numpy_drawn, "luck", numpy_drawn)
    print("\nTimes of ways measured on fewer scenarios are scaled to all of them.")
    print(
        f"The pass over the loans takes {once:.3f} s of the grid's time; after it the number of loans plays no part:\n"
    )
    print("| loans | pass over the loans | scenarios, 4 nodes |\n|---:|---:|---:|")
    for count in (loans // 10, loans, 3 * loans):
        more = made(count)
        span, theirs = timed(lambda more=more: stock.project(*more, ages=len(params.odds)), 2)
        runs, _ = timed(
            lambda theirs=theirs: on_grid(params, curves, push, laid=theirs, order=4), 3
        )
        print(f"| {count:,} | {span:.3f} | {runs:.3f} |")


def row(way: str, seconds: float, error: str, slowest: float) -> None:
    """One line of the table."""
    print(f"| {way} | {seconds:.3f} | {error} | {slowest / seconds:,.1f} |")


def made(loans: int) -> tuple[np.ndarray, ...]:
    """Product, age, score and claim of a book."""
    g = np.random.default_rng(0)
    product, age = g.integers(0, 4, loans), g.integers(0, 120, loans)
    score = np.clip(g.normal(-0.3, 0.7, loans), grid.LOW, grid.HIGH)
    return product, age, score, np.exp(g.normal(15.0, 1.0, loans))


if __name__ == "__main__":
    main(sys.argv[1:])
