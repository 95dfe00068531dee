"""`track`: what came in after the cut-off date of an earlier run, beside its forecast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from arrears import report, tape
from arrears.core.dates import add_months
from arrears.files import staged
from arrears.files.folder import RECORD
from arrears.problems import Problem
from arrears.recovery.params import Params
from arrears.rules import load_market
from arrears.run import record as run_record
from arrears.run.job import Done
from arrears.run.products import Products, to_json
from arrears.run.stopped import Stopped

# A tenth more than the claim is taken for interest and costs since the cut-off date.
_MOST = 1.1
_LEVEL_MONTH = 60
# Nine in ten of a normal distribution, in standard deviations.
_WIDTH = 3.2897
_EXPECTED = {"DATE-AFTER-CUT-OFF"}


@dataclass(frozen=True)
class _Run:
    """What an earlier run left: its day, its curve, its loans."""

    as_of: date
    curve: pl.DataFrame
    loans: Path


def track(folder: Path, *, payments: Path, out: Path, force: bool = False) -> Done:
    """Hold payments against the forecast of an earlier run: `track.parquet, reforecast.parquet, track.html`.

    Args:
        folder: what `resolve`, `forecast` or `price` left for a tape.
        payments: of its loans, after its cut-off date.

    Raises:
        Stopped: the folder holds no such run, or no payment lies after its cut-off date.
        BadArgument: `out` cannot be written to.
    """
    told = _run(folder)
    problems: list[Problem] = []
    paid = _paid(told, payments, problems)
    tracked = _against(told, paid)
    again, multiplier = _again(told.curve, tracked, level=_level(told.as_of))
    alarms = int(tracked["alarm"].sum())
    last = tracked.row(-1, named=True)
    summary: dict[str, object] = {
        "as_of": told.as_of.isoformat(),
        "months": tracked.height,
        "forecast": last["forecast"],
        "actual": last["actual"],
        "alarm": last["alarm"],
        "alarms": alarms,
        "first_alarm": tracked.filter("alarm")["month"].min(),
        "multiplier": multiplier,
        "problems": [problem.as_dict() for problem in problems],
    }
    with staged(out, force=force) as place:
        products = Products(place.folder)
        products.table("track.parquet", tracked)
        products.table("reforecast.parquet", again)
        since = told.as_of.isoformat()
        products.text(
            "track.html", report.track_page(tracked, again, since=since, multiplier=multiplier)
        )
        record = {"command": "track", "summary": summary, "products": products.hashes}
        (place.folder / RECORD).write_text(to_json(record), encoding="utf-8")
    lines = [
        f"Came in   {report.money(last['actual'])} in {tracked.height} months, "
        f"{report.money(last['forecast'])} was expected",
        f"Alarm     {'yes' if last['alarm'] else 'no'}; {alarms} of {tracked.height} months lie outside nine in ten",
        f"To come   {multiplier:.2f} times the forecast; page: {out / 'track.html'}",
    ]
    return Done(summary | {"out": str(out)}, tuple(lines), tuple(problems))


def _run(folder: Path) -> _Run:
    record = run_record.read(folder)
    curve, loans = folder / "curve.parquet", folder / "accepted.parquet"
    if not curve.is_file() or not loans.is_file():
        found = f"{folder} holds no forecast with its loans."
        fix = "Name what `resolve`, `forecast` or `price` left for a tape."
        raise Stopped([Problem("NO-FORECAST", "error", str(folder), found, "", fix)])
    return _Run(date.fromisoformat(str(record["as_of"])), pl.read_parquet(curve), loans)


def _paid(told: _Run, path: Path, problems: list[Problem]) -> pl.DataFrame:
    """Payments that count: after the cut-off date, of known loans, no more than the debt, no price of a sale.

    Raises:
        Stopped: none is left.
    """
    reading = tape.read(tape.TapeFiles(loans=told.loans, payments=path), as_of=told.as_of)
    problems += [problem for problem in reading.problems if problem.code not in _EXPECTED]
    if reading.tape is None or reading.tape.payments is None:
        raise Stopped(problems)
    table, name = reading.tape.payments, path.name
    early = table.filter(pl.col("date") <= told.as_of)
    if early.height:
        found = f"{early.height:,} payments lie on or before {told.as_of}, e.g. of loan {early['loan_id'][0]}."
        fix = "Give payments after it."
        problems.append(_left_out("PAYMENT-BEFORE-CUT-OFF", f"{name} date", found, fix))
    claim = reading.tape.loans.select(
        "loan_id", claim=pl.sum_horizontal("principal", "interest", "fees")
    )
    kept = (
        table.filter(pl.col("date") > told.as_of, (pl.col("source") != "sale").fill_null(True))
        .join(claim, on="loan_id")
        .sort("loan_id", "date")
        .with_columns(so_far=pl.col("amount").cum_sum().over("loan_id"))
    )
    over = kept.filter(pl.col("so_far") > _MOST * pl.col("claim"))
    if over.height:
        found = f"{over.height:,} payments are more than what was owed, e.g. of loan {over['loan_id'][0]}."
        fix = "Check the amounts and their unit."
        problems.append(_left_out("PAYMENT-OVER-DEBT", f"{name} amount", found, fix))
    kept = kept.filter(pl.col("so_far") <= _MOST * pl.col("claim"))
    if kept.is_empty():
        found = f"No payment that counts lies after the cut-off date {told.as_of}."
        why = "The history ends before it starts."
        error = Problem("NO-PAYMENTS-AFTER", "error", name, found, why, "Give later payments.")
        raise Stopped([error, *problems])
    return kept


def _left_out(code: str, where: str, found: str, fix: str) -> Problem:
    return Problem(code, "warning", where, found, "They are left out.", fix)


def _against(told: _Run, paid: pl.DataFrame) -> pl.DataFrame:
    """`month, forecast, actual, lo90, hi90, alarm`, cumulative, up to the month of the last payment."""
    months = told.curve.height
    ends = pl.DataFrame(
        {
            "month": pl.Series(range(1, months + 1), dtype=pl.Int32),
            "end": [add_months(told.as_of, month) for month in range(1, months + 1)],
        }
    )
    days, last = paid.select("date", "amount"), paid["date"].max()
    sums = ends.select(
        "month",
        actual=pl.Series(
            [int(days.filter(pl.col("date") <= end)["amount"].sum()) for end in ends["end"]],
            dtype=pl.Int64,
        ),
    )
    count = min(int((ends["end"] < last).sum()) + 1, months)
    table = told.curve.join(sums, on="month").head(count)
    return table.select(
        "month",
        forecast="mean",
        actual="actual",
        lo90="q05",
        hi90="q95",
        alarm=(pl.col("actual") < pl.col("q05")) | (pl.col("actual") > pl.col("q95")),
    )


def _level(as_of: date) -> float:
    """Variance of the level of payments in the market: its common factor and the error of its curve."""
    params = Params.of(load_market("cn"), as_of)
    return params.deviation**2 + params.level_error**2


def _again(
    curve: pl.DataFrame, tracked: pl.DataFrame, *, level: float
) -> tuple[pl.DataFrame, float]:
    """The forecast that learns from what came in, `month, forecast, lo90, hi90, reforecast`, and its multiplier.

    The ratio of cash to forecast is believed by credibility: the variance of the level over the variance at the months
    seen, which luck widens. The former is what the band still is after five years, but no more than the market's: a
    small pool's band is luck to the end, and tells nothing of the level.
    """
    seen = tracked.height
    row = curve.row(seen - 1, named=True)
    far = curve.row(min(max(_LEVEL_MONTH, seen), curve.height) - 1, named=True)
    z = 0.0
    if row["mean"] > 0 and far["mean"] > 0:
        now, later = _spread(row), _spread(far)
        z = min(min(later, level * _WIDTH**2) / now, 1.0) if now > 0 else 1.0
    actual = float(tracked["actual"][-1])
    multiplier = 1.0 + z * (actual / row["mean"] - 1.0) if row["mean"] > 0 else 1.0
    multiplier = max(multiplier, 0.0)
    ahead = actual + multiplier * (pl.col("mean") - row["mean"])
    both = curve.join(tracked.select("month", "actual"), on="month", how="left")
    table = both.select(
        "month",
        forecast="mean",
        lo90="q05",
        hi90="q95",
        reforecast=pl.coalesce(pl.col("actual").cast(pl.Float64), ahead),
    )
    return table.sort("month"), multiplier


def _spread(row: dict[str, float]) -> float:
    """Square of the relative width of the band."""
    width: float = ((row["q95"] - row["q05"]) / row["mean"]) ** 2
    return width
