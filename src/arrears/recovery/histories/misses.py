"""The chance that a loan's next payment is missed, and that it reaches day 91."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from arrears.recovery.histories.chains import smoothed, whole_chain
from arrears.recovery.histories.moves import count
from arrears.recovery.histories.paths import Paths, paths
from arrears.recovery.histories.semi_markov import contest, next_month
from arrears.recovery.histories.states import BAD, bucket
from arrears.recovery.markov import absorbed
from arrears.recovery.params import Floats, Ints
from arrears.rules import MarketBook

# Loan-months of a bucket after which the tape weighs as much as the market's figure.
_WEIGHT = 50.0


@dataclass(frozen=True)
class Ahead:
    """What a month ahead may bring.

    Attributes:
        miss: chance that each loan's next payment is missed (n,).
        reach: chance of passing day 90 before being current again, by bucket (5,).
        loan_months: moves of the tape that both were learnt from; the market's figures weigh as much as 50 a bucket.
    """

    miss: Floats
    reach: Floats
    loan_months: int


def ahead(
    loans: pl.DataFrame,
    months: pl.DataFrame | None,
    *,
    market: MarketBook,
    as_of: date,
    **more: pl.DataFrame | None,
) -> Ahead:
    """Chance that each loan's next payment is missed, being in a worse bucket a month later, and what a miss leads to.

    By what ships for its bucket (semi-Markov logit or chain by product, METHODS 2.1), from its own months up to the
    cut-off date; the market's figure for the bucket weighs as much as 50 loan-months. Loans whose months end early, or
    end in another bucket than the loan is in, take the bucket's mean.

    Args:
        more: `events`, `payments`.
    """
    table = np.array(market.table("recovery/miss_next", as_of))
    prior = np.append(table[:, 1], table[-1, 1])
    passes = chance_of_default(np.array([0.0, 30.0, 60.0, 90.0, 91.0]), market, as_of)
    here = loans.select(at=bucket(pl.col("days_past_due")))["at"].to_numpy()
    if months is None or months.is_empty() or months["days_past_due"].null_count() == months.height:
        return Ahead(prior[here], passes, 0)
    known = paths(months, loans, as_of=as_of, **more)
    moved = count(known).n.sum(axis=(0, 1, 2))[: BAD + 1]
    seen = moved.sum(axis=1)
    worse = np.array([moved[at, at + 1 : BAD + 1].sum() for at in range(BAD + 1)])
    mean = (worse + _WEIGHT * prior) / (seen + _WEIGHT)
    chances: Floats = mean[here]
    place, at, own = _own(loans, known)
    fits = at == here[place]
    place, at, own = place[fits], at[fits], own[fits]
    chances[place] = (seen[at] * own + _WEIGHT * prior[at]) / (seen[at] + _WEIGHT)
    reach = (seen * _reaching(moved) + _WEIGHT * passes) / (seen + _WEIGHT)
    reach[0], reach[BAD] = 0.0, 1.0
    return Ahead(chances, reach, int(seen.sum()))


def _reaching(moved: Ints) -> Floats:
    """Chance of passing day 90 before being current again or ended, by bucket (5,), by the chain of the moves."""
    chain = whole_chain(smoothed(moved[None])[0][0])
    ends = [0, *range(BAD, len(chain))]
    chain[ends] = np.eye(len(chain))[ends]
    found: Floats = np.zeros(BAD + 1)
    found[1:BAD] = absorbed(chain, absorbing=ends).ends[:, 1]
    return found


def _own(loans: pl.DataFrame, known: Paths) -> tuple[Ints, Ints, Floats]:
    """Of loans whose months reach the cut-off: their place among the loans, last bucket, chance of a worse one."""
    chances = next_month(known, contest(known))
    last = known.first[1:] - 1
    at = known.state[last].astype(np.int64)
    place = pl.DataFrame({"loan_id": known.loan_id}).join(
        loans.select("loan_id").with_row_index("place"),
        on="loan_id",
        how="left",
        maintain_order="left",
    )["place"]
    recent = (known.month[last] >= known.months - 2) & (at >= 0) & (at <= BAD)
    kept = recent & place.is_not_null().to_numpy()
    beyond = np.arange(chances.shape[1])[None, :]
    worse = np.where((beyond > at[:, None]) & (beyond <= BAD), chances, 0.0).sum(axis=1)
    return place.fill_null(0).to_numpy().astype(np.int64)[kept], at[kept], worse[kept]


def chance_of_default(days: Floats, market: MarketBook, as_of: date) -> Floats:
    """Chance of reaching day 91 from days past due (n,); 1 past day 90."""
    table = np.array(market.table("recovery/roll_91", as_of))
    place = np.searchsorted(table[:, 0], days, side="left")
    known: Floats = np.append(table[:, 1], 1.0)[place]
    return known
