"""The page of how loans moved: roll rates, flows into bad standing, vintages, cures, and what foretells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

import polars as pl

from arrears.recovery.histories.rolls import AFTER_NEW_TERMS, CURE, RELAPSE
from arrears.recovery.histories.semi_markov import Contest
from arrears.report import charts, figures
from arrears.report.book import PRODUCTS
from arrears.report.lines import fans, ranges
from arrears.report.parts import paragraph, shell, table

_STATES = ("current", "1-30", "31-60", "61-90", "90+", "closed", "written-off", "sold")
_YEAR = 12
_FEWEST = 30
_SURE = 1.96


@dataclass(frozen=True)
class Past:
    """What a history says, as the tables of `arrears history` hold it."""

    roll: pl.DataFrame
    pooled: pl.DataFrame
    flow: pl.DataFrame
    vintage: pl.DataFrame
    cure: pl.DataFrame
    outlook: pl.DataFrame
    contests: Sequence[Contest]


def history_page(as_of: date, past: Past) -> str:
    """`history.html`."""
    title = _headline(past)
    months = past.roll["month"].n_unique()
    moves = int(past.roll["n"].sum())
    first = f"{figures.number(moves)} moves between {months} months up to {figures.day(as_of)}."
    parts = [
        f"<h1>{escape(title)}</h1>",
        paragraph(first, "when"),
        *_rolls(past),
        *_flows(past),
        *_vintages(past),
        *_cures(past),
        *_outlook(past),
        *_contests(past),
        paragraph(
            "Bands: half of what chance would do, and nine tenths of it. Every figure with its standard error: "
            "roll.csv, flow.csv, vintage.csv, cure.csv, chain.csv, history.json.",
            "note",
        ),
    ]
    return shell(title, parts)


def _headline(past: Past) -> str:
    if past.roll.is_empty():
        return "No two months of a loan follow each other: nothing can be said of moves"
    whole = past.pooled
    worst = whole.filter(pl.col("from") == "61-90", pl.col("to") == "90+")
    if worst.height and worst["n"][0] >= _FEWEST:
        low, high = _range(worst["p"][0], worst["se"][0])
        many = _hundred(worst["p"][0])
        return f"Of 100 loans 61 to 90 days past due, {many} are past 90 a month later ({low} to {high})"
    behind = whole.filter(pl.col("from") == "current", pl.col("to") == "1-30")
    share = behind["p"][0] if behind.height else 0.0
    return f"{figures.percent(share)} of current loans fall behind in a month"


def _hundred(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.1f}"


def _range(share: float, se: float) -> tuple[str, str]:
    low, high = max(share - _SURE * se, 0.0), min(share + _SURE * se, 1.0)
    return _hundred(low), _hundred(high)


def _rolls(past: Past) -> list[str]:
    if past.roll.is_empty():
        return []
    whole = past.pooled
    states = [name for name in _STATES if name in set(whole["from"]) | set(whole["to"])]
    cells = {(row["from"], row["to"]): row for row in whole.iter_rows(named=True)}

    def cell(start: str, end: str, by: str = "") -> str:
        row = cells.get((start, end))
        if row is None:
            return "0"
        share, se = row[f"p{by}"], row[f"se{by}"]
        return figures.NOT_KNOWN if share is None else f"{100 * share:.1f} ± {100 * se:.1f}"

    starts = [start for start in states if any(key[0] == start for key in cells)]
    rows = [
        [
            start,
            figures.number(sum(cells[key]["n"] for key in cells if key[0] == start)),
            *(cell(start, end) for end in states),
        ]
        for start in starts
    ]
    owed = [[start, *(cell(start, end, "_balance") for end in states)] for start in starts]
    parts = [
        f"<h2>{escape(_after_a_miss(cells))}</h2>",
        table(["from, to, per cent", "loan-months", *states], rows),
        "<h3>The same by balance</h3>",
        table(["from, to, per cent", *states], owed),
    ]
    current = (
        past.roll.filter(pl.col("from") == "current")
        .group_by("month")
        .agg(n=pl.col("n").sum(), worse=pl.col("n").filter(pl.col("to").is_in(_STATES[1:5])).sum())
        .with_columns(p=pl.col("worse") / pl.col("n"))
        .with_columns(se=(pl.col("p") * (1 - pl.col("p")) / pl.col("n")).sqrt())
        .sort("month")
    )
    if current.height > 1:
        finding = _changed(current)
        shown = current.select(
            "month", series=pl.lit("fall behind"), **ranges(pl.col("p"), pl.col("se"))
        )
        spec = fans(shown, x="month", title_x=None, title_y="per cent of current loans")
        alt = finding + ". Share of current loans that fall behind, by month."
        parts += [f"<h2>{escape(finding)}</h2>", _picture(spec, alt, "roll")]
    return parts


def _after_a_miss(cells: dict[tuple[str, str], dict[str, float]]) -> str:
    """What becomes of loans up to 30 days past due."""
    first = {end: row["p"] for (start, end), row in cells.items() if start == "1-30"}
    if not first:
        return "Where loans are a month later"
    cured = _hundred(first.get("current", 0.0))
    rolled = _hundred(sum(first.get(end, 0.0) for end in _STATES[2:5]))
    return f"Of 100 loans up to 30 days past due, {cured} are current a month later and {rolled} roll on"


def _changed(monthly: pl.DataFrame) -> str:
    """Whether the last half of the months, at most a year, differs from what came before by more than chance."""
    cut = min(monthly.height // 2, _YEAR)
    sums = [
        part.select(pl.col("worse", "n").sum()).row(0)
        for part in (monthly.head(-cut), monthly.tail(cut))
    ]
    before, after = (bad / n for bad, n in sums)
    pool = (sums[0][0] + sums[1][0]) / (sums[0][1] + sums[1][1])
    se = (pool * (1 - pool) * (1 / sums[0][1] + 1 / sums[1][1])) ** 0.5
    if abs(after - before) > _SURE * se:
        how = "more" if after > before else "less"
        latest, then = figures.percent(after, 2), figures.percent(before, 2)
        return f"Loans fall behind {how} often than before: {latest} a month in the last {cut} months, {then} earlier"
    return f"How often loans fall behind has not changed beyond chance: {figures.percent(pool, 2)} a month"


def _flows(past: Past) -> list[str]:
    sums = past.flow.group_by("product").agg(
        pl.col("at_risk", "n").sum(),
        share=(pl.col("p_balance") * pl.col("owed")).sum() / pl.col("owed").sum(),
    )
    if sums.is_empty():
        return []
    shown = (
        sums.with_columns(p=pl.col("n") / pl.col("at_risk"))
        .with_columns(se=(pl.col("p") * (1 - pl.col("p")) / pl.col("at_risk")).sqrt())
        .sort("p", "product", descending=[True, False])
    )
    rows = [
        [
            PRODUCTS.get(row["product"], row["product"]),
            figures.number(row["at_risk"]),
            figures.number(row["n"]),
            f"{100 * row['p']:.3f} ± {100 * row['se']:.3f}",
            figures.percent(row["share"] if row["share"] == row["share"] else None, 3),
        ]
        for row in shown.iter_rows(named=True)
    ]
    top = shown.row(0, named=True)
    name = PRODUCTS.get(top["product"], top["product"])
    title = f"Into bad standing flow {figures.percent(top['p'], 2)} of {name} a month"
    if shown.height > 1:
        next_one = shown.row(1, named=True)
        apart = top["p"] - next_one["p"] > _SURE * (top["se"] ** 2 + next_one["se"] ** 2) ** 0.5
        title += (
            ", more than of any other product"
            if apart
            else ", no more than chance beyond the next product"
        )
    heads = ["product", "loan-months", "went bad", "per cent a month, by number", "by balance"]
    monthly = _monthly(past.flow)
    picture = ""
    if monthly["month"].n_unique() > 1:
        spec = fans(monthly, x="month", title_x=None, title_y="per cent of loans not yet bad")
        picture = _picture(spec, f"{title}. Flow into bad standing by month.", "flow")
    return [f"<h2>{escape(title)}</h2>", picture, table(heads, rows), *_eased(past)]


def _monthly(flow: pl.DataFrame) -> pl.DataFrame:
    """The flow of all products by month, by number and by balance, as a picture takes it."""
    owed, spread = pl.col("owed"), pl.col("se_balance") * pl.col("owed")
    sums = (
        flow.group_by("month")
        .agg(
            pl.col("at_risk", "n").sum(),
            q=(pl.col("p_balance") * owed).sum() / owed.sum(),
            error=(spread**2).sum().sqrt() / owed.sum(),
        )
        .with_columns(p=pl.col("n") / pl.col("at_risk"))
        .with_columns(se=(pl.col("p") * (1 - pl.col("p")) / pl.col("at_risk")).sqrt())
        .sort("month")
    )
    by_number = sums.select(
        "month", series=pl.lit("by number"), **ranges(pl.col("p"), pl.col("se"))
    )
    by_balance = sums.filter(pl.col("q").is_finite()).select(
        "month", series=pl.lit("by balance"), **ranges(pl.col("q"), pl.col("error"))
    )
    return pl.concat([by_number, by_balance])


def _eased(past: Past) -> list[str]:
    """Loans on changed terms against the others."""
    sums = past.flow.group_by("new_terms").agg(pl.col("at_risk", "n").sum()).sort("new_terms")
    if sums.height < 2 or sums["at_risk"].min() < _FEWEST:  # type: ignore[operator]
        return []
    plain, eased = (row["n"] / row["at_risk"] for row in sums.iter_rows(named=True))
    ours, others = figures.percent(eased, 2), figures.percent(plain, 2)
    text = f"Of loans on changed terms {ours} go bad in a month, of the others {others}."
    return [paragraph(text)]


def _vintages(past: Past) -> list[str]:
    known = past.vintage.filter(pl.col("loans") >= _FEWEST)
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
    low, high = _range(worst["ever_90"], worst["se"])
    title = (
        f"Of 100 loans of {worst['vintage']}, {_hundred(worst['ever_90'])} ({low} to {high}) have been past 90 days "
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
        _picture(spec, title, "vintage"),
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


def _cures(past: Past) -> list[str]:
    known = past.cure.filter(pl.col("product") == "all", pl.col("at_risk") >= _FEWEST // 3)
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
        _picture(spec, title, "cure"),
        table(["what", "loans that began", "by month", "per cent, by number", "by balance"], rows),
    ]


def _by_balance(row: pl.DataFrame) -> str:
    share, se = row["share_balance"][0], row["se_balance"][0]
    return figures.NOT_KNOWN if share is None else f"{100 * share:.1f} ± {100 * se:.1f}"


def _by_month(curve: pl.DataFrame) -> tuple[int, int, float, float]:
    """How many began, and the share by month 12 or the last month before it."""
    last = curve.filter(pl.col("months") <= _YEAR).sort("months").row(-1, named=True)
    return int(curve["at_risk"].max() or 0), last["months"], last["share"], last["se"]  # type: ignore[arg-type]


def _cured(told: dict[str, tuple[int, int, float, float]]) -> str:
    parts = []
    if CURE in told:
        _, month, share, _ = told[CURE]
        parts.append(
            f"of 100 loans that go bad {_hundred(share)} are current again within {month} months"
        )
    if RELAPSE in told:
        _, month, share, _ = told[RELAPSE]
        parts.append(f"of 100 cured {_hundred(share)} are bad again within {month}")
    if not parts:
        _, month, share, _ = told[AFTER_NEW_TERMS]
        parts.append(f"of 100 loans with new terms {_hundred(share)} go bad within {month} months")
    text = "; ".join(parts)
    return text[0].upper() + text[1:]


def _outlook(past: Past) -> list[str]:
    ahead = past.outlook.filter(pl.col("horizon").is_not_null())
    ends = {
        row["from"]: row["chain"]
        for row in past.outlook.filter(pl.col("horizon").is_null()).iter_rows(named=True)
    }
    if ahead.is_empty():
        return []
    apart = [
        row
        for row in ahead.iter_rows(named=True)
        if row["se"] and abs(row["chain"] - row["observed"]) > _SURE * row["se"]
    ]
    months = ahead["horizon"][0]
    title = (
        f"Over {months} months the chain foretells what was observed, within chance"
        if not apart
        else f"Over {months} months the chain is off for loans {', '.join(row['from'] for row in apart)}: "
        "their moves depend on more than where they are"
    )
    rows = [
        [
            row["from"],
            f"{100 * row['chain']:.2f}",
            f"{100 * row['observed']:.2f} ± {100 * row['se']:.2f}",
            f"{100 * ends[row['from']]:.1f}",
        ]
        for row in ahead.iter_rows(named=True)
    ]
    heads = [
        "loans now",
        f"past 90 or written off within {months} months: chain",
        "observed (Aalen-Johansen)",
        "in the end: chain",
    ]
    return [f"<h2>{escape(title)}</h2>", table(heads, rows)]


def _contests(past: Past) -> list[str]:
    won = [one.state for one in past.contests if one.ships == "logit"]
    title = (
        f"Time in the state and age foretell moves better than the chain from {', '.join(won)}: the logit is used there"
        if won
        else "The plain chain is used: nothing foretells moves better out of time"
    )

    def told(value: float | None) -> str:
        return figures.NOT_KNOWN if value is None else f"{value:.4f}"

    rows = [
        [
            one.state,
            one.ships,
            one.why,
            figures.number(one.moves),
            told(one.chain),
            told(one.logit),
            figures.NOT_KNOWN
            if one.gain is None or one.se is None
            else f"{one.gain:+.4f} ± {one.se:.4f}".replace("-", figures.MINUS),
        ]
        for one in past.contests
    ]
    heads = ["from", "used", "why", "moves foretold", "surprise: chain", "logit", "gain"]
    note = (
        "Both were fitted on the earlier months and foretold the last quarter of them. Surprise is the mean of -log of "
        "the chance given to what happened: less is better."
    )
    return [
        f"<h2>{escape(title)}</h2>",
        table(heads, rows, words=3, short=2),
        paragraph(note, "note"),
    ]


def _picture(spec: dict[str, object], alt: str, name: str) -> str:
    return f"<figure>{charts.svg(spec, alt, name)}</figure>"
