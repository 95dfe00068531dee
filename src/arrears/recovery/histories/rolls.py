"""Roll rates, flows into bad standing, vintages, cures and relapses, from the paths of the loans (METHODS 2.1)."""

from __future__ import annotations

import numpy as np
import polars as pl

from arrears.recovery.aalen_johansen import from_moves
from arrears.recovery.histories import kernels
from arrears.recovery.histories.moves import Moves
from arrears.recovery.histories.paths import Paths
from arrears.recovery.histories.states import BAD, STATES, WRITTEN_OFF
from arrears.recovery.params import Floats, Ints

CURE, RELAPSE, AFTER_NEW_TERMS = "cure", "relapse", "bad after new terms"
SINCE = (CURE, RELAPSE, AFTER_NEW_TERMS)
# Months after which a loan's own clock is not followed any further.
_CLOCK = 60
_ALL = "all"


def roll_rates(moves: Moves, paths: Paths) -> pl.DataFrame:
    """Cohort roll rates with standard errors: `month, product, from, to, n, p, se, p_balance?, se_balance?`.

    Of the loans in a state in a month, the share that is in another the month after: by number, the error that of a
    multinomial; by balance, the error that of a ratio of sums. Only moves that took place have a row.
    """
    n, owed, square = (part.sum(axis=2) for part in (moves.n, moves.owed, moves.square))
    month, product, start, end = np.nonzero(n)
    at = (month, product, start, end)
    p, se = _share(n[at], n.sum(axis=-1)[at[:-1]])
    q, error = _weighed(
        owed[at].astype(np.float64), square[at],
        whole=owed.sum(axis=-1)[at[:-1]].astype(np.float64), squares=square.sum(axis=-1)[at[:-1]],
    )  # fmt: skip
    return pl.DataFrame(
        {
            "month": _months(paths, month),
            "product": _words(paths.products, product),
            "from": _words(STATES, start),
            "to": _words(STATES, end),
            "n": n[at],
            "p": p,
            "se": se,
            "p_balance": q,
            "se_balance": error,
        }
    ).with_columns(pl.col("p_balance", "se_balance").fill_nan(None))


def flows(moves: Moves, paths: Paths) -> pl.DataFrame:
    """Flow into bad standing: of loans up to 90 days past due, the share that is past 90 or written off a month later.

    Returns:
        `month, product, new_terms, at_risk, n, p, se, p_balance?, se_balance?`; loans whose terms were changed are
        told apart (METHODS 2.1, 4).
    """
    bad = [BAD, WRITTEN_OFF]
    n, owed, square = (part[..., :BAD, :] for part in (moves.n, moves.owed, moves.square))
    risk, fell = n.sum(axis=(-2, -1)), n[..., bad].sum(axis=(-2, -1))
    at = np.nonzero(risk)
    p, se = _share(fell[at], risk[at])
    q, error = _weighed(
        owed[..., bad].sum(axis=(-2, -1))[at].astype(np.float64), square[..., bad].sum(axis=(-2, -1))[at],
        whole=owed.sum(axis=(-2, -1))[at].astype(np.float64), squares=square.sum(axis=(-2, -1))[at],
    )  # fmt: skip
    return pl.DataFrame(
        {
            "month": _months(paths, at[0]),
            "product": _words(paths.products, at[1]),
            "new_terms": at[2] == 1,
            "at_risk": risk[at],
            "n": fell[at],
            "p": p,
            "se": se,
            "p_balance": q,
            "se_balance": error,
        }
    ).with_columns(pl.col("p_balance", "se_balance").fill_nan(None))


def vintages(paths: Paths) -> pl.DataFrame:
    """Share of each origination year that was ever past 90 days by each age: `vintage, age_months, loans, ever_90, se`.

    By the Aalen-Johansen estimator, paying off being the other end: loans that are seen late or lost from sight count
    as long as they are seen. `loans` are those at risk at that age.
    """
    years = (np.where(paths.opened < paths.months, paths.opened, 0) + _origin(paths)) // 12
    low = int(years.min(initial=0))
    ages = int(np.max(paths.month[paths.first[1:] - 1] - paths.opened, initial=0)) + 2
    spread = int(years.max(initial=low)) - low + 1
    counts = np.zeros((spread, max(ages, 1), 3), dtype=np.int64)
    kernels.ages(
        (paths.first, paths.month, paths.state),
        (paths.ended, paths.opened, (years - low).astype(np.int64)),
        paths.months,
        counts,
    )
    parts = [
        _curve(counts[place], {"vintage": low + place})
        for place in range(spread)
        if counts[place].any()
    ]
    named = {"months": "age_months", "at_risk": "loans", "share": "ever_90"}
    counts_of, shares = ("vintage", "age_months", "loans"), ("ever_90", "se")
    empty = dict.fromkeys(counts_of, pl.Int64) | dict.fromkeys(shares, pl.Float64)
    table = pl.concat(parts).rename(named).drop("events") if parts else pl.DataFrame(schema=empty)
    return table.select(pl.col(name).cast(kind) for name, kind in empty.items())


def cures(paths: Paths) -> pl.DataFrame:
    """What happens after a loan has gone bad, after it was cured, and after its terms were changed.

    `what, product, months, at_risk, events, share, se`: the share by so many months after, by the Aalen-Johansen
    estimator. `cure`: current again, since day 91; `relapse`: past 90 days again, since the cure; `bad after new
    terms`: past 90 days or written off, since the terms were changed. Only beginnings that the months show count; the
    other end is to be paid, written off or sold. The rows of product `all` are of all together.
    """
    counts = np.zeros((len(SINCE), max(len(paths.products), 1), _CLOCK, 3), dtype=np.int64)
    kernels.clocks(
        (paths.first, paths.month, paths.state), (paths.ended, paths.product, paths.eased), counts
    )
    parts = []
    for place, what in enumerate(SINCE):
        kinds = [
            (_ALL, counts[place].sum(axis=0)),
            *zip(paths.products, counts[place], strict=False),
        ]
        parts += [
            _curve(mine, {"what": what, "product": product})
            for product, mine in kinds
            if mine.any()
        ]
    empty = {
        "what": pl.String, "product": pl.String, "months": pl.Int64, "at_risk": pl.Int64, "events": pl.Int64,
        "share": pl.Float64, "se": pl.Float64,
    }  # fmt: skip
    return pl.concat(parts) if parts else pl.DataFrame(schema=empty)


def _curve(counts: Ints, keys: dict[str, object]) -> pl.DataFrame:
    """Counts by months (T, 3), of those that stay, that meet the event, that end otherwise, as a curve of the event."""
    risk = counts.sum(axis=1)
    shown = np.flatnonzero(risk)
    moves = np.zeros((len(shown), 3, 3))
    moves[:, 0, :] = counts[shown]
    curves = from_moves(moves)
    table = {
        **{name: [key] * len(shown) for name, key in keys.items()},
        "months": shown.astype(np.int64) + 1,
        "at_risk": risk[shown],
        "events": counts[shown, 1],
        "share": curves.chance[:, 0, 1],
        "se": curves.se[:, 0, 1],
    }
    return pl.DataFrame(table)


def _share(part: Ints, whole: Ints) -> tuple[Floats, Floats]:
    p: Floats = part / whole
    se: Floats = np.sqrt(p * (1.0 - p) / whole)
    return p, se


def _weighed(
    part: Floats, square: Floats, *, whole: Floats, squares: Floats
) -> tuple[Floats, Floats]:
    """A share of balances and its standard error: a ratio of sums, the loans drawn independently."""
    with np.errstate(invalid="ignore", divide="ignore"):
        q: Floats = part / whole
        spread = square * (1.0 - q) ** 2 + (squares - square) * q**2
        error: Floats = np.sqrt(spread) / whole
    return q, error


def _months(paths: Paths, places: Ints) -> pl.Series:
    days = pl.Series([paths.month_of(k) for k in range(paths.months)], dtype=pl.Date)
    return days.gather(places.astype(np.uint32))


def _words(words: tuple[str, ...], places: Ints) -> pl.Series:
    return pl.Series(list(words), dtype=pl.String).gather(places.astype(np.uint32))


def _origin(paths: Paths) -> int:
    return paths.begin.year * 12 + paths.begin.month - 1
