"""What each class got, over scenarios: cash, yield, life, losses, coverage; who took what; how far it may fall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from arrears.deals import kernels as k
from arrears.deals.deal import Deal, face_at_price
from arrears.deals.engine import Run, in_chunks, run_deal
from arrears.deals.kernels import Ints
from arrears.deals.parts import Tranche
from arrears.deals.program import Program
from arrears.deals.yields import Floats, worth, yields

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_YIELDS = (0.0, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2)
_PRICES = (80, 90, 95, 98, 100, 102, 105, 110)
_MULTIPLES = 128


@dataclass
class OfClass:
    """A class in every scenario (S,), and its cash by date."""

    rate: list[Floats] = field(default_factory=list)
    life: list[Floats] = field(default_factory=list)
    repaid: list[Floats] = field(default_factory=list)
    lost: list[Ints] = field(default_factory=list)
    unpaid: list[Ints] = field(default_factory=list)
    missed: list[np.ndarray] = field(default_factory=list)
    received: list[Ints] = field(default_factory=list)
    flows: list[Floats] = field(default_factory=list)
    balances: list[Ints] = field(default_factory=list)


@dataclass(frozen=True)
class Answers:
    """`deal.json`, and what the reports draw.

    Attributes:
        by_date: mean cash of each class by date (T,), fen.
        fans: quantiles of each class's balance by date (T, 5), fen.
        taken: mean of what each other receiver got by date (T,), fen.
        collected: mean credited collections by date (T,), fen.
    """

    summary: dict[str, object]
    by_date: dict[str, Floats]
    fans: dict[str, Floats]
    taken: dict[str, Floats]
    collected: Floats


def answers(
    program: Program,
    collections: Ints,
    names: Sequence[int],
    *,
    chunk: int = 8_192,
    seen: Callable[[slice, Run], None] | None = None,
) -> Answers:
    """Run all scenarios in chunks and answer.

    Args:
        collections: gross (T, S), fen.
        names: the scenarios' own numbers (S,).
        seen: is shown each chunk as it has run.

    Returns:
        By class `size, yield?, wal_years?, expected_loss, probability_of_shortfall, first_loss_scenario?, coverage`
        and more; means are over scenarios, a yield's over those that have one. A loss is principal never paid back; a
        shortfall is that, or interest left unpaid at the end.
    """
    deal, scenarios = program.deal, collections.shape[1]
    classes = {tranche.name: OfClass() for tranche in deal.classes}
    taken: dict[str, Floats] = {}
    collected = np.zeros(len(program.dates))
    cash_in = cash_out = kept = defaults = called = 0
    for part, run in in_chunks(program, collections, chunk=chunk):
        if seen is not None:
            seen(part, run)
        for name, mine in classes.items():
            _gather(run, name, mine)
        for name, slots in receivers(program).items():
            paid = sum(run.of(slot).sum(axis=1, dtype=np.float64) for slot in slots)
            taken[name] = taken.get(name, np.zeros(len(collected))) + paid / scenarios
        collected += run.of(k.CREDITED).sum(axis=1, dtype=np.float64) / scenarios
        cash_in += _exact(run.of(k.CREDITED)) + _exact(run.of(k.CALL))
        cash_out += sum(_exact(run.of(slot)) for slot in program.code.paid if slot in run.kept)
        kept += _exact(run.ends[k.RESERVE])
        defaults += int((run.ends[k.MODE] > 0).sum())
        called += int((run.ends[k.CALL] > 0).sum())
    cash_in += deal.reserve.initial * scenarios
    told = {
        tranche.name: _told(program, tranche, classes[tranche.name], names)
        for tranche in deal.classes
    }
    for name, multiple in break_even(program, collections).items():
        told[name]["break_even_multiple"] = multiple
    summary = {
        "tranches": told,
        "conservation": {
            "in": cash_in,
            "out": cash_out + kept,
            "difference": cash_in - cash_out - kept,
        },
        "scenarios": scenarios,
        "takes": _takes(program, classes, taken),
        "collections": {"mean": float(collected.sum())},
        "probability_of_default_event": defaults / scenarios,
        "probability_of_call": called / scenarios,
    }
    by_date = {name: np.sum(mine.flows, axis=0) / scenarios for name, mine in classes.items()}
    fans = {
        name: np.quantile(np.concatenate(mine.balances, axis=1), _QUANTILES, axis=1).T
        for name, mine in classes.items()
    }
    return Answers(summary, by_date, fans, taken, collected)


def _exact(amounts: Ints) -> int:
    """A sum that no machine word bounds: high and low halves apart."""
    high, low = amounts >> 20, amounts & 0xFFFFF
    return (int(high.sum()) << 20) + int(low.sum())


def receivers(program: Program) -> dict[str, list[int]]:
    """Slots of what each receiver beside the classes got."""
    found: dict[str, list[int]] = {}
    for name, ledger in program.ledgers.items():
        found[name] = [ledger.paid] + ([program.over[name].paid] if name in program.over else [])
    for name, slot in program.takers.items():
        if name not in program.classes:
            found.setdefault(name, []).append(slot)
    return found


def flows_of(run: Run, name: str) -> Ints:
    """All cash that a class got (T, S), fen: interest, principal, and what is left where it holds that."""
    one = run.program.classes[name]
    flows = run.of(one.interest.paid) + run.of(one.principal)
    holder = run.program.takers.get(name)
    return flows if holder is None else flows + run.of(holder)


def _gather(run: Run, name: str, mine: OfClass) -> None:
    program = run.program
    one, cost = program.classes[name], face_at_price(program.deal, program.classes[name].tranche)
    days = days_from_closing(program)
    flows, principal = flows_of(run, name), run.of(one.principal)
    mine.flows.append(flows.sum(axis=1, dtype=np.float64))
    mine.received.append(flows.sum(axis=0))
    mine.rate.append(yields(flows.astype(np.float64), days / 365.0, float(cost)))
    paid = principal.sum(axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mine.life.append((principal * days[:, None]).sum(axis=0) / (365.0 * paid))
    balance = run.values[:, run.kept[one.balance]]
    open_ = run.alive & (balance > 0)
    mine.balances.append(np.where(run.alive, balance, run.ends[one.balance]))
    gone = run.ends[one.balance] == 0
    dates = open_.sum(axis=0)
    mine.repaid.append(
        np.where(
            gone & (one.tranche.role != "notional"), days[np.minimum(dates, len(days) - 1)], np.nan
        )
    )
    due = run.values[:, run.kept[one.interest.due]]
    mine.missed.append(np.asarray((run.alive & (due > 0)).any(axis=0)))
    mine.lost.append(run.ends[one.balance])
    mine.unpaid.append(np.maximum(run.ends[one.interest.due], 0))


def days_from_closing(program: Program) -> Floats:
    """Days from closing to each payment (T,)."""
    closing = program.deal.closing_date
    return np.array([(one.payment_date - closing).days for one in program.dates], np.float64)


def _told(
    program: Program, tranche: Tranche, mine: OfClass, names: Sequence[int]
) -> dict[str, object]:
    rate, life, repaid = (np.concatenate(part) for part in (mine.rate, mine.life, mine.repaid))
    lost, unpaid = np.concatenate(mine.lost), np.concatenate(mine.unpaid)
    received, missed = np.concatenate(mine.received), np.concatenate(mine.missed)
    count, loses = len(lost), np.flatnonzero(lost > 0)
    mildest = loses[np.argmax(received[loses])] if len(loses) else None
    span = days_from_closing(program) / 365.0
    flows = np.sum(mine.flows, axis=0) / count
    closing = program.deal.closing_date
    return {
        "size": tranche.face,
        "role": tranche.role,
        "issue_price": float(tranche.issue_price),
        "yield": _mean(rate),
        "wal_years": _mean(life),
        "expected_maturity": _day(closing, _mean(repaid)),
        "probability_of_repayment": float((lost == 0).mean()),
        "expected_loss": float(lost.sum(dtype=np.float64) / count / tranche.face),
        "probability_of_shortfall": float(((lost + unpaid) > 0).mean()),
        "probability_of_principal_shortfall": float((lost > 0).mean()),
        "probability_of_interest_shortfall": float((unpaid > 0).mean()),
        "probability_of_late_interest": float(missed.mean()),
        "first_loss_scenario": int(names[int(loses[0])]) if len(loses) else None,
        "mildest_loss_scenario": None if mildest is None else int(names[int(mildest)]),
        "coverage": float(received.sum(dtype=np.float64) / count / tranche.face),
        "yield_of_expected_cash": _one_yield(flows, span, face_at_price(program.deal, tranche)),
        "price_for_yield": {
            f"{asked:g}": 100.0 * worth(flows, span, asked) / tranche.face for asked in _YIELDS
        },
        "yield_for_price": {
            str(price): _one_yield(flows, span, tranche.face * price / 100) for price in _PRICES
        },
    }


def _one_yield(flows: Floats, span: Floats, cost: float) -> float | None:
    return _mean(yields(flows[:, None], span, cost))


def _mean(values: Floats) -> float | None:
    """Mean of those that are there."""
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else None


def _day(closing: date, days: float | None) -> str | None:
    return None if days is None else (closing + timedelta(days=round(days))).isoformat()


def _takes(
    program: Program, classes: dict[str, OfClass], taken: dict[str, Floats]
) -> dict[str, float]:
    """Mean of what each took, fen; the originator's with its retained shares and the issue's proceeds."""
    deal = program.deal
    told = {name: float(paid.sum()) for name, paid in taken.items()}
    kept = sum(
        float(deal.retained(tranche)) * float(np.concatenate(classes[tranche.name].received).mean())
        for tranche in deal.classes
    )
    sold = _proceeds(deal)
    return told | {
        "servicer_in_all": sum(
            told.get(name, 0.0) for name in ("servicing", "incentive", "servicer")
        ),
        "originator_retained": kept,
        "originator_proceeds": sold,
        "originator_in_all": kept + sold + told.get("originator", 0.0),
    }


@dataclass(frozen=True)
class Brought:
    """What a deal brings an originator who services its pool: means over scenarios, fen.

    Attributes:
        proceeds: at closing, of the shares of classes that it does not keep, the reserve funded then taken off.
        kept: on each payment date (T,), of the shares that it keeps.
        rest: of what is left, as servicer and as originator, and the incentive (T,).
        servicing: what its collecting is paid (T,).
    """

    proceeds: float
    kept: Floats
    rest: Floats
    servicing: Floats


def brought(program: Program, collections: Ints) -> Brought:
    """Run a deal and add up what its originator and servicer, the same house, gets.

    Args:
        collections: gross (T, S), fen.
    """
    deal, run = program.deal, run_deal(program, collections)
    kept, rest = np.zeros((2, len(program.dates)))
    for tranche in deal.classes:
        kept += float(deal.retained(tranche)) * flows_of(run, tranche.name).mean(axis=1)
    paid = {
        name: sum((run.of(slot).mean(axis=1) for slot in slots), np.zeros(len(kept)))
        for name, slots in receivers(program).items()
    }
    for name in ("incentive", "servicer", "originator"):
        rest += paid.get(name, 0.0)
    none = np.zeros(len(kept))
    return Brought(_proceeds(deal), kept, rest, paid.get("servicing", none))


def _proceeds(deal: Deal) -> float:
    sold = sum(
        face_at_price(deal, tranche) * float(1 - deal.retained(tranche))
        for tranche in deal.classes
        if tranche.role != "notional"
    )
    return sold - deal.reserve.initial


def break_even(program: Program, collections: Ints) -> dict[str, float | None]:
    """Smallest multiple of mean collections that pays each class in full; None where ten times them do not.

    Multiples run side by side as scenarios, on a grid and then on a finer one inside the step where it turns.
    """
    mean = collections.mean(axis=1)
    found: dict[str, float | None] = {}
    coarse = np.linspace(0.0, 10.0, _MULTIPLES + 1)
    ends = _whole(program, mean, coarse)
    for name, whole in ends.items():
        if whole[0] or not whole[-1]:
            found[name] = 0.0 if whole[0] else None
            continue
        turn = len(whole) - int(np.argmin(whole[::-1])) - 1
        low, high = coarse[turn], coarse[turn + 1]
        for _ in range(2):
            fine = np.linspace(low, high, _MULTIPLES + 1)
            inside = _whole(program, mean, fine)[name]
            turn = len(inside) - int(np.argmin(inside[::-1])) - 1
            low, high = fine[turn], fine[turn + 1]
        found[name] = float(high)
    return found


def _whole(program: Program, mean: Floats, multiples: Floats) -> dict[str, np.ndarray]:
    """Whether each class is paid in full at each multiple."""
    gross = np.rint(mean[:, None] * multiples[None, :]).astype(np.int64)
    run = run_deal(program, gross, keep=[])
    return {
        name: (run.ends[one.balance] == 0) & (run.ends[one.interest.due] <= 0)
        for name, one in program.classes.items()
    }
