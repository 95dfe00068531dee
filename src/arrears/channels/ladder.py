"""The ladder of steps to collect: which of them a loan gets this quarter, by what each adds less what it costs.

A ladder shifts the logit of a payment against usual collecting for a quarter; after it collecting goes on as usual.
Worth as a function of the shift is read off three shifts and laid through them: in exp(shift) past day 91, where
payments are nearly proportional to their odds; in the chance of reaching day 91 before it, where it is linear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import prange

from arrears.channels import cells
from arrears.channels.cells import COUNT, RUNGS, SHAPE
from arrears.channels.situation import Flags, Floats, Situation, Sums
from arrears.conduct import limits
from arrears.core.compiled import njit
from arrears.recovery.forecast import window

Ints = npt.NDArray[np.int64]
TRACE = len(RUNGS)
_SHIFTS = (-0.6, 0.0, 0.7)
_IDLE = _SHIFTS[:2]
_PRICED = ("ladders", "options")
_CALL, _AGENCY, _VISIT = (RUNGS.index(step) for step in ("call", "agency", "visit"))


@dataclass(frozen=True)
class Options:
    """Ladders worth a thought, cell by cell: those of cell c are first[c] to first[c + 1] - 1.

    Attributes:
        shift: of the logit of a payment against usual collecting.
        own: done by own staff, so that no commission is due on what comes meanwhile.
        cost: fen, calls and visits in it.
        asked: the same, with what calls and visits are dearer for being scarce; it decides.
        steps: bits of the steps, bit `TRACE` for a search.
    """

    first: Ints
    shift: Floats
    own: Flags
    cost: Floats
    asked: Floats
    hours: Floats
    visits: Floats
    steps: Ints


@dataclass(frozen=True)
class Ladders:
    """The ladder of each loan (n,); nothing for a loan that is not past due.

    A borrower of several loans is called and visited once for all of them: hours and visits are each loan's part. What
    they cost is judged as if each went alone, so that no loan's way is worth more for the loans beside it.

    Attributes:
        shift: against usual collecting.
        own: no commission on what comes in the quarter.
        cost: fen.
        steps: bits of the steps; -1 where nothing is past due.
    """

    shift: Floats
    own: Flags
    cost: Floats
    hours: Floats
    visits: Floats
    steps: Ints

    @cached_property
    def words(self) -> pl.Series:
        """`text+call+letter`; `none` for a loan that is left alone, null where nothing is past due."""
        masks = np.unique(self.steps)
        told = {int(mask): _words(int(mask)) for mask in masks if mask >= 0}
        return pl.Series("steps", self.steps).replace_strict(
            told, default=None, return_dtype=pl.String
        )


def _words(mask: int) -> str:
    names = [*RUNGS, "trace"]
    found = [name for number, name in enumerate(names) if mask >> number & 1]
    return "+".join(["trace", *found[:-1]] if mask >> TRACE & 1 else found) or "none"


def ladders(situation: Situation) -> Ladders:
    """The best ladder of each loan, past due today, at the costs of the market book."""
    return situation.once("ladders", _ladders)


def _ladders(situation: Situation) -> Ladders:
    found, response = options(situation), responses(situation)
    assert response.early is not None
    place = np.full(len(situation.claim), -1)
    place[response.rows] = np.arange(len(response.rows))
    cell = np.where(situation.overdue, cell_of(situation), -1)
    chosen = _choose(
        found.first,
        _lagrange(found.shift),
        np.exp(-found.shift),
        found.own,
        found.asked,
        cell,
        place,
        situation.commission,
        response.late[:, 0],
        response.late[:, 2],
        response.early[:, 0],
        response.roll,
    )
    there = chosen >= 0
    if situation.held_out is not None:
        # The first ladder of a cell is the one without a step.
        chosen = np.where(there & situation.held_out, found.first[cell], chosen)

    def take(values: npt.NDArray[np.float64]) -> Floats:
        return np.where(there, values[np.maximum(chosen, 0)], 0.0)

    return Ladders(
        shift=take(found.shift),
        own=there & found.own[np.maximum(chosen, 0)],
        cost=take(found.cost),
        hours=situation.part_of_talk * take(found.hours),
        visits=situation.part_of_talk * take(found.visits),
        steps=np.where(there, found.steps[np.maximum(chosen, 0)], -1),
    )


def ladder_table(situation: Situation) -> pl.DataFrame:
    """`loan_id, steps?, adds, hours, visits, cost, own_staff, held_out`: the ladder of each loan, if collected now."""
    taken = ladders(situation)
    held = situation.held_out
    return pl.DataFrame(
        {
            "loan_id": situation.loans["loan_id"],
            "steps": taken.words,
            "adds": taken.shift,
            "hours": taken.hours,
            "visits": taken.visits,
            "cost": taken.cost,
            "own_staff": taken.own,
            "held_out": np.zeros(len(taken.shift), dtype=np.bool_) if held is None else held,
        }
    )


def cell_of(situation: Situation) -> Ints:
    """Cell of each loan (n,)."""
    return situation.once("cells", lambda s: cells.cells(s.loans, s.claim, s.forecast.age, s.days))


def effects(situation: Situation) -> Floats:
    """What each step adds by cell (COUNT, steps): what was learnt from the holder's contacts, else the market's."""
    if situation.steps_add is not None:
        return situation.steps_add
    return situation.once("effects", lambda s: cells.prior(s.market, s.as_of))


def usual(situation: Situation) -> Floats:
    """What the usual steps add together, by cell (COUNT,); collecting not at all takes it away."""
    words = situation.market.numbers("ladder/usual", situation.as_of)
    taken = np.array([words.get(step, 0.0) > 0.0 for step in RUNGS])
    return together(effects(situation), taken, situation.number("ladder/most"))


def together(effect: Floats, taken: Flags, most: float) -> Floats:
    """What several steps add together (cells,): each takes its share of what the others leave of `most`."""
    left = np.prod(1.0 - np.clip(effect[:, taken], 0.0, most) / most, axis=1)
    total: Floats = most * (1.0 - left)
    return total


def options(situation: Situation) -> Options:
    """Ladders of each cell that cost less or bring more than any other, own staff and agencies apart."""
    return situation.once("options", _options)


def _options(situation: Situation) -> Options:
    effect, most = effects(situation), situation.number("ladder/most")
    as_usual = usual(situation)
    contact = np.unravel_index(np.arange(COUNT), SHAPE)[1]
    hours, prices = call_hours(situation)[contact], _prices(situation)
    traced = _traced(situation, effect)
    rows = []
    for mask in _masks():
        taken = np.array([bool(mask >> rung & 1) for rung in range(len(RUNGS))])
        searched = bool(mask >> TRACE & 1)
        total = together(traced if searched else effect, taken, most)
        cost = prices[: len(RUNGS)][taken].sum() + searched * prices[TRACE]
        dialled = hours * taken[_CALL]
        cost = cost + dialled * situation.number("channels/call_hour_cost")
        rows.append((mask, total - as_usual, cost, dialled, float(taken[_VISIT])))
    barred = cells.too_early(situation.market, situation.as_of)
    return _frontiers(rows, situation.scarce, barred)


def _masks() -> list[int]:
    """All sets of steps; an agency takes the place of own calls and visits."""
    whole = range(1 << (len(RUNGS) + 1))
    own = (1 << _CALL) | (1 << _VISIT)
    return [mask for mask in whole if not (mask >> _AGENCY & 1 and mask & own)]


def _frontiers(
    rows: list[tuple[int, Floats, Floats, Floats, float]], scarce: Mapping[str, float], barred: Ints
) -> Options:
    """Of each cell the ladders that no cheaper one equals, cheapest first.

    Args:
        barred: bits of the steps that a cell does not get (cells,).
    """
    masks = np.array([row[0] for row in rows])
    shift, cost, hours = (np.stack([row[k] for row in rows]) for k in (1, 2, 3))
    visits = np.array([row[4] for row in rows])
    asked = cost + hours * scarce.get("call_hours", 0.0)
    asked += visits[:, None] * scarce.get("visits", 0.0)
    agency = (masks >> _AGENCY & 1).astype(np.bool_)
    kept: list[tuple[int, int]] = []
    first = [0]
    for cell in range(COUNT):
        may = masks & barred[cell] == 0
        for group in (np.flatnonzero(may & ~agency), np.flatnonzero(may & agency)):
            order = group[np.lexsort((masks[group], -shift[group, cell], asked[group, cell]))]
            best = np.maximum.accumulate(shift[order, cell])
            rises = np.concatenate([[True], best[1:] > best[:-1] + 1e-9])
            kept += [(cell, int(place)) for place in order[rises]]
        first.append(len(kept))
    cell_, place = np.array(kept).T
    return Options(
        first=np.array(first),
        shift=shift[place, cell_],
        own=~agency[place],
        cost=cost[place, cell_],
        asked=asked[place, cell_],
        hours=hours[place, cell_],
        visits=visits[place],
        steps=masks[place].astype(np.int64),
    )


def call_hours(situation: Situation) -> Floats:
    """Hours of the rung `call` by contact status, no more than the lawful dials take (FACTS 7.1)."""
    words = situation.market.numbers("channels/call_hours", situation.as_of)
    hours = np.array([words[word] for word in cells.CONTACTS])
    dials = limits(situation.rulebook, situation.as_of).max_dials
    if dials is None:
        return hours
    days, minutes = (situation.number(f"ladder/dial_{name}") for name in ("days", "minutes"))
    capped: Floats = np.minimum(hours, dials * days * minutes / 60.0)
    return capped


def _prices(situation: Situation) -> Floats:
    """Cost of each step and of a search, fen; calls go by the hour, agencies by commission."""
    words = situation.market.numbers("ladder/step_cost", situation.as_of)
    own = {"visit": situation.number("channels/visit_cost")}
    steps = [own.get(step, words.get(step, 0.0)) for step in RUNGS]
    return np.array([*steps, situation.number("ladder/trace_cost")])


def _traced(situation: Situation, effect: Floats) -> Floats:
    """What each step adds after a search (COUNT, steps): one who is found is as one who can be reached."""
    found = situation.market.numbers("ladder/traced", situation.as_of)
    grid = effect.reshape(*SHAPE, len(RUNGS)).copy()
    there = grid[:, cells.CONTACTS.index("reachable")].copy()
    for word, chance in found.items():
        place = cells.CONTACTS.index(word)
        grid[:, place] += chance * np.maximum(there - grid[:, place], 0.0)
    flat: Floats = grid.reshape(effect.shape)
    return flat


@dataclass(frozen=True)
class Responses:
    """Cash of each loan under shifts of a quarter: worth, cash, worth and cash of that quarter alone.

    Attributes:
        rows: loans past day 91 (k,).
        late: of these, at the three shifts (3, 4, k).
        early: worth and cash of all loans, usual and at the first shift (2, 2, n), which say what those before it pay,
            without such a quarter; None where all are older.
        roll: chance of reaching day 91 in these two (2, n).
    """

    rows: Ints
    late: Floats
    early: Floats | None
    roll: Floats

    def at(self, shift: Floats) -> Floats:
        """All four under a shift of each loan (4, n)."""
        found = np.zeros((4, len(shift)))
        if self.early is not None:
            found[:2] = _by_roll(self.early[0], self.early[1], _share(self.roll, shift))
        low, usual, high = _lagrange(shift[self.rows]).T
        for column, (down, here, up) in enumerate(self.late.transpose(1, 0, 2)):
            found[column, self.rows] = low * down + usual * here + high * up
        return found


def responses(situation: Situation) -> Responses:
    """What shifts of a quarter do to each loan."""
    return responses_at(situation, 0)


def responses_at(situation: Situation, later: int) -> Responses:
    """The same for loans so many months older; those before day 91 have no later quarter."""
    return situation.once(f"responses_{later}", lambda s: _responses_at(s, later))


def repriced(situation: Situation, scarce: Mapping[str, float]) -> Situation:
    """The same situation, in which ladders are chosen at other prices of calls and visits."""
    kept = {name: found for name, found in situation._once.items() if name not in _PRICED}
    made = replace(situation, scarce=scarce, _once=kept)
    # What a situation has worked out of itself knows of no prices.
    for name in vars(situation).keys() - vars(made).keys():
        vars(made)[name] = vars(situation)[name]
    return made


def _responses_at(situation: Situation, later: int) -> Responses:
    rate, months = situation.rate, int(situation.number("ladder/months"))
    weights = np.stack(
        [window(rate, 0), window(0.0, 0), window(rate, 0, months), window(0.0, 0, months)]
    )
    early = None if later else _in_columns(np.stack([s[:, :2] for s in before_91(situation)]))
    rows, late = _late(situation, weights, months, later=later)
    return Responses(rows, _in_columns(late), early, rolls(situation))


def _in_columns(values: Floats) -> Floats:
    """(a, n, F) as (a, F, n), which is read column by column."""
    turned: Floats = np.ascontiguousarray(values.transpose(0, 2, 1))
    return turned


def idle(situation: Situation, start: int) -> Sums:
    """Cash if nobody collects until a month, and then as usual; a sound borrower pays as ever."""
    return situation.once(f"idle_{start}", lambda s: _idle_until(s, start))


def _idle_until(situation: Situation, start: int) -> Sums:
    shift = np.where(situation.overdue, -usual(situation)[cell_of(situation)], 0.0)
    rows, late = _late(situation, situation.weights, start, nodes=_IDLE)
    laid = _lagrange(shift[rows], _IDLE)
    values = _by_roll(*before_91(situation), _share(rolls(situation), shift)[:, None])
    values[rows] = sum(late[node] * laid[:, node, None] for node in range(len(_IDLE)))
    return Sums(values)


def before_91(situation: Situation) -> tuple[Floats, Floats]:
    """Usual sums (n, columns of `Situation.weights`), and those of loans before day 91 at the first shift."""
    return situation.collected.values, situation.once("before_91", _before_91)


def _before_91(situation: Situation) -> Floats:
    forecast = situation.forecast
    odd = replace(forecast, due=replace(forecast.due, roll=rolls(situation)[1]))
    return odd.voluntary(situation.weights)


def rolls(situation: Situation) -> Floats:
    """Chance of reaching day 91, usual and at the first shift (2, n)."""
    return situation.once("rolls", _rolls)


def _rolls(situation: Situation) -> Floats:
    roll = situation.forecast.due.roll
    return np.stack([roll, _roll(roll, np.full(len(roll), _SHIFTS[0]))])


def _roll(roll: Floats, shift: Floats) -> Floats:
    odds = roll * np.exp(-shift)
    moved: Floats = odds / (odds + 1.0 - roll)
    return moved


def _share(roll: Floats, shift: Floats) -> Floats:
    """How far a shift moves the chance of reaching day 91 (n,): 1 at the first shift."""
    span = roll[1] - roll[0]
    moved = _roll(roll[0], shift) - roll[0]
    share: Floats = np.divide(moved, span, out=np.zeros_like(span), where=span > 0)
    return share


def _by_roll(usual: Floats, moved: Floats, share: Floats) -> Floats:
    """Between the two sums in proportion to the chance of reaching day 91."""
    part = moved - usual
    part *= share
    part += usual
    return part


def _late(
    situation: Situation,
    weights: Floats,
    months: int,
    *,
    later: int = 0,
    nodes: tuple[float, ...] = _SHIFTS,
) -> tuple[Ints, Floats]:
    """Loans past day 91 (k,), and their sums `later` months older, if the score shifts for `months` (shifts, k, F)."""
    forecast = situation.forecast
    rows = situation.late
    age, score, claim = forecast.age[rows] + later, forecast.score[rows], forecast.claim[rows]
    found = []
    for shift in nodes:
        moved = replace(forecast, age=age, score=score + shift, claim=claim)
        until = months if shift else 0
        found.append(moved.voluntary(weights, shift=-shift, from_month=until, past_only=True))
    return rows, np.stack(found)


def _lagrange(shift: Floats, at: tuple[float, ...] = _SHIFTS) -> Floats:
    """Weights of the shifts `at` that lay a polynomial in exp(shift) through them (n, shifts)."""
    place, nodes = np.exp(shift), np.exp(np.array(at))
    parts = []
    for node in range(len(nodes)):
        others = [other for other in range(len(nodes)) if other != node]
        gaps = [(place - nodes[other]) / (nodes[node] - nodes[other]) for other in others]
        parts.append(np.prod(gaps, axis=0))
    return np.stack(parts, axis=1)


@njit(cache=True, parallel=True)
def _choose(  # noqa: PLR0917 - a compiled kernel takes its arrays by position
    first: Ints,
    laid: Floats,
    odds: Floats,
    own: Flags,
    cost: Floats,
    cell: Ints,
    late: Ints,
    commission: Floats,
    worth: Floats,
    quarter: Floats,
    early: Floats,
    roll: Floats,
) -> Ints:
    """Number of the option that is worth most of each loan (n,), of equals the first; -1 where nothing is past due.

    Args:
        cell: (n,), -1 where nothing is past due.
        laid: (m, 3) weights of the three shifts; odds: (m,) factor on the odds of reaching day 91.
        late: (n,) the place of a loan past day 91 in `worth` and `quarter`, else -1.
        worth, quarter: (3, k) worth of all cash and of the quarter's under the three shifts.
        early, roll: (2, n).
    """
    chosen = np.full(len(cell), -1)
    for loan in prange(len(cell)):
        if cell[loan] < 0:
            continue
        best, keeps = -np.inf, 1.0 - commission[loan]
        for option in range(first[cell[loan]], first[cell[loan] + 1]):
            net = -cost[option]
            if late[loan] >= 0:
                for node in range(3):
                    net += laid[option, node] * keeps * worth[node, late[loan]]
                    if own[option]:
                        net += laid[option, node] * commission[loan] * quarter[node, late[loan]]
            else:
                span, chance = roll[1, loan] - roll[0, loan], roll[0, loan]
                moved = chance * odds[option] / (chance * odds[option] + 1.0 - chance)
                part = (moved - chance) / span if span > 0.0 else 0.0
                net += keeps * (early[0, loan] + part * (early[1, loan] - early[0, loan]))
            if net > best:
                best, chosen[loan] = net, option
    return chosen
