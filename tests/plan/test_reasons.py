"""Why a loan goes its way: the limit that is named is the one that keeps it from its best offer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from arrears import run
from arrears.channels import CHANNELS, COLUMNS, STARTS
from arrears.plan import Capacity, make_plan
from arrears.plan.reasons import _yuan
from arrears.plan.table import ranked


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
        r"; to .* but restructure offers \(province Zhejiang\) are scarce\.$"
    )
    assert np.array_equal(scarce.to_numpy(), kept & now & there)
    told = made.table.filter(scarce)["reason"][0]
    assert "to offer new terms now would be worth" in told


def test_what_no_limit_says_is_told_by_package_and_by_the_borrowers_other_loans(offers) -> None:
    """A loan of each borrower gains by a suit, another by new terms; loans that a sale suits have no package."""
    made, best = _plan(offers)
    kept = made.table["regret"].to_numpy() > 1.0
    way = best // len(STARTS)
    packaged = kept & np.isin(way, [CHANNELS.index(name) for name in offers.packages])
    assert packaged.any()
    said = made.table["reason"].str.extract(r"but (.*)\.$")
    none = "no package of such loans is large enough to pay for itself"
    assert not made.packages.is_not_null().any()
    assert np.array_equal((said == none).fill_null(False).to_numpy(), packaged)


def test_a_borrowers_other_loan_is_told_where_it_bars_the_better_way(offers) -> None:
    """Two loans of one borrower: the larger gains by a suit, so the smaller is offered no new terms."""
    loans, value = offers.situation.loans, offers.value.copy()
    suit, terms, alone = (COLUMNS.index((way, 0)) for way in ("litigate", "restructure", "collect"))
    both = np.flatnonzero(np.isfinite(value[:, [suit, terms, alone]]).all(axis=1))[:2]
    value[both] = np.nan
    value[both, alone] = 1_000_00.0
    value[both[0], suit], value[both[1], terms] = 9_000_00.0, 3_000_00.0
    who = loans["borrower_id"].to_list()
    who[both[1]] = who[both[0]]
    whose = loans.with_columns(borrower_id=pl.Series(who))
    situation = replace(offers.situation, loans=whose, _once={})
    made = make_plan(situation, replace(offers, situation=situation, value=value), ())
    one, two = (made.table.row(int(place), named=True) for place in both)
    assert (one["channel"], two["channel"]) == ("litigate", "collect")
    assert two["reason"].endswith("but another loan of the borrower goes to court.")
    value[both[0], suit] = 2_000_00.0
    made = make_plan(situation, replace(offers, situation=situation, value=value), ())
    told = made.table["reason"][int(both[0])]
    assert told.endswith("but the borrower is offered new terms for another loan.")
    # Nor is a scarce court told where the suit would pay even at its price
    sued = made.table.filter(channel="litigate", start_month=0).height
    court = Capacity(name="court_filings", max=sued - 1)
    made = make_plan(situation, replace(offers, situation=situation, value=value), [court])
    assert 0.0 < made.capacities["shadow_price"][0] < 1_000_00.0
    assert made.table["reason"].str.contains("but court filings are scarce").any()
    told = made.table["reason"][int(both[0])]
    assert told.endswith("but the borrower is offered new terms for another loan.")


def test_a_loan_that_stays_since_leaving_costs_as_much_is_told_so(offers) -> None:
    first, _ = _plan(offers, Capacity(name="restructure_offers", max=0))
    before = first.table.select("loan_id", "channel")
    made = make_plan(offers.situation, offers, (), before=before)
    price = offers.situation.number("channels/switch_cost")
    table = made.table.with_columns(was=before["channel"])
    stays = table.filter(
        (pl.col("channel") == pl.col("was"))
        & pl.col("regret").is_between(1.0, price, closed="none")
    )
    told = stays["reason"].str.ends_with("but leaving the way of the plan before costs as much.")
    free = make_plan(offers.situation, offers, ())
    moves = free.table.filter(pl.col("loan_id").is_in(stays["loan_id"].implode()))
    other = moves.filter(pl.col("channel") != stays["channel"])
    assert other.height > 0
    assert set(other["loan_id"]) <= set(stays.filter(told)["loan_id"])
    assert (
        not table.filter(pl.col("channel") != pl.col("was"))["reason"].str.contains("leaving").any()
    )


def test_a_branch_is_named_once(offers) -> None:
    """The report says `Branch 01`; the reason had said `branch Branch 01`."""
    made, _ = _plan(
        offers, Capacity(name="restructure_offers", max=0, scope={"branch": "Branch 01"})
    )
    told = made.table.filter(pl.col("reason").str.contains("scarce"))["reason"]
    assert len(told) > 0
    assert told.str.ends_with("but restructure offers (Branch 01) are scarce.").all()


def test_sums_are_whole_yuan_told_as_people_read_them(offers) -> None:
    made, _ = _plan(offers, Capacity(name="visits", max=0))
    table = made.table.with_columns(told=pl.col("reason").str.extract(r"worth (\S+) yuan"))
    # Python's own separators, its hyphen made a true minus
    said = [f"{round(fen / 100):,}".replace("-", "−") for fen in table["value"]]
    assert table["told"].to_list() == said
    assert {word.count(",") for word in said} >= {0, 1, 2}
    assert not table["reason"].str.contains(r"\d{4}|_").any()


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        (-123_449, "−1,234"),
        (-49, "0"),
        (99_949, "999"),
        (-10_000_700, "−100,007"),
        (100_000_000, "1,000,000"),
        (12e13, "1,200,000,000,000"),
        (9e18, "90,000,000,000,000,000"),
    ],
)
def test_thousands_are_separated_whatever_the_size(fen, said) -> None:
    assert pl.select(_yuan(pl.lit(float(fen)))).item() == said


def test_a_loan_with_one_way_is_told_that_no_other_is_open(offers) -> None:
    value = offers.value.copy()
    value[:5] = np.nan
    value[:5, COLUMNS.index(("collect", 0))] = 26_800.0
    made, _ = _plan(replace(offers, value=value))
    told = made.table.head(5)
    assert told["runner_up"].to_list() == [None] * 5
    assert told["reason"].str.ends_with(": worth 268 yuan, no other way is open.").all()
    assert made.table["runner_up"].null_count() < made.table.height


def test_a_floor_is_named_where_it_asks_for_the_way(offers) -> None:
    whole = offers.situation.claim[offers.eligible(COLUMNS.index(("transfer", 0)))].sum()
    made, _ = _plan(offers, Capacity(name="transfer_claim", min=0.8 * whole))
    asked = made.table["reason"].str.contains("the floor of transfer claim asks for this")
    sold = (made.table["channel"] == "transfer") & (made.table["start_month"] == 0)
    assert asked.any()
    assert (sold & asked).sum() == asked.sum()
    assert not made.table["reason"].str.contains("scarce").any()


def test_who_pays_as_agreed_is_told_so(offers) -> None:
    made, _ = _plan(offers)
    sound = ~offers.situation.overdue & (made.table["channel"] == "collect").to_numpy()
    assert made.table["reason"].str.starts_with("Pays as agreed: worth").to_numpy()[sound].all()


def test_offers_are_ranked_as_plain_python_ranks_them() -> None:
    draw = np.random.default_rng(4)
    value = draw.integers(-3, 4, (500, 6)).astype(float)
    value[draw.random(value.shape) < 0.5] = np.nan
    column = draw.integers(0, 6, 500)
    found = ranked(value, column, 2)
    for loan, (row, taken) in enumerate(zip(value.tolist(), column.tolist(), strict=True)):
        open_ = [offer for offer in range(6) if row[offer] == row[offer]]
        others = [offer for offer in open_ if offer // 2 != taken // 2]
        best = max(open_, key=lambda offer: row[offer], default=-1)
        second = max(others, key=lambda offer: row[offer], default=-1)
        assert [each[loan] for each in found] == [
            best,
            row[best] if open_ else -np.inf,
            second // 2 if others else -1,
            row[second] if others else -np.inf,
        ]
