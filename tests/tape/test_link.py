"""One person, many loans: found although keys are corrupted, and not because a phone is shared."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest

from arrears.tape.anonymise import anonymise
from arrears.tape.link import debtors, link

PEOPLE = 1_500


def book(*, bloom: bool = False, seed: int = 1) -> pl.DataFrame:
    """Loans of people at two lenders that number their borrowers each by itself; a tenth of the keys is corrupted."""
    rng = np.random.default_rng(seed)
    person = np.concatenate([np.arange(PEOPLE), rng.integers(0, PEOPLE, PEOPLE // 3)])
    count = len(person)
    lender = rng.choice(["North Bank", "South Finance"], count)

    def key(kind: str) -> list[str | None]:
        values: list[str | None] = []
        for who in person:
            true = f"{kind}{who}"
            if rng.random() < 0.1:
                values.append(
                    None
                    if rng.random() < 0.3 and not bloom
                    else _coded(f"{true}x{rng.random()}", true, rng, bloom=bloom)
                )
            else:
                values.append(_coded(true, true, None, bloom=bloom))
        return values

    phone = key("phone")
    shared = rng.choice(count, 60, replace=False)
    for place in shared:
        phone[place] = _coded("the office phone", "the office phone", None, bloom=bloom)
    return pl.DataFrame(
        {
            "loan_id": [f"L{n:05d}" for n in range(count)],
            "lender": lender,
            "borrower_id": [f"{where[0]}{who}" for where, who in zip(lender, person, strict=True)],
            "id_key": key("id"),
            "phone_key": phone,
            "name_key": [_coded(f"name{who % 900}", f"name{who % 900}", None, bloom=bloom) for who in person],
            "address_key": key("address"),
            "birth_year": 1960 + person % 40,
            "product": "consumer",
            "principal": 1000,
            "interest": 0,
            "fees": 0,
            "days_past_due": 100,
            "person": person,
        },
        schema_overrides={"birth_year": pl.Int32},
    )  # fmt: skip


def _coded(text: str, true: str, rng: np.random.Generator | None, *, bloom: bool) -> str:
    """A hash of the text; or a filter of 512 bits of which corruption moves a few."""
    if not bloom:
        return hashlib.sha256(text.encode()).hexdigest()[:24]
    bits = (
        np.random.default_rng(int(hashlib.md5(true.encode()).hexdigest()[:8], 16)).random(512)
        < 0.25
    )
    if rng is not None:
        flipped = rng.choice(512, 14, replace=False)
        bits[flipped] = ~bits[flipped]
    return np.packbits(bits).tobytes().hex()


def f1(loans: pl.DataFrame, persons: pl.DataFrame) -> float:
    joined = loans.join(persons, on="loan_id")

    def pairs(*keys: str) -> int:
        sizes = joined.group_by(*keys).len()["len"].cast(pl.Int64)
        return int((sizes * (sizes - 1) // 2).sum())

    both, found, true = pairs("person", "person_id"), pairs("person_id"), pairs("person")
    return 2 * both / (found + true)


@pytest.mark.parametrize("bloom", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_nine_tenths_of_pairs_are_right_with_a_tenth_of_keys_corrupted(bloom, seed) -> None:
    loans = book(bloom=bloom, seed=seed)
    assert f1(loans, link(loans)) >= 0.9


@pytest.mark.parametrize("bloom", [False, True])
def test_two_keys_are_enough(bloom) -> None:
    two = book(bloom=bloom).with_columns(
        pl.lit(None, pl.String).alias(name) for name in ("name_key", "address_key")
    )
    assert f1(two, link(two)) >= 0.9


def test_a_shared_phone_joins_nobody() -> None:
    loans = book()
    persons = link(loans).join(loans.select("loan_id", "person", "phone_key"), on="loan_id")
    office = persons.filter(
        pl.col("phone_key") == _coded("the office phone", "", None, bloom=False)
    )
    assert office.height > 50
    assert office["person_id"].n_unique() >= office["person"].n_unique() - 1
    assert persons["match_probability"].is_between(0, 1).all()


def test_the_order_of_loans_does_not_matter_and_debtors_add_up() -> None:
    loans = book()
    persons = link(loans)
    assert persons.equals(link(loans.reverse()))
    owed = debtors(loans, persons)
    assert owed["claim"].sum() == loans["principal"].sum()
    assert owed["loans"].sum() == loans.height


def test_without_keys_the_lenders_own_number_decides() -> None:
    bare = book().with_columns(
        pl.lit(None, pl.String).alias(name)
        for name in ("id_key", "phone_key", "name_key", "address_key")
    )
    persons = link(bare.with_columns(birth_year=pl.lit(None, pl.Int32)))
    assert persons["person_id"].n_unique() == bare.select("lender", "borrower_id").n_unique()


def test_an_anonymised_tape_names_nobody(tmp_path) -> None:
    from arrears import run

    run.synth(run.SynthRequest(loans=800, months=3, seed=2), out=tmp_path / "book")
    loans = pl.read_csv(tmp_path / "book/loans.csv", infer_schema=False)
    from arrears.tape import TapeFiles, read

    tape = read(
        TapeFiles(tmp_path / "book/loans.csv", payments=tmp_path / "book/payments.csv")
    ).tape
    assert tape is not None
    key = b"sixteen bytes or more"
    hidden = anonymise({"loans": tape.loans, "payments": tape.payments}, key)
    text = hidden.tables["loans"].write_csv()
    for column in ("loan_id", "borrower_id", "branch", "lender", "id_key", "phone_key", "name_key"):
        for value in loans[column].drop_nulls().unique().to_list()[:200]:
            assert f",{value}," not in text
    again = anonymise({"loans": tape.loans, "payments": tape.payments}, key)
    assert again.tables["loans"].equals(hidden.tables["loans"])
    other = anonymise({"loans": tape.loans}, b"another key of sixteen")
    assert not set(other.tables["loans"]["loan_id"]) & set(hidden.tables["loans"]["loan_id"])
    assert (
        hidden.tables["payments"]["loan_id"]
        .is_in(hidden.tables["loans"]["loan_id"].implode())
        .all()
    )
    cells = hidden.tables["loans"].group_by("province", "birth_year", "product").len()
    assert cells["len"].min() >= 5
    days = hidden.tables["loans"].select(pl.col(pl.Date).exclude("as_of").dt.day().max()).row(0)
    assert {day for day in days if day is not None} == {1}


def test_those_who_share_no_cell_are_joined_by_the_smallest_other_one() -> None:
    from arrears.tape.columns import LOANS

    places = ["Zhejiang"] * 7 + ["Henan"] * 5 + ["Tibet"] * 2
    loans = pl.DataFrame(
        {
            "loan_id": [f"L{n}" for n in range(15)],
            "province": [*places, "Gansu"],
            "birth_year": [1981] * 15,
            "product": ["consumer"] * 14 + ["mortgage"],
        },
        schema_overrides={"birth_year": pl.Int32},
    )
    whole = loans.select(
        (pl.col(name) if name in loans.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in LOANS.items()
    )
    hidden = anonymise({"loans": whole}, b"sixteen bytes or more", k=5)
    cells = {
        row[:3]: row[3]
        for row in hidden.tables["loans"].group_by("province", "birth_year", "product").len().rows()
    }
    assert cells == {
        ("Zhejiang", 1980, "consumer"): 7,
        (None, None, "consumer"): 7,
        (None, None, "mortgage"): 1,
    }
    # the one mortgage cannot be hidden among others, and the report says so
    assert hidden.report["fewest_after"][0] == 1
