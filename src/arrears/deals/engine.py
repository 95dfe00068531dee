"""The waterfall of one scenario, to the fen: every newly arising amount is rounded once, when it becomes due.

Money is whole fen, rates are exact fractions. The rules are those of the sections named in the code's words: an inflow
that reversals may reduce but never make negative, the whole reserve available on each date and set aside again, an
event of default found by a trial of the normal order, triggers that act on the date on which they are tested.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from math import floor

from arrears.deals.deal import Count, Deal, Period, Tranche

_HALF = Fraction(1, 2)


@dataclass
class Book:
    """A class on a payment date, fen."""

    balance_open: int
    unpaid_open: int
    current: int
    on_unpaid: int
    rate: Fraction | None
    days: int
    interest_paid: int = 0
    principal_paid: int = 0

    @property
    def due(self) -> int:
        """Interest due, what was unpaid before included."""
        return self.unpaid_open + self.current + self.on_unpaid


@dataclass
class Line:
    """A cost that is carried forward while unpaid, fen."""

    open: int
    new: int
    paid: int = 0

    @property
    def due(self) -> int:
        """What is owed today."""
        return self.open + self.new


@dataclass
class Costs:
    """Expenses on a payment date, fen."""

    accrual: int
    invoices: int
    within_cap: int
    arrears_open: int
    overrun_open: int
    senior_due: int = 0
    senior_paid: int = 0
    overrun_due: int = 0
    overrun_paid: int = 0

    @property
    def new(self) -> int:
        """What arose today."""
        return self.accrual + self.invoices


@dataclass
class Day:
    """All that happened on a payment date, fen.

    Attributes:
        moves: (step, to, amount) in the order of payment.
    """

    t: int
    period: Period
    final: bool
    mode: str
    principal_mode: str
    gross: int
    receivable_open: int
    credited: int
    receivable_close: int
    cumulative: int
    call_price: int
    reserve_open: int
    available: int
    tax: Line
    servicing: Line
    incentive: Line
    costs: Costs
    classes: dict[str, Book]
    reserve_target: int = 0
    reserve_close: int = 0
    excess: int = 0
    to_servicer: int = 0
    to_residual: int = 0
    trigger: dict[str, object] = field(default_factory=dict)
    moves: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def out(self) -> int:
        """All that was paid, and the reserve kept."""
        return sum(amount for _, _, amount in self.moves)


@dataclass(frozen=True)
class _State:
    """What one payment date leaves to the next, fen."""

    balances: dict[str, int]
    unpaid: dict[str, int]
    reserve: int
    tax: int = 0
    servicing: int = 0
    incentive: int = 0
    arrears: int = 0
    overrun: int = 0
    receivable: int = 0
    cumulative: int = 0
    forecast: int = 0
    defaulted: bool = False
    sequential: bool = False


def run_deal(deal: Deal, collections: Sequence[int]) -> list[Day]:
    """Run one scenario.

    Args:
        collections: gross collections of each period (T,), fen; negative where reversals outweigh.

    Returns:
        A day a payment date, up to the final one.
    """
    dates = deal.dates()
    state = _State(
        balances={tranche.name: tranche.face for tranche in deal.classes},
        unpaid={tranche.name: 0 for tranche in deal.classes},
        reserve=deal.reserve.initial,
    )
    days: list[Day] = []
    for number, (period, gross) in enumerate(zip(dates, collections, strict=True)):
        following = dates[number + 1] if number + 1 < len(dates) else None
        day, state = _pay(deal, state, period, following=following, gross=gross, number=number + 1)
        days.append(day)
        if day.final:
            break
    return days


def years(start: date, end: date, count: Count) -> Fraction:
    """Years from `start` (included) to `end` (excluded)."""
    return Fraction(numerator(start, end, count), 365 if count == "ACT/365F" else 360)


def numerator(start: date, end: date, count: Count) -> int:
    """Days by a day count; 30E/360 knows nothing of the end of February."""
    if count == "ACT/365F":
        return (end - start).days
    months = 12 * (end.year - start.year) + end.month - start.month
    return 30 * months + min(end.day, 30) - min(start.day, 30)


def split(amount: int, weights: Sequence[int], rounded: Callable[[Fraction], int]) -> list[int]:
    """An amount by weights: whole parts that add up to it, by cumulative rounding."""
    total, before, done, parts = sum(weights), 0, 0, []
    for weight in weights:
        before += weight
        upto = rounded(Fraction(amount * before, total)) if total else 0
        parts.append(upto - done)
        done = upto
    return parts


def rate_of(deal: Deal, tranche: Tranche, on: date) -> Fraction | None:
    """The rate in force for a period that begins on a day; None without a coupon."""
    coupon = tranche.coupon
    if coupon is None:
        return None
    if coupon.type == "fixed":
        return Fraction(coupon.rate)
    known = [value for day, value in deal.curves[str(coupon.index)] if day <= on]
    if not known:
        raise ValueError(f"the curve {coupon.index} has no point by {on}")
    rate = Fraction(known[-1]) + Fraction(coupon.margin)
    return rate if coupon.floor is None else max(Fraction(coupon.floor), rate)


def rounding(deal: Deal) -> Callable[[Fraction], int]:
    """How this deal rounds a newly arising amount."""
    shift = _HALF if deal.rounding == "half_up" else Fraction(0)
    return lambda amount: floor(amount + shift)


def _accrued(deal: Deal, period: Period, balances: int) -> Fraction:
    """Expenses of a period, exact."""
    accrual = deal.expenses.accrual
    if accrual.type == "fixed_amount":
        return Fraction(accrual.amount)
    span = years(period.accrual_start, period.accrual_end, accrual.day_count)
    if accrual.type == "rate_on_initial":
        return accrual.base * Fraction(accrual.rate) * span
    return max(Fraction(accrual.minimum), balances * Fraction(accrual.rate) * span)


def _pay(
    deal: Deal,
    state: _State,
    period: Period,
    *,
    following: Period | None,
    gross: int,
    number: int,
) -> tuple[Day, _State]:
    """One payment date."""
    net = gross - state.receivable
    credited, receivable = max(net, 0), max(-net, 0)
    cumulative = state.cumulative + credited
    forecast = state.forecast + period.forecast_collections
    sequential, told = _recovery(deal, state, cumulative, forecast)
    day = _open(deal, state, period, number, gross=gross, credited=credited, receivable=receivable)
    day.principal_mode = "sequential" if sequential else "pro_rata"
    day.trigger |= told
    day.final = following is None
    _test_call(deal, day, last=following is None)
    day.available = day.credited + day.call_price + day.reserve_open
    defaulted = state.defaulted
    if deal.triggers.event_of_default and not defaulted:
        trial = _distribute(deal, _copy(day), deal.waterfall.normal, following)
        books = [trial.classes[tranche.name] for tranche in deal.seniors()]
        short = sum(book.due - book.interest_paid for book in books)
        defaulted = short > 0
        day.trigger["trial_interest_shortfall"] = short
    elif deal.triggers.event_of_default:
        day.trigger["trial_interest_shortfall"] = None
    if deal.triggers.event_of_default:
        day.trigger["event_of_default"] = defaulted
    if defaulted:
        day.mode = "post_enforcement"
    order = deal.waterfall.post_enforcement if defaulted else deal.waterfall.normal
    _distribute(deal, day, order or (), following)
    return day, _closed(deal, day, forecast=forecast, defaulted=defaulted, sequential=sequential)


def _recovery(
    deal: Deal, state: _State, cumulative: int, forecast: int
) -> tuple[bool, dict[str, object]]:
    """Whether principal goes in sequence today, and what the trigger saw."""
    trigger = deal.triggers.recovery
    if trigger is None:
        return True, {}
    breached = cumulative < Fraction(trigger.threshold) * forecast
    sequential = breached or (state.sequential and not trigger.curable)
    return sequential, {
        "cumulative_actual": cumulative,
        "cumulative_forecast": forecast,
        "breached": breached,
        "sequential": sequential,
    }


def _open(
    deal: Deal,
    state: _State,
    period: Period,
    number: int,
    *,
    gross: int,
    credited: int,
    receivable: int,
) -> Day:
    """What is due on a date before anything is paid."""
    rounded = rounding(deal)
    books = {}
    for tranche in deal.classes:
        rate = rate_of(deal, tranche, period.accrual_start)
        span = years(period.accrual_start, period.accrual_end, tranche.day_count)
        balance, unpaid = state.balances[tranche.name], state.unpaid[tranche.name]
        current = rounded(balance * rate * span) if rate is not None else 0
        more = rate is not None and tranche.interest_on_unpaid
        on_unpaid = rounded(unpaid * rate * span) if more and rate is not None else 0
        days = numerator(period.accrual_start, period.accrual_end, tranche.day_count)
        books[tranche.name] = Book(balance, unpaid, current, on_unpaid, rate, days)
    accrual = rounded(_accrued(deal, period, sum(state.balances.values())))
    new, cap = accrual + period.invoices, deal.expenses.cap_per_period
    cumulative = state.cumulative + credited
    return Day(
        t=number,
        period=period,
        final=False,
        mode="normal",
        principal_mode="sequential",
        gross=gross,
        receivable_open=state.receivable,
        credited=credited,
        receivable_close=receivable,
        cumulative=cumulative,
        call_price=0,
        reserve_open=state.reserve,
        available=0,
        tax=Line(state.tax, rounded(Fraction(deal.tax.rate) * credited)),
        servicing=Line(state.servicing, rounded(Fraction(deal.servicing.rate) * credited)),
        incentive=Line(
            state.incentive,
            rounded(_commission(deal, cumulative) - _commission(deal, state.cumulative)),
        ),
        costs=Costs(
            accrual,
            period.invoices,
            new if cap is None else min(new, cap),
            state.arrears,
            state.overrun,
        ),
        classes=books,
    )


def _commission(deal: Deal, collected: int) -> Fraction:
    """Incentive commission on cumulative collections, by marginal tiers."""
    total = Fraction(0)
    for tier in deal.incentive.tiers if deal.incentive else ():
        top = collected if tier.upper is None else min(collected, tier.upper)
        total += Fraction(tier.rate) * max(0, top - tier.lower)
    return total


def _test_call(deal: Deal, day: Day, *, last: bool) -> None:
    """The clean-up call: pool small enough, and an offer that pays everybody."""
    call = deal.triggers.clean_up_call
    if call is None or not call.enabled:
        return
    seniors = [day.classes[tranche.name] for tranche in deal.seniors()]
    costs = day.costs
    needed = (
        day.tax.due
        + costs.arrears_open
        + costs.overrun_open
        + costs.new
        + day.servicing.due
        + sum(book.due + book.balance_open for book in seniors)
    )
    period = day.period
    pool = period.pool_balance_end
    small = pool is not None and pool <= Fraction(call.threshold) * call.initial_pool_balance
    enough = period.call_offer + day.credited + day.reserve_open >= needed
    called = small and enough and not last
    day.trigger |= {
        "pool_test": small,
        "price_needed": needed,
        "price_test": enough,
        "called": called,
    }
    if called:
        day.call_price, day.final = period.call_offer, True


def _copy(day: Day) -> Day:
    return replace(
        day,
        tax=replace(day.tax),
        servicing=replace(day.servicing),
        incentive=replace(day.incentive),
        costs=replace(day.costs),
        classes={name: replace(book) for name, book in day.classes.items()},
        moves=[],
    )


def _distribute(deal: Deal, day: Day, order: Sequence[str], following: Period | None) -> Day:
    """Pay the day's cash in an order of steps."""
    cash = day.available
    if "expenses_all" in order:
        day.costs.within_cap = day.costs.new
    for step in order:
        paid = _STEPS[step](deal, day, cash, following)
        for to, amount in paid:
            if amount:
                day.moves.append((step, to, amount))
            cash -= amount
    return day


Paid = list[tuple[str, int]]


def _line(name: str) -> Callable[[Deal, Day, int, Period | None], Paid]:
    def step(deal: Deal, day: Day, cash: int, following: Period | None) -> Paid:  # noqa: ARG001
        line: Line = getattr(day, name)
        line.paid = min(line.due, cash)
        return [(name, line.paid)]

    return step


def _expenses_capped(deal: Deal, day: Day, cash: int, following: Period | None) -> Paid:  # noqa: ARG001
    costs = day.costs
    costs.senior_due = costs.arrears_open + costs.within_cap
    costs.senior_paid = min(costs.senior_due, cash)
    costs.overrun_due = costs.overrun_open + costs.new - costs.within_cap
    return [("expenses", costs.senior_paid)]


def _expenses_overrun(deal: Deal, day: Day, cash: int, following: Period | None) -> Paid:  # noqa: ARG001
    costs = day.costs
    costs.overrun_paid = min(costs.overrun_due, cash)
    return [("expenses", costs.overrun_paid)]


def _expenses_all(deal: Deal, day: Day, cash: int, following: Period | None) -> Paid:  # noqa: ARG001
    costs = day.costs
    costs.senior_due = costs.arrears_open + costs.overrun_open + costs.new
    costs.senior_paid = min(costs.senior_due, cash)
    costs.overrun_due = 0
    return [("expenses", costs.senior_paid)]


def _senior_interest(deal: Deal, day: Day, cash: int, following: Period | None) -> Paid:  # noqa: ARG001
    names = [tranche.name for tranche in deal.seniors()]
    dues = [day.classes[name].due for name in names]
    parts = dues if sum(dues) <= cash else split(cash, dues, rounding(deal))
    for name, part in zip(names, parts, strict=True):
        day.classes[name].interest_paid = part
    return list(zip(names, parts, strict=True))


def _reserve(deal: Deal, day: Day, cash: int, following: Period | None) -> Paid:
    day.reserve_target = _target(deal, day, following)
    day.reserve_close = min(cash, day.reserve_target)
    return [("reserve", day.reserve_close)]


def _target(deal: Deal, day: Day, following: Period | None) -> int:
    seniors = deal.seniors()
    owed = sum(day.classes[tranche.name].balance_open for tranche in seniors)
    if day.final or day.mode != "normal" or owed == 0 or following is None:
        return 0
    if deal.reserve.type == "fixed":
        return deal.reserve.target
    if deal.reserve.type == "none":
        return 0
    cap = deal.expenses.cap_per_period
    costs = _accrued(deal, following, 0)
    costs = costs if cap is None else min(Fraction(cap), costs)
    interest = Fraction(0)
    for tranche in seniors:
        rate = rate_of(deal, tranche, following.accrual_start)
        span = years(following.accrual_start, following.accrual_end, tranche.day_count)
        interest += day.classes[tranche.name].balance_open * (rate or Fraction(0)) * span
    return rounding(deal)(Fraction(deal.reserve.multiple) * (costs + interest))


def _senior_principal(deal: Deal, day: Day, cash: int, following: Period | None) -> Paid:  # noqa: ARG001
    names = [tranche.name for tranche in deal.seniors()]
    balances = [day.classes[name].balance_open for name in names]
    amount = min(cash, sum(balances))
    if day.principal_mode == "pro_rata":
        parts = split(amount, balances, rounding(deal)) if amount else [0] * len(names)
    else:
        parts, left = [], amount
        for balance in balances:
            parts.append(min(left, balance))
            left -= parts[-1]
    for name, part in zip(names, parts, strict=True):
        day.classes[name].principal_paid = part
    return list(zip(names, parts, strict=True))


def _principal_of(role: str) -> Callable[[Deal, Day, int, Period | None], Paid]:
    def step(deal: Deal, day: Day, cash: int, following: Period | None) -> Paid:  # noqa: ARG001
        paid: Paid = []
        for tranche in deal.classes:
            if tranche.role == role:
                book = day.classes[tranche.name]
                book.principal_paid = min(cash, book.balance_open)
                cash -= book.principal_paid
                paid.append((tranche.name, book.principal_paid))
        return paid

    return step


def _sub_coupon(deal: Deal, day: Day, cash: int, following: Period | None) -> Paid:  # noqa: ARG001
    paid: Paid = []
    for tranche in deal.classes:
        if tranche.role == "sub":
            book = day.classes[tranche.name]
            book.interest_paid = min(cash, book.due)
            cash -= book.interest_paid
            paid.append((tranche.name, book.interest_paid))
    return paid


def _excess(deal: Deal, day: Day, cash: int, following: Period | None) -> Paid:  # noqa: ARG001
    day.excess = cash
    day.to_servicer = rounding(deal)(Fraction(deal.excess.servicer_share) * cash)
    day.to_residual = cash - day.to_servicer
    return [("servicer", day.to_servicer), (deal.excess.residual_holder, day.to_residual)]


_STEPS: dict[str, Callable[[Deal, Day, int, Period | None], Paid]] = {
    "tax": _line("tax"),
    "servicing": _line("servicing"),
    "incentive": _line("incentive"),
    "expenses_capped": _expenses_capped,
    "expenses_overrun": _expenses_overrun,
    "expenses_all": _expenses_all,
    "senior_interest": _senior_interest,
    "reserve": _reserve,
    "senior_principal": _senior_principal,
    "sub_principal": _principal_of("sub"),
    "unit_capital": _principal_of("units"),
    "sub_coupon": _sub_coupon,
    "excess": _excess,
}


def _closed(deal: Deal, day: Day, *, forecast: int, defaulted: bool, sequential: bool) -> _State:
    """What the day leaves to the next one."""
    costs = day.costs
    return _State(
        balances={
            name: book.balance_open - book.principal_paid for name, book in day.classes.items()
        },
        unpaid={name: book.due - book.interest_paid for name, book in day.classes.items()},
        reserve=day.reserve_close,
        tax=day.tax.due - day.tax.paid,
        servicing=day.servicing.due - day.servicing.paid,
        incentive=day.incentive.due - day.incentive.paid,
        arrears=costs.senior_due - costs.senior_paid,
        overrun=costs.overrun_due - costs.overrun_paid,
        receivable=day.receivable_close,
        cumulative=day.cumulative,
        forecast=forecast,
        defaulted=defaulted,
        sequential=sequential and deal.triggers.recovery is not None,
    )
