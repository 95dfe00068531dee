"""The public header of a package: what a notice tells before anybody has the tape (FACTS 2.3)."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from arrears.core.money import money_of_field
from arrears.files import read_model
from arrears.problems import Problem
from arrears.tape.columns import LOANS

_MOST = 50_000
# Loans of a package are not all of one age: they are spread around the mean that the notice gives.
_SPREAD = (0.6, 0.8, 1.0, 1.2, 1.4)


Fen = Annotated[int, BeforeValidator(money_of_field), Field(ge=0)]


class Header(BaseModel):
    """A package as its notice tells it; None where it does not.

    Attributes:
        unpaid: principal and interest.
        principal: of it; taken as the market's usual share where it is not told.
        days_overdue: mean, weighed by what is unpaid.
        litigation: loans by how far the courts have come.
        start_price: of the auction.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    base_date: date
    product: Literal["consumer", "credit_card", "business", "mortgage"]
    unpaid: Fen
    principal: Fen | None = None
    fees: Fen = 0
    loans: int = Field(ge=1)
    borrowers: int | None = Field(default=None, ge=1)
    days_overdue: float = Field(ge=0)
    borrower_age: float | None = None
    litigation: dict[str, int] = Field(default_factory=dict)
    written_off: bool | None = None
    start_price: Fen | None = None
    source: str | None = None

    @model_validator(mode="after")
    def _principal_is_part_of_it(self) -> Header:
        if self.principal is not None and self.principal > self.unpaid:
            raise ValueError("principal is more than what is unpaid, of which it is a part")
        return self


def read_header(path: Path) -> tuple[Header | None, list[Problem]]:
    """A notice from its file, and what is wrong with it."""
    return read_model(path, Header, code="HEADER")


def loans_of(header: Header, principal_share: float) -> pl.DataFrame:
    """Loans as the header describes them, equal in size, with canonical columns; at most 50,000 stand for all.

    Args:
        principal_share: of what is unpaid, where the header does not tell.
    """
    count = min(header.loans, _MOST)
    principal = (
        round(header.unpaid * principal_share) if header.principal is None else header.principal
    )
    spread = np.resize(np.array(_SPREAD), count)
    days = np.maximum(np.round(header.days_overdue * spread), 0).astype(np.int32)
    statuses = header.litigation or {"not_sued": 1}
    shares = np.cumsum(list(statuses.values())) / sum(statuses.values())
    # A stride that is prime to the count of ages, so that each status holds loans of every age.
    place = (np.arange(count) * 7919 % count + 0.5) / count
    status = [list(statuses)[number] for number in np.searchsorted(shares, place, side="right")]
    told = {
        "as_of": [header.base_date] * count,
        "loan_id": [f"N{number:06d}" for number in range(count)],
        "borrower_id": [f"N{number:06d}" for number in range(count)],
        "lender": ["seller"] * count,
        "product": [header.product] * count,
        "security": ["none"] * count,
        "principal": _split(principal, count),
        "interest": _split(max(header.unpaid - principal, 0), count),
        "fees": _split(header.fees, count),
        "days_past_due": days,
        "default_date": [header.base_date - timedelta(days=int(day)) for day in days],
        "reported_class": ["loss"] * count,
        "legal_status": status,
        "written_off": [bool(header.written_off)] * count,
    }
    return pl.DataFrame(told).select(
        pl.col(name).cast(dtype) if name in told else pl.lit(None, dtype).alias(name)
        for name, dtype in LOANS.items()
    )


def _split(fen: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Parts that add up to the fen."""
    ends = np.array([fen * (number + 1) // count for number in range(count)], dtype=np.int64)
    return np.diff(ends, prepend=0)
