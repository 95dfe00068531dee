"""Plans with packages against the exact optimum: a mixed-integer programme in which each package opens or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from arrears import run
from arrears.channels import Offers
from arrears.plan import Capacity, Unreachable, make_plan, packages
from arrears.plan.capacities import uses_of

LOANS = 150
LIMITS = {
    "hours": [Capacity(name="call_hours", max=3)],
    "a suit": [Capacity(name="court_filings", max=1), Capacity(name="call_hours", max=15)],
    "a floor": [
        Capacity(name="transfer_claim", min=150_000_00),
        Capacity(name="call_hours", max=15),
    ],
}


@pytest.fixture(scope="module", params=[2, 6])
def offers(request, tmp_path_factory, root):
    place = tmp_path_factory.mktemp("exact")
    recipe = root / "examples/eastern_bank/recipe.yaml"
    wanted = run.SynthRequest(loans=LOANS, months=1, recipe=recipe, seed=request.param)
    run.synth(wanted, out=place / "book")
    holder = str(root / "examples/eastern_bank/holder.yaml")
    found = run.resolve(run.Request(str(place / "book/loans.csv"), holder=holder, scenarios=5))
    # So that packages matter in a book so small; limits of what is in one are no part of the reference.
    share = LOANS / 80_000
    small = {
        way: replace(
            terms,
            fixed_cost=terms.fixed_cost * share,
            minimum_claim=terms.minimum_claim * share,
            largest_loan=np.inf,
            most={},
        )
        for way, terms in found.offers.pools.items()
    }
    return replace(found.offers, pools=small)


def exact(offers: Offers, limits: list[Capacity]) -> float:
    """The most that any plan is worth after fixed costs, fen; fairness between a borrower's loans is left out.

    One variable an offer of a loan, and one a package, which costs if it is open and takes nothing if it is not.
    """
    pools, open_ = packages.numbered(offers), np.isfinite(offers.value)
    rows, columns = np.nonzero(open_)
    offer = np.arange(len(rows))
    place = np.full(open_.shape, -1)
    place[rows, columns] = offer
    inside = offer[pools[rows, columns] >= 0]
    names, which = np.unique(pools[rows, columns][inside], return_inverse=True)
    terms = [packages.terms_of(offers, int(name)) for name in names]
    wide = len(offer) + len(names)
    opens = len(offer) + which
    claim = offers.situation.claim[rows[inside]] / 1e6

    def matrix(values, at, by, height):
        return csr_array((values, (at, by)), shape=(height, wide))

    one, many = np.ones(len(inside)), len(inside)
    parts = [
        (matrix(np.ones(len(offer)), rows, offer, len(open_)), 1.0, 1.0),
        (
            matrix(
                np.r_[one, -one],
                np.r_[np.arange(many), np.arange(many)],
                np.r_[inside, opens],
                many,
            ),
            -np.inf,
            0.0,
        ),
        (
            matrix(
                np.r_[claim, [-each.minimum_claim / 1e6 for each in terms]],
                np.r_[which, np.arange(len(names))],
                np.r_[inside, len(offer) + np.arange(len(names))],
                len(names),
            ),
            0.0,
            np.inf,
        ),
    ]
    for number, limit in enumerate(limits):
        used = np.zeros(wide)
        for mine, column, amount, within in uses_of(offers, limits):
            if mine == number:
                takes = np.flatnonzero(within & open_[:, column])
                used[place[takes, column]] += amount[takes]
        low = -np.inf if limit.min is None else limit.min
        parts.append((csr_array(used[None, :]), low, np.inf if limit.max is None else limit.max))
    ends = [
        np.concatenate([np.full(part[0].shape[0], part[side]) for part in parts]) for side in (1, 2)
    ]
    found = milp(
        np.r_[-offers.value[rows, columns], [each.fixed_cost for each in terms]],
        integrality=np.ones(wide),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(vstack([part[0] for part in parts]), *ends),
        options={"mip_rel_gap": 1e-7},
    )
    assert found.status == 0
    return -float(found.fun)


@pytest.mark.parametrize("which", LIMITS)
def test_a_plan_with_packages_is_near_the_exact_one(offers, which) -> None:
    found = make_plan(offers.situation, offers, LIMITS[which])
    assert not isinstance(found, Unreachable)
    best = exact(offers, LIMITS[which])
    assert best * (1.0 - 5e-4) <= found.net <= best * (1.0 + 1e-6)
    assert best <= found.bound * (1.0 + 1e-6)
    if which == "a floor":
        assert found.packages.null_count() < LOANS
