"""The usual warning ratios of a book, by total and by branch."""

from __future__ import annotations

import numpy as np
import polars as pl

from arrears.standing import NPL, bad

_WHY = {
    "past 90 days to reported bad": "over 1: reported too little",
    "bad by the rules to reported bad": "over 1: the rules are not followed",
    "bad with hidden to reported bad": "how much more there is than is reported",
    "special mention": "where bad loans wait",
    "renewed at least once": "kept alive without repayment",
    "restructured": "new terms",
    "provisions to reported bad": "coverage as reported",
    "provisions to bad by the rules": "coverage by the rules",
    "provisions to bad with hidden": "coverage with what is hidden",
}


def warnings(loans: pl.DataFrame, standing: pl.DataFrame) -> pl.DataFrame:
    """`warnings.csv`: `cut, key, ratio, value?, why`; null where the tape does not tell.

    Ratios are of claims. Those to bad loans are null where nothing is bad.
    """
    claim = pl.sum_horizontal("principal", "interest", "fees")
    base = loans.select(
        claim=claim,
        branch=pl.col("branch").fill_null("(not given)"),
        total=pl.lit("total"),
        provision="provision",
        late=claim * (pl.col("days_past_due") > 90),
        reported=claim * pl.col("reported_class").is_in(NPL),
        watched=claim * (pl.col("reported_class") == "special_mention"),
        renewed=claim * (pl.col("renewals") > 0),
        eased=claim * pl.col("restructured_on").is_not_null(),
    ).with_columns(
        ruled=pl.col("claim") * bad(standing),
        hidden=standing["hidden_amount"],
    )
    cuts = ["total"] if base["branch"].n_unique() < 2 else ["total", "branch"]
    return pl.concat([_cut(base, cut) for cut in cuts])


def _hidden(base: pl.DataFrame, cut: str, keys: pl.Series) -> pl.Series:
    """Hidden amount of each key, added up in the order of the loans, so that threads change no bit of it."""
    place = base[cut].replace_strict(keys, range(len(keys)), return_dtype=pl.Int64).to_numpy()
    known = base["hidden"].is_not_null().to_numpy()
    total = np.bincount(place, base["hidden"].fill_null(0.0).to_numpy(), len(keys))
    seen = np.bincount(place[known], minlength=len(keys)) > 0
    return pl.Series(np.where(seen, total, np.nan)).fill_nan(None)


def _cut(base: pl.DataFrame, cut: str) -> pl.DataFrame:
    names = (
        "claim",
        "provision",
        "late",
        "reported",
        "watched",
        "renewed",
        "eased",
        "ruled",
    )
    sums = (
        base.group_by(pl.col(cut).alias("key"))
        .agg(pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()) for name in names)
        .sort("key")
    )
    sums = sums.with_columns(found=pl.col("ruled") + _hidden(base, cut, sums["key"]))

    def to(part: str, whole: str) -> pl.Expr:
        return pl.col(part) / pl.when(pl.col(whole) > 0).then(pl.col(whole))

    values = (
        to("late", "reported"),
        to("ruled", "reported"),
        to("found", "reported"),
        to("watched", "claim"),
        to("renewed", "claim"),
        to("eased", "claim"),
        to("provision", "reported"),
        to("provision", "ruled"),
        to("provision", "found"),
    )
    table = sums.select(
        "key", *(value.alias(name) for name, value in zip(_WHY, values, strict=True))
    )
    return table.unpivot(index="key", variable_name="ratio", value_name="value").select(
        pl.lit(cut).alias("cut"),
        "key",
        "ratio",
        pl.col("value").cast(pl.Float64),
        pl.col("ratio").replace_strict(_WHY).alias("why"),
    )
