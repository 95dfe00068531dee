"""Vintages, cures and relapses."""

from __future__ import annotations

from html import escape

import polars as pl

from arrears.recovery.histories.rolls import AFTER_NEW_TERMS, CURE, RELAPSE
from arrears.report import figures
from arrears.report.history.told import FEWEST, YEAR, Past, hundred, picture, span
from arrears.report.lines import fans, ranges
from arrears.report.parts import paragraph, table


def vintages(past: Past) -> list[str]:
    """What share of each origination year has gone bad by which age."""
    known = past.vintage.filter(pl.col("loans") >= FEWEST)
    years = known.group_by("vintage").agg(pl.len()).filter(pl.col("len") > 1)["vintage"].sort()
    if years.is_empty():
        return []
    shown_years = years.tail(6).reverse().to_list()
    shown = pl.concat(
        known.filter(vintage=year)
        .sort("age_months")
        .select("age_months", series=pl.lit(str(year)), **ranges(pl.col("ever_90"), pl.col("se")))
        for year in shown_years
    )
    ends = (
        known.filter(pl.col("vintage").is_in(shown_years))
        .sort("vintage", "age_months")
        .group_by("vintage", maintain_order=True)
        .last()
    )
    worst = ends.sort("ever_90", "vintage", descending=[True, False]).row(0, named=True)
    low, high = span(worst["ever_90"], worst["se"])
    title = (
        f"Of 100 loans of {worst['vintage']}, {hundred(worst['ever_90'])} ({low} to {high}) have been past 90 days "
        f"by month {worst['age_months']}, the most of the years shown"
    )
    rows = [
        [
            str(row["vintage"]),
            str(row["age_months"]),
            figures.number(row["loans"]),
            f"{100 * row['ever_90']:.2f} ± {100 * row['se']:.2f}",
            figures.percent(row["ever_90_balance"], 2),
        ]
        for row in ends.sort("vintage").iter_rows(named=True)
    ]
    spec = fans(
        shown,
        x="age_months",
        title_x="months since origination",
        title_y="per cent ever past 90 days",
    )
    note = "Loans that the months show late count from there on; ages with fewer than 30 loans are left out."
    return [
        f"<h2>{escape(title)}</h2>",
        picture(spec, title, "vintage"),
        table(
            [
                "originated",
                "by month",
                "loans then",
                "per cent ever past 90 days, by number",
                "by balance",
            ],
            rows,
        ),
        paragraph(note, "note"),
    ]


def cures(past: Past) -> list[str]:
    """What becomes of loans after they went bad, were cured, got new terms."""
    known = past.cure.filter(pl.col("product") == "all", pl.col("at_risk") >= FEWEST // 3)
    names = {
        CURE: "current again, since day 91",
        RELAPSE: "bad again, since the cure",
        AFTER_NEW_TERMS: "bad, since new terms",
    }
    seen = [name for name in names if known.filter(what=name).height > 1]
    if not seen:
        return [
            paragraph("The months show too few loans that went bad to tell how many are cured.")
        ]
    shown = pl.concat(
        known.filter(what=name)
        .sort("months")
        .select("months", series=pl.lit(names[name]), **ranges(pl.col("share"), pl.col("se")))
        for name in seen
    )
    told = {name: _by_month(known.filter(what=name)) for name in seen}
    title = _cured(told)
    spec = fans(shown, x="months", title_x="months after", title_y="per cent")
    rows = [
        [
            names[name],
            figures.number(begun),
            str(month),
            f"{100 * share:.1f} ± {100 * se:.1f}",
            _by_balance(known.filter(what=name, months=month)),
        ]
        for name, (begun, month, share, se) in told.items()
    ]
    return [
        f"<h2>{escape(title)}</h2>",
        picture(spec, title, "cure"),
        table(["what", "loans that began", "by month", "per cent, by number", "by balance"], rows),
    ]


def _by_balance(row: pl.DataFrame) -> str:
    share, se = row["share_balance"][0], row["se_balance"][0]
    return figures.NOT_KNOWN if share is None else f"{100 * share:.1f} ± {100 * se:.1f}"


def _by_month(curve: pl.DataFrame) -> tuple[int, int, float, float]:
    """How many began, and the share by month 12 or the last month before it."""
    last = curve.filter(pl.col("months") <= YEAR).sort("months").row(-1, named=True)
    return int(curve["at_risk"].max() or 0), last["months"], last["share"], last["se"]  # type: ignore[arg-type]


def _cured(told: dict[str, tuple[int, int, float, float]]) -> str:
    parts = []
    if CURE in told:
        _, month, share, _ = told[CURE]
        parts.append(
            f"of 100 loans that go bad {hundred(share)} are current again within {month} months"
        )
    if RELAPSE in told:
        _, month, share, _ = told[RELAPSE]
        parts.append(f"of 100 cured {hundred(share)} are bad again within {month}")
    if not parts:
        _, month, share, _ = told[AFTER_NEW_TERMS]
        parts.append(f"of 100 loans with new terms {hundred(share)} go bad within {month} months")
    text = "; ".join(parts)
    return text[0].upper() + text[1:]
