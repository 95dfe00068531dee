"""Rounds of a plan: packages that do not pay are closed, and a plan by other offers stops once it cannot be better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arrears import run
from arrears.channels import COLUMNS
from arrears.plan import Capacity, Unreachable, make_better_plan, make_plan, packages

LIMITS = (Capacity(name="court_filings", max=20), Capacity(name="call_hours", max=600))


@pytest.fixture(scope="module")
def offers(tmp_path_factory, root):
    place = tmp_path_factory.mktemp("rounds")
    recipe = root / "examples/eastern_bank/recipe.yaml"
    run.synth(run.SynthRequest(loans=4_000, months=1, recipe=recipe, seed=11), out=place / "book")
    holder = str(root / "examples/eastern_bank/holder.yaml")
    request = run.Request(str(place / "book/loans.csv"), holder=holder, scenarios=5)
    found = run.resolve(request).offers
    # So that in a small book some packages hold their own.
    cheap = {
        way: replace(
            terms, fixed_cost=terms.fixed_cost / 20.0, minimum_claim=terms.minimum_claim / 20.0
        )
        for way, terms in found.pools.items()
    }
    return replace(found, pools=cheap)


@pytest.fixture(scope="module")
def made(offers):
    found = make_plan(offers.situation, offers, LIMITS)
    assert not isinstance(found, Unreachable)
    return found


def test_every_package_of_a_plan_holds_its_own(made) -> None:
    offers, column = made.offers, made.column
    pools = packages.numbered(offers)
    rows = np.arange(len(column))
    taken = pools[rows, column]
    ways = [k for k, (channel, _) in enumerate(COLUMNS) if channel not in offers.packages]
    for number in np.unique(taken[taken >= 0]):
        mine = taken == number
        terms = offers.pools[COLUMNS[number // packages.PER_OFFER][0]]
        assert offers.situation.claim[mine].sum() >= terms.minimum_claim
        gain = offers.value[rows, column] - np.nanmax(offers.value[:, ways], axis=1)
        assert gain[mine].sum() >= terms.fixed_cost
    assert (taken >= 0).any()
    assert made.closed
    assert not made.closed & set(taken.tolist())


def test_the_same_offers_again_are_the_same_plan(offers, made) -> None:
    again = make_better_plan(made, offers, by=0.9)
    assert not isinstance(again, Unreachable)
    assert again is not None
    assert (again.column == made.column).all()
    assert (again.value, again.bound) == (made.value, made.bound)


def test_a_plan_that_is_no_better_is_none(offers, made) -> None:
    assert make_better_plan(made, offers, by=1.0) is None
    assert make_better_plan(made, offers, by=2.0) is None


def test_packages_that_hold_their_own_stay_open(offers, made) -> None:
    rows = np.arange(len(made.column))
    taken = packages.numbered(offers)[rows, made.column]
    held = frozenset(taken[taken >= 0].tolist())
    assert held
    told = replace(made, closed=made.closed | held)
    again = make_better_plan(told, offers, by=0.9)
    assert again is not None
    assert not isinstance(again, Unreachable)
    assert again.value == pytest.approx(made.value, rel=1e-6)
    assert not again.closed & held
