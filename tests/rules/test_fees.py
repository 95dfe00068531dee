"""Court fees of State Council Order 481 against hand values and a sum over brackets (FACTS 7.3)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arrears.rules import court_fee, enforcement_fee, load, preservation_fee

DAY = date(2025, 6, 30)
YUAN = 100


def fen(fee: object, *yuan: float) -> list[int]:
    claims = np.array([round(amount * YUAN) for amount in yuan], dtype=np.int64)
    return fee(claims, load("cn"), DAY).tolist()


@pytest.mark.parametrize(
    ("claim", "fee"),
    [
        (1, 50),
        (10_000, 50),
        (15_000, 175),
        (30_000, 550),
        (50_000, 1_050),
        (100_000, 2_300),
        (200_000, 4_300),
        (300_000, 5_800),
        (500_000, 8_800),
        (1_000_000, 13_800),
        (2_000_000, 22_800),
        (5_000_000, 46_800),
        (10_000_000, 81_800),
        (20_000_000, 141_800),
        (30_000_000, 191_800),
    ],
)
def test_a_filing_costs_what_the_order_says(claim: int, fee: int) -> None:
    assert fen(court_fee, claim) == [fee * YUAN]


def test_half_a_fen_of_fee_goes_up() -> None:
    # 10,000.20 yuan: 2.5 per cent are 250.005 yuan, less 200
    assert fen(court_fee, 10_000.20) == [5_001]
    # 10,000.19 yuan: 250.00475 yuan, less 200
    assert fen(court_fee, 10_000.19) == [5_000]


def test_a_fen_over_a_bracket_end_makes_no_leap() -> None:
    for end in (10_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000):
        at, over = fen(court_fee, end, end + 0.01)
        assert 0 <= over - at <= 1


@given(st.lists(st.integers(0, 4_000_000_000), min_size=1, max_size=20))
def test_a_filing_costs_the_sum_over_its_brackets(claims: list[int]) -> None:
    per_mille = [
        (10_000, 0),
        (100_000, 25),
        (200_000, 20),
        (500_000, 15),
        (1_000_000, 10),
        (2_000_000, 9),
        (5_000_000, 8),
        (10_000_000, 7),
        (20_000_000, 6),
        (10**12, 5),
    ]

    def by_hand(claim: int) -> int:
        total, low = Fraction(50 * YUAN), 0
        for top, rate in per_mille:
            part = max(0, min(claim, top * YUAN) - low)
            total, low = total + Fraction(part * rate, 1000), top * YUAN
        return int((total + Fraction(1, 2)) // 1)

    got = court_fee(np.array(claims, dtype=np.int64), load("cn"), DAY)
    assert got.dtype == np.int64
    assert got.tolist() == [by_hand(claim) for claim in claims]


@pytest.mark.parametrize(
    ("worth", "fee"),
    [(500, 30), (1_000, 30), (10_000, 120), (100_000, 1_020), (896_000, 5_000), (9_000_000, 5_000)],
)
def test_freezing_property_costs_five_thousand_at_most(worth: int, fee: int) -> None:
    assert fen(preservation_fee, worth) == [fee * YUAN]


@pytest.mark.parametrize(
    ("claim", "fee"),
    [(5_000, 50), (10_000, 50), (100_000, 1_400), (500_000, 7_400), (5_000_000, 52_400)],
)
def test_enforcement_costs_what_the_order_says(claim: int, fee: int) -> None:
    assert fen(enforcement_fee, claim) == [fee * YUAN]


def test_no_claims_cost_no_fees() -> None:
    assert fen(court_fee) == []
