"""`track.html`: what came in beside what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from html import escape

import polars as pl

from arrears.core.words import counted
from arrears.report import charts, figures, fit_charts
from arrears.report.parts import paragraph, shell, table

# As many pools as a picture holds on one sheet.
_SHOWN, _POOLS = 60, 30
_KINDS = {"default": "by month of default", "purchase": "by month of purchase"}


def track_page(
    tracked: pl.DataFrame,
    again: pl.DataFrame,
    *,
    since: date,
    multiplier: float,
    pools: pl.DataFrame,
    kinds: Mapping[str, Mapping[str, float]],
) -> str:
    """The page.

    Args:
        tracked: `month, forecast, actual, lo90, hi90, alarm`, cumulative fen.
        again: `month, forecast, lo90, hi90, reforecast`, all months of the forecast.
        multiplier: of what is still to come, against the forecast.
        pools: a row a static pool, as in `pools.parquet`.
        kinds: `pools, alarms, by_luck, chance` by kind of pool.
    """
    last = tracked.row(-1, named=True)
    within = "outside" if last["alarm"] else "inside"
    head = (
        f"After {last['month']} months {figures.money(last['actual'])} came in, {figures.money(last['forecast'])} "
        f"was expected: {within} the band"
    )
    alarms = int(tracked["alarm"].sum())
    # What came in is to be read beside its band: of a forecast of ten years the first months would be a dot.
    near = -(-2 * int(last["month"]) // 12) * 12
    shown = again.join(tracked.select("month", "actual"), on="month", how="left")
    shown = shown.filter(pl.col("month") <= near)
    rows = [
        [
            str(row["month"]),
            *(figures.yuan(row[name]) for name in ("forecast", "actual", "lo90", "hi90")),
            "outside" if row["alarm"] else "inside",
        ]
        for row in tracked.tail(_SHOWN).iter_rows(named=True)
    ]
    end = again.row(-1, named=True)
    picture = charts.svg(fit_charts.track(shown), head, "track")
    parts = [
        f"<h1>{escape(head)}</h1>",
        paragraph(
            f"Cumulative, from {figures.day(since)} on. {alarms} of {counted(tracked.height, 'month')} "
            f"{'lies' if alarms == 1 else 'lie'} outside the band, which holds nine times in ten.", "when"),
        f"<figure>{picture}</figure>",
        paragraph(
            f"What is still to come is now taken as {figures.number(multiplier, 2)} times the forecast: "
            f"{figures.money(end['reforecast'])} in all within {end['month']} months, where "
            f"{figures.money(end['forecast'])} was expected (dashed line). "
            "What came in so far is believed as far as the band says that it tells of the level."
        ),
        table(["month", "forecast, yuan", "came in", "low", "high", "band"], rows),
    ]  # fmt: skip
    for by, kind in kinds.items():
        parts += _pools(pools.filter(by=by), by, kind)
    return shell(head, parts)


def pools_line(by: str, kind: Mapping[str, float]) -> str:
    """A line for the terminal."""
    return f"Pools     {_found(by, kind)}"


def _found(by: str, kind: Mapping[str, float]) -> str:
    count, alarms = int(kind["pools"]), int(kind["alarms"])
    left = f"{alarms} of {count} static pools {_KINDS[by]} {'has' if alarms == 1 else 'have'} left"
    luck = f"by luck alone {figures.number(kind['by_luck'], 1)} would"
    return f"{left} the band; {luck}"


def _pools(pools: pl.DataFrame, by: str, kind: Mapping[str, float]) -> list[str]:
    """Pools of one kind: how many have left their band, which, and what they will still bring."""
    head = _found(by, kind)
    often = f"{figures.percent(kind['chance'], 0)} of" if kind["chance"] else "none of"
    first = pools.filter(pl.col("forecast") > 0).sort(
        "alarm", "forecast", "pool", descending=[True, True, False]
    )
    shown = first.head(_POOLS).sort("pool")
    ratios = shown.select(
        "pool",
        "alarm",
        *((pl.col(name) / pl.col("forecast")).alias(name) for name in ("actual", "lo90", "hi90")),
    )
    picture = charts.svg(fit_charts.pools_watched(ratios), head, f"pools-{by}")
    ordered = pools.sort("alarm", "chance", "pool", descending=[True, False, False]).head(_POOLS)
    rows = [
        [
            row["pool"],
            f"{row['side']}, {row['first_alarm']}" if row["alarm"] else "",
            *(figures.yuan(row[name]) for name in ("forecast", "actual", "lo90", "hi90")),
            figures.percent(row["chance"], 0),
            figures.number(row["multiplier"], 2),
            figures.yuan(row["remaining"]),
        ]
        for row in ordered.iter_rows(named=True)
    ]
    heads = ["pool", "left, in month", "forecast, yuan", "came in", "low", "high"]
    heads += ["luck", "multiplier", "to come"]
    return [
        f"<h2>{escape(head)}</h2>",
        paragraph(
            "The band of a pool holds over all looks of five years at once: one pool in ten leaves it in some month "
            f"though it pays as forecast. Pools share good and bad times; so many or more leave in {often} the "
            "forecast's own draws. Cash over forecast so far, with the band (in the second colour: pools that have "
            "left it), of the largest pools:"
        ),
        f"<figure>{picture}</figure>",
        table(heads, rows, words=1, short=1),
        paragraph(
            "Money in yuan; luck: how often luck alone takes a pool as far from its forecast. Pools that have left "
            f"their band first; {len(rows)} of {pools.height}, all in pools.parquet. What is to come is the forecast "
            "times the multiplier: that of all pools, moved by this pool's cash as far as that is more than luck.",
            "note",
        ),
    ]
