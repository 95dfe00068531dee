"""Published bad-loan deals rebuilt from their terms: ratios, the senior's life, and the senior as Arrears sizes it."""

from __future__ import annotations

import csv
from datetime import date
from fractions import Fraction
from typing import Any, cast

import numpy as np
import polars as pl

from arrears import deals
from arrears.recovery import forecast
from arrears.rules import load_market
from arrears.tape.columns import LOANS
from validation import section

TITLE = "Published deals of bad loans"
HERE = section.ROOT / "examples/deals/published"
# Days past due of a card loan in the middle of each class: 91 to 120, 121 to 180, more.
DAYS = {"substandard": 105, "doubtful": 150, "loss": 260}
LOANS_OF_A_CLASS = 400
SEEN_MONTHS = 9.0


def paths(row: dict[str, str], months: int, scenarios: int) -> np.ndarray:
    """Collections (scenarios, months), fen: the agencies' mean total, spread and shaken as Arrears' prior says."""
    rows: list[dict[str, object]] = []
    for name, days in DAYS.items():
        share = float(row[f"{name}_percent"]) / 100.0
        if share > 0.0:
            one = round(share * 1e10 / LOANS_OF_A_CLASS)
            rows += [
                {**dict.fromkeys(LOANS), "loan_id": f"{name}{n}", "borrower_id": f"{name}{n}", "lender": "Bank",
                 "product": "credit_card", "security": "none", "principal": one, "interest": 0, "fees": 0,
                 "days_past_due": days}
                for n in range(LOANS_OF_A_CLASS)
            ]  # fmt: skip
    ahead = forecast(
        pl.DataFrame(rows, schema=LOANS),
        as_of=date(2025, 3, 31),
        market=load_market("cn"),
        discount_rate=0.03,
        scenarios=scenarios,
    )
    drawn = np.maximum.accumulate(np.maximum(ahead.paths[:, :months], 0.0), axis=1)
    total = int(row["pool_claim"]) * 1e6 * mean_forecast(row)
    scaled = np.rint(drawn * total / drawn[:, -1].mean()).astype(np.int64)
    return np.diff(scaled, axis=1, prepend=0)


def mean_forecast(row: dict[str, str]) -> float:
    """Mean of the two agencies' forecasts, share of the claim."""
    return (float(row["forecast_percent_1"]) + float(row["forecast_percent_2"])) / 200.0


def rebuilt(row: dict[str, str], scenarios: int) -> dict[str, float]:
    """What is published and what comes out of a deal."""
    deal, problems = deals.read_deal(HERE / f"{row['deal']}.yaml")
    assert deal is not None, problems
    first = deal.dates()
    months = (first[-1].collection_end.year - deal.cutoff_date.year) * 12
    months += first[-1].collection_end.month - deal.cutoff_date.month
    placed, _ = deals.place(deal, deals.cash_table(paths(row, months, scenarios)))
    assert placed is not None
    market = load_market("cn")
    day = date(2025, 12, 31)
    found = deals.answers(deals.compiled(deal), placed.collections, placed.names.tolist())
    senior = cast("dict[str, Any]", found.summary["tranches"])["Senior"]
    repaid = senior["expected_maturity"]
    sized = deals.size(
        deal, placed.collections, placed.names,
        asked={"Senior": market.number("deals/shortfall", day)},
        stress=deals.Stress(Fraction(str(market.number("securities/haircut", day)))),
    )[0]  # fmt: skip
    issued, sub = int(row["senior"]) * 1e6, int(row["sub"]) * 1e6
    claim = int(row["pool_claim"]) * 1e6
    return {
        "over_senior": claim * mean_forecast(row) / issued,
        "junior": sub / (issued + sub),
        "issue": (issued + sub) / claim,
        "life": (date.fromisoformat(repaid) - deal.closing_date).days / 30.4375
        if repaid
        else np.nan,
        "short": senior["probability_of_shortfall"],
        "sized": sized.face / issued,
    }


def main(smoke: bool) -> str:
    """The section."""
    with (HERE / "terms.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    shown = rows[:2] if smoke else rows
    told = {row["deal"]: rebuilt(row, 200 if smoke else 2_000) for row in shown}
    assets = {row["deal"]: row["asset"] for row in shown}
    lines = [
        [name, assets[name], f"{one['over_senior']:.2f}", f"{100 * one['junior']:.1f} %",
         f"{100 * one['issue']:.1f} %",
         f"{one['life']:.1f}", f"{100 * one['short']:.1f} %", f"{one['sized']:.2f}",
         f"{100 * (one['sized'] - 1):+.0f} %"]
        for name, one in told.items()
    ]  # fmt: skip
    head = ["deal", "asset", "forecast / senior", "junior", "issue / claim", "senior repaid after, months",
            "senior short in", "sized / issued", "error"]  # fmt: skip
    return "\n\n".join(
        [
            f"## {TITLE}",
            f"{len(told)} deals of FACTS 4.2 rebuilt from their published terms (`examples/deals/published/`). "
            "Collections are the mean of the two agencies' forecasts, spread over months and shaken over scenarios as "
            "Arrears' market prior says for cards of that class; order of payment, reserve, tax and costs are the "
            "usual ones. The senior is sized for the chance of falling short in `deals/shortfall`, after the haircut "
            "of `securities/haircut`, without knowing the one issued.",
            section.table(head, lines),
            *(_summary(told, assets, kind) for kind in ("unsecured", "secured")),
        ]
    )


def _summary(told: dict[str, dict[str, float]], assets: dict[str, str], kind: str) -> str:
    mine = [one for name, one in told.items() if (assets[name] == "card") is (kind == "unsecured")]
    if not mine:
        return f"No {kind} deal in this run."
    sized = np.array([one["sized"] for one in mine])
    life = np.array([one["life"] for one in mine])
    word = (
        "Cards"
        if kind == "unsecured"
        else "Secured (whose collateral the prior of cards does not know)"
    )
    return (
        f"{word}, {len(mine)} deals: sized over issued {np.median(sized):.2f} in the middle "
        f"({sized.min():.2f} to {sized.max():.2f}), mean absolute error {100 * np.abs(sized - 1).mean():.0f} %; "
        f"the senior is repaid after {np.nanmean(life):.1f} months on average, {SEEN_MONTHS:.0f} were seen "
        "(FACTS 4.3)."
    )


if __name__ == "__main__":
    section.run(main)
