"""How large the senior classes may be for a given chance of falling short, and which step sets the limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from arrears.deals.builder import LARGEST
from arrears.deals.deal import Deal
from arrears.deals.engine import in_chunks
from arrears.deals.kernels import Ints
from arrears.deals.program import Program, compiled
from arrears.deals.steps import STEPS

_TOLD = 100


@dataclass(frozen=True)
class Stress:
    """What collections suffer before a class is sized.

    Attributes:
        haircut: share taken off what comes in.
        delay: payment dates by which everything comes later; what then falls behind the last date is lost.
    """

    haircut: Fraction = Fraction(0)
    delay: int = 0

    def on(self, collections: Ints) -> Ints:
        """Stressed collections (T, S), fen; reversals are not made smaller."""
        held = np.zeros_like(collections)
        held[self.delay :] = collections[: len(collections) - self.delay]
        p, q = (1 - self.haircut).as_integer_ratio()
        whole, rest = held // q, held % q
        return np.where(held > 0, whole * p + rest * p // q, held)


@dataclass(frozen=True)
class Sized:
    """A class as large as it may be.

    Attributes:
        face: fen; 0 where even the smallest falls short too often.
        shortfall: chance of falling short at that size.
        binding_step: the step whose due stays unpaid if it were a fen larger.
        scenarios: numbers of those that fall short then, the first 100.
    """

    name: str
    face: int
    asked: float
    shortfall: float
    binding_step: str | None
    scenarios: tuple[int, ...]
    falls_short: int


def sized_deal(deal: Deal, faces: Mapping[str, int]) -> Deal:
    """The deal with other faces."""
    classes = tuple(
        one.model_copy(update={"face": faces.get(one.name, one.face)}) for one in deal.classes
    )
    return deal.model_copy(update={"classes": classes})


def at_faces(program: Program, faces: Mapping[str, int]) -> Program:
    """A deal that is laid out already, with other faces.

    It is laid out anew only where more than opening balances rests on them: targets, and fees on initial faces.
    """
    deal = sized_deal(program.deal, faces)
    if any(one.target for one in deal.classes) or any(fee.basis == "initial" for fee in deal.fees):
        return compiled(deal)
    classes = {one.name: replace(program.classes[one.name], tranche=one) for one in deal.classes}
    start = program.code.start.copy()
    for one in classes.values():
        if one.tranche.role != "notional":
            start[one.balance] = one.tranche.face
    return replace(program, deal=deal, code=program.code._replace(start=start), classes=classes)


def size(
    deal: Deal | Program,
    collections: Ints,
    names: Ints,
    *,
    asked: Mapping[str, float],
    stress: Stress,
    faces: Mapping[str, int] | None = None,
    unit: int = 1,
) -> list[Sized]:
    """The largest face of each class, one after another, the earlier ones at their size.

    The chance of falling short is taken to grow with the face; the size found is exact to the unit: one unit more
    falls short too often.

    Args:
        asked: chance of falling short that each class may have, the most senior first.
        faces: of classes that are settled already.
        unit: faces are multiples of it, fen.
    """
    stressed = stress.on(collections)
    found: list[Sized] = []
    program = deal if isinstance(deal, Program) else compiled(deal)
    faces = {**(faces or {}), **dict.fromkeys(asked, 1)}
    for name, chance in asked.items():
        case = _Case(program, stressed, name, faces, unit)
        face = case.largest(chance)
        faces = {**faces, name: max(face, 1)}
        found.append(_told(case, names, chance=chance, face=face))
    return found


@dataclass(frozen=True)
class _Case:
    """A class under stress, the others at their size."""

    program: Program
    stressed: Ints
    name: str
    faces: Mapping[str, int]
    unit: int

    def at(self, face: int) -> Program:
        """The deal with the class at a face."""
        return at_faces(self.program, {**self.faces, self.name: max(face, 1)})

    def largest(self, chance: float) -> int:
        """The largest face that falls short with this chance at most, fen; 0 where none does."""
        paid = np.maximum(self.stressed, 0).sum(axis=0)
        most = int(paid.max(initial=0)) + self.program.deal.reserve.initial
        allowed = int(chance * self.stressed.shape[1] + 1e-9)

        def holds(units: int) -> bool:
            short = falls_short(self.at(units * self.unit), self.stressed, self.name)
            return int(short.sum()) <= allowed

        above = min(max(most, 1), LARGEST // 4) // self.unit + 1
        return largest(holds, 0, above) * self.unit


def largest(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The largest number from `low`, which is taken to hold, that does below `high`, which is taken not to.

    Whatever holds is taken to do so for every smaller number.
    """
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def falls_short(program: Program, collections: Ints, name: str) -> np.ndarray:
    """Whether a class is not paid in full by the final date (S,)."""
    return np.asarray(_ends(program, collections, name).any(axis=0))


def _ends(program: Program, collections: Ints, name: str) -> np.ndarray:
    """Whether principal, and whether interest, stays unpaid (2, S)."""
    one = program.classes[name]
    slots = (one.balance, one.interest.due)
    parts = [
        np.stack([run.ends[slot] > 0 for slot in slots])
        for _, run in in_chunks(program, collections, keep=[])
    ]
    return np.concatenate(parts, axis=1)


def _told(case: _Case, names: Ints, *, chance: float, face: int) -> Sized:
    name, stressed = case.name, case.stressed
    principal, interest = _ends(case.at(face + case.unit), stressed, name)
    short = principal | interest
    now = falls_short(case.at(face), stressed, name)
    fresh = short & ~now if face else short
    shown = fresh if fresh.any() else short
    step = None
    if short.any():
        kind = "PRINCIPAL" if (principal & shown).sum() >= (interest & shown).sum() else "INTEREST"
        step = _step_for(case.program.deal, name, kind)
    listed: Sequence[int] = names[short][:_TOLD].tolist()
    share = float(now.mean()) if face else 0.0
    return Sized(name, face, chance, share, step, tuple(listed), int(short.sum()))


def _step_for(deal: Deal, name: str, kind: str) -> str | None:
    """The step of the normal order that pays a class's principal or interest."""
    role = next(one.role for one in deal.classes if one.name == name)
    for step in deal.waterfall.normal:
        roles = getattr(STEPS[step.word], kind)
        if role in roles or ("named" in roles and name in step.names):
            return step.label
    return None
