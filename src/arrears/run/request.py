"""What a user asks of a verb that takes a tape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from arrears.errors import BadArgument

TABLES = ("loans", "payments", "months", "events", "contacts")
_FILES = (*TABLES, "map", "holder", "capacity", "previous", "letter", "audit", "model")


@dataclass(frozen=True)
class Request:
    """The tape, the law and the settings of a run, as the user typed them.

    Attributes:
        holder: a file, or the word for a kind of holder.
        as_of: cut-off date; None where the tape says it.
        reforms: files, applied in this order.
        previous: `plan.parquet` of an earlier run, whose ways are left only where that pays.
        letter: own text of an offer of new terms.
        audit: loans that somebody has looked into, and whether they were hidden.
        model: what `fit` has left; None for the market prior.
        excel_all: every loan in the workbook, not only the first 20,000.
        holdout: share of the loans that get no step to collect, so that steps can be measured against them.
        stress: name of a change of the market, under which everything is forecast.
    """

    loans: str
    payments: str | None = None
    months: str | None = None
    events: str | None = None
    contacts: str | None = None
    map: str | None = None
    holder: str = "joint_stock_bank"
    as_of: date | None = None
    rulebook: str = "cn"
    reforms: tuple[str, ...] = ()
    seed: int = 0
    capacity: str | None = None
    previous: str | None = None
    letter: str | None = None
    audit: str | None = None
    scenarios: int = 1000
    excel_all: bool = False
    holdout: float = 0.0
    stress: str | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        if self.scenarios < 1:
            raise BadArgument(
                f"{self.scenarios} scenarios.",
                where="--scenarios",
                why="A range needs at least one.",
                fix="Give a number such as 1000.",
            )
        if not 0.0 <= self.holdout < 1.0:
            raise BadArgument(
                f"A share of {self.holdout:g} held out.",
                where="--holdout",
                why="Those loans get no step to collect.",
                fix="Give a share such as 0.05.",
            )

    def files(self) -> dict[str, str]:
        """Path as typed of every input that is a file, by the name it has in the run record."""
        named = {name: getattr(self, name) for name in _FILES}
        if not is_file_name(self.holder):
            del named["holder"]
        named |= {f"reform_{number}": path for number, path in enumerate(self.reforms, start=1)}
        return {name: path for name, path in named.items() if path is not None}

    def with_files(self, files: dict[str, str]) -> Request:
        """The same request with its files elsewhere; `files` is keyed as by `files()`."""
        numbers = range(1, len(self.reforms) + 1)
        return replace(
            self,
            loans=files["loans"],
            payments=files.get("payments"),
            months=files.get("months"),
            events=files.get("events"),
            contacts=files.get("contacts"),
            map=files.get("map"),
            holder=files.get("holder", self.holder),
            capacity=files.get("capacity"),
            previous=files.get("previous"),
            letter=files.get("letter"),
            audit=files.get("audit"),
            model=files.get("model"),
            reforms=tuple(files[f"reform_{number}"] for number in numbers),
        )


def is_file_name(holder: str) -> bool:
    """Whether `--holder` names a file rather than a kind."""
    return Path(holder).suffix.lower() in {".yaml", ".yml"} or "/" in holder or "\\" in holder
