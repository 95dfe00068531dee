"""Moves that depend on time in the state, age and the state before, against the plain chain (METHODS 2.1, 2 and 3)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from arrears.recovery.histories import kernels
from arrears.recovery.histories.chains import smoothed
from arrears.recovery.histories.kernels import BANDS, FIRST, LONGEST
from arrears.recovery.histories.paths import Paths
from arrears.recovery.histories.states import BAD, BUCKETS, STATES
from arrears.recovery.params import Floats, Ints

_FEWEST_MONTHS, _FEWEST_MOVES = 12, 100
_WINS_BY = 2.0


@dataclass(frozen=True)
class Contest:
    """The logit of one origin state against the chain, on moves that neither had seen.

    Attributes:
        state: where the loans were.
        moves: how many moves were foretold.
        chain, logit: mean surprise of a move, -log p; less is better. None where there was too little to judge.
        gain, se: by how much the logit is better on average, with its standard error.
        ships: which of them is used, and why.
    """

    state: str
    moves: int
    chain: float | None
    logit: float | None
    gain: float | None
    se: float | None
    ships: str
    why: str

    def as_dict(self) -> dict[str, object]:
        """The object of `history.json`."""
        return dict(self.__dict__)


def contest(paths: Paths) -> list[Contest]:
    """Fit both on the earlier months, foretell the last quarter of them, for each origin state.

    The logit is multinomial, with months in the state, age, product, state before and changed terms; it ships where it
    is better by more than two standard errors. Without scikit-learn (extra `fit`) the chain ships, and says so.
    """
    try:
        import sklearn  # noqa: F401
    except ImportError:
        return [_kept(name, "scikit-learn is not installed (extra fit)") for name in BUCKETS]
    if paths.months < _FEWEST_MONTHS:
        return [_kept(name, f"fewer than {_FEWEST_MONTHS} months") for name in BUCKETS]
    split = paths.months - 1 - max(paths.months // 4, 3)
    counts = _counted(paths, split)
    return [_judged(counts, origin) for origin in range(BAD + 1)]


def _kept(state: str, why: str, moves: int = 0) -> Contest:
    return Contest(state, moves, None, None, None, None, "chain", why)


def _counted(paths: Paths, split: int) -> Ints:
    """Moves by (period, origin, months in it, age band, product, state before, new terms, to)."""
    products = max(len(paths.products), 1)
    shape = (2, BAD + 1, LONGEST, len(BANDS) + 1, products, FIRST + 1, 2, len(STATES))
    counts = np.zeros(shape, dtype=np.int64)
    kernels.cells(
        (paths.first, paths.month, paths.state),
        (paths.ended, paths.product, paths.eased, paths.opened),
        (split, paths.months),
        counts,
    )
    return counts


def _judged(counts: Ints, origin: int) -> Contest:
    """Both fitted on the first period of one origin state, and scored on the second."""
    name = BUCKETS[origin]
    early, late = counts[0, origin], counts[1, origin]
    train, test = int(early.sum()), int(late.sum())
    if min(train, test) < _FEWEST_MOVES:
        return _kept(name, f"fewer than {_FEWEST_MOVES} moves to learn from or to judge by", test)
    cells = np.nonzero((early + late).any(axis=-1))
    seen = np.flatnonzero(early.sum(axis=tuple(range(early.ndim - 1))))
    if len(seen) < 2:
        return _kept(name, "the earlier months show only one move from here", test)
    rows, _ = smoothed(early.sum(axis=(0, 1, 3, 4))[:, None, :])
    plain = rows[cells[2], 0]
    modelled = _modelled(_features(cells, early.shape), early[cells], seen, plain=plain)
    weights = late[cells]
    gains = np.log(modelled) - np.log(plain)
    chain = -float((weights * np.log(plain)).sum()) / test
    gain = float((weights * gains).sum()) / test
    se = float(np.sqrt((weights * (gains - gain) ** 2).sum())) / test
    wins = gain > _WINS_BY * se and gain > 0.0
    why = "better out of time" if wins else "not better by two standard errors out of time"
    return Contest(name, test, chain, chain - gain, gain, se, "logit" if wins else "chain", why)


def _features(cells: tuple[Ints, ...], shape: tuple[int, ...]) -> Floats:
    """(c, f) of the cells: time in state, age, product, state before, new terms, all of the order of one."""
    duration, band, product, before, new = cells
    middle = np.array([0.0, *((a + b) / 24.0 for a, b in pairwise(BANDS)), 7.0])
    age = middle[band]
    columns = [
        np.log1p(duration),
        duration == 0,
        duration == LONGEST - 1,
        age,
        np.log1p(age),
        band == 0,
        new,
        *(product == k for k in range(1, shape[2])),
        *(before == k for k in range(shape[3] - 1)),
    ]
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


def _logit(features: Floats, counts: Ints, seen: Ints) -> Floats:
    """Chances (c, len(seen)) of a multinomial logit fitted to counts (c, S), with a light ridge."""
    from sklearn.linear_model import LogisticRegression

    x, y, w = [], [], []
    for place, to in enumerate(seen):
        mine = np.flatnonzero(counts[:, to])
        x.append(features[mine])
        y.append(np.full(len(mine), place))
        w.append(counts[mine, to])
    # Newton's steps: few features and moves, many cells; a tenth of the time of a quasi-Newton method.
    model = LogisticRegression(C=10.0, solver="newton-cholesky", max_iter=200, tol=1e-6)
    with warnings.catch_warnings():
        # Where a step cannot be solved it goes on by another method, and says so to nobody's use.
        warnings.simplefilter("ignore")
        model.fit(np.concatenate(x), np.concatenate(y), sample_weight=np.concatenate(w))
    found: Floats = model.predict_proba(features)
    return found


def _modelled(features: Floats, counts: Ints, seen: Ints, *, plain: Floats) -> Floats:
    """Chances (c, S): a move the logit has never seen keeps the chain's chance, the others share what is left."""
    found: Floats = plain.copy()
    if len(seen) < 2:
        return found
    found[:, seen] = _logit(features, counts, seen) * plain[:, seen].sum(axis=1, keepdims=True)
    return found


def next_month(paths: Paths, contests: list[Contest], *, learnt: Paths | None = None) -> Floats:
    """Chances (L, S) of where each loan is a month after its last row, by what ships for its state.

    Fitted on all months, or on those of `learnt`, which names the same products. NaN where the last row says no bucket.
    """
    source = learnt or paths
    counts = _counted(source, source.months)[0]
    here = np.zeros((len(paths.first) - 1, 6), dtype=np.int64)
    kernels.last(
        (paths.first, paths.month, paths.state),
        (paths.product, paths.eased, paths.opened),
        paths.months,
        here,
    )
    chances: Floats = np.full((len(here), len(STATES)), np.nan)
    for origin in range(BAD + 1):
        mine = np.flatnonzero(here[:, 0] == origin)
        if not len(mine):
            continue
        now = tuple(here[mine, column] for column in range(1, 6))
        rows, _ = smoothed(counts[origin].sum(axis=(0, 1, 3, 4))[:, None, :])
        chances[mine] = rows[now[2], 0]
        if contests[origin].ships == "logit":
            chances[mine] = _applied(counts[origin], now, rows)
    return chances


def _applied(counts: Ints, now: tuple[Ints, ...], rows: Floats) -> Floats:
    """Chances (k, S) of loans in cells `now` by the logit fitted on all cells with moves."""
    learnt = np.nonzero(counts.any(axis=-1))
    cells = tuple(np.concatenate(pair) for pair in zip(learnt, now, strict=True))
    known = np.zeros((len(cells[0]), counts.shape[-1]), dtype=np.int64)
    known[: len(learnt[0])] = counts[learnt]
    seen = np.flatnonzero(known.sum(axis=0))
    features = _features(cells, (*counts.shape[:-1], counts.shape[-1]))
    found = _modelled(features, known, seen, plain=rows[cells[2], 0])
    last: Floats = found[len(learnt[0]) :]
    return last
