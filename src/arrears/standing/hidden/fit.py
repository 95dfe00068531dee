"""Fitting by expectation and maximisation, from several starts; and parameters drawn around the best fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from arrears.core.rng import generator
from arrears.standing.hidden import model, prior
from arrears.standing.hidden.coded import Coded
from arrears.standing.hidden.model import Layout, Params

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STARTS = (1.0, 0.3, 3.0)
"""Each start takes so many times the usual chance of turning bad."""
TRIAL, MOST = 8, 60
NEAR = 1e-3
FIT_ON = 20_000
PARAMS, STEPS = 20, 3
"""Parameters are drawn so often, each by so many steps on reweighted loans."""


@dataclass(frozen=True)
class Fit:
    """The fit.

    Attributes:
        likelihoods: penalised log-likelihood of each start after its trial, and of the best at its end.
        steps: of the best start.
    """

    params: Params
    likelihoods: tuple[float, ...]
    steps: int
    loans: int


def fit(histories: Coded, audited: Ints, *, seed: int, starts: int = len(STARTS)) -> Fit:
    """The parameters most likely by histories (h,) and audits; on a sample where there are very many.

    Args:
        audited: of each history, the place in `model.AUDITED`; looked-into loans are always in the sample.
    """
    chosen = sampled(len(histories.loan), audited, seed)
    part, seen = histories.of(chosen), audited[chosen]
    layout, ones = Layout.of(part), np.ones(len(chosen))
    tried = []
    for number, times in enumerate(STARTS[:starts]):
        params = _jittered(Params.first(part), times, generator(seed, "hidden", "start", number))
        for _ in range(TRIAL):
            params, reached, _ = _step(params, layout, ones, audited=seen)
        tried.append((reached, number, params))
    reached, _, params = max(tried, key=lambda entry: entry[0])
    steps, bad, near = TRIAL, 0.0, 0
    while steps < MOST and near < 3:
        before = bad
        params, reached, bad = _step(params, layout, ones, audited=seen)
        steps += 1
        near = near + 1 if abs(bad - before) < NEAR * bad else 0
    if len(chosen) < len(histories.loan):
        params = _on_all(params, histories, audited)
    likelihoods = (*(entry[0] for entry in tried), reached)
    return Fit(params, likelihoods, steps, len(chosen))


def sampled(count: int, audited: Ints, seed: int) -> Ints:
    """Histories that the fit runs on, sorted."""
    if count <= FIT_ON:
        return np.arange(count)
    rank = generator(seed, "hidden", "sample").random(count)
    rank[audited > 0] = -1.0
    return np.sort(np.argpartition(rank, FIT_ON)[:FIT_ON])


def _step(
    params: Params, layout: Layout, weight: Floats, *, audited: Ints
) -> tuple[Params, float, float]:
    """Parameters one step on, how likely the ones before were, and how many loan-months they held for bad."""
    counts = model.expect(params, layout, weight=weight, audited=audited)
    reached = counts.likelihood + model.held(params)
    bad = float(counts.rows[:, prior.SHOWN :].sum())
    return model.renewed(params, counts, layout, weight=weight), reached, bad


def _jittered(params: Params, times: float, g: np.random.Generator) -> Params:
    """A start of its own: tables of the kept state moved a little, chances of turning bad by `times`."""

    def moved(table: Floats) -> Floats:
        new = table.copy()
        shake = np.exp(g.normal(0.0, 0.2, table[0, prior.KEPT].shape))
        new[:, prior.KEPT] *= shake
        new[:, prior.KEPT] /= new[:, prior.KEPT].sum(axis=-1, keepdims=True)
        return new

    start = params.start.copy()
    start[:, 2] *= times
    start[:, 0] = 1.0 - start[:, 1:].sum(axis=1)
    return replace(
        params,
        pay=moved(params.pay),
        act=moved(params.act),
        timing=moved(params.timing),
        straight=params.straight * times,
        start=start,
    )


def _on_all(params: Params, histories: Coded, audited: Ints) -> Params:
    """Branches, sectors and products of a fit made on a sample, from all histories."""
    layout, ones = Layout.of(histories), np.ones(len(histories.loan))
    for _ in range(2):
        counts = model.expect(params, layout, weight=ones, audited=audited)
        new = model.renewed(params, counts, layout, weight=ones)
        params = replace(
            new,
            days=params.days,
            pay=params.pay,
            act=params.act,
            timing=params.timing,
            outside=params.outside,
        )
    return params


def drawn(params: Params, histories: Coded, audited: Ints, *, seed: int) -> Iterator[Params]:
    """Parameters as other books of the same kind would have given them (Bayesian bootstrap over loans)."""
    chosen = sampled(len(histories.loan), audited, seed)
    part, seen = histories.of(chosen), audited[chosen]
    layout = Layout.of(part)
    for number in range(PARAMS):
        weight = generator(seed, "hidden", "weights", number).exponential(size=len(chosen))
        near = params
        for _ in range(STEPS):
            near, _, _ = _step(near, layout, weight, audited=seen)
        yield near
