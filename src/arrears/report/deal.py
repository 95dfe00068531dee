"""The page and the workbook of a deal: who gets what, how surely, date by date."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from arrears.core.words import counted
from arrears.deals import Answers, Deal
from arrears.report import charts, figures
from arrears.report.parts import paragraph, shell, table
from arrears.report.sheets import Sheets

_RANKS = ("q05", "q25", "q50", "q75", "q95")
_ROLES = {"sub": "subordinated"}
_TAKES = {
    "servicing": "servicing fee",
    "servicer": "servicer, of what is left at the end",
    "servicer_in_all": "servicer in all",
    "originator_retained": "originator, on the classes that it keeps",
    "originator_proceeds": "originator, from the sale at closing",
    "originator_in_all": "originator in all",
}


def deal_page(deal: Deal, found: Answers, actual: pl.DataFrame | None = None) -> str:
    """`report.html`: term sheet, classes, a fan a class, cash by date, investor report.

    Args:
        actual: `period, collections` that came in (fen), beside the forecast.
    """
    told: dict[str, Any] = dict(found.summary)
    classes: dict[str, Any] = told["tranches"]
    title = _headline(deal, classes)
    parts = [
        f"<h1>{escape(title)}</h1>",
        paragraph(
            f"{deal.name}. Cut-off {figures.day(deal.cutoff_date)}, closing {figures.day(deal.closing_date)}.",
            "when",
        ),
        _numbers(deal, told, classes),
        *_terms(deal, classes),
        *_fans(deal, found),
        *_by_date(deal, found),
        *_takes(told),
        *_investors(deal, found, actual),
        _note(told),
    ]
    return shell(title, parts)


def _headline(deal: Deal, classes: dict[str, Any]) -> str:
    first = deal.classes[0].name
    chance = classes[first]["probability_of_shortfall"]
    if not chance:
        return f"Class {first} is paid in full in every scenario"
    return f"Class {first} falls short in {figures.percent(chance)} of scenarios"


def _numbers(deal: Deal, told: dict[str, Any], classes: dict[str, Any]) -> str:
    """At most four."""
    first = deal.classes[0]
    row = classes[first.name]
    issue = sum(one.face for one in deal.classes if one.role != "notional")
    life = row["wal_years"]
    items = [
        (figures.money(issue), "issued", counted(len(deal.classes), "class", "classes")),
        (
            figures.money(told["collections"]["mean"]),
            "expected collections",
            f"{told['collections']['mean'] / issue:.2f} times the issue",
        ),
        (
            figures.percent(row["yield"], 2),
            f"yield of {first.name}",
            "never repaid" if life is None else f"average life {figures.number(life, 2)} years",
        ),
        (
            "over 10"
            if row["break_even_multiple"] is None
            else figures.number(row["break_even_multiple"], 2),
            f"times expected collections just pay {first.name}",
            f"falls short in {figures.percent(row['probability_of_shortfall'])} of "
            f"{told['scenarios']:,} scenarios",
        ),
    ]
    shown = "\n".join(
        f"<li><b>{escape(big)}</b><span>{escape(what)}</span><span>{escape(more)}</span></li>"
        for big, what, more in items
    )
    return f'<ul class="numbers">\n{shown}\n</ul>'


def _terms(deal: Deal, classes: dict[str, Any]) -> list[str]:
    dates = deal.dates()
    sheet = [
        ["kind", f"{deal.kind.replace('_', ' ')}, {deal.pool.replace('_', '-')} pool"],
        ["cut-off and closing", f"{deal.cutoff_date}, {deal.closing_date}"],
        ["payments", f"{len(dates)}, {dates[0].payment_date} to {dates[-1].payment_date}"],
        ["reserve", _reserve(deal)],
        ["order of payment", _order(step.label for step in deal.waterfall.normal)],
    ]
    after = deal.waterfall.post_enforcement
    if after is not None:
        sheet.append(["after an event of default", _order(step.label for step in after)])
    rows = [
        [
            one.name,
            _ROLES.get(one.role, one.role),
            figures.yuan(one.face),
            _coupon(deal, one.name),
            f"{float(one.issue_price):g}",
            figures.percent(row["yield"], 2),
            figures.number(row["wal_years"], 2),
            row["expected_maturity"] or figures.NOT_KNOWN,
            figures.percent(row["probability_of_shortfall"]),
            figures.percent(row["expected_loss"], 2),
            figures.number(row["coverage"], 2),
            figures.number(row["break_even_multiple"], 2),
        ]
        for one in deal.classes
        for row in [classes[one.name]]
    ]
    heads = ["class", "role", "size, yuan", "coupon", "price", "yield", "life, years",
             "expected maturity", "falls short in", "expected loss", "cash / size", "break-even"]  # fmt: skip
    return [
        '<h2 id="terms">Term sheet</h2>',
        table(["term", "of this deal"], sheet, words=2, short=1),
        '<h2 id="classes">What each class gets</h2>',
        table(heads, rows, words=2),
        paragraph(
            "Yield, life and loss: means over all scenarios. Cash / size: what the class is paid over its size. "
            "Break-even: the part of expected collections that just pays it in full. A class falls short where "
            "principal or interest is unpaid on the last date.",
            "note",
        ),
    ]


def _coupon(deal: Deal, name: str) -> str:
    rate = _rate(deal, name)
    return "none" if rate is None else figures.percent(rate, 2)


def _order(labels: Iterable[str]) -> str:
    """The steps of a waterfall in words."""
    return ", ".join(label.replace("_", " ") for label in labels)


def _reserve(deal: Deal) -> str:
    """The reserve in words."""
    one = deal.reserve
    if one.type == "fixed":
        return f"{figures.yuan(one.target)} yuan"
    if one.type == "multiple":
        return f"{float(one.multiple):g} times next period's expenses, fees and senior interest"
    if one.type == "formula":
        parts = [f"{float(term.multiple):g} x {term.of.replace('_', ' ')}" for term in one.terms]
        return " + ".join(parts)
    return "none"


def _rate(deal: Deal, name: str) -> float | None:
    one = next(one for one in deal.classes if one.name == name)
    rate = deal.rate(one, deal.dates()[0].accrual_start)
    return None if rate is None else float(rate)


def _fans(deal: Deal, found: Answers) -> list[str]:
    parts = ['<h2 id="fans">How fast each class is repaid</h2>']
    for one in deal.classes:
        if one.role == "notional":
            continue
        fan = found.fans[one.name]
        repaid = int(np.argmax(fan[:, 2] == 0)) + 1 if (fan[:, 2] == 0).any() else None
        said = (
            f"in the middle scenario repaid on payment {repaid}"
            if repaid
            else "never repaid in the middle scenario"
        )
        caption = f"{one.name}: {said}."
        drawn = charts.svg(fan_chart(fan, one.face), caption, f"fan-{one.name}")
        parts.append(
            f"<h3>{escape(caption)}</h3><figure>{drawn}<figcaption class=note>"
            "Balance after each payment, from closing (0) on. Inner band: half of all scenarios; outer band: nine in "
            "ten."
            "</figcaption></figure>"
        )
    return parts


def fan_chart(fan: np.ndarray, face: float) -> dict[str, object]:
    """Balance of a class of that size by payment, with its ranges, million yuan."""
    whole = np.vstack([np.full(len(_RANKS), float(face)), fan]) / 1e8
    frame = pl.DataFrame({name: whole[:, place] for place, name in enumerate(_RANKS)})
    data = {"values": frame.with_columns(payment=pl.int_range(pl.len())).to_dicts()}
    x = {"field": "payment", "type": "quantitative", "title": "payment", "axis": {"tickMinStep": 1},
         "scale": {"nice": False}}  # fmt: skip

    def band(low: str, high: str, opacity: float) -> dict[str, object]:
        y = {"field": low, "type": "quantitative", "title": "million yuan"}
        return {
            "mark": {"type": "area", "color": charts.ACCENT, "opacity": opacity},
            "encoding": {"x": x, "y": y, "y2": {"field": high}},
        }

    middle = {
        "mark": {"type": "line", "color": charts.ACCENT, "strokeWidth": 2.5},
        "encoding": {"x": x, "y": {"field": "q50", "type": "quantitative"}},
    }
    layer = [band("q05", "q95", 0.18), band("q25", "q75", 0.3), middle]
    return {"data": data, "width": 490, "height": 220, "layer": layer}


def cash_by_date(deal: Deal, found: Answers) -> pl.DataFrame:
    """Mean cash of everybody by payment date, fen."""
    columns: dict[str, object] = {
        "payment": list(range(1, len(deal.dates()) + 1)),
        "date": [one.payment_date for one in deal.dates()],
        "collections": found.collected,
    }
    columns |= dict(found.by_date)
    columns |= {name: paid for name, paid in found.taken.items() if paid.any()}
    return pl.DataFrame(columns)


def _by_date(deal: Deal, found: Answers) -> list[str]:
    frame = cash_by_date(deal, found)
    rows = [
        [str(row[0]), str(row[1]), *(figures.yuan(cell) for cell in row[2:])]
        for row in frame.iter_rows()
    ]
    names = (_TAKES.get(name, name).split(",")[0] for name in frame.columns[2:])
    heads = ["payment", "date", *(f"{name}, yuan" for name in names)]
    whole, early = float(frame["collections"].sum()), float(frame["collections"][0])
    title = (
        f"{figures.share(early, whole)} of what is collected has come in by the first payment date"
    )
    note = "Means over scenarios; what a class gets is interest, principal and its part of what is left at the end."
    return [
        f'<h2 id="cash">{escape(title)}</h2>',
        table(heads, rows, words=2),
        paragraph(note, "note"),
    ]


def _takes(told: dict[str, Any]) -> list[str]:
    rows = [
        [_TAKES.get(name, name.replace("_", " ")), figures.yuan(amount)]
        for name, amount in told["takes"].items()
        if amount
    ]
    return [
        '<h2 id="takes">What servicer, originator and others take</h2>',
        table(["who", "yuan, mean of scenarios"], rows),
    ]


def investor_table(deal: Deal, found: Answers, actual: pl.DataFrame | None) -> pl.DataFrame:
    """Collections by payment date: forecast, actual where known, and how far apart, cumulative; fen."""
    frame = pl.DataFrame(
        {
            "payment": np.arange(1, len(deal.dates()) + 1),
            "date": [one.payment_date for one in deal.dates()],
            "forecast": found.collected,
        }
    )
    known = {} if actual is None else dict(actual.select("period", "collections").iter_rows())
    came = pl.Series("actual", [known.get(n) for n in frame["payment"]], dtype=pl.Int64)
    share = came.cum_sum() / pl.Series(frame["forecast"]).cum_sum()
    return frame.with_columns(came, share.alias("actual_to_forecast"))


def _investors(deal: Deal, found: Answers, actual: pl.DataFrame | None) -> list[str]:
    frame = investor_table(deal, found, actual)
    seen = frame.drop_nulls("actual")
    if seen.is_empty():
        title = "Investor report: nothing has come in yet to hold against the forecast"
        text = "Name what has come in with --actual: it is told beside the forecast, date by date."
        return [f'<h2 id="investors">{escape(title)}</h2>', paragraph(text, "note")]
    share = float(seen["actual_to_forecast"][-1])
    title = f"Investor report: {figures.percent(share)} of what was forecast until now has come in"
    rows = [
        [
            str(row["payment"]),
            str(row["date"]),
            figures.yuan(row["forecast"]),
            "not yet" if row["actual"] is None else figures.yuan(row["actual"]),
            "" if row["actual"] is None else figures.percent(row["actual_to_forecast"]),
        ]
        for row in frame.iter_rows(named=True)
    ]
    heads = ["payment", "date", "forecast, yuan", "actual, yuan", "actual / forecast, cumulative"]
    return [f'<h2 id="investors">{escape(title)}</h2>', table(heads, rows, words=2)]


def _note(told: dict[str, Any]) -> str:
    kept = told["conservation"]
    text = (
        f"All cash that came in, {figures.money(kept['in'])} over all scenarios, left or stays in the reserve: "
        f"difference {kept['difference']} fen. Row by row: tranches.parquet and moves.parquet of deal run."
    )
    return paragraph(text, "note")


def deal_workbook(deal: Deal, found: Answers, path: Path, actual: pl.DataFrame | None) -> None:
    """`report.xlsx`: a cover, then classes, cash by date, balances, the investor report; money in yuan."""
    with Sheets.of(path, title=deal.name, day=deal.closing_date) as sheets:
        sheets.cover(deal.name, _cover(deal, found), width=26)
        sheets.add("Classes", _class_table(found), money=["size"])
        cash = cash_by_date(deal, found)
        sheets.add("Cash", cash, money=cash.columns[2:])
        sheets.add("Balances", _fan_table(found), money=_RANKS)
        sheets.add("Investors", investor_table(deal, found, actual), money=["forecast", "actual"])


def _cover(deal: Deal, found: Answers) -> list[tuple[str, str]]:
    return [
        ("Closing", figures.day(deal.closing_date)),
        ("Cut-off", figures.day(deal.cutoff_date)),
        ("Scenarios", f"{found.summary['scenarios']:,}"),
        ("Expected collections", figures.money(float(found.collected.sum()))),
        ("Order of payment", _order(step.label for step in deal.waterfall.normal)),
        ("Amounts", "yuan; the files beside this one hold fen"),
    ]


def _class_table(found: Answers) -> pl.DataFrame:
    classes: dict[str, dict[str, Any]] = dict(found.summary["tranches"])  # type: ignore[call-overload]
    rows = [
        {"class": name} | {key: value for key, value in row.items() if not isinstance(value, dict)}
        for name, row in classes.items()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _fan_table(found: Answers) -> pl.DataFrame:
    parts = [
        pl.DataFrame(
            {"class": [name] * len(fan), "payment": np.arange(1, len(fan) + 1)}
            | {rank: fan[:, place] for place, rank in enumerate(_RANKS)}
        )
        for name, fan in found.fans.items()
    ]
    return pl.concat(parts)
