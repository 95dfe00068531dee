"""The usual Chinese deal from a few terms: bad-loan securities in two classes, or a trust of income rights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from arrears.core.dates import add_months
from arrears.deals.deal import Deal
from arrears.deals.engine import run_deal
from arrears.deals.kernels import Ints
from arrears.deals.program import Program, compiled
from arrears.deals.results import days_from_closing, flows_of
from arrears.deals.sizing import Stress, at_faces, largest, size
from arrears.deals.tables import cash_table, place
from arrears.deals.yields import worth
from arrears.errors import BadArgument

_FIRST, _EVERY, _PAID_AFTER = 6, 3, 26
_LEAST = 1_000_000
_ROUNDS = 2
_LAST_DAY = 28


@dataclass(frozen=True)
class Terms:
    """What the usual deal is made of.

    Attributes:
        months: of collections that belong to it, from the cut-off date; 6 or more, a multiple of 3.
        closes_after: months from cut-off to closing, fewer than 6.
        servicing: share of collections that collecting costs.
        expenses: of the issue, a year.
    """

    name: str
    kind: str
    pool: str
    originator: dict[str, object]
    cutoff: date
    months: int
    closes_after: int
    coupon: float
    tax: float
    servicing: float
    expenses: float
    reserve_multiple: float
    servicer_excess: float
    retention: float


def cutoff_of(day: date) -> date:
    """The cut-off date for a tape of a day: itself, or the end of its month from the 29th on, so that months fit."""
    first = day.replace(day=1)
    return add_months(first, 1) - timedelta(days=1) if day.day > _LAST_DAY else day


def deal_file(terms: Terms, faces: dict[str, int]) -> dict[str, object]:
    """The deal file, as YAML holds it."""
    cutoff = cutoff_of(terms.cutoff)
    after = cutoff + timedelta(days=1)
    begins = after if after.day == 1 else cutoff
    ends = add_months(begins, _FIRST) - timedelta(days=1)
    securities = terms.kind == "securities"
    issue = sum(faces.values())
    body: dict[str, object] = {
        "name": terms.name,
        "kind": terms.kind,
        "pool": terms.pool,
        "investors": "institutions",
        "parties": {"originator": terms.originator, "servicer": {"name": "the originator"}},
        "retention": _text(terms.retention) if securities else "0",
        "cutoff_date": cutoff,
        "closing_date": add_months(cutoff, terms.closes_after),
        "schedule": {
            "first_collection_end": ends,
            "first_payment": ends + timedelta(days=_PAID_AFTER),
            "every_months": _EVERY,
            "payments": (terms.months - _FIRST) // _EVERY + 1,
            "calendar": {"convention": "following"},
        },
        "tax": {"rate": _text(terms.tax)},
        "servicing": {"rate": _text(terms.servicing)},
        "expenses": {
            "accrual": {"type": "rate_on_initial", "base": issue, "rate": _text(terms.expenses)}
        },
    }
    if securities:
        coupon = {"type": "fixed", "rate": _text(terms.coupon)}
        senior = {"name": "Senior", "role": "senior", "face": faces["Senior"]}
        body["classes"] = [
            senior | {"interest_on_unpaid": True, "coupon": coupon},
            {"name": "Sub", "role": "sub", "face": faces["Sub"]},
        ]
        body["reserve"] = {"type": "multiple", "multiple": _text(terms.reserve_multiple)}
        body["excess"] = {
            "servicer_share": _text(terms.servicer_excess),
            "residual_holder": "Sub",
        }
        body["triggers"] = {"event_of_default": "missed_senior_interest"}
        paid = ["senior_interest", "reserve", "senior_principal", "sub_principal", "excess"]
        body["waterfall"] = {
            "normal": ["tax", "expenses_capped", "servicing", *paid],
            "post_enforcement": ["tax", "expenses_all", "servicing", paid[0], *paid[2:]],
        }
    else:
        body["classes"] = [{"name": "Units", "role": "units", "face": faces["Units"]}]
        body["excess"] = {"residual_holder": "Units"}
        body["waterfall"] = {
            "normal": ["tax", "expenses_capped", "servicing", "unit_capital", "excess"]
        }
    return body


@dataclass(frozen=True)
class Asked:
    """What the usual deal's classes must stand.

    Attributes:
        shortfall: chance of falling short that the senior class may have under `stress`.
        stress: what is taken off collections for it, and for what the last class is paid for.
        last_yield: what investors in the class below ask a year; of income rights, in the units.
    """

    shortfall: float
    stress: Stress
    last_yield: float


@dataclass(frozen=True)
class Built:
    """A deal with its file and its cash.

    Attributes:
        body: the file, as YAML holds it.
        cash: collections by scenario and month (S, months), fen.
        gross: collections by payment date (T, S), fen.
    """

    body: dict[str, object]
    deal: Deal
    cash: Ints
    gross: Ints


def sized_file(terms: Terms, cash: np.ndarray, asked: Asked) -> Built:
    """The usual deal: the senior class as large as its chance of falling short allows, the class below as large as
    investors pay par for.

    Args:
        cash: gross collections (S, months), whole fen, of which some are above 0.
    """
    securities = terms.kind == "securities"
    expected = int(cash.sum(axis=1).mean())
    # Down to ten thousand yuan; a thousandth of what comes in, where that is less.
    unit = min(_LEAST, max(expected // 1_000, 1))
    last = "Sub" if securities else "Units"
    faces = {"Senior": unit, "Sub": unit} if securities else {"Units": unit}
    bare = Deal.model_validate(deal_file(terms, faces))
    placed, problems = place(bare, cash_table(cash))
    if placed is None:
        raise BadArgument(problems[0].line())
    gross = placed.collections
    # What the trust costs grows with the issue, which is not known before it is sized.
    for _ in range(_ROUNDS):
        program = compiled(bare)
        if securities:
            chance = {"Senior": asked.shortfall}
            found = size(
                program,
                gross,
                placed.names,
                asked=chance,
                stress=asked.stress,
                faces=faces,
                unit=unit,
            )
            faces["Senior"] = max(found[0].face, unit)
        held = asked.stress.on(gross)
        faces[last] = _at_par(program, held, last, faces=faces, rate=asked.last_yield, unit=unit)
        body = deal_file(terms, faces)
        bare = Deal.model_validate(body)
    return Built(body, bare, cash, gross)


def _at_par(
    laid_out: Program, gross: Ints, last: str, *, faces: dict[str, int], rate: float, unit: int
) -> int:
    """The largest face of a class that its expected cash is worth at a yield, fen; one unit at least."""

    def holds(units: int) -> bool:
        program = at_faces(laid_out, faces | {last: units * unit})
        flows = flows_of(run_deal(program, gross), last).mean(axis=1)
        return worth(flows, days_from_closing(program) / 365.0, rate) >= units * unit

    return largest(holds, 1, max(int(gross.sum(axis=0).max()) // unit, 1) + 1) * unit


def _text(rate: float) -> str:
    """A rate as a file holds it, six digits."""
    return f"{rate:.6f}".rstrip("0").rstrip(".") or "0"
