"""The hidden-state model on books drawn from it, and what a finding promises."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import polars as pl
import pytest
from hidden_cases import AS_OF, event, events, loan, loans, month, months

from arrears import rules, standing
from arrears.standing.hidden import find
from arrears.standing.hidden import words as w
from arrears.standing.hidden.coded import coded
from arrears.standing.hidden.months import lived


def a_book(kept: int, sound: int = 300) -> dict[str, pl.DataFrame]:
    """Sound loans, some late, and kept ones: interest added, extended twice, interest alone paid."""
    table, rows, acts = [], [], []
    for number in range(sound + kept):
        name, hides = f"L{number:04d}", number >= sound
        table.append(loan(name, branch="Hides" if hides or number % 2 else "Honest"))
        for back in range(18):
            late = number % 9 == 0 and back in {5, 6}
            if hides and back < 10:
                rows.append(month(name, back, paid_principal=0, balance=1_100_000))
            else:
                late_now = {"days_past_due": 20, "paid_principal": 0, "paid_interest": 0}
                rows.append(month(name, back, **(late_now if late else {})))
        if hides:
            acts += [
                event(name, date(2024, 7, 5), "capitalised"),
                event(name, date(2024, 8, 5), "extension"),
                event(name, date(2025, 1, 5), "extension"),
            ]
    return {"loans": loans(*table), "months": months(*rows), "events": events(*acts)}


def found_in(book: dict[str, pl.DataFrame], **more):
    tables = {name: book.get(name) for name in ("payments", "months", "events")}
    law, market = rules.load("cn"), rules.load_market("cn")
    classed = standing.classify(
        book["loans"], as_of=AS_OF, rulebook=law, months=tables["months"], events=tables["events"]
    )
    return find(book["loans"], tables, standing=classed, as_of=AS_OF, market=market, **more)


@pytest.fixture(scope="module")
def finding():
    return found_in(a_book(kept=12))


def test_kept_loans_are_found_and_sound_ones_left_alone(finding) -> None:
    p = finding.table["p_hidden"].to_numpy()
    assert finding.basis == "model"
    assert p[300:].min() > 0.8
    assert p[:300].max() < 0.1


def test_the_hidden_amount_is_the_chance_times_the_claim(finding) -> None:
    table = finding.table
    assert (table["hidden_amount"] / 1_000_000).to_numpy() == pytest.approx(
        table["p_hidden"].to_numpy()
    )


def test_parts_of_a_book_add_up_and_lie_in_their_intervals(finding) -> None:
    keys = pl.Series(["Hides" if n % 2 or n >= 300 else "Honest" for n in range(312)])
    parts, whole = finding.by(keys), finding.by(pl.Series(["all"] * 312))
    assert parts["hidden"].sum() == pytest.approx(whole["hidden"][0])
    assert whole["hidden"][0] == pytest.approx(finding.table["hidden_amount"].sum())
    assert ((parts["lo90"] <= parts["hidden"]) & (parts["hidden"] <= parts["hi90"])).all()
    assert parts.filter(key="Hides")["hidden"][0] > 0.9 * whole["hidden"][0]


def test_a_model_sure_of_its_loans_is_not_sure_that_there_are_no_others(finding) -> None:
    all_ = finding.by(pl.Series(["all"] * 312)).row(0, named=True)
    named = dataclasses.replace(finding, untraced=None).by(pl.Series(["all"] * 312))
    spread = rules.load_market("cn").number("hidden/untraced_error", AS_OF)
    assert (finding.untraced >= 0).all()
    assert np.quantile(finding.untraced, 0.95) == pytest.approx(np.exp(1.645 * spread) - 1, rel=0.3)
    assert all_["lo90"] == pytest.approx(named["lo90"][0], rel=0.02)
    assert all_["hi90"] > 1.3 * all_["hidden"]
    looked = pl.DataFrame({"loan_id": ["L0000", "L0305"], "hidden": [False, True]})
    assert found_in(a_book(kept=12), audit=looked).untraced is None


def test_nothing_hidden_is_hardly_anything_found() -> None:
    found = found_in(a_book(kept=0))
    assert found.table["hidden_amount"].sum() < 0.002 * 300 * 1_000_000


def test_the_same_seed_gives_the_same_finding(finding) -> None:
    again = found_in(a_book(kept=12))
    assert again.table.equals(finding.table)
    assert all(np.array_equal(*pair) for pair in zip(again.draws, finding.draws, strict=True))


def test_loans_known_as_bad_are_not_hidden_and_loans_without_history_are_unknown() -> None:
    book = a_book(kept=3)
    known = pl.col("loan_id") == "L0300"
    book["loans"] = book["loans"].with_columns(
        reported_class=pl.when(known).then(pl.lit("substandard"))
    )
    blank = loans(loan("X", renewals=None))
    book["loans"] = pl.concat([book["loans"], blank])
    p = found_in(book).table["p_hidden"]
    assert p[300] == 0
    assert p[301] > 0.5
    assert p[-1] is None


def test_one_month_is_left_to_the_scorecard_and_said_so() -> None:
    book = a_book(kept=2, sound=20)
    book["months"] = book["months"].filter(pl.col("month") == date(2025, 3, 1))
    found = found_in(book)
    assert found.basis == "scorecard"
    assert "two months" in found.why


def test_without_any_history_nothing_is_said() -> None:
    found = found_in({"loans": loans(loan("1", renewals=None))})
    assert found.basis == "none"
    assert found.table["p_hidden"].to_list() == [None]
    assert found.by(pl.Series(["all"]))["hidden"].to_list() == [None]


def test_gaps_are_unknown_months_and_not_left_out() -> None:
    table = loans(loan("1"), loan("2"))
    gappy = months(
        *[month("1", back) for back in (0, 1, 5)], *[month("2", back) for back in (0, 1)]
    )
    histories = coded(table, lived(table, {"months": gappy}, AS_OF), pl.Series([0, 0]))
    assert histories.length.tolist() == [6, 2]
    shown = histories.rows[histories.code[:6]]
    assert (shown[:, 2] == w.DAYS_UNKNOWN).tolist() == [False, True, True, True, False, False]
