"""`track`: cash beside the forecast of an earlier run."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from arrears import run
from tests.recovery.fitting.tables import DAY, loans, payments


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
    assert "came in" in (tmp_path / "out/track.html").read_text("utf-8")
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


def test_a_folder_without_a_forecast_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(run.Stopped) as stopped:
        _track(tmp_path, tmp_path, (0, date(2025, 4, 2), 1))
    assert stopped.value.problems[0].code == "NO-RUN"
    assert folder.exists()
