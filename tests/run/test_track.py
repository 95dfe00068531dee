"""`track`: cash beside the forecast of an earlier run."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from arrears import run
from tests.recovery.fitting.tables import DAY, loans, month_ends, months, payments


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forecast of forty loans of 1,000,000 fen."""
    place = tmp_path_factory.mktemp("track")
    table = loans(*({"days_past_due": 120} for _ in range(40))).with_columns(
        borrower_id="loan_id", lender=pl.lit("Bank"), as_of=pl.lit(DAY)
    )
    table.write_parquet(place / "loans.parquet")
    request = run.Request(str(place / "loans.parquet"), scenarios=200)
    run.forecast(request, out=place / "forecast")
    return place / "forecast"


def _track(folder: Path, place: Path, *rows: tuple) -> tuple[run.Done, pl.DataFrame]:
    place.mkdir(exist_ok=True)
    payments(*rows).write_parquet(place / "payments.parquet")
    done = run.track(folder, payments=place / "payments.parquet", out=place / "out")
    return done, pl.read_parquet(place / "out/track.parquet")


def test_cash_stands_beside_the_forecast_by_month(folder: Path, tmp_path: Path) -> None:
    done, table = _track(
        folder,
        tmp_path,
        (0, date(2025, 4, 2), 300_000),
        (1, date(2025, 4, 30), 100_000),
        (0, date(2025, 5, 2), -50_000),
        (2, date(2025, 6, 20), 70_000),
    )
    curve = pl.read_parquet(folder / "curve.parquet").head(3)
    assert table.columns == ["month", "forecast", "actual", "lo90", "hi90", "alarm"]
    assert table["actual"].to_list() == [400_000, 350_000, 420_000]
    for ours, theirs in (("forecast", "mean"), ("lo90", "q05"), ("hi90", "q95")):
        assert table[ours].to_list() == curve[theirs].to_list()
    outside = (table["actual"] < table["lo90"]) | (table["actual"] > table["hi90"])
    assert table["alarm"].to_list() == outside.to_list()
    again = pl.read_parquet(tmp_path / "out/reforecast.parquet")
    assert again.height == 120
    ahead = again["reforecast"].diff()[3:] / again["forecast"].diff()[3:]
    multiplier = float(done.summary["multiplier"])  # type: ignore[arg-type]
    assert ahead.to_list() == pytest.approx([multiplier] * len(ahead), abs=1e-6)
    page = (tmp_path / "out/track.html").read_text("utf-8")
    assert "came in" in page
    assert "Cumulative, from 31 March 2025 on." in page
    # Three months are drawn beside the rest of a year, not of ten
    drawn = page.split("<svg")[1].split("</svg>")[0]
    assert ">12</text>" in drawn
    assert ">120</text>" not in drawn
    assert json.loads((tmp_path / "out/run.json").read_text("utf-8"))["command"] == "track"


@pytest.mark.parametrize(("cash", "sign"), [(1, -1), (900_000, 1)])
def test_a_pool_that_leaves_its_band_raises_an_alarm(
    folder: Path, tmp_path: Path, cash: int, sign: int
) -> None:
    done, table = _track(folder, tmp_path, *((n, date(2026, 3, 20), cash) for n in range(40)))
    assert table.height == 12
    assert table["alarm"][-1]
    assert done.summary["alarm"]
    assert done.summary["first_alarm"] == table.filter("alarm")["month"][0]
    multiplier = float(done.summary["multiplier"])  # type: ignore[arg-type]
    assert (multiplier - 1.0) * sign > 0
    # part of what forty loans did is luck
    actual, forecast = table["actual"][-1], table["forecast"][-1]
    assert abs(multiplier - 1.0) < 0.75 * abs(actual / forecast - 1.0)


def test_what_cannot_be_is_left_out_and_told(folder: Path, tmp_path: Path) -> None:
    done, table = _track(
        folder,
        tmp_path,
        (0, date(2025, 3, 2), 300_000),
        (77, date(2025, 4, 2), 300_000),
        (1, date(2025, 4, 2), 90_000_000),
        (2, date(2025, 4, 2), 5_000),
        (3, date(2025, 4, 9), 500_000, "sale"),
    )
    codes = {problem.code for problem in done.problems}
    assert {"PAYMENT-BEFORE-CUT-OFF", "UNKNOWN-LOAN", "PAYMENT-OVER-DEBT"} <= codes
    assert table["actual"].to_list() == [5_000]


def test_a_history_that_ends_before_it_starts_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(run.Stopped) as stopped:
        _track(folder, tmp_path, (0, date(2025, 3, 2), 300_000))
    assert stopped.value.status == 2
    assert stopped.value.problems[0].code == "NO-PAYMENTS-AFTER"
    assert not (tmp_path / "out").exists()


def test_a_date_mistyped_far_ahead_is_told(folder: Path, tmp_path: Path) -> None:
    paid = [(n, date(2025, 4, 2 + n), 5_000) for n in range(20)]
    done, table = _track(folder, tmp_path, *paid, (21, date(2045, 4, 2), 5_000))
    assert table.height == 1
    beyond = [one for one in done.problems if one.code == "PAYMENT-AFTER-FORECAST"]
    assert "1 payment lies after 2035-03-31" in beyond[0].found
    done, table = _track(folder, tmp_path / "again", *paid, (21, date(2029, 4, 2), 5_000))
    assert table.height == 49
    alone = [one for one in done.problems if one.code == "PAYMENTS-END-ALONE"]
    assert "up to 2029-04-02, long after the others end on 2025-04-21" in alone[0].found


def test_a_pool_too_small_to_have_paid_yet_is_not_given_up(tmp_path: Path) -> None:
    days = [*([300] * 40), *([2100] * 6)]
    table = loans(*({"days_past_due": day, "principal": 300_000} for day in days)).with_columns(
        borrower_id="loan_id", lender=pl.lit("Bank"), as_of=pl.lit(DAY)
    )
    table.write_parquet(tmp_path / "loans.parquet")
    request = run.Request(str(tmp_path / "loans.parquet"), scenarios=200)
    run.forecast(request, out=tmp_path / "forecast")
    curve = pl.read_parquet(tmp_path / "forecast/curve.parquet")
    # the large pool pays as foretold; six claims nearly six years old pay nothing in a month, as nearly always
    _track(tmp_path / "forecast", tmp_path, (0, date(2025, 4, 9), round(curve["mean"][0])))
    small, _ = pl.read_parquet(tmp_path / "out/pools.parquet").iter_rows(named=True)
    assert (small["loans"], small["actual"], small["alarm"]) == (6, 0, False)
    assert small["hi90"] == 0
    assert small["multiplier"] > 0.9


def test_a_folder_without_a_forecast_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(run.Stopped) as stopped:
        _track(tmp_path, tmp_path, (0, date(2025, 4, 2), 1))
    assert stopped.value.problems[0].code == "NO-RUN"
    assert folder.exists()


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forecast of two pools by month of default, one of which the months show to be bought, and a loan in neither."""
    place = tmp_path_factory.mktemp("pools")
    days = [*([120] * 30), *([300] * 30), 10]
    table = loans(*({"days_past_due": day} for day in days)).with_columns(
        borrower_id="loan_id", lender=pl.lit("Bank"), as_of=pl.lit(DAY)
    )
    table.write_parquet(place / "loans.parquet")
    old = [(n, end, 30, 0) for n in range(30) for end in month_ends(6)[:2]]
    bought = [(n, end, 270, 0) for n in range(30, 60) for end in month_ends(6)[-2:]]
    months(*old, *bought).write_parquet(place / "months.parquet")
    request = run.Request(
        str(place / "loans.parquet"), months=str(place / "months.parquet"), scenarios=100
    )
    run.forecast(request, out=place / "forecast")
    return place


def test_each_static_pool_is_held_against_its_own_forecast(pooled: Path, tmp_path: Path) -> None:
    # the younger pool pays three quarters of all it owes at once, the older one nothing
    paid = [(n, date(2025, 4, 20), 750_000) for n in range(30)]
    done, _ = _track(pooled / "forecast", tmp_path, *paid, (0, date(2026, 3, 20), 1))
    pools = pl.read_parquet(tmp_path / "out/pools.parquet")
    assert pools.select("by", "pool", "loans").rows() == [
        ("default", "2024-09", 30),
        ("default", "2025-03", 30),
        ("purchase", "2025-02", 30),
    ]
    older, younger, bought = pools.iter_rows(named=True)
    assert (younger["alarm"], younger["side"], younger["first_alarm"]) == (True, "above", 1)
    assert younger["chance"] <= 0.1 < older["chance"] + 0.05
    # what one pool paid lifts what is believed of the other, and its own more
    assert younger["multiplier"] > older["multiplier"]
    assert (bought["claim"], bought["actual"]) == (older["claim"], 0)
    told = pl.read_parquet(tmp_path / "out/pool_months.parquet")
    assert told.columns == ["by", "pool", "month", "forecast", "actual", "lo90", "hi90", "alarm"]
    assert told.group_by("by", "pool").len()["len"].to_list() == [12, 12, 12]
    kinds = done.summary["pools"]
    assert kinds["default"]["pools"] == 2  # type: ignore[index]
    assert "2025-03" in kinds["default"]["in_alarm"]  # type: ignore[index]
    assert 0.0 <= kinds["default"]["by_luck"] <= 0.25  # type: ignore[index]
    page = (tmp_path / "out/track.html").read_text("utf-8")
    assert "static pools by month of default" in page
    assert "static pools by month of purchase" in page
    assert any(line.startswith("Pools") for line in done.lines)


def test_pools_without_what_their_forecast_rests_on_are_left_out_and_told(
    pooled: Path, tmp_path: Path
) -> None:
    curve = pl.read_parquet(pooled / "forecast/curve.parquet")
    kept = (pooled / "months.parquet").read_bytes()
    try:
        (pooled / "months.parquet").unlink()
        done, _ = _track(pooled / "forecast", tmp_path, (0, date(2025, 4, 2), 5_000))
        assert set(done.summary["pools"]) == {"default"}  # type: ignore[call-overload]
        assert [p.code for p in done.problems] == ["POOLS-NOT-TOLD"]
        curve.with_columns(pl.col("mean") * 1.01).write_parquet(pooled / "forecast/curve.parquet")
        payments((0, date(2025, 4, 2), 5_000)).write_parquet(tmp_path / "paid.parquet")
        done = run.track(
            pooled / "forecast", payments=tmp_path / "paid.parquet", out=tmp_path / "more"
        )
        assert not done.summary["pools"]
        assert [p.where for p in done.problems] == ["curve.parquet"]
    finally:
        (pooled / "months.parquet").write_bytes(kept)
        curve.write_parquet(pooled / "forecast/curve.parquet")
