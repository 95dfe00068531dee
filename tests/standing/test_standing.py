"""What a loan is: situations by hand, and an independent classifier in plain Python."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from arrears import conduct, rules, standing
from arrears.core.dates import add_months
from arrears.tape.columns import CLASSES, EVENTS, LOANS, MONTHS

TABLE = yaml.safe_load((Path(__file__).parent / "by_hand.yaml").read_text("utf-8"))
LOAN = {
    "loan_id": "L1",
    "product": "consumer",
    "principal": 100,
    "days_past_due": 0,
    "origination_date": date(2024, 1, 1),
}
BOOK = rules.load("cn")


def _frame(rows, schema) -> pl.DataFrame:
    return pl.DataFrame([{**dict.fromkeys(schema), **row} for row in rows], schema=schema)


@pytest.mark.parametrize("row", TABLE, ids=[row["say"] for row in TABLE])
def test_situation(row) -> None:
    day = row.get("day", date(2025, 3, 31))
    loans = _frame([{**LOAN, **row["loan"]}], LOANS)
    months = events = None
    if "months" in row:
        months = _frame(
            [{"loan_id": "L1", "month": m, "days_past_due": d} for m, d in row["months"]], MONTHS
        )
    if "events" in row:
        events = _frame([{"loan_id": "L1", "date": d, "kind": k} for d, k in row["events"]], EVENTS)
    stands = standing.classify(loans, as_of=day, rulebook=BOOK, months=months, events=events).row(
        0, named=True
    )
    for key, column in (("class", "five_tier"), ("stage", "stage"), ("regime", "regime")):
        if key in row:
            assert stands[column] == row[key]
    if "limitation" in row:
        ends = standing.limitation_ends(loans, as_of=day, rulebook=BOOK, events=events)
        assert ends[0] == row["limitation"]
    if "repair" in row:
        assert standing.credit_repair(loans, as_of=day, rulebook=BOOK)[0] == row["repair"]
    steps = standing.explain(loans, as_of=day, rulebook=BOOK, months=months, events=events)
    told = {step.rule: step.result for step in steps}
    assert told["five_tier"] == stands["five_tier"]
    assert told["stage"] == stands["stage"]


def plain_class(loan: dict, day: date) -> tuple[str, int]:
    """Class and stage by FACTS 1 and READINGS 1, without tables, frames or the rulebook."""
    born = loan["origination_date"]
    old = born is not None and born < date(2023, 7, 1) and day <= date(2025, 12, 31)
    days, level = loan["days_past_due"], 0
    for start, floor in ((1, 1), (91, 2)) if old else ((1, 1), (91, 2), (271, 3), (361, 4)):
        if days >= start:
            level = max(level, floor)
    if loan["product"] == "credit_card":
        for start, floor in ((1, 1), (91, 2), (121, 3), (181, 4)):
            if days >= start:
                level = max(level, floor)
        if loan["fraud_flag"]:
            level = max(level, 3)
    if loan["credit_impaired"]:
        level = max(level, 2)
    claim = loan["principal"] + (loan["interest"] or 0)
    if not old and loan["provision"] is not None:
        share = loan["provision"] / claim
        level = max(level, 4 if share >= 0.9 else 3 if share >= 0.5 else 0)
    watched = False
    start = loan["first_new_due_date"]
    if start is None and loan["restructured_on"] is not None:
        start = add_months(loan["restructured_on"], 1)
    if start is not None:
        end = add_months(start, 6) if old else start + timedelta(days=365)
        watched = start <= day < end
        if watched and old:
            level = max(level, 3 if days > 0 else 2)
        if watched and not old:
            bad = loan["class_before_restructure"] in {"substandard", "doubtful", "loss"}
            again = (loan["restructure_count"] or 0) >= 2
            level = max(level, 2 if bad or again else 1)
    stage = (
        3
        if days > 90 or loan["credit_impaired"] or level >= 2
        else 2
        if days > 30 or watched
        else 1
    )
    return CLASSES[level], stage


DAYS = st.dates(date(2023, 7, 1), date(2027, 1, 31))
LOANS_DRAWN = st.fixed_dictionaries(
    {
        "product": st.sampled_from(["mortgage", "consumer", "credit_card", "business"]),
        "days_past_due": st.sampled_from([0, 1, 30, 31, 90, 91, 120, 121, 180, 181, 270, 271, 360, 361]),
        "origination_date": st.none() | st.dates(date(2019, 1, 1), date(2025, 6, 1))
        | st.sampled_from([date(2023, 6, 30), date(2023, 7, 1)]),
        "credit_impaired": st.sampled_from([None, False, True]),
        "fraud_flag": st.sampled_from([None, False, True]),
        "principal": st.integers(1, 1000),
        "interest": st.none() | st.integers(0, 100),
        "provision": st.none() | st.integers(0, 1100),
        "restructured_on": st.none() | st.dates(date(2022, 1, 1), date(2026, 6, 1)),
        "first_new_due_date": st.none() | st.dates(date(2022, 2, 1), date(2026, 7, 1)),
        "restructure_count": st.sampled_from([None, 0, 1, 2]),
        "class_before_restructure": st.sampled_from([None, "normal", "special_mention", "doubtful"]),
    }
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(drawn=st.lists(LOANS_DRAWN, min_size=1, max_size=12), day=DAYS)
def test_classing_agrees_with_a_plain_classifier_and_splits(drawn, day) -> None:
    rows = [{**loan, "loan_id": f"L{n:02d}"} for n, loan in enumerate(drawn)]
    loans = _frame(rows, LOANS)
    stands = standing.classify(loans, as_of=day, rulebook=BOOK)
    assert list(zip(stands["five_tier"], stands["stage"], strict=True)) == [
        plain_class(loan, day) for loan in drawn
    ]
    half = len(rows) // 2
    parts = [
        standing.classify(part, as_of=day, rulebook=BOOK) for part in (loans[:half], loans[half:])
    ]
    assert_frame_equal(pl.concat(parts), stands)


def test_every_decision_names_an_article_that_the_rulebook_has() -> None:
    loans = _frame(
        [{**LOAN, "days_past_due": days, "product": "credit_card"} for days in range(0, 400, 13)],
        LOANS,
    )
    for articles in standing.classify(loans, as_of=date(2025, 3, 31), rulebook=BOOK)["articles"]:
        assert len(articles) > 0
        assert all(article in BOOK.articles for article in articles)


@pytest.mark.parametrize(
    ("day", "limits"),
    [(date(2026, 1, 29), (None, None, None)), (date(2026, 1, 30), ("08:00", "22:00", 6))],
)
def test_hours_of_contact_hold_from_their_day(day, limits) -> None:
    found = conduct.limits(BOOK, day)
    assert (found.not_before, found.not_after, found.max_dials) == limits
