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
    runner: pl.Series,
    *,
    offers: Offers,
    column: Ints,
    capacities: Sequence[Capacity],
    prices: Floats,
) -> pl.Series:
    """The sentence of each loan (n,): its way and worth, the best other way, and the limit that bars a better one.

    Args:
        frame: `plan.parquet` so far.
        runner: worth of the best other way (n,), null where none is open.
        column: offer taken (n,); prices: fen a unit of each capacity, below 0 where a floor presses.
    """
    way = pl.col("channel").replace_strict(_WAYS)
    at_ease = ~pl.Series(offers.situation.overdue) & (frame["channel"] == "collect")
    told = frame.with_columns(
        ahead=pl.col("value") - runner,
        because=_because(offers, column, capacities, prices),
        better=_better(offers),
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
        pl.when(at_ease)
        .then(pl.lit("Pays as agreed"))
        .otherwise(way + _when(pl.col("start_month")))
    )
    # Of equal worth to the yuan no limit need be named.
    kept = pl.when(at_ease | (pl.col("regret") <= _REGRET)).then(pl.lit("")).otherwise(
        pl.format(
            "; {} would be worth {} yuan more, but {}",
            pl.col("better"),
            _yuan(pl.col("regret")),
            pl.col("because"),
        )
    )  # fmt: skip
    sentence = pl.format("{}: worth {} yuan, {}{}.", body, _yuan(pl.col("value")), compared, kept)
    return told.select(reason=sentence).to_series()


def _yuan(fen: pl.Expr) -> pl.Expr:
    """Whole yuan as people read them: `−1,234`."""
    whole = (fen / 100).round().cast(pl.Int64)
    size = _separated(whole.abs())
    return pl.when(whole < 0).then(pl.format("−{}", size)).otherwise(size)


def _separated(size: pl.Expr, groups: int = 4) -> pl.Expr:
    if groups == 0:
        return size.cast(pl.String)
    last = (size % 1_000).cast(pl.String).str.zfill(3)
    whole = pl.format("{},{}", _separated(size // 1_000, groups - 1), last)
    return pl.when(size < 1_000).then(size.cast(pl.String)).otherwise(whole)


def _when(start: pl.Expr) -> pl.Expr:
    return pl.when(start == 0).then(pl.lit(" now")).otherwise(pl.format(" in {} months", start))


def _best(offers: Offers) -> Ints:
    best: Ints = np.argmax(np.nan_to_num(offers.value, nan=-np.inf), axis=1)
    return best


def _better(offers: Offers) -> pl.Series:
    """The offer that is worth most (n,), in words."""
    words = [
        f"to {_WAYS[channel][0].lower()}{_WAYS[channel][1:]} "
        + ("now" if start == 0 else f"in {start} months")
        for channel, start in COLUMNS
    ]
    return pl.Series(words).gather(_best(offers).astype(np.uint32))


def _because(
    offers: Offers, column: Ints, capacities: Sequence[Capacity], prices: Floats
) -> pl.Series:
    """What keeps each loan from its best offer (n,): what that takes is scarce, or a floor asks for the way taken."""
    count, best = len(column), _best(offers)
    scarce, asked = np.zeros(count, np.int64), np.zeros(count, np.int64)
    dearest, pressing = np.zeros(count), np.zeros(count)
    for number, its_column, amount, within in uses_of(offers, capacities):
        price = float(prices[number])
        if price > 0.0:
            _most(scarce, dearest, price * amount * (within & (best == its_column)), number)
        elif price < 0.0:
            _most(asked, pressing, -price * amount * (within & (column == its_column)), number)
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
