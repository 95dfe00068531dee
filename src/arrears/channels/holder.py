"""Who holds the loans."""

from __future__ import annotations

from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from arrears.core.money import money_of_field
from arrears.files import did_you_mean, read_model
from arrears.problems import Problem
from arrears.rules import MarketBook
from arrears.tape.columns import PROVINCES, province

Kind = Literal[
    "large_state_bank",
    "joint_stock_bank",
    "city_bank",
    "rural_bank",
    "consumer_finance",
    "fintech",
    "national_amc",
    "local_amc",
]
KINDS: tuple[str, ...] = get_args(Kind)
AMCS = ("national_amc", "local_amc")
_TYPO = 0.8


Fen = Annotated[int, BeforeValidator(money_of_field)]


def _as_text(number: object) -> object:
    return str(number) if isinstance(number, int) else number


def _known_place(word: object) -> object:
    if not isinstance(word, str):
        return word
    name = province(word)
    close = get_close_matches(name, PROVINCES.values(), n=1, cutoff=_TYPO)
    if close and name not in close:
        raise ValueError(f"is it {close[0]!r}?")
    return name


Province = Annotated[str, BeforeValidator(_known_place)]


# Five digits in a file are read as a number, and a phone number is none.
Phone = Annotated[str, BeforeValidator(_as_text)]


class Book(BaseModel):
    """One product of the holder's whole book, fen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    loans: Fen
    reported_npl: Fen | None = None
    special_mention: Fen | None = None
    provisions: Fen | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Book:
        bad = (self.reported_npl or 0) + (self.special_mention or 0)
        if bad > self.loans:
            raise ValueError("bad loans and special mention are more than the loans")
        if (self.provisions or 0) > self.loans:
            raise ValueError("provisions are more than the loans")
        if min(self.loans, self.reported_npl or 0, self.special_mention or 0) < 0:
            raise ValueError("a balance is negative")
        return self


class Holder(BaseModel):
    """Who holds the loans: kind, place, licences, cost of money, and the whole book; None where not said.

    Attributes:
        name: what papers call it; without it the tape's lender.
        service_phone: the number that letters name; without it they name the one in the loan contract.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    name: str | None = Field(default=None, min_length=1)
    province: Province | None = None
    service_phone: Phone | None = None
    securities_originator: bool | None = None
    pilot_seller: bool | None = None
    pilot_buyer: bool | None = None
    cost_of_funds: float | None = Field(default=None, ge=0, lt=1)
    tax_rate: float | None = Field(default=None, ge=0, lt=1)
    capital_ratio_required: float | None = Field(default=None, ge=0, lt=1)
    products: dict[str, Book] | None = None
    risk_weighted_assets: Fen | None = None
    capital: Fen | None = None
    profit: Fen | None = None


def read_holder(named: str) -> tuple[Holder | None, list[Problem]]:
    """The holder of a file, or the one that a kind word stands for."""
    if named in KINDS:
        return Holder.model_validate({"kind": named}), []
    if Path(named).suffix.lower() in {".yaml", ".yml"} or "/" in named:
        return read_model(Path(named), Holder, code="HOLDER")
    found = f"{named!r} is no kind of holder."
    why = "Who holds the loans decides what may be done."
    return None, [
        Problem("HOLDER-UNKNOWN-KIND", "error", "--holder", found, why, did_you_mean(named, KINDS))
    ]


def discount_rate(holder: Holder, market: MarketBook, as_of: date) -> float:
    """The holder's cost of funds a year, else that of its kind."""
    if holder.cost_of_funds is not None:
        return holder.cost_of_funds
    return market.numbers("holders/cost_of_funds", as_of)[holder.kind]


def tax_rate(holder: Holder, market: MarketBook, as_of: date) -> float:
    """The holder's tax rate, else the usual one."""
    if holder.tax_rate is not None:
        return holder.tax_rate
    return market.number("holders/tax_rate", as_of)
