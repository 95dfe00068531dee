"""Models held against months that they have not seen, and the one that is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from arrears.recovery.fitting.boosted import PaymentModel, fit_boosted
from arrears.recovery.fitting.glm import LEAST, expit, shift_to
from arrears.recovery.fitting.hazard import Hazard, Prior, fit_hazard
from arrears.recovery.fitting.model import Chosen, Decile, Test
from arrears.recovery.fitting.person_period import YEARS_BACK, together
from arrears.recovery.params import Floats

_ROOM = 1e-12
_CLEARLY = 2.0


@dataclass(frozen=True)
class Choice:
    """The model taken, why, and how all did."""

    chosen: Chosen
    why: str
    tests: dict[str, Test]
    calibration: list[Decile]


def choose(cells: pl.DataFrame, prior: Prior) -> Choice:
    """Fit on the earlier months, compare on the later ones; the hazard gives way only to what is clearly better."""
    early, late = cells.filter(late=0), cells.filter(late=1)
    paid, tried = int(early["paid"].sum()), int(early["n"].sum())
    if int(cells["paid"].sum()) < LEAST or int((cells["n"] - cells["paid"]).sum()) < LEAST:
        why = f"{int(cells['paid'].sum())} payments were seen; at least {LEAST} are needed to fit anything."
        return Choice("market prior", why, {}, [])
    if min(paid, tried - paid) < LEAST or not late.height:
        why = f"Too short for a test out of time: {paid} payments in the months before it."
        return Choice("hazard", why, {}, [])
    models: dict[Chosen, PaymentModel] = {
        "market prior": Hazard(prior, None),
        "hazard": fit_hazard(early, prior),
        "boosted": fit_boosted(early, prior),
    }
    chances = {name: model.chance(late) for name, model in models.items()}
    losses = {name: _losses(chance) for name, chance in chances.items()}
    means = {name: _mean(late, loss) for name, loss in losses.items()}
    best = min(means, key=lambda name: means[name])
    tests = {}
    for name, chance in chances.items():
        gap, se = _difference(late, losses[name], losses[best])
        tests[str(name)] = Test(
            log_loss=means[name],
            pool_error=_pool_error(late, chance),
            rank=rank(late, chance),
            worse_than_best=gap,
            se=se,
        )
    chosen: Chosen = "hazard"
    held = tests["hazard"]
    if best != "hazard" and held.worse_than_best > _CLEARLY * held.se:
        chosen = best
        why = f"Out of time it is better than the hazard by more than two standard errors ({held.worse_than_best:.2g})."
    elif best == "hazard":
        why = "Out of time none is better."
    else:
        why = f"Out of time the {best} is better by less than two standard errors; the readable one stays."
    return Choice(chosen, why, tests, deciles(late, chances[chosen]))


def year_errors(by_year: pl.DataFrame, prior: Prior) -> Floats:
    """Late years that the months before them can foretell: (2, years).

    What it takes on the log odds of all loans that as many payments are foretold as were seen, and how much the
    year tells of that (the information of its loan-months).

    What a fit leaves of the years it has seen says too little of the next one: its level and its curve have followed
    them.
    """
    found = []
    for back in range(YEARS_BACK):
        year, before = by_year.filter(back=back), by_year.filter(pl.col("back") > back)
        paid, tried = int(before["paid"].sum()), int(before["n"].sum())
        if min(paid, tried - paid, int(year["paid"].sum())) < LEAST:
            continue
        fitted = fit_hazard(together(before), prior)
        eta, seen = (
            prior.predictor(year) + fitted.deviation(year),
            year["n"].to_numpy().astype(np.float64),
        )
        gap = shift_to(eta, seen, float(year["paid"].sum()))
        chance = expit(eta + gap)
        found.append((gap, float(seen @ (chance * (1.0 - chance)))))
    return np.array(found).reshape(-1, 2).T


def _losses(chance: Floats) -> tuple[Floats, Floats]:
    """Log loss of a payment and of none, by cell."""
    p = np.clip(chance, _ROOM, 1.0 - _ROOM)
    return -np.log(p), -np.log1p(-p)


def _mean(late: pl.DataFrame, losses: tuple[Floats, Floats]) -> float:
    paid, seen = late["paid"].to_numpy(), late["n"].to_numpy()
    return float((paid @ losses[0] + (seen - paid) @ losses[1]) / seen.sum())


def _difference(
    late: pl.DataFrame, one: tuple[Floats, Floats], two: tuple[Floats, Floats]
) -> tuple[float, float]:
    """Mean difference of losses and its standard error, loan-months taken as independent."""
    paid, seen = late["paid"].to_numpy(), late["n"].to_numpy()
    hit, miss = one[0] - two[0], one[1] - two[1]
    count = float(seen.sum())
    mean = float(paid @ hit + (seen - paid) @ miss) / count
    square = float(paid @ hit**2 + (seen - paid) @ miss**2) / count
    return mean, float(np.sqrt(max(square - mean**2, 0.0) / count))


def _pool_error(late: pl.DataFrame, chance: Floats) -> float | None:
    paid = float(late["paid"].sum())
    return float(chance @ late["n"].to_numpy()) / paid - 1.0 if paid else None


def rank(cells: pl.DataFrame, chance: Floats) -> float | None:
    """Area under the curve: the chance that who paid had the higher one."""
    order = np.argsort(chance, kind="stable")
    paid = cells["paid"].to_numpy()[order].astype(np.float64)
    not_paid = cells["n"].to_numpy()[order] - paid
    _, group = np.unique(chance[order], return_inverse=True)
    hits, misses = np.bincount(group, weights=paid), np.bincount(group, weights=not_paid)
    if not hits.sum() or not misses.sum():
        return None
    below = np.cumsum(misses) - misses
    return float((hits * (below + misses / 2)).sum() / hits.sum() / misses.sum())


def deciles(cells: pl.DataFrame, chance: Floats) -> list[Decile]:
    """Tenths of the loan-months by their chance; a cell is not cut, so tenths are about equal."""
    order = np.argsort(chance, kind="stable")
    seen = cells["n"].to_numpy()[order]
    middle = np.cumsum(seen) - seen / 2.0
    tenth = np.minimum((10 * middle / seen.sum()).astype(np.int64), 9)
    paid, expected = cells["paid"].to_numpy()[order], chance[order] * seen
    found = []
    for place in np.unique(tenth):
        inside = tenth == place
        count = int(seen[inside].sum())
        found.append(
            Decile(
                loan_months=count,
                predicted=float(expected[inside].sum()) / count,
                observed=float(paid[inside].sum()) / count,
            )
        )
    return found
