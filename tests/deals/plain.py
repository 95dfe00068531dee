# ruff: noqa: ARG002 - every step takes the same arguments
"""A deal in plain Python, one scenario at a time, with exact fractions: the reference for the engine.

It shares nothing with the engine but the model of the deal file: its own calendar, day counts, ledgers and steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import floor


@dataclass
class Debt:
    open: int = 0
    new: int = 0
    paid: int = 0

    @property
    def due(self) -> int:
        return self.open + self.new

    @property
    def left(self) -> int:
        return self.due - self.paid


@dataclass
class Class:
    balance: int
    interest: Debt = field(default_factory=Debt)
    current: int = 0
    on_unpaid: int = 0
    principal: int = 0
    rate: Fraction | None = None
    days: int = 0


@dataclass
class Day:
    t: int
    period: object
    final: bool = False
    mode: str = "normal"
    principal_mode: str = "sequential"
    gross: int = 0
    receivable_open: int = 0
    credited: int = 0
    receivable_close: int = 0
    cumulative: int = 0
    call_price: int = 0
    reserve_open: int = 0
    available: int = 0
    target: int = 0
    reserve: int = 0
    within_cap: int = 0
    accrual: int = 0
    excess: int = 0
    debts: dict[str, Debt] = field(default_factory=dict)
    over: dict[str, Debt] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    takes: dict[str, int] = field(default_factory=dict)
    trigger: dict[str, object] = field(default_factory=dict)
    moves: list[tuple[str, str, int]] = field(default_factory=list)


def day_count(start: date, end: date, count: str) -> tuple[int, Fraction]:
    """Days, and years."""
    actual = (end - start).days
    if count in {"30E/360", "30/360"}:
        d1, d2 = start.day, end.day
        if d1 == 31:
            d1 = 30
        if d2 == 31 and (count == "30E/360" or d1 == 30):
            d2 = 30
        days = (end.year - start.year) * 360 + (end.month - start.month) * 30 + d2 - d1
        return days, Fraction(days, 360)
    if count == "ACT/ACT":
        total, day = Fraction(0), start
        while day < end:
            leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
            total += Fraction(1, 366 if leap else 365)
            day += timedelta(days=1)
        return actual, total
    return actual, Fraction(actual, 360 if count == "ACT/360" else 365)


class Waterfall:
    """One scenario."""

    def __init__(self, deal) -> None:
        self.deal = deal
        self.dates = deal.dates()
        self.seniors = [one.name for one in deal.classes if one.role == "senior"]
        self.tranche = {one.name: one for one in deal.classes}

    def r(self, amount: Fraction) -> int:
        return floor(amount + (Fraction(1, 2) if self.deal.rounding == "half_up" else 0))

    def split(self, amount: int, weights: list[int]) -> list[int]:
        total, run, parts = sum(weights), 0, []
        for weight in weights:
            before = self.r(Fraction(amount * run, total)) if total else 0
            run += weight
            parts.append((self.r(Fraction(amount * run, total)) if total else 0) - before)
        return parts

    def rate(self, one, on: date) -> Fraction | None:
        coupon = one.coupon
        if coupon is None or coupon.type == "zero":
            return None
        if coupon.type == "fixed":
            return Fraction(coupon.rate)
        seen = None
        for day, value in sorted(self.deal.curves[coupon.index]):
            if day <= on:
                seen = Fraction(value)
        found = seen + Fraction(coupon.margin)
        return found if coupon.floor is None else max(found, Fraction(coupon.floor))

    def run(self, collections) -> list[Day]:
        deal = self.deal
        balances = {one.name: 0 if one.role == "notional" else one.face for one in deal.classes}
        unpaid = dict.fromkeys(balances, 0)
        owed: dict[str, int] = {}
        over: dict[str, int] = {}
        reserve, receivable, cumulative, forecast = deal.reserve.initial, 0, 0, 0
        defaulted, sequential = False, False
        found = []
        for number, gross in enumerate(collections):
            period = self.dates[number]
            day = Day(
                number + 1, period, gross=gross, receivable_open=receivable, reserve_open=reserve
            )
            net = gross - receivable
            day.credited, receivable = max(net, 0), max(-net, 0)
            day.receivable_close = receivable
            before, cumulative = cumulative, cumulative + day.credited
            day.cumulative = cumulative
            forecast += period.forecast_collections
            day.final = number == len(self.dates) - 1
            recovery = deal.triggers.recovery
            if recovery:
                breached = cumulative < Fraction(recovery.threshold) * forecast
                sequential = breached or (sequential and not recovery.curable)
                day.trigger |= {
                    "cumulative_actual": cumulative, "cumulative_forecast": forecast,
                    "breached": breached, "sequential": sequential,
                }  # fmt: skip
            day.principal_mode = "sequential" if sequential or not recovery else "pro_rata"
            self.open(day, number, before, balances, unpaid, owed, over)
            self.call(day, number)
            day.available = day.credited + day.call_price + reserve
            defaulted = self.events(
                day, number, defaulted, forecast, (balances, unpaid, owed, over, before)
            )
            balances = {name: one.balance for name, one in day.classes.items()}
            unpaid = {name: one.interest.left for name, one in day.classes.items()}
            owed = {name: one.left for name, one in day.debts.items()}
            over = {name: one.left for name, one in day.over.items()}
            reserve = day.reserve
            found.append(day)
            if day.final:
                break
        return found

    def open(self, day, number, before, balances, unpaid, owed, over) -> None:
        deal, period = self.deal, day.period
        span = (period.accrual_start, period.accrual_end)
        real = {
            name: amount
            for name, amount in balances.items()
            if self.tranche[name].role != "notional"
        }
        for one in deal.classes:
            days, years = day_count(*span, one.day_count)
            rate = self.rate(one, period.accrual_start)
            book = Class(balances[one.name], Debt(unpaid[one.name]), rate=rate, days=days)
            base = (
                sum(balances[name] for name in one.notional_of)
                if one.role == "notional"
                else book.balance
            )
            if rate is not None:
                book.current = self.r(base * rate * years)
                if one.interest_on_unpaid:
                    book.on_unpaid = self.r(max(book.interest.open, 0) * rate * years)
            book.interest.new = book.current + book.on_unpaid
            day.classes[one.name] = book
        everything = sum(real.values())
        senior = sum(balances[name] for name in self.seniors)
        day.debts["tax"] = Debt(owed.get("tax", 0), self.r(day.credited * Fraction(deal.tax.rate)))
        day.debts["servicing"] = Debt(
            owed.get("servicing", 0), self.r(day.credited * Fraction(deal.servicing.rate))
        )
        day.debts["incentive"] = Debt(
            owed.get("incentive", 0), self.r(self.tiers(day.cumulative) - self.tiers(before))
        )
        day.accrual = self.r(self.expenses(number, everything))
        self.owe(
            day, "expenses", day.accrual + period.invoices, deal.expenses.cap_per_period, owed, over
        )
        new = {name: day.debts[name].new for name in ("tax", "servicing")}
        waiting = [fee for fee in deal.fees if fee.basis != "remaining"]
        while waiting:
            fee = next(one for one in waiting if one.basis != "fee" or one.of in new)
            waiting.remove(fee)
            years = day_count(*span, fee.day_count)[1]
            faces = sum(
                one.face for one in deal.classes
                if one.role != "notional" and (fee.of != "senior" or one.role == "senior")
            )  # fmt: skip
            exact = {
                "flat": lambda fee=fee: Fraction(fee.amount),
                "initial": lambda fee=fee, years=years, faces=faces: faces * Fraction(fee.rate) * years,
                "balance": lambda fee=fee, years=years: (senior if fee.of == "senior" else everything)
                * Fraction(fee.rate) * years,
                "collections": lambda fee=fee: day.credited * Fraction(fee.rate),
                "fee": lambda fee=fee: new[fee.of] * Fraction(fee.rate),
            }[fee.basis]()  # fmt: skip
            since = day.t - fee.first
            on = (
                since >= 0
                and since % fee.every == 0
                and (fee.times is None or since // fee.every < fee.times)
            )
            exact = exact if fee.basis == "flat" else max(Fraction(fee.minimum), exact)
            new[fee.name] = self.r(exact) if on else 0
            self.owe(day, fee.name, new[fee.name], fee.cap, owed, over)

    def owe(self, day, name, new, cap, owed, over) -> None:
        within = new if cap is None else min(new, cap)
        day.debts[name] = Debt(owed.get(name, 0), within)
        day.over[name] = Debt(over.get(name, 0), new - within)
        if name == "expenses":
            day.within_cap = within

    def expenses(self, number: int, balances: int) -> Fraction:
        accrual = self.deal.expenses.accrual
        if accrual.type == "fixed_amount":
            return Fraction(accrual.amount)
        period = self.dates[number]
        years = day_count(period.accrual_start, period.accrual_end, accrual.day_count)[1]
        if accrual.type == "rate_on_initial":
            return accrual.base * Fraction(accrual.rate) * years
        return max(Fraction(accrual.minimum), balances * Fraction(accrual.rate) * years)

    def tiers(self, collected: int) -> Fraction:
        total = Fraction(0)
        for tier in self.deal.incentive.tiers if self.deal.incentive else ():
            top = collected if tier.upper is None else min(collected, tier.upper)
            total += Fraction(tier.rate) * max(0, top - tier.lower)
        return total

    def call(self, day, number) -> None:
        call = self.deal.triggers.clean_up_call
        if not call or not call.enabled:
            return
        if call.pool == "stated":
            pool, offer = day.period.pool_balance_end, day.period.call_offer
        else:
            pool = max(0, call.initial_pool_balance - day.cumulative)
            offer = self.r(pool * Fraction(call.offer_share))
        needed = sum(max(one.due, 0) for name, one in day.debts.items() if name != "incentive")
        needed += sum(one.due for one in day.over.values())
        needed += sum(
            max(day.classes[name].interest.due, 0) + day.classes[name].balance
            for name in self.seniors
        )
        small = pool is not None and pool <= Fraction(call.threshold) * call.initial_pool_balance
        enough = offer + day.credited + day.reserve_open >= needed
        called = small and enough and number < len(self.dates) - 1
        day.trigger |= {
            "pool_test": small,
            "price_needed": needed,
            "price_test": enough,
            "called": called,
        }
        if called:
            day.call_price, day.final = offer, True

    def events(self, day, number, defaulted, forecast, opening) -> bool:
        """Pay the day's cash; a default that the normal order shows throws it away."""
        events = self.deal.triggers.events
        balances, unpaid, owed, over, before = opening
        if events and events.collections_behind:
            defaulted = (
                defaulted
                or day.cumulative < Fraction(events.collections_behind.threshold) * forecast
            )
        if events and events.missed_senior_interest:
            day.trigger["trial_interest_shortfall"] = None
        if not defaulted:
            self.pay(day, number, "normal")
            short = sum(max(day.classes[name].interest.left, 0) for name in self.seniors)
            if events and events.missed_senior_interest:
                day.trigger["trial_interest_shortfall"] = short
                defaulted = short > 0
            late = events.senior_principal_unpaid if events else None
            if late and day.period.payment_date >= late.after:
                defaulted = defaulted or any(day.classes[name].balance for name in self.seniors)
            if defaulted:
                day.debts, day.over, day.classes = {}, {}, {}
                day.takes, day.moves, day.reserve, day.target, day.excess = {}, [], 0, 0, 0
                self.open(day, number, before, balances, unpaid, owed, over)
        if events:
            day.trigger["event_of_default"] = defaulted
        if defaulted:
            day.mode = "post_enforcement"
            self.pay(day, number, "post_enforcement")
        return defaulted

    def pay(self, day, number, mode) -> None:
        cash = day.available
        self.mode = mode
        for step in self.deal.orders()[mode]:
            for to, amount in getattr(self, f"do_{step.word}")(day, number, step, cash):
                cash -= amount
                if amount:
                    day.moves.append((step.label, to, amount))
        assert cash == 0

    @staticmethod
    def one(debt: Debt, name: str, cash: int):
        amount = min(max(debt.left, 0), cash)
        debt.paid += amount
        return name, amount

    def each(self, pairs, cash):
        found = []
        for name, debt in pairs:
            found.append(self.one(debt, name, cash))
            cash -= found[-1][1]
        return found

    def equally(self, pairs, cash):
        dues = [max(debt.left, 0) for _, debt in pairs]
        parts = dues if sum(dues) <= cash else self.split(cash, dues)
        for (_, debt), part in zip(pairs, parts, strict=True):
            debt.paid += part
        return [(name, part) for (name, _), part in zip(pairs, parts, strict=True)]

    def least(self, name, day) -> int:
        one = self.tranche[name]
        if not one.target or self.mode != "normal":
            return 0
        still = one.face
        for on, amount in sorted(one.target):
            if on <= day.period.payment_date:
                still = amount
        return still

    def repay(self, names, day, cash, how):
        room = [max(0, day.classes[name].balance - self.least(name, day)) for name in names]
        amount = min(cash, sum(room))
        if how == "pro_rata":
            parts = self.split(amount, room)
        else:
            parts, left = [], amount
            for one in room:
                parts.append(min(one, left))
                left -= parts[-1]
        for name, part in zip(names, parts, strict=True):
            day.classes[name].balance -= part
            day.classes[name].principal += part
        return list(zip(names, parts, strict=True))

    def role(self, role):
        return [one.name for one in self.deal.classes if one.role == role]

    def do_tax(self, day, number, step, cash):
        return [self.one(day.debts["tax"], "tax", cash)]

    def do_servicing(self, day, number, step, cash):
        return [self.one(day.debts["servicing"], "servicing", cash)]

    def do_incentive(self, day, number, step, cash):
        return [self.one(day.debts["incentive"], "incentive", cash)]

    def do_expenses_capped(self, day, number, step, cash):
        return [self.one(day.debts["expenses"], "expenses", cash)]

    def do_expenses_overrun(self, day, number, step, cash):
        return [self.one(day.over["expenses"], "expenses", cash)]

    def do_expenses_all(self, day, number, step, cash):
        return self.do_fee_all(day, number, step.model_copy(update={"names": ("expenses",)}), cash)

    def do_fee(self, day, number, step, cash):
        found = []
        for name in step.names:
            fee = next(one for one in self.deal.fees if one.name == name)
            if fee.basis == "remaining":
                amount = self.r(Fraction(fee.rate) * cash)
                day.takes[name] = day.takes.get(name, 0) + amount
                found.append((name, amount))
            else:
                found.append(self.one(day.debts[name], name, cash))
            cash -= found[-1][1]
        return found

    def do_fee_overrun(self, day, number, step, cash):
        return self.each([(name, day.over[name]) for name in step.names], cash)

    def do_fee_all(self, day, number, step, cash):
        found = []
        for name in step.names:
            day.debts[name].open += day.over[name].left
            day.over[name] = Debt()
            found.append(self.one(day.debts[name], name, cash))
            cash -= found[-1][1]
        return found

    def do_senior_interest(self, day, number, step, cash):
        return self.equally([(name, day.classes[name].interest) for name in self.seniors], cash)

    def do_interest(self, day, number, step, cash):
        pairs = [(name, day.classes[name].interest) for name in step.names]
        return self.equally(pairs, cash) if step.split == "pro_rata" else self.each(pairs, cash)

    def do_sub_coupon(self, day, number, step, cash):
        return self.each([(name, day.classes[name].interest) for name in self.role("sub")], cash)

    def do_senior_principal(self, day, number, step, cash):
        return self.repay(self.seniors, day, cash, day.principal_mode)

    def do_sub_principal(self, day, number, step, cash):
        return self.repay(self.role("sub"), day, cash, "sequential")

    def do_unit_capital(self, day, number, step, cash):
        return self.repay(self.role("units"), day, cash, "sequential")

    def do_principal(self, day, number, step, cash):
        how = day.principal_mode if step.split == "trigger" else step.split
        return self.repay(list(step.names), day, cash, how)

    def do_excess(self, day, number, step, cash):
        day.excess = cash
        shares = self.deal.shares_of_excess()
        parts, run, before = [], Fraction(0), 0
        for name, share in shares:
            run += share
            upto = cash if name == shares[-1][0] else self.r(run * cash)
            parts.append((name, upto - before))
            before = upto
        for name, part in parts:
            day.takes[name] = day.takes.get(name, 0) + part
        return parts

    def do_reserve(self, day, number, step, cash):
        day.target = self.target(day, number)
        kept = min(cash, day.target)
        day.reserve += kept
        return [("reserve", kept)]

    def target(self, day, number) -> int:
        reserve = self.deal.reserve
        before = {name: one.balance + one.principal for name, one in day.classes.items()}
        if day.final or self.mode != "normal" or not sum(before[name] for name in self.seniors):
            return 0
        if reserve.type in {"fixed", "none"}:
            return reserve.target if reserve.type == "fixed" else 0
        if reserve.type == "multiple":
            whole = sum(
                self.term(name, number + 1, before)
                for name in ("next_expenses", "next_fees", "next_senior_interest")
            )
            return max(0, self.r(Fraction(reserve.multiple) * whole))
        whole = sum(
            (
                Fraction(one.multiple) * self.term(one.of, number + 1, before)
                for one in reserve.terms
            ),
            Fraction(0),
        )
        found = max(reserve.minimum, self.r(whole))
        return found if reserve.maximum is None else min(found, reserve.maximum)

    def term(self, name, number, before) -> Fraction:
        period = self.dates[number]
        span = (period.accrual_start, period.accrual_end)
        real = sum(before[one.name] for one in self.deal.classes if one.role != "notional")
        senior = sum(before[one] for one in self.seniors)
        if name == "next_expenses":
            cap, exact = self.deal.expenses.cap_per_period, self.expenses(number, 0)
            accrual = self.deal.expenses.accrual
            if accrual.type == "rate_on_opening_balance":
                return real * Fraction(accrual.rate) * day_count(*span, accrual.day_count)[1]
            return exact if cap is None else min(Fraction(cap), exact)
        if name == "senior_balance":
            return Fraction(senior)
        if name == "all_balances":
            return Fraction(real)
        if name == "next_senior_interest":
            return sum(
                (
                    before[one]
                    * (self.rate(self.tranche[one], period.accrual_start) or 0)
                    * day_count(*span, self.tranche[one].day_count)[1]
                    for one in self.seniors
                ),
                Fraction(0),
            )
        total = Fraction(0)
        for fee in self.deal.fees:
            since = number + 1 - fee.first
            on = (
                since >= 0
                and since % fee.every == 0
                and (fee.times is None or since // fee.every < fee.times)
            )
            if not on or not fee.in_reserve:
                continue
            years = day_count(*span, fee.day_count)[1]
            if fee.basis == "balance" and not fee.minimum and fee.cap is None:
                total += (senior if fee.of == "senior" else real) * Fraction(fee.rate) * years
            if fee.basis in {"flat", "initial"}:
                faces = sum(
                    one.face for one in self.deal.classes
                    if one.role != "notional" and (fee.of != "senior" or one.role == "senior")
                )  # fmt: skip
                known = Fraction(fee.amount)
                if fee.basis == "initial":
                    known = max(Fraction(fee.minimum), faces * Fraction(fee.rate) * years)
                total += known if fee.cap is None else min(known, Fraction(fee.cap))
        return total


def run_plain(deal, collections) -> list[Day]:
    """Every payment date of one scenario."""
    return Waterfall(deal).run(collections)
