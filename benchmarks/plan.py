"""The plan's solver against HiGHS's interior point on the same linear program, and its cost as the book grows."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.sparse import csc_array, vstack

from arrears.plan.choices import Choices
from arrears.plan.solver import Solution, solve

WAYS, CAPS = 6, 8
ASKED, ASKED_GAP = 50, 1e-4
IPM_TOLERANCE = 1e-6
RATIO_AT = 100_000
SIZES = (10_000, 100_000, 1_000_000)
SMOKE = (2_000, 4_000)


def book(loans: int, seed: int = 0) -> Choices:
    """Loans with six ways each and eight limits, the last one a floor; most limits bind."""
    g = np.random.default_rng(seed)
    claim = np.exp(g.normal(10.0, 1.0, loans))
    value = claim[:, None] * g.beta(1.5, 6.0, (loans, WAYS))
    value[:, 0] *= 0.7
    uses = np.zeros((loans, WAYS, CAPS))
    uses[:, 1, 0] = 1.0
    uses[:, 2, 1] = 1.0
    uses[:, 0, 2] = g.gamma(2.0, 0.6, loans)
    uses[:, 1, 2] = 0.3
    uses[:, 2, 3] = g.random(loans) < 0.3
    uses[:, 3, 4] = claim
    uses[:, 4, 5] = claim
    uses[:, 5, 6] = claim
    uses[:, 3, 7] = uses[:, 4, 7] = claim
    total = claim.sum()
    high = np.array(
        [
            0.08 * loans,
            0.1 * loans,
            0.5 * loans,
            0.02 * loans,
            0.12 * total,
            0.3 * total,
            np.inf,
            np.inf,
        ]
    )
    low = np.full(CAPS, -np.inf)
    low[7] = 0.4 * total
    flat = uses.reshape(-1, CAPS)
    choice, cap = np.nonzero(flat)
    return Choices(
        first=np.arange(loans + 1) * WAYS,
        value=value.ravel(),
        start=np.concatenate([[0], np.cumsum(np.bincount(choice, minlength=loans * WAYS))]),
        cap=cap.astype(np.int32),
        amount=flat[choice, cap],
        low=low,
        high=high,
    )


def scoped_book(loans: int, seed: int = 0) -> Choices:
    """Loans with eighteen choices (six ways from three start months) and 200 limits by court, branch and province."""
    g = np.random.default_rng(seed)
    claim = np.exp(g.normal(10.0, 1.0, loans))
    base = claim[:, None] * g.beta(1.5, 6.0, (loans, WAYS))
    base[:, 0] *= 0.7
    value = np.stack([base * later for later in (1.0, 0.96, 0.91)], axis=2)
    value = (value * (1 + 0.05 * g.standard_normal(value.shape))).reshape(loans, WAYS * 3)
    branch = g.integers(0, 50, loans)
    province = branch // 5
    court = province * 3 + g.integers(0, 3, loans)
    one, hours = np.ones(loans), g.gamma(2.0, 0.6, loans)
    # columns, what a loan uses, its scope, how many scopes, share of all uses that there is room for
    limits = (
        ([6], one, court, 30, 0.1),
        ([7], one, court, 30, 0.05),
        ([8], one, court, 30, 0.05),
        ([0, 3], hours, branch, 50, 0.4),
        ([3], one, branch, 50, 0.08),
        ([9], claim, province, 10, 0.1),
    )
    row, cap, amount, high = [], [], [], []
    for columns, uses, scope, scopes, share in limits:
        first = sum(map(len, high))
        for column in columns:
            row.append(np.arange(loans) * WAYS * 3 + column)
            cap.append(first + scope)
            amount.append(uses)
        high.append(share * np.bincount(scope, weights=uses, minlength=scopes))
    rows = np.concatenate(row)
    order = np.argsort(rows, kind="stable")
    limit = np.concatenate(high)
    return Choices(
        first=np.arange(loans + 1) * WAYS * 3,
        value=value.ravel(),
        start=np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=value.size))]),
        cap=np.concatenate(cap)[order].astype(np.int32),
        amount=np.concatenate(amount)[order],
        low=np.full(len(limit), -np.inf),
        high=limit,
    )


def timed(choices: Choices) -> tuple[float, Solution]:
    """Best of three runs, and the plan."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        found = solve(choices)
        times.append(time.perf_counter() - began)
    assert isinstance(found, Solution)
    return min(times), found


def interior_point(choices: Choices) -> tuple[float, float]:
    """Seconds and optimum of HiGHS's interior point, crossover off, on the linear relaxation."""
    import highspy

    loans, count, caps = len(choices.first) - 1, len(choices.value), len(choices.low)
    rows = np.repeat(np.arange(loans), np.diff(choices.first))
    one = csc_array((np.ones(count), (rows, np.arange(count))))
    owner = np.repeat(np.arange(count), np.diff(choices.start))
    uses = csc_array((choices.amount, (choices.cap, owner)), shape=(caps, count))
    matrix = csc_array(vstack([one, uses]))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = count, loans + caps
    model.col_cost_ = -choices.value
    model.col_lower_, model.col_upper_ = np.zeros(count), np.ones(count)
    model.row_lower_ = np.concatenate([np.ones(loans), choices.low])
    model.row_upper_ = np.concatenate([np.ones(loans), choices.high])
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    solver = highspy._core._Highs()
    for option, value in (
        ("output_flag", False),
        ("solver", "ipm"),
        ("run_crossover", "off"),
        ("ipm_optimality_tolerance", IPM_TOLERANCE),
    ):
        solver.setOptionValue(option, value)
    solver.passModel(model)
    began = time.perf_counter()
    solver.run()
    return time.perf_counter() - began, -solver.getInfo().objective_function_value


def main(words: list[str]) -> None:
    """Print the tables as Markdown."""
    smoke = "--smoke" in words
    sizes, at = (SMOKE, SMOKE[0]) if smoke else (SIZES, RATIO_AT)
    few = f"{WAYS} ways, {CAPS} capacities"
    compare(f"{at:,} loans, {few}", book, sizes, at)
    many = f"{WAYS * 3} choices (six ways, three starts), 200 scoped capacities"
    compare(f"{at:,} loans, {many}", scoped_book, sizes, at)


def compare(title: str, make: Callable[[int], Choices], sizes: tuple[int, ...], at: int) -> None:
    """Ours against the interior point on one size, and our cost as the book grows."""
    timed(make(1_000))
    runs = {loans: timed(make(loans)) for loans in sizes}
    ours, found = runs[at]
    theirs, optimum = interior_point(make(at))
    bound = int((np.abs(found.prices) > 0).sum())
    print(f"## Plan: {title} ({bound} bind)\n")
    print("| solver | seconds | value over the interior point's optimum |\n|---|---:|---:|")
    print(
        f"| ours, integral, gap {found.gap:.1e} | {ours:.2f} | {found.value / optimum - 1:+.1e} |"
    )
    print(
        f"| HiGHS interior point, no crossover, tolerance {IPM_TOLERANCE:.0e} | {theirs:.2f} | 0 |"
    )
    print(
        f"\nRatio: {theirs / ours:.0f} times faster at a gap of {found.gap:.1e} "
        f"(asked: {ASKED} times, at most {ASKED_GAP:.0e}).\n"
    )
    print("| loans | seconds | gap | steps |\n|---:|---:|---:|---:|")
    for loans in sizes:
        seconds, plan = runs[loans]
        print(f"| {loans:,} | {seconds:.2f} | {plan.gap:.1e} | {plan.steps} |")
    print(f"\nMemory of the process at its most: {peak():.1f} GB (asked: under 4).\n")


def peak() -> float:
    """GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main(sys.argv[1:])
