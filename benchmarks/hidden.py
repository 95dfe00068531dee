"""Forward-backward over many loans against hmmlearn: the same three-state model, the same histories."""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np

from arrears.core.lanes import ROW
from arrears.standing.hidden import kernels

STATES, SIGNS, MONTHS = 3, 12, 24
ASKED, ASKED_MILLIONS = 100, 50
REPLICAS = 32


def ours(model, codes, loans, gamma):  # type: ignore[no-untyped-def]
    """Posterior of every loan-month, written to `gamma`, the log-likelihood, and the seconds both took.

    Laying the loans out counts; memory that takes the posterior is there before, as in every pass but the first.
    """
    start, moves, emission = model
    length = np.full(loans, MONTHS)
    cell = np.arange(loans) * REPLICAS // loans
    initial = np.repeat(start[None], REPLICAS, axis=0)
    chances = np.repeat(moves[None, None], REPLICAS, axis=0)
    table = np.zeros((SIGNS, ROW))
    table[:, :STATES] = emission.T
    none, ones = np.zeros(loans, dtype=np.int64), np.ones(loans)
    began = time.perf_counter()
    groups = kernels.grouped(cell, none + MONTHS - 1, length)
    _, _, likely = kernels.posterior(
        (0,) * STATES, codes, np.arange(loans) * MONTHS, length, *groups, np.zeros(MONTHS, dtype=np.int64), cell,
        table, initial, chances, np.ones((1, STATES)), none, ones, gamma, np.zeros((0, 2, STATES)), False,
    )  # fmt: skip
    return time.perf_counter() - began, float(likely.sum()), gamma


def theirs(model, codes, loans, way):  # type: ignore[no-untyped-def]
    """The same by hmmlearn's CategoricalHMM, all its histories in one call: seconds, log-likelihood, posterior."""
    from hmmlearn.hmm import CategoricalHMM

    other = CategoricalHMM(n_components=STATES, implementation=way)
    other.startprob_, other.transmat_, other.emissionprob_ = model
    other.n_features = SIGNS
    began = time.perf_counter()
    likely, gamma = other.score_samples(codes.reshape(-1, 1), np.full(loans, MONTHS))
    return time.perf_counter() - began, likely, gamma


def fastest(run, times):  # type: ignore[no-untyped-def]
    """The fastest of several runs: what a quiet machine needs."""
    return min((run() for _ in range(times)), key=lambda found: found[0])


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
    _, few_likely, _ = ours(model, few, sample, kept[: len(few)])
    took, _, posterior = fastest(lambda: ours(model, codes, loans, kept), 7)
    mine = loans * MONTHS / took
    print(f"## The hidden-state model: {loans:,} loans, {MONTHS} months, {STATES} states\n")
    print("Posterior of every loan-month and log-likelihood; the same model, the same histories.\n")
    print(
        "| way | seconds | loan-months a second | times slower | posterior, largest difference | log-likelihood |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    print(f"| Arrears, posterior in single precision | {took:.3f} | {mine / 1e6:.1f} m | 1 | | |")
    ratios = []
    for way, said in (("log", "its default, logarithms"), ("scaling", "its fastest, scaling")):
        seconds, likely, exact = fastest(lambda way=way: theirs(model, few, sample, way), 3)
        hers = sample * MONTHS / seconds
        apart = float(np.abs(posterior[: len(few)] - exact).max())
        ratios.append(mine / hers)
        print(
            f"| hmmlearn, {said}, {sample:,} loans of them | {seconds:.3f} | {hers / 1e6:.3f} m | "
            f"{ratios[-1]:.0f} | {apart:.0e} | {abs(few_likely / likely - 1):.0e} |"
        )
    print(
        f"\nRatio: {ratios[0]:.0f} times faster a loan-month than hmmlearn as it comes, {ratios[1]:.0f} times "
        f"than hmmlearn told to scale (asked: {ASKED} times, {ASKED_MILLIONS} m loan-months a second)."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
