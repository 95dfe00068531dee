"""The book three ways: as reported, by the rules, and with what is hidden."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from arrears.standing import NPL, bad

CUTS = ("total", "product", "province", "sector", "branch", "originator")
NOT_GIVEN = "(not given)"


def book(loans: pl.DataFrame, standing: pl.DataFrame) -> pl.DataFrame:
    """`book.csv`: claims (fen) of all, of loans reported as bad, and of loans bad by the rules, by cut.

    `reported` is null where no loan of the tape carries a reported class; the hidden part is not estimated here.
    """
    known = loans["reported_class"].null_count() < loans.height
    base = loans.select(
        *(name for name in CUTS if name != "total"),
        total=pl.lit("total"),
        claim=pl.sum_horizontal("principal", "interest", "fees"),
        reported=pl.col("reported_class").is_in(NPL).fill_null(False),
        by_rule=bad(standing),
    )
    parts = [_cut(base, cut, known=known) for cut in CUTS]
    return pl.concat(parts)


def _cut(base: pl.DataFrame, cut: str, *, known: bool) -> pl.DataFrame:
    claim = pl.col("claim")
    reported = claim.filter("reported").sum() if known else pl.lit(None, pl.Int64)
    return (
        base.with_columns(key=pl.col(cut).cast(pl.String).fill_null(NOT_GIVEN))
        .group_by("key")
        .agg(
            loans=pl.len().cast(pl.Int64),
            claim=claim.sum(),
            reported=reported,
            by_rule=claim.filter("by_rule").sum(),
        )
        .sort("key")
        .select(
            pl.lit(cut).alias("cut"),
            "key",
            "loans",
            "claim",
            "reported",
            "by_rule",
            *(pl.lit(None, pl.Float64).alias(name) for name in ("with_hidden", "lo90", "hi90")),
        )
    )


def by_standard(
    loans: pl.DataFrame, standings: Mapping[str, pl.DataFrame], titles: Mapping[str, str]
) -> pl.DataFrame:
    """`standards.csv`: loans and claims (fen) that are bad by each standard, the same book under each.

    Args:
        standings: what `classify` gives under each rulebook, by its name.
        titles: article that each standard rests on.
    """
    claim = loans.select(claim=pl.sum_horizontal("principal", "interest", "fees"))["claim"]
    whole = int(claim.sum())
    rows = []
    for name, standing in standings.items():
        mine = bad(standing)
        owed = int(claim.filter(mine).sum())
        share = owed / whole if whole else None
        rows.append((name, titles[name], int(mine.sum()), owed, share))
    heads = ["standard", "article", "loans", "claim", "share"]
    return pl.DataFrame(rows, schema=heads, orient="row", infer_schema_length=None)
