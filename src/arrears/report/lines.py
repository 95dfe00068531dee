"""Pictures of shares as they move: lines with their ranges, labelled where they end."""

from __future__ import annotations

import polars as pl

from arrears.report.charts import ACCENT, GREY, SECOND

_SHADES = (ACCENT, SECOND, GREY, "#4d4d4d", "#b3b3b3", "#2b4f6b")
_WIDTH = 450
_HALF, _NINE = 0.6745, 1.6449


def ranges(share: pl.Expr, se: pl.Expr) -> dict[str, pl.Expr]:
    """Per cent with the ranges that hold half and nine tenths: `y, lo50, hi50, lo90, hi90`, kept within 0 and 100."""

    def edge(width: float) -> pl.Expr:
        return (share + width * se).clip(0.0, 1.0) * 100.0

    return {
        "y": share * 100.0,
        "lo50": edge(-_HALF),
        "hi50": edge(_HALF),
        "lo90": edge(-_NINE),
        "hi90": edge(_NINE),
    }


def fans(table: pl.DataFrame, *, x: str, title_x: str | None, title_y: str) -> dict[str, object]:
    """A line a series with its fan: `x, series, y, lo50, hi50, lo90, hi90`; the first in the accent colour."""
    names = table["series"].unique(maintain_order=True).to_list()
    ends = table.group_by("series", maintain_order=True).last()
    time = table[x].dtype == pl.Date
    shown = table.with_columns(pl.col(x).dt.strftime("%Y-%m-%d")) if time else table
    ends = ends.with_columns(pl.col(x).dt.strftime("%Y-%m-%d")) if time else ends
    colour = {
        "field": "series",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": names, "range": list(_SHADES[: len(names)])},
    }
    along: dict[str, object] = {
        "field": x,
        "type": "temporal" if time else "quantitative",
        "title": title_x,
    }
    if not time:
        # A label at the end of a line would lie on an axis that goes on.
        along |= {"scale": {"zero": True, "nice": False}}

    def band(low: str, high: str, opacity: float) -> dict[str, object]:
        y = {"field": low, "type": "quantitative", "title": title_y}
        return {
            "mark": {"type": "area", "opacity": opacity},
            "encoding": {"x": along, "y": y, "y2": {"field": high}, "color": colour},
        }

    y = {"field": "y", "type": "quantitative", "title": title_y, "scale": {"zero": True}}
    line = {
        "mark": {"type": "line", "strokeWidth": 2.5},
        "encoding": {"x": along, "y": y, "color": colour},
    }
    label = {
        "data": {"values": ends.to_dicts()},
        "mark": {"type": "text", "align": "left", "dx": 5},
        "encoding": {"x": along, "y": y, "text": {"field": "series", "type": "nominal"}},
    }
    return {
        "data": {"values": shown.to_dicts()},
        "width": _WIDTH,
        "height": 240,
        "layer": [band("lo90", "hi90", 0.15), band("lo50", "hi50", 0.25), line, label],
    }
