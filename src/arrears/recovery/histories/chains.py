"""The chain of a book: monthly moves by product, thin rows drawn towards the book's, and where it leads."""

from __future__ import annotations

import numpy as np
import polars as pl
import scipy

from arrears.recovery.aalen_johansen import from_moves
from arrears.recovery.histories.moves import Moves
from arrears.recovery.histories.paths import Paths
from arrears.recovery.histories.states import BAD, BUCKETS, STATES, WRITTEN_OFF
from arrears.recovery.markov import absorbed
from arrears.recovery.params import Floats, Ints

# What a state with no move at all is drawn towards: half a move over all states (Jeffreys).
_HALF = 0.5
_STRENGTHS = (1e-1, 1e6)
_PARTS = 2


def smoothed(n: Ints) -> tuple[Floats, Floats]:
    """Rows of chances from counts (P, b, S) of P products, each drawn towards the row of all (Dirichlet prior).

    p = (n + k m) / (N + k): m is the row of all products, k the strength at which their counts are most likely
    (Dirichlet-multinomial, each row of states by itself).

    Returns:
        Chances (P, b, S), and the strengths k (b,).
    """
    whole = n.sum(axis=0)
    mean = (whole + _HALF / n.shape[-1]) / (whole.sum(axis=-1, keepdims=True) + _HALF)
    strength = np.array([_strength(n[:, row], mean[row]) for row in range(n.shape[1])])
    k = strength[:, None]
    p: Floats = (n + k * mean) / (n.sum(axis=-1, keepdims=True) + k)
    return p, strength


def _strength(n: Ints, mean: Floats) -> float:
    seen = n[n.sum(axis=-1) > 0]
    if len(seen) < _PARTS:
        return 1.0

    def unlikely(log_k: float) -> float:
        k = np.exp(log_k)
        whole = scipy.special.gammaln(k) - scipy.special.gammaln(k + seen.sum(axis=-1))
        parts = scipy.special.gammaln(seen + k * mean) - scipy.special.gammaln(k * mean)
        return -float(whole.sum() + parts.sum())

    low, high = np.log(_STRENGTHS)
    found = scipy.optimize.minimize_scalar(unlikely, bounds=(low, high), method="bounded")
    return float(np.exp(found.x))


def whole_chain(rows: Floats) -> Floats:
    """A square chain (S, S) from the rows of states that can still move (b, S); ends stay where they are."""
    chain: Floats = np.eye(rows.shape[-1])
    chain[: len(rows)] = rows
    return chain


def table(moves: Moves, paths: Paths) -> pl.DataFrame:
    """The chain of each product over all months: `product, from, to, n, share?, p`, `p` being smoothed."""
    n = moves.n.sum(axis=(0, 2))[: len(paths.products), : BAD + 1]
    p, _ = smoothed(n)
    risk = n.sum(axis=-1, keepdims=True)
    share = np.divide(n, risk, out=np.full(n.shape, np.nan), where=risk > 0)
    product, start, end = (part.ravel() for part in np.indices(n.shape))
    return pl.DataFrame(
        {
            "product": [paths.products[k] for k in product],
            "from": [STATES[k] for k in start],
            "to": [STATES[k] for k in end],
            "n": n.ravel(),
            "share": share.ravel(),
            "p": p.ravel(),
        }
    ).with_columns(pl.col("share").fill_nan(None))


def outlook(moves: Moves, *, months: int = 12) -> pl.DataFrame:
    """How likely a loan is past 90 days at some time, or written off: `from, horizon, chain, observed?, se?`.

    `chain`: the smoothed chain of all products, by its powers; in the row whose horizon is null, by its fundamental
    matrix. `observed`: the Aalen-Johansen estimate over the last `months` moves, which needs no chain.
    """
    kinds = {
        "from": pl.String, "horizon": pl.Int64, "chain": pl.Float64, "observed": pl.Float64, "se": pl.Float64,
    }  # fmt: skip
    n = moves.n.sum(axis=(1, 2))
    if not n.any():
        return pl.DataFrame(schema=kinds)
    rows, _ = smoothed(n.sum(axis=0)[None, : BAD + 1])
    chain = whole_chain(rows[0])
    chain[BAD] = np.eye(len(chain))[BAD]
    fate = absorbed(chain, absorbing=range(BAD, len(chain)))
    last = n[n.any(axis=(1, 2))][-months:].astype(np.float64)
    last[..., BAD] += last[..., WRITTEN_OFF]
    last[..., WRITTEN_OFF] = 0.0
    last[:, BAD:] = 0.0
    seen = from_moves(last)
    bad = [BAD, WRITTEN_OFF]
    ahead = np.linalg.matrix_power(chain, len(last))
    in_the_end = fate.ends[:, [place - BAD for place in bad]].sum(axis=-1)
    parts = []
    for state in range(BAD):
        name = BUCKETS[state]
        parts += [
            (
                name,
                len(last),
                float(ahead[state, bad].sum()),
                float(seen.chance[-1, state, BAD]),
                float(seen.se[-1, state, BAD]),
            ),
            (name, None, float(in_the_end[state]), None, None),
        ]
    return pl.DataFrame(parts, schema=kinds, orient="row")
