"""A deal as a structurer writes it: parties, classes, costs, reserve, triggers, and the order of payment as a list."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Literal

from pydantic import Field, model_validator

from arrears.core.dates import add_months
from arrears.deals.calendars import adjusted
from arrears.deals.parts import (
    Accrual,
    Exact,
    Excess,
    Expenses,
    Fee,
    Incentive,
    Part,
    Parties,
    Period,
    Rate,
    Reserve,
    Schedule,
    Step,
    Tranche,
    Triggers,
    Waterfall,
)


class Deal(Part):
    """A deal; `examples/deals/` shows some.

    Attributes:
        rounding: of every newly arising amount, once: half up, or down as some published models do.
        pool: what the pool is made of; income rights never mix the two.
        retention: share of each class that the originator keeps, where the class does not say otherwise.
        investors: income rights may go to institutions only.
        accounts: where given, which receivers each account of the trust serves.
    """

    name: str = "deal"
    kind: Literal["securities", "income_rights"] = "securities"
    pool: Literal["non_performing", "performing", "mixed"] = "non_performing"
    investors: Literal["institutions", "anyone"] = "institutions"
    rounding: Literal["half_up", "down"] = "half_up"
    parties: Parties = Parties()
    retention: Exact = Fraction(0)
    accounts: dict[str, tuple[str, ...]] | None = None
    cutoff_date: date
    closing_date: date
    periods: tuple[Period, ...] | None = Field(default=None, min_length=1)
    schedule: Schedule | None = None
    classes: tuple[Tranche, ...] = Field(min_length=1)
    curves: dict[str, tuple[tuple[date, Exact], ...]] = Field(default_factory=dict)
    tax: Rate = Rate(rate=Fraction(0))
    servicing: Rate = Rate(rate=Fraction(0))
    expenses: Expenses = Expenses(accrual=Accrual(type="fixed_amount"))
    fees: tuple[Fee, ...] = ()
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
        """The payment dates, from the list or from the schedule; the first accrual begins on the closing date."""
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
            due = add_months(plan.first_payment, number * plan.every_months)
            found.append(
                Period(
                    t=number + 1,
                    collection_start=start,
                    collection_end=ends - timedelta(days=1),
                    accrual_start=accrues,
                    accrual_end=due,
                    payment_date=adjusted(due, plan.calendar),
                    forecast_collections=plan.forecast[number]
                    if number < len(plan.forecast)
                    else 0,
                )
            )
            start, accrues = ends, due
        return tuple(found)

    def of_role(self, role: str) -> tuple[Tranche, ...]:
        """The classes with a role, in their order."""
        return tuple(tranche for tranche in self.classes if tranche.role == role)

    def seniors(self) -> tuple[Tranche, ...]:
        """The classes that rank first, in their order."""
        return self.of_role("senior")

    def orders(self) -> dict[str, tuple[Step, ...]]:
        """The orders of payment by name."""
        after = self.waterfall.post_enforcement
        return {"normal": self.waterfall.normal} | (
            {} if after is None else {"post_enforcement": after}
        )

    def shares_of_excess(self) -> list[tuple[str, Fraction]]:
        """Who gets which share of what is left, in the order in which it is split."""
        if self.excess.shares is not None:
            return [(name, Fraction(share)) for name, share in self.excess.shares.items()]
        served = Fraction(self.excess.servicer_share)
        return [("servicer", served), (str(self.excess.residual_holder), 1 - served)]

    def retained(self, tranche: Tranche) -> Fraction:
        """Share of a class that the originator keeps."""
        return Fraction(self.retention if tranche.retained is None else tranche.retained)

    def rate(self, tranche: Tranche, on: date) -> Fraction | None:
        """The rate in force for a period that begins on a day; None without a coupon.

        A curve's last point on or before the day counts; a floor is of the rate with its margin. It may be negative
        where the curve is.
        """
        coupon = tranche.coupon
        if coupon is None or coupon.type == "zero":
            return None
        if coupon.type == "fixed":
            return Fraction(coupon.rate)
        points = [point for point in self.curves[str(coupon.index)] if point[0] <= on]
        rate = Fraction(max(points, key=lambda point: point[0])[1]) + Fraction(coupon.margin)
        return rate if coupon.floor is None else max(Fraction(coupon.floor), rate)


def face_at_price(deal: Deal, tranche: Tranche) -> int:
    """What a class cost at closing, fen, rounded as the deal rounds."""
    exact = tranche.face * Fraction(tranche.issue_price) / 100
    return int((exact + (Fraction(1, 2) if deal.rounding == "half_up" else 0)) // 1)
