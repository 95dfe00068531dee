"""Bulk transfer, securities and income rights of the same loans side by side: what each does to the bank."""

from __future__ import annotations

import numpy as np
import polars as pl

from arrears.channels import COLUMNS, Offers, Situation
from arrears.plan.kernels import Floats
from arrears.plan.ratios import Bank, figures_of, of_holder, of_tape

_WAYS = ("transfer", "securitise", "income_rights")
_WHO = {
    "transfer": ("AMCs", "the buyer", "the buyer", "CN-PILOT-2021-26"),
    "securitise": ("institutions", "the trust", "the bank", "CN-ABS-POOL"),
    "income_rights": ("institutions only", "the bank", "the bank", "CN-INCOME-2016-82"),
}
_FLOATS = (
    "claim", "cash", "cost", "value", "profit", "npl_removed", "bad_loan_ratio", "capital_freed", "capital_kept",
    "capital_ratio", "provision_released", "continuing_involvement",
)  # fmt: skip

_TEXTS = ("investors", "creditor", "servicer", "article")


def disposals(situation: Situation, offers: Offers) -> pl.DataFrame:
    """What would happen if the same loans went today by one way or another, whatever the plan does.

    The loans are those reported as bad that may go by every way that any may go by. Income rights stay the bank's
    claims: all of the claim is continuing involvement, stays a bad loan and takes its capital (FACTS 5); of
    securities it is the share of each class that the originator keeps.

    Returns:
        `way, loans, claim, cash?, cost?, value?, profit?, npl_removed?, bad_loan_ratio?, capital_freed?, capital_kept?,
        capital_ratio?, provision_released?, continuing_involvement?, investors, creditor, servicer, article`, fen and
        fractions; first a row `nothing`, the bank as it is.
    """
    open_ = {way: offers.eligible(COLUMNS.index((way, 0))) for way in _WAYS}
    may = [mine for mine in open_.values() if mine.any()]
    mine = situation.reported_npl & np.logical_and.reduce(may or [np.zeros_like(situation.npl)])
    before = of_holder(situation.holder) if situation.holder.products else of_tape(situation)
    told = figures_of(before)
    rows: list[dict[str, object]] = [
        {
            "way": "nothing",
            "bad_loan_ratio": told["bad-loan ratio"],
            "capital_ratio": told["capital ratio"],
            "capital_kept": float(situation.capital[mine].sum()),
            "creditor": "the bank",
            "servicer": "the bank",
        }
    ]
    for way in _WAYS:
        found = _row(situation, offers, before, mine=mine, way=way) if open_[way].any() else {}
        who = dict(zip(_TEXTS, _WHO[way], strict=True))
        rows.append({"way": way, **found, **who})
    # A holder that may sell nothing leaves columns that no row tells.
    every: list[dict[str, object]] = [dict.fromkeys((*_FLOATS, *_TEXTS)) | row for row in rows]
    kinds = dict.fromkeys(_FLOATS, pl.Float64) | dict.fromkeys(_TEXTS, pl.String)
    table = pl.DataFrame(every, schema_overrides=kinds)
    claim = float(situation.claim[mine].sum())
    return table.with_columns(
        loans=pl.lit(int(mine.sum())), claim=pl.lit(claim, pl.Float64)
    ).select("way", "loans", *_FLOATS, *_TEXTS)


def _row(
    situation: Situation, offers: Offers, before: Bank, *, mine: np.ndarray, way: str
) -> dict[str, object]:
    column = COLUMNS.index((way, 0))
    outcome = offers.outcomes[column]

    def total(values: Floats | None) -> float:
        return 0.0 if values is None else float(values[mine].sum())

    claim, value = total(situation.claim), float(np.nansum(offers.value[mine, column]))
    gain, freed = value - total(situation.book_value), total(outcome.capital_freed)
    removed = total(outcome.uses.get("npl_removed"))
    asked = situation.required_capital
    after = before.less(
        loans=removed,
        npl=removed,
        provisions=total(outcome.provision_released),
        risk_weighted_assets=freed / asked if asked else 0.0,
        gain=gain,
    )
    told = figures_of(after)
    kept = {"transfer": 0.0, "securitise": situation.number("deals/retention")}.get(way, 1.0)
    return {
        "cash": total(outcome.cash),
        "cost": total(outcome.cost),
        "value": value,
        "profit": gain,
        "npl_removed": removed,
        "bad_loan_ratio": told["bad-loan ratio"],
        "capital_freed": freed,
        "capital_kept": total(situation.capital) - freed,
        "capital_ratio": told["capital ratio"],
        "provision_released": total(outcome.provision_released),
        "continuing_involvement": kept * claim,
    }
