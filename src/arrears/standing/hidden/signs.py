"""Indicators E1 to E5 for each loan, with intensity, months and words; and what speaks for or against them."""

from __future__ import annotations

import polars as pl

from arrears.standing.hidden import words as w
from arrears.standing.law import NPL

E = ("e1", "e2", "e3", "e4", "e5")
_TITLES = {
    "e1": "new money repaid old",
    "e2": "renewed or extended without repayment",
    "e3": "interest added to principal",
    "e4": "paid before a quarter's end and taken back or due again",
    "e5": "rate cut while in difficulty",
    "interest_only": "interest alone paid where principal is due",
    "dressed": "days past due fell without a payment",
    "short_of_notch": "80 to 90 days past due",
}
_LATELY = 12


def signs(loans: pl.DataFrame, lived: pl.DataFrame) -> pl.DataFrame:
    """Indicators of METHODS 3.1 and the second, interpretive step.

    A sign alone proves nothing: a sound business renews too, honest relief and payment holidays look alike. What
    tells them apart is ability: `inside` (trouble on the loan in the three months before an act), `outside` (other
    debts overdue, out of reach, instalments beyond income), and on the other side `resumed` (the last three months
    paid in full, principal too).

    Args:
        loans: canonical, n rows.
        lived: as `months.lived` gives it.

    Returns:
        n rows in the order of `loans`: `loan_id`, an intensity from 0 to 1 for each of `e1` to `e5`,
        `interest_only`, `dressed`, `short_of_notch`, `inside`, `resumed`, `relief`; `outside` (code of
        `words.OUTSIDE`), `first?, last?` (months between which signs lie), `months` (of history), `evidence`.
    """
    counted = loans.select("loan_id", loan=pl.int_range(pl.len(), dtype=pl.UInt32)).join(
        lived.group_by("loan").agg(*_counts()), on="loan", how="left", maintain_order="left"
    )
    counts = [name for name in counted.columns if name.startswith("n_")]
    counted = counted.with_columns(pl.col(*counts, "months").fill_null(0))
    told = counted.with_columns(
        loans["renewals"],
        loans["restructured_on"],
        loans["reported_class"],
        loans["original_principal"],
        loans["principal"],
        outside=outside(loans),
    )
    again = pl.max_horizontal("n_renewed", pl.col("renewals").fill_null(0).cast(pl.Int64))
    from_start = pl.col("principal") / pl.when(pl.col("original_principal") > 0).then(
        pl.col("original_principal")
    )
    kept = pl.coalesce("kept", from_start).fill_null(1.0) > w.KEPT_PRINCIPAL
    told = told.with_columns(again=again).with_columns(
        e1=_steps("n_new_old", 1),
        e2=pl.when(kept).then(_steps("again", 2)).otherwise(0.0),
        e3=_steps("n_capitalised", 1),
        e4=pl.max_horizontal(_steps("n_round_trip", 1), 0.6 * _steps("n_rescue", 2)),
        e5=_steps("n_cut_stressed", 1),
        interest_only=pl.col("n_interest_only") / _LATELY,
        dressed=_steps("n_fell_unpaid", 1),
        short_of_notch=_steps("n_notch", 2),
        inside=(pl.col("n_act_stressed") > 0).cast(pl.Float64),
        resumed=(pl.col("n_full_lately") >= 3).cast(pl.Float64),
        relief=(
            pl.col("restructured_on").is_not_null()
            | (pl.col("n_eased") > 0)
            | (pl.col("n_holiday") > 0)
        ).cast(pl.Float64),
    )
    return told.select(
        "loan_id",
        *E,
        "interest_only",
        "dressed",
        "short_of_notch",
        "inside",
        "resumed",
        "relief",
        "outside",
        "first",
        "last",
        "months",
        evidence=_evidence(),
    )


def _counts() -> list[pl.Expr]:
    """How often each sign shows on a loan; lately is the last twelve months of its history."""
    last = pl.col("month") > pl.col("month").max().dt.offset_by(f"-{_LATELY}mo")
    ends = pl.col("month") > pl.col("month").max().dt.offset_by("-3mo")
    pay, act = pl.col("pay"), pl.col("act")
    acts = ["new_pays_old", "capitalised", "renewal", "extension", "rate_cut"]
    telling = act.is_in([w.ACT.index(name) for name in acts])
    sign = telling | (pl.col("timing") > 0)
    balance = pl.col("balance").drop_nulls()
    return [
        pl.col("new_old").sum().cast(pl.Int64).alias("n_new_old"),
        (pl.col("renewed") | pl.col("extended")).sum().cast(pl.Int64).alias("n_renewed"),
        *(
            pl.col(name).sum().cast(pl.Int64).alias(f"n_{name}")
            for name in ("capitalised", "round_trip", "rescue", "fell_unpaid", "eased", "holiday")
        ),
        (pl.col("cut_down") & pl.col("stressed")).sum().cast(pl.Int64).alias("n_cut_stressed"),
        ((pay == w.PAY.index("interest_only")) & last)
        .sum()
        .cast(pl.Int64)
        .alias("n_interest_only"),
        (pl.col("days_code") == w.DAYS.index("80-90")).sum().cast(pl.Int64).alias("n_notch"),
        (telling & pl.col("stressed")).sum().cast(pl.Int64).alias("n_act_stressed"),
        ((pay == w.PAY.index("full")) & (pl.col("days") == 0) & ends)
        .sum()
        .cast(pl.Int64)
        .alias("n_full_lately"),
        pl.len().cast(pl.Int64).alias("months"),
        (balance.last() / pl.when(balance.first() > 0).then(balance.first())).alias("kept"),
        pl.col("month").filter(sign).min().alias("first"),
        pl.col("month").filter(sign).max().alias("last"),
    ]


def _steps(count: str, least: int) -> pl.Expr:
    """Intensity by count: 0.7 where the rule is just met, 0.15 more a further time, at most 1."""
    more = pl.col(count) - least
    return pl.when(more >= 0).then((0.7 + 0.15 * more).clip(upper_bound=1.0)).otherwise(0.0)


def outside(loans: pl.DataFrame) -> pl.Series:
    """What is known of a borrower's ability beyond the loan itself (n,): code of `words.OUTSIDE`.

    Strained: another of the borrower's loans is more than 30 days past due or reported bad; the borrower is out of
    reach; or the next instalments of all loans take more than 60 per cent of income. Unknown: nothing is told.
    """
    trouble = (pl.col("days_past_due") > 30) | pl.col("reported_class").is_in(NPL).fill_null(False)
    due = pl.sum_horizontal(pl.col("next_due_interest", "next_due_principal").fill_null(0))
    other = trouble.cast(pl.Int64).sum().over("borrower_id", "lender") - trouble.cast(pl.Int64)
    many = pl.len().over("borrower_id", "lender") > 1
    burden = due.sum().over("borrower_id", "lender") / pl.when(pl.col("monthly_income") > 0).then(
        pl.col("monthly_income")
    )
    lost = pl.col("contact_status").is_in(["unreachable", "vanished"])
    strained = (other > 0) | (burden > 0.6).fill_null(False) | lost.fill_null(False)
    clean = many | burden.is_not_null() | lost.is_not_null()
    code = pl.when(strained).then(2).when(clean).then(1).otherwise(0)
    return loans.select(outside=code.cast(pl.UInt8)).to_series()


def _evidence() -> pl.Expr:
    """The signs of a loan in words, those that show."""
    parts = [
        pl.when(pl.col(name) > 0).then(pl.lit(f"{name.upper()} {words}" if name in E else words))
        for name, words in _TITLES.items()
    ]
    inside = pl.when((pl.col("inside") > 0) & pl.any_horizontal(pl.col(*E) > 0)).then(
        pl.lit("in trouble before")
    )
    away = pl.when(pl.col("outside") == 2).then(pl.lit("strained elsewhere"))
    back = pl.when(pl.col("resumed") > 0).then(pl.lit("pays principal again"))
    said = pl.concat_str(*parts, inside, away, back, separator="; ", ignore_nulls=True)
    return pl.when(said == "").then(pl.lit("no sign")).otherwise(said)


def told_months(lived: pl.DataFrame) -> pl.DataFrame:
    """What the telling months of each loan showed, in words: `loan, months`."""
    said = {
        ("act", code): name.replace("_", " ")
        for code, name in enumerate(w.ACT)
        if name not in {"none", "renewal_paid_down"}
    } | {("timing", code): name.replace("_", " ") for code, name in enumerate(w.TIMING) if code}
    parts = [
        pl.when(pl.col(column) == code).then(pl.lit(words))
        for (column, code), words in said.items()
    ]
    short = pl.when(pl.col("days_code") == w.DAYS.index("80-90")).then(pl.lit("80 to 90 days late"))
    alone = pl.when(pl.col("pay") == w.PAY.index("interest_only")).then(pl.lit("interest alone"))
    behind = pl.when(pl.col("look") == w.LOOK.index("91+")).then(
        pl.lit("more than 90 days behind once concessions are undone")
    )
    text = pl.concat_str(*parts, short, alone, behind, separator=" and ", ignore_nulls=True)
    told = lived.select("loan", "month", text=text).filter(pl.col("text") != "")
    # Months that follow each other and show the same are told once.
    number = pl.col("month").dt.year().cast(pl.Int64) * 12 + pl.col("month").dt.month()
    runs = told.with_columns(run=number - pl.int_range(pl.len()).over("loan")).with_columns(
        run=pl.struct("loan", "text", "run").rle_id()
    )
    begin = pl.col("month").first().dt.strftime("%Y-%m")
    end = pl.col("month").last().dt.strftime("%Y-%m")
    when = pl.when(begin == end).then(begin).otherwise(pl.format("{} to {}", begin, end))
    return (
        runs.group_by("loan", "run", maintain_order=True)
        .agg(text=pl.format("{} {}", when, pl.col("text").first()))
        .group_by("loan", maintain_order=True)
        .agg(months=pl.col("text").str.join("; "))
    )
