"""The papers of a deal that the plan proposes: `deal.yaml`, its cash in scenarios, and a term sheet."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
import yaml

from arrears import deals
from arrears.channels import Situation
from arrears.channels.issue import built

_FIXED = {"securities": "securities/fixed_cost", "income_rights": "securities/income_fixed_cost"}
_KINDS = {"securitise": "Bad-loan securities", "income_rights": "Income rights"}
_HEAD = "# Proposed by the plan; amounts in fen. Run it: arrears deal run deal.yaml --cash cash.parquet -o DIR\n"


def write_deal(rows: pl.DataFrame, situation: Situation, channel: str, place: Path) -> None:
    """`deal.yaml`, `cash.parquet` and `term_sheet.md` of one package.

    Args:
        rows: its loans, as the situation holds them.
    """
    ids = situation.loans["loan_id"]
    places = pl.Series(np.flatnonzero(ids.is_in(rows["loan_id"].implode()).to_numpy()))
    found = built(situation, places, channel, _name(rows, channel, place))
    if found is None:
        return
    text = _HEAD + yaml.safe_dump(found.body, sort_keys=False, allow_unicode=True)
    (place / "deal.yaml").write_text(text, encoding="utf-8", newline="\n")
    deals.cash_table(found.cash).write_parquet(place / "cash.parquet", compression="zstd")
    sheet = term_sheet(found.deal, found.gross) + _of_originator(found, situation, places)
    (place / "term_sheet.md").write_text(sheet, encoding="utf-8", newline="\n")


def _name(rows: pl.DataFrame, channel: str, place: Path) -> str:
    """`Bad-loan securities of Eastern Bank, package 01`; without a name where several lenders sell."""
    lenders = rows["lender"].drop_nulls().unique()
    seller = f" of {lenders[0]}" if len(lenders) == 1 else ""
    return f"{_KINDS[channel]}{seller}, {place.name.replace('-', ' ')}"


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
        f"| Expected collections | {found.collected.sum() / 100:,.0f} yuan, the mean of {gross.shape[1]} scenarios |",
        f"| Order of payment | {', '.join(step.label.replace('_', ' ') for step in deal.waterfall.normal)} |",
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


def _of_originator(found: deals.Built, situation: Situation, places: pl.Series) -> str:
    """What the seller gets, and whether the pool is smaller than any that was sold in public."""
    fixed = situation.number(_FIXED[found.deal.kind])
    got = deals.brought(deals.compiled(found.deal), found.gross)
    lines = [
        "",
        f"The originator gets {got.proceeds / 100:,.0f} yuan at closing, then {got.kept.sum() / 100:,.0f} yuan on the "
        f"shares of classes that it keeps and {got.rest.sum() / 100:,.0f} yuan of what is left; its collecting is paid "
        f"{got.servicing.sum() / 100:,.0f} yuan.",
        "",
        f"Fixed costs of the deal, about {fixed / 100:,.0f} yuan, are not taken off here: the plan counts them once a "
        "package.",
        "",
    ]
    claim = float(situation.claim[places.to_numpy()].sum())
    smallest = situation.number("securities/smallest_seen")
    if found.deal.kind == "securities" and claim < smallest:
        lines += [
            f"The pool owes {claim / 100:,.0f} yuan. No public deal was smaller than {smallest / 100:,.0f} yuan: "
            "expect to place it privately, or together with other pools.",
            "",
        ]
    return "\n".join(lines)


def _percent(value: object) -> str:
    return "n/a" if value is None else f"{100 * float(cast('float', value)):.2f} %"
