"""What a synthetic book is like."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from arrears.files import read_model
from arrears.problems import Problem
from arrears.rules import MarketBook


class Recipe(BaseModel):
    """Shares and sizes of a book; what is left out comes from the market book.

    Attributes:
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
    product_mix: dict[str, float] | None = None
    npl_share: dict[str, float] | None = None
    overdue: float = Field(default=1.0, gt=0, le=30)
    hidden: float = Field(default=0.15, ge=0, le=1)
    faults: float = Field(default=0.0, ge=0, le=0.5)
    reported_late: float = Field(default=0.12, ge=0, le=1)

    def mix(self, market: MarketBook, as_of: date) -> dict[str, float]:
        """Share of loans by product."""
        return self.product_mix or market.numbers("synth/product_mix", as_of)

    def bad(self, market: MarketBook, as_of: date) -> dict[str, float]:
        """Share of truly bad loans by product."""
        shares = self.npl_share or market.numbers("synth/npl_share", as_of)
        return {product: min(share * self.overdue, 0.9) for product, share in shares.items()}


def read_recipe(path: Path) -> tuple[Recipe | None, list[Problem]]:
    """A recipe from its file, and what is wrong with it."""
    return read_model(path, Recipe, code="RECIPE")
