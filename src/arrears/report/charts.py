"""Pictures: Altair to inline SVG that needs no script, and is read by day, by night and in grey."""

from __future__ import annotations

import re

import polars as pl

from arrears.channels import WAYS
from arrears.plan.limit_names import limit_name
from arrears.report.contents import Contents
from arrears.report.drawing import draw

ACCENT, SECOND, GREY = "#1f78b4", "#b35806", "#8c8c8c"
_INK = "#010203"
_WIDTH = 620
# Measured by, and left out of the picture, which takes the page's; a list of fonts is slow to measure by.
_FONT = "sans-serif"


def _config() -> dict[str, object]:
    text = {"labelColor": _INK, "titleColor": _INK, "labelFontSize": 13, "titleFontSize": 13}
    return {
        "background": "transparent",
        "font": _FONT,
        "view": {"stroke": None},
        "axis": {**text, "gridColor": GREY, "gridOpacity": 0.25, "domainColor": GREY,
                 "tickColor": GREY, "titleFontWeight": "normal", "labelLimit": 220,
                 # A last label that is pushed inwards, to end with its axis, lies on the one before it.
                 "labelFlush": False, "labelOverlap": "parity", "labelSeparation": 12},
        "axisDiscrete": {"labelOverlap": False},
        "text": {"color": _INK, "fontSize": 13},
    }  # fmt: skip


def svg(spec: dict[str, object], alt: str, name: str) -> str:
    """A Vega-Lite picture as inline SVG.

    Args:
        alt: what it shows, for those who cannot see it.
        name: keeps the ids of several pictures on a page apart.
    """
    whole = {
        "padding": {"left": 24, "top": 5, "bottom": 5, "right": 90},
        "config": _config(),
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        **spec,
    }
    picture = draw(whole)
    picture = picture.replace(f' font-family="{_FONT}"', "")
    picture = re.sub(r"\bid=\"", f'id="{name}-', picture)
    picture = re.sub(r"url\(#", f"url(#{name}-", picture)
    picture = picture.replace(_INK, "currentColor")
    picture = re.sub(r"rgb\(1, ?2, ?3\)", "currentColor", picture)
    size = re.search(r'width="([\d.]+)" height="([\d.]+)"', picture)
    ratio = f'viewBox="0 0 {size[1]} {size[2]}"' if size and "viewBox" not in picture else ""
    picture = re.sub(
        r'(<svg[^>]*?) width="[\d.]+" height="[\d.]+"', rf"\1 {ratio}", picture, count=1
    )
    label = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return picture.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _values(table: pl.DataFrame) -> dict[str, object]:
    return {"values": table.to_dicts()}


def _bn(fen: pl.Expr) -> pl.Expr:
    return fen.cast(pl.Float64) / 1e8


def book(cut: pl.DataFrame) -> dict[str, object]:
    """Claims reported as bad, bad by the rules, and with hidden with their 90 % range, by key, million yuan.

    Args:
        cut: `name, reported, by_rule, with_hidden, lo90, hi90`, in the order to be shown.
    """
    views = {"as reported": "reported", "by the rules": "by_rule", "with hidden": "with_hidden"}
    wide = cut.select("name", *(_bn(pl.col(name)).alias(view) for view, name in views.items()))
    table = wide.unpivot(index="name", variable_name="view", value_name="m").drop_nulls("m")
    beyond = cut.select("name", view=pl.lit("with hidden"), high=_bn(pl.col("hi90")))
    table = table.join(beyond, on=["name", "view"], how="left").with_columns(
        end=pl.max_horizontal("m", "high")
    )
    spread = cut.drop_nulls("with_hidden").select(
        "name", view=pl.lit("with hidden"), low=_bn(pl.col("lo90")), high=_bn(pl.col("hi90"))
    )
    order, named = cut["name"].to_list(), list(views)
    y: dict[str, object] = {"field": "name", "type": "nominal", "sort": order, "title": None}
    offset = {"field": "view", "sort": named}
    x = {"field": "m", "type": "quantitative", "title": "million yuan", "stack": None}
    scale = {"domain": named, "range": [GREY, ACCENT, SECOND]}
    colour = {"field": "view", "type": "nominal", "legend": None, "scale": scale}
    ends = {"x": {**x, "field": "low"}, "x2": {"field": "high"}}
    layers: list[dict[str, object]] = [
        {"mark": {"type": "bar"}, "encoding": {"x": x, "color": colour}},
        {
            "mark": {"type": "text", "align": "left", "dx": 4},
            "encoding": {"x": {**x, "field": "end"}, "text": {"field": "view", "type": "nominal"}},
        },
    ]
    if spread.height:
        rule = {"mark": {"type": "rule", "strokeWidth": 2, "color": _INK}, "encoding": ends}
        layers.append({"data": _values(spread), **rule})
    return {
        "data": _values(table),
        "width": _WIDTH - 220,
        "height": {"step": 19},
        "encoding": {"y": y, "yOffset": offset},
        "layer": layers,
    }


def hidden_by_branch(branches: pl.DataFrame) -> dict[str, object]:
    """Claims expected hidden with their 90 % range, by branch, million yuan.

    Args:
        branches: `key, hidden, lo90, hi90`, in the order to be shown.
    """
    shown = branches.select("key", *(_bn(pl.col(n)).alias(n) for n in ("hidden", "lo90", "hi90")))
    y = {"field": "key", "type": "nominal", "sort": shown["key"].to_list(), "title": None}
    x = {"field": "hidden", "type": "quantitative", "title": "million yuan expected hidden"}
    ends = {"x": {**x, "field": "lo90"}, "x2": {"field": "hi90"}}
    return {
        "data": _values(shown),
        "width": _WIDTH - 220,
        "height": {"step": 24},
        "encoding": {"y": y},
        "layer": [
            {"mark": {"type": "bar", "color": ACCENT}, "encoding": {"x": x}},
            {"mark": {"type": "rule", "strokeWidth": 2, "color": _INK}, "encoding": ends},
        ],
    }


def fan(contents: Contents) -> dict[str, object]:
    """Expected cumulative cash with its ranges, million yuan."""
    return fan_of(contents.situation.forecast.curve)


def price_by_irr(by_irr: pl.DataFrame, claim: float) -> dict[str, object]:
    """The price, fen on the yuan owed, against the return asked for."""
    table = by_irr.select(irr=pl.col("irr") * 100, fen=pl.col("price") / claim * 100)
    return line(
        table, ("irr", "return asked for, per cent a year"), ("fen", "fen on the yuan owed")
    )


def line(table: pl.DataFrame, x: tuple[str, str], y: tuple[str, str]) -> dict[str, object]:
    """A line; `x` and `y` are column and title."""
    axes = {
        side: {"field": field, "type": "quantitative", "title": title}
        for side, (field, title) in (("x", x), ("y", y))
    }
    return {
        "data": _values(table),
        "width": _WIDTH - 130,
        "height": 220,
        "mark": {"type": "line", "color": ACCENT, "strokeWidth": 2.5},
        "encoding": axes,
    }


def fan_of(whole: pl.DataFrame) -> dict[str, object]:
    """A curve of cumulative cash with its ranges, million yuan."""
    curve = whole.select("month", _bn(pl.exclude("month")))
    ends = curve.filter(pl.col("month") == 120)
    x = {"field": "month", "type": "quantitative", "title": "months from the cut-off date",
         "scale": {"domain": [0, 120]}, "axis": {"values": list(range(0, 121, 12))}}  # fmt: skip

    def band(low: str, high: str, opacity: float) -> dict[str, object]:
        y = {"field": low, "type": "quantitative", "title": "million yuan, cumulative"}
        return {
            "mark": {"type": "area", "color": ACCENT, "opacity": opacity},
            "encoding": {"x": x, "y": y, "y2": {"field": high}},
        }

    def label(field: str, text: str) -> dict[str, object]:
        y = {"field": field, "type": "quantitative"}
        return {
            "data": _values(ends),
            "mark": {"type": "text", "align": "left", "dx": 5, "text": text},
            "encoding": {"x": x, "y": y},
        }

    line = {"mark": {"type": "line", "color": ACCENT, "strokeWidth": 2.5},
            "encoding": {"x": x, "y": {"field": "mean", "type": "quantitative"}}}  # fmt: skip
    return {
        "data": _values(curve),
        "width": _WIDTH - 130,
        "height": 280,
        "layer": [
            band("q05", "q95", 0.18),
            band("q25", "q75", 0.3),
            line,
            label("mean", "expected"),
        ],
    }


def ways(contents: Contents) -> dict[str, object]:
    """Claims by way out, now and later, million yuan."""
    table = contents.by_way.select(
        way=pl.col("channel").replace(WAYS),
        when=pl.when(pl.col("start_month") == 0).then(pl.lit("now")).otherwise(pl.lit("later")),
        claim=_bn(pl.col("claim")),
    )
    table = table.group_by("way", "when", maintain_order=True).agg(pl.col("claim").sum())
    total = table.group_by("way").agg(total=pl.col("claim").sum())
    order = total.sort("total", "way", descending=[True, False])["way"].to_list()
    colour = {
        "field": "when",
        "type": "nominal",
        "legend": {"orient": "top", "title": None, "labelColor": _INK, "labelFontSize": 13},
        "scale": {"domain": ["now", "later"], "range": [ACCENT, GREY]},
    }
    return {
        "data": _values(table),
        "width": _WIDTH - 160,
        "height": {"step": 30},
        "mark": {"type": "bar"},
        "encoding": {
            "y": {"field": "way", "type": "nominal", "sort": order, "title": None},
            "x": {"field": "claim", "type": "quantitative", "title": "claims, million yuan"},
            "color": colour,
            "order": {"field": "when", "sort": "descending"},
        },
    }


def limits(contents: Contents) -> dict[str, object]:
    """What one per cent more of each scarce limit adds, thousand yuan."""
    table = scarce(contents)
    names = [limit_name(*row) for row in table.select("capacity", "scope").iter_rows()]
    table = table.select(limit=pl.Series(names, dtype=pl.String), gain=pl.col("gain") / 1e5)
    return {
        "data": _values(table),
        "width": _WIDTH - 240,
        "height": {"step": 30},
        "mark": {"type": "bar", "color": ACCENT},
        "encoding": {
            "y": {"field": "limit", "type": "nominal", "sort": "-x", "title": None},
            "x": {"field": "gain", "type": "quantitative", "title": "thousand yuan for 1 % more"},
        },
    }


def scarce(contents: Contents) -> pl.DataFrame:
    """Limits that cost something, with `gain`: what one per cent more of each adds, fen."""
    return (
        contents.plan.capacities.filter(pl.col("shadow_price") > 0)
        .with_columns(gain=pl.col("shadow_price") * pl.col("limit") / 100)
        .sort("gain", "capacity", "scope", descending=[True, False, False])
    )
