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
    parts = [part.sum(axis=2) for part in (moves.n, moves.owed, moves.square)]
    at = np.nonzero(parts[0])
    month, product, start, end = at
    keys = {
        "month": _months(paths, month),
        "product": _words(paths.products, product),
        "from": _words(STATES, start),
        "to": _words(STATES, end),
    }
    return _rates(parts, at, keys)


def flows(moves: Moves, paths: Paths) -> pl.DataFrame:
    """Flow into bad standing: of loans up to 90 days past due, the share that is past 90 or written off a month later.

    Returns:
        `month, product, new_terms, at_risk, owed, n, p, se, p_balance?, se_balance?`; `owed` is the balance at risk,
        fen. Loans whose terms were changed are told apart (METHODS 2.1, 4).
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
            "owed": owed.sum(axis=(-2, -1))[at],
            "n": fell[at],
            "p": p,
            "se": se,
            "p_balance": q,
            "se_balance": error,
        }
    ).with_columns(pl.col("p_balance", "se_balance").fill_nan(None))


def vintages(paths: Paths) -> pl.DataFrame:
    """Share of each origination year that was ever past 90 days by each age, by number and by balance.

    By the Aalen-Johansen estimator, paying off being the other end: loans that are seen late or lost from sight count
    as long as they are seen.

    Returns:
        `vintage, age_months, loans, ever_90, se, ever_90_balance?, se_balance?`; `loans` are those at risk at that age.
    """
    years = (np.where(paths.opened < paths.months, paths.opened, 0) + _origin(paths)) // 12
    low = int(years.min(initial=0))
    ages = int(np.max(paths.month[paths.first[1:] - 1] - paths.opened, initial=0)) + 2
    spread = int(years.max(initial=low)) - low + 1
    sums = _empty(spread, max(ages, 1))
    kernels.ages(
        (paths.first, paths.month, paths.state, paths.balance),
        (paths.ended, paths.opened, (years - low).astype(np.int64)),
        paths.months,
        sums,
    )
    parts = [
        _curve(tuple(part[place] for part in sums), {"vintage": low + place})
        for place in range(spread)
        if sums[0][place].any()
    ]
    named = {
        "months": "age_months", "at_risk": "loans", "share": "ever_90", "share_balance": "ever_90_balance",
    }  # fmt: skip
    counts_of = ("vintage", "age_months", "loans")
    shares = ("ever_90", "se", "ever_90_balance", "se_balance")
    empty = dict.fromkeys(counts_of, pl.Int64) | dict.fromkeys(shares, pl.Float64)
    table = pl.concat(parts).rename(named).drop("events") if parts else pl.DataFrame(schema=empty)
    return table.select(pl.col(name).cast(kind) for name, kind in empty.items())


def cures(paths: Paths) -> pl.DataFrame:
    """What happens after a loan has gone bad, after it was cured, and after its terms were changed.

    `what, product, months, at_risk, events, share, se, share_balance?, se_balance?`: the share by so many months
    after, by number and by balance, by the Aalen-Johansen estimator. `cure`: current again, since day 91; `relapse`:
    past 90 days again, since the cure; `bad after new terms`: past 90 days or written off, since the terms were
    changed. Only beginnings that the months show count; the other end is to be paid, written off or sold. The rows of
    product `all` are of all together.
    """
    products = max(len(paths.products), 1)
    sums = _empty(len(SINCE) * products, _CLOCK)
    kernels.clocks(
        (paths.first, paths.month, paths.state, paths.balance),
        (paths.ended, paths.product, paths.eased),
        sums,
        products,
    )
    parts = []
    for place, what in enumerate(SINCE):
        mine = [part[place * products : (place + 1) * products] for part in sums]
        kinds = [(_ALL, tuple(part.sum(axis=0) for part in mine))]
        kinds += [(name, tuple(part[k] for part in mine)) for k, name in enumerate(paths.products)]
        parts += [
            _curve(cells, {"what": what, "product": name})
            for name, cells in kinds
            if cells[0].any()
        ]
    empty = {
        "what": pl.String, "product": pl.String, "months": pl.Int64, "at_risk": pl.Int64, "events": pl.Int64,
        "share": pl.Float64, "se": pl.Float64, "share_balance": pl.Float64, "se_balance": pl.Float64,
    }  # fmt: skip
    return pl.concat(parts) if parts else pl.DataFrame(schema=empty)


def _empty(groups: int, times: int) -> tuple[Ints, Floats, Floats]:
    shape = (groups, times, 3)
    return np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape)


def _curve(sums: tuple[np.ndarray, ...], keys: dict[str, object]) -> pl.DataFrame:
    """Counts, balances and their squares by months (T, 3): of those that stay, that meet the event, that end otherwise.

    By balance a month weighs as many loans as would be as uncertain: (sum of balances)^2 / sum of their squares.
    """
    shown = np.flatnonzero(sums[0].sum(axis=1))
    counts, owed, square = (part[shown] for part in sums)
    whole, squares = owed.sum(axis=1), square.sum(axis=1)
    each = np.divide(whole, squares, out=np.zeros(len(shown)), where=squares > 0)
    curves = [_chances(counts.astype(np.float64)), _chances(owed * each[:, None])]
    told = bool((whole > 0).all())
    table = {
        **{name: [key] * len(shown) for name, key in keys.items()},
        "months": shown.astype(np.int64) + 1,
        "at_risk": counts.sum(axis=1),
        "events": counts[:, 1],
        "share": curves[0][0],
        "se": curves[0][1],
        "share_balance": curves[1][0] if told else [None] * len(shown),
        "se_balance": curves[1][1] if told else [None] * len(shown),
    }
    return pl.DataFrame(
        table, schema_overrides=dict.fromkeys(("share_balance", "se_balance"), pl.Float64)
    )


def _chances(outcomes: Floats) -> tuple[Floats, Floats]:
    """Chance of the event by each month, and its standard error (T,)."""
    moves = np.zeros((len(outcomes), 3, 3))
    moves[:, 0, :] = outcomes
    curves = from_moves(moves)
    return curves.chance[:, 0, 1], curves.se[:, 0, 1]


def pooled(moves: Moves) -> pl.DataFrame:
    """Roll rates over all months and products: `from, to, n, p, se, p_balance?, se_balance?`."""
    parts = [part.sum(axis=(0, 1, 2)) for part in (moves.n, moves.owed, moves.square)]
    at = np.nonzero(parts[0])
    return _rates(parts, at, {"from": _words(STATES, at[0]), "to": _words(STATES, at[1])})


def _rates(
    parts: list[np.ndarray], at: tuple[np.ndarray, ...], keys: dict[str, pl.Series]
) -> pl.DataFrame:
    """Shares of the cells `at` in their rows, by number and by balance."""
    n, owed, square = parts
    p, se = _share(n[at], n.sum(axis=-1)[at[:-1]])
    q, error = _weighed(
        owed[at].astype(np.float64), square[at],
        whole=owed.sum(axis=-1)[at[:-1]].astype(np.float64), squares=square.sum(axis=-1)[at[:-1]],
    )  # fmt: skip
    cells = {"n": n[at], "p": p, "se": se, "p_balance": q, "se_balance": error}
    return pl.DataFrame(keys | cells).with_columns(pl.col("p_balance", "se_balance").fill_nan(None))


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
