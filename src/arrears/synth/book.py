"""A book block by block: loans, their months, and what was done to them; the truth beside it.

Each block has a random stream of its own, so that a book is the same whoever makes it and in whatever order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.core.blocks import blocks
from arrears.core.rng import generator
from arrears.rules import load, load_market
from arrears.standing import classify
from arrears.synth.figures import FEES, hold_to_figures, older
from arrears.synth.history import history
from arrears.synth.recipe import Recipe
from arrears.tape.columns import LOANS

BLOCK = 5_000
TABLES = ("loans", "payments", "months", "events", "contacts")
_PROVISION = {
    "normal": 0.01,
    "special_mention": 0.03,
    "substandard": 0.3,
    "doubtful": 0.6,
    "loss": 1.0,
}
_EPOCH = date(1970, 1, 1)
_TERMS = {"mortgage": 300, "consumer": 36, "credit_card": 12, "business": 24}
_RATES = {"mortgage": 0.036, "consumer": 0.09, "credit_card": 0.165, "business": 0.05}
_SECTORS = ("catering", "retail", "export manufacturing", "construction", "transport", "services")
_LEGAL = ("not_sued", "mediated", "filed", "judged", "enforcing", "terminated", "ended")
_LEGAL_CHANCE = (0.66, 0.03, 0.07, 0.06, 0.07, 0.09, 0.02)
# Loans that nobody asked to pay again once they were half a month late.
_FORGOTTEN = 0.02

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Chunk:
    """A block of a book: canonical tables, and `loan_id, true_state, hidden, person_id`."""

    tables: dict[str, pl.DataFrame]
    truth: pl.DataFrame


def book(recipe: Recipe, *, loans: int, months: int, as_of: date, seed: int) -> Iterator[Chunk]:
    """The blocks of a book of so many loans with so many months of history."""
    for number, rows in enumerate(blocks(loans, BLOCK)):
        yield _block(recipe, rows, generator(seed, "book", number), months=months, as_of=as_of)


def _block(
    recipe: Recipe, rows: slice, g: np.random.Generator, *, months: int, as_of: date
) -> Chunk:
    drawn = _draw(recipe, rows, g, as_of)
    hold_to_figures(recipe.figures, drawn, g)
    frame = _loans(recipe, drawn, as_of, g)
    past = history(drawn, frame, months=months, as_of=as_of, g=g)
    frame = frame.with_columns(past.last)
    frame = _reported(frame, recipe, as_of, g)
    truth = pl.DataFrame(
        {
            "loan_id": frame["loan_id"],
            "true_state": drawn["state"],
            "hidden": drawn["hidden"],
            "person_id": frame["borrower_id"],
        }
    )
    frame = _faults(frame, recipe.faults, g)
    loans = frame.select(pl.col(name).cast(dtype) for name, dtype in LOANS.items())
    return Chunk({"loans": loans, **past.tables}, truth)


def _pick(g: np.random.Generator, words: dict[str, float], count: int) -> npt.NDArray[np.str_]:
    chances = np.array(list(words.values()))
    return g.choice(np.array(list(words)), count, p=chances / chances.sum())


def _by(words: dict[str, float], keys: npt.NDArray[np.str_]) -> Floats:
    return np.array([words[key] for key in keys], dtype=np.float64)


def _draw(
    recipe: Recipe, rows: slice, g: np.random.Generator, as_of: date
) -> dict[str, np.ndarray]:
    """Product, true state, days past due and what else histories follow from (n each)."""
    market, count = load_market("cn"), rows.stop - rows.start
    product = _pick(g, recipe.mix(market, as_of), count)
    bad = g.random(count) < _by(recipe.bad(market, as_of), product)
    hidden = bad & (g.random(count) < recipe.hidden)
    strained = ~bad & (g.random(count) < np.minimum(0.03 * recipe.overdue, 0.5))
    age = np.minimum(g.exponential(market.number("synth/age_months_mean", as_of), count), 110.0)
    days = np.where(bad & ~hidden, 91 + np.floor(age * 30.4375), 0)
    days = np.where(strained, g.integers(0, 91, count), days).astype(np.int64)
    median = _by(market.numbers("synth/median_principal", as_of), product)
    size = np.round(median * np.exp(g.normal(0.0, 0.7, count)) / 100) * 100
    term = _by({k: float(v) for k, v in _TERMS.items()}, product).astype(np.int64)
    seen = (g.random(count) * np.minimum(term * 0.8, 90)).astype(np.int64) + days // 30 + 4
    return {
        "number": np.arange(rows.start, rows.stop),
        "product": product,
        "state": np.where(bad, "bad", np.where(strained, "strained", "sound")),
        "hidden": hidden,
        "days": days,
        "original": size.astype(np.int64),
        "principal": np.round(size * g.uniform(0.35, 0.98, count)).astype(np.int64),
        "term": term,
        "seen": seen,
        "penalty": np.ones(count),
        "rate": np.round(_by(_RATES, product) * g.uniform(0.85, 1.25, count), 4),
    }


def _days(values: Ints) -> pl.Series:
    return pl.Series(values.astype(np.int32)).cast(pl.Date)


def _keep(values: pl.Series, where: npt.NDArray[np.bool_]) -> pl.Series:
    return pl.select(pl.when(pl.Series(where)).then(values)).to_series()


def _key(kind: str, person: pl.Series) -> pl.Series:
    """A keyed pseudonym: the same for the same person, and no way back."""
    salted = pl.Series([f"arrears-synth-{kind}-"]).new_from_index(0, len(person)) + person
    return "k" + salted.hash(seed=7).cast(pl.String)


def _loans(
    recipe: Recipe, drawn: dict[str, np.ndarray], as_of: date, g: np.random.Generator
) -> pl.DataFrame:
    count, days, product = len(drawn["days"]), drawn["days"], drawn["product"]
    today = (as_of - _EPOCH).days
    late = days > 0
    province = _pick(g, recipe.provinces, count)
    branch = g.integers(1, recipe.branches + 1, count)
    same = g.integers(0, 2, count) * (drawn["number"] % 5 == 0)
    person = pl.Series([f"P{n:08d}" for n in drawn.get("person", drawn["number"] - same)])
    home = (product == "mortgage") | ((product == "business") & (g.random(count) < 0.35))
    car = (product == "consumer") & (g.random(count) < 0.12)
    backed = (product == "business") & ~home & (g.random(count) < 0.4)
    security = np.where(
        home, "home", np.where(car, "vehicle", np.where(backed, "guarantee", "none"))
    )
    owed_days = np.where(late, days, 0)
    interest = np.round(
        drawn["principal"] * drawn["rate"] * drawn["penalty"] * owed_days / 365
    ).astype(np.int64)
    start = today - drawn["seen"] * 30
    matured = start + np.maximum(
        drawn["term"] * 30, np.where(days > 90, 0, drawn["seen"] * 30 + 60)
    )
    value = np.round(drawn["original"] / g.uniform(0.45, 0.8, count)).astype(np.int64)
    income = np.round(np.exp(g.normal(13.4, 0.45, count)) / 100).astype(np.int64) * 100
    return pl.DataFrame(
        {
            "as_of": pl.Series([as_of]).new_from_index(0, count),
            "loan_id": [f"L{n:08d}" for n in drawn["number"]],
            "borrower_id": person,
            "lender": pl.Series([recipe.lender]).new_from_index(0, count),
            "branch": [f"Branch {n:02d}" for n in branch],
            "originator": [f"Officer {n:03d}" for n in branch * 8 + g.integers(0, 8, count)],
            "product": product,
            "repayment": np.where(product == "credit_card", "revolving", np.where(
                product == "business", "interest_only", "amortising")),
            "security": security,
            "collateral_value": _keep(pl.Series(value), home | car),
            "collateral_value_date": _keep(_days(start), home | car),
            "prior_liens": _keep(pl.Series((value * 0.3).astype(np.int64)), home & (g.random(count) < 0.08)),
            "province": province,
            "city_tier": g.choice(np.array([1, 2, 3, 4], dtype=np.int32), count, p=[0.15, 0.35, 0.3, 0.2]),
            "sector": _keep(pl.Series(g.choice(np.array(_SECTORS), count)), product == "business"),
            "birth_year": as_of.year - older(recipe.figures) - g.integers(23, 62, count),
            "monthly_income": _keep(pl.Series(income), g.random(count) < 0.8),
            "principal": drawn["principal"],
            "interest": interest,
            "fees": np.where(late, np.round(interest * FEES), 0).astype(np.int64),
            "original_principal": drawn["original"],
            "rate": drawn["rate"],
            "days_past_due": days.astype(np.int32),
            "origination_date": _days(start),
            "maturity_date": _days(matured),
            "default_date": _keep(_days(today - days), late),
            **_pursuit(drawn, start, province, branch, today=today, g=g, recipe=recipe),
            "id_key": _key("id", person),
            "phone_key": _key("phone", person),
            "name_key": _key("name", person),
            "address_key": _key("address", person),
        }
    )  # fmt: skip


def _pursuit(
    drawn: dict[str, np.ndarray],
    start: Ints,
    province: npt.NDArray[np.str_],
    branch: Ints,
    *,
    today: int,
    g: np.random.Generator,
    recipe: Recipe,
) -> dict[str, object]:
    """How the loans stand, and how far they are pursued."""
    count, days = len(drawn["days"]), drawn["days"]
    late, npl = days > 0, days > 90
    chances = recipe.figures.litigation or dict(zip(_LEGAL, _LEGAL_CHANCE, strict=True))
    legal = np.where(npl, _pick(g, chances, count), "not_sued")
    judged = np.isin(legal, ("judged", "enforcing", "terminated", "ended"))
    status = np.where(
        g.random(count) < 0.62,
        "reachable",
        np.where(g.random(count) < 0.8, "unreachable", "vanished"),
    )
    again = (g.random(count) < 0.03) & (drawn["state"] != "sound")
    revised = np.maximum(today - g.integers(30, 500, count), start)
    # A stream of its own, so that what else is drawn stays as it is.
    beside = np.random.Generator(g.bit_generator.jumped())  # type: ignore[attr-defined]
    forgotten = beside.random(count) < _FORGOTTEN
    reasons = np.array(
        ["student_loan", "staff_or_relative", "contract_bars_transfer", "poverty_relief"]
    )
    before = np.where(g.random(count) < 0.6, "special_mention", "substandard")
    return {
        "credit_impaired": npl & (g.random(count) < 0.9),
        "restructured_on": _keep(_days(revised), again),
        "restructure_count": np.where(again, 1, 0).astype(np.int32),
        "class_before_restructure": _keep(pl.Series(before), again),
        "first_new_due_date": _keep(_days(revised + 30), again),
        "renewals": np.where(drawn["hidden"], g.integers(1, 4, count), 0).astype(np.int32),
        "written_off": npl & (days > 540) & (g.random(count) < 0.35),
        "court": _keep(pl.Series([f"{p} court {b % 5 + 1}" for p, b in zip(province, branch, strict=True)]), late),
        "collector": _keep(pl.Series([f"Collector {n:03d}" for n in branch * 3 + g.integers(0, 3, count)]), late),
        "agency": _keep(pl.Series([f"Agency {n}" for n in g.integers(1, 7, count)]), days > 180),
        "legal_status": legal,
        "judgment_date": _keep(_days(today - (days * 0.4).astype(np.int64)), judged),
        "last_demand_date": _keep(_days(today - np.where(forgotten, days - 15, g.integers(1, 60, count))), days > 15),
        "contact_status": _keep(pl.Series(status), late),
        "fraud_flag": npl & (g.random(count) < 0.004),
        "excluded_reason": _keep(pl.Series(g.choice(reasons, count)), npl & (g.random(count) < 0.02)),
    }  # fmt: skip


def _reported(
    frame: pl.DataFrame, recipe: Recipe, as_of: date, g: np.random.Generator
) -> pl.DataFrame:
    """The class that the bank reports, some of it a step too good, and the provisions for it."""
    empty = [pl.lit(None, dtype).alias(n) for n, dtype in LOANS.items() if n not in frame.columns]
    ruled = classify(frame.with_columns(empty), as_of=as_of, rulebook=load("cn"))["five_tier"]
    better = {
        "substandard": "special_mention",
        "doubtful": "substandard",
        "loss": "doubtful",
        "special_mention": "normal",
        "normal": "normal",
    }
    late = pl.Series(g.random(frame.height) < recipe.reported_late)
    said = ruled.zip_with(~late, ruled.replace(better))
    claim = frame.select(pl.sum_horizontal("principal", "interest", "fees")).to_series()
    share = said.replace_strict(_PROVISION, return_dtype=pl.Float64) * pl.Series(
        g.uniform(0.8, 1.0, frame.height)
    )
    share = pl.select(pl.when(said == "loss").then(1.0).otherwise(share)).to_series()
    provision = (claim * share).round().cast(pl.Int64)
    return frame.with_columns(*empty).with_columns(reported_class=said, provision=provision)


def _faults(frame: pl.DataFrame, share: float, g: np.random.Generator) -> pl.DataFrame:
    """Faults of the kinds that real tapes have, on some rows."""
    kind = np.where(g.random(frame.height) < share, g.integers(1, 6, frame.height), 0)
    mark = pl.Series("fault", kind)
    before = pl.col("loan_id").shift(1).fill_null(pl.col("loan_id"))
    return frame.with_columns(
        loan_id=pl.when(mark == 1).then(before).otherwise("loan_id"),
        principal=pl.when(mark == 2).then(-pl.col("principal")).otherwise("principal"),
        product=pl.when(mark == 3).then(pl.lit("margin_loan")).otherwise("product"),
        default_date=pl.when(mark == 4)
        .then(pl.lit(frame["as_of"][0]) - pl.duration(days=pl.col("days_past_due") + 40))
        .otherwise("default_date"),
        maturity_date=pl.when(mark == 5)
        .then(pl.col("origination_date").dt.offset_by("-1y"))
        .otherwise("maturity_date"),
    )
