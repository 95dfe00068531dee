"""The page of what is hidden: which branches, why, how sure, and what the answer rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from html import escape
from typing import cast

import polars as pl

from arrears.report import charts, figures
from arrears.report.found import signs_in_words
from arrears.report.parts import paragraph, shell, table
from arrears.standing.hidden import Gap, Hidden
from arrears.standing.hidden.audit import Estimate
from arrears.standing.hidden.bunching import BELOW

_ROWS, _LOANS = 12, 20
_SURE = 1.96


@dataclass(frozen=True)
class Inspected:
    """What an inspection found: the gap, and the whole by the design of the sample where it is known."""

    gap: Gap
    designed: Estimate | None


@dataclass(frozen=True)
class HiddenPage:
    """What the page tells; money in fen.

    Attributes:
        whole: `hidden, lo90, hi90` of the whole book.
        branches: `key, hidden, lo90, hi90, claim`.
        branch: of every loan.
        late: claims more than 90 days past due.
    """

    as_of: date
    claim: float
    reported: float
    whole: dict[str, float | None]
    branches: pl.DataFrame
    branch: pl.Series
    found: Hidden
    bunching: pl.DataFrame
    inspected: Inspected | None
    late: float


def hidden_findings(page: HiddenPage) -> list[str]:
    """What stands out, in sentences that are true of this book; none where nothing does."""
    whole = page.whole["hidden"]
    if not whole or whole < 1.0:
        return []
    most = page.branches.drop_nulls("hidden").sort("hidden", "key", descending=[True, False])
    said = []
    if most.height > 3:
        top = most.head(2)
        part = float(top["hidden"].sum())
        if part / whole >= 2.0 * float(top["claim"].sum()) / page.claim:
            names = " and ".join(top["key"])
            said.append(
                f"{figures.share(part, whole)} of what is hidden sits in two branches, {names},"
                f" that hold {figures.share(float(top['claim'].sum()), page.claim)} of the claims"
            )
    notch = page.bunching.filter(pl.col("branch").is_null(), pl.col("z") > _SURE)
    said += [
        f"About {figures.number(row['excess'])} more loans than a smooth course would have "
        f"were found {_told_threshold(row['threshold'])}"
        for row in notch.filter(pl.col("threshold").str.contains("/")).iter_rows(named=True)
    ]
    return said


def _told_threshold(name: str) -> str:
    """`83 to 90 days past due` of `90/91`, `payments in the last days of a month` of `month_end`."""
    if "/" in name:
        last = int(name.split("/", maxsplit=1)[0])
        return f"{last - BELOW + 1} to {last} days past due"
    return f"payments in the last days of a {name.removesuffix('_end')}"


def hidden_page(page: HiddenPage) -> str:
    """`hidden.html`."""
    parts = [
        f"<h1>{escape(_title(page))}</h1>",
        paragraph(f"As of {figures.day(page.as_of)}. {page.found.why}", "when"),
        *(paragraph(f"{text}.") for text in hidden_findings(page)),
        *_branches(page),
        *_loans(page),
        *_bunching(page),
        *_inspection(page),
        *_rests(page),
    ]
    return shell(_title(page), parts)


def _title(page: HiddenPage) -> str:
    found = page.whole["hidden"]
    if found is None:
        return "The tape tells no history: what is hidden is not known"
    low, high = cast("float", page.whole["lo90"]), cast("float", page.whole["hi90"])
    if high < 100.0:
        return "Nothing looks hidden"
    beside = ""
    if page.reported and found >= 0.01 * page.reported:
        beside = f", {figures.number(found / page.reported, 2)} for every yuan reported as bad"
    return f"{figures.money(found)} look hidden ({figures.money_range(low, high)}){beside}"


def _branches(page: HiddenPage) -> list[str]:
    """Where it lies, with ranges, and by which signs."""
    most = page.branches.drop_nulls("hidden").sort("hidden", "key", descending=[True, False])
    most = most.filter(pl.col("hidden") >= 1.0).head(_ROWS)
    if most.is_empty():
        return []
    rows = [
        [
            row["key"], _signs_of(page, row["key"]), *(figures.yuan(row[name]) for name in ("hidden", "lo90", "hi90")),
            figures.share(row["hidden"], row["claim"]),
        ]
        for row in most.iter_rows(named=True)
    ]  # fmt: skip
    picture = charts.svg(
        charts.hidden_by_branch(most), "Claims expected hidden, by branch, with ranges", "branches"
    )
    heads = ["branch", "what shows it (loans)", "hidden, yuan", "low", "high", "of its claims"]
    first = most.row(0, named=True)
    whole = cast("float", page.whole["hidden"])
    return [
        f"<h2>{escape(first['key'])} hides most: {figures.share(first['hidden'], whole)} of it all</h2>",
        f"<figure>{picture}</figure>",
        table(heads, rows, words=2, short=1),
        paragraph("Bars: what is expected; lines, and low to high: nine times in ten the truth lies between, errors of "
                  "the model included.", "note"),
    ]  # fmt: skip


def _signs_of(page: HiddenPage, branch: str) -> str:
    likely = page.found.table.with_columns(page.found.signs["evidence"], branch=page.branch)
    shown = likely.filter(branch=branch).filter(pl.col("p_hidden") > 0.3)
    words = signs_in_words(shown["evidence"]).str.split("; ").explode().drop_nulls()
    counts = words.filter(words != "no sign").value_counts(name="n")
    common = counts.sort("n", words.name, descending=[True, False]).head(2)
    return "; ".join(f"{row[0]} ({row[1]})" for row in common.iter_rows()) or "no single sign"


def _chance(share: float) -> str:
    return "over 99.9 %" if share > 0.999 else figures.percent(share)


def _loans(page: HiddenPage) -> list[str]:
    reasons = page.found.reasons().sort("p_hidden", "loan_id", descending=[True, False])
    reasons = reasons.with_columns(signs_in_words(reasons["evidence"]))
    if reasons.is_empty():
        return []
    rows = [
        [row["loan_id"], row["evidence"], row["months"], _chance(row["p_hidden"])]
        for row in reasons.head(_LOANS).iter_rows(named=True)
    ]
    return [
        "<h2>The loans most likely hidden, and the months that tell</h2>",
        table(["loan", "signs", "months", "chance"], rows, words=3, short=1),
        paragraph(
            "Concessions undone: as if no renewal, extension or added interest had moved a due date. "
            f"All {reasons.height:,} loans from one per cent on: hidden_why.parquet.",
            "note",
        ),
    ]


def _bunching(page: HiddenPage) -> list[str]:
    told = page.bunching.drop_nulls("z")
    if told.is_empty():
        return []
    whole = told.filter(pl.col("branch").is_null())
    worst = told.filter(pl.col("branch").is_not_null(), pl.col("z") > _SURE)
    worst = worst.sort("z", "lender", "branch", "threshold", descending=[True, False, False, False])
    worst = worst.head(_ROWS)
    rows = [
        [
            row["branch"] or f"{row['lender']} (all)", _told_threshold(row["threshold"]),
            *(figures.number(row[name], 1) for name in ("excess", "se", "z")),
        ]
        for row in pl.concat([whole, worst]).iter_rows(named=True)
    ]  # fmt: skip
    return [
        f"<h2>{escape(_bunched(whole))}</h2>",
        table(["where", "what", "more than a smooth course", "standard error", "z"], rows, words=2, short=0),
        paragraph("Loans found just short of a threshold of the rules, or payments around a date, beyond a smooth"
                  " course (below 0: fewer). z is that in standard errors; of many branches one in forty passes 1.96 by"
                  " chance. The whole bank first, then branches past 1.96. All of them: bunching.csv.", "note"),
    ]  # fmt: skip


def _bunched(whole: pl.DataFrame) -> str:
    """Whether loans of all branches together bunch just short of a threshold."""
    if whole.filter(pl.col("threshold").str.contains("/"), pl.col("z") > _SURE).height:
        return "More loans stand just short of a threshold than chance leaves there"
    return "All branches together, no more loans stand just short of a threshold than chance leaves there"


def _inspection(page: HiddenPage) -> list[str]:
    if page.inspected is None:
        return []
    gap, designed = page.inspected.gap, page.inspected.designed
    text = (
        f"Of {gap.looked_into:,} loans looked into, {gap.found:,} were hidden: {figures.percent(gap.share)}"
        f" ({figures.percent(gap.lo95)} to {figures.percent(gap.hi95)}, Wilson, 95 per cent)."
    )
    more = []
    if gap.gap is not None:
        more.append(
            paragraph(f"The inspection gap is {gap.gap:.2f} for each loan reported bad among them.")
        )
    if designed is not None:
        more.append(
            paragraph(
                f"By the sample alone, without any model, {figures.money(designed.amount)} are hidden,"
                f" standard error {figures.money(designed.se)}."
            )
        )
    return ["<h2>What the inspection found</h2>", paragraph(text), *more]


def _rests(page: HiddenPage) -> list[str]:
    """What can be known from histories alone, which way was chosen, and the fit."""
    parts = ["<h2>What this rests on</h2>"]
    if page.reported:
        ratio = f"{page.late / page.reported:.2f}"
        parts.append(
            paragraph(
                f"Claims more than 90 days past due over claims reported bad: {ratio}. Over 1, too little is"
                " reported; under 1 proves nothing, since loans kept alive are in neither."
            )
        )
    parts += [
        paragraph(
            "Without an inspection nobody has seen a hidden loan. The model calls hidden what looks like loans kept"
            " alive: interest added or alone paid, renewals and extensions without repayment, new money for old,"
            " days past due that fall without a payment or stand short of the threshold. A bad loan whose payments look"
            " like"
            " everybody else's cannot be told apart; it is counted only as far as its branch and product suggest."
        ),
        paragraph(
            "Honest relief, payment holidays and renewals by agreement are part of the strained and the sound state."
            " What moves the answer most is how often sound loans show the same signs; an inspection of a mix of"
            " telling and random loans (--propose-audit) settles it."
        ),
    ]
    made = page.found.modelled
    if made is None:
        return parts
    if made.choice.table.height:
        rows = [
            [row["way"], f"{row['auc']:.3f}", f"{row['lo90']:.3f}", f"{row['hi90']:.3f}"]
            for row in made.choice.table.iter_rows(named=True)
        ]
        parts += [
            table(["way", "area under the curve", "low", "high"], rows),
            paragraph(
                "Boosting is shown for comparison: it is taught which loans come to light, and a kept loan does not.",
                "note",
            ),
        ]
    keeps = made.fit.params.keeps
    told = [figures.number(value) for value in made.fit.likelihoods]
    parts.append(
        paragraph(
            f"Fitted on {made.fit.loans:,} loans in {made.fit.steps} steps from {len(told) - 1} starts (penalised"
            f" log-likelihoods {', '.join(told[:-1])}; at the end {told[-1]}). Of loans that turn bad, branches keep"
            f" {figures.percent(made.fit.params.common)} from showing on average;"
            f" from {figures.percent(keeps.min())} to {figures.percent(keeps.max())} by branch.",
            "note",
        )
    )
    return parts
