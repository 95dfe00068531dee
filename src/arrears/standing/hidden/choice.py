"""Which way ships: the model, the scorecard or boosting, by what happened after an earlier day.

Without an inspection nobody has seen a hidden loan, but bad ones give themselves away later: they pass day 90, or have
to be kept alive again. So each way ranks, on the day some months before the cut-off date, the loans that pay and show
a sign; what followed is the judge. The model ships unless the scorecard is better beyond chance. Boosting stands beside
and never ships on this alone: it is taught which loans come to light, and a kept loan does not; in worlds
whose truth is known it found fewer hidden loans where it won here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.rng import generator
from arrears.standing.hidden import fit as fitting
from arrears.standing.hidden import model, prior
from arrears.standing.hidden import words as w
from arrears.standing.hidden.coded import coded
from arrears.standing.hidden.finding import Book, Choice
from arrears.standing.hidden.scorecard import score
from arrears.standing.hidden.signs import E, signs

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FEATURES = (
    *E, "interest_only", "dressed", "short_of_notch", "inside", "resumed", "relief", "outside", "months",
)  # fmt: skip
LEAST_OUTCOMES, DRAWS = 30, 200
MOST_AHEAD = 6
_SHOWING = (*E, "interest_only", "dressed", "short_of_notch", "inside")


@dataclass(frozen=True)
class _Day:
    """The book as it stood on an earlier day: signs, loans to be ranked, and what followed."""

    lived: pl.DataFrame
    shown: pl.DataFrame
    ranked: Flags
    failed: Flags


def choose(book: Book, weights: dict[str, float], *, seed: int) -> Choice:
    """Compare the ways on the months before the cut-off date (a third of the history, six at most).

    Args:
        weights: of the scorecard.
    """
    loans, lived = book.loans, book.lived
    none = pl.DataFrame(schema={"way": pl.String, "auc": pl.Float64, "lo90": pl.Float64,
                                "hi90": pl.Float64, "ahead_of_model_lo90": pl.Float64})  # fmt: skip
    months = lived["month"].unique().sort()
    ahead = min(MOST_AHEAD, len(months) // 3)
    if ahead < 2:
        return Choice("model", none, 0, 0, "The history is too short to judge it by what followed.")
    day = _on(loans, lived, months[-1 - ahead], months[-1])
    judged, outcomes = int(day.ranked.sum()), int((day.ranked & day.failed).sum())
    if outcomes < LEAST_OUTCOMES or outcomes == judged:
        why = f"Too few loans gave themselves away ({outcomes}) to judge the ways by."
        return Choice("model", none, judged, outcomes, why)
    scores = {"model": _by_model(loans, day, seed), "scorecard": score(day.shown, weights)}
    boosted = _boosted(loans, lived, months, ahead=ahead, day=day)
    if boosted is not None:
        scores["boosting"] = boosted
    table = _judged(
        {name: s[day.ranked] for name, s in scores.items()}, day.failed[day.ranked], seed
    )
    better = table.filter(pl.col("way") == "scorecard", pl.col("ahead_of_model_lo90") > 0)
    way = "scorecard" if better.height else "model"
    told = ", ".join(f"{row[0]} {row[1]:.2f}" for row in table.iter_rows())
    why = (
        f"Of {judged:,} paying loans with a sign, {outcomes:,} passed day 90 or were kept alive again in the last"
        f" {ahead} months; area under the curve: {told}."
    )
    ranking = score(book.signs, weights) if way == "scorecard" else None
    return Choice(way, table, judged, outcomes, why, ranking)


def _on(loans: pl.DataFrame, lived: pl.DataFrame, day: date, until: date) -> _Day:
    then = lived.filter(pl.col("month") <= day)
    after = lived.filter(pl.col("month") > day, pl.col("month") <= until)
    shown = signs(loans, then)
    last = then.group_by("loan").agg(days=pl.col("days").last(), at=pl.col("month").max())
    paying = last.filter(pl.col("days").fill_null(0) <= 30, pl.col("at") == day)["loan"].to_numpy()
    again = pl.col("act").is_in([w.ACT.index("capitalised"), w.ACT.index("new_pays_old")])
    again |= pl.col("timing").is_in([w.TIMING.index("round_trip"), w.TIMING.index("fell_unpaid")])
    again |= pl.col("act").is_in([w.ACT.index("renewal"), w.ACT.index("extension")]) & pl.col(
        "stressed"
    )
    bad = after.filter((pl.col("days") > 90) | again)["loan"].unique().to_numpy()
    ranked, failed = np.zeros(loans.height, dtype=np.bool_), np.zeros(loans.height, dtype=np.bool_)
    ranked[paying] = True
    signed = shown.select(pl.any_horizontal(pl.col(*_SHOWING) > 0)).to_series().to_numpy()
    failed[bad] = True
    return _Day(then, shown, ranked & signed, failed)


def _by_model(loans: pl.DataFrame, day: _Day, seed: int) -> Floats:
    """Chance (n,) of being bad on that day, by a model fitted on what was known then."""
    histories = coded(loans, day.lived, day.shown["outside"])
    none = np.zeros(len(histories.loan), dtype=np.int64)
    params = fitting.fit(histories, none, seed=seed, starts=1).params
    ones = np.ones(len(none))
    layout = model.Layout.of(histories)
    counts = model.expect(params, layout, weight=ones, audited=none, learn=False)
    chance = np.zeros(loans.height)
    chance[histories.loan] = counts.end[:, prior.SHOWN :].sum(axis=1)
    return chance


def _boosted(
    loans: pl.DataFrame, lived: pl.DataFrame, months: pl.Series, *, ahead: int, day: _Day
) -> Floats | None:
    """Boosting on the indicators, taught by what followed a day still earlier; None where it cannot be taught."""
    if len(months) < 2 * ahead + 2:
        return None
    before = _on(loans, lived, months[-1 - 2 * ahead], months[-1 - ahead])
    return boost(before.shown, before.ranked, before.failed, day.shown)


def boost(shown: pl.DataFrame, ranked: Flags, failed: Flags, then: pl.DataFrame) -> Floats | None:
    """Chances (n,) for the signs `then`, taught by which of the `ranked` loans with the signs `shown` failed."""
    try:
        from lightgbm import LGBMClassifier
    except ImportError:
        return None
    y = failed[ranked]
    if y.sum() < LEAST_OUTCOMES or y.all():
        return None
    x = shown.select(pl.col(*FEATURES).cast(pl.Float64)).to_numpy()
    tree = LGBMClassifier(
        n_estimators=80, learning_rate=0.05, num_leaves=7, min_child_samples=20, n_jobs=1,
        random_state=0, deterministic=True, force_row_wise=True, verbosity=-1,
    )  # fmt: skip
    tree.fit(x[ranked], y)
    return np.asarray(
        tree.predict_proba(then.select(pl.col(*FEATURES).cast(pl.Float64)).to_numpy())
    )[:, 1]


def area(scores: Floats, truth: Flags) -> float:
    """Chance that a failed loan is ranked above another one, ties counting half."""
    hits, misses = int(truth.sum()), int((~truth).sum())
    if not hits or not misses:
        return 0.5
    _, place, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[place]
    return float((ranks[truth].sum() - hits * (hits + 1) / 2) / (hits * misses))


def _judged(scores: dict[str, Floats], truth: Flags, seed: int) -> pl.DataFrame:
    g = generator(seed, "hidden", "choice")
    rows = [g.integers(0, len(truth), len(truth)) for _ in range(DRAWS)]
    drawn = {name: np.array([area(s[r], truth[r]) for r in rows]) for name, s in scores.items()}
    found = []
    for name, s in scores.items():
        low, high = np.quantile(drawn[name], [0.05, 0.95])
        beyond = float(np.quantile(drawn[name] - drawn["model"], 0.05))
        found.append((name, area(s, truth), float(low), float(high), beyond))
    heads = ["way", "auc", "lo90", "hi90", "ahead_of_model_lo90"]
    return pl.DataFrame(found, schema=heads, orient="row")


def levelled(ranking: Floats, total: float) -> Floats:
    """Chances (n,) in the order of `ranking` whose sum is `total`: a common shift of the log-odds, by bisection."""
    odds = np.log(np.clip(ranking, 1e-9, 1 - 1e-9) / np.clip(1 - ranking, 1e-9, 1))
    low, high = -40.0, 40.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        if float((1.0 / (1.0 + np.exp(-(odds + middle)))).sum()) > total:
            high = middle
        else:
            low = middle
    return np.asarray(1.0 / (1.0 + np.exp(-(odds + low))))
