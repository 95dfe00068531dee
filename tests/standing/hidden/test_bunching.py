"""Bunching: METHODS T7 on drawn books, and by hand."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hidden_cases import loan, loans, payment, payments

from arrears.standing.hidden.bunching import bunching, notch

BINS = np.arange(45, 151)


def drawn(g: np.random.Generator, share: float, size: int = 400_000) -> tuple[np.ndarray, int]:
    """The bench of METHODS 3.2: exponential days with mean 40, a share of 91 to 97 moved to 85 to 90."""
    chances = np.exp(-np.arange(400) / 40)
    counts = g.multinomial(size, chances / chances.sum())
    moved = 0
    for day in range(91, 98):
        some = g.binomial(counts[day], share)
        counts[day] -= some
        counts[85:91] += g.multinomial(some, np.ones(6) / 6)
        moved += some
    return counts[BINS], moved


@pytest.fixture(scope="module")
def replications() -> dict[float, tuple[np.ndarray, np.ndarray]]:
    found = {}
    for share in (0.3, 0.0):
        g = np.random.default_rng(7)
        pairs = [drawn(g, share) for _ in range(200)]
        found[share] = np.stack([c for c, _ in pairs]), np.array([m for _, m in pairs])
    return found


def test_over_two_hundred_replications_the_mean_is_off_by_two_per_cent_at_most(
    replications,
) -> None:
    counts, moved = replications[0.3]
    found = notch(counts, BINS, 90)
    assert abs((found.excess - moved).mean()) <= 0.02 * moved.mean()
    assert abs((found.missing - moved).mean()) <= 0.03 * moved.mean()


def test_a_test_at_five_per_cent_rejects_a_null_in_two_to_eight(replications) -> None:
    found = notch(replications[0.0][0], BINS, 90)
    assert 0.02 <= (np.abs(found.z) > 1.96).mean() <= 0.08


def test_the_standard_error_is_the_spread_over_replications(replications) -> None:
    found = notch(replications[0.3][0], BINS, 90)
    assert found.se.mean() == pytest.approx(found.excess.std(), rel=0.2)


def test_the_excess_is_that_of_the_dummies_of_one_least_squares_fit() -> None:
    """METHODS 3.2 as it is written: polynomial and a dummy a bin of the zone and a round day, fitted at once."""
    counts, _ = drawn(np.random.default_rng(1), 0.3)
    z = (BINS - 90.5) / 45
    columns = [z**k for k in range(6)]
    columns += [(day == BINS).astype(float) for day in (*range(83, 99), 60, 120, 150)]
    beta = np.linalg.lstsq(np.stack(columns, axis=1), counts, rcond=None)[0]
    assert notch(counts, BINS, 90).excess[0] == pytest.approx(beta[6:14].sum(), rel=1e-6)


def a_book(days: list[int], branch: str) -> list[dict[str, object]]:
    return [
        loan(f"{branch}{place:05d}", branch=branch, days_past_due=day)
        for place, day in enumerate(days)
    ]


def test_a_branch_that_bunches_is_told_from_one_that_does_not() -> None:
    g = np.random.default_rng(3)
    smooth = np.floor(45 + g.exponential(60, 3_000)).astype(int).tolist()
    held = [88 if 91 <= day <= 97 else day for day in smooth]
    table = loans(*a_book(smooth, "Honest"), *a_book(held, "Holds"))
    found = bunching(table, pl.DataFrame(), None, thresholds={"": (90,)})
    assert found.columns == ["lender", "branch", "threshold", "excess", "se", "z"]
    by_branch = dict(found.select("branch", "z").iter_rows())
    assert set(by_branch) == {None, "Honest", "Holds"}
    assert abs(by_branch["Honest"]) < 3
    assert by_branch["Holds"] > 4
    assert found["threshold"].unique().to_list() == ["90/91"]


def test_few_loans_give_no_z() -> None:
    table = loans(*a_book([50, 88, 89, 120], "Small"))
    found = bunching(table, pl.DataFrame(), None, thresholds={"": (90,)})
    assert found["z"].null_count() == found.height
    assert found["se"].null_count() == 0


def test_payments_before_a_quarter_ends_stand_out_against_other_months() -> None:
    g = np.random.default_rng(4)
    table = loans(*(loan(str(n)) for n in range(400)))
    rows = []
    for n in range(400):
        for back in range(12):
            day = date(2024, 1 + back, 1) + timedelta(days=int(g.integers(0, 28)))
            if back in {2, 5, 8, 11} and n % 10 == 0:
                day = date(2024 + (back == 11), (back + 1) % 12 + 1, 1) - timedelta(days=1)
            rows.append(payment(str(n), day, 1_000))
    found = bunching(table, pl.DataFrame(), payments(*rows), thresholds={})
    z = dict(found.filter(pl.col("branch").is_null()).select("threshold", "z").iter_rows())
    assert z["quarter_end"] > 4
    assert abs(z["year_end"]) < 3
