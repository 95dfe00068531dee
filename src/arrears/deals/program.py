"""From a deal to the arrays that the interpreter runs; nothing is compiled for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import lcm

import numpy as np

from arrears.deals import interpreter as i
from arrears.deals import kernels as k
from arrears.deals.builder import LARGEST, Builder, ClassSlots, Ledger
from arrears.deals.deal import Deal
from arrears.deals.interpreter import Code
from arrears.deals.kernels import Ints
from arrears.deals.parts import Fee, Period, Step, Tranche
from arrears.deals.steps import STEPS

_WIDTH = 8


@dataclass(frozen=True)
class Program:
    """A deal ready to run.

    Attributes:
        ledgers: costs by name; `over` holds what is beyond the cap of each.
        takers: who is paid without anything owed, by name.
        moves: order, step and receiver of each column of movements.
    """

    deal: Deal
    dates: tuple[Period, ...]
    code: Code
    classes: dict[str, ClassSlots]
    ledgers: dict[str, Ledger]
    over: dict[str, Ledger]
    takers: dict[str, int]
    moves: tuple[tuple[str, Step, str], ...]


def compiled(deal: Deal) -> Program:
    """Lay out a deal that has no faults.

    Raises:
        TooFine: a rate has more digits than can be reckoned exactly.
    """
    b = Builder(deal)
    _classes(b)
    _costs(b)
    _interest(b)
    normal = _order(b, "normal", deal.waterfall.normal)
    enforced = _order(b, "post_enforcement", deal.waterfall.post_enforcement or ())
    settings = _settings(b)
    tiers = _tiers(b)
    shares, inverses, constants, lists = b.arrays()
    start = np.zeros(b.slots, np.int64)
    for slot, amount in b.start.items():
        start[slot] = amount
    start[k.RESERVE] = deal.reserve.initial
    start[k.SEQUENTIAL] = 1 if deal.triggers.recovery is None else 0
    code = Code(
        arising=_rows(b.arising),
        normal=_rows(normal),
        enforced=_rows(enforced),
        lists=_filled(lists),
        ratios=shares,
        inverses=inverses,
        constants=constants,
        tiers=tiers,
        pairs=np.array(b.pairs, np.int64).reshape(-1),
        paid=np.array(b.paid, np.int64),
        seniors=np.array([b.classes[one.name].interest.due for one in deal.seniors()], np.int64),
        start=start,
        forecast=np.cumsum([period.forecast_collections for period in b.dates], dtype=np.int64),
        settings=settings,
    )
    return Program(deal, b.dates, code, b.classes, b.ledgers, b.over, b.takers, tuple(b.moves))


def _rows(rows: list[tuple[int, ...]]) -> Ints:
    return np.array(rows, np.int64).reshape(-1, _WIDTH)


def _filled(lists: Ints) -> Ints:
    return lists if len(lists) else np.zeros(1, np.int64)


def _order(b: Builder, mode: str, steps: tuple[Step, ...]) -> list[tuple[int, ...]]:
    b.order, b.mode = [], mode
    for step in steps:
        b.step = step
        STEPS[step.word].build(b, step)
    return b.order


def _classes(b: Builder) -> None:
    """Slots of the classes, and sums of their balances at the start of a day."""
    for tranche in b.deal.classes:
        notional = tranche.role == "notional"
        balance, principal = b.slot(0 if notional else tranche.face), b.slot()
        b.pairs.append((balance, principal, int(tranche.role == "senior")))
        b.paid.append(principal)
        ledger = b.ledger(tranche.name, new=False)
        parts = (b.slot(), b.slot())
        base = b.slot() if notional else balance
        b.classes[tranche.name] = ClassSlots(tranche, balance, principal, ledger, *parts, base=base)
    real = [one for one in b.classes.values() if one.tranche.role != "notional"]
    _sum(b, k.ALL_BALANCES, [one.balance for one in real])
    senior = [one.balance for one in real if one.tranche.role == "senior"]
    _sum(b, k.SENIOR_BALANCES, senior)
    for one in b.classes.values():
        if one.tranche.role == "notional":
            _sum(b, one.base, [b.classes[name].balance for name in one.tranche.notional_of])


def _sum(b: Builder, to: int, slots: list[int]) -> None:
    b.arise(k.SUM, to, b.listed(slots), len(slots))


def _interest(b: Builder) -> None:
    for one in b.classes.values():
        if one.tranche.bears:
            ratio = b.ratio([b.interest_rate(one.tranche, period) for period in b.dates])
            compounds = int(one.tranche.interest_on_unpaid)
            b.arise(
                k.INTEREST, one.interest.due, one.base, ratio, one.current, one.on_unpaid, compounds
            )


def _costs(b: Builder) -> None:
    """Ledgers of all costs, and how they arise; a fee on another fee after that fee."""
    deal = b.deal
    for name, rate in (("tax", deal.tax.rate), ("servicing", deal.servicing.rate)):
        made = b.ledgers[name] = b.ledger(name)
        if rate:
            b.arise(k.SHARE, made.new, k.CREDITED, b.ratio(Fraction(rate)), b.no_least)
            b.arise(k.ADD, made.due, made.new)
    _expenses(b)
    for fee in _in_turn(deal):
        _fee(b, fee)
    made = b.ledgers["incentive"] = b.ledger("incentive", used=deal.incentive is not None)
    if deal.incentive:
        shares = [Fraction(tier.rate) for tier in deal.incentive.tiers]
        over = [lcm(*(share.denominator for share in shares))] * len(b.dates)
        numbers = [b.ratio(share, over) for share in shares]
        b.arise(k.TIERS, made.new, 0, numbers[0])
        b.arise(k.ADD, made.due, made.new)


def _expenses(b: Builder) -> None:
    costs = b.deal.expenses
    accrual = costs.accrual
    made = b.ledgers["expenses"] = b.ledger("expenses")
    b.over["expenses"] = b.ledger("expenses", new=False, used=costs.cap_per_period is not None)
    spans = [b.span(period, accrual.day_count) for period in b.dates]
    if accrual.type == "rate_on_opening_balance":
        ratio = b.ratio([Fraction(accrual.rate) * span for span in spans])
        b.arise(k.SHARE, made.new, k.ALL_BALANCES, ratio, b.constant(accrual.minimum))
    else:
        known = [Fraction(accrual.amount)] * len(spans)
        if accrual.type == "rate_on_initial":
            known = [accrual.base * Fraction(accrual.rate) * span for span in spans]
        if not any(known) and not any(period.invoices for period in b.dates):
            return
        b.arise(k.CONSTANT, made.new, 0, b.constant([b.rounded(amount) for amount in known]))
    b.arise(k.PLUS, made.new, 0, b.constant([period.invoices for period in b.dates]))
    _into_ledgers(b, "expenses", costs.cap_per_period)


def _into_ledgers(b: Builder, name: str, cap: int | None) -> None:
    made, over = b.ledgers[name], b.over[name]
    if cap is None:
        b.arise(k.ADD, made.due, made.new)
    else:
        b.arise(k.CAPPED, made.due, made.new, b.constant(cap), over.due)


def _in_turn(deal: Deal) -> list[Fee]:
    """Fees, each after the one that it is a share of; there is no circle."""
    left, done = list(deal.fees), ["tax", "servicing"]
    ordered: list[Fee] = []
    while left:
        fee = next(one for one in left if one.basis != "fee" or one.of in done)
        left.remove(fee)
        done.append(fee.name)
        ordered.append(fee)
    return ordered


def _fee(b: Builder, fee: Fee) -> None:
    if fee.basis == "remaining":
        return
    made = b.ledgers[fee.name] = b.ledger(fee.name)
    b.over[fee.name] = b.ledger(fee.name, new=False, used=fee.cap is not None)
    on = [fee.arises(number) for number in range(1, len(b.dates) + 1)]
    if fee.basis in {"flat", "initial"}:
        known = [b.rounded(b.fee_known(fee, date)) * one for date, one in enumerate(on)]
        b.arise(k.CONSTANT, made.new, 0, b.constant(known))
    else:
        rates = [Fraction(fee.rate) * one for one in on]
        base = k.CREDITED
        if fee.basis == "balance":
            base = k.SENIOR_BALANCES if fee.of == "senior" else k.ALL_BALANCES
            spans = [b.span(period, fee.day_count) for period in b.dates]
            rates = [rate * span for rate, span in zip(rates, spans, strict=True)]
        elif fee.basis == "fee":
            base = b.ledgers[fee.of].new
        least = b.constant([fee.minimum * one for one in on])
        b.arise(k.SHARE, made.new, base, b.ratio(rates), least)
    _into_ledgers(b, fee.name, fee.cap)


def _tiers(b: Builder) -> Ints:
    incentive = b.deal.incentive
    rows = [
        (tier.lower, LARGEST if tier.upper is None else tier.upper)
        for tier in (incentive.tiers if incentive else ())
    ]
    return np.array(rows, np.int64).reshape(-1, 2)


def _settings(b: Builder) -> Ints:
    deal, s = b.deal, np.zeros(i.SETTINGS, np.int64)
    s[i.S_HALF_UP] = int(b.half)
    recovery, events, call = (
        deal.triggers.recovery,
        deal.triggers.events,
        deal.triggers.clean_up_call,
    )
    if recovery:
        s[i.S_RECOVERY], s[i.S_CURABLE] = 1, int(recovery.curable)
        s[i.S_RECOVERY_UP], s[i.S_RECOVERY_DOWN] = Fraction(recovery.threshold).as_integer_ratio()
    s[i.S_UNPAID_FROM] = len(b.dates)
    if events:
        s[i.S_MISSED_INTEREST] = int(events.missed_senior_interest)
        if events.senior_principal_unpaid:
            s[i.S_UNPAID_FROM] = _first(b, events.senior_principal_unpaid.after)
        if events.collections_behind:
            s[i.S_BEHIND] = 1
            share = Fraction(events.collections_behind.threshold)
            s[i.S_BEHIND_UP], s[i.S_BEHIND_DOWN] = share.as_integer_ratio()
    if call and call.enabled:
        s[i.S_CALL] = 1 if call.pool == "stated" else 2
        s[i.S_CALL_MOST] = int(Fraction(call.threshold) * call.initial_pool_balance // 1)
        s[i.S_POOL] = call.initial_pool_balance
        stated = [-1 if one.pool_balance_end is None else one.pool_balance_end for one in b.dates]
        s[i.S_POOL_ROW] = b.constant(stated)
        s[i.S_OFFER_ROW] = b.constant([one.call_offer for one in b.dates])
        s[i.S_OFFER_RATIO] = b.ratio(Fraction(call.offer_share))
        needed = _needed(b, deal.seniors())
        s[i.S_NEEDED], s[i.S_NEEDED_COUNT] = b.listed(needed), len(needed)
    return s


def _needed(b: Builder, seniors: tuple[Tranche, ...]) -> list[int]:
    """What a call must cover: tax, costs, servicing, senior interest and balances."""
    costs = [one.due for name, one in b.ledgers.items() if name != "incentive"]
    costs += [one.due for one in b.over.values()]
    classes = [b.classes[one.name] for one in seniors]
    return costs + [slot for one in classes for slot in (one.interest.due, one.balance)]


def _first(b: Builder, after: date) -> int:
    """Number of the first payment date on or after a day."""
    return next((n for n, one in enumerate(b.dates) if one.payment_date >= after), len(b.dates))
