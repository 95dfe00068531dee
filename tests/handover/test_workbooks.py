"""Workbooks as people read them: what each case is told, what is to be paid, and what can be written off."""

from __future__ import annotations

import re
import textwrap
import zipfile
from datetime import date

import polars as pl
import pytest

from arrears.channels import WAYS
from arrears.files import SHEET_ROWS
from arrears.handover import cases, workbooks
from arrears.handover.room import first

DAY = date(2025, 3, 31)
PAST, AHEAD = date(2024, 3, 1), date(2026, 3, 1)


def told(expression: pl.Expr, **columns: object) -> object:
    known = {
        "action": "file_suit",
        "legal_status": None,
        "judgment_date": None,
        "limitation_ends": AHEAD,
        "security": None,
    }
    schema = {
        "action": pl.String,
        "legal_status": pl.String,
        "judgment_date": pl.Date,
        "limitation_ends": pl.Date,
        "security": pl.String,
    }
    row = pl.DataFrame([{**known, **columns}], schema=schema)
    return row.select(expression.alias("said")).item()


@pytest.mark.parametrize(
    ("action", "status", "said"),
    [
        ("collect", "judged", "collect"),
        ("offer_terms", None, "offer terms"),
        ("collect_then_file_suit_in_month_6", None, "collect, then file suit in month 6"),
        ("collect_then_file_suit_in_month_6", "judged", "collect, then apply for enforcement in month 6"),
        ("collect_then_sell_in_bulk_in_month_12", "judged", "collect, then sell in bulk in month 12"),
        ("collect_from_month_6", None, "collect from month 6"),
        ("demand", None, "send a demand that can be proven"),
        ("file_suit", None, "file suit"),
        ("file_suit", "not_sued", "file suit"),
        ("file_suit", "filed", "follow the case"),
        ("file_suit", "mediated", "apply for enforcement"),
        ("file_suit", "judged", "apply for enforcement"),
        ("file_suit", "enforcing", "follow the enforcement"),
        ("file_suit", "terminated", "ask to resume enforcement"),
    ],
)  # fmt: skip
def test_nobody_is_asked_to_file_what_is_filed(action, status, said) -> None:
    assert told(cases.action_said(), action=action, legal_status=status) == said


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({}, None),
        ({"limitation_ends": PAST}, "limitation ended on 2024-03-01"),
        ({"limitation_ends": PAST, "legal_status": "filed"}, None),
        ({"limitation_ends": PAST, "legal_status": "enforcing", "judgment_date": PAST}, None),
        ({"limitation_ends": PAST, "legal_status": "terminated", "judgment_date": PAST}, None),
        (
            {"limitation_ends": PAST, "legal_status": "judged", "judgment_date": PAST},
            "the time to apply for enforcement ended on 2024-03-01",
        ),
        ({"legal_status": "judged", "judgment_date": PAST}, None),
        ({"legal_status": "judged"}, "the day of the judgment is not on the tape"),
        ({"legal_status": "mediated"}, "needs the court's confirmation"),
        ({"security": "guarantee"}, "guarantee's own period"),
        ({"security": "guarantee", "legal_status": "judged", "judgment_date": PAST}, None),
    ],
)
def test_whoever_signs_is_told_what_the_paper_does_not_say(row, word) -> None:
    said = told(cases.note(DAY), **row)
    assert said is None if word is None else word in str(said)


def test_the_next_limitation_is_one_that_still_runs() -> None:
    def runs(**row: object) -> object:
        return told(cases.runs_until(DAY), **row)

    assert runs() == AHEAD
    assert runs(legal_status="judged") == AHEAD
    assert runs(limitation_ends=DAY) == DAY
    for row in (
        {"limitation_ends": PAST},
        {"legal_status": "enforcing"},
        {"legal_status": "filed"},
    ):
        assert runs(**row) is None


def test_the_newest_contact_is_told() -> None:
    contacts = pl.DataFrame(
        {
            "loan_id": ["A", "A", "B"],
            "date": [date(2025, 2, 1), date(2025, 1, 1), date(2024, 5, 5)],
            "step": ["visit", "call", "letter"],
            "outcome": ["promise", "none", None],
        }
    )
    found = cases.last_contacts(contacts)
    assert found.rows() == [
        ("A", date(2025, 2, 1), "visit", "promise"),
        ("B", date(2024, 5, 5), "letter", None),
    ]
    assert cases.last_contacts(None).columns == found.columns


WORK = {
    "loan_id": ["A", "B", "C", "D"],
    "branch": ["b"] * 4,
    "action": ["collect", "collect_then_file_suit_in_month_6", "demand", "none"],
    "not_before": [None] * 4,
    "not_after": [None] * 4,
    "max_dials": [None] * 4,
    "limitation_ends": [AHEAD, PAST, DAY, PAST],
    "credit_repair": [False, True, False, False],
    "contact_with": ["A", "A", "C", None],
    "steps": ["trace+court_notice", None, None, None],
    "collector": ["Lin", "Lin", "Wu", "Wu"],
    "borrower_id": ["P", "P", "Q", "R"],
    "product": ["credit_card"] * 4,
    "claim": [100_000, 200_000, 300_000, 400_000],
    "days_past_due": [100] * 4,
    "security": ["none"] * 4,
    "contact_status": ["reachable"] * 4,
    "legal_status": [None, None, "judged", None],
    "judgment_date": [None, None, PAST, None],
    "last_contact": [None] * 4,
    "last_step": [None] * 4,
    "last_outcome": [None] * 4,
    "call_hours": [1.5, 0.5, 0.0, 0.0],
    "visits": [1.0, 0.0, 0.0, 0.0],
    "value": [1.0, 2.0, 3.0, 4.0],
    "reason": ["call_hours is scarce"] * 4,
}


def work_of(**columns: object) -> pl.DataFrame:
    dates = {"last_contact": pl.Date, "max_dials": pl.Int32, "judgment_date": pl.Date}
    texts = dict.fromkeys(("not_before", "not_after", "last_step", "last_outcome"), pl.String)
    return pl.DataFrame({**WORK, **columns}, schema_overrides={**dates, **texts})


def test_a_sheet_holds_the_loans_of_most_worth_and_sums_count_all(tmp_path) -> None:
    work = work_of(value=[1.0, 2.0, 3.0, 4.0], collector=["Lin", "Zhou", "Zhou", "Wu"])
    path = tmp_path / "worklist.xlsx"
    workbooks.worklist(work, workbooks.Workbook(path, DAY, [], 2))
    sheets = pl.read_excel(path, sheet_id=0)
    assert sorted(sheets["Worklist"]["loan id"]) == ["B", "C"]
    assert sheets["Collectors"]["cases"].to_list() == [1, 2]


def test_the_worklist_is_by_collector_and_prints_what_is_taken_along(tmp_path) -> None:
    work, path = work_of(), tmp_path / "worklist.xlsx"
    workbooks.worklist(work, workbooks.Workbook(path, DAY, [("As of", "2025-03-31")], SHEET_ROWS))
    sheets = pl.read_excel(path, sheet_id=0)
    names = ("collector", "cases", "borrowers", "claim (yuan)", "call hours", "visits", "demands")
    assert sheets["Collectors"].select(names).rows() == [
        ("Lin", 2, 1, 3_000, 2.0, 1.0, 0),
        ("Wu", 1, 1, 3_000, 0.0, 0.0, 1),
    ]
    assert sheets["Collectors"]["next limitation"].to_list() == [AHEAD, DAY]
    rows = sheets["Worklist"]
    # The time that has run out stands last, and a note tells of it
    assert rows["loan id"].to_list() == ["A", "B", "C"]
    assert rows["steps"].to_list() == ["trace, court notice", "as usual", None]
    assert rows["credit repair"].to_list() == ["no", "yes", "no"]
    assert "limitation ended" in rows["note"][1]
    assert rows["reason"].unique().to_list() == ["call hours is scarce"]
    with zipfile.ZipFile(path) as book:
        area = re.search(r"Print_Area[^>]*>([^<]*)<", book.read("xl/workbook.xml").decode())
    assert area is not None
    assert area[1] == "Worklist!$A$1:$P$4"


def test_each_collector_is_given_nobody_elses_cases(tmp_path) -> None:
    work = work_of(collector=["../Lin", "Zhou", "Zhou", None])
    whole = workbooks.Workbook(tmp_path / "worklist.xlsx", DAY, [("As of", "x")], SHEET_ROWS)
    workbooks.own_lists(workbooks.worklist(work, whole), tmp_path, whole)
    told = pl.read_excel(whole.path, sheet_name="Collectors").sort("file")
    books = {path.name for path in (tmp_path / "collectors").iterdir()}
    assert {f"collectors/{name}" for name in books} == set(told["file"])
    busy = work.filter(pl.col("action") != "none")
    for whose, file in told.select("collector", "file").iter_rows():
        sheets = pl.read_excel(tmp_path / file, sheet_id=0)
        mine = busy.filter(pl.col("collector").eq_missing(whose))
        rows = sheets["Worklist"]
        assert sorted(rows["loan id"]) == sorted(mine["loan_id"])
        assert not {"value (yuan)", "reason"} & set(rows.columns)
        assert {"claim (yuan)", "note", "last outcome"} <= set(rows.columns)
        with zipfile.ZipFile(tmp_path / file) as book:
            text = "".join(
                book.read(name).decode() for name in book.namelist() if name.endswith(".xml")
            )
        known = {*mine["loan_id"], *mine["contact_with"]}
        assert not any(f">{other}<" in text for other in set(work["loan_id"]) - known)


def test_amounts_are_the_yuan_and_fen_of_the_tape(tmp_path) -> None:
    # Polars divides by way of the inverse: 46298.590000000004.
    work, path = work_of(claim=[4_629_859, 1, 2, 3]), tmp_path / "worklist.xlsx"
    workbooks.worklist(work, workbooks.Workbook(path, DAY, [], SHEET_ROWS))
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet3.xml").decode()
    assert "<v>46298.59</v>" in sheet


def test_a_large_amount_has_room(tmp_path) -> None:
    path = tmp_path / "worklist.xlsx"
    work = work_of(claim=[99_999_999_999_99, 1, 1, 1])
    workbooks.worklist(work, workbooks.Workbook(path, DAY, [], SHEET_ROWS))
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
    width = re.search(r'<col min="4" max="4" width="([0-9.]+)"', sheet)
    assert width is not None
    assert float(width[1]) >= len("99,999,999,999.99") + 1


def test_every_head_stands_in_its_two_lines(tmp_path) -> None:
    path = tmp_path / "offers.xlsx"
    columns = (
        "loan_id",
        "branch",
        "waived_interest",
        "waived_principal",
        "last_instalment",
        "share_of_income",
    )
    rows = pl.DataFrame({name: ["x"] if name in {"loan_id", "branch"} else [1] for name in columns})
    workbooks.offers(rows.with_columns(claim=1), workbooks.Workbook(path, DAY, [], SHEET_ROWS))
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
    widths = {}
    for start, end, width in re.findall(r'<col min="(\d+)" max="(\d+)" width="([0-9.]+)"', sheet):
        widths |= dict.fromkeys(range(int(start), int(end) + 1), float(width))
    heads = pl.read_excel(path, sheet_name="Offers").columns
    assert "waived principal (yuan)" in heads
    for place, head in enumerate(heads, start=1):
        assert len(textwrap.wrap(head, int(widths[place]))) <= 2, head


def suits() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "loan_id": ["A", "B", "C", "D"],
            "court": ["North", "North", "North", "South"],
            "claim": [100_000, 200_000, 300_000, 400_000],
            "fee": [5_000, 6_000, 7_000, 8_000],
            "limitation_ends": [AHEAD, PAST, AHEAD, AHEAD],
            "priority": [3, 2, 1, 4],
            "expected_worth": [1.0, 2.0, 3.0, 4.0],
            "legal_status": ["not_sued", "judged", "filed", None],
            "mediation": [True, False, False, False],
            "preservation_fee": [1_000, 2_000, 3_000, 4_000],
            "branch": ["b"] * 4,
            "product": ["credit_card"] * 4,
            "days_past_due": [100] * 4,
            "contact_status": ["vanished", "vanished", "reachable", None],
            "fraud_flag": [True, True, None, False],
            "security": ["none"] * 4,
            "judgment_date": [None, PAST, None, None],
        }
    )


def test_a_sheet_of_filings_holds_the_first_by_priority_of_all_courts(tmp_path) -> None:
    sued, path = suits().with_columns(priority=pl.Series([3, 4, 2, 1])), tmp_path / "filings.xlsx"
    workbooks.filings(sued, workbooks.Workbook(path, DAY, [], 2))
    sheets = pl.read_excel(path, sheet_id=0)
    assert sheets["Filings"]["loan id"].to_list() == ["C", "D"]
    assert sheets["Courts"]["cases"].to_list() == [3, 1]


def test_only_new_claims_pay_a_fee_and_courts_add_up(tmp_path) -> None:
    sued, path = suits(), tmp_path / "filings.xlsx"
    cover = [("As of", "2025-03-31"), ("Note", "word " * 60)]
    workbooks.filings(sued, workbooks.Workbook(path, DAY, cover, SHEET_ROWS))
    sheets = pl.read_excel(path, sheet_id=0)
    assert list(sheets) == ["Cover", "Courts", "Filings"]
    courts = sheets["Courts"].select(
        "court", "cases", "new claims", "enforcement", "waiting", "claim (yuan)", "fee now (yuan)"
    )
    assert courts.rows() == [("North", 3, 1, 1, 1, 6_000, 50), ("South", 1, 1, 0, 0, 4_000, 80)]
    rows = sheets["Filings"]
    assert rows["loan id"].to_list() == ["C", "B", "A", "D"]
    assert rows["fee now (yuan)"].to_list() == [0, 0, 50, 80]
    assert rows["preservation fee (yuan)"].to_list() == [None, None, 10, 40]
    # By court and priority: C waits for its court, B asks for enforcement, A and D are new
    assert rows["note"][0] is rows["note"][3] is None
    assert "vanished" not in rows["note"][1]
    assert rows["note"][2] == (
        "the borrower has vanished: ask the court to serve by public notice; "
        "obtained by fraud: see first whether it is a matter for the police"
    )
    assert rows["product"].unique().to_list() == ["credit card"]
    assert rows["note"][1].startswith("the time to apply for enforcement ended")


def test_every_way_that_a_write_off_goes_on_is_named_as_people_name_it(tmp_path) -> None:
    path = tmp_path / "write_off.xlsx"
    rows = pl.DataFrame(
        {"loan_id": list(WAYS), "claim": range(len(WAYS), 0, -1), "goes_on": list(WAYS)}
    )
    workbooks.write_offs(rows, workbooks.Workbook(path, DAY, [], SHEET_ROWS))
    assert pl.read_excel(path, sheet_name="Write-offs")["goes on"].to_list() == list(WAYS.values())


def test_room_is_for_those_of_most_worth_and_nobody_is_moved_where_there_is_room() -> None:
    rows = pl.DataFrame({"loan_id": ["B", "A", "C"], "claim": [2, 2, 5], "priority": [3, 2, 1]})
    assert first(rows, None).equals(rows)
    assert first(rows, 3).equals(rows)
    assert first(rows, 2)["loan_id"].to_list() == ["C", "A"]
    assert first(rows, 2, by="priority", falling=False)["loan_id"].to_list() == ["C", "A"]
    assert first(rows, 1, by="priority")["loan_id"].to_list() == ["B"]
