"""A synthetic book is the same for the same seed, consistent with itself, and its truth is known."""

from __future__ import annotations

import os
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


@pytest.mark.parametrize("as_of", [DAY, date(2024, 2, 29), date(2023, 7, 12)])
@pytest.mark.parametrize("name", ["eastern_bank/recipe", "recipes/sold_package", None])
def test_nothing_happens_to_a_loan_before_it_began(root, name, as_of) -> None:
    recipe = synth.Recipe(overdue=8.0, hidden=0.6)
    if name is not None:
        recipe, _ = synth.read_recipe(root / f"examples/{name}.yaml")
    chunks = synth.book(recipe, loans=4_000, months=30, as_of=as_of, seed=5)
    tables = [chunk.tables for chunk in chunks]
    loans = pl.concat([table["loans"] for table in tables]).unique("loan_id", keep="none")
    begun = loans.select("loan_id", "origination_date")
    for table, column in (
        ("events", "date"),
        ("payments", "date"),
        ("months", "month"),
        ("contacts", "date"),
    ):
        rows = pl.concat([found[table] for found in tables]).join(begun, on="loan_id")
        assert not rows.is_empty()
        assert rows.filter(pl.col(column) < pl.col("origination_date")).is_empty(), table
    for column in (
        "default_date",
        "restructured_on",
        "first_new_due_date",
        "judgment_date",
        "last_demand_date",
    ):
        assert (loans[column] >= loans["origination_date"]).all(), column


def test_a_recipe_that_is_wrong_is_told(tmp_path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("lender: X\nhiden: 0.2\n", "utf-8")
    recipe, problems = synth.read_recipe(path)
    assert recipe is None
    assert "hidden" in problems[0].fix


LOANS = int(os.environ.get("ARREARS_SYNTH_LOANS", "15000"))


def test_a_package_is_as_the_figures_that_its_recipe_cites(root) -> None:
    """ARREARS_SYNTH_LOANS=200000 makes the whole of it, where nothing is 5 per cent off."""
    recipe, problems = synth.read_recipe(root / "examples/recipes/sold_package.yaml")
    assert recipe is not None, problems
    figures = recipe.figures
    loans = _book(recipe, loans=LOANS, months=1)["loans"]
    assert (loans["days_past_due"] > 90).all()
    claim = loans.select(pl.sum_horizontal("principal", "interest", "fees")).to_series()
    loans = loans.with_columns(claim=claim)
    debtors = loans["borrower_id"].n_unique()
    assert claim.sum() / debtors == pytest.approx(figures.claim_per_debtor, rel=0.01)
    assert loans.height / debtors == pytest.approx(figures.loans_per_debtor, rel=0.01)
    assert loans["principal"].sum() / claim.sum() == pytest.approx(
        figures.principal_share, rel=0.01
    )
    age = (DAY.year - loans["birth_year"]).mean()
    assert age == pytest.approx(figures.borrower_age, rel=0.01)

    def near(told: dict[str, float], found: dict[str, float], size: float) -> None:
        # five per cent at 200,000 loans; fewer of them scatter more
        for word, share in told.items():
            scatter = 0.0 if LOANS >= 200_000 else 4.0 * size * (share * (1 - share) / LOANS) ** 0.5
            assert abs(found.get(word, 0.0) - share) <= max(0.05 * share, scatter), word

    by = loans.group_by("product").agg(share=pl.col("claim").sum() / claim.sum())
    near(figures.claim_mix, dict(by.iter_rows()), 1.5)
    by = loans.group_by("legal_status").agg(share=pl.len() / LOANS)
    near(figures.litigation, dict(by.iter_rows()), 1.0)
    mix = {str(low): share for low, _, share in figures.overdue_mix}
    days = loans["days_past_due"]
    found = {
        str(low): days.is_between(low, high - 1).mean() for low, high, _ in figures.overdue_mix
    }
    near(mix, found, 1.0)


def test_figures_that_are_none_are_told(tmp_path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("figures: {claim_mix: {consumer: 0.5, cars: 0.5}}\n", "utf-8")
    assert "no product 'cars'" in synth.read_recipe(path)[1][0].found
    path.write_text("figures: {litigation: {not_sued: 0.5, filed: 0.4}}\n", "utf-8")
    assert "add up to 1" in synth.read_recipe(path)[1][0].found


def test_every_form_holds_the_same_book(tmp_path) -> None:
    from arrears import run
    from arrears.core.hashing import table_hash

    for form in ("csv", "parquet", "xlsx"):
        run.synth(
            run.SynthRequest(loans=300, months=2, format=form, truth=True), out=tmp_path / form
        )
        assert {path.suffix for path in (tmp_path / form).iterdir()} == {
            f".{form}",
            ".parquet",
            ".json",
        }
    from arrears.tape import TapeFiles, read

    tapes = [
        read(TapeFiles(tmp_path / form / f"loans.{form}")).tape
        for form in ("csv", "parquet", "xlsx")
    ]
    assert len({table_hash(tape.loans) for tape in tapes}) == 1


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path, monkeypatch) -> None:
    from arrears import run

    monkeypatch.setattr("arrears.run.synthesise.SHEET_ROWS", 100)
    with pytest.raises(run.Stopped) as stopped:
        run.synth(run.SynthRequest(loans=200, months=1, format="xlsx"), out=tmp_path / "book")
    assert stopped.value.problems[0].code == "SHEET-FULL"
    assert not (tmp_path / "book").exists()
