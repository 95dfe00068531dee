"""Forward-backward over many loans against hmmlearn: the same three-state model, the same histories."""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np

from arrears.standing.hidden import kernels

STATES, SIGNS, MONTHS = 3, 12, 24
ASKED, ASKED_MILLIONS = 100, 50
REPLICAS = 32


def ours(model, codes, loans, gamma):  # type: ignore[no-untyped-def]
    """Posterior of every loan-month, written to `gamma` as each pass of the fit does, and the seconds it took."""
    start, moves, emission = model
    length = np.full(loans, MONTHS)
    cell = np.arange(loans) * REPLICAS // loans
    initial = np.repeat(start[None], REPLICAS, axis=0)
    chances = np.repeat(moves[None, None], REPLICAS, axis=0)
    none, ones = np.zeros(loans, dtype=np.int64), np.ones(loans)
    began = time.perf_counter()
    groups = kernels.grouped(cell, none + MONTHS - 1, length)
    kernels.posterior(
        (0,) * STATES, codes, np.arange(loans) * MONTHS, length, *groups, np.zeros(MONTHS, dtype=np.int64), cell,
        np.ascontiguousarray(emission.T), initial, chances, np.ones((1, STATES)), none, ones, gamma, False,
    )  # fmt: skip
    return gamma, time.perf_counter() - began


def theirs(model, codes, loans):  # type: ignore[no-untyped-def]
    """The same by hmmlearn's CategoricalHMM, all its histories in one call."""
    from hmmlearn.hmm import CategoricalHMM

    start, moves, emission = model
    other = CategoricalHMM(n_components=STATES, implementation="scaling")
    other.startprob_, other.transmat_, other.emissionprob_ = start, moves, emission
    other.n_features = SIGNS
    began = time.perf_counter()
    gamma = other.predict_proba(codes.reshape(-1, 1), np.full(loans, MONTHS))
    return gamma, time.perf_counter() - began


def main(words: list[str]) -> None:
    """Print the table as Markdown."""
    loans, sample = (20_000, 500) if "--smoke" in words else (1_000_000, 20_000)
    warnings.simplefilter("ignore")
    g = np.random.default_rng(0)
    model = (
        g.dirichlet(np.ones(STATES)),
        g.dirichlet(np.ones(STATES) * 2, STATES),
        g.dirichlet(np.ones(SIGNS), STATES),
    )
    codes = g.integers(0, SIGNS, loans * MONTHS).astype(np.int32)
    few = codes[: sample * MONTHS]
    kept = np.zeros((len(codes), STATES), dtype=np.float32)
    ours(model, few, sample, kept[: len(few)])
    posterior, took = min(
        (ours(model, codes, loans, kept) for _ in range(3)), key=lambda found: found[1]
    )
    exact, other = min((theirs(model, few, sample) for _ in range(3)), key=lambda found: found[1])
    apart = float(np.abs(posterior[: len(few)] - exact).max())
    mine, hers = loans * MONTHS / took, sample * MONTHS / other
    print(f"## The hidden-state model: {loans:,} loans, {MONTHS} months, {STATES} states\n")
    print("| way | seconds | loan-months a second | largest difference |\n|---|---:|---:|---:|")
    print(f"| Arrears | {took:.2f} | {mine / 1e6:.1f} m | {apart:.0e} (kept in single precision) |")
    print(f"| hmmlearn, {sample:,} loans of them | {other:.2f} | {hers / 1e6:.3f} m | 0 |")
    print(
        f"\nRatio: {mine / hers:.0f} times faster a loan-month (asked: {ASKED} times, "
        f"{ASKED_MILLIONS} m loan-months a second)."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
