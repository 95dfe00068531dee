"""Which of the limits that differ between two runs has moved a loan from one way to another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from arrears.channels.situation import Floats
from arrears.plan import Capacity, inside, scope_of
from arrears.plan.limit_names import limit_name

_BOUND, _WORD = {"max": "most", "min": "least"}, {"max": "limit", "min": "floor"}
_KEYS = ("capacity", "scope", "sense")


@dataclass(frozen=True)
class OtherLimit:
    """A limit that differs: None where a run has none; `price` is the higher of its two shadow prices."""

    capacity: str
    scope: str
    sense: str
    a: float | None
    b: float | None
    price: float

    @property
    def towards(self) -> int:
        """1 where it moves loans to what uses more of it, -1 where to what uses less."""
        if self.sense == "max":
            return 1 if self.b is None or (self.a is not None and self.b > self.a) else -1
        return -1 if self.b is None or (self.a is not None and self.b < self.a) else 1

    @property
    def as_capacity(self) -> Capacity:
        """The limit as it stands in a file."""
        limit = self.a if self.b is None else self.b
        return Capacity.model_validate(
            {"name": self.capacity, self.sense: limit, "scope": scope_of(self.scope)}
        )

    def told(self) -> str:
        """`court filings (province Zhejiang) at most 150, 600 before`."""
        limit, bound = self.as_capacity, _BOUND[self.sense]
        name = limit_name(self.capacity, self.scope)
        before = "none" if self.a is None else limit.told(self.a)
        if self.b is None:
            return f"{name} without {_WORD[self.sense]}, at {bound} {before} before"
        return f"{name} at {bound} {limit.told(self.b)}, {before} before"

    def as_dict(self) -> dict[str, object]:
        """For the summary."""
        return {name: value for name, value in asdict(self).items() if name != "price"}


def other_limits(a: Path, b: Path) -> list[OtherLimit]:
    """The limits that differ between two runs, by name, scope and sense."""
    one, two = (
        pl.read_parquet(folder / "capacities.parquet").select(
            *_KEYS, pl.col("limit").alias(side), pl.col("shadow_price").alias(f"price_{side}")
        )
        for folder, side in ((a, "a"), (b, "b"))
    )
    both = one.join(two, on=_KEYS, how="full", coalesce=True)
    price = pl.max_horizontal("price_a", "price_b").fill_null(0.0)
    apart = both.filter(pl.col("a").ne_missing(pl.col("b"))).sort(_KEYS)
    rows = apart.select(*_KEYS, "a", "b", price=price)
    return [OtherLimit(**row) for row in rows.iter_rows(named=True)]


def moved_by(both: pl.DataFrame, limits: list[OtherLimit], folder: Path) -> pl.DataFrame:
    """`loan_id, limit` of the loans that a limit that differs can have moved: of several the one that weighs most.

    Args:
        both: `loan_id, channel_a, start_a, channel_b, start_b`.
        folder: what the second run left.
    """
    apart = (pl.col("channel_a") != pl.col("channel_b")) | (pl.col("start_a") != pl.col("start_b"))
    names = sorted({f"uses_{limit.capacity}" for limit in limits})
    moved = both.drop_nulls(["channel_a", "channel_b"]).filter(apart).sort("loan_id")
    if moved.is_empty() or not names:
        return pl.DataFrame(schema={"loan_id": pl.String, "limit": pl.String})
    loans = pl.read_parquet(folder / "accepted.parquet")
    loans = moved.select("loan_id").join(loans, on="loan_id", how="left", maintain_order="left")
    offers = pl.scan_parquet(folder / "offers.parquet").select(
        "loan_id", "channel", "start_month", *names
    )
    before, now = (_uses(moved, offers, side) for side in ("a", "b"))
    found = np.full(moved.height, -1)
    dearest = np.full(moved.height, -1.0)
    for number, limit in enumerate(limits):
        more = _counted(now, limit) - _counted(before, limit)
        within = inside(limit.as_capacity, loans).to_numpy()
        worth = np.where(within, limit.towards * more, 0.0)
        worth = np.where(worth > 0.0, limit.price * worth, -1.0)
        better = worth > dearest
        found[better], dearest[better] = number, worth[better]
    words = pl.Series([limit.told() for limit in limits])
    known = np.flatnonzero(found >= 0)
    return pl.DataFrame(
        {"loan_id": moved["loan_id"].gather(known), "limit": words.gather(found[known])}
    )


def _uses(moved: pl.DataFrame, offers: pl.LazyFrame, side: str) -> pl.DataFrame:
    """What the way of a side uses, in the order of `moved`, with its start."""
    asked = moved.select(
        "loan_id", channel=f"channel_{side}", start_month=pl.col(f"start_{side}").cast(pl.Int32)
    )
    joined = asked.lazy().join(
        offers, on=["loan_id", "channel", "start_month"], how="left", maintain_order="left"
    )
    return joined.collect()


def _counted(uses: pl.DataFrame, limit: OtherLimit) -> Floats:
    """What a limit counts of each loan (n,): nothing of a start that it does not look at."""
    amount = pl.when(pl.col("start_month") == limit.as_capacity.start).then(
        pl.col(f"uses_{limit.capacity}").fill_null(0.0)
    )
    return uses.select(amount.fill_null(0.0).alias("amount")).to_series().to_numpy()
