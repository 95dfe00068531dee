"""A book's histories as the model reads them: a code a loan-month, and where each loan stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.standing.hidden import words as w

Ints = npt.NDArray[np.int64]

PRODUCTS = ("mortgage", "consumer", "credit_card", "business")
_SHAPE = (len(PRODUCTS), 7, 7, 8, 8, 2, 8, 4)
_LOOK = len(w.LOOK)
"""Product, days before and now, payment before and now, told before, act, timing; look-through before and now."""
_MONTHS_A_SLOT = 3


@dataclass(frozen=True)
class Coded:
    """Histories of h loans, t loan-months in all, u different ones.

    Attributes:
        loan: row of each history in the book (h,).
        code: row of `rows` of each loan-month (t,), loan after loan, gaps filled with the unknown.
        rows: what each code means (u, 10), columns as `_SHAPE` and look-through before and now.
        first, length, last: where each history begins in `code`, its months, its last month on the calendar (h,).
        slot: quarter of each month of the calendar (m,).
        product, sector, region, branch: a number each (h,), with their names.
        outside: code of `words.OUTSIDE` (h,).
    """

    loan: Ints
    code: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int16]
    first: Ints
    length: Ints
    last: Ints
    slot: Ints
    start: int
    product: Ints
    sector: Ints
    region: Ints
    branch: Ints
    names: dict[str, tuple[str, ...]]
    outside: Ints

    def of(self, chosen: Ints) -> Coded:
        """The histories at these places, in this order."""
        length = self.length[chosen]
        first = np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64)
        spots = np.repeat(self.first[chosen] - first, length) + np.arange(length.sum())
        return Coded(
            self.loan[chosen],
            self.code[spots],
            self.rows,
            first,
            length,
            self.last[chosen],
            self.slot,
            self.start,
            self.product[chosen],
            self.sector[chosen],
            self.region[chosen],
            self.branch[chosen],
            self.names,
            self.outside[chosen],
        )


def coded(loans: pl.DataFrame, lived: pl.DataFrame, outside: pl.Series) -> Coded:
    """The histories of all loans that have any month.

    Args:
        lived: as `months.lived` gives it, sorted by loan and month.
        outside: code of `words.OUTSIDE` of each loan (n,).
    """
    loan = lived["loan"].to_numpy().astype(np.int64)
    month = _calendar(lived["month"])
    start = int(month.min())
    begins = np.flatnonzero(np.diff(loan, prepend=-1))
    ends = np.append(begins[1:], len(loan)) - 1
    length = month[ends] - month[begins] + 1
    first = np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64)
    place = np.repeat(first - month[begins], ends - begins + 1) + month
    total = int(length.sum())

    def spread(name: str, unknown: int) -> npt.NDArray[np.int16]:
        column = np.full(total, unknown, dtype=np.int16)
        column[place] = lived[name].to_numpy()
        return column

    days, pay = spread("days_code", w.DAYS_UNKNOWN), spread("pay", w.PAY_UNKNOWN)
    act, timing = spread("act", 0), spread("timing", 0)
    fresh = np.zeros(total, dtype=np.bool_)
    fresh[first] = True
    product = _numbers(loans["product"].gather(loan[begins]), PRODUCTS)[0]
    key = np.repeat(product, length)
    for values, size in (
        (_before(days, fresh, w.DAYS_UNKNOWN), 7),
        (days, 7),
        (_before(pay, fresh, w.PAY_UNKNOWN), 8),
        (pay, 8),
        (_told_before(act, first, length), 2),
        (act, 8),
        (timing, 4),
    ):
        key = key * size + values
    first_key, number = _numbered(key, int(np.prod(_SHAPE)))
    look = spread("look", w.LOOK_UNKNOWN)
    both = _before(look, fresh, w.LOOK_UNKNOWN).astype(np.int64) * _LOOK + look
    again, code = _numbered(number * _LOOK**2 + both, len(first_key) * _LOOK**2)
    upper, lower = np.divmod(again, _LOOK**2)
    columns = (*np.unravel_index(first_key[upper], _SHAPE), *np.divmod(lower, _LOOK))
    rows = np.stack(columns, axis=1).astype(np.int16)
    mine = loans[loan[begins]]
    named = {
        name: _numbers(mine[name].fill_null(""))
        for name in ("sector", "province", "branch", "lender")
    }
    by_branch = named["branch" if mine["branch"].null_count() < mine.height else "lender"]
    calendar = np.arange(int(month.max()) - start + 1)
    return Coded(
        loan[begins],
        code.astype(np.int32),
        rows,
        first,
        length,
        month[ends] - start,
        calendar // _MONTHS_A_SLOT,
        start,
        product,
        named["sector"][0],
        named["province"][0],
        by_branch[0],
        {"sector": named["sector"][1], "region": named["province"][1], "branch": by_branch[1]},
        outside.to_numpy()[loan[begins]].astype(np.int64),
    )


def _numbered(key: Ints, size: int) -> tuple[Ints, Ints]:
    """The keys below `size` that occur (u,), and the place of each (t,) among them."""
    present = np.flatnonzero(np.bincount(key, minlength=size))
    number = np.zeros(size, dtype=np.int64)
    number[present] = np.arange(len(present))
    return present, number[key]


def _calendar(month: pl.Series) -> Ints:
    """Months since the year 0."""
    return (
        (month.dt.year().cast(pl.Int64) * 12 + month.dt.month().cast(pl.Int64) - 1)
        .to_numpy()
        .astype(np.int64)
    )


def _numbers(words: pl.Series, known: tuple[str, ...] = ()) -> tuple[Ints, tuple[str, ...]]:
    """A number for each word (n,), and the words in their order."""
    names = known or tuple(words.unique().sort().to_list())
    order = {name: place for place, name in enumerate(names)}
    return words.replace_strict(order, default=0, return_dtype=pl.Int64).to_numpy(), names


def _before(
    values: npt.NDArray[np.int16], fresh: npt.NDArray[np.bool_], unknown: int
) -> npt.NDArray[np.int16]:
    shifted = np.roll(values, 1)
    shifted[fresh] = unknown
    return shifted


def _told_before(act: npt.NDArray[np.int16], first: Ints, length: Ints) -> npt.NDArray[np.int16]:
    """Whether any act but relief was seen earlier on the same loan (t,)."""
    acts = ((act > 0) & (act < w.ACT.index("relief"))).astype(np.int64)
    so_far = np.cumsum(acts) - acts
    return (so_far > np.repeat(so_far[first], length)).astype(np.int16)
