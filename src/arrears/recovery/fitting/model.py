"""A fitted model as it is kept: what the forecast takes from it, and what it rests on (`model.json`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from arrears.recovery.fitting.features import AGE_BAND, AGES, SEASON, TERMS, by_band, codes_today
from arrears.recovery.params import PRODUCTS, Floats, Params, ages

FORMAT = "arrears-recovery-model"
FORMAT_VERSION = 2

Chosen = Literal["hazard", "boosted", "market prior"]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Part(BaseModel):
    """A part of a model file; it holds these fields and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Effect(Part):
    """What a level adds to the log odds of a payment.

    Attributes:
        effect: of this history; the market's own where the level is too thin.
        se: standard error clustered by loan; null where it is the market's.
        market: what the market prior takes.
    """

    effect: Number
    se: Number | None
    market: Number
    loan_months: int
    payments: int


class Belief(Part):
    """How far a group's own experience is believed (Bühlmann-Straub).

    Attributes:
        expected: payments that were expected without it.
        ratio: payments over expected; null without any expected.
        z: weight of the ratio, 0 to 1.
        missing: further expected payments that a weight of a half needs.
        factor: what is believed: z ratio + (1 - z).
        shift: what it takes on the log odds, that of the cash included.
        cash: what cash has set the level by, over what payments alone said.
    """

    payments: int
    expected: Number
    ratio: Number | None
    z: Number
    missing: Number
    factor: Number
    shift: Number = 0.0
    cash: Number = 1.0


class Logit(Part):
    """A fitted logit: intercept, and by term the effect of each level."""

    intercept: Number
    effects: dict[str, list[Number]]

    def of(self, codes: Mapping[str, np.ndarray]) -> Floats:
        """Chance or share for each loan."""
        eta: Floats = np.full(len(next(iter(codes.values()))), self.intercept)
        for term, effect in self.effects.items():
            eta = eta + np.array(effect)[codes[term]]
        return 1.0 / (1.0 + np.exp(-eta))


class ShareOf(Part):
    """The share of what is owed that a payment takes: masses at settlement and instalments, own mean and belief."""

    payments: int
    own: Number | None
    z: Number
    full: Number
    usual: Number
    settles: Logit | None
    size: Logit | None


class AgePoint(Part):
    """A band of ages: loan-months, payments, the fitted hazard with its 90 % band, the share that paid."""

    start: int
    end: int
    loan_months: int
    payments: int
    hazard: Number
    lo90: Number
    hi90: Number
    observed: Number | None
    market: Number


class Test(Part):
    """How a model did on months that it had not seen.

    Attributes:
        log_loss: mean over loan-months of minus the log of the chance given to what happened.
        pool_error: payments predicted over payments seen, less 1; null where none was seen.
        rank: area under the curve; null where all or none paid.
        worse_than_best, se: difference of log losses to the best, and its standard error.
    """

    log_loss: Number
    pool_error: Number | None
    rank: Number | None
    worse_than_best: Number
    se: Number


class Decile(Part):
    """A tenth of the loan-months by predicted chance: predicted and observed."""

    loan_months: int
    predicted: Number
    observed: Number


class ExitPoint(Part):
    """Cumulative incidence of a cause by an age: Aalen-Johansen, and what the model says of settlement."""

    cause: str
    month: int
    share: Number
    se: Number
    model: Number | None


class Seen(Part):
    """The history that the model was fitted on; months as YYYY-MM, the test out of time from `tested_from` on."""

    source: Literal["payments", "months"]
    begin: str | None
    end: str | None
    loans: int
    loan_months: int
    payments: int
    tested_from: str | None


class RecoveryModel(Part):
    """A recovery model fitted on a bank's own history.

    Attributes:
        log_odds: of a payment in month 1 to 120 since day 91 at score 0.
        level: what the hazard adds to the log odds of its reference loan, before it is weighed by credibility.
        level_sd: standard deviation of the level of the whole, on the log scale: what is not known of it.
        trees: LightGBM's text where these were chosen.
    """

    format: Literal["arrears-recovery-model"] = "arrears-recovery-model"
    format_version: Literal[2] = 2
    arrears: str
    as_of: date
    seen: Seen
    chosen: Chosen
    why: str
    tests: dict[str, Test]
    calibration: list[Decile]
    log_odds: Annotated[list[Number], Field(min_length=AGES, max_length=AGES)]
    age_z: Number
    level: Number
    share_paid: Annotated[Number, Field(gt=0, le=1)]
    share_paid_square: Annotated[Number, Field(gt=0, le=1)]
    level_sd: Number
    edges: Annotated[list[Number], Field(min_length=4, max_length=4)]
    effects: dict[str, dict[str, Effect]]
    products: dict[str, Belief]
    segments: dict[str, Belief]
    dispersion: Number
    share: ShareOf
    by_age: list[AgePoint]
    exits: list[ExitPoint]
    trees: str | None = None
    tree_age: list[Number] | None = None

    @model_validator(mode="after")
    def _terms_are_ours(self) -> RecoveryModel:
        known = {term: set(levels) for term, levels in TERMS.items()}
        if {term: set(levels) for term, levels in self.effects.items()} != known:
            raise ValueError("its terms and levels are not those of this version of Arrears")
        if set(self.products) != set(PRODUCTS):
            raise ValueError("its products are not those of this version of Arrears")
        return self

    def params(self, market: Params) -> Params:
        """The market's parameters with odds and share of this model in their place.

        The shape of the curve is as uncertain as the market's as far as own experience is not believed.
        """
        return replace(
            market,
            odds=np.exp(np.array(self.log_odds)),
            share_paid=self.share_paid,
            share_paid_square=self.share_paid_square,
            level_error=self.level_sd,
            tilt_error=market.tilt_error * (1.0 - self.believed),
        )

    def scores(self, loans: pl.DataFrame, as_of: date) -> Floats:
        """Shift of each loan's payment hazard (n,) on the logit scale, the size of its payments included."""
        codes = codes_today(loans, as_of, np.array(self.edges))
        band = AGE_BAND[np.clip(ages(loans), 0, AGES - 1)]
        scores: Floats = self.score_of(codes, band) + self.segment_shift(loans)
        return scores

    def score_of(self, codes: Mapping[str, np.ndarray], band: np.ndarray) -> Floats:
        """The same by levels of the terms (n,) and band of ages, without the segment."""
        z = np.array([self.products[name].z for name in PRODUCTS])[codes["product"]]
        total = np.array([self.products[name].shift for name in PRODUCTS])[codes["product"]]
        own = np.full(len(band), self.level)
        for term in (name for name in codes if name != SEASON):
            code = codes[term]
            effects = [self.effects[term][level] for level in TERMS[term]]
            market = np.array([effect.market for effect in effects])
            total = total + market[code]
            if self.chosen == "hazard":
                own = own + (np.array([effect.effect for effect in effects]) - market)[code]
        if self.chosen == "boosted":
            own = self._by_trees(codes, band)
        total = total + z * own
        score: Floats = total + np.log(self._size(codes) / self.share_paid)
        return score

    def _by_trees(self, codes: Mapping[str, np.ndarray], band: np.ndarray) -> Floats:
        from arrears.recovery.fitting.boosted import Boosted
        from arrears.recovery.fitting.hazard import Prior

        nothing = Prior(np.zeros(len(by_band(np.zeros(AGES)))), {})
        table = pl.DataFrame({"band": band, **codes} | {SEASON: np.zeros(len(band), dtype=np.int8)})
        found = Boosted(nothing, self.trees or "").deviation(table)
        level: Floats = found - np.array(self.tree_age or [0.0])[band]
        return level

    def _size(self, codes: Mapping[str, np.ndarray]) -> Floats:
        """Share of what is owed that a payment of each loan takes, as far as its own history is believed."""
        share = self.share
        flat = np.full(len(codes["product"]), self.share_paid)
        if share.own is None or (share.settles is None and share.size is None):
            return flat
        rest = max(share.own - share.full, 0.0) / max(1.0 - share.full, 1e-12)
        settles = share.full if share.settles is None else share.settles.of(codes)
        size = rest if share.size is None else share.size.of(codes)
        own = settles + (1.0 - settles) * size
        mean: Floats = flat * (1.0 - share.z + share.z * own / share.own)
        return mean

    def segment_shift(self, loans: pl.DataFrame) -> Floats:
        """What each loan's segment adds to its score (n,)."""
        shifts = {name: belief.shift for name, belief in self.segments.items()}
        if not shifts:
            return np.zeros(loans.height)
        key = loans.select(segment_key()).to_series()
        found = key.replace_strict(shifts, default=0.0, return_dtype=pl.Float64)
        return found.fill_null(0.0).to_numpy()

    @property
    def rests_on(self) -> str:
        """What the model rests on, in a few words."""
        seen = self.seen
        span = f"{seen.begin} to {seen.end}" if seen.begin else "no month"
        return (
            f"{seen.payments:,} payments in {seen.loan_months:,} loan-months, {span}; "
            f"own experience believed to {100 * self.believed:.0f} %, the rest is the market prior"
        )

    @property
    def believed(self) -> float:
        """Mean weight of the products' own experience, by expected payments."""
        expected = sum(belief.expected for belief in self.products.values())
        if expected <= 0:
            return 0.0
        return math.fsum(b.z * b.expected for b in self.products.values()) / expected


def segment_key() -> pl.Expr:
    """The segment of a loan: product and province; null where the province is not told."""
    return pl.format("{}, {}", "product", "province")
