"""Policies that a plan must beat: the same scarce steps given to loans in a plain order, by equal capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

RANKINGS = ("propensity", "balance", "age", "random")


@dataclass(frozen=True)
class Option:
    """A way and step that a loan may get while its capacity lasts.

    Attributes:
        may: loans (a row each, in the order of the table) that may get it.
        uses: what each loan takes of the capacity; `limit` is the capacity.
        terms: what the way needs to be told, such as `instalment`, a value a loan.
    """

    channel: str
    step: str | None
    may: np.ndarray
    uses: np.ndarray
    limit: float
    terms: Mapping[str, np.ndarray] | None = None


def fill(
    loans: pl.DataFrame, score: np.ndarray, options: Sequence[Option], *, rest: str = "none"
) -> pl.DataFrame:
    """A plan: options are filled one after the other with the loans of highest score that are still free.

    Args:
        rest: the step of those that get nothing scarce.

    Returns:
        `loan_id, channel, start_month, step` and the terms of the options, as `Field.act` takes them.
    """
    order = np.argsort(-score, kind="stable")
    chosen = np.full(len(score), -1)
    for number, option in enumerate(options):
        free = order[(chosen[order] < 0) & option.may[order]]
        fits = np.cumsum(option.uses[free]) <= option.limit
        chosen[free[fits]] = number
    ways = np.array(["collect", *[option.channel for option in options]])
    steps = [rest, *[option.step for option in options]]
    plan = loans.select("loan_id").with_columns(
        channel=pl.Series(ways[chosen + 1]),
        start_month=pl.lit(0),
        step=pl.Series([steps[number + 1] for number in chosen], dtype=pl.String),
    )
    for number, option in enumerate(options):
        for name, values in (option.terms or {}).items():
            told = np.where(chosen == number, values, np.nan)
            plan = plan.with_columns(pl.Series(name, told).fill_nan(None))
    return plan


def scores(tables: Mapping[str, pl.DataFrame], *, seed: int = 0) -> dict[str, np.ndarray]:
    """A score a loan that owes something, by ranking: likely payers, large, young debts, or by lot first."""
    loans = tables["loans"].filter(pl.col("principal") > 0)
    return {
        "propensity": propensity(loans, tables["payments"]),
        "balance": loans["principal"].to_numpy().astype(float),
        "age": -loans["days_past_due"].to_numpy().astype(float),
        "random": np.random.default_rng([seed, 7]).random(loans.height),
    }


def propensity(loans: pl.DataFrame, payments: pl.DataFrame) -> np.ndarray:
    """Chance of paying anything in the next year, from a logistic regression on who paid in the last."""
    from sklearn.linear_model import LogisticRegression

    as_of = loans["as_of"][0]
    year_ago = as_of.replace(year=as_of.year - 1)
    known = loans.filter(pl.col("default_date") < pl.lit(year_ago).dt.offset_by("-3mo"))
    later = payments.filter(pl.col("date") > year_ago)["loan_id"].unique()
    paid = known["loan_id"].is_in(later.implode()).to_numpy()
    model = LogisticRegression(max_iter=500)
    model.fit(_features(known, payments, year_ago), paid)
    return model.predict_proba(_features(loans, payments, as_of))[:, 1]


def _features(loans: pl.DataFrame, payments: pl.DataFrame, day: object) -> np.ndarray:
    """What was known of the loans on a day."""
    before = (
        payments.filter(pl.col("date") <= day)
        .group_by("loan_id")
        .agg(count=pl.len(), last=pl.col("date").max())
    )
    since = (pl.lit(day) - pl.col("last")).dt.total_days()
    return (
        loans.join(before, on="loan_id", how="left", maintain_order="left")
        .select(
            age=((pl.lit(day) - pl.col("default_date")).dt.total_days() / 365).log1p(),
            count=pl.col("count").fill_null(0).log1p(),
            lately=(-since / 180).exp().fill_null(0.0),
            size=pl.col("original_principal").log(),
            born=(pl.col("birth_year") - 1985) / 10,
            heard=pl.col("contact_status") == "reachable",
            vanished=pl.col("contact_status") == "vanished",
            card=pl.col("product") == "credit_card",
            business=pl.col("product") == "business",
        )
        .cast(pl.Float64)
        .to_numpy()
    )
