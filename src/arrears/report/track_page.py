"""`track.html`: what came in beside what was expected."""

from __future__ import annotations

from html import escape

import polars as pl

from arrears.report import charts, figures, fit_charts
from arrears.report.parts import paragraph, shell, table

_SHOWN = 60


def track_page(tracked: pl.DataFrame, again: pl.DataFrame, *, since: str, multiplier: float) -> str:
    """The page.

    Args:
        tracked: `month, forecast, actual, lo90, hi90, alarm`, cumulative fen.
        again: `month, forecast, lo90, hi90, reforecast`, all months of the forecast.
        multiplier: of what is still to come, against the forecast.
    """
    last = tracked.row(-1, named=True)
    within = "outside" if last["alarm"] else "inside"
    head = (
        f"After {last['month']} months {figures.money(last['actual'])} came in, {figures.money(last['forecast'])} "
        f"was expected: {within} the band"
    )
    alarms = int(tracked["alarm"].sum())
    shown = again.join(tracked.select("month", "actual"), on="month", how="left")
    rows = [
        [
            str(row["month"]),
            *(figures.yuan(row[name]) for name in ("forecast", "actual", "lo90", "hi90")),
            "outside" if row["alarm"] else "",
        ]
        for row in tracked.tail(_SHOWN).iter_rows(named=True)
    ]
    end = again.row(-1, named=True)
    picture = charts.svg(fit_charts.track(shown), head, "track")
    parts = [
        f"<h1>{escape(head)}</h1>",
        paragraph(f"Cumulative, from {since} on. {alarms} of {tracked.height} months lie outside nine in ten.", "when"),
        f"<figure>{picture}</figure>",
        paragraph(
            f"What is still to come is now taken as {figures.number(multiplier, 2)} times the forecast: "
            f"{figures.money(end['reforecast'])} in all within {end['month']} months, where "
            f"{figures.money(end['forecast'])} was expected (dashed). "
            "What came in so far is believed as far as the band says that it tells of the level."
        ),
        table(["month", "forecast, yuan", "came in", "low", "high", "alarm"], rows),
    ]  # fmt: skip
    return shell(head, parts)
