"""A deal run on collections: all scenarios at once, in chunks that bound the memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from arrears.deals import kernels as k
from arrears.deals.deal import Deal
from arrears.deals.interpreter import run_code
from arrears.deals.kernels import Ints
from arrears.deals.program import Program, compiled

CHUNK = 8_192


@dataclass(frozen=True)
class Run:
    """What happened in S scenarios on T payment dates, whole fen.

    Attributes:
        kept: slots that were asked for, by their place in `values`.
        values: after each date (T, kept, S); of no meaning after a scenario's final date.
        ends: every slot after each scenario's final date (slots, S).
        finals: number of that date, from 0 (S,).
        moves: movements by column of `program.moves` (T, columns, S); no columns where none were asked for.
    """

    program: Program
    kept: dict[int, int]
    values: Ints
    ends: Ints
    finals: Ints
    moves: Ints

    @property
    def scenarios(self) -> int:
        """How many."""
        return int(self.ends.shape[1])

    def of(self, slot: int) -> Ints:
        """A slot after each date (T, S); 0 after a scenario's final date."""
        found: Ints = np.where(self.alive, self.values[:, self.kept[slot]], 0)
        return found

    @property
    def alive(self) -> np.ndarray:
        """Whether a scenario is still running on a date (T, S)."""
        return np.arange(len(self.values))[:, None] <= self.finals[None, :]


def slots_of_classes(program: Program) -> list[int]:
    """What tables and answers need: classes, who is paid, inflows, reserve."""
    found = [k.CREDITED, k.CALL, k.RESERVE_OPEN, k.RESERVE, k.MODE]
    for one in program.classes.values():
        found += [one.balance, one.base, one.principal, one.interest.due, one.interest.paid]
    for ledger in (*program.ledgers.values(), *program.over.values()):
        found.append(ledger.paid)
    return list(dict.fromkeys([*found, *program.takers.values()]))


def run_deal(
    deal: Deal | Program,
    collections: Ints,
    *,
    keep: Sequence[int] | None = None,
    moves: bool = False,
) -> Run:
    """Run all scenarios.

    Args:
        collections: gross collections (T, S), fen; negative where reversals outweigh.
        keep: slots to keep of each date; what tables and answers need, where left out.
        moves: keep every movement.

    Raises:
        ArithmeticError: cash was not conserved, which is a fault of ours.
    """
    program = deal if isinstance(deal, Program) else compiled(deal)
    kept = slots_of_classes(program) if keep is None else list(keep)
    width = len(program.moves) if moves else 0
    gross = np.ascontiguousarray(collections, dtype=np.int64)
    values, ends, finals, moved, wrong = run_code(
        program.code, gross, np.array(kept, np.int64), width
    )
    if wrong.any():
        raise ArithmeticError("cash in and cash out differ")
    places = {slot: place for place, slot in enumerate(kept)}
    return Run(program, places, values, ends, finals, moved)


def in_chunks(
    deal: Deal | Program,
    collections: Ints,
    *,
    chunk: int = CHUNK,
    keep: Sequence[int] | None = None,
    moves: bool = False,
) -> Iterator[tuple[slice, Run]]:
    """Runs of `chunk` scenarios at most, in order, so that memory is bounded whatever their number."""
    program = deal if isinstance(deal, Program) else compiled(deal)
    for first in range(0, collections.shape[1], chunk):
        part = slice(first, min(first + chunk, collections.shape[1]))
        yield part, run_deal(program, collections[:, part], keep=keep, moves=moves)
