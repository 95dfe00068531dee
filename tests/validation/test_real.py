"""Real loans laid out as tapes: months behind by hand, money kept, claims of what is in default, scores by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from arrears import run
from validation import recovery_real
from validation.real import beside, cars, score, totals

MARCH = 2020 * 12 + 2


def _behind(
    share: list[float], start: int, *, holidays: bool, gone: int | None = None
) -> list[int]:
    count = len(share)
    lost = np.arange(count) >= (count if gone is None else gone)
    found, _ = cars.behind(
        np.zeros(count, dtype=int),
        start + np.arange(count),
        np.array(share),
        lost,
        holidays=holidays,
    )
    return found.tolist()


def test_months_behind_by_hand() -> None:
    missed = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    before = MARCH - 40
    assert _behind(missed, before, holidays=True) == [0, 1, 2, 3, 4, 5, 6, 6, 6]
    # the run begins in March 2020: four of its months fall due later
    assert _behind(missed, MARCH - 1, holidays=True) == [0, 0, 0, 0, 0, 1, 2, 2, 2]
    assert _behind(missed, MARCH - 1, holidays=False) == [0, 1, 2, 3, 4, 5, 6, 6, 6]
    # charged off one month behind: in default all the same, and a month later each month
    assert _behind([1.0, 0.0, 0.0, 0.0], before, holidays=True, gone=2) == [0, 1, 4, 5]


def test_intervals_resample_whole_loans() -> None:
    g = np.random.default_rng(0)
    loans = g.normal(size=60)
    alone = score.clustered(lambda x: float(x.mean()), np.arange(60), loans, draws=400)
    often = score.clustered(
        lambda x: float(x.mean()), np.repeat(np.arange(60), 5), np.repeat(loans, 5), draws=400
    )
    assert often[0] == pytest.approx(alone[0])
    assert often[2] - often[1] == pytest.approx(alone[2] - alone[1], rel=0.15), (
        "five rows tell no more than one"
    )


def test_coverage_and_tenths_by_hand() -> None:
    y = np.arange(20) / 20.0
    ranks = np.tile([0.0, 0.25, 0.5, 0.9], (20, 1))
    cells = score.cells(y, score.Guess(y + 0.1, ranks), np.arange(20), 10)
    assert [cell.split(" ")[0] for cell in cells] == [
        "0.100",
        "0.100",
        "0.100",
        "1.00",
        "30%",
        "95%",
    ]
    told = score.tenths(y, y + 0.1, np.arange(20), 10)
    assert "came: 0.12: 0.03 [" in told
    assert told.count(";") == 9
    assert score.against(y, y, y + 0.1, np.arange(20), 10).startswith("-100%")


def test_totals_keep_the_money_and_a_rich_history_is_foretold_as_it_was() -> None:
    """Half of the claims bring a fifth: of others like them the model expects a tenth by the end of the same view."""
    count = 1500
    share = np.where(np.arange(count) % 2 == 0, 0.2, 0.0)
    both = totals.Totals(share, np.full(count, 5000.0), np.zeros(count, dtype=int))
    layout = totals.Layout(120, np.full(count, 24), np.full(count, 24), None)
    loans, payments = totals._tape(both, layout)
    assert loans["principal"].sum() + payments["amount"].sum() == count * 500_000
    assert payments.filter(pl.col("amount") > 0).height == count // 2
    assert (payments["date"] <= totals.AS_OF).all()
    told = totals.foretold(both, both, layout, scenarios=40, sample=3)
    assert told.share == pytest.approx(0.1, abs=0.025)
    assert told.ranks.shape == (len(told.places), 4) == (3, 4)
    assert (np.diff(told.ranks, axis=1) >= 0).all()


@pytest.mark.real
def test_the_tape_of_a_day_is_accepted_and_knows_nothing_later(real_data, tmp_path) -> None:
    every = cars.read(real_data)
    day = date(2019, 12, 31)
    look = cars.look(every, day, (6, 12, 24))
    assert look.payments["date"].max() <= day
    assert look.months["month"].max() <= day
    files = {}
    for name in ("loans", "payments", "months", "events"):
        files[name] = str(tmp_path / f"{name}.parquet")
        getattr(look, name).write_parquet(files[name])
    from arrears import Request

    checked = run.check(Request(**files))
    assert checked.tape.quarantine.is_empty()
    past_due = checked.tape.loans.filter(pl.col("days_past_due") >= 91, pl.col("principal") > 0)
    assert sorted(past_due["loan_id"]) == look.claims["loan_id"].to_list()
    # what is learnt beside it of the same day names the same claims and the same money
    same = beside.looks(every).filter(at=2019 * 12 + 11).sort("loan_id")
    both = look.claims.join(same, on="loan_id", suffix="_too")
    assert both.height == look.claims.height
    assert (both["owed"] == both["owed_too"]).all()
    for months in (6, 12):
        assert (both[f"cash_{months}"] == both[f"cash_{months}_too"]).all()
    apart = cars.look(every, date(2020, 6, 30), (6,), apart=True).claims
    assert 0 < apart["apart"].sum() < apart.height


def test_without_real_loans_it_says_so(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ARREARS_REAL", str(tmp_path))
    assert "Not measured" in recovery_real.main(smoke=True)
