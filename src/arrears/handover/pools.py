"""The papers of a deal that the plan proposes: `deal.yaml`, its cash in scenarios, and a term sheet."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
import yaml

from arrears import deals
from arrears.channels import Situation
from arrears.recovery import forecast

SCENARIOS = 200


def write_deal(rows: pl.DataFrame, situation: Situation, channel: str, place: Path) -> None:
    """`deal.yaml`, `cash.parquet` and `term_sheet.md` of one package.

    Args:
        rows: its loans, as the situation holds them.
    """
    months = int(situation.number("securities/cash_months"))
    cash = collections(rows, situation, months)
    number = situation.number
    bad = rows.select((pl.col("reported_class").is_in(["substandard", "doubtful", "loss"])).any())
    performing = channel == "income_rights" and not bool(bad.item())
    terms = deals.Terms(
        name=f"{place.parent.name.replace('_', ' ').capitalize()}, {place.name}",
        kind="securities" if channel == "securitise" else "income_rights",
        pool="performing" if performing else "non_performing",
        originator=_originator(situation),
        cutoff=situation.as_of,
        months=months,
        closes_after=int(number("securities/months")),
        coupon=number("deals/senior_coupon"),
        tax=number("deals/tax"),
        servicing=_servicing(rows, situation),
        expenses=number("deals/expenses"),
        reserve_multiple=number("deals/reserve_multiple"),
        servicer_excess=number("deals/servicer_excess"),
        retention=number("deals/retention"),
    )
    body, deal, gross = deals.sized_file(
        terms,
        cash,
        senior=number("deals/shortfall"),
        junior=number("deals/junior_shortfall"),
        stress=deals.Stress(Fraction(str(number("securities/haircut")))),
    )
    head = "# Proposed by the plan; amounts in fen. Run it: arrears deal run deal.yaml --cash cash.parquet -o DIR\n"
    text = head + yaml.safe_dump(body, sort_keys=False, allow_unicode=True)
    (place / "deal.yaml").write_text(text, encoding="utf-8", newline="\n")
    deals.cash_table(cash).write_parquet(place / "cash.parquet", compression="zstd")
    sheet = term_sheet(deal, gross)
    (place / "term_sheet.md").write_text(sheet, encoding="utf-8", newline="\n")


def collections(rows: pl.DataFrame, situation: Situation, months: int) -> np.ndarray:
    """Cash of a package by scenario and month (SCENARIOS, months), whole fen, by the forecast of its loans alone."""
    ahead = forecast(
        rows.select(situation.loans.columns),
        as_of=situation.as_of,
        market=situation.market,
        discount_rate=situation.rate,
        scenarios=SCENARIOS,
    )
    paths = np.maximum.accumulate(np.maximum(ahead.paths[:, :months], 0.0), axis=1)
    return np.diff(np.rint(paths).astype(np.int64), axis=1, prepend=0)


def _originator(situation: Situation) -> dict[str, object]:
    holder = situation.holder
    licence = holder.securities_originator
    return {"kind": holder.kind} | ({} if licence is None else {"licence": licence})


def _servicing(rows: pl.DataFrame, situation: Situation) -> float:
    """Share of collections that collecting costs, weighted by claims."""
    here = situation.loans["loan_id"].is_in(rows["loan_id"].implode()).to_numpy()
    claim = situation.claim[here]
    return float((situation.commission[here] * claim).sum() / max(claim.sum(), 1.0))


def term_sheet(deal: deals.Deal, gross: np.ndarray) -> str:
    """The deal on a page, from its file and its scenarios."""
    program = deals.compiled(deal)
    found = deals.answers(program, gross, list(range(gross.shape[1])))
    told = cast("dict[str, dict[str, float | str | None]]", found.summary["tranches"])
    dates = deal.dates()
    lines = [
        f"# {deal.name}",
        "",
        "| item | value |",
        "|---|---|",
        f"| Kind | {deal.kind.replace('_', ' ')}, {deal.pool.replace('_', '-')} pool |",
        f"| Cut-off, closing | {deal.cutoff_date}, {deal.closing_date} |",
        f"| Payments | {len(dates)}, from {dates[0].payment_date} to {dates[-1].payment_date} |",
        f"| Expected collections | {found.collected.sum() / 100:,.0f} yuan in {gross.shape[1]} scenarios |",
        f"| Order of payment | {', '.join(step.label for step in deal.waterfall.normal)} |",
        "",
        "| class | size, yuan | coupon | yield | average life, years | expected maturity | falls short in |",
        "|---|---:|---:|---:|---:|---|---:|",
    ]
    for one in deal.classes:
        row = told[one.name]
        rate = deal.rate(one, deal.closing_date)
        lines.append(
            f"| {one.name} | {one.face / 100:,.0f} | {_percent(rate)} | {_percent(row['yield'])} | "
            f"{'n/a' if row['wal_years'] is None else format(row['wal_years'], '.2f')} | "
            f"{row['expected_maturity'] or 'n/a'} | {_percent(row['probability_of_shortfall'])} |"
        )
    lines += ["", "A class falls short where principal or interest is unpaid on the last date.", ""]
    return "\n".join(lines)


def _percent(value: object) -> str:
    return "n/a" if value is None else f"{100 * float(cast('float', value)):.2f} %"
