"""The monthly chance of a payment: a discrete-time hazard (logit), as deviations from the market prior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from arrears.recovery.fitting import glm, kernels
from arrears.recovery.fitting.features import SEASON, TERMS, by_band
from arrears.recovery.fitting.person_period import History, Rows, rows
from arrears.recovery.params import Floats, Params


@dataclass(frozen=True)
class Prior:
    """What the market says before any history is seen, on the logit scale.

    Attributes:
        band: (bands,) log odds of a payment by band of ages.
        effects: by term, (levels,).
    """

    band: Floats
    effects: Mapping[str, Floats]

    @classmethod
    def of(cls, params: Params) -> Prior:
        """From the parameters of the market."""
        known = {
            "product": params.product_effect,
            "contact_status": params.contact_effect,
            "legal_status": params.legal_effect,
        }
        effects = {
            term: np.array([words.get(level, 0.0) for level in TERMS[term]])
            for term, words in known.items()
        }
        return cls(by_band(np.log(params.odds)), effects)

    def predictor(self, cells: pl.DataFrame) -> Floats:
        """Log odds of each cell."""
        eta: Floats = self.band[cells["band"].to_numpy()]
        for term, effect in self.effects.items():
            eta = eta + effect[cells[term].to_numpy()]
        return eta


@dataclass(frozen=True)
class Hazard:
    """A fitted hazard.

    Attributes:
        fitted: deviations from the prior; None where there were too few payments to fit anything.
        robust: (width, width) covariance clustered by loan.
    """

    prior: Prior
    fitted: glm.Fit | None
    robust: Floats | None = None

    name = "hazard"

    def deviation(self, cells: pl.DataFrame) -> Floats:
        """What the fit adds to the prior's log odds, by cell."""
        return np.zeros(cells.height) if self.fitted is None else self.fitted.predictor(cells)

    def chance(self, cells: pl.DataFrame) -> Floats:
        """Chance of a payment in a month, by cell."""
        return glm.expit(self.prior.predictor(cells) + self.deviation(cells))


def fit_hazard(cells: pl.DataFrame, prior: Prior) -> Hazard:
    """Maximum likelihood on cells of loan-months; the prior alone below ten payments."""
    paid, seen = cells["paid"].to_numpy(), cells["n"].to_numpy()
    if min(paid.sum(), seen.sum() - paid.sum()) < glm.LEAST:
        return Hazard(prior, None)
    layout = glm.design(cells, terms=tuple(TERMS), hits="paid", of="n")
    found = glm.fit(
        cells,
        layout,
        hits=paid.astype(np.float64),
        of=seen.astype(np.float64),
        offset=prior.predictor(cells),
    )
    return Hazard(prior, found)


def season_mean(found: glm.Fit, cells: pl.DataFrame) -> float:
    """Mean effect of the season over the loan-months: what a forecast of whole years takes."""
    seen = np.bincount(cells[SEASON].to_numpy(), weights=cells["n"].to_numpy(), minlength=4)
    return float(found.term(SEASON) @ seen / seen.sum())


@dataclass(frozen=True)
class Panel:
    """Payments and what was expected of them, by segment and half-year (segments, periods)."""

    paid: Floats
    by_prior: Floats
    by_fit: Floats


def second_pass(
    history: History,
    hazard: Hazard,
    segment: np.ndarray,
    segments: int,
    *,
    beside: Callable[[Rows], None] | None = None,
) -> tuple[Panel, Floats | None]:
    """Once more through the loan-months: what each segment paid, and the covariance clustered by loan.

    Args:
        segment: (n,) segment of each loan.
        beside: is shown all loan-months on the way.
    """
    periods = max((history.months + 5) // 6, 1)
    sums = np.zeros((3, segments * periods))
    fitted = hazard.fitted
    width = fitted.design.width if fitted else 0
    meat = np.zeros((width, width))
    for some in rows(history):
        if beside is not None:
            beside(some)
        table = pl.DataFrame({"band": some.band, **some.levels})
        prior = hazard.prior.predictor(table)
        chance = glm.expit(prior + hazard.deviation(table))
        paid = (some.kind > 0).astype(np.float64)
        place = segment[some.loan] * periods + (history.end - some.month) // 6
        for row, values in enumerate((paid, glm.expit(prior), chance)):
            sums[row] += np.bincount(place, weights=values, minlength=sums.shape[1])
        if fitted is not None:
            layout = fitted.design
            columns = [layout.columns[term][some.levels[term]] for term in layout.columns]
            kernels.score_sums(
                some.loan,
                np.column_stack(columns),
                layout.spline,
                some.band,
                chance,
                paid,
                width,
                0,
                meat,
            )
    panel = Panel(*(row.reshape(segments, periods) for row in sums))
    if fitted is None:
        return panel, None
    bread = fitted.covariance
    return panel, bread @ meat @ bread
