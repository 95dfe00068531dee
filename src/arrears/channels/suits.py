"""What cases bring by the holder's own suits, beside what the market's figures say of the same loans and months.

A loan that was sued and paid might have paid anyway: what it paid is set against loans alike that were not sued. What
one holder has seen is then believed as far as its numbers carry (METHODS 1.4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from arrears.channels.litigate import added, typical
from arrears.channels.situation import Floats, Situation
from arrears.core.blocks import blocks
from arrears.core.records import picked
from arrears.recovery.collateral import collateral
from arrears.recovery.fitting.person_period import History, history
from arrears.recovery.params import Ints

_MOST, _CHUNK = 50_000, 50_000
_LEAST = 50
_AGES = (6, 12, 24, 60)


@dataclass(frozen=True)
class Suits:
    """What was learnt of suits.

    Attributes:
        bring: what cases add, over the market's figure and within its range: 1 where nothing is known.
        suits, months: loans sued past day 91, and the months seen since.
        seen, market: mean share of the debt at filing that they added so far, and that the market's figures say.
        se: of `seen`; credibility: weight of the own figure.
    """

    bring: float = 1.0
    suits: int = 0
    months: int = 0
    seen: float | None = None
    market: float | None = None
    se: float | None = None
    credibility: float = 0.0


@dataclass(frozen=True)
class _Cases:
    """Loans that were sued: their rows in the table, ages at filing, months seen since, shares of the debt that the
    case added (c,).
    """

    row: Ints
    age: Ints
    months: Ints
    added: Floats


def learn_suits(
    situation: Situation,
    loans: pl.DataFrame,
    payments: pl.DataFrame | None,
    months: pl.DataFrame | None,
) -> Suits:
    """Compare the cash of unsecured loans that were sued with that of loans alike, and with the market's figures.

    Args:
        situation: of the loans that owe anything.
        loans: all of the tape, the closed ones too; a suit shows in the situation's events.
    """
    events = situation.events
    sued = set() if events is None else set(events.filter(kind="filed")["loan_id"])
    if len(sued) < _LEAST or (payments is None and months is None):
        return Suits()
    kept = _some(loans, sued)
    past = history(
        loans[kept], as_of=situation.as_of, payments=payments, months=months, events=events
    )
    cases = _cases(past)
    unsecured = (loans["security"].fill_null("none")[kept][cases.row] == "none").to_numpy()
    cases = picked(cases, unsecured)
    if len(cases.row) < _LEAST:
        return Suits()
    return _believed(cases, _told(situation, loans[kept[cases.row]], cases), situation)


def _some(loans: pl.DataFrame, sued: set[str]) -> Ints:
    """Rows of the loans that were sued, and of some that were not."""
    mine = loans["loan_id"].is_in(list(sued)).to_numpy()
    others = np.flatnonzero(~mine)
    rows: Ints = np.sort(
        np.concatenate([np.flatnonzero(mine), others[:: -(-len(others) // _MOST) or 1]])
    )
    return rows


def _cases(past: History) -> _Cases:
    """What the loans that were sued paid since, over what loans alike that were not would have."""
    parts = [past.walk(part.start, part.stop) for part in blocks(len(past.claim), _CHUNK)]
    loan, month, age, share, last = (
        np.concatenate([part[name] for part in parts])
        for name in ("loan", "month", "age", "share", "last")
    )
    filed = past.filed[loan]
    band = np.searchsorted(_AGES, age, side="right")
    contact = past.static["contact_status"][loan].astype(np.int64)
    # A suit older than the history shows only a part of what it brought.
    since = (filed >= past.begin) & (month > filed)
    row, first = np.unique(loan[since], return_index=True)
    ends = np.append(first[1:], since.sum())
    # Loans alike are those that had paid as lately when the suit was filed.
    last = last.astype(np.int64)
    last[since] = np.repeat(last[since][first], ends - first)
    cell = past.static["product"][loan].astype(np.int64) * 4 + contact
    cell = (cell * 4 + last) * (1 + len(_AGES)) + band
    free = filed < 0
    size = int(cell.max(initial=0)) + 1
    count = np.bincount(cell[free], minlength=size)
    mean = float(share[free].mean()) if free.any() else 0.0
    usual = (np.bincount(cell[free], weights=share[free], minlength=size) + mean) / (count + 1.0)
    keeps = np.log1p(-np.minimum(share[since], 1.0 - 1e-9))
    would = np.log1p(-usual[cell[since]])
    own, other = (
        np.add.reduceat(values, first) if len(first) else values for values in (keeps, would)
    )
    return _Cases(
        row=row.astype(np.int64),
        age=age[since][first].astype(np.int64),
        months=(ends - first).astype(np.int64),
        added=np.exp(other) - np.exp(own),
    )


def _told(situation: Situation, loans: pl.DataFrame, cases: _Cases) -> Floats:
    """Share of the debt that the market's figures say the case has added in the months seen (c,)."""
    count, furthest = len(cases.row), int(cases.months.max())
    ones = np.ones(count)
    fresh = loans.with_columns(legal_status=pl.lit("not_sued"))
    alike = typical(situation)
    score = fresh["product"].replace_strict(alike, default=0.0, return_dtype=pl.Float64).to_numpy()
    then = replace(
        situation.forecast,
        age=cases.age,
        score=score,
        found=score,
        claim=ones,
        collateral=collateral(fresh, ones, as_of=situation.as_of, market=situation.market),
    )
    there = replace(situation, loans=fresh, forecast=then, _once={"typical": alike}, _sold={})
    width = len(situation.forecast.params.odds)
    weights = (np.arange(1, width + 1)[None, :] <= np.arange(1, furthest + 1)[:, None]).astype(
        float
    )
    sums = added(there, weights, np.arange(count), [(cases.age, ones)])[0]
    found: Floats = sums[np.arange(count), cases.months - 1]
    return found


def _believed(cases: _Cases, told: Floats, situation: Situation) -> Suits:
    """The own ratio to the market's figures, as far as it is credible."""
    seen, market = float(cases.added.mean()), float(told.mean())
    se = float(cases.added.std(ddof=1) / np.sqrt(len(told)))
    if market <= 0.0:
        return Suits()
    low, high, usual = _range(situation)
    spread = (high - low) / 4.0 / usual
    z = spread**2 / (spread**2 + (se / market) ** 2)
    # Whom a holder sues is no lottery: past the market's range its own figure is not believed.
    bring = float(np.clip(1.0 + z * (seen / market - 1.0), low / usual, high / usual))
    return Suits(bring, len(told), int(cases.months.sum()), seen, market, se, z)


def _range(situation: Situation) -> tuple[float, float, float]:
    """The chance that there is something to take: lowest, highest and usual of the market book."""
    path, day = "courts/takeable", situation.as_of
    usual = situation.market.numbers(path, day)["unknown"]
    low, high = situation.market.entry(path, day).range or (usual, usual)
    return low, high, usual
