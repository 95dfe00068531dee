"""What each class got: yield, average life, losses, coverage; over scenarios, to the fen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

from scipy.optimize import brentq

from arrears.deals.deal import Deal, Tranche
from arrears.deals.engine import Day, rounding


def paid_in(deal: Deal, tranche: Tranche) -> int:
    """What the class cost at closing, fen."""
    return rounding(deal)(tranche.face * Fraction(tranche.issue_price) / 100)


def received(deal: Deal, tranche: Tranche, days: Sequence[Day]) -> list[tuple[date, int]]:
    """All cash the class got, by payment date, fen."""
    holder = deal.excess.residual_holder == tranche.name
    return [
        (
            day.period.payment_date,
            (book := day.classes[tranche.name]).interest_paid
            + book.principal_paid
            + (day.to_residual if holder else 0),
        )
        for day in days
    ]


def xirr(deal: Deal, tranche: Tranche, days: Sequence[Day]) -> float | None:
    """Yield a year, money paid at closing; None where nothing came back."""
    flows = received(deal, tranche, days)
    if not any(amount for _, amount in flows):
        return None
    spans = [((day - deal.closing_date).days / 365.0, amount) for day, amount in flows]
    cost = paid_in(deal, tranche)

    def worth(rate: float) -> float:
        return float(sum(amount * (1.0 + rate) ** -span for span, amount in spans)) - cost

    low, high = -0.999999, 10.0
    while worth(high) > 0.0 and high < 1e9:
        high *= 10.0
    if worth(low) < 0.0 or worth(high) > 0.0:
        return None
    return float(brentq(worth, low, high, xtol=1e-14, rtol=1e-14, maxiter=500))


def average_life(deal: Deal, tranche: Tranche, days: Sequence[Day]) -> Fraction | None:
    """Years to the mean payment of principal; None where none was paid."""
    paid = [(day.period.payment_date, day.classes[tranche.name].principal_paid) for day in days]
    total = sum(amount for _, amount in paid)
    if not total:
        return None
    weighted = sum(amount * (on - deal.closing_date).days for on, amount in paid)
    return Fraction(weighted, 365 * total)


def answers(deal: Deal, scenarios: Mapping[int, Sequence[Day]]) -> dict[str, object]:
    """`deal.json`: by tranche `size, yield, wal_years, expected_loss, probability_of_shortfall, first_loss_scenario,
    coverage`, means over the scenarios; and that cash was conserved.

    A loss is principal never paid back; a shortfall is that or interest left unpaid at the end.
    """
    told: dict[str, object] = {}
    runs = list(scenarios.values())
    for tranche in deal.classes:
        yields = [found for days in runs if (found := xirr(deal, tranche, days)) is not None]
        lives = [life for days in runs if (life := average_life(deal, tranche, days))]
        lost, short = (
            [part(tranche, days) for days in scenarios.values()] for part in (_lost, _short)
        )
        got = [sum(amount for _, amount in received(deal, tranche, days)) for days in runs]
        first = next((name for name, gone in zip(scenarios, lost, strict=True) if gone), None)
        told[tranche.name] = {
            "size": tranche.face,
            "yield": sum(yields) / len(yields) if yields else None,
            "wal_years": float(sum(lives) / len(lives)) if lives else None,
            "expected_loss": sum(lost) / len(lost) / tranche.face,
            "probability_of_shortfall": sum(missing > 0 for missing in short) / len(short),
            "first_loss_scenario": first,
            "coverage": sum(got) / len(got) / tranche.face,
        }
    came = deal.reserve.initial * len(runs)
    came += sum(day.credited + day.call_price for days in runs for day in days)
    kept = sum(days[-1].reserve_close for days in runs)
    paid = sum(
        amount
        for days in runs
        for day in days
        for step, _, amount in day.moves
        if step != "reserve"
    )
    return {
        "tranches": told,
        "conservation": {"in": came, "out": paid + kept, "difference": came - paid - kept},
        "scenarios": len(runs),
    }


def _lost(tranche: Tranche, days: Sequence[Day]) -> int:
    """Principal not paid back by the final date, fen."""
    book = days[-1].classes[tranche.name]
    return book.balance_open - book.principal_paid


def _short(tranche: Tranche, days: Sequence[Day]) -> int:
    """Principal and interest not paid by the final date, fen."""
    book = days[-1].classes[tranche.name]
    return _lost(tranche, days) + book.due - book.interest_paid
