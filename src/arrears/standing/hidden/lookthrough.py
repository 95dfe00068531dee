"""Look-through days: how long the borrower's own money has left the first contract unmet, concessions undone.

A supervisor who meets a loan kept alive undoes what was done to it and counts again: an instalment that is no longer
asked goes on falling due; new money that pays an old loan, or goes out again after a payment at a quarter's end, is no
payment; interest that is added to principal is not paid. Relief that stands openly on the record (a restructuring, a
payment holiday) and a renewal that pays principal down start the count anew: they hide nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.compiled import njit
from arrears.standing.hidden import words as w

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LESS = 0.6
"""An instalment under this share of the one before is one that no longer asks for the principal."""
LAST = 1.5
"""An instalment of at least so many times the one before is a last one, no new level."""
MET = 0.05
"""An instalment counts as met when at most this share of it is open."""
CURED = 3
"""Months in a row of principal and interest in full after which what was behind is met: the contract is kept again."""
BEHIND = 4
"""Months of arrears that a history may begin with."""


def look_through(loans: pl.DataFrame, table: pl.DataFrame) -> pl.Series:
    """Look-through days of each loan-month (t,).

    Args:
        loans: canonical, n rows.
        table: loan-months sorted by loan and month, with the flags of `months`.
    """
    told = loans.select(
        "borrower_id", "lender",
        asked=pl.sum_horizontal(pl.col("next_due_interest", "next_due_principal").fill_null(0)),
        level=pl.col("repayment").is_in(["interest_only", "bullet", "revolving"]).not_().fill_null(True),
        revolving=(pl.col("repayment") == "revolving").fill_null(False),
        day=pl.col("next_due_date").dt.day().fill_null(15).cast(pl.Int64),
    )  # fmt: skip
    loan = table["loan"].to_numpy().astype(np.int64)
    before = _taken_over(told, table)
    grace = (
        (pl.int_range(pl.len()) - pl.when("grace").then(pl.int_range(pl.len())).forward_fill()).over("loan")
        < w.HOLIDAY_MONTHS
    ).fill_null(False)  # fmt: skip
    kept = (pl.col("balance") >= w.KEPT_PRINCIPAL * pl.col("balance_before")).fill_null(True)
    acts = {
        "renewal": (pl.col("renewed") & kept) | pl.col("extended"),
        "new": pl.col("new_old"),
        "added": pl.col("capitalised"),
        "cut": (pl.col("cut") > w.DEEP_CUT * pl.col("rate").shift(1).over("loan")).fill_null(False),
    }
    lately = [
        pl.any_horizontal(*(act.shift(back).over("loan").fill_null(False) for back in range(3)))
        for act in acts.values()
    ]
    late = pl.any_horizontal(
        *(
            (pl.col("days_past_due") > 30).shift(back).over("loan").fill_null(False)
            for back in range(4)
        )
    )
    shown = table.select(
        grace=grace,
        anew=pl.col("eased") | (pl.col("renewed") & ~kept),
        act=pl.any_horizontal(*acts.values()) & (late | (pl.sum_horizontal(*lately) > 1)),
        asks=(pl.col("due_principal").fill_null(0) > 0),
        due=pl.col("due").fill_null(0).cast(pl.Float64),
        paid=pl.when(pl.col("new_old") & (pl.col("balance") <= 0)).then(0.0)
        .otherwise(pl.col("paid").fill_null(0).cast(pl.Float64)),
        balance=pl.col("balance").fill_null(0).cast(pl.Float64),
        grew=(pl.col("balance") - pl.col("balance_before") + pl.col("paid_principal").fill_null(0))
        .fill_null(0).cast(pl.Float64),
        days=pl.col("days_past_due").fill_null(0).cast(pl.Float64),
    )  # fmt: skip
    first = np.flatnonzero(np.diff(loan, prepend=-1))
    names = ("due", "paid", "balance", "grew", "days")
    flags = ("grace", "anew", "act", "asks")
    months = (
        table["month"].dt.year().to_numpy().astype(np.int64) * 12
        + table["month"].dt.month().to_numpy()
    )
    last = np.full(loans.height, -1)
    last[loan[first]] = np.arange(len(first))
    follows = np.where(before[loan[first]] >= 0, last[before[loan[first]]], -1)
    rank = np.argsort(months[first], kind="stable")
    found = _counted(
        first,
        np.append(first[1:], len(loan)),
        rank,
        follows,
        months,
        *(shown[name].to_numpy().astype(np.float64) for name in names),
        *(shown[name].to_numpy() for name in flags),
        told["asked"].to_numpy().astype(np.float64)[loan[first]],
        told["level"].to_numpy()[loan[first]],
        told["revolving"].to_numpy()[loan[first]],
        told["day"].to_numpy()[loan[first]],
    )
    return pl.Series("look_days", found)


def _taken_over(told: pl.DataFrame, table: pl.DataFrame) -> Ints:
    """Row of the loan that each loan (n,) paid off, -1 where it is told of none."""
    ends = table.group_by("loan").agg(
        first=pl.col("month").min(),
        last=pl.col("month").max(),
        balance=pl.col("balance").last(),
        new=pl.col("new_old").any(),
    )
    both = ends.filter("new").with_columns(
        told["borrower_id"].gather(ends.filter("new")["loan"]),
        lender=told["lender"].gather(ends.filter("new")["loan"]),
    )
    pairs = both.join(
        both.filter(pl.col("balance") <= 0).select("borrower_id", "lender", old="loan", ended="last"),
        on=["borrower_id", "lender"],
    ).filter(
        pl.col("old") != pl.col("loan"),
        (pl.col("first") >= pl.col("ended").dt.offset_by("-1mo")),
        (pl.col("first") <= pl.col("ended").dt.offset_by("2mo")),
    )  # fmt: skip
    pairs = pairs.sort("loan", "ended").unique("loan", keep="last", maintain_order=True)
    before = np.full(told.height, -1)
    before[pairs["loan"].to_numpy()] = pairs["old"].to_numpy()
    return before


@njit(cache=True)
def _level(ref: float, due: float, asks: bool, grace: bool, balance: float) -> tuple[float, float]:
    """What the first contract asks this month, and its usual instalment from now on."""
    if asks and (ref <= 0.0 or due >= LESS * ref):
        return due, due if ref <= 0.0 or due < LAST * ref else ref
    if grace or balance <= 0.0:
        return due, ref
    return max(due, min(ref, balance + due)), ref


@njit(cache=True)
def _waited(months: int, day: int, own: float) -> float:
    """Days at the month's end since an instalment due on this day, so many months before; none on a first part."""
    if months == 0:
        return max(30.0 - day, 0.0) if own <= 0.0 else 0.0
    return 30.4 * months + 30.0 - day


@njit(cache=True)
def _counted(
    first: Ints, end: Ints, rank: Ints, follows: Ints, months: Ints,
    due: Floats, paid: Floats, balance: Floats, grew: Floats, days: Floats,
    grace: npt.NDArray[np.bool_], anew: npt.NDArray[np.bool_],
    act: npt.NDArray[np.bool_], asks: npt.NDArray[np.bool_],
    asked: Floats, level: npt.NDArray[np.bool_], revolving: npt.NDArray[np.bool_], day: Ints,
) -> Floats:  # fmt: skip
    """Days (t,) that the oldest instalment has waited, first due first met; histories in the order of their begin."""
    found = np.zeros(len(due))
    size = len(first)
    usual, open_now, oldest = np.zeros(size), np.zeros(size), np.full(size, -1)
    for number in rank:
        a, b = first[number], end[number]
        width = b - a + BEHIND
        queue, when = np.zeros(width), np.zeros(width, dtype=np.int64)
        head, tail, credit = 0, 0, 0.0
        ref, fresh = 0.0, False
        old, start_open = follows[number], 0.0
        if old >= 0:
            ref = usual[old]
            if oldest[old] >= 0:
                parts = min(max(months[a] - oldest[old], 1), BEHIND)
                for back in range(parts):
                    queue[tail] = open_now[old] / parts
                    when[tail] = oldest[old] + back
                    tail += 1
        elif days[a] > 0 and level[number]:
            start_open = min(days[a] // 30, BEHIND)
        waits, good = False, 0
        for t in range(a, b):
            asks_now = due[t]
            if anew[t]:
                ref, fresh, waits = 0.0, True, False
                tail, head, credit, asks_now = 0, 0, 0.0, 0.0
            elif level[number]:
                if ref <= 0.0 and not fresh and not asks[t] and not grace[t]:
                    ref = asked[number]
                asks_now, ref = _level(ref, due[t], asks[t], grace[t], balance[t])
            elif act[t] and not revolving[number] and not waits:
                waits = True
                asks_now += balance[t]
            for back in range(int(start_open)):
                if tail < width:
                    queue[tail] = asks_now
                    when[tail] = months[t] - int(start_open) + back
                    tail += 1
            start_open = 0.0
            if asks_now > 0.0 and tail < width:
                queue[tail], when[tail] = asks_now, months[t]
                tail += 1
            own = paid[t]
            if (
                t + 1 < b
                and not revolving[number]
                and paid[t] > 0.0
                and grew[t + 1] >= 0.5 * paid[t]
            ):
                own = max(0.0, paid[t] - grew[t + 1])
            credit += own
            regular = asks[t] and days[t] <= 0.0 and own >= (1.0 - MET) * due[t]
            good = good + 1 if regular else 0
            if good >= CURED and level[number]:
                ref = due[t]
            if good >= CURED or (balance[t] <= 0.0 and t + 1 < b):
                tail, head, credit = 0, 0, 0.0
            while head < tail and credit >= queue[head] * (1.0 - MET):
                credit = max(0.0, credit - queue[head])
                head += 1
            if head == tail:
                credit = min(credit, ref)
            else:
                found[t] = _waited(months[t] - when[head], day[number], own)
        usual[number] = ref
        if head < tail:
            oldest[number] = when[head]
            whole = -credit
            for place in range(head, tail):
                whole += queue[place]
            open_now[number] = whole
    return found
