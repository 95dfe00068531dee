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
from arrears.standing.limitation import limitation_ends
from arrears.standing.repair import credit_repair
from arrears.tape.columns import CLASSES

_CAUSES = {
    "days": "days past due",
    "card": "card matrix",
    "impaired": "credit impairment",
    "ecl": "provision over claim",
    "fraud": "card obtained by fraud",
    "restructured_2007": "under observation",
    "relapse_2007": "overdue again under observation",
    "restructured_2023": "under observation",
    "restructured_npl_2023": "non-performing before restructuring",
    "rerestructured_2023": "restructured again under observation",
}


@dataclass(frozen=True)
class Step:
    """A rule, its article, the value that it read, and what it gave."""

    rule: str
    article: str
    value: str
    result: object


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
    stage = [article for article in stands["articles"] if article.startswith("IFRS9")]
    value = f"{days} days past due, {stands['five_tier'] or 'no class'}"
    steps.append(Step("stage", ", ".join(stage) or "IFRS9-5.5.5", value, stands["stage"]))
    ends = limitation_ends(loan, as_of=as_of, rulebook=rulebook, events=events)[0]
    judged = row["judgment_date"]
    path = "cn/limitation/enforcement_years" if judged else "cn/limitation/years"
    cited = rulebook.cite(path, as_of)
    value = f"{cited.value} years" + (f" from the judgment of {judged}" if judged else "")
    steps.append(Step("limitation_ends", cited.article, value, ends.isoformat() if ends else None))
    repair = credit_repair(loan, as_of=as_of, rulebook=rulebook, months=months)[0]
    cited = rulebook.cite("cn/credit_repair/max_amount", as_of)
    value = f"{days} days past due; at most {cited.value} fen overdue"
    steps.append(Step("credit_repair", cited.article, value, repair))
    return steps


def _class_steps(row: dict[str, Any], stands: dict[str, Any], as_of: date) -> list[Step]:
    """Regime, each floor that applies, and the class."""
    days = row["days_past_due"]
    steps = [
        Step(
            "regime",
            row["regime"],
            f"originated {row['origination_date'] or 'on an unknown day'}, cut-off {as_of}",
            row["regime"],
        )
    ]
    for cause, words in _CAUSES.items():
        level = row[f"floor_{cause}"]
        if level > 0:
            value = f"{days} days past due" if cause in {"days", "card"} else words
            article = row[f"article_{cause}"]
            steps.append(Step(f"floor: {words}", article, value, f"at least {CLASSES[level]}"))
    rests = ", ".join(article for article in stands["articles"] if not article.startswith("IFRS9"))
    value = "the most severe floor" if len(steps) > 1 else "no floor applies"
    return [*steps, Step("five_tier", rests, value, stands["five_tier"])]


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
    steps = [Step("regime", first, f"compared by {rulebook.name}", stands["regime"])]
    for words, (holds, article) in found.items():
        if table.select(holds=holds)["holds"][0]:
            steps.append(Step(f"cause: {words}", article, words, "bad"))
    rests = ", ".join(dict.fromkeys(step.article for step in steps))
    value = "a cause applies" if len(steps) > 1 else "no cause applies"
    return [*steps, Step("five_tier", rests, value, stands["five_tier"])]
