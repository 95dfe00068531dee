"""The standing of every loan together with its hidden part."""

from __future__ import annotations

import polars as pl

from arrears import standing
from arrears.run.gather import Gathered
from arrears.standing.hidden import Hidden, find


def stand(gathered: Gathered) -> tuple[pl.DataFrame, Hidden]:
    """Class and stage of every accepted loan with `p_hidden` and `hidden_amount`, and what they come from."""
    tape = gathered.tape
    tables = {"payments": tape.payments, "months": tape.months, "events": tape.events}
    classed = standing.classify(
        tape.loans,
        as_of=tape.as_of,
        rulebook=gathered.rulebook,
        months=tape.months,
        events=tape.events,
    )
    hidden = find(
        tape.loans,
        tables,
        standing=classed,
        as_of=tape.as_of,
        market=gathered.market,
        audit=gathered.audit,
        seed=gathered.request.seed,
    )
    return with_hidden(classed, hidden), hidden


def with_hidden(classed: pl.DataFrame, hidden: Hidden) -> pl.DataFrame:
    """`standing.parquet` with its hidden columns filled."""
    return classed.with_columns(hidden.table["p_hidden"], hidden.table["hidden_amount"])
