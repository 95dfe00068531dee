"""Roll rates and flows into bad standing, by number and by balance."""

from __future__ import annotations

from html import escape

import polars as pl

from arrears.report import figures
from arrears.report.by_class import PRODUCTS
from arrears.report.history.told import DAYS, FEWEST, STATES, SURE, YEAR, Past, hundred, picture
from arrears.report.lines import fans, ranges
from arrears.report.parts import paragraph, table


def rolls(past: Past) -> list[str]:
    """Where loans are a month later, and whether it has changed."""
    if past.roll.is_empty():
        return []
    whole = past.pooled
    states = [name for name in STATES if name in set(whole["from"]) | set(whole["to"])]
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
            DAYS[start],
            figures.number(sum(cells[key]["n"] for key in cells if key[0] == start)),
            *(cell(start, end) for end in states),
        ]
        for start in starts
    ]
    owed = [[DAYS[start], *(cell(start, end, "_balance") for end in states)] for start in starts]
    parts = [
        f"<h2>{escape(_after_a_miss(cells))}</h2>",
        table(["days past due", "loan-months", *(DAYS[end] for end in states)], rows),
        paragraph(
            "Rows: where loans are, by days past due; columns: where they are a month later, per cent with its "
            "standard error.",
            "note",
        ),
        "<h3>The same by balance</h3>",
        table(["days past due", *(DAYS[end] for end in states)], owed),
    ]
    current = (
        past.roll.filter(pl.col("from") == "current")
        .group_by("month")
        .agg(n=pl.col("n").sum(), worse=pl.col("n").filter(pl.col("to").is_in(STATES[1:5])).sum())
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
        parts += [f"<h2>{escape(finding)}</h2>", picture(spec, alt, "roll")]
    return parts


def _after_a_miss(cells: dict[tuple[str, str], dict[str, float]]) -> str:
    """What becomes of loans up to 30 days past due."""
    first = {end: row["p"] for (start, end), row in cells.items() if start == "1-30"}
    if not first:
        return "Where loans are a month later"
    cured = hundred(first.get("current", 0.0))
    rolled = hundred(sum(first.get(end, 0.0) for end in STATES[2:5]))
    return f"Of 100 loans up to 30 days past due, {cured} are current a month later and {rolled} roll on"


def _changed(monthly: pl.DataFrame) -> str:
    """Whether the last half of the months, at most a year, differs from what came before by more than chance."""
    cut = min(monthly.height // 2, YEAR)
    sums = [
        part.select(pl.col("worse", "n").sum()).row(0)
        for part in (monthly.head(-cut), monthly.tail(cut))
    ]
    before, after = (bad / n for bad, n in sums)
    pool = (sums[0][0] + sums[1][0]) / (sums[0][1] + sums[1][1])
    se = (pool * (1 - pool) * (1 / sums[0][1] + 1 / sums[1][1])) ** 0.5
    if abs(after - before) > SURE * se:
        how = "more" if after > before else "less"
        latest, then = figures.percent(after, 2), figures.percent(before, 2)
        return f"Loans fall behind {how} often than before: {latest} a month in the last {cut} months, {then} earlier"
    return f"How often loans fall behind has not changed beyond chance: {figures.percent(pool, 2)} a month"


def flows(past: Past) -> list[str]:
    """How many go bad, by product and month."""
    sums = past.flow.group_by("product", maintain_order=True).agg(
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
        apart = top["p"] - next_one["p"] > SURE * (top["se"] ** 2 + next_one["se"] ** 2) ** 0.5
        title += (
            ", more than of any other product"
            if apart
            else ", no more than chance beyond the next product"
        )
    heads = ["product", "loan-months", "went bad", "per cent a month, by number", "by balance"]
    monthly = _monthly(past.flow)
    drawn = ""
    if monthly["month"].n_unique() > 1:
        spec = fans(monthly, x="month", title_x=None, title_y="per cent of loans not yet bad")
        drawn = picture(spec, f"{title}. Flow into bad standing by month.", "flow")
    return [f"<h2>{escape(title)}</h2>", drawn, table(heads, rows), *_eased(past)]


def _monthly(flow: pl.DataFrame) -> pl.DataFrame:
    """The flow of all products by month, by number and by balance, as a picture takes it."""
    owed, spread = pl.col("owed"), pl.col("se_balance") * pl.col("owed")
    sums = (
        flow.group_by("month", maintain_order=True)
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
    if sums.height < 2 or sums["at_risk"].min() < FEWEST:  # type: ignore[operator]
        return []
    plain, eased = (row["n"] / row["at_risk"] for row in sums.iter_rows(named=True))
    ours, others = figures.percent(eased, 2), figures.percent(plain, 2)
    text = f"Of loans on changed terms {ours} go bad in a month, of the others {others}."
    return [paragraph(text)]
