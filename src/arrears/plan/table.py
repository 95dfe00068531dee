"""The plan as a table, a row a loan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels import CHANNELS, COLUMNS, Offers, Situation
from arrears.plan.capacities import Capacity
from arrears.plan.kernels import Floats, Ints
from arrears.plan.reasons import reasons


def table_of(
    offers: Offers, column: Ints, capacities: Sequence[Capacity], prices: Floats
) -> pl.DataFrame:
    """`plan.parquet`, in the order of the situation's loans."""
    situation = offers.situation
    rows = np.arange(len(column))
    value = offers.value[rows, column]
    by_channel = np.stack(
        [
            np.nan_to_num(offers.value[:, 3 * k : 3 * k + 3], nan=-np.inf).max(
                axis=1, initial=-np.inf
            )
            for k in range(len(CHANNELS))
        ],
        axis=1,
    )
    best = by_channel.max(axis=1, initial=-np.inf)
    by_channel[rows, column // 3] = -np.inf
    second = np.argmax(by_channel, axis=1) if len(rows) else rows
    runner_value = by_channel[rows, second]
    has_second = np.isfinite(runner_value)
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
            "runner_up": names.gather(second.astype(np.uint32)),
            "regret": np.maximum(best - value, 0.0),
        }
    )
    frame = frame.with_columns(
        runner_up=pl.when(pl.Series(has_second)).then("runner_up"),
    )
    runner = pl.Series("runner_value", np.where(has_second, runner_value, np.nan)).fill_nan(None)
    why = reasons(frame, runner, offers=offers, column=column, capacities=capacities, prices=prices)
    return frame.with_columns(reason=why)


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
