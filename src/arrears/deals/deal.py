"""A deal as a structurer writes it: classes, costs, reserve, triggers, and the order of payment as a list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from arrears.core.dates import add_months
from arrears.core.money import parse_money
from arrears.errors import BadArgument
from arrears.files import did_you_mean, read_model
from arrears.problems import Problem

STEPS = (
    "tax",
    "expenses_capped",
    "expenses_overrun",
    "expenses_all",
    "servicing",
    "senior_interest",
    "reserve",
    "senior_principal",
    "sub_principal",
    "unit_capital",
    "sub_coupon",
    "incentive",
    "excess",
)


def _exact(value: object) -> object:
    """A rate, share or price as an exact fraction; `0.023` is 23/1000 whether it is text or a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError("it is no number") from None


def _fen(value: object) -> object:
    if isinstance(value, str):
        try:
            return parse_money(value)
        except BadArgument as error:
            raise ValueError(str(error)) from None
    return value


Exact = Annotated[Any, BeforeValidator(_exact)]
Fen = Annotated[int, BeforeValidator(_fen)]
Count = Literal["ACT/365F", "30E/360"]
_PAYS_BACK = {"senior_principal": "senior", "sub_principal": "sub", "unit_capital": "units"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Coupon(_Part):
    """Interest of a class: a fixed rate, or an index with margin and floor."""

    type: Literal["fixed", "floating"]
    rate: Exact = None
    index: str | None = None
    margin: Exact = Fraction(0)
    floor: Exact = None


class Tranche(_Part):
    """A class of the deal."""

    name: str
    role: Literal["senior", "sub", "units"]
    face: Fen = Field(gt=0)
    issue_price: Exact = Fraction(100)
    day_count: Count = "ACT/365F"
    interest_on_unpaid: bool = False
    coupon: Coupon | None = None


class Rate(_Part):
    """A share of what is collected."""

    rate: Exact


class Accrual(_Part):
    """How expenses arise."""

    type: Literal["fixed_amount", "rate_on_initial", "rate_on_opening_balance"]
    amount: Fen = 0
    base: Fen = 0
    rate: Exact = Fraction(0)
    day_count: Count = "ACT/365F"
    minimum: Fen = 0


class Expenses(_Part):
    """Trustee, agencies, audit, enforcement."""

    cap_per_period: Fen | None = None
    accrual: Accrual


class Reserve(_Part):
    """Cash set aside for the next payment date."""

    type: Literal["none", "fixed", "multiple"] = "none"
    target: Fen = 0
    multiple: Exact = Fraction(0)
    initial: Fen = 0


class Tier(_Part):
    """A tier of the incentive commission, by cumulative collections."""

    lower: Fen
    upper: Fen | None = None
    rate: Exact


class Incentive(_Part):
    """What the servicer earns on top, by tiers of cumulative collections."""

    tiers: tuple[Tier, ...]


class Excess(_Part):
    """Who gets what is left."""

    servicer_share: Exact = Fraction(0)
    residual_holder: str


class Recovery(_Part):
    """Principal goes in sequence where collections fall behind the forecast."""

    threshold: Exact
    curable: bool = True


class Call(_Part):
    """The originator may buy back what is left of the pool."""

    enabled: bool = True
    threshold: Exact
    initial_pool_balance: Fen


class Triggers(_Part):
    """Tests on each payment date."""

    event_of_default: Literal["missed_senior_interest"] | None = None
    recovery: Recovery | None = None
    clean_up_call: Call | None = None


class Waterfall(_Part):
    """The order of payment, before and after an event of default."""

    normal: tuple[str, ...]
    post_enforcement: tuple[str, ...] | None = None


class Period(_Part):
    """One payment date; what is collected comes from the cash, not from here."""

    t: int | None = None
    collection_start: date
    collection_end: date
    accrual_start: date
    accrual_end: date
    payment_date: date
    gross_collections: int | None = None
    of_which_before_closing: int = 0
    invoices: Fen = 0
    forecast_collections: Fen = 0
    pool_balance_end: Fen | None = None
    call_offer: Fen = 0


class Schedule(_Part):
    """Payment dates at equal distances, collections up to some days before each."""

    first_collection_end: date
    first_payment: date
    every_months: int = Field(ge=1)
    payments: int = Field(ge=1, le=480)


class Deal(_Part):
    """A deal; `examples/deals/` shows some.

    Attributes:
        rounding: of every newly arising amount, once: half up, or down as some published models do.
    """

    name: str = "deal"
    kind: Literal["securities", "income_rights"] = "securities"
    rounding: Literal["half_up", "down"] = "half_up"
    cutoff_date: date
    closing_date: date
    periods: tuple[Period, ...] | None = None
    schedule: Schedule | None = None
    classes: tuple[Tranche, ...] = Field(min_length=1)
    curves: dict[str, tuple[tuple[date, Exact], ...]] = Field(default_factory=dict)
    tax: Rate = Rate(rate=Fraction(0))
    servicing: Rate = Rate(rate=Fraction(0))
    expenses: Expenses = Expenses(accrual=Accrual(type="fixed_amount"))
    incentive: Incentive | None = None
    reserve: Reserve = Reserve()
    excess: Excess
    triggers: Triggers = Triggers()
    waterfall: Waterfall

    @model_validator(mode="after")
    def _has_dates(self) -> Deal:
        if (self.periods is None) == (self.schedule is None):
            raise ValueError("give either periods or a schedule")
        return self

    def dates(self) -> tuple[Period, ...]:
        """The payment dates, from the list or from the schedule."""
        if self.periods is not None:
            return self.periods
        plan = self.schedule
        assert plan is not None
        found: list[Period] = []
        start, accrues = self.cutoff_date, self.closing_date
        for number in range(plan.payments):
            ends = add_months(
                plan.first_collection_end + timedelta(days=1), number * plan.every_months
            )
            pays = add_months(plan.first_payment, number * plan.every_months)
            found.append(
                Period(
                    t=number + 1,
                    collection_start=start,
                    collection_end=ends - timedelta(days=1),
                    accrual_start=accrues,
                    accrual_end=pays,
                    payment_date=pays,
                )
            )
            start, accrues = ends, pays
        return tuple(found)

    def seniors(self) -> tuple[Tranche, ...]:
        """The classes that rank first, in their order."""
        return tuple(tranche for tranche in self.classes if tranche.role == "senior")


def read_deal(path: Path) -> tuple[Deal | None, list[Problem]]:
    """A deal from its file, and what is wrong with it."""
    deal, problems = read_model(path, Deal, code="DEAL")
    if deal is not None:
        problems += check(deal, path.name)
    return deal, problems


Fault = tuple[str, str, str, str]


def check(deal: Deal, place: str) -> list[Problem]:
    """What a deal's parts say against each other."""
    why = "The deal cannot be run like this."
    faults = [*_orders(deal), *_paid_back(deal), *_classes(deal), *_dates(deal)]
    return [
        Problem(code, "error", f"{place} {where}", text, why, fix)
        for code, where, text, fix in faults
    ]


def _orders(deal: Deal) -> Iterator[Fault]:
    orders = {"normal": deal.waterfall.normal}
    if deal.waterfall.post_enforcement is not None:
        orders["post_enforcement"] = deal.waterfall.post_enforcement
    for order, steps in orders.items():
        where = f"waterfall.{order}"
        for step in steps:
            if step not in STEPS:
                yield "DEAL-UNKNOWN-STEP", where, f"No step {step!r}.", did_you_mean(step, STEPS)
        if len(set(steps)) < len(steps):
            yield "DEAL-STEP-TWICE", where, "A step stands twice.", "Leave one of them out."
        if not steps or steps[-1] != "excess":
            fix = "What is left over needs a holder: put excess last."
            yield "DEAL-EXCESS-LAST", where, "The last step is not excess.", fix
    if deal.triggers.event_of_default and deal.waterfall.post_enforcement is None:
        text = "An event of default has no order of payment."
        yield "DEAL-NO-ENFORCEMENT", "waterfall", text, "Add post_enforcement."
    capped = deal.expenses.cap_per_period is not None
    if capped and "expenses_overrun" not in deal.waterfall.normal:
        text = "Expenses over the cap are never paid."
        yield "DEAL-CAP-WITHOUT-OVERRUN", "waterfall.normal", text, "Add expenses_overrun."


def _paid_back(deal: Deal) -> Iterator[Fault]:
    roles = {tranche.role for tranche in deal.classes}
    for step, role in _PAYS_BACK.items():
        if role in roles and step not in deal.waterfall.normal:
            text = f"No step pays back the {role} class."
            yield "DEAL-CLASS-UNPAID", "waterfall.normal", text, f"Add {step}."


def _classes(deal: Deal) -> Iterator[Fault]:
    names = [tranche.name for tranche in deal.classes]
    if len(set(names)) < len(names):
        yield "DEAL-CLASS-TWICE", "classes", "Two classes have one name.", "Rename one."
    holder, holders = deal.excess.residual_holder, [*names, "originator"]
    if holder not in holders:
        yield "DEAL-UNKNOWN-CLASS", "excess", f"No class {holder!r}.", did_you_mean(holder, holders)
    for tranche in deal.classes:
        coupon, where = tranche.coupon, f"classes {tranche.name}"
        if coupon and coupon.type == "fixed" and coupon.rate is None:
            yield "DEAL-NO-RATE", where, "A fixed coupon has no rate.", "Add rate."
        if coupon and coupon.type == "floating":
            points = deal.curves.get(str(coupon.index))
            if points is None:
                fix = did_you_mean(str(coupon.index), deal.curves)
                yield "DEAL-NO-CURVE", where, f"No curve {coupon.index!r}.", fix
            elif min(day for day, _ in points) > deal.closing_date:
                text = f"The curve {coupon.index} begins after the closing date."
                yield "DEAL-NO-CURVE", where, text, "Add an earlier point."


def _dates(deal: Deal) -> Iterator[Fault]:
    dates = deal.dates()
    if deal.closing_date < deal.cutoff_date or dates[0].payment_date <= deal.closing_date:
        text = "Cut-off, closing and first payment are out of order."
        yield "DEAL-DATES", "closing_date", text, "Put them in order."
    if any(one.payment_date >= two.payment_date for one, two in pairwise(dates)):
        yield "DEAL-DATES", "periods", "Payment dates do not rise.", "Put them in order."
    if any(one.collection_end >= two.collection_start for one, two in pairwise(dates)):
        yield (
            "DEAL-DATES",
            "periods",
            "Collection periods overlap.",
            "Let each begin after the last.",
        )
