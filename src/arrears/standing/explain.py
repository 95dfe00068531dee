"""Why a loan stands where it does, rule by rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from arrears.rules import Rulebook
from arrears.standing.classify import classify, floors
from arrears.standing.comparators import causes
from arrears.standing.law import Law
from arrears.standing.limitation import limitation_ends, starts
from arrears.standing.repair import credit_repair
from arrears.tape.columns import CLASSES

_ROOT = "cn/classification/"
_CAUSES = {
    "days": ("days past due", ()),
    "card": ("card matrix", ("card_matrix",)),
    "impaired": ("credit impairment", ("impaired_floor",)),
    "ecl": ("provision over claim", ("ecl_floors",)),
    "fraud": ("card obtained by fraud", ("fraud_card_floor",)),
    "restructured_2007": (
        "under observation",
        ("restructured_floor_2007", "observation_months_2007"),
    ),
    "relapse_2007": ("overdue again under observation", ("relapse_floor_2007",)),
    "restructured_2023": (
        "under observation",
        ("restructured_floor_2023", "observation_days_2023"),
    ),
    "restructured_npl_2023": (
        "non-performing before restructuring",
        ("restructured_npl_floor_2023", "observation_days_2023"),
    ),
    "rerestructured_2023": ("restructured again under observation", ("rerestructured_floor",)),
}
_STARTS = {
    "maturity": "maturity",
    "first_unpaid": "the first unpaid due date",
    "demand": "the last demand",
    "payment": "the last payment",
    "event": "the last event that interrupts it",
    "judgment": "the judgment",
}
_REPAIR = ("from", "until", "arisen_from", "arisen_until", "max_amount")


@dataclass(frozen=True)
class Step:
    """A rule, its article, the value that it read, and what it gave.

    Attributes:
        rests_on: the values of the rulebook that it read.
    """

    rule: str
    article: str
    value: str
    result: object
    rests_on: tuple[str, ...] = ()


def explain(
    loan: pl.DataFrame,
    *,
    as_of: date,
    rulebook: Rulebook,
    months: pl.DataFrame | None = None,
    events: pl.DataFrame | None = None,
) -> list[Step]:
    """The steps that lead to class, stage, regime, limitation and credit repair of one loan (one row).

    Raises:
        NotInForce: the rulebook does not speak for `as_of`.
    """
    stands = classify(loan, as_of=as_of, rulebook=rulebook, months=months, events=events).row(
        0, named=True
    )
    row = loan.row(0, named=True)
    days = row["days_past_due"]
    if rulebook.standard == "cn":
        law = Law.of(rulebook, as_of)
        seen = floors(loan, as_of=as_of, law=law, months=months, events=events).row(0, named=True)
        steps = _class_steps(seen, stands, as_of)
    else:
        steps = _standard_steps(loan, stands, as_of=as_of, rulebook=rulebook, events=events)
    return [
        *steps,
        _stage_step(days, stands, rulebook),
        _limitation_step(loan, as_of=as_of, rulebook=rulebook, events=events),
        _repair_step(loan, as_of=as_of, rulebook=rulebook, months=months),
    ]


def _stage_step(days: object, stands: dict[str, Any], rulebook: Rulebook) -> Step:
    articles = [article for article in stands["articles"] if article.startswith("IFRS9")]
    root = (
        "ifrs9/default/stage{}_days"
        if rulebook.standard == "ifrs9"
        else "cn/stage/backstop_stage{}_days"
    )
    value = f"{days} days past due, {stands['five_tier'] or 'no class'}"
    rests = tuple(root.format(number) for number in (2, 3))
    return Step("stage", ", ".join(articles) or "IFRS9-5.5.5", value, stands["stage"], rests)


def _limitation_step(
    loan: pl.DataFrame, *, as_of: date, rulebook: Rulebook, events: pl.DataFrame | None
) -> Step:
    """Which day it runs from, and for how long."""
    ends = limitation_ends(loan, as_of=as_of, rulebook=rulebook, events=events)[0]
    days = starts(loan, as_of=as_of, rulebook=rulebook, events=events).row(0, named=True)
    judged = days.pop("judgment")
    name, start = (
        ("judgment", judged)
        if judged
        else max(
            ((name, day) for name, day in days.items() if day),
            key=lambda one: one[1],
            default=("", None),
        )
    )
    path = "cn/limitation/enforcement_years" if judged else "cn/limitation/years"
    cited = rulebook.cite(path, as_of)
    told = f"{cited.value} years from {_STARTS[name]}, {start}" if start else "no day is known"
    passed = "; passed by the cut-off date" if ends and ends < as_of else ""
    rests = (path,) if judged else (path, "cn/limitation/interrupts")
    result = ends.isoformat() if ends else None
    return Step("limitation_ends", cited.article, told + passed, result, rests)


def _repair_step(
    loan: pl.DataFrame, *, as_of: date, rulebook: Rulebook, months: pl.DataFrame | None
) -> Step:
    """Whether paying up now still hides the overdue, and the dates and the amount that decide it."""
    repair = credit_repair(loan, as_of=as_of, rulebook=rulebook, months=months)[0]
    cited = {name: rulebook.cite(f"cn/credit_repair/{name}", as_of) for name in _REPAIR}
    days = loan["days_past_due"][0]
    value = (
        f"{days} days past due on {as_of}; asked are at most {cited['max_amount'].value} fen, overdue since "
        f"{cited['arisen_from'].value} to {cited['arisen_until'].value}, "
        f"paid from {cited['from'].value} to {cited['until'].value}"
    )
    rests = tuple(citation.path for citation in cited.values())
    return Step("credit_repair", cited["max_amount"].article, value, repair, rests)


def _class_steps(row: dict[str, Any], stands: dict[str, Any], as_of: date) -> list[Step]:
    """Regime, each floor that applies, and the class, which the most severe of them makes."""
    days = row["days_past_due"]
    by_days: tuple[str, ...] = (_ROOT + ("floors_2007" if row["legacy"] else "floors_2023"),)
    steps = [
        Step(
            "regime",
            row["regime"],
            f"originated {row['origination_date'] or 'on an unknown day'}, cut-off {as_of}",
            row["regime"],
            (_ROOT + "new_rules_from", _ROOT + "legacy_until"),
        )
    ]
    worst = max(row[f"floor_{cause}"] for cause in _CAUSES)
    decides: tuple[str, ...] = by_days if worst == 0 else ()
    for cause, (words, leaves) in _CAUSES.items():
        level = row[f"floor_{cause}"]
        if level > 0:
            value = f"{days} days past due" if cause in {"days", "card"} else words
            article = row[f"article_{cause}"]
            rests = by_days if cause == "days" else tuple(_ROOT + leaf for leaf in leaves)
            steps.append(
                Step(f"floor: {words}", article, value, f"at least {CLASSES[level]}", rests)
            )
            decides += rests if level == worst else ()
    rests_on = ", ".join(
        article for article in stands["articles"] if not article.startswith("IFRS9")
    )
    value = "the most severe floor" if len(steps) > 1 else f"{days} days past due, no floor applies"
    return [*steps, Step("five_tier", rests_on, value, stands["five_tier"], decides)]


def _standard_steps(
    loan: pl.DataFrame,
    stands: dict[str, Any],
    *,
    as_of: date,
    rulebook: Rulebook,
    events: pl.DataFrame | None,
) -> list[Step]:
    """The standard, each cause that makes the loan bad by it, and the class."""
    table, found = causes(loan, as_of=as_of, rulebook=rulebook, events=events)
    first = next(iter(found.values()))[1]
    leaves = tuple(path for path in rulebook.paths() if path.startswith(f"{rulebook.standard}/"))

    def of(article: str) -> tuple[str, ...]:
        return tuple(path for path in leaves if rulebook.value(path, as_of).article == article)

    steps = [Step("regime", first, f"compared by {rulebook.name}", stands["regime"])]
    for words, (holds, article) in found.items():
        if table.select(holds=holds)["holds"][0]:
            steps.append(Step(f"cause: {words}", article, words, "bad", of(article)))
    rests = ", ".join(dict.fromkeys(step.article for step in steps))
    value = "a cause applies" if len(steps) > 1 else "no cause applies"
    decides = tuple(dict.fromkeys(path for step in steps for path in step.rests_on)) or of(first)
    return [*steps, Step("five_tier", rests, value, stands["five_tier"], decides)]
