"""Chains and the semi-Markov logit, and the chance of missing a payment that follows from them."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from arrears.recovery.histories import chains
from arrears.recovery.histories.misses import ahead, chance_of_default
from arrears.recovery.histories.moves import Moves, count
from arrears.recovery.histories.rolls import pooled
from arrears.recovery.histories.semi_markov import contest, next_month
from arrears.recovery.histories.states import BUCKETS
from arrears.rules import load_market

DAY = date(2025, 12, 31)
MONTHS = 18


def test_thin_rows_are_drawn_to_the_book_and_thick_ones_stay() -> None:
    n = np.zeros((3, 1, 4), dtype=np.int64)
    n[0, 0], n[1, 0], n[2, 0] = [8_000, 2_000, 0, 0], [7_000, 3_000, 0, 0], [1, 3, 0, 0]
    p, strength = chains.smoothed(n)
    assert p.sum(axis=-1) == pytest.approx(1.0)
    assert (p > 0).all()
    assert p[0, 0, 0] == pytest.approx(0.8, abs=0.005)
    assert 0.25 < p[2, 0, 0] < 0.75
    assert strength[0] > 1


def test_products_that_do_not_differ_are_drawn_together() -> None:
    rng = np.random.default_rng(1)
    same = rng.multinomial(200, [0.7, 0.2, 0.1], 8)[:, None, :]
    apart = np.stack([rng.multinomial(200, rng.dirichlet([2, 2, 2])) for _ in range(8)])[:, None, :]
    (close,), (far,) = chains.smoothed(same)[1], chains.smoothed(apart)[1]
    assert close > 50 * far


def test_the_year_ahead_of_a_chain_is_what_was_observed() -> None:
    # METHODS 2.4, A&W, as buckets: one and two months late, then bad; moves as expected of ten million loans
    chain = np.zeros((5, 8))
    chain[0, [5, 1]], chain[1, [5, 2]], chain[2, [5, 4]] = (0.8, 0.2), (0.9, 0.1), (0.85, 0.15)
    chain[3, [5, 4]], chain[4, 4] = (0.5, 0.5), 1.0
    n = np.zeros((6, 1, 2, 8, 8), dtype=np.int64)
    n[:, 0, 0, :5] = np.round(1e7 * chain)
    found = chains.outlook(Moves(n, n, n.astype(float)))
    now = found.filter(pl.col("horizon").is_not_null())
    assert now["chain"].to_list() == pytest.approx([0.003, 0.015, 0.15, 0.5], abs=1e-6)
    assert now["observed"].to_list() == pytest.approx([0.003, 0.015, 0.15, 0.5], abs=1e-6)
    ends = found.filter(pl.col("horizon").is_null())["chain"].to_list()
    assert ends == pytest.approx([0.003, 0.015, 0.15, 0.5], abs=1e-6)


@pytest.mark.parametrize(
    ("rows", "bad"),
    [
        (
            [{"closed": 0.8, "1-30": 0.2}, {"closed": 0.9, "31-60": 0.1},
             {"closed": 0.85, "90+": 0.15}],
            [0.003, 0.015, 0.15],
        ),
        (
            [{"closed": 0.8, "1-30": 0.2}, {"closed": 0.4, "1-30": 0.3, "31-60": 0.3},
             {"closed": 0.2, "90+": 0.1, "1-30": 0.6, "31-60": 0.1}],
            [0.01333, 0.06667, 0.15556],
        ),
    ],
)  # fmt: skip
def test_a_tape_that_a_published_chain_made_gives_the_published_losses(follow, rows, bad) -> None:
    # METHODS 2.4: the store (A&W), and the supply company whose account I is current or one month late
    rng, days = (
        np.random.default_rng(5),
        {"current": 0, "1-30": 15, "31-60": 45, "90+": 100, "closed": 0},
    )
    names = list(BUCKETS[:3])
    series, owed = [], {}
    for loan in range(9_000):
        state, path = names[loan % 3], []
        while state in names and len(path) < 11:
            path.append(state)
            move = rows[names.index(state)]
            state = str(rng.choice(list(move), p=list(move.values())))
        path.append(state)
        series.append([days[name] for name in path])
        owed[loan] = [0 if name == "closed" else 100 for name in path]
    moves = count(follow(*series, owed=owed))
    found = chains.outlook(moves, months=60)
    ends = found.filter(pl.col("horizon").is_null())["chain"].to_numpy()[:3]
    seen = found.filter(pl.col("horizon").is_not_null())
    true = np.array(bad)
    error = np.sqrt(true * (1 - true) / 3_000)
    assert (np.abs(ends - true) <= 4 * error).all()
    assert (
        np.abs(seen["observed"].to_numpy()[:3] - true) <= 4 * seen["se"].to_numpy()[:3] + 1e-4
    ).all()
    cohort = {(row["from"], row["to"]): row for row in pooled(moves).iter_rows(named=True)}
    for start, move in zip(names, rows, strict=True):
        for end, chance in move.items():
            row = cohort[start, end]
            assert abs(row["p"] - chance) <= 4 * row["se"]


def simulated(*, wears_off: bool, loans: int = 1_500) -> list[list[int]]:
    """Loans that fall behind less the longer they were current, or always alike."""
    rng = np.random.default_rng(11)
    series = []
    for _ in range(loans):
        late, since, path = False, 0, []
        for _ in range(MONTHS):
            path.append(20 if late else 0)
            falls = 0.4 / (1.0 + since) if wears_off else 0.1
            changed = rng.random() < (0.5 if late else falls)
            late, since = (not late, 0) if changed else (late, since + 1)
        series.append(path)
    return series


def test_the_logit_ships_where_time_in_the_state_matters_and_nowhere_else(follow) -> None:
    day = date(2026, 6, 30)
    worn = contest(follow(*simulated(wears_off=True), as_of=day))
    assert [one.state for one in worn] == list(BUCKETS)
    first = worn[0]
    assert (first.ships, first.why) == ("logit", "better out of time")
    assert first.gain > 2 * first.se
    assert first.logit < first.chain
    plain = contest(follow(*simulated(wears_off=False), as_of=day))
    assert {one.ships for one in plain} == {"chain"}
    assert plain[4].why.startswith("fewer than 100 moves")


def test_with_few_months_there_is_no_contest(follow) -> None:
    kept = contest(follow([0, 0, 20], [0, 0, 0], as_of=date(2025, 3, 31)))
    assert {one.why for one in kept} == {"fewer than 12 months"}
    assert kept[0].as_dict()["ships"] == "chain"


def test_what_ships_is_what_foretells(follow) -> None:
    known = follow(*simulated(wears_off=True), as_of=date(2026, 6, 30))
    contests = contest(known)
    chances = next_month(known, contests)
    assert chances.sum(axis=1) == pytest.approx(1.0)
    last = known.state[known.first[1:] - 1]
    current = np.flatnonzero(last == 0)
    settled = [
        k for k in current if (known.state[known.first[k + 1] - 8 : known.first[k + 1]] == 0).all()
    ]
    fresh = [k for k in current if known.state[known.first[k + 1] - 2] == 1]
    assert chances[settled, 1].mean() < 0.1
    assert chances[fresh, 1].mean() > 0.3


def test_the_tapes_own_months_outweigh_the_market_as_they_grow(written) -> None:
    market = load_market("cn")
    ids = [f"L{k:05d}" for k in range(4)]
    table = {"loan_id": ids, "product": ["consumer"] * 4, "days_past_due": [0, 20, 45, 70]}
    loans = pl.DataFrame(table, schema_overrides={"days_past_due": pl.Int32})
    prior = ahead(loans, None, market=market, as_of=DAY).miss
    assert (np.diff(prior) > 0).all()
    few = ahead(loans, written(*[[0, 10]] * 20)[0], market=market, as_of=DAY).miss
    many = ahead(loans, written(*[[0, 10]] * 5_000)[0], market=market, as_of=DAY).miss
    assert prior[0] < few[0] < many[0] < 1.0
    assert many[0] > 0.95
    assert many[1] == prior[1]


def test_the_chance_of_default_is_the_markets_and_one_past_day_90() -> None:
    days = np.array([0.0, 10.0, 60.0, 90.0, 91.0, 400.0])
    assert chance_of_default(days, load_market("cn"), DAY).tolist() == [0.0, 0.12, 0.45, 0.75, 1.0, 1.0]  # fmt: skip


def test_counting_twice_gives_the_same_bits(follow) -> None:
    known = follow(*simulated(wears_off=True, loans=50))
    first, second = count(known), count(known)
    assert first.n.tobytes() == second.n.tobytes()
    assert first.square.tobytes() == second.square.tobytes()


def test_what_a_miss_leads_to_is_learnt_from_the_spells_of_the_tape(written) -> None:
    # of loans 1 to 30 days late half are cured, half roll on, and all of those go bad: one half, one, one
    months, loans = written(*[[0, 10, 0]] * 400, *[[0, 10, 40, 70, 100]] * 400)
    loans = loans.with_columns(days_past_due=pl.lit(0, pl.Int32))
    found = ahead(loans, months, market=load_market("cn"), as_of=DAY)
    assert found.loan_months == 400 * 2 + 400 * 4
    assert found.reach == pytest.approx([0.0, 0.5, 1.0, 1.0, 1.0], abs=0.08)
    alone = ahead(loans, None, market=load_market("cn"), as_of=DAY)
    assert alone.reach.tolist() == [0.0, 0.12, 0.45, 0.75, 1.0]
