"""Learning from an inspection: findings sharpen chances and amount; and which loans to look into next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.rng import generator

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEATURES = (
    "e1", "e2", "e3", "e4", "e5", "interest_only", "dressed", "short_of_notch", "inside", "resumed", "relief",
)  # fmt: skip
_LEAST_OF_A_KIND = 5
_STRENGTHS = (1.0, 4.0, 16.0, 64.0)
_FOLDS = 5
_TOLD = 1e-6


@dataclass(frozen=True)
class Sharpened:
    """A model of what an inspection found: log-odds = features x coefficients, with their covariance.

    Attributes:
        features: of every loan (n, k): one, the log-odds of the chance without the inspection, indicators.
    """

    features: Floats
    coefficients: Floats
    covariance: Floats

    def chances(self) -> Floats:
        """Chance (n,) of every loan."""
        return _logistic(self.features @ self.coefficients)

    def drawn(self, rows: Ints, draws: int, seed: int) -> Floats:
        """Chances (m, draws) of these loans, coefficients drawn around the best."""
        g = generator(seed, "hidden", "audit", "draws")
        root = np.linalg.cholesky(self.covariance)
        near = self.coefficients[:, None] + root @ g.normal(size=(len(root), draws))
        return _logistic(self.features[rows] @ near)


def sharpen(
    chance: Floats, signs: pl.DataFrame, looked: Ints, hidden: npt.NDArray[np.bool_]
) -> Sharpened:
    """Correct chances by what an inspection found, as far as it reaches.

    A logistic regression whose coefficients are held (ridge) to what leaves the chances as they are; how strongly is
    chosen by cross-validation. On few findings only the level moves.

    Args:
        chance: (n,) without the inspection.
        looked: rows of the loans looked into (a,).
        hidden: what was found (a,).
    """
    odds = np.log(np.clip(chance, _TOLD, 1 - _TOLD) / np.clip(1 - chance, _TOLD, 1))
    shown = signs.select(*FEATURES, strained=(pl.col("outside") == 2).cast(pl.Float64))
    features = np.column_stack([np.ones(len(odds)), odds, shown.to_numpy()])
    usual = np.zeros(features.shape[1])
    usual[1] = 1.0
    few = min(hidden.sum(), (~hidden).sum()) < _LEAST_OF_A_KIND
    free = np.ones(len(usual), dtype=np.bool_)
    if few:
        free[1:] = False
    x, y = features[looked][:, free], hidden.astype(np.float64)
    offset = features[looked] @ (usual * ~free)
    strength = _STRENGTHS[1] if few else _chosen(x, y, usual[free])
    found, covariance = _ridge(x, y, usual[free], strength=strength, offset=offset)
    coefficients, whole = usual.copy(), np.eye(len(usual)) * 1e-12
    coefficients[free] = found
    whole[np.ix_(free, free)] += covariance
    return Sharpened(features, coefficients, whole)


def _logistic(odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -40.0, 40.0))))


def _ridge(
    x: Floats, y: Floats, usual: Floats, *, strength: float, offset: Floats
) -> tuple[Floats, Floats]:
    """Coefficients (k,) by Newton's steps, held to `usual`, and their covariance (Laplace)."""
    hold = np.full(len(usual), strength)
    hold[0] = 0.1
    beta = usual.copy()
    curve = np.diag(hold)
    for _ in range(50):
        p = _logistic(x @ beta + offset)
        slope = x.T @ (y - p) - hold * (beta - usual)
        curve = (x * (p * (1 - p))[:, None]).T @ x + np.diag(hold)
        step = np.linalg.solve(curve, slope)
        beta = beta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    return beta, np.linalg.inv(curve)


def _chosen(x: Floats, y: Floats, usual: Floats) -> float:
    """The strength that foretells held-out findings best; folds by position, the same for the same file."""
    fold = np.arange(len(y)) % _FOLDS
    losses = []
    for strength in _STRENGTHS:
        loss = 0.0
        for number in range(_FOLDS):
            inside = fold != number
            none = np.zeros(int(inside.sum()))
            beta, _ = _ridge(x[inside], y[inside], usual, strength=strength, offset=none)
            p = np.clip(_logistic(x[~inside] @ beta), 1e-9, 1 - 1e-9)
            said = y[~inside]
            loss -= float((said * np.log(p) + (1 - said) * np.log(1 - p)).sum())
        losses.append(loss)
    return _STRENGTHS[int(np.argmin(losses))]


def propose(
    table: pl.DataFrame,
    claim: npt.NDArray[np.int64],
    signs: pl.DataFrame,
    *,
    count: int,
    free: npt.NDArray[np.bool_],
    seed: int,
) -> pl.DataFrame:
    """`audit.csv`: the loans worth looking into next, `loan_id, why, p_hidden, claim, chance`, sorted by loan.

    One half tells most: uncertainty times claim, each loan with certainty. The other half is drawn at random from the
    rest, so that with `chance` (of having been taken) the whole can be estimated without the model.

    Args:
        table: `loan_id, p_hidden` of every loan (n,).
        free: loans that may be looked into (n,): unreported, with a claim, not looked into yet.
    """
    p = table["p_hidden"].fill_null(0.0).to_numpy()
    worth = np.where(free, p * (1 - p) * claim, -1.0)
    count = min(count, int(free.sum()))
    telling = np.argsort(-worth, kind="stable")[: count // 2]
    telling = telling[worth[telling] > 0]
    rest = np.flatnonzero(free)
    rest = rest[~np.isin(rest, telling)]
    drawn = generator(seed, "hidden", "propose").permutation(len(rest))[: count - len(telling)]
    randomly = rest[np.sort(drawn)]
    chance = len(randomly) / max(len(rest), 1)
    parts = [
        _proposed(table, claim, signs, rows=telling, chance=1.0),
        _proposed(table, claim, signs, rows=randomly, chance=chance),
    ]
    return pl.concat(parts).sort("loan_id")


def _proposed(
    table: pl.DataFrame,
    claim: npt.NDArray[np.int64],
    signs: pl.DataFrame,
    *,
    rows: Ints,
    chance: float,
) -> pl.DataFrame:
    certain = pl.format(
        "tells most: {} per cent likely, {}",
        (pl.col("p_hidden").fill_null(0.0) * 100).round(1),
        pl.col("evidence"),
    )
    random = pl.lit("drawn at random, so that the estimate stays honest")
    return table[rows].select("loan_id", "p_hidden").with_columns(
        signs["evidence"][rows], claim=pl.Series(claim[rows], dtype=pl.Int64), chance=pl.lit(chance)
    ).select("loan_id", why=certain if chance == 1.0 else random, p_hidden="p_hidden",
             claim="claim", chance="chance")  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """What is hidden by the inspection alone, without any model: expected fen, and its standard error."""

    amount: float
    se: float


def by_design(
    hidden: npt.NDArray[np.bool_], claim: npt.NDArray[np.int64], chance: Floats
) -> Estimate:
    """Horvitz and Thompson's estimate (1952) from the loans looked into (a,) and their chances of having been taken."""
    amount = hidden * claim / chance
    variance = (amount**2 * (1 - chance)).sum()
    return Estimate(float(amount.sum()), float(np.sqrt(variance)))
