"""What stands out in a book: classes milder than any rule allows, and branches that hide more than the others."""

from __future__ import annotations

import numpy as np
import polars as pl

from arrears.report import figures
from arrears.report.by_class import NOT_GIVEN, ThreeWays
from arrears.standing.hidden import Hidden
from arrears.standing.law import SEVERITY

MILDER, HIDES, BEHIND = "REPORTED-MILDER", "BRANCH-HIDES", "BRANCH-BEHIND"
Row = tuple[str, str, str, int, float, str]
_HEADS = ("code", "cut", "key", "loans", "amount", "why")
_SIGNS = {
    "e1": "new money repaid old",
    "e2": "renewed or extended without repayment",
    "e3": "interest added to principal",
    "e4": "paid just before a quarter's end and due again",
    "e5": "rates cut in difficulty",
    "interest_only": "interest alone paid",
    "dressed": "days past due that fell without a payment",
    "short_of_notch": "80 to 90 days past due",
}
_SHOWS = 0.5
_REASONS = 3
_FEWEST = 3
_TWICE, _SURE = 2.0, 0.95


def signs_in_words(evidence: pl.Series) -> pl.Series:
    """Signs of hidden loans without the numbers that METHODS gives them."""
    return evidence.str.replace_all(r"\bE\d ", "")


def findings(
    loans: pl.DataFrame, standing: pl.DataFrame, book: pl.DataFrame, hidden: Hidden
) -> pl.DataFrame:
    """`findings.csv`: `code, cut, key, loans, amount, why`, the largest amount (fen) of a kind first.

    `REPORTED-MILDER`: loans whose reported class is milder than any rule in force for them allows. `BRANCH-HIDES`: a
    branch hides at least twice the share of its claims that the others hide, and more than they in 19 of 20 draws.
    `BRANCH-BEHIND`: by the rules it has at least twice the bad loans that it reports.
    """
    base = loans.select(
        "loan_id",
        branch=pl.col("branch").fill_null(NOT_GIVEN),
        claim=pl.sum_horizontal("principal", "interest", "fees"),
        reported=pl.col("reported_class"),
    ).with_columns(ruled=standing["five_tier"], hidden=standing["hidden_amount"])
    rows = [*_milder(base), *_hiding(base, hidden), *_behind(book)]
    kinds = dict.fromkeys(_HEADS, pl.String) | {"loans": pl.Int64, "amount": pl.Float64}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def milder(base: pl.DataFrame) -> pl.DataFrame:
    """Those of the loans whose `reported` class is milder than `ruled`; none where the standard has no classes."""
    known = list(SEVERITY)
    return base.filter(
        pl.col("reported").is_in(known),
        pl.col("ruled").is_in(known),
        pl.col("reported").replace_strict(SEVERITY, default=None)
        < pl.col("ruled").replace_strict(SEVERITY, default=None),
    )


def _milder(base: pl.DataFrame) -> list[Row]:
    mine = milder(base)
    if mine.is_empty():
        return []
    rows: list[Row] = []
    for cut, keys in (("total", pl.lit("total")), ("branch", pl.col("branch"))):
        for group in mine.with_columns(key=keys).partition_by("key"):
            pairs = group.group_by("reported", "ruled").len()
            told = "; ".join(
                f"{count:,} reported {was.replace('_', ' ')}, {now.replace('_', ' ')} by the rules"
                for was, now, count in pairs.sort(
                    -pl.col("len").cast(pl.Int64), "reported", "ruled"
                )
                .head(_REASONS)
                .iter_rows()
            )
            why = f"{told}, e.g. loan {group['loan_id'].sort()[0]}"
            owed = float(group["claim"].sum())
            rows.append((MILDER, cut, group["key"][0], group.height, owed, why))
    return sorted(rows, key=lambda row: (row[1] != "total", -row[4], row[2]))


def _hiding(base: pl.DataFrame, hidden: Hidden) -> list[Row]:
    """Branches that hide a larger share than the others, with the signs that their loans show more often."""
    branches = base["branch"].unique().sort()
    if len(branches) < 2 or hidden.table["hidden_amount"].null_count() == base.height:
        return []
    places = {name: place for place, name in enumerate(branches)}
    place = base["branch"].replace_strict(places, return_dtype=pl.Int64).to_numpy()
    expected = hidden.table["hidden_amount"].fill_null(0.0).to_numpy()
    owed = np.bincount(place, weights=base["claim"].to_numpy(), minlength=len(branches))
    drawn = hidden.drawn_by(place, len(branches))
    found = np.bincount(place, weights=expected, minlength=len(branches))
    suspect = (hidden.table["p_hidden"] > _SHOWS).fill_null(False)
    rows: list[Row] = []
    for k, name in enumerate(branches):
        others = owed.sum() - owed[k]
        if owed[k] <= 0 or others <= 0:
            continue
        share, rest = found[k] / owed[k], (found.sum() - found[k]) / others
        beyond = drawn[k] / owed[k] > (drawn.sum(axis=0) - drawn[k]) / others
        mine = ((base["branch"] == name) & suspect).to_numpy()
        likely = int(mine.sum())
        if share < _TWICE * rest or beyond.mean() < _SURE or likely < _FEWEST:
            continue
        more = f"{share / rest:.1f} times the share of the other branches; " if rest else ""
        why = f"{more}{_reasons(hidden.signs.filter(mine), hidden.signs.filter(~suspect))}"
        most = int(np.flatnonzero(mine)[np.argmax(expected[mine])])
        told = None
        if "evidence" in hidden.signs.columns:
            told = signs_in_words(hidden.signs["evidence"].slice(most, 1))[0]
        why += f"; e.g. loan {base['loan_id'][most]}{f': {told}' if told else ''}"
        rows.append((HIDES, "branch", name, likely, float(found[k]), why))
    return sorted(rows, key=lambda row: (-row[4], row[2]))


def _reasons(here: pl.DataFrame, there: pl.DataFrame) -> str:
    """The signs that the loans here, likely bad, show most beyond loans that are likely sound."""
    found = []
    for name, words in _SIGNS.items():
        ours, theirs = (int((part[name] >= _SHOWS).sum()) for part in (here, there))
        beyond = ours / here.height - (theirs / there.height if there.height else 0.0)
        if ours and beyond > 0:
            sound = figures.share(theirs, there.height)
            found.append((beyond, f"{words} on {ours:,} (of sound ones {sound})"))
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    signs = ", ".join(words for _, words in found[:_REASONS]) or "by its histories as a whole"
    return f"of {here.height:,} loans likely bad: {signs}"


def _behind(book: pl.DataFrame) -> list[Row]:
    late = book.filter(
        pl.col("cut") == "branch", pl.col("reported").is_not_null(), pl.col("by_rule") > 0
    ).filter(pl.col("by_rule") >= _TWICE * pl.col("reported"))
    rows: list[Row] = []
    for row in late.sort("by_rule", "key", descending=[True, False]).iter_rows(named=True):
        ruled, told = figures.money(row["by_rule"]), figures.money(row["reported"])
        why = f"{ruled} bad by the rules, {told} reported"
        behind = float(row["by_rule"] - row["reported"])
        rows.append((BEHIND, "branch", row["key"], row["loans"], behind, why))
    return rows


def told_findings(three: ThreeWays) -> list[str]:
    """The findings in a line each, at most three of a kind."""
    lines = []
    for code in (MILDER, HIDES, BEHIND):
        mine = three.findings.filter(pl.col("code") == code)
        rows = mine.filter(cut="total") if code == MILDER else mine
        for row in rows.head(_REASONS).iter_rows(named=True):
            where = "" if row["cut"] == "total" else f" {row['key']}"
            why = row["why"].split("; e.g. loan")[0]
            lines.append(f"{code}{where}: {figures.money(row['amount'])}, {why}")
        if rows.height > _REASONS:
            lines.append(f"{code}: {rows.height - _REASONS} more in findings.csv")
    return lines
