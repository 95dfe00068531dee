"""What a plan does to the holder's ratios, capital and profit, from its whole book or, without one, from the tape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from arrears.channels import (
    CHANNELS,
    COLUMNS,
    STARTS,
    Holder,
    Offers,
    Situation,
    after_tax,
    without_ban,
)
from arrears.plan.kernels import Floats
from arrears.plan.plan import PlanResult

_LEAVES = ("transfer", "securitise")
WRITE_OFF, _WATCHED = "write_off", "special_mention"


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

    def less(
        self,
        *,
        loans: float,
        npl: float,
        provisions: float,
        risk_weighted_assets: float,
        gain: float,
        special_mention: float = 0.0,
    ) -> Bank:
        """The book when so much leaves it and a gain is booked, fen; what nobody says stays unsaid."""
        return Bank(
            loans=_less(self.loans, loans),
            npl=_less(self.npl, npl),
            special_mention=_less(self.special_mention, special_mention),
            provisions=_less(self.provisions, provisions),
            risk_weighted_assets=_less(self.risk_weighted_assets, risk_weighted_assets),
            capital=_less(self.capital, -gain),
            profit=_less(self.profit, -gain),
        )


def _less(amount: float | None, taken: float) -> float | None:
    return None if amount is None else amount - taken


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
    new, old = figures_of(after), figures_of(before)
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
    watched = situation.says("reported_class", _WATCHED)
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


def _after(
    before: Bank,
    situation: Situation,
    offers: Offers,
    result: PlanResult,
    *,
    only: str | None = None,
) -> Bank:
    """The book after what the plan does today; of it only the sales of one way or the write-offs, where it is named."""
    claim = situation.claim
    sold = np.zeros(len(claim), dtype=np.bool_)
    gain = freed = 0.0
    for number, (channel, start) in enumerate(COLUMNS):
        if channel not in _LEAVES or start or only not in {None, channel}:
            continue
        here = result.column == number
        sold |= here
        gain += float((offers.value[here, number] - situation.book_value[here]).sum())
        capital = offers.outcomes[number].capital_freed
        freed += 0.0 if capital is None else float(capital[here].sum())
    gain -= sum(
        cost
        for (channel, start), cost in result.costs_of_packages.items()
        if channel in _LEAVES and start == 0 and only in {None, channel}
    )
    off = result.table["write_off_now"].to_numpy() & (only in {None, WRITE_OFF})
    gone = (sold | off) & ~situation.written_off
    npl = gone & situation.reported_npl
    provisions = np.where(off, claim, situation.provision)
    asked = situation.required_capital
    return before.less(
        loans=float(claim[gone].sum()),
        npl=float(claim[npl].sum()),
        special_mention=float(claim[gone & situation.says("reported_class", _WATCHED)].sum()),
        provisions=float(provisions[gone].sum()),
        risk_weighted_assets=freed / asked if asked else 0.0,
        gain=gain,
    )


def outcomes(situation: Situation, offers: Offers, result: PlanResult) -> pl.DataFrame:
    """What each way of the plan brings, and what it does to the holder's ratios if it is all that is done today.

    Returns:
        `way, loans, claim, value, cash, cost, tax, package_costs, profit_now, profit_5y, npl_removed, capital_freed,
        provision_released, bad_loan_ratio?, coverage?`, a row a channel, then `write_off`, then `plan`; fen, fractions.
        Profit of today is that of sales and write-offs; over five years it is the worth of the cash that comes by
        then, and of what sound loans still stand for in the books, less net book value. Both bear what packages cost
        whatever their size. Capital of ways that start later counts when they start.
    """
    before = of_holder(situation.holder) if situation.holder.products else of_tape(situation)
    later = _Later(_by_five_years(situation), _book_left(situation))
    sums = {word: _sums(situation, offers, result, word=word, later=later) for word in CHANNELS}
    sums[WRITE_OFF] = _written_off(situation, result)
    rows = []
    for word, found in sums.items():
        rows.append({"way": word, **found, **_two(before, situation, offers, result, only=word)})
    added = {
        name: sum(
            found[name] for word, found in sums.items() if word != WRITE_OFF or name in _TODAY
        )
        for name in sums[WRITE_OFF]
    }
    rows.append({"way": "plan", **added, **_two(before, situation, offers, result, only=None)})
    ratios_ = {"bad_loan_ratio": pl.Float64, "coverage": pl.Float64}
    whole = pl.DataFrame(rows, schema_overrides=ratios_)
    return whole.with_columns(pl.col("loans", "claim").cast(pl.Int64))


def ban_costs(situation: Situation, offers: Offers, result: PlanResult) -> dict[str, float]:
    """What the ban on waiving principal costs the plan, capacities apart: `offers`, what the offers of the plan would
    bring more, `others, loans`, what other loans would by an offer instead of their way, and how many; fen.
    """
    free = after_tax(situation, without_ban(situation))
    column = COLUMNS.index(("restructure", 0))
    gain = np.maximum(free - offers.value[np.arange(len(free)), result.column], 0.0)
    offered = result.column == column
    others = offers.eligible(column) & ~offered & situation.npl & (gain > 0.0)
    lawful = np.maximum(np.nan_to_num(offers.value[:, column], nan=-np.inf), -1e18)
    others &= free > lawful + 0.5
    return {
        "offers": float(gain[offered].sum()),
        "others": float(gain[others].sum()),
        "loans": float(others.sum()),
    }


_TODAY = ("tax", "npl_removed")
_FIVE_YEARS = 60


def _two(
    before: Bank, situation: Situation, offers: Offers, result: PlanResult, *, only: str | None
) -> dict[str, float | None]:
    told = figures_of(_after(before, situation, offers, result, only=only))
    return {"bad_loan_ratio": told["bad-loan ratio"], "coverage": told["coverage"]}


@dataclass(frozen=True)
class _Later:
    """Five years on: the share of a loan's cash that has come by then (n,), and what its book value then stands for."""

    share: Floats
    left: Floats


def _sums(
    situation: Situation, offers: Offers, result: PlanResult, *, word: str, later: _Later
) -> dict[str, float]:
    """Sums over the loans that go a way."""
    sums = dict.fromkeys(_NAMES, 0.0)
    fixed = result.costs_of_packages
    reported, sold = situation.reported_npl & ~situation.written_off, word in _LEAVES
    for start in STARTS:
        number = COLUMNS.index((word, start))
        here = np.flatnonzero(result.column == number)
        outcome, worth = offers.outcomes[number], offers.value[here, number]
        book = situation.book_value[here]
        share = 1.0 if sold else later.share[here]
        sums["loans"] += float(len(here))
        sums["claim"] += float(situation.claim[here].sum())
        sums["value"] += float(worth.sum())
        sums["cash"] += float(outcome.cash[here].sum())
        sums["cost"] += float(outcome.cost[here].sum())
        sums["tax"] += float((outcome.pv[here] - worth).sum())
        still = 0.0 if sold else later.left[here]
        sums["profit_5y"] += float((worth * share + still - book).sum())
        whole = fixed.get((word, start), 0.0)
        sums["package_costs"] += whole
        sums["profit_5y"] -= whole
        if sold and not start:
            sums["profit_now"] += float((worth - book).sum()) - whole
            sums["npl_removed"] += float(situation.claim[here[reported[here]]].sum())
        for name in ("capital_freed", "provision_released"):
            amount = getattr(outcome, name)
            sums[name] += 0.0 if amount is None else float(amount[here].sum())
    return sums


_NAMES = (
    "loans", "claim", "value", "cash", "cost", "tax", "package_costs", "profit_now", "profit_5y", "npl_removed",
    "capital_freed", "provision_released",
)  # fmt: skip


def _written_off(situation: Situation, result: PlanResult) -> dict[str, float]:
    """Accounting over whichever way is taken: covered by its provision it costs no profit, and pursuit goes on."""
    off = result.table["write_off_now"].to_numpy()
    claim = float(situation.claim[off].sum())
    spared = situation.number("holders/write_off_deductible") * situation.tax * claim
    return dict.fromkeys(_NAMES, 0.0) | {
        "loans": float(off.sum()),
        "claim": claim,
        "tax": -spared,
        "npl_removed": float(situation.claim[off & situation.reported_npl].sum()),
        "capital_freed": float(situation.capital[off].sum()),
    }


def _by_five_years(situation: Situation) -> Floats:
    """Share of a loan's expected cash that comes within five years (n,)."""
    soon = situation.forecast.table["expected_60m"].to_numpy()
    whole = situation.collected.cash + situation.forecast.proceeds
    share: Floats = np.clip(
        np.divide(soon, whole, out=np.ones_like(whole), where=whole > 0), 0.0, 1.0
    )
    return share


def _book_left(situation: Situation) -> Floats:
    """Worth of the net book value after five years of loans before day 91 (n,): what falls due later is no loss.

    Those that reach day 91 meanwhile, and those past it, stand for nothing by then.
    """
    forecast = situation.forecast
    sound = np.where(forecast.age < 0, 1.0 - forecast.due.roll, 0.0)
    worth = situation.book_value * sound * forecast.owed_after(_FIVE_YEARS)
    found: Floats = worth * (1.0 + situation.rate) ** (-_FIVE_YEARS / 12.0)
    return found


_MONEY = ("reported bad loans", "loans", "profit")


def figures_of(bank: Bank) -> dict[str, float | None]:
    """What a book is judged by, fen and fractions; None where a part of it is not known."""
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
