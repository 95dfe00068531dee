"""What a deal's parts say against each other, with places in the file, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from arrears.deals.builder import LARGEST, TooFine
from arrears.deals.deal import Deal
from arrears.deals.law import permissions
from arrears.deals.parts import Step, Tranche
from arrears.deals.program import compiled
from arrears.deals.steps import STEPS
from arrears.files import Lines, check_model, did_you_mean, read_yaml
from arrears.problems import Problem, errors

Place = tuple[str | int, ...]
Fault = tuple[str, Place, str, str]
_COSTS = ("tax", "servicing", "expenses", "incentive")
RESERVED = (*_COSTS, "reserve", "servicer", "originator", "pool", "call", "cash")


def read_deal(path: Path) -> tuple[Deal | None, list[Problem]]:
    """A deal from its file, and what is wrong with it."""
    data, lines, problems = read_yaml(path)
    if data is None:
        return None, problems
    deal, problems = check_model(data, Deal, lines, code="DEAL")
    if deal is not None:
        problems += check(deal, lines)
    return deal, problems


def check(deal: Deal, lines: Lines) -> list[Problem]:
    """All faults of a deal, each with its place and what to write instead."""
    why = "The deal cannot be run like this."
    faults = [
        *_orders(deal),
        *_named(deal),
        *_paid(deal),
        *_accounts(deal),
        *_fees(deal),
        *_shares(deal),
        *_rates(deal),
        *_classes(deal),
        *_dates(deal),
        *permissions(deal),
    ]
    found = [
        Problem(code, "error", lines.where(place), text, why, fix)
        for code, place, text, fix in faults
    ]
    return found if errors(found) else [*found, *_size(deal, lines, why)]


def _size(deal: Deal, lines: Lines, why: str) -> Iterator[Problem]:
    """Whether amounts and rates can be reckoned exactly."""
    if most_owed(deal) >= LARGEST:
        text = "Amounts may grow past 11 trillion yuan."
        fix = "Give fen once: '80_000_000 yuan', or 8000000000."
        yield Problem("DEAL-TOO-LARGE", "error", lines.where(("classes",)), text, why, fix)
        return
    try:
        compiled(deal)
    except TooFine as error:
        fix = "Give rates with fewer digits."
        yield Problem("DEAL-TOO-FINE", "error", lines.where(()), f"{error}.", why, fix)


def most_owed(deal: Deal) -> float:
    """More than any class or cost can come to, collections apart, fen."""
    dates = deal.dates()
    total = 0.0
    for tranche in deal.classes:
        owed = float(tranche.face)
        for period in dates:
            rate = deal.rate(tranche, period.accrual_start) or Fraction(0)
            span = (period.accrual_end - period.accrual_start).days / 360.0
            owed *= 1.0 + max(0.0, float(rate)) * max(span, 0.0)
        total += owed
    each = deal.expenses.accrual.amount + deal.expenses.accrual.minimum
    each += sum(fee.amount + fee.minimum for fee in deal.fees)
    base = float(deal.expenses.accrual.base) * float(deal.expenses.accrual.rate)
    total += sum(period.invoices + period.call_offer for period in dates)
    return total + len(dates) * (each + base) + deal.reserve.initial + deal.reserve.target


def _orders(deal: Deal) -> Iterator[Fault]:
    for order, steps in deal.orders().items():
        place: Place = ("waterfall", order)
        for number, step in enumerate(steps):
            if step.word not in STEPS:
                fix = did_you_mean(step.word, STEPS)
                yield "DEAL-UNKNOWN-STEP", (*place, number), f"No step {step.word!r}.", fix
        labels = [step.label for step in steps]
        if len(set(labels)) < len(labels):
            yield "DEAL-STEP-TWICE", place, "A step stands twice.", "Leave one of them out."
        if not steps or steps[-1].word != "excess":
            fix = "What is left over needs a holder: put excess last."
            yield "DEAL-EXCESS-LAST", place, "The last step is not excess.", fix
    if deal.triggers.event_of_default and deal.waterfall.post_enforcement is None:
        text = "An event of default has no order of payment."
        yield "DEAL-NO-ENFORCEMENT", ("waterfall",), text, "Add post_enforcement."
    capped = deal.expenses.cap_per_period is not None
    words = {step.word for step in deal.waterfall.normal}
    if capped and "expenses_overrun" not in words:
        text = "Expenses over the cap are never paid."
        yield "DEAL-CAP-WITHOUT-OVERRUN", ("waterfall", "normal"), text, "Add expenses_overrun."


def _known(deal: Deal, step: Step) -> list[str]:
    if STEPS[step.word].NAMES == "fees":
        return [fee.name for fee in deal.fees]
    return [tranche.name for tranche in deal.classes]


def _named(deal: Deal) -> Iterator[Fault]:
    """Steps that name no account, or one that is not there."""
    for order, steps in deal.orders().items():
        for number, step in enumerate(steps):
            file = STEPS.get(step.word)
            if file is None:
                continue
            found = _alone(deal, step) if file.NAMES == "none" else _by_name(deal, step)
            for text, fix in found:
                yield "DEAL-STEP-NO-ACCOUNT", ("waterfall", order, number), text, fix


def _alone(deal: Deal, step: Step) -> Iterator[tuple[str, str]]:
    """Of a step that knows its accounts by itself."""
    file = STEPS[step.word]
    if step.named:
        text = f"The step {step.word} knows its accounts and takes no names."
        yield text, f"Write {step.word} alone."
    for role in (*file.INTEREST, *file.PRINCIPAL):
        if not deal.of_role(role):
            fix = f"Leave it out, or add a class of role {role}."
            yield f"The step {step.word} has no class to pay.", fix
    if step.word == "incentive" and deal.incentive is None:
        yield "No incentive is agreed.", "Add incentive, or leave it out."


def _by_name(deal: Deal, step: Step) -> Iterator[tuple[str, str]]:
    """Of a step that names its accounts."""
    known = _known(deal, step)
    if not step.names:
        text = f"The step {step.word} names no account."
        yield text, f"Write {{{step.word}: NAME}}; {_list(known)}"
    for name in step.names:
        if name not in known:
            text = f"The step {step.word} names {name!r}, which is no account of the deal."
            yield text, did_you_mean(name, known) if known else _list(known).capitalize()


def _list(names: Iterable[str]) -> str:
    told = ", ".join(names)
    return f"known: {told}." if told else "none is known."


def _receivers(steps: tuple[Step, ...], deal: Deal, kind: str) -> set[str]:
    """Classes whose interest or principal a list of steps pays."""
    found: set[str] = set()
    for step in steps:
        if step.word in STEPS:
            for role in getattr(STEPS[step.word], kind):
                one = step.names if role == "named" else [t.name for t in deal.of_role(role)]
                found |= set(one)
    return found


def _paid(deal: Deal) -> Iterator[Fault]:
    """Classes that are never paid."""
    place: Place = ("waterfall", "normal")
    principal = _receivers(deal.waterfall.normal, deal, "PRINCIPAL")
    interest = _receivers(deal.waterfall.normal, deal, "INTEREST")
    after = deal.waterfall.post_enforcement
    late = _receivers(after or (), deal, "PRINCIPAL")
    for tranche in deal.classes:
        if tranche.role != "notional" and tranche.name not in principal:
            text = f"No step pays back the {tranche.role} class {tranche.name}."
            yield "DEAL-CLASS-UNPAID", place, text, f"Add {_step_of(tranche)}."
        if tranche.bears and tranche.name not in interest:
            text = f"No step pays the coupon of {tranche.name}."
            fix = f"Add {{interest: {tranche.name}}}, or set coupon to null."
            yield "DEAL-CLASS-UNPAID", place, text, fix
        if after is not None and tranche.role == "senior" and tranche.name not in late:
            text = f"After an event of default no step pays back {tranche.name}."
            where: Place = ("waterfall", "post_enforcement")
            yield "DEAL-CLASS-UNPAID", where, text, f"Add {_step_of(tranche)}."


def _step_of(tranche: Tranche) -> str:
    return "unit_capital" if tranche.role == "units" else f"{tranche.role}_principal"


def _accounts(deal: Deal) -> Iterator[Fault]:
    if deal.accounts is None:
        return
    served = [name for names in deal.accounts.values() for name in names]
    for name in sorted({name for name in served if served.count(name) > 1}):
        text, fix = f"{name!r} stands in two accounts.", "Leave it in one."
        yield "DEAL-ACCOUNT-TWICE", ("accounts",), text, fix
    paid: dict[str, Place] = {}
    for order, steps in deal.orders().items():
        for number, step in enumerate(steps):
            for name in _paid_by(deal, step):
                paid.setdefault(name, ("waterfall", order, number))
    for name, place in paid.items():
        if name not in served:
            text = f"What the step pays to {name} reaches no account."
            yield "DEAL-STEP-NO-ACCOUNT", place, text, f"Name {name} under accounts."


def _paid_by(deal: Deal, step: Step) -> list[str]:
    if step.word == "excess":
        return [name for name, share in deal.shares_of_excess() if share]
    if step.names:
        return list(step.names)
    file = STEPS.get(step.word)
    roles = (*file.INTEREST, *file.PRINCIPAL) if file else ()
    classes = [tranche.name for role in roles for tranche in deal.of_role(role)]
    return classes or [step.word.split("_", maxsplit=1)[0]]


def _fees(deal: Deal) -> Iterator[Fault]:
    names = [fee.name for fee in deal.fees]
    taken = [*RESERVED, *(tranche.name for tranche in deal.classes)]
    words = {step.word: step for step in deal.waterfall.normal}
    paid = {name for step in words.values() for name in step.names}
    normal = [step for step in deal.waterfall.normal if step.word == "fee_overrun"]
    over = {name for step in normal for name in step.names}
    paid |= {name for step in deal.waterfall.normal for name in step.names}
    for number, fee in enumerate(deal.fees):
        place: Place = ("fees", number)
        if names.count(fee.name) > 1 or fee.name in taken:
            yield "DEAL-NAME-TWICE", place, f"The name {fee.name!r} is taken.", "Rename the fee."
        if fee.name not in paid:
            text = f"No step pays the fee {fee.name}."
            yield "DEAL-FEE-UNPAID", place, text, f"Add {{fee: {fee.name}}} to waterfall.normal."
        if fee.cap is not None and fee.name not in over:
            text = f"What is beyond the cap of {fee.name} is never paid."
            fix = f"Add {{fee_overrun: {fee.name}}} to waterfall.normal."
            yield "DEAL-CAP-WITHOUT-OVERRUN", place, text, fix
        known = [*names, "tax", "servicing"] if fee.basis == "fee" else ["all", "senior"]
        if fee.basis in {"fee", "balance", "initial"} and fee.of not in known:
            fix = did_you_mean(fee.of, known)
            yield "DEAL-FEE-BASE", (*place, "of"), f"No base {fee.of!r}.", fix
    yield from _circles(deal)


def _circles(deal: Deal) -> Iterator[Fault]:
    base = {fee.name: fee.of for fee in deal.fees if fee.basis == "fee"}
    remaining = {fee.name for fee in deal.fees if fee.basis == "remaining"}
    for number, fee in enumerate(deal.fees):
        way, here = [fee.name], base.get(fee.name)
        while here in base and here not in way:
            way.append(here)
            here = base.get(here)
        if here == fee.name:
            text = f"The fee is reckoned on itself: {' of '.join([*way, fee.name])}."
            fix = "Give one of them another basis, e.g. collections."
            yield "DEAL-FEE-CIRCLE", ("fees", number, "of"), text, fix
        if fee.basis == "fee" and fee.of in remaining:
            text = f"{fee.of} is known only when its step comes, too late for {fee.name}."
            fix = "Give it the basis remaining, or another one."
            yield "DEAL-FEE-CIRCLE", ("fees", number, "of"), text, fix


def _shares(deal: Deal) -> Iterator[Fault]:
    """Percentages that do not add up, and what is left without a holder."""
    code, excess = "DEAL-SHARES-SUM", deal.excess
    names = [*(tranche.name for tranche in deal.classes), "originator", "servicer"]
    if excess.shares is None and excess.residual_holder is None:
        text = "What is left over has no holder."
        yield "DEAL-NO-REMAINDER", ("excess",), text, "Add residual_holder: NAME."
        return
    if excess.shares is not None and (excess.residual_holder or excess.servicer_share):
        fix = "Give shares, or servicer_share with residual_holder."
        yield code, ("excess",), "The rest is split in two ways.", fix
        return
    shares = deal.shares_of_excess()
    for name, share in shares:
        if name not in names:
            fix = did_you_mean(name, names)
            yield "DEAL-UNKNOWN-CLASS", ("excess",), f"No class {name!r}.", fix
        if not 0 <= share <= 1:
            text = f"{name} gets {float(share):.4g} of what is left."
            yield code, ("excess",), text, "Give shares from 0 to 1."
    total = sum((share for _, share in shares), Fraction(0))
    if total != 1:
        text = f"The shares of what is left add up to {float(total):.6g}, not to 1."
        yield code, ("excess", "shares"), text, f"Change one of them by {float(1 - total):+.6g}."
    taken = Fraction(deal.tax.rate) + Fraction(deal.servicing.rate)
    taken += sum((Fraction(f.rate) for f in deal.fees if f.basis == "collections"), Fraction(0))
    if taken > 1:
        text = f"Tax, servicing and fees take {float(taken):.4g} of each yuan collected."
        yield code, ("tax", "rate"), text, "Lower them; together at most 1."
    for place, share in _fractions(deal):
        if not 0 <= share <= 1:
            yield code, place, f"{float(share):.6g} is no share.", "Give a number from 0 to 1."


def _fractions(deal: Deal) -> Iterator[tuple[Place, Fraction]]:
    yield ("retention",), Fraction(deal.retention)
    for number, tranche in enumerate(deal.classes):
        if tranche.retained is not None:
            yield ("classes", number, "retained"), Fraction(tranche.retained)
    for number, fee in enumerate(deal.fees):
        if fee.basis == "remaining":
            yield ("fees", number, "rate"), Fraction(fee.rate)


def _rates(deal: Deal) -> Iterator[Fault]:
    """Rates below nothing; a curve alone may go there."""
    found: list[tuple[Place, object]] = [
        (("tax", "rate"), deal.tax.rate),
        (("servicing", "rate"), deal.servicing.rate),
        (("expenses", "accrual", "rate"), deal.expenses.accrual.rate),
    ]
    found += [(("fees", n, "rate"), fee.rate) for n, fee in enumerate(deal.fees)]
    found += [(("fees", n, "amount"), fee.amount) for n, fee in enumerate(deal.fees)]
    found += [
        (("classes", n, "coupon", "rate"), one.coupon.rate)
        for n, one in enumerate(deal.classes)
        if one.coupon and one.coupon.type == "fixed" and one.coupon.rate is not None
    ]
    if deal.incentive:
        found += [
            (("incentive", "tiers", n, "rate"), tier.rate)
            for n, tier in enumerate(deal.incentive.tiers)
        ]
    for place, rate in found:
        if Fraction(str(rate)) < 0:
            text = f"A rate of {float(Fraction(str(rate))):.4g} is below 0."
            fix = "Give 0 or more; only a floating rate may fall below 0, where its curve does."
            yield "DEAL-NEGATIVE-RATE", place, text, fix


def _classes(deal: Deal) -> Iterator[Fault]:
    names = [tranche.name for tranche in deal.classes]
    if len(set(names)) < len(names):
        yield "DEAL-CLASS-TWICE", ("classes",), "Two classes have one name.", "Rename one."
    for number, tranche in enumerate(deal.classes):
        coupon, place = tranche.coupon, ("classes", number)
        if tranche.name in RESERVED:
            yield "DEAL-NAME-TWICE", place, f"The name {tranche.name!r} is taken.", "Rename it."
        if coupon and coupon.type == "fixed" and coupon.rate is None:
            yield "DEAL-NO-RATE", place, "A fixed coupon has no rate.", "Add rate."
        if coupon and coupon.type == "floating":
            yield from _curve(deal, str(coupon.index), place)
        if tranche.target:
            yield from _target(tranche, (*place, "target"))
        real = {one.name for one in deal.classes if one.role != "notional"}
        if tranche.role == "notional" and (
            not tranche.bears or not tranche.notional_of or set(tranche.notional_of) - real
        ):
            text = "A notional class needs a coupon, and classes on whose balances it is reckoned."
            yield "DEAL-NOTIONAL", place, text, f"Add coupon and notional_of; {_list(sorted(real))}"


def _curve(deal: Deal, index: str, place: Place) -> Iterator[Fault]:
    points = deal.curves.get(index)
    if not points:
        fix = did_you_mean(index, deal.curves) if deal.curves else f"Add it under curves: {index}."
        yield "DEAL-NO-CURVE", place, f"No curve {index!r}.", fix
    elif min(day for day, _ in points) > deal.dates()[0].accrual_start:
        text = f"The curve {index} begins after the closing date."
        yield "DEAL-NO-CURVE", place, text, "Add an earlier point."


def _target(tranche: Tranche, place: Place) -> Iterator[Fault]:
    points = sorted(tranche.target or ())
    amounts = [tranche.face, *(amount for _, amount in points)]
    if any(later > earlier for earlier, later in pairwise(amounts)) or amounts[-1] < 0:
        text = "A target balance rises, or is above the face."
        yield "DEAL-TARGET", place, text, "Let it fall from the face to 0."


def _dates(deal: Deal) -> Iterator[Fault]:
    dates, code = deal.dates(), "DEAL-DATES"
    if deal.closing_date < deal.cutoff_date:
        text = f"Closing ({deal.closing_date}) comes before cut-off ({deal.cutoff_date})."
        fix = "Write the cut-off date first; what is collected between the two belongs to the deal."
        yield code, ("closing_date",), text, fix
    if dates[0].payment_date <= deal.closing_date:
        text = f"The first payment ({dates[0].payment_date}) does not come after closing."
        yield code, ("closing_date",), text, "Put cut-off, closing and first payment in order."
    where: Place = ("periods",) if deal.periods else ("schedule",)
    if any(one.payment_date >= two.payment_date for one, two in pairwise(dates)):
        yield code, where, "Payment dates do not rise.", "Put them in order."
    if any(one.collection_end >= two.collection_start for one, two in pairwise(dates)):
        yield code, where, "Collection periods overlap.", "Let each begin after the last."
    if any(one.collection_end < one.collection_start for one in dates):
        yield code, where, "A collection period ends before it begins.", "Put them in order."
    if any(one.accrual_end < one.accrual_start for one in dates):
        yield code, where, "An accrual period ends before it begins.", "Put them in order."
    if deal.schedule and deal.schedule.first_collection_end > deal.schedule.first_payment:
        text = "The first payment comes before its collections end."
        yield code, ("schedule", "first_payment"), text, "Pay after the collection period."
