"""The page of a history: its answer first."""

from __future__ import annotations

from datetime import date
from html import escape

import polars as pl

from arrears.report import figures
from arrears.report.history.fates import cures, vintages
from arrears.report.history.models import contests, outlook
from arrears.report.history.rates import flows, rolls
from arrears.report.history.told import FEWEST, Past, hundred, span
from arrears.report.parts import paragraph, shell


def history_page(as_of: date, past: Past) -> str:
    """`history.html`."""
    title = _headline(past)
    months = past.roll["month"].n_unique()
    moves = int(past.roll["n"].sum())
    first = f"{figures.number(moves)} moves between {months} months up to {figures.day(as_of)}."
    parts = [
        f"<h1>{escape(title)}</h1>",
        paragraph(first, "when"),
        *rolls(past),
        *flows(past),
        *vintages(past),
        *cures(past),
        *outlook(past),
        *contests(past),
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
    if worst.height and worst["n"][0] >= FEWEST:
        low, high = span(worst["p"][0], worst["se"][0])
        many = hundred(worst["p"][0])
        return f"Of 100 loans 61 to 90 days past due, {many} are past 90 a month later ({low} to {high})"
    behind = whole.filter(pl.col("from") == "current", pl.col("to") == "1-30")
    share = behind["p"][0] if behind.height else 0.0
    return f"{figures.percent(share)} of current loans fall behind in a month"
