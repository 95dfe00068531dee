"""The hidden-state model: parameters, what they say of histories, and how expected counts renew them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from arrears.standing.hidden import kernels, prior
from arrears.standing.hidden import words as w
from arrears.standing.hidden.coded import PRODUCTS, Coded

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_P, _S = len(PRODUCTS), len(prior.STATES)
_HUGE = 5.0
_REPLICAS = 32
AUDITED = ("not looked into", "not hidden", "hidden")


@dataclass(frozen=True)
class Params:
    """Parameters; tables by product and state, the bad states' being common to all products.

    Attributes:
        days, pay: (p, s, 7, 6) and (p, s, 8, 7), by the code of the month before.
        act: (p, s, 2, 8), by whether acts were seen before.
        timing: (p, s, 4). outside: (s, 2).
        start: (p, 3) sound, strained, bad.
        falls, straight, recovers, fails: (p,) chances a month; cures, dressed, lapses, mends: common ones.
        sector, region, slot: factors on every turn for the worse.
        keeps, kept_at_start: (branches,) share of loans turned bad that a branch keeps from showing.
        common, common_at_start: their means over branches.
    """

    days: Floats
    pay: Floats
    act: Floats
    timing: Floats
    outside: Floats
    start: Floats
    falls: Floats
    straight: Floats
    recovers: Floats
    fails: Floats
    cures: float
    dressed: float
    lapses: float
    mends: float
    sector: Floats
    region: Floats
    slot: Floats
    keeps: Floats
    kept_at_start: Floats
    common: float
    common_at_start: float

    @staticmethod
    def first(histories: Coded) -> Params:
        """Where every fit starts: the tables of `prior`."""
        branches = len(histories.names["branch"])

        def rows(table: Floats, before: int) -> Floats:
            return np.tile(table[None, :, None, :], (_P, 1, before, 1))

        def each(chance: float) -> Floats:
            return np.full(_P, chance)

        return Params(
            days=np.tile(prior.DAYS, (_P, 1, 1, 1)),
            pay=np.tile(prior.PAY, (_P, 1, 1, 1)),
            act=rows(prior.ACT, 2),
            timing=np.tile(prior.TIMING, (_P, 1, 1)),
            outside=prior.OUTSIDE.copy(),
            start=np.tile(prior.START, (_P, 1)),
            falls=each(prior.FALLS),
            straight=each(prior.STRAIGHT_BAD),
            recovers=each(prior.RECOVERS),
            fails=each(prior.FAILS),
            cures=prior.CURES,
            dressed=prior.DRESSED,
            lapses=prior.LAPSES,
            mends=prior.MENDS,
            sector=np.ones(len(histories.names["sector"])),
            region=np.ones(len(histories.names["region"])),
            slot=np.ones(int(histories.slot.max()) + 1),
            keeps=np.full(branches, prior.KEPT_SHARE),
            kept_at_start=np.full(branches, prior.KEPT_SHARE),
            common=prior.KEPT_SHARE,
            common_at_start=prior.KEPT_SHARE,
        )


@dataclass(frozen=True)
class Layout:
    """Histories laid out for the kernel: cells of equal transitions, and groups of lanes."""

    histories: Coded
    cells: Ints
    cell: Ints
    order: Ints
    starts: Ints
    lasts: Ints
    cuts: Ints

    @staticmethod
    def of(histories: Coded) -> Layout:
        """Cells are product, sector, region and branch; a small number of them is cut up to keep all cores busy."""
        key = histories.product
        for values in (histories.sector, histories.region, histories.branch):
            key = key * (int(values.max()) + 1) + values
        unique, cell = np.unique(key, return_inverse=True)
        if len(unique) < _REPLICAS:
            part = np.arange(len(cell)) * _REPLICAS // max(len(cell), 1)
            unique, cell = np.unique(cell * _REPLICAS + part, return_inverse=True)
        cell = cell.astype(np.int64)
        ones = np.zeros(len(unique), dtype=np.int64)
        ones[cell] = np.arange(len(cell))
        which = np.stack(
            [
                v[ones]
                for v in (histories.product, histories.sector, histories.region, histories.branch)
            ]
        )
        groups = kernels.grouped(cell, histories.last, histories.length)
        return Layout(histories, which, cell, *groups)


@dataclass(frozen=True)
class Counts:
    """What a pass over the histories expects: moves by cell and slot, states by code, at start and end, likelihood."""

    moves: Floats
    rows: Floats
    start: Floats
    end: Floats
    likelihood: float


def emission(params: Params, rows: npt.NDArray[np.int16]) -> Floats:
    """Likelihood (u, s) of what each different loan-month shows, in each state; what is unknown says nothing."""
    product, days_before, days, pay_before, pay, told, act, timing, look_before, look = (
        rows.T.astype(np.int64)
    )
    ones = np.ones((_P, _S, 7, 1))
    by_days = np.concatenate([params.days, ones], axis=3)
    by_pay = np.concatenate([np.ones((_P, _S, 8, 1)), params.pay], axis=3)
    by_look = np.concatenate([prior.LOOK, np.ones((_S, 4, 1))], axis=2)
    return np.ascontiguousarray(
        by_days[product, :, days_before, days]
        * by_pay[product, :, pay_before, pay]
        * params.act[product, :, told, act]
        * params.timing[product, :, timing]
        * by_look[:, look_before, look].T
    )


def transitions(params: Params, cells: Ints) -> tuple[Floats, Floats]:
    """States at the start (cells, s) and moves (cells, slots, s, s) of each cell."""
    product, _, _, branch = cells
    factor = factors(params, cells)
    keeps = params.keeps[branch][:, None]
    moves = np.zeros((*factor.shape, _S, _S))
    falls = params.falls[product][:, None] * factor
    straight = params.straight[product][:, None] * factor
    fails = np.minimum(params.fails[product][:, None] * factor, 0.19)
    moves[:, :, 0, 1] = falls
    moves[:, :, 0, 2] = straight * (1.0 - keeps)
    moves[:, :, 0, 3] = straight * keeps
    moves[:, :, 0, 0] = 1.0 - falls - straight
    moves[:, :, 1, 0] = params.recovers[product][:, None]
    moves[:, :, 1, 2] = fails * (1.0 - keeps)
    moves[:, :, 1, 3] = fails * keeps
    moves[:, :, 1, 1] = 1.0 - moves[:, :, 1, 0] - fails
    moves[:, :, 2, 1] = params.cures
    moves[:, :, 2, 3] = params.dressed * keeps
    moves[:, :, 2, 2] = 1.0 - params.cures - moves[:, :, 2, 3]
    moves[:, :, 3, 1] = params.mends
    moves[:, :, 3, 2] = params.lapses
    moves[:, :, 3, 3] = 1.0 - params.mends - params.lapses
    start = np.empty((len(product), _S))
    at_start = params.kept_at_start[branch]
    start[:, :2] = params.start[product, :2]
    start[:, 2] = params.start[product, 2] * (1.0 - at_start)
    start[:, 3] = params.start[product, 2] * at_start
    return start, moves


def factors(params: Params, cells: Ints) -> Floats:
    """Factor (cells, slots) on turns for the worse, by sector, region and quarter."""
    still = params.sector[cells[1]] * params.region[cells[2]]
    return np.asarray(np.clip(still[:, None] * params.slot, 1.0 / _HUGE, _HUGE))


def ends(params: Params) -> Floats:
    """What multiplies the last month (9, s): trouble outside the loan, and what an inspection found."""
    outside = np.vstack([np.ones(_S), params.outside.T])
    found = np.ones((3, _S))
    found[1, prior.KEPT] = 1e-4
    found[2, : prior.SHOWN] = 1e-4
    return (outside[:, None, :] * found[None, :, :]).reshape(9, _S)


def expect(
    params: Params,
    layout: Layout,
    *,
    weight: Floats,
    audited: Ints,
    gamma: npt.NDArray[np.float32] | None = None,
    learn: bool = True,
) -> Counts:
    """One pass of forward and backward over all histories (h,).

    Args:
        audited: of each history, the place in `AUDITED`.
        gamma: (t, s) takes the posterior of every month, where it is asked for.
    """
    at = layout.histories
    start, moves = transitions(params, layout.cells)
    edges = np.empty((len(at.first), 2, _S))
    moved, seen, likely = kernels.posterior(
        (0,) * _S,
        at.code,
        at.first,
        at.length,
        layout.order,
        layout.starts,
        layout.lasts,
        layout.cuts,
        at.slot,
        layout.cell,
        emission(params, at.rows),
        start,
        moves,
        ends(params),
        at.outside * 3 + audited,
        weight,
        np.empty((0, _S), dtype=np.float32) if gamma is None else gamma,
        edges,
        learn,
    )
    begin = edges[:, 0] * weight[:, None]
    return Counts(moved, seen.sum(axis=0), begin, edges[:, 1], float(likely.sum()))


def _summed(place: npt.NDArray[np.integer], values: npt.NDArray[np.floating], size: int) -> Floats:
    """Sums (size,) of values by their place, in order."""
    return np.bincount(place, weights=values, minlength=size).astype(np.float64)


def renewed(params: Params, counts: Counts, layout: Layout, *, weight: Floats) -> Params:
    """The parameters that make what was expected most likely, each held by what the prior weighs."""
    days, pay, act, timing, outside = _tables(counts, layout, weight)
    new = replace(params, days=days, pay=pay, act=act, timing=timing, outside=outside)
    return _moves(new, counts, layout)


def _shares(counts: Floats, before: Floats, weight: Floats) -> Floats:
    """Shares along the last axis, `before` weighing `weight`."""
    whole = counts + before * weight
    return np.asarray(whole / whole.sum(axis=-1, keepdims=True))


def _tables(counts: Counts, layout: Layout, weight: Floats) -> tuple[Floats, ...]:
    product, days_before, days, pay_before, pay, told, act, timing = layout.histories.rows[
        :, :8
    ].T.astype(np.int64)

    def summed(*keys: tuple[Ints, int]) -> Floats:
        """Expected loan-months (p, s, ...) by these codes; the bad states pool their products."""
        place, shape = product, [_P]
        for values, size in keys:
            place, shape = place * size + values, [*shape, size]
        by_state = [_summed(place, counts.rows[:, s], int(np.prod(shape))) for s in range(_S)]
        table = np.stack(by_state).reshape(_S, *shape).swapaxes(0, 1)
        table[:, prior.SHOWN :] = table[:, prior.SHOWN :].sum(axis=0)
        return table

    row = (prior.WEIGHT / 4.0)[None, :, None, None]
    by_act = (prior.WEIGHT / 2.0)[None, :, None, None]
    new_act = _shares(summed((told, 2), (act, 8)), prior.ACT[None, :, None, :], by_act)
    least = prior.TELLS * new_act[:, prior.SOUND, :, list(prior.TELLING)]
    for place, code in enumerate(prior.TELLING):
        new_act[:, prior.KEPT, :, code] = np.maximum(new_act[:, prior.KEPT, :, code], least[place])
    new_act /= new_act.sum(axis=-1, keepdims=True)
    outside = np.stack(
        [
            (counts.end * (weight * (layout.histories.outside == code))[:, None]).sum(axis=0)
            for code in (w.OUTSIDE.index("clean"), w.OUTSIDE.index("strained"))
        ],
        axis=1,
    )
    new_days = _shares(
        summed((days_before, 7), (days, 7))[..., :6],
        prior.DAYS[None],
        prior.DAYS_WEIGHT[None, :, None, None],
    )
    # Past day 90 a loan shows: a strained one may be there and come back, a sound one is never there. Days of the bad
    # states are not learnt: they are what tells a loan that is kept from one that openly falls behind.
    new_days[:, prior.SHOWN :] = prior.DAYS[prior.SHOWN :]
    late, low = prior.DAYS[None, prior.SOUND, :, 5:], new_days[:, prior.SOUND, :, :5]
    new_days[:, prior.SOUND, :, :5] = low / low.sum(axis=-1, keepdims=True) * (1.0 - late)
    new_days[:, prior.SOUND, :, 5:] = late
    new_pay = _shares(summed((pay_before, 8), (pay, 8))[..., 1:], prior.PAY[None], row)
    new_timing = _shares(summed((timing, 4)), prior.TIMING[None], prior.WEIGHT[None, :, None])
    new_outside = _shares(outside, prior.OUTSIDE, prior.WEIGHT[:, None] / 2.0)
    return new_days, new_pay, new_act, new_timing, new_outside


def _chance(moved: Floats, exposed: Floats, usual: float) -> Floats:
    """Chances (p,) of a move: each product's own, held by that of all, which is held by `usual`."""
    weight = prior.MOVES_WEIGHT
    common = (moved.sum() + weight * usual) / (exposed.sum() + weight)
    return np.asarray((moved + weight * common) / (exposed + weight))


def _moves(params: Params, counts: Counts, layout: Layout) -> Params:
    """Chances of moves, the factors on them, and what each branch keeps from showing."""
    product, sector, region, branch = layout.cells
    moved = counts.moves
    exposed = moved.sum(axis=3)
    worse = moved[:, :, 0, 1:].sum(axis=2) + moved[:, :, 1, 2:].sum(axis=2)
    usual = exposed[:, :, 0] * (params.falls + params.straight)[product][:, None]
    usual += exposed[:, :, 1] * params.fails[product][:, None]
    for name, level in (("sector", sector), ("region", region), ("slot", None)):
        had = getattr(params, name)
        expected = usual * factors(params, layout.cells)
        sums = [
            x.sum(axis=0) if level is None else _summed(level, x.sum(axis=1), len(had))
            for x in (worse, expected)
        ]
        new = had * (sums[0] + prior.LEVEL_WEIGHT) / (sums[1] + prior.LEVEL_WEIGHT)
        params = replace(params, **{name: np.clip(new, 0.2, _HUGE)})
    factor = factors(params, layout.cells)

    def by_product(values: Floats) -> Floats:
        return _summed(product, values.sum(axis=1), _P)

    at_risk, strained = by_product(exposed[:, :, 0] * factor), by_product(exposed[:, :, 1] * factor)
    whole = moved.sum(axis=(0, 1))

    def common(origin: int, to: int, usual: float) -> float:
        exposure = whole[origin].sum() + prior.MOVES_WEIGHT
        return float((whole[origin, to] + usual * prior.MOVES_WEIGHT) / exposure)

    begins = np.zeros((_P, 3))
    np.add.at(begins, layout.histories.product, np.column_stack(
        [counts.start[:, 0], counts.start[:, 1], counts.start[:, 2:].sum(axis=1)]
    ))  # fmt: skip
    bad = moved[:, :, :2, 2:].sum(axis=(1, 2))
    keeps = _keeps(
        _summed(branch, bad[:, 1], len(params.keeps)),
        _summed(branch, bad[:, 0], len(params.keeps)),
    )
    of_loan = layout.histories.branch
    at_start = _keeps(
        _summed(of_loan, counts.start[:, 3], len(params.keeps)),
        _summed(of_loan, counts.start[:, 2], len(params.keeps)),
    )
    return replace(
        params,
        falls=np.minimum(_chance(by_product(moved[:, :, 0, 1]), at_risk, prior.FALLS), 0.1),
        straight=np.minimum(
            _chance(by_product(moved[:, :, 0, 2:].sum(axis=2)), at_risk, prior.STRAIGHT_BAD), 0.02
        ),
        fails=_chance(by_product(moved[:, :, 1, 2:].sum(axis=2)), strained, prior.FAILS),
        recovers=np.minimum(
            _chance(by_product(moved[:, :, 1, 0]), by_product(exposed[:, :, 1]), prior.RECOVERS),
            prior.MOST_RECOVERS,
        ),
        cures=common(2, 1, prior.CURES),
        dressed=common(2, 3, prior.DRESSED) / max(keeps[1], 0.05),
        lapses=min(common(3, 2, prior.LAPSES), prior.MOST_LAPSES),
        mends=min(common(3, 1, prior.MENDS), prior.MOST_MENDS),
        start=_shares(begins, prior.START, np.full((_P, 1), prior.START_WEIGHT)),
        keeps=keeps[0],
        common=keeps[1],
        kept_at_start=at_start[0],
        common_at_start=at_start[1],
    )


def _keeps(kept: Floats, shown: Floats) -> tuple[Floats, float]:
    """Share kept by each branch, held by the share of all branches, which is held by `prior.KEPT_SHARE`."""
    weight = prior.BRANCH_WEIGHT
    common = (kept.sum() + weight * prior.KEPT_SHARE) / (kept.sum() + shown.sum() + weight)
    return np.asarray((kept + weight * common) / (kept + shown + weight)), float(common)


def held(params: Params) -> float:
    """Log of the prior at these parameters, without constants: what a fit is held by besides the likelihood."""
    row = prior.WEIGHT / 4.0
    total = (prior.DAYS[None] * np.log(params.days) * prior.DAYS_WEIGHT[:, None, None]).sum()
    total += (prior.PAY[None] * np.log(params.pay) * row[:, None, None]).sum()
    total += (prior.ACT[None, :, None] * np.log(params.act) * 2 * row[:, None, None]).sum()
    total += (prior.TIMING[None] * np.log(params.timing) * prior.WEIGHT[:, None]).sum()
    return float(total)
