"""The same loans by other definitions: EBA, Basel, IFRS 9 (FACTS 1.6; READINGS 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from arrears.rules import Rulebook
from arrears.standing.articles import lists
from arrears.standing.law import NON_PERFORMING, NPL, PERFORMING
from arrears.standing.observation import again

Cause = tuple[pl.Expr, str]


def causes(
    loans: pl.DataFrame, *, as_of: date, rulebook: Rulebook, events: pl.DataFrame | None
) -> tuple[pl.DataFrame, Mapping[str, Cause]]:
    """Why a loan is bad by the rulebook's standard: for each cause a Boolean expression and its article.

    Returns:
        The loans with the columns that the expressions read, and the causes by their words.
    """
    return _CAUSES[rulebook.standard](loans, as_of, rulebook, events)


def classify(
    loans: pl.DataFrame,
    *,
    as_of: date,
    rulebook: Rulebook,
    events: pl.DataFrame | None,
    watched: pl.Series,
) -> pl.DataFrame:
    """`five_tier, stage, regime, articles` (n rows) by the rulebook's standard.

    `five_tier` says performing or non_performing; under IFRS 9, which has no classes, it is null.

    Args:
        watched: whether the loan is under observation (n,); IFRS 9 does not ask.
    """
    standard = rulebook.standard
    table, found = causes(loans, as_of=as_of, rulebook=rulebook, events=events)
    bad = pl.any_horizontal(expression for expression, _ in found.values())
    days, impaired = pl.col("days_past_due"), pl.col("credit_impaired").fill_null(False)
    if standard == "ifrs9":
        limit = rulebook.number("ifrs9/default/stage2_days", as_of)
        third, second = bad, days > limit
        two = rulebook.cite("ifrs9/default/stage2_days", as_of).article
        tier = pl.lit(None, pl.String)
    else:
        limit = rulebook.number("cn/stage/backstop_stage2_days", as_of)
        two = rulebook.cite("cn/stage/backstop_stage2_days", as_of).article
        three = rulebook.number("cn/stage/backstop_stage3_days", as_of)
        third = bad | impaired | (days > three)
        second = (days > limit) | pl.col("watched") | pl.col("probation")
        tier = pl.when(bad).then(pl.lit(NON_PERFORMING)).otherwise(pl.lit(PERFORMING))
    stage = pl.when(third).then(3).when(second).then(2).otherwise(1).cast(pl.Int8)
    definition = next(article for _, article in found.values())
    parts = [(pl.lit(True), definition), *found.values(), (stage == 2, two)]
    table = table.with_columns(watched=watched)
    return table.select(
        five_tier=tier,
        stage=stage,
        regime=pl.lit(standard),
        articles=lists(table, parts),
    )


def _eba(
    loans: pl.DataFrame, as_of: date, book: Rulebook, events: pl.DataFrame | None
) -> tuple[pl.DataFrame, Mapping[str, Cause]]:
    root = "eba/default/"
    cure, probation, most_days = (
        int(book.number(root + name, as_of))
        for name in ("cure_years", "probation_years", "probation_days")
    )
    forborne = book.cite(root + "probation_days", as_of).article
    late, article = _past_due(book, root, as_of)
    was_bad = pl.col("class_before_restructure").is_in(NPL).fill_null(False)
    forborne_on, today = pl.coalesce("restructured_on", "first_new_due_date"), pl.lit(as_of)

    def cured(start: pl.Expr) -> pl.Expr:
        return pl.when(was_bad).then(start.dt.offset_by(f"{cure}y")).otherwise(start)

    def ends(start: pl.Expr) -> pl.Expr:
        return cured(start).dt.offset_by(f"{probation}y")

    table = loans.with_columns(
        cure=(forborne_on <= today) & (today < cured(forborne_on)),
        probation=(cured(forborne_on) <= today) & (today < ends(forborne_on)),
        again=again(loans, events, ends, as_of=as_of),
    ).with_columns(pl.col("cure", "probation").fill_null(False))
    material = (
        pl.col("principal") > 0
        if book.flag(root + "any_principal_is_material", as_of)
        else pl.lit(False)
    )
    return table, {
        "past due": (late & material, article),
        "credit impairment": _impaired(book, root + "impaired_is_non_performing", as_of),
        "cure period": (pl.col("cure"), forborne),
        "past due in probation": (
            pl.col("probation") & (pl.col("days_past_due") > most_days),
            forborne,
        ),
        "forborne again in probation": (pl.col("probation") & pl.col("again"), forborne),
    }


def _basel(
    loans: pl.DataFrame,
    as_of: date,
    book: Rulebook,
    events: pl.DataFrame | None,  # noqa: ARG001 - forbearance may be performing or not
) -> tuple[pl.DataFrame, Mapping[str, Cause]]:
    root = "basel/default/"
    late, article = _past_due(book, root, as_of)
    if book.flag(root + "collateral_cures", as_of):
        late &= pl.col("security").fill_null("none") == "none"
    return loans.with_columns(probation=pl.lit(False)), {
        "past due": (late, article),
        "credit impairment": _impaired(book, root + "impaired_is_non_performing", as_of),
    }


def _ifrs9(
    loans: pl.DataFrame,
    as_of: date,
    book: Rulebook,
    events: pl.DataFrame | None,  # noqa: ARG001 - only the backstops and impairment count
) -> tuple[pl.DataFrame, Mapping[str, Cause]]:
    root = "ifrs9/default/"
    return loans, {
        "past due": _past_due(book, root, as_of, "stage3_days"),
        "credit impairment": _impaired(book, root + "impaired_is_stage3", as_of),
    }


def _past_due(book: Rulebook, root: str, day: date, name: str = "past_due_days") -> Cause:
    most = book.number(root + name, day)
    return pl.col("days_past_due") > most, book.cite(root + name, day).article


def _impaired(book: Rulebook, path: str, day: date) -> Cause:
    cited = book.cite(path, day)
    return pl.col("credit_impaired").fill_null(False) & pl.lit(bool(cited.value)), cited.article


_CAUSES = {"eba": _eba, "basel": _basel, "ifrs9": _ifrs9}
