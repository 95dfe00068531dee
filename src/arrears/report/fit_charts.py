"""Pictures of a fitted model and of a forecast that is held against what came in."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from arrears.report.charts import ACCENT, GREY, SECOND

_WIDTH = 490
_RULE = {"type": "rule", "color": ACCENT, "strokeWidth": 2}


def _axis(field: str, title: str, **more: object) -> dict[str, object]:
    return {"field": field, "type": "quantitative", "title": title, **more}


def _rows(table: pl.DataFrame) -> dict[str, object]:
    return {"values": table.to_dicts()}


def _line(x: dict[str, object], field: str, colour: str) -> dict[str, object]:
    mark = {"type": "line", "color": colour, "strokeWidth": 2}
    return {"mark": mark, "encoding": {"x": x, "y": _axis(field, "")}}


def _label(table: pl.DataFrame, x: str, y: str, text: str) -> dict[str, object]:
    """A word at the right end of a line."""
    return {
        "data": _rows(table.sort(x).tail(1)),
        "mark": {"type": "text", "align": "left", "dx": 6, "text": text},
        "encoding": {"x": _axis(x, ""), "y": _axis(y, "")},
    }


def hazard(points: pl.DataFrame) -> dict[str, object]:
    """Chance of a payment in a month by age: fitted with its 90 % band, as seen, and by the market.

    Args:
        points: `age, hazard, lo90, hi90, observed, market`, shares.
    """
    table = points.with_columns(pl.exclude("age") * 100)
    x = _axis("age", "months since day 91", scale={"zero": True, "nice": False})
    y = _axis("lo90", "paying in a month, per cent")
    fitted, market = _line(x, "hazard", ACCENT), _line(x, "market", GREY)
    band = {
        "mark": {"type": "area", "color": ACCENT, "opacity": 0.2},
        "encoding": {"x": x, "y": y, "y2": {"field": "hi90"}},
    }
    seen = {
        "mark": {"type": "point", "color": SECOND, "filled": True, "size": 30},
        "encoding": {"x": x, "y": _axis("observed", "")},
    }
    early = table.sort("age").head(max(table.height // 8, 1))
    ends = [_label(table, "age", "hazard", "fitted"), _label(early, "age", "market", "market")]
    return {
        "data": _rows(table),
        "width": _WIDTH,
        "height": 260,
        "layer": [band, market, fitted, seen, *ends],
    }


def calibration(deciles: pl.DataFrame) -> dict[str, object]:
    """Observed against predicted chance, by tenth of the loan-months of the test.

    Args:
        deciles: `predicted, observed, lo, hi`, shares.
    """
    table = deciles * 100
    top = float(max(table["predicted"].max(), table["observed"].max()))  # type: ignore[arg-type, type-var]
    straight = pl.DataFrame({"predicted": [0.0, top], "observed": [0.0, top]})
    x = _axis("predicted", "predicted, per cent a month")
    y = _axis("observed", "observed, per cent a month")
    bars = {**_RULE, "strokeWidth": 1}
    return {
        "data": _rows(table),
        "width": _WIDTH,
        "height": 260,
        "layer": [
            {"data": _rows(straight), **_line(x, "observed", GREY)},
            {
                "mark": bars,
                "encoding": {"x": x, "y": _axis("lo", ""), "y2": {"field": "hi"}},
            },
            {
                "mark": {"type": "point", "color": ACCENT, "filled": True, "size": 50},
                "encoding": {"x": x, "y": y},
            },
        ],
    }


def effects(table: pl.DataFrame) -> dict[str, object]:
    """Effects on the log odds with their 90 % intervals, the market's beside them.

    Args:
        table: `level, effect, lo, hi, market`, in the order of the picture.
    """
    order: Sequence[str] = table["level"].to_list()
    y = {"field": "level", "type": "nominal", "sort": order, "title": None}
    title = "added to the log odds of a payment"
    # Few enough that nought, which every effect is read against, keeps its label.
    axis = {"tickCount": 6}
    return {
        "data": _rows(table),
        "width": _WIDTH - 150,
        "height": {"step": 18},
        "encoding": {"y": y},
        "layer": [
            {
                "mark": _RULE,
                "encoding": {"x": _axis("lo", title, axis=axis), "x2": {"field": "hi"}},
            },
            {
                "mark": {"type": "point", "color": ACCENT, "filled": True, "size": 45},
                "encoding": {"x": _axis("effect", title, axis=axis)},
            },
            {
                "mark": {"type": "tick", "color": GREY, "thickness": 2, "height": 12},
                "encoding": {"x": _axis("market", title, axis=axis)},
            },
        ],
    }


def pools(triangle: pl.DataFrame, since: str) -> dict[str, object]:
    """Cumulative cash of each pool as a share of its claim, by month; what is estimated is dashed.

    Args:
        triangle: `pool, month, share, estimated`.
        since: what the months count from.
    """
    table = triangle.with_columns(pl.col("share") * 100)
    x = _axis("month", f"months since {since}")
    y = _axis("share", "collected, per cent of the claim")
    detail = {"field": "pool", "type": "nominal"}

    def lines(estimated: bool) -> dict[str, object]:
        dash = {"strokeDash": [4, 3], "color": GREY} if estimated else {"color": ACCENT}
        return {
            "transform": [{"filter": f"datum.estimated === {str(estimated).lower()}"}],
            "mark": {"type": "line", "strokeWidth": 1.3, "opacity": 0.8, **dash},
            "encoding": {"x": x, "y": y, "detail": detail},
        }

    return {
        "data": _rows(table),
        "width": _WIDTH,
        "height": 260,
        "layer": [lines(True), lines(False)],
    }


def track(table: pl.DataFrame) -> dict[str, object]:
    """Cumulative cash as it came in beside the forecast and its band, million yuan.

    Args:
        table: `month, forecast, actual, lo90, hi90, reforecast`, fen.
    """
    shown = table.with_columns(pl.exclude("month").cast(pl.Float64) / 1e8)
    x = _axis("month", "months from the cut-off date", scale={"zero": True, "nice": False})
    y = _axis("lo90", "million yuan, cumulative")
    band = {
        "mark": {"type": "area", "color": ACCENT, "opacity": 0.2},
        "encoding": {"x": x, "y": y, "y2": {"field": "hi90"}},
    }
    seen = shown.drop_nulls("actual")
    return {
        "data": _rows(shown),
        "width": _WIDTH,
        "height": 280,
        "layer": [
            band,
            _line(x, "forecast", ACCENT),
            {
                **_line(x, "reforecast", GREY),
                "mark": {"type": "line", "strokeDash": [5, 3], "color": GREY},
            },
            {"data": _rows(seen), **_line(x, "actual", SECOND)},
            _label(shown, "month", "forecast", "forecast"),
            _label(seen, "month", "actual", "came in"),
        ],
    }


def pools_watched(table: pl.DataFrame) -> dict[str, object]:
    """Cash of each pool over its forecast, with its band; a pool in alarm in the second colour.

    Args:
        table: `pool, alarm, actual, lo90, hi90`, shares of the forecast.
    """
    y = {"field": "pool", "type": "nominal", "title": None}
    title = "came in, times the forecast"
    colour = {"condition": {"test": "datum.alarm", "value": SECOND}, "value": ACCENT}
    one = pl.DataFrame({"at": [1.0]})
    return {
        "data": _rows(table),
        "width": _WIDTH - 100,
        "height": {"step": 18},
        "encoding": {"y": y},
        "layer": [
            {
                "data": _rows(one),
                "mark": {"type": "rule", "color": GREY, "strokeDash": [3, 3]},
                "encoding": {"x": _axis("at", title), "y": None},
            },
            {"mark": _RULE, "encoding": {"x": _axis("lo90", title), "x2": {"field": "hi90"}}},
            {
                "mark": {"type": "point", "filled": True, "size": 45},
                "encoding": {"x": _axis("actual", title), "color": colour},
            },
        ],
    }
