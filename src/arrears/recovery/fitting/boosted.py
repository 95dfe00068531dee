"""Boosted trees behind the same protocol as the hazard: the alternative, taken only where it predicts better."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import polars as pl

from arrears.recovery.fitting import glm
from arrears.recovery.fitting.features import AGE_STARTS, SEASON, TERMS
from arrears.recovery.fitting.hazard import Prior
from arrears.recovery.params import Floats

_FEATURES = ("band", *(name for name in TERMS if name != SEASON))
_ROUNDS = 150
# So many combinations of levels, the most frequent ones, stand for all in the mean by age.
_MIXES = 1_000
_SETTINGS: dict[str, Any] = {
    "objective": "cross_entropy",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 1,
    "min_sum_hessian_in_leaf": 10.0,
    "lambda_l2": 5.0,
    "categorical_feature": [place for place, name in enumerate(_FEATURES) if name != "band"],
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 0,
    "verbosity": -1,
}


class PaymentModel(Protocol):
    """What a model of the monthly chance of a payment can do."""

    @property
    def name(self) -> str:
        """Its name in the model file."""

    def deviation(self, cells: pl.DataFrame) -> Floats:
        """What it adds to the prior's log odds, by cell."""

    def chance(self, cells: pl.DataFrame) -> Floats:
        """Chance of a payment in a month, by cell."""


@dataclass(frozen=True)
class Boosted:
    """Trees grown on what the prior leaves open.

    Attributes:
        text: the trees as LightGBM writes them.
    """

    prior: Prior
    text: str

    name = "boosted"

    @cached_property
    def _trees(self) -> Any:
        try:
            import lightgbm
        except ImportError:
            raise glm.FitMissing(
                "This model is one of boosted trees; LightGBM, which reads them, is not installed.",
                where="--model",
                why="It cannot be used without it.",
                fix="Install it: pip install 'arrears[fit]'.",
            ) from None
        return lightgbm.Booster(model_str=self.text)

    def deviation(self, cells: pl.DataFrame) -> Floats:
        """What the trees add to the prior's log odds, by cell."""
        if not cells.height:
            return np.zeros(0)
        raw = self._trees.predict(_matrix(cells), raw_score=True, num_threads=1)
        return np.asarray(raw, dtype=np.float64)

    def chance(self, cells: pl.DataFrame) -> Floats:
        """Chance of a payment in a month, by cell."""
        return glm.expit(self.prior.predictor(cells) + self.deviation(cells))

    def age(self, cells: pl.DataFrame, weight: Floats) -> Floats:
        """Mean deviation of the same loans at each band of ages (bands,), weighed by cell.

        The mean of each band's own loans would take for age what they are besides: the old ones are mostly those
        that nobody pays any more, and a loan would turn into one of them as it grows older.
        """
        key = np.zeros(cells.height, dtype=np.int64)
        for name in _FEATURES[1:]:
            key = key * len(TERMS[name]) + cells[name].to_numpy()
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        sums = np.bincount(place, weights=weight)
        kept = np.argsort(-sums, kind="stable")[:_MIXES]
        mixes = cells[first[kept]].drop("band")
        bands = pl.DataFrame({"band": np.arange(len(AGE_STARTS))})
        found = self.deviation(bands.join(mixes, how="cross")).reshape(len(AGE_STARTS), -1)
        mean: Floats = found @ sums[kept] / sums[kept].sum()
        return mean


def fit_boosted(cells: pl.DataFrame, prior: Prior) -> Boosted:
    """Grow trees on cells, from the prior's log odds on."""
    import lightgbm

    seen = cells["n"].to_numpy().astype(np.float64)
    data = lightgbm.Dataset(
        _matrix(cells),
        label=cells["paid"].to_numpy() / seen,
        weight=seen,
        init_score=prior.predictor(cells),
        params={"verbosity": -1, "min_data_in_bin": 1},
        categorical_feature=_SETTINGS["categorical_feature"],
    )
    settings = {name: value for name, value in _SETTINGS.items() if name != "categorical_feature"}
    trees = lightgbm.train(settings, data, num_boost_round=_ROUNDS)
    return Boosted(prior, trees.model_to_string())


def _matrix(cells: pl.DataFrame) -> Floats:
    matrix: Floats = cells.select(pl.col(_FEATURES).cast(pl.Float64)).to_numpy()
    return matrix
