"""Five-tier class, regime and IFRS 9 stage of each loan, with the articles they rest on."""

from __future__ import annotations

from datetime import date

import polars as pl

from arrears.rules import Rulebook
from arrears.standing import comparators
from arrears.standing.articles import lists
from arrears.standing.law import (
    CLASS_2007,
    CLASS_2023,
    NON_PERFORMING,
    NPL,
    SEVERITY,
    Floor,
    Law,
)
from arrears.standing.observation import observe
from arrears.tape.columns import CLASSES

_STAGE_ARTICLES = {2: "IFRS9-5.5.11", 3: "IFRS9-B5.5.37"}


def bad(standing: pl.DataFrame) -> pl.Series:
    """Whether each loan (n,) is non-performing by the rules; in stage 3 where the standard has no classes."""
    words = [*NPL, NON_PERFORMING]
    third = pl.col("stage") == 3
    tier = pl.col("five_tier")
    return standing.select(
        bad=pl.when(tier.is_null()).then(third).otherwise(tier.is_in(words))
    ).to_series()


def classify(
    loans: pl.DataFrame,
    *,
    as_of: date,
    rulebook: Rulebook,
    months: pl.DataFrame | None = None,
    events: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Class every loan: the most severe of the floors that apply (FACTS 1; READINGS A 1.1 to 1.6).

    Under a rulebook that compares by another standard, the class says performing or non_performing, or nothing.

    Args:
        loans: canonical loans (n rows); each is classed by itself.
        months: loan-months, for missed payments under observation.
        events: events, for restructurings under observation.

    Returns:
        n rows in the order of `loans`: `loan_id, five_tier, stage, reported_class, regime, p_hidden,
        hidden_amount, articles`. The hidden ones are null: they are not estimated here.

    Raises:
        NotInForce: the rulebook does not speak for `as_of`.
    """
    law = Law.of(rulebook, as_of)
    if rulebook.standard != "cn":
        watched = observe(
            loans, _legacy(loans, law), as_of=as_of, law=law, months=months, events=events
        )["observed"]
        found = comparators.classify(
            loans, as_of=as_of, rulebook=rulebook, events=events, watched=watched
        )
        return _standing(loans, found)
    table = floors(loans, as_of=as_of, law=law, months=months, events=events)
    causes = [name for name in table.columns if name.startswith("floor_")]
    worst = pl.max_horizontal(causes)
    words = pl.Series(list(CLASSES), dtype=pl.String)
    table = table.with_columns(level=worst.cast(pl.UInt32))
    stage = _stage(law)
    found = table.select(
        five_tier=words.gather(table["level"]),
        stage=stage,
        regime="regime",
        articles=lists(table, _parts(table, causes, stage)),
    )
    return _standing(loans, found)


def _parts(table: pl.DataFrame, causes: list[str], stage: pl.Expr) -> list[tuple[pl.Expr, str]]:
    """When a class and a stage rest on which article; the days rest on the regime, which stands first."""
    decides = (pl.col("level") > 0, pl.col("level"))
    named = [
        (decides[0] & (pl.col(name) == decides[1]), table[f"article_{name.removeprefix('floor_')}"])
        for name in causes
        if name != "floor_days"
    ]
    return [
        (pl.col("legacy"), CLASS_2007),
        (~pl.col("legacy"), CLASS_2023),
        *((holds, str(article[0])) for holds, article in named if len(article)),
        *((stage == number, article) for number, article in _STAGE_ARTICLES.items()),
    ]


def _standing(loans: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """The columns of `standing.parquet` from what was found."""
    return pl.concat([loans.select("loan_id", "reported_class"), found], how="horizontal").select(
        "loan_id",
        "five_tier",
        "stage",
        "reported_class",
        "regime",
        p_hidden=pl.lit(None, pl.Float64),
        hidden_amount=pl.lit(None, pl.Float64),
        articles="articles",
    )


def _legacy(loans: pl.DataFrame, law: Law) -> pl.Series:
    """Whether the 2007 Guidelines class each loan (n,)."""
    older = (pl.col("origination_date") < law.new_rules_from).fill_null(False)
    return loans.select(legacy=older & law.legacy).to_series()


def floors(
    loans: pl.DataFrame,
    *,
    as_of: date,
    law: Law,
    months: pl.DataFrame | None,
    events: pl.DataFrame | None,
) -> pl.DataFrame:
    """Every floor of every loan as a level, 0 to 4: `floor_<cause>` with `article_<cause>`."""
    legacy = _legacy(loans, law)
    watched = observe(loans, legacy, as_of=as_of, law=law, months=months, events=events)
    table = loans.with_columns(
        legacy=legacy, observed=watched["observed"], again=watched["again"]
    ).with_columns(regime=pl.when("legacy").then(pl.lit(CLASS_2007)).otherwise(pl.lit(CLASS_2023)))
    days = pl.col("days_past_due")
    new_days = law.by_days_2023 or law.by_days_2007
    claim = pl.sum_horizontal("principal", "interest", "fees")
    share = pl.col("provision") / pl.when(claim > 0).then(claim)
    card = pl.col("product") == "credit_card"
    frauds = card & pl.col("fraud_flag").fill_null(False)
    before_npl = pl.col("class_before_restructure").is_in(NPL).fill_null(False)
    old, new = pl.col("legacy"), ~pl.col("legacy")
    seen = pl.col("observed")
    return table.with_columns(
        floor_days=pl.when(old)
        .then(_level(days, law.by_days_2007))
        .otherwise(_level(days, new_days)),
        article_days=pl.col("regime"),
        floor_card=pl.when(card).then(_level(days, law.card)).otherwise(0),
        article_card=pl.lit(law.card_article),
        **_when(pl.col("credit_impaired").fill_null(False), law.impaired, "impaired"),
        floor_ecl=pl.when(new).then(_level(share.fill_null(0), law.by_ecl)).otherwise(0),
        article_ecl=pl.lit(CLASS_2023),
        **_when(frauds, law.fraud_card, "fraud"),
        **_when(seen & old, law.restructured_2007, "restructured_2007"),
        **_when(seen & old & (days > 0), law.relapse_2007, "relapse_2007"),
        **_when(seen & new, law.restructured_2023, "restructured_2023"),
        **_when(seen & new & before_npl, law.restructured_npl_2023, "restructured_npl_2023"),
        **_when(seen & new & pl.col("again"), law.rerestructured_2023, "rerestructured_2023"),
    )


def _level(amount: pl.Expr, table: tuple[tuple[float, int], ...]) -> pl.Expr:
    """Level of the last row of `table` that `amount` reaches; 0 before the first."""
    reached: pl.Expr = pl.lit(0)
    for start, level in table:
        reached = pl.when(amount >= start).then(level).otherwise(reached)
    return reached


def _when(holds: pl.Expr, floor: Floor | None, name: str) -> dict[str, pl.Expr]:
    level, article = (floor.level, floor.article) if floor else (0, "")
    return {
        f"floor_{name}": pl.when(holds).then(level).otherwise(0),
        f"article_{name}": pl.lit(article),
    }


def _stage(law: Law) -> pl.Expr:
    """IFRS 9 stage (READINGS 1.6)."""
    days = pl.col("days_past_due")
    impaired = pl.col("credit_impaired").fill_null(False)
    third = (days > law.stage3_days) | impaired | (pl.col("level") >= SEVERITY[NPL[0]])
    second = (days > law.stage2_days) | pl.col("observed")
    return pl.when(third).then(3).when(second).then(2).otherwise(1).cast(pl.Int8)


def fills(loans: pl.DataFrame) -> list[tuple[str, str, int]]:
    """Nulls that classing read in a named way: column, rule, rows."""
    restructured = pl.col("restructured_on").is_not_null()
    undated = restructured & pl.col("first_new_due_date").is_null()
    unclassed = restructured & pl.col("class_before_restructure").is_null()
    counts = loans.select(
        pl.col("origination_date").is_null().sum().alias("origination_date"),
        undated.sum().alias("first_new_due_date"),
        unclassed.sum().alias("class_before_restructure"),
    ).row(0, named=True)
    rule = {
        "origination_date": "unknown: classed by CN-CLASS-2023",
        "first_new_due_date": "unknown: restructured_on and one month",
        "class_before_restructure": "unknown: special_mention",
    }
    return [(name, rule[name], rows) for name, rows in counts.items() if rows]
