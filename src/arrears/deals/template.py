"""The usual Chinese deal from a few terms: bad-loan securities in two classes, or a trust of income rights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from arrears.core.dates import add_months
from arrears.deals.deal import Deal
from arrears.deals.kernels import Ints
from arrears.deals.sizing import Stress, size
from arrears.deals.tables import cash_table, place
from arrears.errors import BadArgument

_FIRST, _EVERY, _PAID_AFTER = 6, 3, 26
_LEAST = 1_000_000


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


def deal_file(terms: Terms, faces: dict[str, int]) -> dict[str, object]:
    """The deal file, as YAML holds it."""
    after = terms.cutoff + timedelta(days=1)
    begins = after if after.day == 1 else terms.cutoff
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
        "cutoff_date": terms.cutoff,
        "closing_date": add_months(terms.cutoff, terms.closes_after),
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


def sized_file(
    terms: Terms, cash: np.ndarray, *, senior: float, junior: float, stress: Stress
) -> tuple[dict[str, object], Deal, Ints]:
    """The usual deal with classes as large as their chances of falling short allow.

    Args:
        cash: gross collections (S, months), whole fen.
        senior, junior: those chances; units take the second one, without stress.

    Returns:
        The file, the deal, and the collections by payment date (T, S).
    """
    securities = terms.kind == "securities"
    expected = max(int(cash.sum(axis=1).mean()), _LEAST)
    first = {"Senior": expected // 2, "Sub": expected // 8} if securities else {"Units": expected}
    bare = Deal.model_validate(deal_file(terms, first))
    placed, problems = place(bare, cash_table(cash))
    if placed is None:
        raise BadArgument(problems[0].line())
    gross, names = placed.collections, placed.names
    asked = {"Senior": senior} if securities else {}
    faces: dict[str, int] = {}
    if securities:
        faces["Senior"] = _whole(size(bare, gross, names, asked=asked, stress=stress)[0].face)
    last = "Sub" if securities else "Units"
    fixed = Deal.model_validate(deal_file(terms, first | faces))
    found = size(fixed, gross, names, asked={last: junior}, stress=Stress(), faces=faces)
    faces[last] = _whole(found[-1].face)
    body = deal_file(terms, faces)
    return body, Deal.model_validate(body), gross


def _whole(face: int) -> int:
    """Down to ten thousand yuan, and not nothing."""
    return max(face // _LEAST * _LEAST, _LEAST)


def _text(rate: float) -> str:
    """A rate as a file holds it, six digits."""
    return f"{rate:.6f}".rstrip("0").rstrip(".") or "0"
