"""Situations of one loan or a few."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from arrears import channels, recovery, rules, standing
from arrears.tape.columns import LOANS

LOAN: dict[str, object] = {
    "loan_id": "L1",
    "lender": "Bank",
    "product": "consumer",
    "security": "none",
    "principal": 5_000_000,
    "interest": 400_000,
    "fees": 30_000,
    "provision": 1_000_000,
    "rate": 0.09,
    "monthly_income": 900_000,
    "days_past_due": 400,
    "origination_date": date(2010, 1, 1),
    "maturity_date": date(2030, 1, 1),
    "reported_class": "doubtful",
    "province": "Zhejiang",
    "city_tier": 2,
    "legal_status": "not_sued",
    "contact_status": "reachable",
}


@pytest.fixture(scope="session")
def situation() -> Callable[..., channels.Situation]:
    """A situation of loans that differ from the usual one as told."""

    def make(
        *changes: dict[str, object],
        holder: dict[str, object] | None = None,
        day: date = date(2025, 3, 31),
        rulebook: str = "cn",
        rate: float = 0.024,
    ) -> channels.Situation:
        rows = [
            {**dict.fromkeys(LOANS), **LOAN, "loan_id": f"L{n}", "borrower_id": f"B{n}", **change}
            for n, change in enumerate(changes or ({},))
        ]
        loans = pl.DataFrame(rows, schema=LOANS)
        book, market = rules.load(rulebook), rules.load_market("cn")
        who = channels.Holder.model_validate(holder or {"kind": "joint_stock_bank"})
        forecast = recovery.forecast(
            loans, as_of=day, market=market, discount_rate=rate, scenarios=2
        )
        stands = standing.classify(loans, as_of=day, rulebook=book)
        return channels.Situation(loans, stands, forecast, book, who, market, day)

    return make
