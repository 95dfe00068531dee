"""The plan as a table, a row a loan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import prange

from arrears.channels import CHANNELS, COLUMNS, STARTS, Offers, Situation
from arrears.core.compiled import njit
from arrears.core.loops import marked_loops
from arrears.plan.capacities import Capacity
from arrears.plan.kernels import Floats, Ints
from arrears.plan.reasons import reasons


def table_of(
    offers: Offers,
    column: Ints,
    capacities: Sequence[Capacity],
    *,
    prices: Floats,
    switch: Floats,
) -> pl.DataFrame:
    """`plan.parquet`, in the order of the situation's loans.

    Args:
        switch: what leaving the way of the plan before costs by offer, fen (n, 18) or (1, 18).
    """
    situation = offers.situation
    value = offers.value[np.arange(len(column)), column]
    best, most, second, behind = ranked(offers.value, column, len(STARTS))
    names = pl.Series(CHANNELS)
    starts = np.array([start for _, start in COLUMNS])[column]
    loans = situation.loans
    frame = pl.DataFrame(
        {
            "loan_id": loans["loan_id"],
            "borrower_id": loans["borrower_id"],
            "product": loans["product"],
            "claim": situation.claim.astype(np.int64),
            "principal": loans["principal"],
            "channel": names.gather((column // 3).astype(np.uint32)),
            "start_month": starts.astype(np.int32),
            "write_off_now": write_off(situation, column),
            "value": value,
            "runner_up": pl.Series([*CHANNELS, None]).gather(second),
            "regret": np.maximum(most - value, 0.0),
        }
    )
    why = reasons(
        frame,
        behind,
        offers=offers,
        best=best,
        column=column,
        capacities=capacities,
        prices=prices,
        switch=switch,
    )
    return frame.with_columns(reason=why)


@njit(cache=True, parallel=marked_loops())
def ranked(value: Floats, column: Ints, starts: int) -> tuple[Ints, Floats, Ints, Floats]:
    """How the offers of each loan compare.

    Args:
        value: worth of the offers (n, o), NaN where one may not be taken; a channel's offers lie side by side.
        column: the offer that is taken (n,).

    Returns:
        The offer worth most (n,), its worth, the best other channel, and its worth; -1 and -inf where there is none.
    """
    loans, wide = value.shape
    best, most = np.full(loans, -1), np.full(loans, -np.inf)
    second, behind = np.full(loans, -1), np.full(loans, -np.inf)
    for loan in prange(loans):
        taken = column[loan] // starts
        for offer in range(wide):
            worth = value[loan, offer]
            if worth > most[loan]:
                best[loan], most[loan] = offer, worth
            if worth > behind[loan] and offer // starts != taken:
                second[loan], behind[loan] = offer // starts, worth
    return best, most, second, behind


def write_off(situation: Situation, column: Ints) -> npt.NDArray[np.bool_]:
    """Class loss, provided for in full, not written off, and not sold now (READINGS B; not verified)."""
    word = situation.rulebook.at("cn/write_off/class", situation.as_of)
    lost = (situation.standing["five_tier"] == str(word)).fill_null(False).to_numpy()
    sells = [
        k
        for k, (channel, start) in enumerate(COLUMNS)
        if start == 0 and CHANNELS.index(channel) > 2
    ]
    covered = situation.provision >= situation.claim
    return np.asarray(lost & covered & ~situation.written_off & ~np.isin(column, sells))
