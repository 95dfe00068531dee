"""`arrears fit` and `arrears forecast` on a tape of a past day, through files as a user would, claim by claim."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

import arrears
from arrears import run
from arrears.recovery.forecast import paths_of, window
from arrears.run.gather import gather
from arrears.run.values import forecast_of

RANKS = (0.05, 0.25, 0.75, 0.95)


@dataclass(frozen=True)
class Tape:
    """What was known on a day, in canonical tables, and the loans to be foretold (`claims`, sorted)."""

    as_of: date
    loans: pl.DataFrame
    payments: pl.DataFrame
    claims: pl.DataFrame
    months: pl.DataFrame | None = None
    events: pl.DataFrame | None = None


@dataclass(frozen=True)
class Told:
    """A forecast of claims (n, in the order of their names) to some horizons (H).

    Attributes:
        expected: (n, H) fen.
        ranks: (k, H, 4) fen, quantiles `RANKS` of each claim by itself; None where they were not asked for.
        pool: (H, 4) the same of all together.
        said: what the model rests on.
    """

    expected: np.ndarray
    ranks: np.ndarray | None
    pool: np.ndarray
    said: str


def told(
    tape: Tape,
    folder: Path,
    horizons: tuple[int, ...],
    *,
    scenarios: int,
    rows: np.ndarray | None = None,
    fitted: bool = True,
) -> Told:
    """Fit on the tape, then forecast its claims with the model, or by the market prior alone.

    Args:
        scenarios: behind the range of a claim; 0 for no ranges of claims.
        rows: (k,) places of the claims that have a range; all where left out.

    Raises:
        ValueError: a claim was refused.
    """
    files = {}
    for name in ("loans", "payments", "months", "events"):
        table = getattr(tape, name)
        if table is not None:
            files[name] = str(folder / f"{name}.parquet")
            table.write_parquet(files[name])
    model = {}
    if fitted:
        run.fit(arrears.Request(**files), out=folder / "fit", force=True)
        model = {"model": str(folder / "fit/model.json")}
    claims = folder / "claims.parquet"
    tape.claims.write_parquet(claims)
    gathered = gather(arrears.Request(loans=str(claims), **model))
    found, loans = forecast_of(gathered)
    if loans["loan_id"].to_list() != tape.claims["loan_id"].to_list():
        raise ValueError("the tape lost claims on the way")
    values = found.with_sale(np.stack([window(0.0, 0, months) for months in horizons]))
    places = np.array(horizons) - 1
    ranks = None
    if scenarios:
        market, day = gathered.market, tape.as_of
        chosen = range(loans.height) if rows is None else [int(row) for row in rows]
        ranks = np.empty((len(chosen), len(horizons), len(RANKS)))
        for number, row in enumerate(chosen):
            alone = paths_of(
                found, np.array([row]), loans[row], as_of=day, market=market, scenarios=scenarios
            )
            ranks[number] = np.quantile(alone[:, places], RANKS, axis=0).T
    pool = np.quantile(found.paths[:, places], RANKS, axis=0).T
    return Told(values, ranks, pool, found.rests_on or found.basis)
