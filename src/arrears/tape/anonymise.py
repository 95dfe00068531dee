"""A tape that may leave the house: keyed pseudonyms, months instead of days, no free text, no small cells."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from arrears.tape.columns import EXCLUDED_REASONS, LINKAGE, TABLES, WORDS

K = 5
_LOANS_IDS = (
    "loan_id",
    "borrower_id",
    "related_loan_id",
    "lender",
    "branch",
    "originator",
    "collector",
    "agency",
    "court",
)
_TEXT = ("sector",)
_CELL = ("province", "birth_year", "product")
BIRTHS = 5
# What says the day again once dates are months, or singles a person out.
_DROPPED = ("default_date", "monthly_income", "collateral_value_date")


@dataclass(frozen=True)
class Anonymised:
    """The tables, and how well they hide who is meant.

    Attributes:
        report: `columns, values_before, loans_alone_before, loans_alone_after, fewest_after`: how many loans are the
            only ones with their values of some columns, and how many share the rarest of them.
        merged: loans whose province or year of birth was left out because too few shared them.
    """

    tables: dict[str, pl.DataFrame]
    report: pl.DataFrame
    merged: int


def anonymise(tables: dict[str, pl.DataFrame], key: bytes, *, k: int = K) -> Anonymised:
    """Tables of a tape without anything that names a borrower.

    Args:
        tables: canonical tables by name; `loans` is among them.
        key: secret; the same key gives the same pseudonyms, and nobody without it can find them.
        k: each combination of province, band of birth years and product is shared by that many loans at least.
    """
    pseudonym = _pseudonyms(key)
    hidden = {name: _hidden(table, name, pseudonym) for name, table in tables.items()}
    loans = hidden["loans"]
    merged = without_small_cells(loans, k)
    left_out = int((merged["province"].is_null() & loans["province"].is_not_null()).sum())
    report = _report(tables["loans"], merged)
    return Anonymised({**hidden, "loans": merged}, report, left_out)


def without_small_cells(loans: pl.DataFrame, k: int = K) -> pl.DataFrame:
    """Years of birth in bands; loans whose cell of province, band and product fewer than `k` share lose year, then
    province.

    Where those of a product that lost both are still fewer than `k`, its smallest other cells join them. A product with
    fewer than `k` loans in all cannot be hidden: the report counts what is left alone.
    """
    bands = (pl.col("birth_year") // BIRTHS * BIRTHS).cast(pl.Int32)
    loans = loans.with_columns(birth_year=bands)
    for column in ("birth_year", "province"):
        few = pl.len().over(*_CELL) < k
        loans = loans.with_columns(pl.when(few).then(None).otherwise(pl.col(column)).alias(column))
    cells = loans.group_by(*_CELL).len().sort("len", *_CELL)
    joins = []
    for (_,), own in cells.group_by("product", maintain_order=True):
        bare = pl.all_horizontal(pl.col("province", "birth_year").is_null())
        short = int(own.filter(bare)["len"].sum())
        for cell in own.filter(~bare).iter_rows(named=True):
            if not 0 < short < k:
                break
            joins.append(cell)
            short += cell["len"]
    if not joins:
        return loans
    gone = pl.DataFrame(joins, schema=cells.schema).select(*_CELL, gone=pl.lit(True))
    found = loans.join(gone, on=_CELL, how="left", nulls_equal=True, maintain_order="left")
    blank = [pl.when("gone").then(None).otherwise(pl.col(n)).alias(n) for n in _CELL[:2]]
    return found.with_columns(blank).drop("gone")


def _pseudonyms(key: bytes) -> Callable[[pl.Series, str], pl.Series]:
    def of(column: pl.Series, kind: str) -> pl.Series:
        values = column.drop_nulls().unique()
        digests = [
            hmac.new(key, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()[:20]
            for value in values
        ]
        return column.replace_strict(values, digests, default=None, return_dtype=pl.String)

    return of


def _hidden(
    table: pl.DataFrame, name: str, pseudonym: Callable[[pl.Series, str], pl.Series]
) -> pl.DataFrame:
    columns = []
    for column, dtype in TABLES[name].items():
        values = table[column]
        if column in _LOANS_IDS:
            kind = "loan_id" if column == "related_loan_id" else column
            values = pseudonym(values, kind)
        elif column in LINKAGE:
            values = pseudonym(values, column)
        elif column in _TEXT or column in _DROPPED:
            values = pl.Series(column, [None], dtype).new_from_index(0, table.height)
        elif column == "excluded_reason":
            known = values.is_in(EXCLUDED_REASONS)
            values = pl.select(
                pl.when(known).then(values).when(values.is_not_null()).then(pl.lit("other"))
            ).to_series()
        elif dtype == pl.Date and column != "as_of":
            values = values.dt.month_start()
        elif column in WORDS and dtype != pl.String:
            values = values.cast(pl.String)
        columns.append(values.alias(column))
    return pl.DataFrame(columns)


def _report(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """How many loans stand alone with their values of some columns, before and after."""
    sets = [
        ("province", "birth_year", "product"),
        ("province", "birth_year", "product", "origination_date"),
        ("origination_date", "original_principal"),
        ("birth_year", "province", "branch"),
        ("principal",),
        ("days_past_due", "product"),
    ]

    def alone(table: pl.DataFrame, columns: tuple[str, ...]) -> int:
        there = table.drop_nulls(columns)
        return int((there.select(n=pl.len().over(*columns))["n"] == 1).sum())

    return pl.DataFrame(
        {
            "columns": [" + ".join(columns) for columns in sets],
            "values_before": [before.select(columns).n_unique() for columns in sets],
            "loans_alone_before": [alone(before, columns) for columns in sets],
            "loans_alone_after": [alone(after, columns) for columns in sets],
            "fewest_after": [after.group_by(columns).len()["len"].min() for columns in sets],
        }
    )
