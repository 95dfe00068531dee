"""Rounds of a plan: packages that do not pay are closed, and a plan by other offers stops once it cannot be better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from arrears import run
from arrears.channels import CHANNELS, COLUMNS, STARTS
from arrears.channels import offers as channels_offers
from arrears.plan import (
    Capacity,
    Unreachable,
    make_better_plan,
    make_plan,
    packages,
    put_off,
    ratios,
    what_if,
)

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


def _without(offers, *ways: str, value=None):
    """Offers of which some ways are not open."""
    left = (offers.value if value is None else value).copy()
    for way in ways:
        first = CHANNELS.index(way) * len(STARTS)
        left[:, first : first + len(STARTS)] = np.nan
    return replace(offers, value=left)


def _alone(offers):
    """Worth of each loan's best way outside of packages (n,)."""
    ways = [k for k, (channel, _) in enumerate(COLUMNS) if channel not in offers.packages]
    return np.nanmax(offers.value[:, ways], axis=1)


def test_a_package_counts_what_its_loans_leave_to_others(offers) -> None:
    """It gains nothing over its loans' best ways, but those take hours that are scarce."""
    sold = COLUMNS.index(("transfer", 0))
    value = offers.value.copy()
    value[:, sold] = np.where(np.isfinite(value[:, sold]), _alone(offers) - 100.0, np.nan)
    one_way = _without(offers, "securitise", "income_rights", value=value)
    limits = [Capacity(name="call_hours", max=20)]
    found = make_plan(offers.situation, one_way, limits)
    none = make_plan(offers.situation, _without(one_way, "transfer"), limits)
    assert (found.column == sold).any()
    assert found.net > none.net


def test_a_package_opens_anew_where_those_closed_since_held_its_loans(offers) -> None:
    """Securities pay all loans but one a little more and can never be large enough; income rights can, with most."""
    first, second = (COLUMNS.index((way, 0)) for way in ("securitise", "income_rights"))
    both = np.isfinite(offers.value[:, first]) & np.isfinite(offers.value[:, second])
    value = np.full_like(offers.value, np.nan)
    value[:, :3] = offers.value[:, :3]
    value[both, second] = _alone(offers)[both] + 1e6
    value[both, first] = value[both, second] + 100.0
    value[np.flatnonzero(both)[0], first] -= 200.0
    most = float(offers.situation.claim[both].sum())
    terms = {
        way: replace(offers.pools[way], fixed_cost=0.0, minimum_claim=least, largest_loan=np.inf)
        for way, least in (("securitise", 2.0 * most), ("income_rights", 0.5 * most))
    }
    offers = replace(offers, value=value, pools=offers.pools | terms)
    found = make_plan(offers.situation, offers, LIMITS)
    assert (found.column[both] == second).all()


def test_what_ifs_are_what_plans_would_be(offers, made) -> None:
    told = what_if(made, LIMITS, ratios=ratios(offers.situation, offers, made)).cases
    changes = {row["case"]: row["change"] for row in told.iter_rows(named=True)}
    assert told["value"][0] == pytest.approx(made.net)
    assert changes["collect only, no limits"] == pytest.approx(
        offers.value[:, 0].sum() - made.net, rel=1e-9
    )
    free = make_plan(offers.situation, offers)
    # The plan lies so far below its bound, for borrowers' other loans, which what-ifs leave out.
    below = made.bound - made.value
    assert changes["no limits"] == pytest.approx(free.net - made.net, abs=below)
    assert below < 2e-4 * made.net
    for way in CHANNELS[1:]:
        less = make_plan(offers.situation, _without(offers, way), LIMITS)
        change = changes[f"without {way}"]
        # What-ifs leave the limits of one word's share in a package out.
        assert change == pytest.approx(less.net - made.net, rel=0.15, abs=2e-5 * made.net), way


def test_a_floor_of_each_way_to_sell_cannot_be_kept_without_it(offers) -> None:
    sold = [way for way in CHANNELS if way in offers.packages]
    floors = [
        Capacity(name=f"{way}_claim", min=2.0 * offers.pools[way].minimum_claim) for way in sold
    ]
    limits = [*LIMITS, *floors]
    found = make_plan(offers.situation, offers, limits)
    told = what_if(found, limits, ratios=ratios(offers.situation, offers, found)).cases
    null = told.filter(pl.col("change").is_null())["case"].to_list()
    assert null == [f"without {way}" for way in sold]


def _costs(found) -> tuple[float, float]:
    """What the loans of a plan cost today, and its packages whatever their size."""
    rows = np.arange(len(found.column))
    now = np.array([start == 0 for _, start in COLUMNS])
    cost = np.stack([outcome.cost for outcome in found.offers.outcomes], axis=1)
    loans = cost[rows, found.column][now[found.column]].sum()
    taken = packages.numbered(found.offers)[rows, found.column]
    whole = 0.0
    for number in np.unique(taken[taken >= 0]).tolist():
        channel, start = COLUMNS[number // packages.PER_OFFER]
        whole += found.offers.pools[channel].fixed_cost * (start == 0)
    return float(loans), whole


def test_what_packages_cost_whatever_their_size_counts_against_a_limit_on_costs(offers) -> None:
    free = make_plan(offers.situation, offers)
    loans, whole = _costs(free)
    assert whole > 0.0
    for most in (loans + whole + 1.0, loans + 0.5 * whole, 0.95 * loans):
        found = make_plan(offers.situation, offers, [Capacity(name="cash_cost", max=most)])
        assert not isinstance(found, Unreachable)
        told = found.capacities["used"].item()
        assert told == pytest.approx(sum(_costs(found)), rel=1e-9)
        assert told <= most * (1.0 + 1e-8)
        # Nothing is kept free for packages that are not there.
        assert told >= 0.98 * min(most, loans + whole)


def test_packages_give_way_where_costs_leave_them_no_room(offers) -> None:
    cost = np.stack([outcome.cost for outcome in offers.outcomes], axis=1)
    now = np.array([start == 0 for _, start in COLUMNS])
    cheap = np.where(np.isfinite(offers.value), np.where(now, cost, 0.0), np.inf)
    least = float(cheap.min(axis=1).sum())
    fixed = min(terms.fixed_cost for terms in offers.pools.values())
    limit = Capacity(name="cash_cost", max=least + 0.5 * fixed)
    found = make_plan(offers.situation, offers, [limit])
    assert not isinstance(found, Unreachable)
    assert sum(_costs(found)) <= least + 0.5 * fixed


def test_a_scope_bears_its_share_of_what_packages_cost(offers) -> None:
    pools = packages.numbered(offers)
    column = COLUMNS.index(("transfer", 0))
    number = int(pools[offers.eligible(column), column][0])
    words = offers.situation.loans["province"].drop_nulls().unique().sort()
    limits = [
        Capacity(name="cash_cost", max=1.0, scope={"province": word}) for word in words
    ]  # fmt: skip
    later = Capacity(name="cash_cost", max=1.0, scope={"start_month": 6})
    found = packages.spent(offers, pools, [*limits, later, LIMITS[0]], [number])
    assert found[:-2].sum() == pytest.approx(offers.pools["transfer"].fixed_cost)
    assert (found[:-2] > 0.0).sum() > 1
    assert not found[-2:].any()


def test_a_floor_that_needs_a_package_tells_why_none_can_be_made(offers) -> None:
    great = replace(offers.pools["securitise"], minimum_claim=1e13)
    few = replace(offers, pools=offers.pools | {"securitise": great})
    claim = offers.situation.claim[offers.eligible(COLUMNS.index(("securitise", 0)))].sum()
    floor = Capacity(name="securitise_claim", min=0.2 * claim)
    assert not isinstance(make_plan(offers.situation, offers, [floor]), Unreachable)
    found = make_plan(offers.situation, few, [floor])
    assert isinstance(found, Unreachable)
    (told,) = found.problems()
    assert told.where == "securitise_claim"
    assert "without a package (securities)" in told.found
    assert "100,000,000,000 yuan of claims at least" in told.why
    assert 0 < found.reached <= claim


def test_floors_that_no_plan_keeps_together_tell_what_stands_against_them(offers) -> None:
    ceiling, one, two = limits = [
        Capacity(name="court_filings", max=40),
        Capacity(name="court_filings", min=30, scope={"province": "Zhejiang"}),
        Capacity(name="court_filings", min=25, scope={"province": "Henan"}),
    ]
    found = make_plan(offers.situation, offers, limits)
    assert isinstance(found, Unreachable)
    (told,) = found.problems()
    assert told.where == "court_filings province=Zhejiang"
    assert told.found.endswith("at most 15 can be reached.")
    assert told.why == (
        "Against it stand court_filings at most 40 and court_filings province=Henan at least 25."
    )
    assert told.fix.startswith("Lower it to 15,")
    again = [limit.model_copy(update={"name": "restructure_offers"}) for limit in limits]
    twice = make_plan(offers.situation, offers, [*limits, *again])
    assert isinstance(twice, Unreachable)
    assert twice.problems() == [told]
    eased = [ceiling, one.model_copy(update={"min": 15.0}), two]
    assert not isinstance(make_plan(offers.situation, offers, eased), Unreachable)


def test_the_frontier_ends_where_no_package_is_large_enough(offers) -> None:
    """Of the two ways that remove bad loans one can make no package, whatever it takes."""
    great = replace(offers.pools["securitise"], minimum_claim=1e13)
    few = replace(offers, pools=offers.pools | {"securitise": great})
    column = COLUMNS.index(("transfer", 0))
    most = offers.outcomes[column].uses["npl_removed"][offers.eligible(column)].sum()
    floor = Capacity(name="npl_removed", min=0.2 * most)
    made = make_plan(few.situation, few, [floor])
    assert not isinstance(made, Unreachable)
    told = what_if(made, [floor], ratios=ratios(few.situation, few, made))
    assert told.frontier["npl_removed"].max() <= most
    alone = told.cases.filter(case="without transfer")
    assert alone["value"].to_list() == [None]
    end = Capacity(name="npl_removed", min=0.98 * most)
    assert not isinstance(make_plan(few.situation, few, [end]), Unreachable)


def test_what_is_put_off_to_months_without_a_limit_is_told(offers) -> None:
    now = Capacity(name="restructure_offers", max=5)
    later = [now.model_copy(update={"scope": {"start_month": start}}) for start in STARTS[1:]]

    def told(*limits: Capacity) -> list[str]:
        made = make_plan(offers.situation, offers, limits)
        assert not isinstance(made, Unreachable)
        return [f"{one.code} {one.found} {one.fix}" for one in put_off(made, limits)]

    made = make_plan(offers.situation, offers, [now])
    taken = made.table.filter(channel="restructure").group_by("start_month").len()
    counts = dict(taken.iter_rows())
    assert counts[6] > counts[0] == 5
    (one,) = told(now)
    assert one.startswith("CAPACITY-NOT-LATER")
    assert f"{counts[6]:,} of it in month 6" in one
    assert "{start_month: 6}" in one
    assert told(now, *later) == []
    assert told(Capacity(name="restructure_offers", max=10**6)) == []


def test_a_floor_on_a_way_that_the_law_bars_names_the_article(offers) -> None:
    holder = offers.situation.holder.model_copy(update={"kind": "fintech", "pilot_seller": None})
    situation = replace(offers.situation, holder=holder, _once={})
    barred = channels_offers(situation)
    found = make_plan(situation, barred, [Capacity(name="transfer_claim", min=100_000_000)])
    assert isinstance(found, Unreachable)
    (told,) = found.problems()
    assert told.found.endswith("at most 0 yuan can be reached.")
    assert "CN-PILOT-2022-1191: fintech is no seller of the second batch" in told.why
    assert told.fix == "Leave it out."


def test_floors_are_not_kept_by_more_packages_than_pay(offers) -> None:
    """Shut any one of the packages, and the plan is worth less."""
    sold = {way: COLUMNS.index((way, 0)) for way in ("transfer", "securitise")}
    owed = {
        way: offers.situation.claim[offers.eligible(column)].sum() for way, column in sold.items()
    }
    worth = np.nansum(offers.value[:, sold["transfer"]])
    terms = replace(offers.pools["transfer"], fixed_cost=0.016 * worth)
    dear = replace(offers, pools=offers.pools | {"transfer": terms})
    limits = [
        Capacity(name="transfer_claim", min=0.2 * owed["transfer"]),
        Capacity(name="securitise_claim", min=0.5 * owed["securitise"]),
        Capacity(name="restructure_offers", max=150),
        Capacity(name="visits", max=40),
    ]
    made = make_plan(dear.situation, dear, limits)
    assert not isinstance(made, Unreachable)
    pools = packages.numbered(dear)
    taken = pools[np.arange(len(pools)), made.column]
    for number in np.unique(taken[taken >= 0]):
        value = dear.value.copy()
        value[pools[:, number // packages.PER_OFFER] == number, number // packages.PER_OFFER] = (
            np.nan
        )
        less = make_plan(dear.situation, replace(dear, value=value), limits)
        if not isinstance(less, Unreachable):
            assert made.net >= less.net
            assert made.bound >= less.value
