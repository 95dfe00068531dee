"""Why each loan goes its way, in a sentence that a banker understands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels import COLUMNS, Offers
from arrears.plan.capacities import Capacity, uses_of
from arrears.plan.kernels import Floats, Ints

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
) -> pl.Series:
    """The sentence of each loan (n,): its way and worth, the best other way, and the limit that bars a better one.

    Args:
        frame: `plan.parquet` so far.
        behind: worth of the best other way (n,), where one is open.
        best, column: offer that is worth most, and the one taken (n,); prices: fen a unit of each capacity, below 0
            where a floor presses.
    """
    way = pl.col("channel").replace_strict(_WAYS)
    at_ease = ~offers.situation.overdue & (frame["channel"] == "collect").to_numpy()
    # Of equal worth to the yuan no limit need be named.
    kept = np.flatnonzero(~at_ease & (frame["regret"].to_numpy() > _REGRET))
    bars = _bars(frame["regret"].gather(kept), best[kept])
    why = _because(offers, kept, best[kept], column[kept], capacities=capacities, prices=prices)
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
) -> pl.Series:
    """What keeps each of these loans from its best offer: what that takes is scarce, or a floor asks for its way."""
    count = len(rows)
    scarce, asked = np.zeros(count, np.int64), np.zeros(count, np.int64)
    dearest, pressing = np.zeros(count), np.zeros(count)
    for number, its_column, amount, within in uses_of(offers, capacities):
        price, used = float(prices[number]), (amount * within)[rows]
        if price > 0.0:
            _most(scarce, dearest, price * used * (best == its_column), number)
        elif price < 0.0:
            _most(asked, pressing, -price * used * (column == its_column), number)
    words = pl.Series([_named(capacity) for capacity in capacities] or [""])
    verbs = pl.Series(["are" if one.name.endswith("s") else "is" for one in capacities] or [""])
    its = scarce.astype(np.uint32)
    first, verb = words.gather(its), verbs.gather(its)
    second = words.gather(asked.astype(np.uint32))
    return pl.select(
        pl.when(pl.Series(pressing > np.maximum(dearest, 0.0)))
        .then(pl.format("the floor of {} asks for this", second))
        .when(pl.Series(dearest > 0.0))
        .then(pl.format("{} {} scarce", first, verb))
        .otherwise(pl.lit("its package or its borrower's other loans stand against it"))
    ).to_series()


def _most(number: Ints, worth: Floats, tried: npt.NDArray[np.float64], this: int) -> None:
    """Where this capacity weighs more than those before it, it is the one that is told."""
    more = tried > worth
    number[more], worth[more] = this, tried[more]


def _named(capacity: Capacity) -> str:
    """`court filings (province Zhejiang)`."""
    scope = ", ".join(
        f"{key.replace('_', ' ')} {word}" for key, word in sorted(capacity.scope.items())
    )
    name = capacity.name.replace("_", " ")
    return f"{name} ({scope})" if scope else name
