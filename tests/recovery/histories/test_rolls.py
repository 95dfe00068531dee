"""Paths, moves, roll rates, vintages and cures: by hand, against a plain loop, and as parts of a whole."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.recovery.histories import rolls
from arrears.recovery.histories.moves import count
from arrears.recovery.histories.paths import paths
from arrears.recovery.histories.states import STATES, bucket

JAN, DAY = date(2025, 1, 1), date(2025, 12, 31)
NAMES = (("current", 0), ("1-30", 30), ("31-60", 60), ("61-90", 90), ("90+", 10_000))


def cells(table: pl.DataFrame) -> dict[tuple[str, str], dict[str, object]]:
    return {(row["from"], row["to"]): row for row in table.iter_rows(named=True)}


def rates(known) -> pl.DataFrame:
    return rolls.roll_rates(count(known), known)


def tape(*rows: tuple[str, date, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["loan_id", "date", "kind"], orient="row")


@pytest.mark.parametrize(
    ("days", "place"), [(0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4)]
)
def test_buckets_begin_where_they_should(follow, days, place) -> None:
    assert pl.select(bucket(pl.lit(days))).item() == place
    assert follow([days]).state.tolist() == [place]


def test_roll_rates_by_hand(follow) -> None:
    found = rates(follow([0, 0], [0, 15], [0, 0], [0, 20]))
    behind = cells(found)["current", "1-30"]
    assert (behind["month"], behind["n"], behind["p"]) == (JAN, 2, 0.5)
    assert behind["se"] == pytest.approx(0.25)
    assert behind["p_balance"] == pytest.approx((200 + 400) / 1000)
    spread = (200**2 + 400**2) * 0.4**2 + (100**2 + 300**2) * 0.6**2
    assert behind["se_balance"] == pytest.approx(spread**0.5 / 1000)
    assert found.group_by("month", "product", "from").agg(pl.col("p").sum())["p"].to_list() == [1.0]


def test_months_that_do_not_follow_each_other_are_no_move(follow) -> None:
    assert rates(follow([0, None, 40])).is_empty()
    assert rates(follow([5])).is_empty()


def test_months_after_the_cut_off_do_not_count(follow) -> None:
    assert rates(follow([0, 0, 0, 0], as_of=date(2025, 2, 28)))["n"].to_list() == [1]


def test_a_loan_paid_off_is_closed_once_and_a_card_at_zero_is_not(follow) -> None:
    owed = {0: [500, 500, 0, 0]}
    loan = cells(rates(follow([0, 0, 0, 0], owed=owed)).filter(pl.col("to") == "closed"))
    assert loan["current", "closed"]["n"] == 1
    card = rates(follow([0, 0, 0, 0], owed=owed, product="credit_card"))
    assert set(card["to"]) == {"current"}
    assert card["n"].sum() == 3
    never = rates(follow([0, 0, 0], owed={0: [0, 0, 0]}))
    assert set(never["to"]) == {"current"}, "balances that are never above zero are not told"


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ({"events": tape(("L00000", date(2025, 3, 9), "write_off"))}, "written-off"),
        ({"payments": tape(("L00000", date(2025, 3, 9), "sale")).rename({"kind": "source"})}, "sold"),
        ({"loans": {"principal": pl.lit(0, pl.Int64)}}, "closed"),
        ({"loans": {"principal": pl.lit(5, pl.Int64)}}, None),
        ({"events": tape(("L00000", date(2025, 6, 9), "write_off"))}, None),
    ],
)  # fmt: skip
def test_what_ends_a_loan(follow, more, end) -> None:
    found = cells(rates(follow([95, 120], as_of=date(2025, 6, 30), **more)))
    assert ("90+", "90+") in found
    ends = {to for _, to in found if to not in {"90+"}}
    assert ends == ({end} if end else set())


def test_months_after_a_write_off_are_not_moves(follow) -> None:
    off = tape(("L00000", date(2025, 2, 1), "write_off"))
    found = rates(follow([95, 120, 150, 180], events=off))
    assert list(cells(found)) == [("90+", "written-off")]


def test_rates_over_all_months_are_those_of_the_sums(follow) -> None:
    found = cells(rolls.pooled(count(follow([0, 0, 20], [0, 20, 50, 20], [0, 0]))))
    assert found["current", "1-30"]["n"] == 2
    assert found["current", "1-30"]["p"] == pytest.approx(2 / 4)
    assert found["current", "1-30"]["se"] == pytest.approx(0.25)
    assert found["current", "1-30"]["p_balance"] == pytest.approx(300 / 700)
    assert found["1-30", "31-60"]["p"] == 1.0
    assert found["31-60", "1-30"]["p"] == 1.0


def test_flows_tell_new_terms_apart(follow) -> None:
    eased = tape(("L00001", date(2025, 2, 3), "restructured"))
    known = follow([0, 85, 95], [0, 85, 95], [0, 0, 0], events=eased)
    found = rolls.flows(count(known), known)
    rows = {(row["month"], row["new_terms"]): row for row in found.iter_rows(named=True)}
    assert rows[date(2025, 2, 1), True]["n"] == rows[date(2025, 2, 1), True]["at_risk"] == 1
    plain = rows[date(2025, 2, 1), False]
    assert (plain["at_risk"], plain["n"], plain["p"]) == (2, 1, 0.5)
    assert plain["p_balance"] == pytest.approx(100 / 400)


def test_vintages_by_hand(follow) -> None:
    # born in January; one goes bad at month 2, one is lost from sight after month 2, two stay
    begun = {"origination_date": pl.lit(JAN)}
    known = follow([0, 50, 99, 150], [0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], loans=begun)
    found = rolls.vintages(known)
    assert found["vintage"].unique().to_list() == [2025]
    assert found["age_months"].to_list() == [1, 2, 3]
    assert found["loans"].to_list() == [4, 4, 2]
    assert found["ever_90"].to_list() == pytest.approx([0.0, 0.25, 0.25])
    assert found["se"][1] == pytest.approx((0.25 * 0.75 / 4) ** 0.5)
    # balances 100 to 400: of 1,000 the 100 go bad
    assert found["ever_90_balance"].to_list() == pytest.approx([0.0, 0.1, 0.1])
    each = 1_000**2 / (100**2 + 200**2 + 300**2 + 400**2)
    assert found["se_balance"][1] == pytest.approx((0.1 * 0.9 / each) ** 0.5)


def test_cures_and_relapses_by_hand(follow) -> None:
    # goes bad in March, is current in May, bad again in July; the second goes bad in March and stays
    known = follow([0, 70, 95, 70, 0, 60, 95], [0, 70, 95, 125, 155, 185, 215])
    found = rolls.cures(known).filter(product="all")
    cure = found.filter(what=rolls.CURE)
    assert cure["at_risk"].to_list() == [2, 2, 1, 1]
    assert cure["events"].to_list() == [0, 1, 0, 0]
    assert cure["share"].to_list() == pytest.approx([0.0, 0.5, 0.5, 0.5])
    assert cure["share_balance"].to_list() == pytest.approx([0.0, 1 / 3, 1 / 3, 1 / 3])
    relapse = found.filter(what=rolls.RELAPSE)
    assert relapse["events"].to_list() == [0, 1]
    assert relapse["share"].to_list() == [0.0, 1.0]


def test_a_loan_that_was_bad_before_it_was_seen_is_no_beginning(follow) -> None:
    assert rolls.cures(follow([95, 0, 0])).is_empty()


PAST = st.one_of(st.none(), st.sampled_from([0, 5, 30, 31, 75, 90, 91, 400]))
DAYS = st.lists(PAST, min_size=1, max_size=9).filter(lambda series: set(series) != {None})
BOOKS = st.lists(DAYS, min_size=1, max_size=12)


def by_loop(months: pl.DataFrame, product: dict[str, str]) -> Counter[tuple[object, ...]]:
    """Moves and balances, one loan-month at a time."""
    known = {(row["loan_id"], row["month"]): row for row in months.iter_rows(named=True)}

    def name(days: int) -> str:
        return next(word for word, most in NAMES if days <= most)

    found: Counter[tuple[object, ...]] = Counter()
    for (loan, month), row in known.items():
        after = known.get((loan, date(month.year + month.month // 12, month.month % 12 + 1, 1)))
        if after:
            found[month, product[loan], name(row["days_past_due"]), name(after["days_past_due"])] += 1  # fmt: skip
    return found


@settings(max_examples=60, deadline=None)
@given(BOOKS, st.randoms(use_true_random=False))
def test_counts_are_those_of_a_plain_loop_in_any_order_of_rows(written, books, random) -> None:
    months, loans = written(*books)
    kinds = {loan: random.choice(["consumer", "mortgage"]) for loan in months["loan_id"].unique()}
    loans = loans.with_columns(product=pl.col("loan_id").replace_strict(kinds))
    mixed = months.sample(fraction=1.0, shuffle=True, seed=random.randrange(1000))
    known = paths(mixed, loans, as_of=DAY)
    found = rolls.roll_rates(count(known), known)
    expected = by_loop(months, kinds)
    assert {tuple(row[:4]): row[4] for row in found.iter_rows()} == dict(expected)


@settings(max_examples=40, deadline=None)
@given(BOOKS.filter(lambda books: len(books) > 1), st.integers(0, 11))
def test_the_moves_of_two_parts_add_up_to_those_of_the_whole(written, books, cut) -> None:
    months, loans = written([0], *books, [0])
    at = f"L{1 + cut % len(books):05d}"
    whole = count(paths(months, loans, as_of=DAY))
    low, high = (months.filter(part) for part in (pl.col("loan_id") <= at, pl.col("loan_id") > at))
    parts = count(paths(low, loans, as_of=DAY)) + count(paths(high, loans, as_of=DAY))
    assert (parts.n == whole.n).all()
    assert (parts.owed == whole.owed).all()
    assert np.allclose(parts.square, whole.square)


def test_shares_come_near_the_chain_that_made_them(follow) -> None:
    rng = np.random.default_rng(3)
    chain = np.array(
        [
            [0.9, 0.1, 0, 0, 0],
            [0.5, 0.2, 0.3, 0, 0],
            [0.2, 0, 0.2, 0.6, 0],
            [0.1, 0, 0, 0.1, 0.8],
            [0, 0, 0, 0, 1],
        ]
    )
    series = []
    for _ in range(3_000):
        state, path = int(rng.integers(0, 4)), []
        for _ in range(6):
            path.append([0, 15, 45, 75, 120][state])
            state = int(rng.choice(5, p=chain[state]))
        series.append(path)
    n = count(follow(*series)).n.sum(axis=(0, 1, 2))[:5, :5]
    risk = n.sum(axis=1, keepdims=True)
    assert (np.abs(n / risk - chain) <= 4 * np.sqrt(chain * (1 - chain) / risk) + 1e-12).all()
    assert list(STATES[:5]) == ["current", "1-30", "31-60", "61-90", "90+"]
