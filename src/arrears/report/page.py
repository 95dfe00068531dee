"""The report: one file that works offline, the answer first."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import cast

import polars as pl

from arrears.channels import WAYS
from arrears.conduct import limits
from arrears.core.words import counted
from arrears.plan import put_off
from arrears.plan.limit_names import limit_name, where
from arrears.report import brings, charts, figures, moved, owed, sales, threeways, whatif
from arrears.report.contents import UNITS, Contents
from arrears.report.parts import paragraph, shell, table
from arrears.report.rests import rests


def html(contents: Contents) -> str:
    """The page, the same for the same run."""
    parts = [
        _first_screen(contents),
        threeways.section(contents.three),
        owed.section(contents.debtors),
        _recovery(contents),
        _plan(contents),
        moved.section(contents),
        _limits(contents),
        _what_if(contents),
        _ratios(contents),
        brings.section(contents),
        sales.section(contents),
        _quarantine(contents),
        rests(contents),
    ]
    return shell(f"Resolution of bad loans, {figures.day(contents.tape.as_of)}", parts)


def figure(
    contents: Contents,
    draw: Callable[[Contents], dict[str, object]],
    *,
    alt: str,
    note: str = "",
) -> str:
    """A picture with what it shows in words."""
    caption = f"<figcaption class=note>{escape(note)}</figcaption>" if note else ""
    name = draw.__name__
    return f"<figure>{charts.svg(draw(contents), alt, name)}{caption}</figure>"


def _first_screen(contents: Contents) -> str:
    total, plan = contents.total, contents.plan
    five, day = contents.curve_at(60), figures.day(contents.tape.as_of)
    counts = contents.tape.counts
    big, what, how_sure = threeways.first(total)
    items = [
        (big, what, how_sure, "#book"),
        (
            figures.money(five["mean"]),
            "expected to come in within 60 months",
            f"nine times in ten {figures.money_range(five['q05'], five['q95'])}",
            "#recovery",
        ),
        (
            figures.money(plan.value),
            "worth of the plan today, after costs and tax",
            f"no plan under these limits is worth more than {figures.money(plan.bound)}",
            "#plan",
        ),
        (
            counted(counts.quarantined, "row"),
            f"in quarantine, of {figures.number(counts.rows_in)}",
            f"{figures.money(counts.claim_quarantined)} owed there; "
            f"{counted(counts.unreadable_rows, 'row')} with a claim nobody can read",
            "#quarantine",
        ),
    ]
    shown = "\n".join(
        f"<li><b>{escape(big)}</b><span>{escape(what)}</span><span>{escape(how_sure)}</span>"
        f'<a href="{link}">the rows</a></li>'
        for big, what, how_sure, link in items
    )
    return (
        f"<h1>{escape(_headline(contents))}</h1>\n"
        + paragraph(
            f"As of {day}. {contents.situation.holder.kind.replace('_', ' ').capitalize()}.", "when"
        )
        + f'\n<ul class="numbers">\n{shown}\n</ul>'
    )


def _headline(contents: Contents) -> str:
    """The answer in a sentence, true for any tape."""
    ways = contents.by_way.filter(pl.col("channel") != "collect")
    now = ways.filter(pl.col("start_month") == 0)
    if now.is_empty():
        return "Collecting is the best lawful way for every loan today"
    top = now.sort("claim", "channel", descending=[True, False]).row(0, named=True)
    loans = counted(int(now["loans"].sum()), "loan")
    way = WAYS[top["channel"]]
    half = 2 * int(top["claim"]) > int(now["claim"].sum())
    part = "most" if half else "the largest part"
    return f"{loans} should leave plain collection today, {part} of their claims by {way}"


def _ratios(contents: Contents) -> str:
    """The holder's ratios before and after what the plan does today."""
    known = {row["figure"]: row for row in contents.ratios.iter_rows(named=True)}
    bad = known["bad-loan ratio"]
    tape_alone = bad["basis"] == "tape alone"
    if bad["before"] is None:
        title = "The bad-loan ratio cannot be told: nobody says what is reported"
    else:
        title = _moved(bad["before"], bad["after"], "of this tape " if tape_alone else "")
    rows = [
        [
            name,
            row["article"],
            *(_ratio(row["unit"], row[place]) for place in ("before", "after", "standard")),
        ]
        for name, row in known.items()
    ]
    note = (
        "Sales that take loans off the books and write-offs count, as of today; income rights take nothing off. "
        "Profit is what sales bring over net book value, after tax."
    )
    if tape_alone:
        note += " The holder's file gives no whole book, so these are ratios of the tape alone."
    heads = ["figure", "article", "before", "after", "asked for"]
    return "\n".join(
        [
            f'<h2 id="ratios">{escape(title)}</h2>',
            table(heads, rows, words=2),
            paragraph(note, "note"),
        ]
    )


def _moved(before: float, after: float, of: str) -> str:
    """Where a ratio goes, in as many digits as tell it; a move of nothing is none."""
    for digits in (2, 3, 4):
        told = [figures.percent(share, digits) for share in (before, after)]
        if told[0] != told[1]:
            return (
                f"What the plan does today takes the bad-loan ratio {of}from {told[0]} to {told[1]}"
            )
    return f"What the plan does today leaves the bad-loan ratio {of}at {figures.percent(before, 2)}"


def _ratio(unit: str, value: float | None) -> str:
    if value is None:
        return figures.NOT_KNOWN
    return figures.percent(value, 2) if unit == "fraction" else figures.money(value)


def _recovery(contents: Contents) -> str:
    owed = float(contents.situation.claim.sum())
    rows_at = {month: contents.curve_at(month) for month in (12, 36, 60, 120)}
    five = rows_at[60]
    title = (
        f"Within 60 months {figures.price(five['mean'], owed)} of what is owed should come in"
        if owed
        else "Nothing is owed"
    )
    rows = [
        [
            f"{month} months",
            figures.yuan(row["mean"]),
            figures.yuan(row["q05"]),
            figures.yuan(row["q50"]),
            figures.yuan(row["q95"]),
            figures.number(100 * row["mean"] / owed, 1) if owed else figures.NOT_KNOWN,
        ]
        for month, row in rows_at.items()
    ]
    heads = [
        "within",
        "expected, yuan",
        "5 % less than",
        "middle",
        "5 % more than",
        "fen on the yuan",
    ]
    alt = (
        f"Cumulative cash rises to {figures.money(rows_at[120]['mean'])} after 120 months, "
        f"nine times in ten {figures.money_range(rows_at[120]['q05'], rows_at[120]['q95'])}."
    )
    return "\n".join(
        [
            f'<h2 id="recovery">{escape(title)}</h2>',
            figure(
                contents,
                charts.fan,
                alt=alt,
                note="Inner band: half of all outcomes; outer band: nine in ten. If collection goes on as usual, "
                "collateral sold through the court.",
            )
            if owed
            else "",
            table(heads, rows),
            paragraph(
                f"{_ground(contents)} By loan: forecast.parquet; by month: curve.parquet.",
                "note",
            ),
        ]
    )


def _ground(contents: Contents) -> str:
    """What the forecast rests on."""
    forecast = contents.situation.forecast
    if forecast.basis == "model":
        return f"It rests on a model of the bank's own history: {forecast.rests_on}."
    return (
        "It rests on a market prior, not on the history of these loans: published recoveries and prices, shifted by "
        "product, contact and legal status."
    )


def _plan(contents: Contents) -> str:
    plan = contents.plan
    ways = contents.by_way
    outside = ways.filter(pl.col("channel") != "collect")
    share = figures.share(float(outside["claim"].sum()), float(ways["claim"].sum()) or 0.0)
    title = f"{share} of the claims go another way than plain collection"
    rows = [
        [
            WAYS[row["channel"]],
            "now" if row["start_month"] == 0 else f"in {row['start_month']} months",
            figures.number(row["loans"]),
            figures.yuan(row["claim"]),
            figures.yuan(row["value"]),
            figures.number(100 * row["value"] / row["claim"], 1)
            if row["claim"]
            else figures.NOT_KNOWN,
        ]
        for row in ways.iter_rows(named=True)
    ]
    heads = ["way", "starts", "loans", "claim, yuan", "worth, yuan", "fen on the yuan"]
    written = int(plan.table["write_off_now"].sum())
    gap = f"At most {figures.money(plan.bound - plan.value)} below the best there is under these limits."
    costs = f"Packages cost {figures.money(plan.pool_costs)} besides." if plan.pool_costs else ""
    off = (
        f"{counted(written, 'loan')} can be written off now; collection goes on." if written else ""
    )
    rules = limits(contents.situation.rulebook, contents.tape.as_of)
    if rules.not_before:
        hours = f"Nobody is contacted before {rules.not_before} or after {rules.not_after} ({rules.article})."
    else:
        hours = "No rule on hours of contact was in force on this date."
    alt = title + ". Bars by way out, now and later."
    return "\n".join(
        [
            f'<h2 id="plan">{escape(title)}</h2>',
            figure(contents, charts.ways, alt=alt) if ways.height else "",
            table(heads, rows, words=2),
            paragraph(" ".join(text for text in (gap, costs, off, hours) if text)),
            paragraph("With reasons: plan.parquet, plan.xlsx; every way considered: offers.parquet.", "note"),
        ]
    )  # fmt: skip


def _limits(contents: Contents) -> str:
    known = contents.what_if.capacities
    if known.is_empty():
        title = "No limits were given: what the plan needs may be more than there is"
        return f'<h2 id="limits">{escape(title)}</h2>' + paragraph(
            "Give a capacity file (--capacity) with what can really be done."
        )
    scarce = charts.scarce(contents)
    if scarce.is_empty():
        title = "No limit binds: more capacity would add nothing"
    else:
        first = scarce.row(0, named=True)
        unit, worth = UNITS[first["capacity"]] + where(first["scope"]), _unit_price(first)
        if first["sense"] == "min":
            title = f"Each {unit} that the floor asks for costs {worth}"
        else:
            title = f"One more {unit} is worth {worth}"
    rows = [
        [
            limit_name(row["capacity"], row["scope"]),
            {"max": "at most", "min": "at least"}[row["sense"]],
            _amount(row["capacity"], row["limit"]),
            _amount(row["capacity"], row["used"]),
            _unit_price(row) if row["shadow_price"] > 0 else "nothing",
            _range(row),
        ]
        for row in known.iter_rows(named=True)
    ]
    heads = [
        "what",
        "",
        "limit",
        "used",
        "one more unit is worth",
        "of the next and of the last tenth",
    ]
    picture = (
        figure(
            contents,
            charts.limits,
            alt=title + ". Bars: what one per cent more of each limit adds.",
        )
        if scarce.height
        else ""
    )
    return "\n".join(
        [
            f'<h2 id="limits">{escape(title)}</h2>',
            picture,
            table(heads, rows, words=2),
            paragraph(
                "Money in yuan. Of a floor: what one unit less would add. Where a tenth less of it cannot be kept, "
                "what a unit of that is worth is not known.",
                "note",
            ),
            *(
                paragraph(f"{limit_name(one.where).capitalize()}: {one.found} {one.why}")
                for one in put_off(contents.plan, contents.plan.limits)
            ),
        ]
    )  # fmt: skip


def _what_if(contents: Contents) -> str:
    """What other limits would do."""
    if contents.situation.claim.size == 0:
        return ""
    title = whatif.headline(contents)
    parts = [
        f'<h2 id="what-if">{escape(title)}</h2>',
        table(["what if", "worth, yuan", "change, yuan"], whatif.cases(contents)),
    ]
    better = whatif.frontier_title(contents)
    if better is not None:
        heads = ["removed, yuan", "worth, yuan", "given up, yuan", "bad-loan ratio"]
        parts += [
            f"<h3>{escape(better)}</h3>",
            figure(contents, whatif.draw_frontier, alt=better),
            table(heads, whatif.frontier(contents)),
        ]
    count = figures.number(contents.what_if.loans)
    note = (
        f"Worked out on {count} loans of the book, after fixed costs of packages: whatif.csv, frontier.csv. "
        "The next and the last tenth of each limit: capacities.parquet."
    )
    return "\n".join([*parts, paragraph(note, "note")])


def _range(row: dict[str, object]) -> str:
    """What a unit of the next and of the last tenth of a limit is worth."""
    low, high = (cast("float | None", row[f"shadow_{side}"]) for side in ("low", "high"))
    if low is None or high is None:
        return figures.NOT_KNOWN
    if high <= 0.0:
        return "nothing"
    return " to ".join(_unit_price(row, price) for price in (low, high))


def _unit_price(row: dict[str, object], price: float | None = None) -> str:
    """A unit's worth, by its shadow price unless another is told."""
    price = cast("float", row["shadow_price"]) if price is None else price
    if UNITS[str(row["capacity"])].startswith("yuan"):
        return f"{figures.number(price * 100, 1)} fen"
    return figures.money(price)


def _amount(capacity: str, amount: float | None) -> str:
    if amount is None:
        return figures.NOT_KNOWN
    return figures.number(amount / 100 if UNITS[capacity].startswith("yuan") else amount)


def _quarantine(contents: Contents) -> str:
    counts, found = contents.tape.counts, contents.quarantine
    if found.is_empty():
        return '<h2 id="quarantine">Every row could be used</h2>'
    waits = "waits" if counts.quarantined == 1 else "wait"
    title = f"{figures.number(counts.quarantined)} of {counted(counts.rows_in, 'loan')} {waits} in quarantine"
    rows = [
        [row["source"], row["code"], row["fix"], figures.number(row["rows"])]
        for row in found.head(20).iter_rows(named=True)
    ]
    return "\n".join(
        [
            f'<h2 id="quarantine">{escape(title)}</h2>',
            table(["file", "cause", "what to do", "rows"], rows, words=3, short=1),
            paragraph("Row by row: quarantine.csv.", "note"),
        ]
    )
