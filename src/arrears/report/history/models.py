"""Where the chain leads, and what foretells moves better than it."""

from __future__ import annotations

from html import escape

import polars as pl

from arrears.report import figures
from arrears.report.history.told import DAYS, SURE, Past, which
from arrears.report.parts import paragraph, table


def outlook(past: Past) -> list[str]:
    """The chain against what was observed, and where it ends."""
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
        if row["se"] and abs(row["chain"] - row["observed"]) > SURE * row["se"]
    ]
    months = ahead["horizon"][0]
    title = (
        f"Over {months} months the chain foretells what was observed, within chance"
        if not apart
        else f"Over {months} months the chain is off for {', '.join(which(row['from']) for row in apart)}: "
        "their moves depend on more than where they are"
    )
    rows = [
        [
            DAYS[row["from"]],
            f"{100 * row['chain']:.2f}",
            f"{100 * row['observed']:.2f} ± {100 * row['se']:.2f}",
            f"{100 * ends[row['from']]:.1f}",
        ]
        for row in ahead.iter_rows(named=True)
    ]
    heads = [
        "days past due",
        "by the chain, per cent",
        "observed",
        "in the end, by the chain",
    ]
    note = (
        f"Past 90 days or written off within {months} months. The chain takes the next month to depend on where a loan "
        "is in this one, and on nothing else. Observed: Aalen-Johansen estimator, with its standard error."
    )
    return [f"<h2>{escape(title)}</h2>", table(heads, rows), paragraph(note, "note")]


def contests(past: Past) -> list[str]:
    """Chain against logit, state by state."""
    won = [one.state for one in past.contests if one.ships == "logit"]
    title = (
        f"Time in the state and age foretell the moves of {', '.join(map(which, won))} better than the chain: "
        "the logit is used there"
        if won
        else "The plain chain is used: nothing foretells moves better out of time"
    )

    def told(value: float | None) -> str:
        return figures.NOT_KNOWN if value is None else f"{value:.4f}"

    rows = [
        [
            DAYS[one.state],
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
    heads = ["days past due", "used", "why", "moves foretold", "surprise: chain", "logit", "gain"]
    note = (
        "Both were fitted on the earlier months and foretold the last quarter of them. Surprise is the mean, "
        "its sign turned, of the logarithm of the chance given to what happened: less is better."
    )
    return [
        f"<h2>{escape(title)}</h2>",
        table(heads, rows, words=3, short=2),
        paragraph(note, "note"),
    ]
