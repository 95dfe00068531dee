"""The share of what is owed that a payment takes: a mass at full settlement, one at usual instalments, and the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from arrears.recovery.fitting import glm
from arrears.recovery.fitting.credibility import weight_of
from arrears.recovery.params import Floats, Params

_MILLION = 1e6
TERMS_OF_SHARE = ("product", "balance", "legal_status", "written_off", "last_payment")


@dataclass(frozen=True)
class Share:
    """A fitted share of what is owed.

    Attributes:
        mean, square: over all payments, the market's figure weighed in by credibility.
        own: over the payments seen; None without any.
        z: how far these are believed against the market.
        full, usual: shares of the payments that settle the loan, and that are a usual instalment.
        settles, size: chance that a payment settles, and share that another one takes; None where too few were seen.
    """

    mean: float
    square: float
    own: float | None
    z: float
    payments: int
    full: float
    usual: float
    settles: glm.Fit | None
    size: glm.Fit | None

    def settling(self, cells: pl.DataFrame) -> Floats:
        """Chance that a payment settles its loan, by cell."""
        if self.settles is None:
            return np.full(cells.height, self.full)
        return glm.expit(self.settles.predictor(cells))

    def of(self, cells: pl.DataFrame) -> Floats:
        """Expected share of what is owed that a payment takes, by cell, as far as it is believed."""
        if self.own is None:
            return np.full(cells.height, self.mean)
        settles = self.settling(cells)
        part = (
            np.full(cells.height, max(self.own - self.full, 0.0) / max(1.0 - self.full, 1e-12))
            if self.size is None
            else glm.expit(self.size.predictor(cells))
        )
        own = settles + (1.0 - settles) * part
        mean: Floats = self.mean * (1.0 - self.z + self.z * own / self.own)
        return mean


def fit_share(cells: pl.DataFrame, market: Params, *, variance: float) -> Share:
    """Share of what is owed, from cells with payments.

    Args:
        variance: of the mean share between banks, about the market's.
    """
    sums = cells.select("paid", "full", "usual", "part", "part_square").sum().row(0)
    paid, full, usual = (int(value) for value in sums[:3])
    part, square = sums[3] / _MILLION, sums[4] / _MILLION
    if not paid:
        return Share(
            market.share_paid, market.share_paid_square, None, 0.0, 0, 0.0, 0.0, None, None
        )
    own, own_square = (full + part) / paid, (full + square) / paid
    spread = max(own_square - own**2, market.share_paid_square - market.share_paid**2)
    z = float(weight_of(np.array([paid]), within=spread, between=variance)[0])
    some = cells.filter(pl.col("paid") > 0).with_columns(
        rest=pl.col("paid") - pl.col("full"), part_share=pl.col("part") / _MILLION
    )
    return Share(
        mean=z * own + (1.0 - z) * market.share_paid,
        square=z * own_square + (1.0 - z) * market.share_paid_square,
        own=own,
        z=z,
        payments=paid,
        full=full / paid,
        usual=usual / paid,
        settles=_logit(some, "full", "paid") if min(full, paid - full) >= glm.LEAST else None,
        size=_logit(some, "part_share", "rest") if paid - full >= glm.LEAST and part > 0 else None,
    )


def _logit(cells: pl.DataFrame, hits: str, of: str) -> glm.Fit:
    used = cells.filter(pl.col(of) > 0)
    layout = glm.design(used, terms=TERMS_OF_SHARE, hits=hits, of=of, by_age=False)
    return glm.fit(
        used,
        layout,
        hits=used[hits].cast(pl.Float64).to_numpy(),
        of=used[of].cast(pl.Float64).to_numpy(),
    )
