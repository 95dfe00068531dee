"""The indicators' scorecard: a sum of assumed weights, for tapes on which no model can be fitted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]


def score(signs: pl.DataFrame, weights: Mapping[str, float]) -> Floats:
    """Chance (n,) that each loan is bad and kept alive, from its indicators alone.

    Args:
        signs: as `signs.signs` gives them.
        weights: log-odds: `base`, one a sign, `strained` for trouble outside the loan.
    """
    named = [name for name in weights if name not in {"base", "strained"}]
    points = pl.sum_horizontal(pl.col(name) * weights[name] for name in named)
    away = (pl.col("outside") == 2).cast(pl.Float64) * weights["strained"]
    odds = signs.select(points + away + weights["base"]).to_series().to_numpy()
    return np.asarray(1.0 / (1.0 + np.exp(-odds)), dtype=np.float64)
