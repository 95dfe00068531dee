"""Forecasts of claims against what came, with intervals over resampled loans: a loan may be judged on several days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

HEAD = ("forecast", "MAE", "RMSE", "gap of tenths", "rank correlation", "in 50 %", "in 90 %")


@dataclass(frozen=True)
class Guess:
    """Shares of what is owed (n,), and the ends of the 50 % and the 90 % range (n, 4): 5, 25, 75, 95 per cent."""

    share: np.ndarray
    ranks: np.ndarray


def clustered(
    measure: Callable[..., float],
    group: np.ndarray,
    *columns: np.ndarray,
    draws: int,
    seed: int = 0,
) -> tuple[float, float, float]:
    """A measure of rows, and the 5th and 95th percentile of it over resampled groups of rows."""
    stream = np.random.default_rng(seed)
    _, place = np.unique(group, return_inverse=True)
    order = np.argsort(place, kind="stable")
    bounds = np.searchsorted(place[order], np.arange(place.max() + 2))
    found = []
    for _ in range(draws):
        drawn = stream.integers(0, len(bounds) - 1, len(bounds) - 1)
        rows = np.concatenate([order[bounds[k] : bounds[k + 1]] for k in drawn])
        found.append(measure(*(column[rows] for column in columns)))
    low, high = np.nanquantile(found, [0.05, 0.95])
    return measure(*columns), float(low), float(high)


def cells(y: np.ndarray, guess: Guess, group: np.ndarray, draws: int) -> list[str]:
    """Cells of a row of `HEAD`, each with its interval."""
    share, ranks = guess.share, guess.ranks
    half, most = ((y >= ranks[:, a]) & (y <= ranks[:, b]) for a, b in ((1, 2), (0, 3)))
    measures: list[tuple[Callable[..., float], tuple[np.ndarray, ...], str]] = [
        (lambda a, b: float(np.abs(a - b).mean()), (y, share), ".3f"),
        (lambda a, b: float(((a - b) ** 2).mean() ** 0.5), (y, share), ".3f"),
        (gap, (y, share), ".3f"),
        (rank, (y, share), ".2f"),
        (lambda a: float(a.mean()), (half,), ".0%"),
        (lambda a: float(a.mean()), (most,), ".0%"),
    ]
    found = []
    for measure, columns, form in measures:
        mid, low, high = clustered(measure, group, *columns, draws=draws)
        found.append(f"{mid:{form}} [{low:{form}}, {high:{form}}]")
    return found


def against(
    y: np.ndarray, ours: np.ndarray, other: np.ndarray, group: np.ndarray, draws: int
) -> str:
    """Absolute error of ours over the other's, less one, on the same claims."""

    def ratio(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
        return float(np.abs(a - b).sum() / np.abs(a - c).sum() - 1.0)

    mid, low, high = clustered(ratio, group, y, ours, other, draws=draws)
    word = "better" if high < 0 else "worse" if low > 0 else "no different beyond chance"
    return f"{mid:+.0%} [{low:+.0%}, {high:+.0%}], {word}"


def gap(y: np.ndarray, guess: np.ndarray) -> float:
    """Mean distance of forecast and outcome over tenths by forecast."""
    return float(np.mean([abs(y[part].mean() - guess[part].mean()) for part in _by_tenth(guess)]))


def tenths(y: np.ndarray, guess: np.ndarray, group: np.ndarray, draws: int) -> str:
    """Tenths by forecast, lowest first: the mean foretold, what came, and its interval."""
    told = []
    for part in _by_tenth(guess):
        came, low, high = clustered(lambda a: float(a.mean()), group[part], y[part], draws=draws)
        told.append(f"{guess[part].mean():.2f}: {came:.2f} [{low:.2f}, {high:.2f}]")
    return f"Tenths by forecast, the mean foretold and what came: {'; '.join(told)}."


def rank(y: np.ndarray, guess: np.ndarray) -> float:
    """Spearman's rank correlation; 0 where either does not differ."""
    from scipy.stats import rankdata

    if np.ptp(guess) < 1e-12 or np.ptp(y) < 1e-12:
        return 0.0
    return float(np.corrcoef(rankdata(_even(y)), rankdata(_even(guess)))[0, 1])


def _by_tenth(guess: np.ndarray) -> list[np.ndarray]:
    """Places of the tenths by forecast, lowest first."""
    return np.array_split(np.argsort(_even(guess), kind="stable"), 10)


def _even(share: np.ndarray) -> np.ndarray:
    """Shares whose last bits rank nothing: what the same terms give is the same, whatever order they were added in."""
    return np.round(share, 9)
