"""`track`: what came in after the cut-off date of an earlier run, beside its forecast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from arrears import report, tape
from arrears.core.dates import add_months
from arrears.core.words import counted
from arrears.files import staged
from arrears.files.folder import RECORD
from arrears.problems import Problem
from arrears.recovery.fitting.features import month_of
from arrears.recovery.params import Params
from arrears.rules import load_market
from arrears.run import record as run_record
from arrears.run.job import Done
from arrears.run.products import Products, to_json
from arrears.run.stopped import Stopped
from arrears.run.strays import late_strays
from arrears.run.tracked_pools import tracked_pools

# A tenth more than the claim is taken for interest and costs since the cut-off date.
_MOST = 1.1
_LEVEL_MONTH = 60
# Nine in ten of a normal distribution, in standard deviations.
_WIDTH = 3.2897
_EXPECTED = {"DATE-AFTER-CUT-OFF"}


@dataclass(frozen=True)
class _Run:
    """What an earlier run left: its day, its curve, its loans, its record."""

    as_of: date
    curve: pl.DataFrame
    loans: Path
    record: run_record.Record


def track(folder: Path, *, payments: Path, out: Path, force: bool = False) -> Done:
    """Hold payments against the forecast of an earlier run, of all loans and of each static pool.

    Leaves `track.parquet, reforecast.parquet, pools.parquet, pool_months.parquet, track.html`.

    Args:
        folder: what `resolve`, `forecast` or `price` left for a tape.
        payments: of its loans, after its cut-off date.

    Raises:
        Stopped: the folder holds no such run, or no payment lies after its cut-off date.
        BadArgument: `out` cannot be written to.
    """
    told = _run(folder)
    problems: list[Problem] = []
    loans, paid = _paid(told, payments, problems)
    tracked = _against(told, paid)
    level = _level(told.as_of)
    again, multiplier = _again(told.curve, tracked, level=level)

    def believed(curve: pl.DataFrame, seen: int, actual: int, prior: float) -> float:
        return _multiplier(curve, seen, actual, level=level, prior=prior)

    pools = tracked_pools(
        told.record,
        loans,
        _placed(paid, told.as_of, tracked.height),
        curve=told.curve,
        multiplier=believed,
        problems=problems,
    )
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
        "pools": {
            by: {
                **kind,
                "in_alarm": pools.table.filter(pl.col("by") == by, "alarm")["pool"].to_list(),
            }
            for by, kind in pools.kinds.items()
        },
        "problems": [problem.as_dict() for problem in problems],
    }
    with staged(out, force=force) as place:
        products = Products(place.folder)
        products.table("track.parquet", tracked)
        products.table("reforecast.parquet", again)
        products.table("pools.parquet", pools.table)
        products.table("pool_months.parquet", pools.months)
        products.text(
            "track.html",
            report.track_page(
                tracked,
                again,
                since=told.as_of,
                multiplier=multiplier,
                pools=pools.table,
                kinds=pools.kinds,
            ),
        )
        record = {"command": "track", "summary": summary, "products": products.hashes}
        (place.folder / RECORD).write_text(to_json(record), encoding="utf-8")
    lines = [
        f"Came in   {report.money(last['actual'])} in {counted(tracked.height, 'month')}, "
        f"{report.money(last['forecast'])} was expected",
        f"Alarm     {'yes' if last['alarm'] else 'no'}; "
        f"{alarms} of {counted(tracked.height, 'month')} outside nine in ten",
        *(report.pools_line(by, kind) for by, kind in pools.kinds.items()),
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
    return _Run(date.fromisoformat(str(record["as_of"])), pl.read_parquet(curve), loans, record)


def _paid(told: _Run, path: Path, problems: list[Problem]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The loans, and the payments that count: after the cut-off date, of known loans, not over the debt, no sale.

    Raises:
        Stopped: none is left.
    """
    reading = tape.read(tape.TapeFiles(loans=told.loans, payments=path), as_of=told.as_of)
    problems += [problem for problem in reading.problems if problem.code not in _EXPECTED]
    if reading.tape is None:
        raise Stopped(problems)
    table, name = reading.tape.payments, path.name
    if table is None:
        raise Stopped([_none_after(told.as_of, name), *problems])
    early = table.filter(pl.col("date") <= told.as_of)
    if early.height:
        many = counted(early.height, "payment lies", "payments lie")
        found = f"{many} on or before {told.as_of}, e.g. of loan {early['loan_id'][0]}."
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
        many = counted(over.height, "payment is", "payments are")
        found = f"{many} more than what was owed, e.g. of loan {over['loan_id'][0]}."
        fix = "Check the amounts and their unit."
        problems.append(_left_out("PAYMENT-OVER-DEBT", f"{name} amount", found, fix))
    kept = kept.filter(pl.col("so_far") <= _MOST * pl.col("claim"))
    end = _ends(told.as_of, told.curve.height)[-1]
    beyond = kept.filter(pl.col("date") > end)
    if beyond.height:
        many = counted(beyond.height, "payment lies", "payments lie")
        found = f"{many} after {end}, where the forecast ends, e.g. of loan {beyond['loan_id'][0]}."
        problems.append(
            _left_out("PAYMENT-AFTER-FORECAST", f"{name} date", found, "Correct the date.")
        )
    kept = kept.filter(pl.col("date") <= end)
    problems += late_strays(kept, name=name, start=month_of(told.as_of))
    if kept.is_empty():
        raise Stopped([_none_after(told.as_of, name), *problems])
    return reading.tape.loans, kept


def _none_after(as_of: date, name: str) -> Problem:
    found = f"No payment that counts lies after the cut-off date {as_of}."
    why = "The history ends before it starts."
    return Problem("NO-PAYMENTS-AFTER", "error", name, found, why, "Give later payments.")


def _left_out(code: str, where: str, found: str, fix: str) -> Problem:
    return Problem(code, "warning", where, found, "They are left out.", fix)


def _ends(as_of: date, months: int) -> list[date]:
    """The last day of each month since the cut-off date."""
    return [add_months(as_of, month) for month in range(1, months + 1)]


def _placed(paid: pl.DataFrame, as_of: date, months: int) -> pl.DataFrame:
    """`loan_id, index, amount` of the payments in so many months since the cut-off date; the first has index 0."""
    ends = pl.Series(_ends(as_of, months), dtype=pl.Date)
    index = ends.search_sorted(paid["date"], side="left").cast(pl.Int64)
    placed = paid.select("loan_id", "amount").with_columns(index=index)
    return placed.filter(pl.col("index") < months)


def _against(told: _Run, paid: pl.DataFrame) -> pl.DataFrame:
    """`month, forecast, actual, lo90, hi90, alarm`, cumulative, up to the month of the last payment."""
    months = told.curve.height
    placed = _placed(paid, told.as_of, months)
    by_month = np.zeros(months, dtype=np.int64)
    np.add.at(by_month, placed["index"].to_numpy(), placed["amount"].to_numpy())
    last = cast("date", paid["date"].max())
    count = min(sum(end < last for end in _ends(told.as_of, months)) + 1, months)
    table = told.curve.with_columns(actual=pl.Series(np.cumsum(by_month))).head(count)
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
    """The forecast that learns from what came in, `month, forecast, lo90, hi90, reforecast`, and its multiplier."""
    row = curve.row(tracked.height - 1, named=True)
    actual = float(tracked["actual"][-1])
    multiplier = _multiplier(curve, tracked.height, actual, level=level, prior=1.0)
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


def _multiplier(
    curve: pl.DataFrame, seen: int, actual: float, *, level: float, prior: float
) -> float:
    """What the forecast of what is to come is multiplied by, from the cash of the months seen.

    The ratio of cash to forecast is believed by credibility: the variance of the level over the variance at the months
    seen, which luck widens. The former is what the band still is after five years, but no more than the market's: a
    small pool's band is luck to the end, and tells nothing of the level.

    Args:
        prior: what is believed as far as the ratio is not: 1 of all loans, that of all pools of one of them.
    """
    row = curve.row(seen - 1, named=True)
    far = curve.row(min(max(_LEVEL_MONTH, seen), curve.height) - 1, named=True)
    if not (row["mean"] > 0 and far["mean"] > 0):
        return prior
    now, later = _spread(row), _spread(far)
    z = min(min(later, level * _WIDTH**2) / now, 1.0) if now > 0 else 1.0
    return float(max(prior + z * (actual / row["mean"] - prior), 0.0))


def _spread(row: dict[str, float]) -> float:
    """Square of the relative width of the band, as wide as a normal one of that variance.

    Where rare payments put the mean above nineteen in twenty draws the band hides them: the variance is then at least
    19 times the square of the distance of the mean from it, which is what the highest twentieth must make up for.
    """
    width: float = ((row["q95"] - row["q05"]) / row["mean"]) ** 2
    missed: float = 19.0 * max(1.0 - row["q95"] / row["mean"], 0.0) ** 2
    return max(width, _WIDTH**2 * missed)
