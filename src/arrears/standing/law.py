"""The part of the law that a class rests on, read once for a cut-off date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from arrears.rules import Rulebook
from arrears.tape.columns import CLASSES

CLASS_2007, CLASS_2023 = "CN-CLASS-2007", "CN-CLASS-2023"
SEVERITY = {word: number for number, word in enumerate(CLASSES)}
NPL = CLASSES[2:]
PERFORMING, NON_PERFORMING = "performing", "non_performing"


@dataclass(frozen=True)
class Floor:
    """A class below which a loan may not be classed, and the article; None where it is not in force."""

    level: int
    article: str


@dataclass(frozen=True)
class Law:
    """Floors by days and for each cause, as levels: 0 normal to 4 loss.

    Attributes:
        by_days: (from days past due, level), rising.
        card: the same for credit cards; empty before its time.
        by_ecl: (from provision over claim, level), rising.
        new_rules_from: loans originated then or later fall under the 2023 Measures.
        legacy: whether older loans are still classed by the 2007 Guidelines on the cut-off date.
    """

    by_days_2007: tuple[tuple[float, int], ...]
    by_days_2023: tuple[tuple[float, int], ...]
    card: tuple[tuple[float, int], ...]
    card_article: str
    by_ecl: tuple[tuple[float, int], ...]
    impaired: Floor
    fraud_card: Floor | None
    restructured_2007: Floor
    relapse_2007: Floor
    restructured_2023: Floor | None
    restructured_npl_2023: Floor | None
    rerestructured_2023: Floor | None
    observation_months_2007: int
    observation_days_2023: int
    new_rules_from: date
    legacy: bool
    stage2_days: int
    stage3_days: int

    @classmethod
    def of(cls, book: Rulebook, day: date) -> Law:
        """The law of `book` on a day.

        Raises:
            NotInForce: the book does not speak for that day.
        """
        root = "cn/classification/"

        def floor(name: str) -> Floor | None:
            value = book.leaf(root + name).in_force(day)
            return Floor(level(str(value.value)), value.article) if value else None

        def certain(name: str) -> Floor:
            cited = book.cite(root + name, day)
            return Floor(level(str(cited.value)), cited.article)

        days = book.at_or_none(root + "observation_days_2023", day)
        card = book.leaf(root + "card_matrix").in_force(day)
        return cls(
            by_days_2007=steps(book.at(root + "floors_2007", day)),
            by_days_2023=steps(book.at_or_none(root + "floors_2023", day)),
            card=steps(card.value if card else None),
            card_article=card.article if card else "",
            by_ecl=steps(book.at_or_none(root + "ecl_floors", day)),
            impaired=certain("impaired_floor"),
            fraud_card=floor("fraud_card_floor"),
            restructured_2007=certain("restructured_floor_2007"),
            relapse_2007=certain("relapse_floor_2007"),
            restructured_2023=floor("restructured_floor_2023"),
            restructured_npl_2023=floor("restructured_npl_floor_2023"),
            rerestructured_2023=floor("rerestructured_floor"),
            observation_months_2007=int(book.number(root + "observation_months_2007", day)),
            observation_days_2023=int(str(days)) if days is not None else 0,
            new_rules_from=book.day_of(root + "new_rules_from", day),
            legacy=day <= book.day_of(root + "legacy_until", day),
            stage2_days=int(book.number("cn/stage/backstop_stage2_days", day)),
            stage3_days=int(book.number("cn/stage/backstop_stage3_days", day)),
        )


def level(word: str) -> int:
    """0 for normal to 4 for loss."""
    return CLASSES.index(word)


def steps(table: object) -> tuple[tuple[float, int], ...]:
    """Rows [from, class] as (from, level); none where the table is not in force."""
    rows = table if isinstance(table, list) else []
    return tuple((float(start), level(word)) for start, word in rows)
