"""What a synthetic book is like."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from arrears.files import read_model
from arrears.problems import Problem
from arrears.rules import MarketBook
from arrears.tape.columns import WORDS


class Figures(BaseModel):
    """What the bad loans of a book, those past 90 days, are like as a whole; what is left out is not held to.

    Attributes:
        claim_mix: share of their claims by product; other products do not occur.
        claim_per_debtor: mean, fen.
        loans_per_debtor: mean, 1 to 2.
        principal_share: of their claims.
        borrower_age: mean, years.
        litigation: share of loans by legal status.
        overdue_mix: rows [from days past due, until days (excluded), share of loans].
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim_mix: dict[str, float] | None = None
    claim_per_debtor: int | None = Field(default=None, gt=0)
    loans_per_debtor: float | None = Field(default=None, ge=1, le=2)
    principal_share: float | None = Field(default=None, gt=0.2, le=1)
    borrower_age: int | None = Field(default=None, ge=40, le=60)
    litigation: dict[str, float] | None = None
    overdue_mix: tuple[tuple[int, int, float], ...] | None = None

    @model_validator(mode="after")
    def _words_and_shares(self) -> Figures:
        for name, words in (("claim_mix", "product"), ("litigation", "legal_status")):
            for word in getattr(self, name) or ():
                if word not in WORDS[words]:
                    raise ValueError(f"{name}: no {words} {word!r}")
        bands = self.overdue_mix or ()
        if any(not 90 < low < high for low, high, _ in bands):
            raise ValueError("overdue_mix: rows are [from over 90, until after it, share]")
        mixes = [list((self.claim_mix or {}).values()), list((self.litigation or {}).values())]
        for shares in (*mixes, [share for _, _, share in bands]):
            if shares and (min(shares) < 0 or abs(sum(shares) - 1) > 0.001):
                raise ValueError("shares of a mix add up to 1")
        return self


class Recipe(BaseModel):
    """Shares and sizes of a book; what is left out comes from the market book.

    Attributes:
        figures: published figures that its bad loans are held to.
        overdue: factor on the share of loans that are past due.
        hidden: share of truly bad loans that are kept alive so that they look current.
        faults: share of rows that carry a fault, for readers to find.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lender: str = "Eastern Bank"
    branches: int = Field(default=24, ge=1, le=500)
    provinces: dict[str, float] = {
        "Zhejiang": 0.42,
        "Jiangsu": 0.22,
        "Guangdong": 0.14,
        "Henan": 0.12,
        "Liaoning": 0.10,
    }
    figures: Figures = Figures()
    product_mix: dict[str, float] | None = None
    npl_share: dict[str, float] | None = None
    overdue: float = Field(default=1.0, gt=0, le=30)
    hidden: float = Field(default=0.15, ge=0, le=1)
    faults: float = Field(default=0.0, ge=0, le=0.5)
    reported_late: float = Field(default=0.12, ge=0, le=1)

    def mix(self, market: MarketBook, as_of: date) -> dict[str, float]:
        """Share of loans by product."""
        if self.figures.claim_mix:
            size = market.numbers("synth/median_principal", as_of)
            return {
                product: part / size[product] for product, part in self.figures.claim_mix.items()
            }
        return self.product_mix or market.numbers("synth/product_mix", as_of)

    def bad(self, market: MarketBook, as_of: date) -> dict[str, float]:
        """Share of truly bad loans by product."""
        shares = self.npl_share or market.numbers("synth/npl_share", as_of)
        return {
            product: min(share * self.overdue, max(share, 0.9)) for product, share in shares.items()
        }


def read_recipe(path: Path) -> tuple[Recipe | None, list[Problem]]:
    """A recipe from its file, and what is wrong with it."""
    return read_model(path, Recipe, code="RECIPE")
