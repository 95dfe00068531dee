"""The static pools of a tracked run: each beside what it was expected to bring, by month of default and of purchase."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from arrears import recovery, tape
from arrears.core.hashing import file_hash
from arrears.problems import Problem
from arrears.recovery.params import DEFAULT_DAY, Ints
from arrears.rules import load_market
from arrears.run import record as run_record
from arrears.run.modelfile import read_model

_NAMES = {"by": pl.String, "pool": pl.String}
_SUMS = {
    "forecast": pl.Float64,
    "actual": pl.Int64,
    "lo90": pl.Float64,
    "hi90": pl.Float64,
    "alarm": pl.Boolean,
}
MONTHS = _NAMES | {"month": pl.Int32} | _SUMS
POOLS = _NAMES | {"loans": pl.Int64, "claim": pl.Int64} | _SUMS
POOLS |= {"first_alarm": pl.Int32, "side": pl.String}
POOLS |= dict.fromkeys(("chance", "multiplier", "remaining"), pl.Float64)
Multiplier = Callable[[pl.DataFrame, int, int, float], float]
# A forecast made again is the one that was left, but for the last digits.
_SAME = 1e-6


@dataclass(frozen=True)
class Tracked:
    """Pools beside their forecast.

    Attributes:
        table: a row a pool, as `POOLS`; fen, at the last month seen.
        months: a row a pool and month, as `MONTHS`; cumulative.
        kinds: by kind of pool: how many there are, how many have left their band, how many would by the forecast's own
            draws, and the chance that so many or more do.
    """

    table: pl.DataFrame
    months: pl.DataFrame
    kinds: dict[str, dict[str, float]]


def tracked_pools(
    record: run_record.Record,
    loans: pl.DataFrame,
    paid: pl.DataFrame,
    *,
    curve: pl.DataFrame,
    multiplier: Multiplier,
    problems: list[Problem],
) -> Tracked:
    """Hold the pools of a run against what came in.

    Args:
        record: of the run; its model, stress and seed make its forecast again.
        loans: that it accepted.
        paid: `loan_id, index, amount`, `index` the month since the cut-off date, the first being 0; months beyond the
            last that counts are left out.
        curve: that it left.
        multiplier: of what is still to come, from a curve, the months seen, the cash in them, and what is believed as
            far as that cash is not.
        problems: why pools are not told is added.
    """
    day = date.fromisoformat(str(record["as_of"]))
    loans = loans.filter(pl.sum_horizontal("principal", "interest", "fees") > 0)
    whole = _again(record, loans, day, curve=curve, problems=problems)
    kinds: dict[str, dict[str, float]] = {}
    rows: list[dict[str, object]] = []
    months = [pl.DataFrame(schema=MONTHS)]
    if whole is not None:
        named = {"default": _defaulted(loans, day), "purchase": _bought(record, loans, problems)}
        for by, month in named.items():
            watched = _watched(by, month, loans, paid)
            if not watched.names:
                continue
            found = list(_found(record, whole, watched.number, loans, months=watched.seen))
            together = np.minimum(watched.number, 0)
            (pooled,) = _found(record, whole, together, loans, months=watched.seen)
            cash = int(watched.actual[:, -1].sum())
            prior = multiplier(pooled.curve, watched.seen, cash, 1.0)
            tables = [_by_month(watched, pool, place) for place, pool in enumerate(found)]
            months += tables
            rows += [
                _row(
                    loans.filter(pl.Series(watched.number == place)),
                    pool,
                    told,
                    times=multiplier(pool.curve, told.height, told["actual"][-1], prior),
                )
                for place, (pool, told) in enumerate(zip(found, tables, strict=True))
            ]
            kinds[by] = _judged(watched, found, tables)
    return Tracked(pl.DataFrame(rows, schema=POOLS, orient="row"), pl.concat(months), kinds)


@dataclass(frozen=True)
class _Watched:
    """The pools of one kind, `number` of each loan's (n,), below 0 for none, and their cumulative cash (K, months)."""

    by: str
    names: list[str]
    number: Ints
    actual: Ints

    @property
    def seen(self) -> int:
        return len(self.actual[0])


def _watched(by: str, month: pl.Series, loans: pl.DataFrame, paid: pl.DataFrame) -> _Watched:
    names = sorted(month.drop_nulls().unique().to_list())
    places = {name: place for place, name in enumerate(names)}
    number = month.replace_strict(places, default=-1, return_dtype=pl.Int64).fill_null(-1)
    pool = pl.DataFrame({"loan_id": loans["loan_id"], "pool": number})
    cash = paid.join(pool, on="loan_id").filter(pl.col("pool") >= 0)
    sums = np.zeros((len(names), int(cast("int", paid["index"].max())) + 1), dtype=np.int64)
    where = (cash["pool"].to_numpy(), cash["index"].to_numpy())
    np.add.at(sums, where, cash["amount"].to_numpy())
    return _Watched(by, names, number.to_numpy(), np.cumsum(sums, axis=1))


def _found(
    record: run_record.Record,
    whole: recovery.Forecast,
    number: Ints,
    loans: pl.DataFrame,
    *,
    months: int,
) -> Iterator[recovery.Pool]:
    request, market = run_record.request_of(record), load_market("cn")
    day = date.fromisoformat(str(record["as_of"]))
    return recovery.pools(
        whole,
        number,
        loans,
        as_of=day,
        market=market,
        months=months,
        scenarios=request.scenarios,
        seed=request.seed,
        stress=recovery.Stress.named(request.stress, market, day) if request.stress else None,
    )


def _by_month(watched: _Watched, pool: recovery.Pool, place: int) -> pl.DataFrame:
    """A row a month, as `MONTHS`."""
    seen, actual = watched.seen, watched.actual[place]
    return pl.DataFrame(
        {
            "by": [watched.by] * seen,
            "pool": [watched.names[place]] * seen,
            "month": range(1, seen + 1),
            "forecast": pool.curve["mean"][:seen],
            "actual": actual,
            "lo90": pool.band.lo[:seen],
            "hi90": pool.band.hi[:seen],
            "alarm": pool.band.outside(actual.astype(np.float64)),
        },
        schema=MONTHS,
    )


def _row(
    mine: pl.DataFrame, pool: recovery.Pool, told: pl.DataFrame, *, times: float
) -> dict[str, object]:
    """A pool as it stands at the last month, as `POOLS`."""
    last = told.row(-1, named=True)
    first = told.filter("alarm").head(1).to_dicts()
    return {
        **{name: last[name] for name in ("by", "pool", "forecast", "actual", "lo90", "hi90")},
        "loans": mine.height,
        "claim": mine.select(pl.sum_horizontal("principal", "interest", "fees").sum()).item(),
        "alarm": bool(first),
        "first_alarm": first[0]["month"] if first else None,
        "side": ("below" if first[0]["actual"] < first[0]["lo90"] else "above") if first else None,
        "chance": pool.band.chance(told["actual"].to_numpy().astype(np.float64)),
        "multiplier": times,
        "remaining": times * (float(pool.curve["mean"][-1]) - float(last["forecast"])),
    }


def _judged(
    watched: _Watched, found: list[recovery.Pool], tables: list[pl.DataFrame]
) -> dict[str, float]:
    """How many pools have left their band, and how many do under the forecast's own draws, which they share."""
    exits = np.stack([pool.band.exits for pool in found])
    left = ((exits > 0) & (exits <= watched.seen)).sum(axis=0)
    alarms = sum(bool(told["alarm"].any()) for told in tables)
    return {
        "pools": len(found),
        "alarms": alarms,
        "by_luck": float(left.mean()),
        "chance": float((1 + (left >= alarms).sum()) / (1 + len(left))),
    }


def _again(
    record: run_record.Record,
    loans: pl.DataFrame,
    day: date,
    *,
    curve: pl.DataFrame,
    problems: list[Problem],
) -> recovery.Forecast | None:
    """The forecast of the run, made again; None where it cannot be, or is another."""
    request, market, model = run_record.request_of(record), load_market("cn"), None
    if request.model is not None:
        if not _unchanged(record, "model"):
            found = f"{request.model} is not there, or is not the model that the run took."
            problems.append(_not_told("--model", found, "Put it back where it lay."))
            return None
        model, wrong = read_model(Path(request.model))
        problems += wrong
    whole = recovery.forecast(
        loans,
        as_of=day,
        market=market,
        discount_rate=0.0,
        scenarios=2,
        stress=recovery.Stress.named(request.stress, market, day) if request.stress else None,
        model=model,
    )
    then, now = curve["mean"].to_numpy(), whole.curve["mean"].to_numpy()
    if not np.allclose(then, now[: len(then)], rtol=_SAME):
        found = "The run's forecast does not come out again: Arrears or its market book has changed since."
        problems.append(_not_told("curve.parquet", found, "Forecast again, and track that."))
        return None
    return whole


def _defaulted(loans: pl.DataFrame, day: date) -> pl.Series:
    """Month of day 91 of each loan (n,), as `2024-05`; null before it."""
    ago = (pl.col("days_past_due") - DEFAULT_DAY).cast(pl.Int64)
    month = (pl.lit(day) - pl.duration(days=ago)).cast(pl.Date).dt.strftime("%Y-%m")
    return loans.select(pl.when(ago >= 0).then(month)).to_series()


def _bought(record: run_record.Record, loans: pl.DataFrame, problems: list[Problem]) -> pl.Series:
    """Month of purchase of each loan (n,) as the run's months tell it; null where they tell of none."""
    request = run_record.request_of(record)
    nothing = pl.Series([None] * loans.height, dtype=pl.String)
    if request.months is None:
        return nothing
    if not _unchanged(record, "months"):
        found = f"{request.months} is not there, or is not the table that the run read."
        problems.append(_not_told("--months", found, "Put it back where it lay.", of="purchase"))
        return nothing
    from arrears.recovery.fitting.person_period import history
    from arrears.recovery.fitting.pools import month_of_purchase

    files = tape.TapeFiles(loans=Path(request.loans), months=Path(request.months))
    if not Path(request.loans).is_file():
        return nothing
    reading = tape.read(
        files, mapping=Path(request.map) if request.map else None, as_of=request.as_of
    )
    if reading.tape is None or reading.tape.months is None:
        return nothing
    past = history(
        reading.tape.loans,
        as_of=reading.tape.as_of,
        payments=None,
        months=reading.tape.months,
        events=None,
    )
    month = month_of_purchase(past)
    known = pl.DataFrame({"loan_id": past.loan_ids, "month": month}).filter(pl.col("month") >= 0)
    name = pl.format(
        "{}-{}", pl.col("month") // 12, (pl.col("month") % 12 + 1).cast(pl.String).str.zfill(2)
    )
    return loans.select("loan_id").join(
        known.select("loan_id", name=name), on="loan_id", how="left", maintain_order="left"
    )["name"]  # fmt: skip


def _unchanged(record: run_record.Record, name: str) -> bool:
    """Whether an input of the run is where it was, as it was."""
    entry = next(e for e in cast("list[dict[str, str]]", record["inputs"]) if e["name"] == name)
    path = Path(entry["path"])
    return path.is_file() and file_hash(path) == entry["sha256"]


def _not_told(where: str, found: str, fix: str, of: str = "default") -> Problem:
    kind = "Static pools" if of == "default" else "Pools by month of purchase"
    return Problem("POOLS-NOT-TOLD", "warning", where, found, f"{kind} are left out.", fix)
