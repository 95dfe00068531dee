"""What a loan is worth in a deal: the engine's word, whichever other loans the tape holds."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from arrears import channels, deals, plan
from arrears.channels import issue
from arrears.deals.results import days_from_closing, flows_of, receivers
from arrears.deals.yields import worth

CARDS = [
    {"product": "credit_card", "days_past_due": 95 + 3 * n, "principal": 3_000_000 + 20_000 * n}
    for n in range(80)
]
OLD = [{"days_past_due": 800 + 20 * n, "principal": 4_000_000} for n in range(80)]
HOMES = [
    {"product": "mortgage", "security": "home", "collateral_value": 90_000_000 + 400_000 * n,
     "principal": 70_000_000, "days_past_due": 150 + 6 * n}
    for n in range(60)
]  # fmt: skip


@pytest.mark.parametrize("way", ["securitise", "income_rights"])
@pytest.mark.parametrize("loans", [CARDS, OLD, HOMES], ids=["cards", "old", "homes"])
def test_prices_of_loans_add_up_to_what_the_deal_on_them_brings(situation, way, loans) -> None:
    """Loans are priced by a standard pool, so that the sum is near what their own deal brings and not equal to it."""
    here = situation(*loans)
    whole = pl.Series(range(len(loans)))
    brings = issue.brings(here, whole, way).worth * issue.reckoned(here, 0).sum()
    # Before tax: the value of an offer is after it.
    column = channels.COLUMNS.index((way, 0))
    priced = channels.offers(here).outcomes[column].pv.sum()
    assert priced == pytest.approx(brings, rel=0.03)


def test_money_of_a_deal_is_all_told(situation) -> None:
    here = situation(*CARDS)
    built = issue.built(here, pl.Series(range(len(CARDS))), "securitise", "Pool")
    assert built is not None
    program = deals.compiled(built.deal)
    got, run = deals.brought(program, built.gross), deals.run_deal(program, built.gross)
    placed = sum(
        float(1 - built.deal.retained(one)) * flows_of(run, one.name).sum(axis=0).mean()
        for one in built.deal.classes
    )
    others = receivers(program)
    paid = sum(
        run.of(slot).sum(axis=0).mean() for name in ("tax", "expenses") for slot in others[name]
    )
    theirs = float((got.kept + got.rest + got.servicing).sum())
    assert theirs + placed + paid == pytest.approx(built.gross.sum(axis=0).mean(), rel=1e-12)


def test_investors_in_the_class_below_pay_par_for_what_is_left_after_the_haircut(situation) -> None:
    here = situation(*CARDS)
    built = issue.built(here, pl.Series(range(len(CARDS))), "securitise", "Pool")
    assert built is not None
    program = deals.compiled(built.deal)
    held = deals.Stress(Fraction(str(here.number("securities/haircut")))).on(built.gross)
    flows = flows_of(deals.run_deal(program, held), "Sub").mean(axis=1)
    sub = program.classes["Sub"].tranche
    given = worth(flows, days_from_closing(program) / 365.0, here.number("deals/sub_yield"))
    # Sized before the last change of the trust's costs, in units of a thousandth of the cash.
    assert given == pytest.approx(sub.face, rel=0.03)


def test_a_dearer_cost_of_money_makes_a_sale_better_than_waiting(situation) -> None:
    cheap, dear = (situation(*HOMES[:5], rate=rate) for rate in (0.02, 0.12))
    gain = []
    for here in (cheap, dear):
        value = channels.offers(here).value
        waits, sells = (channels.COLUMNS.index((way, 0)) for way in ("litigate", "securitise"))
        gain.append(np.nansum(value[:, sells] - value[:, waits]))
    assert gain[1] > gain[0]


def test_income_rights_bring_less_than_securities_and_free_nothing(situation) -> None:
    table = channels.offers(situation(*CARDS[:3])).table().filter(start_month=0)
    both = [table.filter(channel=way) for way in ("securitise", "income_rights")]
    assert (both[0]["value"] > both[1]["value"]).all()
    assert both[1]["capital_freed"].to_list() == [0.0] * 3


def test_a_tape_of_the_29th_gives_a_deal_whose_months_fit(situation) -> None:
    for day in (date(2025, 1, 29), date(2025, 8, 30), date(2025, 3, 15), date(2025, 2, 28)):
        built = issue.built(
            situation(*CARDS[:4], day=day), pl.Series(range(4)), "securitise", "Pool"
        )
        assert built is not None
        assert 0 <= (built.deal.cutoff_date - day).days <= 2
        assert built.gross.shape[0] == len(built.deal.dates())


BANK = {
    "kind": "joint_stock_bank",
    "products": {
        "credit_card": {
            "loans": 10**13, "reported_npl": 2 * 10**11, "special_mention": 0, "provisions": 10**11
        }
    },
    "risk_weighted_assets": 9 * 10**12,
    "capital": 10**12,
    "profit": 10**11,
}  # fmt: skip


def test_the_ways_to_sell_stand_side_by_side_for_the_same_loans(situation) -> None:
    here = situation(*CARDS, {"reported_class": "normal"}, holder=BANK)
    table = plan.disposals(here, channels.offers(here))
    assert table["loans"].unique().to_list() == [len(CARDS)]
    as_is, sold, issued, rights = table.iter_rows(named=True)
    claim = float(here.claim[: len(CARDS)].sum())
    assert sold["npl_removed"] == issued["npl_removed"] == claim
    assert sold["bad_loan_ratio"] == pytest.approx((2e11 - claim) / (1e13 - claim))
    # The right to income: bad loans, capital and claim stay where they are.
    assert rights["bad_loan_ratio"] == as_is["bad_loan_ratio"] == 0.02
    assert (rights["npl_removed"], rights["capital_freed"]) == (0.0, 0.0)
    assert rights["capital_kept"] == as_is["capital_kept"] == sold["capital_freed"]
    assert rights["continuing_involvement"] == claim
    assert (rights["investors"], rights["creditor"]) == ("institutions only", "the bank")
    assert issued["continuing_involvement"] == pytest.approx(0.05 * claim)
    for row in (sold, issued, rights):
        assert row["profit"] == pytest.approx(row["value"] - here.book_value[: len(CARDS)].sum())


def test_who_may_not_issue_is_shown_no_figures_for_it(situation) -> None:
    here = situation(*CARDS[:3], holder={"kind": "city_bank", "province": "Zhejiang"})
    table = plan.disposals(here, channels.offers(here))
    assert table["value"].is_null().to_list() == [True, False, True, False]
