"""What a loan is, situation by situation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml

from arrears.errors import NotInForce
from arrears.rules import Rulebook
from arrears.standing import classify, credit_repair, explain, fills, limitation_ends

Table = Callable[[str, list[dict[str, object]]], pl.DataFrame]
Situation = Mapping[str, object]
SITUATIONS = yaml.safe_load((Path(__file__).parent / "situations.yaml").read_text(encoding="utf-8"))
DAY = date(2025, 6, 30)


def tables(
    situation: Situation, table: Table, loan_id: str = "A"
) -> tuple[pl.DataFrame, pl.DataFrame | None, pl.DataFrame | None]:
    told = {"loan_id": loan_id, "origination_date": date(2024, 1, 15)}
    loan = table("loans", [told | situation.get("loan", {})])
    rest = [
        table(name, [{"loan_id": loan_id} | row for row in situation[name]])
        if name in situation
        else None
        for name in ("months", "events")
    ]
    return loan, rest[0], rest[1]


def test_there_are_situations_enough() -> None:
    assert len(SITUATIONS) >= 70
    assert len({situation["it"] for situation in SITUATIONS}) == len(SITUATIONS)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation["it"])
def test_a_loan_stands_as_the_law_says(situation: Situation, book: Rulebook, table: Table) -> None:
    day = situation.get("as_of", DAY)
    loan, months, events = tables(situation, table)
    row = classify(loan, as_of=day, rulebook=book, months=months, events=events).row(0, named=True)
    row["limitation_ends"] = limitation_ends(loan, as_of=day, rulebook=book, events=events)[0]
    row["credit_repair"] = credit_repair(loan, as_of=day, rulebook=book, months=months)[0]
    expected = situation["expect"]
    assert {name: row[name] for name in expected} == expected
    assert set(situation.get("rests_on", [])) <= set(row["articles"])
    assert row["articles"][0] == row["regime"]
    assert row["p_hidden"] is None


@pytest.mark.parametrize("situation", SITUATIONS[::3], ids=lambda situation: situation["it"])
def test_the_explanation_gives_the_same_answers(
    situation: Situation, book: Rulebook, table: Table
) -> None:
    day = situation.get("as_of", DAY)
    loan, months, events = tables(situation, table)
    steps = explain(loan, as_of=day, rulebook=book, months=months, events=events)
    results = {step.rule: step.result for step in steps}
    for name, answer in situation["expect"].items():
        if name in results:
            assert results[name] == (answer.isoformat() if isinstance(answer, date) else answer)
    assert {"five_tier", "stage", "regime", "limitation_ends", "credit_repair"} <= set(results)
    assert all(step.article for step in steps)


def test_loans_are_classed_each_by_itself(book: Rulebook, table: Table) -> None:
    today = [s for s in SITUATIONS if "as_of" not in s]
    parts = [tables(situation, table, f"L{number}") for number, situation in enumerate(today)]
    loans, months, events = (
        pl.concat(there)
        if (there := [part[place] for part in parts if part[place] is not None])
        else None
        for place in range(3)
    )
    assert loans is not None
    # another loan's rows in the tables must not matter, so each situation keeps its stranger
    whole = classify(loans, as_of=DAY, rulebook=book, months=months, events=events)
    assert whole["loan_id"].to_list() == loans["loan_id"].to_list()
    for number, situation in enumerate(today):
        row = whole.row(number, named=True)
        expected = {k: v for k, v in situation["expect"].items() if k in row}
        assert {name: row[name] for name in expected} == expected, situation["it"]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_the_standing_of_a_split_tape_is_that_of_the_whole(
    size: int, book: Rulebook, table: Table
) -> None:
    day = date(2026, 1, 15)
    parts = [tables(situation, table, f"L{n}") for n, situation in enumerate(SITUATIONS)]
    loans, months, events = (
        pl.concat(there)
        if (there := [part[place] for part in parts if part[place] is not None])
        else None
        for place in range(3)
    )
    assert loans is not None

    def stand(some: pl.DataFrame) -> pl.DataFrame:
        return classify(some, as_of=day, rulebook=book, months=months, events=events).with_columns(
            ends=limitation_ends(some, as_of=day, rulebook=book, events=events),
            repair=credit_repair(some, as_of=day, rulebook=book, months=months),
        )

    split = pl.concat([stand(loans.slice(at, size)) for at in range(0, loans.height, size)])
    assert split.equals(stand(loans))
    turned = stand(loans.reverse()).reverse()
    assert turned.equals(stand(loans))


def test_empty_tables_are_like_no_tables(book: Rulebook, table: Table) -> None:
    loans = table(
        "loans", [{"restructured_on": date(2025, 1, 5), "restructure_count": 2}, {"loan_id": "C"}]
    )
    nothing = classify(loans, as_of=DAY, rulebook=book)
    empty = classify(
        loans,
        as_of=DAY,
        rulebook=book,
        months=table("months", []),
        events=table("events", []),
    )
    assert nothing.equals(empty)


def test_no_loans_have_no_standing(book: Rulebook, table: Table) -> None:
    none = table("loans", [])
    assert classify(none, as_of=DAY, rulebook=book).height == 0
    assert limitation_ends(none, as_of=DAY, rulebook=book).len() == 0
    assert credit_repair(none, as_of=date(2026, 1, 1), rulebook=book).len() == 0


def test_the_day_before_the_rulebook_is_refused(book: Rulebook, table: Table) -> None:
    loans = table("loans", [{}])
    with pytest.raises(NotInForce):
        classify(loans, as_of=date(2007, 7, 2), rulebook=book)
    assert classify(loans, as_of=date(2007, 7, 3), rulebook=book)["five_tier"][0] == "normal"


def test_what_was_read_in_a_named_way_is_counted(table: Table) -> None:
    restructured = date(2025, 1, 5)
    loans = table(
        "loans",
        [
            {"origination_date": DAY},
            {"origination_date": None},
            {"origination_date": None, "restructured_on": restructured},
            {
                "origination_date": DAY,
                "restructured_on": restructured,
                "first_new_due_date": restructured + timedelta(days=30),
            },
        ],
    )
    counts = {name: rows for name, _, rows in fills(loans)}
    assert counts == {
        "origination_date": 2,
        "first_new_due_date": 1,
        "class_before_restructure": 2,
    }


@pytest.mark.parametrize("origination", [date(2024, 1, 15), date(2022, 3, 1)])
def test_no_observation_runs_before_the_first_new_due_date(
    origination: date, book: Rulebook, table: Table
) -> None:
    loan = {
        "origination_date": origination,
        "restructured_on": date(2025, 6, 10),
        "first_new_due_date": date(2025, 7, 10),
    }
    got = classify(table("loans", [loan]), as_of=DAY, rulebook=book)
    assert got["five_tier"][0] == "normal"
