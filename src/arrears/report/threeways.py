"""The book three ways in words, tables and bars: as reported, by the rules, and with what is hidden."""

from __future__ import annotations

from html import escape
from typing import cast

import polars as pl

from arrears.core.words import counted
from arrears.report import charts, figures
from arrears.report.by_class import PRODUCTS, ThreeWays
from arrears.report.found import BEHIND, HIDES, MILDER
from arrears.report.parts import paragraph, table

Row = dict[str, float | None]
_ROWS, _TOLD = 12, 8
HEADS = ("loans", "claim, yuan", "reported, yuan", "by the rules, yuan", "with hidden, yuan")
_STANDARDS = {
    "cn": "China, 2023 Measures and 2007 Guidelines",
    "eba": "EBA, non-performing exposures",
    "basel": "Basel Committee, 2017",
    "ifrs9": "IFRS 9, stage 3",
}


def first(total: Row) -> tuple[str, str, str]:
    """The answer for the first screen: the sum, what it is, how sure it is."""
    claim, ruled = cast("float", total["claim"]), cast("float", total["by_rule"])
    told = "no class is reported"
    if total["reported"] is not None:
        told = f"{figures.money(total['reported'])} reported"
    if total["with_hidden"] is None:
        what = f"bad by the rules, {figures.share(ruled, claim)} of {figures.money(claim)} owed"
        return figures.money(ruled), what, f"{told}; no history tells what is hidden"
    found = total["with_hidden"]
    what = f"bad with what is hidden, {figures.share(found, claim)} of {figures.money(claim)} owed"
    low, high = cast("float", total["lo90"]), cast("float", total["hi90"])
    sure = f"nine times in ten {figures.money_range(low, high)}; {figures.money(ruled)} by the rules, {told}"
    return figures.money(found), what, sure


def title(total: Row) -> str:
    """What the three say together, true for any book."""
    reported, ruled, found = (
        total["reported"],
        cast("float", total["by_rule"]),
        total["with_hidden"],
    )
    hidden = None if found is None else found - ruled
    if reported is None:
        text = f"By the rules {figures.money(ruled)} are bad; the tape carries no reported class"
    elif ruled > reported:
        more = f" ({figures.share(ruled - reported, reported)})" if reported else ""
        text = (
            f"The rules find {figures.money(ruled - reported)} more bad loans than reported{more}"
        )
    elif ruled < reported:
        text = (
            f"The bank reports {figures.money(reported - ruled)} more bad loans than the rules find"
        )
    else:
        text = "The rules find what the bank reports"
    if hidden is None:
        return text
    if hidden < 1.0:
        return f"{text}, and nothing looks hidden"
    return f"{text}; about {figures.money(hidden)} more look hidden"


def section(three: ThreeWays) -> str:
    """The part of the report: by product and province, standards, ratios, what stands out."""
    return "\n".join(
        [
            f'<h2 id="book">{escape(title(three.total))}</h2>',
            bars(three, "product"),
            cut_table(three, "product", total=True),
            paragraph(three.why, "note"),
            *stands_out(three),
            *(part for cut in ("province", "branch") for part in one_cut(three, cut)),
            ratios(three),
            by_standard(three),
            paragraph(
                "All cuts: book.csv; ratios by branch: warnings.csv; what stands out: findings.csv. "
                "Class, stage, hidden part and articles of each loan: standing.parquet.",
                "note",
            ),
        ]
    )


def bars(three: ThreeWays, cut: str) -> str:
    """A picture of one cut."""
    total = three.total
    if not (total["by_rule"] or total["reported"] or total["with_hidden"]):
        return ""
    shown = _named(_largest(three, cut))
    note = "The line is the range that holds nine tenths of what the hidden part may be."
    if any(shown[name].null_count() for name in ("reported", "with_hidden")):
        note += " What is not known has no bar; that is not nought."
    alt = f"{title(total)}. Bars by {cut}: as reported, by the rules, with hidden."
    picture = charts.svg(charts.book(shown), alt, f"book-{cut}")
    return f"<figure>{picture}<figcaption class=note>{escape(note)}</figcaption></figure>"


def cut_table(three: ThreeWays, cut: str, *, total: bool = False) -> str:
    """A table of one cut, those with most that is bad first."""
    rows = [[row["name"], *told(row)] for row in _named(_largest(three, cut)).iter_rows(named=True)]
    if total:
        rows.append(["all", *told(three.total)])
    return table([cut, *HEADS], rows)


def one_cut(three: ThreeWays, cut: str) -> list[str]:
    """A heading and a table, where the cut says more than one thing."""
    count = three.book.filter(cut=cut).height
    if count < 2:
        return []
    which = f", the {_ROWS} with most that is bad" if count > _ROWS else ""
    return [f"<h3>By {cut}{which}</h3>", cut_table(three, cut)]


def told(row: Row) -> list[str]:
    """A row of the book; the hidden part with its range."""
    found = figures.NOT_KNOWN
    if row["with_hidden"] is not None:
        found = f"{figures.yuan(row['with_hidden'])} ({figures.yuan(row['lo90'])} to {figures.yuan(row['hi90'])})"
    return [
        figures.number(row["loans"]),
        figures.yuan(row["claim"]),
        figures.yuan(row["reported"]),
        figures.yuan(row["by_rule"]),
        found,
    ]


def _largest(three: ThreeWays, cut: str) -> pl.DataFrame:
    worst = pl.coalesce("with_hidden", pl.col("by_rule").cast(pl.Float64))
    return three.book.filter(cut=cut).sort(worst, "key", descending=[True, False]).head(_ROWS)


def _named(cut: pl.DataFrame) -> pl.DataFrame:
    return cut.with_columns(name=pl.col("key").replace(PRODUCTS))


def stands_out(three: ThreeWays) -> list[str]:
    """Classes milder than the rules allow, and branches that hide or lag, with reasons."""
    found = three.findings
    parts: list[str] = []
    mild = found.filter(code=MILDER, cut="total")
    if mild.height:
        row = mild.row(0, named=True)
        many = counted(row["loans"], "loan is", "loans are")
        owed = figures.money(row["amount"])
        head = f"{many} reported milder than any rule allows, {owed} in all"
        parts += [f"<h3>{escape(head)}</h3>", paragraph(row["why"] + ".")]
    hide = found.filter(code=HIDES)
    if hide.height:
        parts += [f"<h3>{escape(_hiding(three, hide))}</h3>", _listed(hide, "looks hidden, yuan")]
    late = found.filter(code=BEHIND)
    if late.height:
        who, they = (
            ("branches have", "they report") if late.height > 1 else ("branch has", "it reports")
        )
        head = f"{late.height} {who} at least twice the bad loans that {they}"
        parts += [f"<h3>{escape(head)}</h3>", _listed(late, "not reported, yuan")]
    return parts


def _hiding(three: ThreeWays, hide: pl.DataFrame) -> str:
    branches = three.book.filter(cut="branch")
    whole = float((branches["with_hidden"] - branches["by_rule"]).sum())
    share = figures.share(float(hide["amount"].sum()), whole)
    if hide.height == 1:
        return f"One branch stands out: {share} of what looks hidden lies there"
    many = f"{hide.height} of {branches.height} branches"
    return f"{many} stand out: {share} of what looks hidden lies there"


def _listed(rows: pl.DataFrame, amount: str) -> str:
    shown = [
        [row["key"], row["why"], figures.number(row["loans"]), figures.yuan(row["amount"])]
        for row in rows.head(_TOLD).iter_rows(named=True)
    ]
    return table(["branch", "why", "loans", amount], shown, words=2, short=1)


def ratios(three: ThreeWays) -> str:
    """The warning ratios of the whole book."""
    rows = [
        [row["ratio"], row["why"].replace("over 1:", "over 100 %:"), figures.percent(row["value"])]
        for row in three.warnings.filter(cut="total").iter_rows(named=True)
    ]
    heads = ["ratio", "what it warns of", "value"]
    return "<h3>Warning ratios</h3>" + table(heads, rows, words=2)


def by_standard(three: ThreeWays) -> str:
    """The same book under each definition of what is bad."""
    rows = [
        [
            _STANDARDS.get(row["standard"], row["standard"]),
            row["article"],
            figures.number(row["loans"]),
            figures.yuan(row["claim"]),
            figures.percent(row["share"]),
        ]
        for row in three.standards.iter_rows(named=True)
    ]
    heads = ["standard", "article", "bad loans", "claim, yuan", "share of what is owed"]
    return "<h3>The same book by other standards</h3>" + table(heads, rows, words=2)
