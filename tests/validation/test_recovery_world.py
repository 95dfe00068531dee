"""The books of defaulted loans are what they say they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import arrears
from arrears import run
from validation.worlds import recovery

TABLES = ("loans", "months", "payments", "events")


@pytest.fixture(scope="module")
def made() -> recovery.Recovery:
    return recovery.book(recovery.Setting(loans=2_000))


def test_a_tape_is_accepted_whole_and_nothing_in_it_contradicts(
    made: recovery.Recovery, tmp_path: Path
) -> None:
    files = {}
    for name in TABLES:
        files[name] = str(tmp_path / f"{name}.parquet")
        getattr(made, name).write_parquet(files[name])
    checked = run.check(arrears.Request(**files))
    assert checked.tape.quarantine.is_empty()
    assert [problem.code for problem in checked.problems] == []


def test_what_was_owed_is_what_was_paid_waived_sold_or_is_still_owed(
    made: recovery.Recovery,
) -> None:
    paid = made.payments.group_by("loan_id").agg(paid=pl.col("amount").sum())
    gone = (
        made.events.filter(pl.col("kind") == "write_off")
        .group_by("loan_id")
        .agg(sold=pl.col("amount").sum())
    )
    settled = made.events.filter(pl.col("kind") == "settled")["loan_id"]
    every = (
        made.loans.join(paid, on="loan_id", how="left")
        .join(gone, on="loan_id", how="left")
        .fill_null(0)
        .with_columns(
            rest=pl.col("original_principal")
            - pl.col("paid")
            - pl.col("sold")
            - pl.col("principal")
            - pl.col("interest")
        )
    )
    lump = every.filter(pl.col("loan_id").is_in(settled.implode()))
    others = every.filter(~pl.col("loan_id").is_in(settled.implode()))
    assert (others["rest"] == 0).all()
    assert (lump["rest"] >= 0).all()
    assert (lump["rest"] <= 0.6 * lump["original_principal"]).all()
    assert lump.height > 20


def test_what_comes_later_is_what_the_truth_counts(made: recovery.Recovery) -> None:
    assert made.later["date"].min() > recovery.AS_OF >= made.payments["date"].max()
    assert set(made.later["source"]) == {"borrower", "court"}
    assert made.truth["paid_24"].sum() == made.later["amount"].sum()
    assert (made.truth["paid_12"] <= made.truth["paid_24"]).all()
    assert (made.truth["paid_24"] <= made.truth["owed"]).all()
    closed = made.truth.filter(pl.col("owed") == 0)
    assert closed["paid_24"].sum() == 0


def test_a_payment_makes_the_next_one_likelier(made: recovery.Recovery) -> None:
    paid = made.months.with_columns(
        now=pl.col("paid_principal") > 0,
        then=(pl.col("paid_principal") > 0).shift(1).over("loan_id", order_by="month"),
    ).drop_nulls("then")
    after, without = (paid.filter(pl.col("then") == said)["now"].mean() for said in (True, False))
    assert after > 3 * without


def test_climates_switch_between_three_levels_and_last() -> None:
    climate = recovery.regimes(400, np.random.default_rng(1))
    assert climate.shape == (3, 400)
    levels = {round(float(a * np.sqrt(b)), 9) for a in recovery.REGIME for b in recovery.REGIME}
    assert set(climate.round(9).ravel()) <= levels
    assert (np.diff(climate, axis=1) == 0).mean() > 0.8


def test_same_seed_same_book(made: recovery.Recovery) -> None:
    again = recovery.book(recovery.Setting(loans=2_000))
    other = recovery.book(recovery.Setting(loans=2_000, seed=1))
    for name in (*TABLES, "later", "truth"):
        assert getattr(made, name).equals(getattr(again, name)), name
    assert not made.truth.equals(other.truth)


def test_nothing_of_what_comes_later_is_on_the_tape(
    made: recovery.Recovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = recovery.regimes

    def frozen_afterwards(months: int, stream: np.random.Generator) -> np.ndarray:
        climate = drawn(months, stream)
        climate[:, -recovery.Setting().later :] *= 0.1
        return climate

    monkeypatch.setattr(recovery, "regimes", frozen_afterwards)
    frozen = recovery.book(recovery.Setting(loans=2_000))
    for name in TABLES:
        assert getattr(made, name).equals(getattr(frozen, name)), name
    assert frozen.truth["paid_24"].sum() < 0.7 * made.truth["paid_24"].sum()
