"""Why a loan goes its way: the limit that is named is the one that keeps it from its best offer."""

from __future__ import annotations

import numpy as np
import pytest

from arrears import run
from arrears.channels import COLUMNS
from arrears.plan import Capacity, make_plan


@pytest.fixture(scope="module")
def offers(tmp_path_factory, root):
    place = tmp_path_factory.mktemp("reasons")
    recipe = root / "examples/eastern_bank/recipe.yaml"
    run.synth(run.SynthRequest(loans=1_200, months=1, recipe=recipe, seed=8), out=place / "book")
    return run.resolve(run.Request(str(place / "book/loans.csv"), scenarios=5)).offers


def _plan(offers, *limits: Capacity):
    made = make_plan(offers.situation, offers, limits)
    best = np.nanargmax(offers.value, axis=1)
    return made, best


def test_scarce_is_what_the_better_offer_takes(offers) -> None:
    scope = {"province": "Zhejiang"}
    made, best = _plan(
        offers, Capacity(name="restructure_offers", max=15, scope=scope), Capacity(name="visits", max=0)
    )  # fmt: skip
    there = (offers.situation.loans["province"] == "Zhejiang").to_numpy()
    kept = made.table["reason"].str.contains("but ").to_numpy()
    # A yuan more is told, a few fen are not
    assert np.array_equal(kept, made.table["regret"].to_numpy() > 1.0)
    assert kept.any()
    now = best == COLUMNS.index(("restructure", 0))
    scarce = made.table["reason"].str.contains(
        r"restructure_offers \(province=Zhejiang\) is scarce"
    )
    assert np.array_equal(scarce.to_numpy(), kept & now & there)
    told = made.table.filter(scarce)["reason"][0]
    assert "to offer new terms now would be worth" in told


def test_a_floor_is_named_where_it_asks_for_the_way(offers) -> None:
    whole = offers.situation.claim[offers.eligible(COLUMNS.index(("transfer", 0)))].sum()
    made, _ = _plan(offers, Capacity(name="transfer_claim", min=0.8 * whole))
    asked = made.table["reason"].str.contains("the floor of transfer_claim asks for this")
    sold = (made.table["channel"] == "transfer") & (made.table["start_month"] == 0)
    assert asked.any()
    assert (sold & asked).sum() == asked.sum()
    assert not made.table["reason"].str.contains("scarce").any()


def test_who_pays_as_agreed_is_told_so(offers) -> None:
    made, _ = _plan(offers)
    sound = ~offers.situation.overdue & (made.table["channel"] == "collect").to_numpy()
    assert made.table["reason"].str.starts_with("Pays as agreed: worth").to_numpy()[sound].all()
