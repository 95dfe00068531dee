"""Pools against HiGHS, which proves the best one loan by loan."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from arrears.channels import PoolTerms
from arrears.plan.pool import Concentration, PoolRules, beyond_limits, eligible, select_pool


def book(seed: int, count: int = 400) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    g = np.random.default_rng(seed)
    claim = np.rint(np.exp(g.normal(14.0, 0.8, count)))
    loans = pl.DataFrame(
        {
            "product": g.choice(["credit_card", "consumer", "business"], count),
            "province": g.choice(["Zhejiang", "Henan", "Gansu", None], count, p=[0.5, 0.3, 0.15, 0.05]),
            "days_past_due": g.integers(1, 1500, count),
            "legal_status": g.choice(["not_sued", "judged"], count),
        }
    )  # fmt: skip
    return loans, claim, claim * g.normal(0.03, 0.05, count)


RULES = PoolRules(
    words={"product": ("credit_card", "consumer")},
    ranges={"claim": (2e5, 5e6), "days_past_due": (91, 1200)},
    concentrations=[Concentration("province", 0.4), Concentration("legal_status", 0.3, "judged")],
    most_claim=6e7,
)


@pytest.mark.parametrize("seed", range(4))
def test_a_pool_keeps_its_rules_and_is_near_the_best(seed) -> None:
    loans, claim, value = book(seed)
    hours, most = claim / claim.max(), 6.0
    pool = select_pool(loans, claim, value, RULES, uses=[(hours, most)])
    assert pool is not None
    inside = loans.with_columns(claim=pl.Series(claim)).filter(pl.Series(pool.chosen))
    assert pool.claim == inside["claim"].sum() <= RULES.most_claim
    assert set(inside["product"]) <= {"credit_card", "consumer"}
    assert inside["days_past_due"].is_between(91, 1200).all()
    assert hours[pool.chosen].sum() <= most + 1e-9
    shares = inside.group_by("province").agg(pl.col("claim").sum() / pool.claim).drop_nulls()
    assert shares["claim"].max() <= 0.4 + 1e-9
    judged = inside.filter(legal_status="judged")["claim"].sum() / pool.claim
    assert judged <= 0.3 + 1e-9
    best = proven(loans, claim, value, hours, most)
    assert pool.value <= best + 1.0
    assert pool.value >= 0.97 * best
    assert pool.bound >= best - 1e-6 * best


def proven(loans, claim, value, hours, most) -> float:
    open_ = eligible(loans, claim, RULES)
    rows = [claim, hours]
    for word in ("Zhejiang", "Henan", "Gansu"):
        rows.append(claim * ((loans["province"] == word).fill_null(False).to_numpy() - 0.4))
    rows.append(claim * ((loans["legal_status"] == "judged").to_numpy() - 0.3))
    high = [RULES.most_claim, most, 0, 0, 0, 0]
    limits = LinearConstraint(np.stack(rows), -np.inf, high)
    found = milp(-value, integrality=np.ones(len(claim)), bounds=Bounds(0, open_.astype(float)),
                 constraints=limits, options={"mip_rel_gap": 1e-4})  # fmt: skip
    return -found.fun


def test_rules_that_no_pool_keeps_are_told() -> None:
    loans, claim, value = book(9)
    assert select_pool(loans, claim, value, PoolRules(least_claim=claim.sum() + 1.0)) is None
    nothing = select_pool(loans, claim, value, PoolRules(words={"product": ("mortgage",)}))
    assert nothing is not None
    assert not nothing.chosen.any()


def test_a_package_over_its_limits_lets_go_of_what_costs_least() -> None:
    loans, claim, gain = book(3)
    mine = np.arange(len(claim)) % 2 == 0
    terms = PoolTerms(0.0, 1e7, largest_loan=4e6, most={"province": 0.45})
    open_ = np.arange(len(claim)) % 4 != 3
    leaves = beyond_limits(loans, claim, gain, mine=mine, open_=open_, terms=terms)
    stays = open_ & ~leaves
    assert not leaves[~open_ & ~mine].any()
    assert claim[stays].sum() >= claim[mine].sum()
    inside = loans.with_columns(claim=pl.Series(claim)).filter(pl.Series(stays))
    assert inside["claim"].max() <= 4e6
    shares = inside.drop_nulls("province").group_by("province").agg(pl.col("claim").sum())
    assert shares["claim"].max() <= 0.45 * inside["claim"].sum() + 1e-6
    again = beyond_limits(loans, claim, gain, mine=stays, open_=stays, terms=terms)
    assert not again.any()
    nowhere = PoolTerms(0.0, 1e12, largest_loan=4e6)
    assert beyond_limits(loans, claim, gain, mine=mine, open_=open_, terms=nowhere)[open_].all()
