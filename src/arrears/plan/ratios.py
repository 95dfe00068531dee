"""What a plan does to the holder's ratios, capital and profit, from its whole book or, without one, from the tape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from arrears.channels import COLUMNS, Holder, Offers, Situation
from arrears.plan.plan import PlanResult

_LEAVES = ("transfer", "securitise")


@dataclass(frozen=True)
class Bank:
    """A book, fen; None where nobody says it."""

    loans: float | None
    npl: float | None
    special_mention: float | None
    provisions: float | None
    risk_weighted_assets: float | None
    capital: float | None
    profit: float | None


def ratios(situation: Situation, offers: Offers, result: PlanResult) -> pl.DataFrame:
    """Figures before and after what the plan does today: sales that take loans off the books, and write-offs.

    Returns:
        `figure, unit, before?, after?, standard?, article, basis`; `standard` is what the rules ask for, `basis`
        says whether the figure is of the holder's whole book or of the tape alone.
    """
    whole = situation.holder.products is not None
    before = of_holder(situation.holder) if whole else of_tape(situation)
    after = _after(before, situation, offers, result)
    day, book = situation.as_of, situation.rulebook
    asked = {
        "coverage": book.leaf("cn/provision/coverage").in_force(day),
        "provisions to loans": book.leaf("cn/provision/of_loans").in_force(day),
        "capital ratio": book.leaf("cn/capital/required").in_force(day),
    }
    own = situation.holder.capital_ratio_required
    standards: dict[str, float | None] = {
        name: None if value is None else float(str(value.value)) for name, value in asked.items()
    }
    if own is not None:
        standards["capital ratio"] = own
    new, old = _figures(after), _figures(before)
    return pl.DataFrame(
        [
            {
                "figure": name,
                "unit": "fen" if name in _MONEY else "fraction",
                "before": old[name],
                "after": new[name],
                "standard": standards.get(name),
                "article": _article(name, asked.get(name)),
                "basis": "whole book" if whole else "tape alone",
            }
            for name in old
        ],
        schema_overrides={"before": pl.Float64, "after": pl.Float64, "standard": pl.Float64},
    )


def of_holder(holder: Holder) -> Bank:
    """The whole book of a holder that gives one."""
    books = list((holder.products or {}).values())

    def total(name: str) -> float | None:
        values = [getattr(book, name) for book in books]
        return None if any(value is None for value in values) else float(sum(values))

    return Bank(
        loans=total("loans"),
        npl=total("reported_npl"),
        special_mention=total("special_mention"),
        provisions=total("provisions"),
        risk_weighted_assets=holder.risk_weighted_assets,
        capital=holder.capital,
        profit=holder.profit,
    )


def of_tape(situation: Situation) -> Bank:
    """The tape as if it were the whole book: loans not written off, as reported."""
    on_books = ~situation.written_off
    claim = np.where(on_books, situation.claim, 0.0)
    reported = situation.loans["reported_class"]
    known = reported.null_count() < reported.len()
    watched = (reported == "special_mention").fill_null(False).to_numpy()
    holder = situation.holder
    return Bank(
        loans=float(claim.sum()),
        npl=float(claim[situation.reported_npl].sum()) if known else None,
        special_mention=float(claim[watched].sum()) if known else None,
        provisions=float(situation.provision[on_books].sum()),
        risk_weighted_assets=holder.risk_weighted_assets,
        capital=holder.capital,
        profit=holder.profit,
    )


def _after(before: Bank, situation: Situation, offers: Offers, result: PlanResult) -> Bank:
    claim = situation.claim
    sold = np.zeros(len(claim), dtype=np.bool_)
    gain = freed = 0.0
    for number, (channel, start) in enumerate(COLUMNS):
        if channel not in _LEAVES or start:
            continue
        here = result.column == number
        sold |= here
        gain += float((offers.value[here, number] - situation.book_value[here]).sum())
        capital = offers.outcomes[number].capital_freed
        freed += 0.0 if capital is None else float(capital[here].sum())
    off = result.table["write_off_now"].to_numpy()
    gone = (sold | off) & ~situation.written_off
    npl = gone & situation.reported_npl
    provisions = np.where(off, claim, situation.provision)
    asked = situation.required_capital

    def less(amount: float | None, taken: float) -> float | None:
        return None if amount is None else amount - taken

    return Bank(
        loans=less(before.loans, float(claim[gone].sum())),
        npl=less(before.npl, float(claim[npl].sum())),
        special_mention=before.special_mention,
        provisions=less(before.provisions, float(provisions[gone].sum())),
        risk_weighted_assets=less(before.risk_weighted_assets, freed / asked if asked else 0.0),
        capital=less(before.capital, -gain),
        profit=less(before.profit, -gain),
    )


_MONEY = ("reported bad loans", "loans", "profit")


def _figures(bank: Bank) -> dict[str, float | None]:
    return {
        "loans": bank.loans,
        "reported bad loans": bank.npl,
        "bad-loan ratio": _share(bank.npl, bank.loans),
        "special-mention ratio": _share(bank.special_mention, bank.loans),
        "coverage": _share(bank.provisions, bank.npl),
        "provisions to loans": _share(bank.provisions, bank.loans),
        "capital ratio": _share(bank.capital, bank.risk_weighted_assets),
        "profit": bank.profit,
    }


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _article(name: str, value: object) -> str:
    named = getattr(value, "article", None)
    if named:
        return str(named)
    return "CN-CLASS-2023" if name.endswith("mention ratio") or "bad" in name else ""
