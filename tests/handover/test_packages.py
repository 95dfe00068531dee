"""The notice and the tape of a package, word for word."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from arrears import rules
from arrears.handover import packages
from arrears.tape.columns import LOANS

GOLDEN = Path(__file__).parent / "golden"
ROWS = [
    {"loan_id": "L1", "borrower_id": "P1", "product": "consumer", "security": "none", "principal": 5_000_000,
     "interest": 400_000, "fees": 30_000, "days_past_due": 400, "birth_year": 1985, "reported_class": "doubtful",
     "legal_status": "not_sued", "province": "Zhejiang", "id_key": "SECRET", "written_off": False},
    {"loan_id": "L2", "borrower_id": "P1", "product": "consumer", "security": "none", "principal": 2_500_000,
     "interest": 100_000, "days_past_due": 800, "birth_year": 1985, "reported_class": "loss",
     "legal_status": "terminated", "province": "Henan", "phone_key": "SECRET", "written_off": True},
    {"loan_id": "L3", "borrower_id": "P2", "product": "consumer", "security": "guarantee", "principal": 1_000_050,
     "interest": 0, "fees": 0, "days_past_due": 100, "reported_class": "substandard"},
]  # fmt: skip


@pytest.fixture
def rows() -> pl.DataFrame:
    loans = pl.DataFrame([{**dict.fromkeys(LOANS), **row} for row in ROWS], schema=LOANS)
    return loans.with_columns(five_tier=pl.Series(["loss", "loss", "doubtful"]))


@pytest.mark.parametrize("channel", ["transfer", "securitise", "income_rights"])
def test_the_notice_is_the_public_header(rows, channel) -> None:
    situation = SimpleNamespace(as_of=date(2025, 3, 31), rulebook=rules.load("cn"))
    text = packages.notice(rows, situation, channel, 1)
    assert text == (GOLDEN / f"{channel}.md").read_text("utf-8")
    # by hand: 5,000,000 + 2,500,000 + 1,000,050 fen; 54,000 x 400 + 26,000 x 800 + 10,000.50 x 100 over 90,000.50
    assert "| Unpaid principal | 85,000.50 yuan |" in text
    assert "| Days past due, weighted by principal and interest | 482.22 |" in text
    assert "| Loans | 3 |" in text
    assert "| Borrowers | 2 |" in text


def test_what_has_left_the_public_notices_is_no_longer_given(rows) -> None:
    book, texts = rules.load("cn"), {}
    for day in (date(2025, 10, 28), date(2025, 10, 29)):
        situation = SimpleNamespace(as_of=day, rulebook=book)
        texts[day.day] = packages.notice(rows, situation, "transfer", 1)
    # by hand: 54,000 + 26,000 of one borrower, 10,000.50 of the other
    for line in (
        "| Written off | 1 |",
        "a borrower, mean | 45,000.25 yuan |",
        "a borrower, largest | 80,000.00 yuan |",
    ):
        assert line in texts[28]
        assert line not in texts[29]


def test_the_amount_granted_is_weighted_by_what_is_owed_on_it(rows) -> None:
    granted = pl.Series([10_000_000, None, 2_000_000], dtype=pl.Int64)
    situation = SimpleNamespace(as_of=date(2025, 3, 31), rulebook=rules.load("cn"))
    text = packages.notice(rows.with_columns(original_principal=granted), situation, "transfer", 1)
    # by hand: (54,000 x 100,000 + 10,000.50 x 20,000) / 64,000.50
    assert "| Amount granted, weighted by principal and interest | 87,499.47 yuan |" in text


def test_buyers_no_longer_see_what_is_written_off_and_investors_do(rows) -> None:
    book = rules.load("cn")
    for channel, day, seen in (
        ("transfer", date(2025, 10, 28), True),
        ("transfer", date(2025, 10, 29), False),
        ("securitise", date(2025, 10, 29), True),
    ):
        tape = packages.tape(rows, SimpleNamespace(as_of=day, rulebook=book), channel)
        assert ("written_off" in tape.columns) == seen


def test_investors_see_the_class_by_the_rules_and_what_is_written_off(rows) -> None:
    situation = SimpleNamespace(as_of=date(2026, 3, 31), rulebook=rules.load("cn"))
    for channel in ("securitise", "income_rights"):
        text = packages.notice(rows, situation, channel, 1)
        assert "| Five classes by the rules | doubtful 1, loss 2 |" in text
        assert "| Written off | 1 |" in text


def test_the_tape_of_a_package_names_nobody(rows) -> None:
    tape = packages.tape(
        rows, SimpleNamespace(as_of=date(2025, 3, 31), rulebook=rules.load("cn")), "transfer"
    )
    assert tape["loan_number"].to_list() == [1, 2, 3]
    assert tape["borrower_number"].to_list() == [1, 1, 2]
    assert tape["principal (yuan)"].to_list() == [50_000.0, 25_000.0, 10_000.5]
    assert not {"loan_id", "borrower_id", "id_key", "phone_key", "name_key", "address_key"} & set(
        tape.columns
    )
    text = tape.write_csv()
    assert not any(word in text for word in ("SECRET", "P1", "L1", "L2"))
