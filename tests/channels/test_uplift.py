"""What steps add, learnt from contacts whose truth is known."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from arrears import rules
from arrears.channels import cells, uplift
from arrears.tape.columns import CONTACTS, LOANS, PAYMENTS

DAY = date(2025, 3, 31)
CALL = cells.RUNGS.index("call")
MARKET = rules.load_market("cn")


def _history(
    count: int, *, adds: dict[str, float], seed: int = 0, base: float = -3.0, chosen: float = 1.5
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Loans that pay by fortnights, and are called the more often the more willing they are.

    Args:
        adds: what a call in the month before adds to the logit of a payment, by contact status.
    """
    g = np.random.default_rng(seed)
    status = g.choice(list(adds), count)
    willing = g.choice([-0.7, 0.0, 0.9], count)
    product = np.where(willing > 0, "mortgage", np.where(willing < 0, "credit_card", "consumer"))
    effect = np.array([adds[word] for word in status])
    called, paid = [], []
    for k in range(uplift.PERIODS + 2, -1, -1):
        calls = g.random(count) < 1.0 / (1.0 + np.exp(1.2 - chosen * willing))
        called.append((k, calls))
        felt = sum(c.astype(int) for j, c in called if k < j <= k + uplift.FELT)
        odds = base + willing + effect * (np.asarray(felt) > 0)
        paid.append((k, g.random(count) < 1.0 / (1.0 + np.exp(-odds))))

    def rows(marks: list[tuple[int, np.ndarray]], columns: dict[str, object], schema: object):
        found = [
            (f"L{loan:05d}", DAY - timedelta(days=uplift.PERIOD * k + 3))
            for k, flags in marks
            for loan in np.flatnonzero(flags)
        ]
        table = pl.DataFrame(found, schema=["loan_id", "date"], orient="row")
        fixed = [pl.lit(columns.get(name)).cast(kind).alias(name) for name, kind in schema.items()
                 if name not in {"loan_id", "date"}]  # fmt: skip
        return table.with_columns(fixed)

    loans = pl.DataFrame(
        {
            **{name: [None] * count for name in LOANS},
            "loan_id": [f"L{loan:05d}" for loan in range(count)],
            "product": product,
            "contact_status": status,
            "principal": [3_000_000] * count,
            "days_past_due": [900] * count,
        },
        schema=LOANS,
    )
    contacts = rows(called, {"step": "call", "outcome": "none"}, CONTACTS)
    payments = rows(paid, {"amount": 100_000, "source": "borrower"}, PAYMENTS)
    return loans, contacts, payments


def _learn(tables) -> uplift.Uplift:
    return uplift.learn(*tables, as_of=DAY, market=MARKET)


@pytest.fixture(scope="module")
def seen() -> uplift.Uplift:
    return _learn(_history(6_000, adds={"reachable": 0.8, "unreachable": 0.1}))


def test_a_planted_effect_is_found_though_the_willing_are_called_more(seen) -> None:
    row = seen.table.filter(step="call").row(0, named=True)
    assert row["own"] == pytest.approx(0.47, abs=0.1)
    assert row["credibility"] > 0.8
    assert abs(row["own"] - row["used"]) < abs(row["market"] - row["own"])


def test_the_naive_difference_would_mislead() -> None:
    tables = _history(6_000, adds={"reachable": 0.0, "unreachable": 0.0}, seed=1)
    groups = uplift.panel(*tables, DAY)
    had = pl.col("bits") == 1 << CALL
    share = groups.group_by(had.alias("had")).agg(pl.col("paid").sum() / pl.col("n").sum())
    naive = {row["had"]: row["paid"] for row in share.iter_rows(named=True)}
    assert np.log(naive[True] / naive[False]) > 0.25
    row = _learn(tables).table.filter(step="call").row(0, named=True)
    assert abs(row["own"]) < 3.0 * row["se"] < 0.2


def test_borrowers_who_answer_and_who_do_not_are_told_apart(seen) -> None:
    effect = seen.effect.reshape(*cells.SHAPE, len(cells.RUNGS))[..., CALL]
    stage = np.searchsorted(cells.AGES, 20, side="right")
    consumer = cells.PRODUCTS.index("consumer")
    there = effect[consumer, cells.CONTACTS.index("reachable"), stage, 1]
    gone = effect[consumer, cells.CONTACTS.index("unreachable"), stage, 1]
    assert there == pytest.approx(0.8, abs=0.2)
    assert gone == pytest.approx(0.1, abs=0.2)


def test_a_few_loans_leave_the_market_figure() -> None:
    found = _learn(_history(20, adds={"reachable": 0.8}))
    market = cells.prior(MARKET, DAY)
    assert np.allclose(found.effect, market)
    assert found.table["own"].null_count() == len(cells.RUNGS)


def test_more_history_is_believed_more() -> None:
    shares = []
    for count in (300, 1_200, 4_800):
        row = _learn(_history(count, adds={"reachable": 0.8}, base=-2.5)).table
        shares.append(row.filter(step="call")["credibility"][0])
    assert shares[0] < shares[1] < shares[2]


def test_steps_before_the_default_are_left_out() -> None:
    loans, contacts, payments = _history(300, adds={"reachable": 0.5})
    young = loans.with_columns(days_past_due=pl.lit(40, pl.Int32))
    groups = uplift.panel(young, contacts, payments, DAY)
    assert groups["n"].sum() <= 300 * 2
    stages = np.unravel_index(groups["cell"].to_numpy(), cells.SHAPE)[2]
    assert (stages == 0).all()


def test_no_contact_at_all_is_no_fault() -> None:
    loans, contacts, payments = _history(100, adds={"reachable": 0.5})
    assert np.allclose(
        _learn((loans, contacts.clear(), payments.clear())).effect, cells.prior(MARKET, DAY)
    )
