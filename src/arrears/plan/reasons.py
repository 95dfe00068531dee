"""Why each loan goes its way, in a sentence that a banker understands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels import CHANNELS, COLUMNS, STARTS, Offers
from arrears.plan.capacities import Capacity, uses_of
from arrears.plan.kernels import Floats, Ints
from arrears.plan.limit_names import limit_name
from arrears.plan.packages import numbered

_WAYS = {
    "collect": "Collect",
    "restructure": "Offer new terms",
    "litigate": "Sue",
    "transfer": "Sell in bulk",
    "securitise": "Securitise",
    "income_rights": "Sell the income rights",
}
_REGRET = 1.0


def reasons(
    frame: pl.DataFrame,
    behind: Floats,
    *,
    offers: Offers,
    best: Ints,
    column: Ints,
    capacities: Sequence[Capacity],
    prices: Floats,
    switch: Floats,
) -> pl.Series:
    """The sentence of each loan (n,): its way and worth, the best other way, and what bars a better one.

    Args:
        frame: `plan.parquet` so far.
        behind: worth of the best other way (n,), where one is open.
        best, column: offer that is worth most, and the one taken (n,); prices: fen a unit of each capacity, below 0
            where a floor presses.
        switch: what leaving the way of the plan before costs by offer, fen (n, 18) or (1, 18).
    """
    way = pl.col("channel").replace_strict(_WAYS)
    at_ease = ~offers.situation.overdue & (frame["channel"] == "collect").to_numpy()
    # Of equal worth to the yuan no limit need be named.
    kept = np.flatnonzero(~at_ease & (frame["regret"].to_numpy() > _REGRET))
    bars = _bars(frame["regret"].gather(kept), best[kept])
    leaving = left_behind(switch, kept, best[kept]) - left_behind(switch, kept, column[kept])
    why = _because(
        offers,
        kept,
        best[kept],
        column[kept],
        capacities=capacities,
        prices=prices,
        left=frame["regret"].to_numpy()[kept] - leaving,
        leaving=leaving,
        otherwise=_otherwise(offers, kept, best[kept], column),
    )
    place = np.zeros(len(column), np.uint32)
    place[kept] = np.arange(1, len(kept) + 1)
    told = frame.with_columns(
        ahead=pl.when(pl.col("runner_up").is_not_null()).then(pl.col("value") - pl.Series(behind)),
        kept=pl.concat([pl.Series([""]), bars + why]).gather(place),
    )
    compared = (
        pl.when(pl.col("runner_up").is_null())
        .then(pl.lit("no other way is open"))
        .otherwise(
            pl.format(
                "{} yuan {} than {}",
                _yuan(pl.col("ahead").abs()),
                pl.when(pl.col("ahead") > -50).then(pl.lit("more")).otherwise(pl.lit("less")),
                pl.col("runner_up").str.replace_all("_", " "),
            )
        )
    )
    body = (
        pl.when(pl.Series(at_ease))
        .then(pl.lit("Pays as agreed"))
        .otherwise(way + _when(pl.col("start_month")))
    )
    sentence = pl.format(
        "{}: worth {} yuan, {}{}.", body, _yuan(pl.col("value")), compared, pl.col("kept")
    )
    return told.select(reason=sentence).to_series()


def _yuan(fen: pl.Expr) -> pl.Expr:
    """Whole yuan as people read them: `−1,234`."""
    whole = (fen / 100).round().cast(pl.Int64)
    size, minus = whole.abs(), (whole < 0).cast(pl.Int64)
    # Every group of three digits is looked up, which is quicker than writing it.
    written = pl.lit(pl.Series(_GROUPS))
    groups = []
    for above in range(_MOST_GROUPS, -1, -1):
        group = size // 1_000**above
        first = 1 + 1_000 * minus + group
        inner = 2_001 + group % 1_000
        place = pl.when(group < 1_000).then(first).otherwise(inner)
        if above:
            place = pl.when(group == 0).then(0).otherwise(place)
        groups.append(written.gather(place.cast(pl.UInt32)))
    return pl.concat_str(groups)


_MOST_GROUPS = 5
# Nothing; the first group of a number; that of a number below zero; one that follows another.
_GROUPS = [""] + [
    f"{mark}{k:{size}}" for mark, size in (("", ""), ("−", ""), (",", "03")) for k in range(1_000)
]


def _when(start: pl.Expr) -> pl.Expr:
    return pl.when(start == 0).then(pl.lit(" now")).otherwise(pl.format(" in {} months", start))


def _bars(regret: pl.Series, best: Ints) -> pl.Series:
    """`; to sue now would be worth 1,234 yuan more, but ` of each loan, by the offer worth most."""
    words = [
        f"to {_WAYS[channel][0].lower()}{_WAYS[channel][1:]} "
        + ("now" if start == 0 else f"in {start} months")
        for channel, start in COLUMNS
    ]
    better = pl.Series(words).gather(best.astype(np.uint32))
    told = pl.format("; {} would be worth {} yuan more, but ", better, _yuan(pl.lit(regret)))
    return pl.select(told).to_series()


def _because(
    offers: Offers,
    rows: Ints,
    best: Ints,
    column: Ints,
    *,
    capacities: Sequence[Capacity],
    prices: Floats,
    left: Floats,
    leaving: Floats,
    otherwise: Ints,
) -> pl.Series:
    """What keeps each of these loans from its best offer: what that takes is scarce, a floor asks for its way, leaving
    the way of the plan before costs as much, or something that no limit says.

    Args:
        left: what the best offer is worth more than the one taken, `leaving` taken off (k,), fen.
        otherwise: place of what no limit says in `_REST` (k,).
    """
    count = len(rows)
    scarce, asked = np.zeros(count, np.int64), np.zeros(count, np.int64)
    dearest, pressing = np.zeros(count), np.zeros(count)
    for number, its_column, amount, within in uses_of(offers, capacities):
        price, used = float(prices[number]), (amount * within)[rows]
        left = left - price * used * ((best == its_column) * 1.0 - (column == its_column))
        if price > 0.0:
            _most(scarce, dearest, price * used * (best == its_column), number)
        elif price < 0.0:
            _most(asked, pressing, -price * used * (column == its_column), number)
    words = pl.Series([limit_name(one.name, one.scope_told()) for one in capacities] or [""])
    verbs = pl.Series(["are" if one.name.endswith("s") else "is" for one in capacities] or [""])
    its = scarce.astype(np.uint32)
    first, verb = words.gather(its), verbs.gather(its)
    second = words.gather(asked.astype(np.uint32))
    # What would pay even at the prices of all limits is kept back by something else.
    apart = (left > _REGRET) & np.isin(otherwise, _APART)
    rest = pl.Series(_REST).gather(otherwise.astype(np.uint32))
    return pl.select(
        pl.when(pl.Series(apart))
        .then(rest)
        .when(pl.Series(leaving > np.maximum(dearest, pressing)))
        .then(pl.lit(_STAYS))
        .when(pl.Series(pressing > np.maximum(dearest, 0.0)))
        .then(pl.format("the floor of {} asks for this", second))
        .when(pl.Series(dearest > 0.0))
        .then(pl.format("{} {} scarce", first, verb))
        .otherwise(rest)
    ).to_series()


_STAYS = "leaving the way of the plan before costs as much"
_REST = (
    "no package of such loans is large enough to pay for itself",
    "its package has no room for it",
    "another loan of the borrower goes to court",
    "the borrower is offered new terms for another loan",
    "the limits leave no room for it",
)
_NO_PACKAGE, _NO_ROOM, _SUED, _OFFERED, _LIMITS = range(len(_REST))
_APART = (_NO_PACKAGE, _SUED, _OFFERED)


def _otherwise(offers: Offers, rows: Ints, best: Ints, column: Ints) -> Ints:
    """What no limit says of these loans, as places in `_REST` (k,): whether the package of their best offer is made,
    and what their borrowers' other loans do.
    """
    pools, loans = numbered(offers), np.arange(len(column))
    number = pools[rows, best]
    made = np.isin(number, np.unique(pools[loans, column]))
    borrower, way = offers.situation.borrowers, column // len(STARTS)

    def elsewhere(channel: str, asked: str) -> npt.NDArray[np.bool_]:
        does = np.bincount(borrower, way == CHANNELS.index(channel), len(column)) > 0
        return np.asarray(does[borrower[rows]] & (best // len(STARTS) == CHANNELS.index(asked)))

    sued, offered = elsewhere("litigate", "restructure"), elsewhere("restructure", "litigate")
    tests = [(number >= 0) & ~made, number >= 0, sued, offered]
    return np.select(tests, [_NO_PACKAGE, _NO_ROOM, _SUED, _OFFERED], _LIMITS)


def left_behind(switch: Floats, rows: Ints, column: Ints) -> Floats:
    """What leaving the way of the plan before costs these loans by these offers, fen (k,)."""
    found: Floats = switch[rows if len(switch) > 1 else np.zeros(len(rows), np.int64), column]
    return found


def _most(number: Ints, worth: Floats, tried: npt.NDArray[np.float64], this: int) -> None:
    """Where this capacity weighs more than those before it, it is the one that is told."""
    more = tried > worth
    number[more], worth[more] = this, tried[more]
