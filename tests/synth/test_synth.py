"""A synthetic book is the same for the same seed, consistent with itself, and its truth is known."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from arrears import synth
from arrears.tape.columns import TABLES, WORDS

DAY = date(2025, 3, 31)


def _book(recipe=None, *, loans=3_000, months=12, seed=1):
    chunks = list(
        synth.book(recipe or synth.Recipe(), loans=loans, months=months, as_of=DAY, seed=seed)
    )
    tables = {name: pl.concat([chunk.tables[name] for chunk in chunks]) for name in synth.TABLES}
    return tables | {"truth": pl.concat([chunk.truth for chunk in chunks])}


@pytest.fixture(scope="module")
def book():
    return _book(synth.Recipe(overdue=8.0, hidden=0.3))


def test_tables_are_canonical(book) -> None:
    for name, columns in TABLES.items():
        assert dict(book[name].schema) == dict(columns)
    assert book["truth"].columns == ["loan_id", "true_state", "hidden", "person_id"]


def test_the_same_seed_gives_the_same_book_and_another_seed_another() -> None:
    one, two, other = _book(loans=800), _book(loans=800), _book(loans=800, seed=2)
    for name, table in one.items():
        assert_frame_equal(table, two[name], check_exact=True)
    assert not one["loans"].equals(other["loans"])


def test_a_longer_book_begins_with_the_shorter_one() -> None:
    short, long = _book(loans=5_000), _book(loans=5_600)
    assert_frame_equal(long["loans"].head(5_000), short["loans"], check_exact=True)


def test_words_are_those_of_the_vocabulary(book) -> None:
    for table in TABLES:
        for column in set(TABLES[table]) & set(WORDS):
            assert set(book[table][column].drop_nulls()) <= set(WORDS[column]), column


def test_payments_are_what_the_months_say_was_paid(book) -> None:
    paid = (
        book["months"]
        .with_columns(paid=pl.col("paid_principal") + pl.col("paid_interest"))
        .filter(pl.col("paid") > 0)
        .select("loan_id", "month", "paid")
        .sort("loan_id", "month")
    )
    said = (
        book["payments"]
        .with_columns(month=pl.col("date").dt.month_start())
        .group_by("loan_id", "month")
        .agg(paid=pl.col("amount").sum())
        .sort("loan_id", "month")
    )
    assert_frame_equal(paid, said)
    assert book["payments"]["date"].max() <= DAY


def test_days_past_due_fit_the_dates_and_the_last_month(book) -> None:
    loans = book["loans"]
    late = loans.filter(pl.col("days_past_due") > 0)
    days = late.select((pl.lit(DAY) - pl.col("default_date")).dt.total_days().cast(pl.Int32))
    assert (days.to_series() == late["days_past_due"]).all()
    last = (
        book["months"]
        .filter(pl.col("month") == date(2025, 3, 1))
        .select("loan_id", now="days_past_due", left="balance")
    )
    joined = loans.join(last, on="loan_id")
    assert (joined["now"] == joined["days_past_due"]).all()
    assert (joined["left"] == joined["principal"]).all()


def test_a_hidden_loan_is_bad_and_looks_current_and_pays_interest_alone(book) -> None:
    hidden = book["truth"].filter("hidden")
    assert hidden.height > 50
    assert set(hidden["true_state"]) == {"bad"}
    loans = book["loans"].join(hidden, on="loan_id", how="semi")
    assert (loans["days_past_due"] == 0).all()
    months = book["months"].join(hidden, on="loan_id", how="semi")
    assert (months["paid_principal"] == 0).all()
    assert (months["paid_interest"] > 0).all()


def test_the_share_of_bad_loans_is_that_of_the_recipe() -> None:
    recipe = synth.Recipe(
        npl_share=dict.fromkeys(("mortgage", "consumer", "credit_card", "business"), 0.1)
    )
    truth = _book(recipe, loans=20_000, months=1)["truth"]
    assert (truth["true_state"] == "bad").mean() == pytest.approx(0.1, abs=0.008)


def test_faults_are_few_and_none_unless_asked_for(book) -> None:
    assert book["loans"]["loan_id"].is_unique().all()
    assert (book["loans"]["principal"] > 0).all()
    faulty = _book(synth.Recipe(faults=0.05), loans=4_000, months=1)["loans"]
    wrong = (~faulty["loan_id"].is_unique()).sum() / 2 + (faulty["principal"] < 0).sum()
    assert 20 < wrong < 400


def test_a_recipe_that_is_wrong_is_told(tmp_path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("lender: X\nhiden: 0.2\n", "utf-8")
    recipe, problems = synth.read_recipe(path)
    assert recipe is None
    assert "hidden" in problems[0].fix
