"""Counting moves and roll rates: against transitionMatrix's cohort estimator, per loan-month, with the same result."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import polars as pl

from arrears.recovery.histories.moves import Moves, count
from arrears.recovery.histories.paths import Paths, paths
from arrears.recovery.histories.rolls import roll_rates

LOANS, SAMPLE, MONTHS = 1_000_000, 2_000, 24
SMOKE = (5_000, 200)
REPEATS = 3
AS_OF = date(2025, 12, 31)
DAYS = np.array([0, 15, 45, 75, 120], dtype=np.int32)
CHAIN = np.array(
    [
        [0.97, 0.03, 0.0, 0.0, 0.0],
        [0.55, 0.15, 0.30, 0.0, 0.0],
        [0.20, 0.10, 0.15, 0.55, 0.0],
        [0.10, 0.02, 0.03, 0.10, 0.75],
        [0.01, 0.0, 0.0, 0.01, 0.98],
    ]
)


def states(loans: int) -> np.ndarray:
    """Buckets of loans by month (loans, MONTHS), by the chain."""
    stream = np.random.default_rng(1)
    cumulative = CHAIN.cumsum(axis=1)
    at = np.zeros((loans, MONTHS), dtype=np.int8)
    for month in range(1, MONTHS):
        at[:, month] = (stream.random(loans)[:, None] > cumulative[at[:, month - 1]]).sum(axis=1)
    return at


def tape(at: np.ndarray) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Canonical loan-months, sorted, and loans."""
    loans = len(at)
    ids = pl.Series(np.arange(loans)).cast(pl.String).str.zfill(8)
    firsts = pl.date_range(date(2024, 1, 1), date(2025, 12, 1), "1mo", eager=True)
    months = pl.DataFrame(
        {
            "loan_id": ids.gather(np.repeat(np.arange(loans, dtype=np.uint32), MONTHS)),
            "month": firsts.gather(np.tile(np.arange(MONTHS, dtype=np.uint32), loans)),
            "days_past_due": DAYS[at.ravel()],
            "balance": np.full(loans * MONTHS, 1_000_000, dtype=np.int64),
        }
    )
    return months, pl.DataFrame({"loan_id": ids, "product": ["consumer"] * loans})


def ours(months: pl.DataFrame, loans: pl.DataFrame) -> tuple[Moves, Paths, pl.DataFrame]:
    """What `arrears history` does to get from loan-months to roll rates."""
    known = paths(months, loans, as_of=AS_OF)
    moves = count(known)
    return moves, known, roll_rates(moves, known)


def theirs(at: np.ndarray) -> Callable[[], np.ndarray]:
    """TransitionMatrix on the same states; gives rates (months, from, to).

    A last row of its own keeps its end-of-table rule, which counts the last pair twice, away from the loans.
    """
    import transitionMatrix
    from transitionMatrix.estimators.cohort_estimator import CohortEstimator

    loans = len(at)
    rows = pd.DataFrame(
        {
            "ID": np.append(np.repeat(np.arange(loans), MONTHS), loans),
            "State": np.append(at.ravel(), 0),
            "Time": np.append(np.tile(np.arange(MONTHS), loans), 0),
        }
    )
    space = transitionMatrix.StateSpace([(str(k), str(k)) for k in range(5)])

    def work() -> np.ndarray:
        how = {"method": "goodman", "alpha": 0.05}
        estimator = CohortEstimator(states=space, cohort_bounds=list(range(MONTHS)), ci=how)
        return np.array(estimator.fit(rows))

    return work


def best(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The shortest of a few runs, in seconds."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def section(*, smoke: bool = False) -> str:
    """The part of benchmarks/README.md that this file measures."""
    loans, sample = SMOKE if smoke else (LOANS, SAMPLE)
    at = states(loans)
    months, table = tape(at)
    ours(months.head(MONTHS * 10), table.head(10))
    few = at[:sample]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = theirs(few)
        slow = best(other, 1) / few.size
        rates = other()
    moves, _, _ = ours(*tape(few))
    n = moves.n.sum(axis=(1, 2))[: MONTHS - 1, :5, :5]
    risk = n.sum(axis=-1, keepdims=True)
    mine = np.divide(n, risk, out=np.zeros(n.shape), where=risk > 0)
    differ = float(np.abs(mine - rates[: MONTHS - 1]).max())
    quick = best(lambda: ours(months, table)) / at.size
    known = paths(months, table, as_of=AS_OF)
    kernel = best(lambda: count(known)) / at.size
    return "\n".join(
        [
            "## Moves from month to month",
            "",
            f"Roll rates of {at.size / 1e6:,.2f} million loan-months with their standard errors, from the columns of "
            f"a tape; transitionMatrix's cohort estimator on {few.size:,} of them. Nanoseconds a loan-month.",
            "",
            "| | ns | ratio |",
            "|---|---:|---:|",
            f"| transitionMatrix, cohort estimator | {1e9 * slow:,.0f} | {slow / quick:,.0f} |",
            f"| from columns to roll rates, as `arrears history` does | {1e9 * quick:,.1f} | 1 |",
            f"| the count alone | {1e9 * kernel:,.1f} | {kernel / quick:.2f} |",
            "",
            f"Largest difference between the two in any month and cell: {differ:.1e}.",
            "",
        ]
    )


if __name__ == "__main__":
    print(section(smoke="--smoke" in sys.argv))
