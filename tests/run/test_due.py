"""`due`: who is on the list, in what order, and what a payment is worth."""

from __future__ import annotations

from datetime import date, time

import polars as pl
import pytest

from arrears import run

AS_OF = date(2026, 3, 2)


def loan(name: str, **more: object) -> dict[str, object]:
    plain = {
        "as_of": AS_OF,
        "loan_id": name,
        "borrower_id": f"B{name}",
        "lender": "Bank",
        "branch": "North",
        "product": "consumer",
        "principal": 5_000_000,
        "interest": 0,
        "fees": 0,
        "days_past_due": 45,
        "next_due_date": date(2026, 3, 6),
        "next_due_interest": 40_000,
        "next_due_principal": 0,
        "origination_date": date(2024, 1, 5),
        "contact_status": "reachable",
        "reported_class": "special_mention",
        "renewals": 0,
    }
    return plain | more


@pytest.fixture
def listed(tmp_path):
    def made(
        *loans: dict[str, object], days: int = 7, **more: object
    ) -> tuple[pl.DataFrame, run.Done]:
        path = tmp_path / "loans.parquet"
        pl.DataFrame(loans, infer_schema_length=None).write_parquet(path)
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        done = run.due(run.Request(str(path), scenarios=20, **more), days=days, out=out)
        return pl.read_csv(out / "due.csv", try_parse_dates=True), done

    return made


def test_who_is_on_the_list(listed) -> None:
    table, done = listed(
        loan("A"),
        loan("B", next_due_date=date(2026, 3, 9)),
        loan("late", next_due_date=date(2026, 3, 10)),
        loan("today", next_due_date=AS_OF),
        loan("never", next_due_date=None),
        loan("bad", days_past_due=120),
        loan("paid", principal=0, days_past_due=0),
    )
    assert sorted(table["loan_id"]) == ["A", "B"]
    told = {problem.code: problem for problem in done.problems}
    assert told["DUE-DATE-MISSING"].found == "1 loan says no next due date, e.g. loan never."
    assert "loan today" in told["DUE-DATE-PASSED"].found


def test_the_order_is_by_worth_of_a_call_and_not_by_chance_of_a_miss(listed) -> None:
    small = loan("small", days_past_due=80, principal=90_000)
    large, gone = loan("large"), loan("gone", contact_status="vanished")
    table, _ = listed(small, large, gone)
    assert table["loan_id"].to_list() == ["large", "gone", "small"]
    rows = {row["loan_id"]: row for row in table.iter_rows(named=True)}
    assert rows["small"]["p_miss"] > rows["large"]["p_miss"]
    assert rows["gone"]["call_lowers_by"] < rows["large"]["call_lowers_by"]
    assert (table["worth_of_call"] <= table["call_lowers_by"] * table["worth_of_payment"]).all()


def test_what_a_payment_keeps_off_by_hand(listed) -> None:
    table, _ = listed(loan("A"), loan("sound", days_past_due=0, reported_class="normal"))
    row = table.filter(loan_id="A").row(0, named=True)
    # 45 days today, 49 on the due date; a month later 49 if paid, 79 if missed: by the market 0.45 against 0.75
    assert row["class_if_paid"] == row["class_if_missed"] == "special_mention"
    parts = row["provision_kept_off"] + row["pursuit_kept_off"]
    assert row["worth_of_payment"] == pytest.approx(parts)
    assert row["provision_kept_off"] / (0.3 * (1 - row["p_hidden"])) < 5_000_000
    sound = table.filter(loan_id="sound").row(0, named=True)
    assert (sound["class_if_paid"], sound["class_if_missed"]) == ("normal", "special_mention")


def test_a_miss_that_makes_a_loan_bad_is_told(listed) -> None:
    table, done = listed(loan("A", days_past_due=59))
    row = table.row(0, named=True)
    assert (row["class_if_paid"], row["class_if_missed"]) == ("special_mention", "substandard")
    assert "1 fall a class if they miss" in done.lines[0]


def test_a_payment_that_only_hides_a_bad_loan_is_worth_little_and_marked(listed) -> None:
    kept = {"renewals": 9, "original_principal": 5_000_000, "contact_status": "unreachable"}
    table, _ = listed(loan("A"), loan("kept", **kept))
    rows = {row["loan_id"]: row for row in table.iter_rows(named=True)}
    kept_p, plain_p = rows["kept"]["p_hidden"], rows["A"]["p_hidden"]
    assert kept_p > plain_p
    whole = {name: row["worth_of_payment"] + row["only_hidden"] for name, row in rows.items()}
    assert rows["kept"]["only_hidden"] == pytest.approx(kept_p * whole["kept"])
    assert rows["A"]["only_hidden"] == pytest.approx(plain_p * whole["A"])
    assert min(whole.values()) > 0
    assert rows["kept"]["only_hides"] == (kept_p >= 0.5)


def test_hours_and_dials_are_those_in_force(listed) -> None:
    table, _ = listed(loan("A"))
    assert table.select("not_before", "not_after", "max_dials").row(0) == (time(8), time(22), 6)
    before = date(2025, 3, 2)
    early, done = listed(loan("A", as_of=before, next_due_date=date(2025, 3, 6)))
    assert early.select("not_before", "not_after", "max_dials").row(0) == (None, None, None)
    assert any("no rule on hours" in line for line in done.lines)


def test_nothing_due_is_an_empty_list_that_says_when(listed) -> None:
    table, done = listed(loan("A", next_due_date=date(2026, 5, 1)))
    assert table.is_empty()
    assert "the next one on 2026-05-01" in done.lines[0]


def test_the_workbook_has_a_sheet_a_branch_and_says_the_same(listed, tmp_path) -> None:
    long = "A/B: a branch whose name is far too long for Excel"
    listed(loan("A"), loan("B", branch=long), loan("C", branch=None))
    path = next(tmp_path.glob("out*/due.xlsx"))
    sheets = pl.read_excel(path, sheet_id=0)
    assert set(sheets) == {"Cover", "North", "A B  a branch whose name is", "(not given)"}
    table = pl.read_csv(path.parent / "due.csv")
    row = sheets["North"].row(0, named=True)
    assert row["loan"] == "A"
    worth = table.filter(loan_id="A")["worth_of_call"][0]
    assert row["call is worth (yuan)"] * 100 == pytest.approx(worth, abs=1)


@pytest.mark.parametrize("days", [0, -3, 99_999_999])
def test_days_that_lie_ahead_of_nothing_are_refused(tmp_path, days) -> None:
    with pytest.raises(run.Stopped) as stopped:
        run.due(run.Request("nowhere.csv"), days=days, out=tmp_path / "out")
    assert [problem.code for problem in stopped.value.problems] == ["BAD-DAYS"]
    assert stopped.value.status == 2


def test_a_tape_without_due_dates_is_refused(listed, tmp_path) -> None:
    with pytest.raises(run.Stopped) as stopped:
        listed(loan("A", next_due_date=None))
    assert [problem.code for problem in stopped.value.problems] == ["NO-DUE-DATES"]
    assert not list(tmp_path.glob("out*"))


def test_on_a_book_with_months_the_list_is_learnt_from_them(request_of_book, tmp_path) -> None:
    done = run.due(request_of_book, days=60, out=tmp_path / "out")
    table = pl.read_csv(tmp_path / "out/due.csv")
    assert table.height == done.summary["loans"] > 0
    assert table["p_miss"].is_between(0, 1).all()
    assert table["p_miss"].n_unique() > 10, "by history and not by bucket alone"
    assert table["worth_of_call"].is_sorted(descending=True)
    assert table["p_hidden"].null_count() < table.height


def test_a_loan_that_owes_nothing_is_never_due_and_a_standard_without_classes_says_none(
    listed,
) -> None:
    table, done = listed(loan("A", principal=0, days_past_due=0))
    assert table.is_empty()
    assert "and none later" in done.lines[0]
    table, done = listed(loan("A"), rulebook="ifrs9")
    assert table["class_if_missed"].null_count() == 1
    assert "fall a class" not in done.lines[0]
