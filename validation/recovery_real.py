"""Recovered shares of real loans, one row a loan: learnt on earlier charge-offs, judged on later ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from arrears.recovery.fitting import glm
from arrears.recovery.fitting.credibility import buhlmann_straub
from arrears.recovery.fitting.features import AGE_MIDDLE
from validation import section
from validation.real import car_claims, charge_offs, kenya, score, totals
from validation.real.sources import Claims, sets

TITLE = "Recovered shares of real loans"
BINS = 6
PERIODS = 4
BANDS = 5
# A claim by itself is drawn for its range; so many are, spread over the judged ones.
SAMPLE = 120


def main(smoke: bool) -> str:
    """The section."""
    folder = section.real_data()
    if folder is None:
        return section.without_data(TITLE)
    parts = [
        f"## {TITLE}",
        "Learnt on the earlier 60 % of claims, judged on the later ones. Shares lie between 0 and 1; brackets hold "
        "90 % intervals over resampled claims. `pool` is forecast over actual cash, less one; `gap` the mean distance "
        "of forecast and outcome over tenths by forecast. Ranges are quantiles of outcomes in the same fifth by "
        "forecast, for every method alike, among the later 40 % of the learnt claims, foretold from the earlier ones; "
        "with many zeros they cover more than they name. "
        "What became of the learnt claims is what the source shows at its end, later than a lender could know it at "
        "the split: only the charge-offs are out of time. Car loans alone are learnt from what was seen by then. "
        "`two logits` and `credibility` are parts of Arrears on features of the source; `fit and forecast` is the "
        "whole product on a tape, which has no place for most of these features. Taiwan's cards and the bureau's "
        "statuses hold no cash after default.",
    ]
    parts += [judged(told, claims, smoke) for told, claims in sets(folder)]
    parts += [kenya.drying(folder), kenya.silent(folder)]
    parts += [charge_offs.cars(folder, smoke), car_claims.text(folder, smoke)]
    return "\n\n".join(parts)


def judged(told: str, claims: Claims, smoke: bool) -> str:
    """A table of the methods on the later claims."""
    if smoke:
        claims = claims.part(np.random.default_rng(1).permutation(len(claims.share))[:800])
    cut = np.quantile(claims.time, 0.6) if claims.cut is None else claims.cut
    old, new = claims.part(claims.time <= cut), claims.part(claims.time > cut)
    # Ranges rest on claims that the method had not seen: the later part of those learnt from.
    middle = np.quantile(old.time, 0.6)
    early, held = old.part(old.time <= middle), old.part(old.time > middle)
    pairs = {name: (method(early, held), method(old, new)) for name, method in METHODS.items()}
    contests, ranges = list(CONTESTS), []
    # In a small run one set stands for those that can be laid out as a tape.
    if len(claims.wait) and not (smoke and claims.spread):
        draws, sample = (20, 10) if smoke else (100, SAMPLE)
        whole = totals.foretold(*_as_totals(old, new), scenarios=2 * draws, sample=sample)
        pairs[WHOLE] = (totals.foretold(*_as_totals(early, held)).share, whole.share)
        contests += [(WHOLE, other) for other in PLAIN]
        ranges.append(own_ranges(new, whole, draws))
        alone = np.arange(len(new.share))
        ranges.append(f"{WHOLE}. {score.tenths(new.share, whole.share, alone, draws)}")
    draws = 20 if smoke else 100
    rows = [(name, *_scores(held.share, *pair, new, draws)) for name, pair in pairs.items()]
    text = f"{told} {len(old.share):,} claims learnt from, {len(new.share):,} judged."
    head = ("method", "MAE", "RMSE", "pool", "gap", "rank correlation", "in 50 %", "in 90 %")
    guesses = {name: guess for name, (_, guess) in pairs.items()}
    verdicts = [_verdict(new.share, guesses, *contest) for contest in contests]
    return "\n\n".join([text, section.table(head, rows), "; ".join(verdicts) + ".", *ranges])


def own_ranges(new: Claims, told: totals.Told, draws: int) -> str:
    """How often the range that the product gives a single claim holds what came of it."""
    y, found = new.share[told.places], []
    for a, b in ((1, 2), (0, 3)):
        # An outcome and the end of a range may be the same payment, cut to a fen.
        hit = (y >= told.ranks[:, a] - 1e-6) & (y <= told.ranks[:, b] + 1e-6)
        found.append("{:.0%} [{:.0%}, {:.0%}]".format(
            *section.bootstrap(lambda x: float(x.mean()), hit.astype(float), draws=draws)
        ))  # fmt: skip
    return (
        f"{WHOLE}, ranges of single claims by the product itself, {len(y)} of them: {found[0]} lie in the 50 % "
        f"range, {found[1]} in the 90 %."
    )


def _as_totals(old: Claims, new: Claims) -> tuple[totals.Totals, totals.Totals, totals.Layout]:
    both = [totals.Totals(part.share, part.exposure, part.segment) for part in (old, new)]
    waits = [np.maximum(part.wait, 1).astype(int) for part in (old, new)]
    return both[0], both[1], totals.Layout(old.late, *waits, old.spread)


def _verdict(y: np.ndarray, guesses: dict[str, np.ndarray], ours: str, other: str) -> str:
    """Squared error of ours over the other's, less one, on the same claims."""

    def ratio(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
        return float(((a - b) ** 2).sum() / ((a - c) ** 2).sum() - 1)

    mid, low, high = section.bootstrap(ratio, y, guesses[ours], guesses[other], draws=100)
    word = "better" if high < 0 else "worse" if low > 0 else "not better, within chance"
    return f"{ours} against {other}: squared error {mid:+.1%} [{low:+.1%}, {high:+.1%}], {word}"


def segment_mean(old: Claims, new: Claims) -> np.ndarray:
    """Mean share of the segment; of all for a segment not seen."""
    size = int(max(old.segment.max(), new.segment.max())) + 1
    count = np.bincount(old.segment, minlength=size)
    total = np.bincount(old.segment, weights=old.share, minlength=size)
    return np.where(count > 0, total / np.maximum(count, 1), old.share.mean())[new.segment]


def credibility(old: Claims, new: Claims) -> np.ndarray:
    """Segments over periods of the learnt claims, believed as far as Bühlmann-Straub has them."""
    size = int(max(old.segment.max(), new.segment.max())) + 1
    edges = np.quantile(old.time, np.arange(1, PERIODS) / PERIODS)
    cell = old.segment * PERIODS + np.searchsorted(edges, old.time)
    weights = np.bincount(cell, minlength=size * PERIODS).astype(float)
    total = np.bincount(cell, weights=old.share, minlength=size * PERIODS)
    ratios = (total / np.maximum(weights, 1)).reshape(size, PERIODS)
    return buhlmann_straub(ratios, weights.reshape(size, PERIODS)).premium[new.segment]


def hurdle(old: Claims, new: Claims) -> np.ndarray:
    """Chance of any recovery times the share where there is one: two logits of `glm` on binned features."""
    edges = [np.unique(np.quantile(x, np.arange(1, BINS) / BINS)) for x in old.features.T]
    before, after = _cells(old, edges), _cells(new, edges)
    paid = (old.share > 0).astype(float)
    chance = _logit(before, after, paid, np.ones(len(paid)))
    if paid.min() == 1.0:
        chance = np.ones(len(new.share))
    return chance * _logit(before, after, old.share, paid)


def _cells(claims: Claims, edges: list[np.ndarray]) -> pl.DataFrame:
    coded = {
        f"x{k}": np.searchsorted(edge, claims.features[:, k], side="right")
        for k, edge in enumerate(edges)
    }
    return pl.DataFrame({"band": np.zeros(len(claims.share), dtype=np.int64), **coded})


def _logit(
    before: pl.DataFrame, after: pl.DataFrame, hits: np.ndarray, of: np.ndarray
) -> np.ndarray:
    """Fitted by `glm`, with a level for each bin that has enough on both sides."""
    if hits.sum() >= of.sum() - 1e-9:
        return np.ones(after.height)
    columns, names = {}, ["intercept"]
    for name in before.columns[1:]:
        level = before[name].to_numpy()
        hit, seen = np.bincount(level, hits, BINS), np.bincount(level, of, BINS)
        borne = (hit >= 2) & (seen - hit >= 2)
        borne[np.argmax(seen)] = False
        columns[name] = np.full(BINS, -1, dtype=np.int64)
        for place in np.flatnonzero(borne):
            columns[name][place] = len(names)
            names.append(f"{name}: {place}")
    design = glm.Design(np.ones((len(AGE_MIDDLE), 1)), columns, tuple(names))
    design = glm.told_apart(design, before, of)
    return glm.expit(glm.fit(before, design, hits=hits, of=of).predictor(after))


def boosting(old: Claims, new: Claims) -> np.ndarray:
    """Plain LightGBM on the same features."""
    import lightgbm

    params = {
        "verbose": -1,
        "num_threads": 1,
        "seed": 0,
        "deterministic": True,
        "learning_rate": 0.05,
    }
    found = lightgbm.train(params, lightgbm.Dataset(old.features, old.share), 100)
    return np.clip(np.asarray(found.predict(new.features)), 0.0, 1.0)


WHOLE = "Arrears: fit and forecast"
PLAIN = ("segment mean", "LightGBM")
METHODS: dict[str, Callable[[Claims, Claims], np.ndarray]] = {
    "segment mean": segment_mean,
    "Arrears: credibility": credibility,
    "Arrears: two logits": hurdle,
    "LightGBM": boosting,
}
CONTESTS = [
    (ours, other) for ours in ("Arrears: credibility", "Arrears: two logits") for other in PLAIN
]


def _scores(
    learnt: np.ndarray, known: np.ndarray, guess: np.ndarray, new: Claims, draws: int
) -> list[str]:
    """Cells of the table, each with its interval."""
    y, w = new.share, new.exposure
    edges = np.unique(np.quantile(known, np.arange(1, BANDS) / BANDS))
    old_band, band = np.searchsorted(edges, known), np.searchsorted(edges, guess)
    inside = []
    for level in (0.5, 0.9):
        ends = np.array([
            np.quantile(learnt[old_band == b] if (old_band == b).any() else learnt,
                        [(1 - level) / 2, (1 + level) / 2])
            for b in range(len(edges) + 1)
        ])  # fmt: skip
        inside.append(((y >= ends[band, 0]) & (y <= ends[band, 1])).astype(float))
    measures = [
        (lambda a, b, _: float(np.abs(a - b).mean()), (y, guess, w), ".3f"),
        (lambda a, b, _: float(((a - b) ** 2).mean() ** 0.5), (y, guess, w), ".3f"),
        (lambda a, b, c: float((b * c).sum() / (a * c).sum() - 1), (y, guess, w), "+.1%"),
        (lambda a, b, _: score.gap(a, b), (y, guess, w), ".3f"),
        (lambda a, b, _: score.rank(a, b), (y, guess, w), ".3f"),
        *((lambda a, *_: float(a.mean()), (hit, hit, w), ".0%") for hit in inside),
    ]
    found = [(section.bootstrap(f, *columns, draws=draws), form) for f, columns, form in measures]
    return [f"{m:{form}} [{low:{form}}, {high:{form}}]" for (m, low, high), form in found]


if __name__ == "__main__":
    section.run(main)
