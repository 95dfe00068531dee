"""The book three ways: as reported, by the rules, and with what is hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from arrears.standing import NPL, bad
from arrears.standing.hidden import Hidden

PRODUCTS = {
    "mortgage": "mortgages",
    "consumer": "consumer loans",
    "credit_card": "credit cards",
    "business": "business loans",
}
CUTS = ("total", "product", "province", "sector", "branch", "originator")
NOT_GIVEN = "(not given)"


@dataclass(frozen=True)
class ThreeWays:
    """A book as reported, by the rules, and with what is hidden, and what stands out in it.

    Attributes:
        book, standards, warnings, findings: `book.csv`, `standards.csv`, `warnings.csv`, `findings.csv`.
        why: what the hidden part rests on, in a sentence.
    """

    book: pl.DataFrame
    standards: pl.DataFrame
    warnings: pl.DataFrame
    findings: pl.DataFrame
    why: str

    @property
    def total(self) -> dict[str, float | None]:
        """`loans, claim, reported, by_rule, with_hidden, lo90, hi90` of the whole book, fen."""
        return self.book.filter(cut="total").row(0, named=True)


def book(loans: pl.DataFrame, standing: pl.DataFrame, hidden: Hidden) -> pl.DataFrame:
    """`book.csv`: claims (fen) of all, reported as bad, bad by the rules, and bad with what is hidden, by cut.

    `reported` is null where no loan of the tape carries a reported class. `with_hidden` is `by_rule` and the expected
    amount hidden in loans that are neither reported nor ruled bad, `lo90` to `hi90` the middle 90 % of its draws; null
    where no loan of the group has a history.
    """
    known = loans["reported_class"].null_count() < loans.height
    base = loans.select(
        *(pl.col(name).cast(pl.String).fill_null(NOT_GIVEN) for name in CUTS if name != "total"),
        total=pl.lit("total"),
        claim=pl.sum_horizontal("principal", "interest", "fees"),
        reported=pl.col("reported_class").is_in(NPL).fill_null(False),
        by_rule=bad(standing),
    )
    return pl.concat([_cut(base, cut, hidden, known=known) for cut in CUTS])


def _cut(base: pl.DataFrame, cut: str, hidden: Hidden, *, known: bool) -> pl.DataFrame:
    claim, ruled = pl.col("claim"), pl.col("by_rule")
    reported = claim.filter("reported").sum() if known else pl.lit(None, pl.Int64)
    sums = base.group_by(pl.col(cut).alias("key")).agg(
        loans=pl.len().cast(pl.Int64),
        claim=claim.sum(),
        reported=reported,
        by_rule=claim.filter("by_rule").sum(),
    )
    return (
        sums.join(hidden.by(base[cut]), on="key", how="left")
        .sort("key")
        .select(
            pl.lit(cut).alias("cut"),
            "key",
            "loans",
            "claim",
            "reported",
            "by_rule",
            with_hidden=ruled + pl.col("hidden"),
            lo90=ruled + pl.col("lo90"),
            hi90=ruled + pl.col("hi90"),
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
