"""Loans, months and events from the few facts that a test names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl
import pytest

from arrears.rules import Rulebook, load
from arrears.tape.columns import TABLES

Rows = Sequence[Mapping[str, object]]
ANY_LOAN: dict[str, object] = {
    "loan_id": "A",
    "borrower_id": "B",
    "lender": "L",
    "product": "consumer",
    "principal": 5_000_000,
    "days_past_due": 0,
}


@pytest.fixture(scope="session")
def book() -> Rulebook:
    return load("cn")


@pytest.fixture(scope="session")
def table() -> Callable[[str, Rows], pl.DataFrame]:
    def build(name: str, rows: Rows) -> pl.DataFrame:
        common = ANY_LOAN if name == "loans" else {"loan_id": "A"}
        return pl.DataFrame([{**common, **row} for row in rows], schema=TABLES[name])

    return build
