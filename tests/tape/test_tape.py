"""Any bank's file: containers, encodings, units, words; what cannot be used is told and held back."""

from __future__ import annotations

import gzip
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears import synth, tape
from arrears.core.hashing import table_hash
from arrears.tape import parse

DAY = date(2025, 3, 31)
HEAD = "loan_id,borrower_id,lender,product,principal,days_past_due"


def _write(tmp_path: Path, text: str, name: str = "loans.csv") -> tape.Reading:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return tape.read(tape.TapeFiles(path), as_of=DAY)


def _row(**change: str) -> str:
    row = {
        "loan_id": "L1",
        "borrower_id": "B1",
        "lender": "X",
        "product": "consumer",
        "principal": "500",
        "days_past_due": "0",
    }
    return ",".join({**row, **change}.values())


def test_canonical_names_are_in_fen_and_chinese_headers_in_the_unit_they_say(tmp_path) -> None:
    plain = _write(tmp_path, f"{HEAD}\n{_row(principal='12345')}\n").tape
    assert plain is not None
    assert plain.loans["principal"][0] == 12345
    head = "借据号,客户号,贷款机构,产品类型,未偿本金{},逾期天数,年利率(%),省份,担保方式,是否核销,放款日期"
    line = "L1,B1,某银行,信用卡透支,{},121,18.25,浙江省,信用,否,2024年1月5日"
    for unit, amount in (
        ("(元)", '"1,234.50"'),
        ("（元）", "1234.5"),
        ("(万元)", "0.12345"),
        ("(分)", "123450"),
        ("", "1234.50"),
    ):
        found = _write(tmp_path, f"{head.format(unit)}\n{line.format(amount)}\n").tape
        assert found is not None
        row = found.loans.row(0, named=True)
        assert row["principal"] == 123450
        assert row["rate"] == pytest.approx(0.1825)
        assert (row["product"], row["province"], row["security"]) == (
            "credit_card",
            "Zhejiang",
            "none",
        )
        assert (row["written_off"], row["origination_date"]) == (False, date(2024, 1, 5))


_AMOUNTS = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=4)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(_AMOUNTS, st.sampled_from(["{}", "{:,}", "¥{}", " {} "])),
        min_size=1,
        max_size=20,
    )
)
def test_amounts_of_money_are_exact(written) -> None:
    texts = [form.format(digits) for digits, form in written]
    read = pl.DataFrame({"c": texts}).select(parse.money(pl.col("c"), pl.String(), "yuan"))
    exact = [digits * 100 for digits, _ in written]
    half_up = [
        int((one + Decimal("0.5")).to_integral_value(rounding="ROUND_FLOOR")) for one in exact
    ]
    assert read.to_series().to_list() == half_up
    for one, fen in zip(exact, half_up, strict=True):
        assert one < 0 or fen == int(one.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@pytest.mark.parametrize("text", ["abc", "1.2.3", "--5", "1e400", "12345678901234567890", "0x10"])
def test_what_is_no_amount_is_null(text) -> None:
    read = pl.DataFrame({"c": [text]}).select(parse.money(pl.col("c"), pl.String(), "yuan"))
    assert read.item() is None


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-09",
        "2025/3/9",
        "20250309",
        "2025年3月9日",
        "2025.03.09",
        "45725",
        "2025-03-09 00:00:00",
        "3/9/2025",
    ],
)
def test_dates_in_all_forms(text) -> None:
    read = pl.DataFrame({"c": [text]}).select(parse.day(pl.col("c"), pl.String(), ()))
    assert read.item() == date(2025, 3, 9)


@pytest.mark.parametrize("text", ["2025-02-30", "31.12", "soon", "0000-00-00", "99999999"])
def test_a_date_that_cannot_be_is_null(text) -> None:
    read = pl.DataFrame({"c": [text]}).select(parse.day(pl.col("c"), pl.String(), ()))
    assert read.item() is None


@pytest.fixture(scope="module")
def book() -> pl.DataFrame:
    chunks = synth.book(synth.Recipe(overdue=6.0), loans=200, months=2, as_of=DAY, seed=4)
    return next(iter(chunks)).tables["loans"]


@pytest.mark.parametrize("style", ["plain", "cn"])
def test_containers_encodings_and_the_order_of_rows_do_not_matter(tmp_path, book, style) -> None:
    shown = synth.render(book, "loans", style)
    content = {
        "utf8.csv": synth.to_bytes(shown, "csv"),
        "gb.csv": synth.to_bytes(shown, "csv", "gb18030"),
        "bom.csv": b"\xef\xbb\xbf" + synth.to_bytes(shown, "csv"),
        "zip.csv.gz": gzip.compress(synth.to_bytes(shown, "csv")),
        "turned.csv": synth.to_bytes(shown.reverse(), "csv"),
        "t.parquet": synth.to_bytes(shown, "parquet"),
        "t.xlsx": synth.to_bytes(shown, "xlsx"),
    }
    hashes = {}
    for name, data in content.items():
        path = tmp_path / name
        path.write_bytes(data)
        found = tape.read(tape.TapeFiles(path))
        assert found.tape is not None, (name, found.problems)
        assert found.tape.counts.quarantined == 0
        hashes[name] = table_hash(found.tape.loans.with_columns(pl.col("rate").round(6)))
    assert len(set(hashes.values())) == 1, hashes
    assert hashes["utf8.csv"] == table_hash(
        book.sort("loan_id").with_columns(pl.col("rate").round(6))
    )


def test_an_empty_optional_column_is_like_none(tmp_path) -> None:
    without = _write(tmp_path, f"{HEAD}\n{_row()}\n").tape
    empty = _write(tmp_path, f"{HEAD},branch,rate,fraud_flag\n{_row()},,,\n").tape
    assert without is not None
    assert empty is not None
    assert table_hash(without.loans) == table_hash(empty.loans)


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ({"principal": "-1"}, "NEGATIVE-MONEY", "principal"),
        ({"principal": "1000000000001"}, "ABSURD-MONEY", "principal"),
        ({"principal": "much"}, "BAD-MONEY", "principal"),
        ({"principal": ""}, "MISSING-VALUE", "principal"),
        ({"product": "spaceship"}, "UNKNOWN-WORD", "product"),
        ({"days_past_due": "-1"}, "IMPOSSIBLE-DAYS", "days_past_due"),
        ({"days_past_due": "2.5"}, "BAD-NUMBER", "days_past_due"),
        ({"loan_id": ""}, "MISSING-VALUE", "loan_id"),
    ],
)
def test_a_bad_row_waits_with_its_cause_and_the_rest_goes_on(
    tmp_path, change, code, column
) -> None:
    found = _write(tmp_path, f"{HEAD}\n{_row(loan_id='L0')}\n{_row(**change)}\n").tape
    assert found is not None
    assert found.loans["loan_id"].to_list() == ["L0"]
    held = found.quarantine.row(0, named=True)
    assert (held["row"], held["code"], held["column"]) == (3, code, column)
    assert held["fix"]


def test_a_word_that_is_not_known_is_told_which_are(tmp_path) -> None:
    found = _write(
        tmp_path, f"{HEAD},contact_status\n{_row()},\n{_row(loan_id='L2')},deceased\n"
    ).tape
    assert found is not None
    fix = found.quarantine["fix"].to_list()
    assert fix == [
        "Use one of the words known (reachable, unreachable, vanished), or say in the mapping which of them it is."
    ]


@pytest.mark.parametrize("header", ["currency", "币种"])
def test_a_dollar_is_no_yuan(tmp_path, header) -> None:
    words = ["CNY", "人民币", " rmb ", "", "156", "USD", "美元"]
    lines = [f"{_row(loan_id=f'L{number}')},{word}" for number, word in enumerate(words)]
    found = _write(tmp_path, "\n".join([f"{HEAD},{header}", *lines])).tape
    assert found is not None
    assert found.loans["loan_id"].to_list() == [f"L{number}" for number in range(5)]
    held = found.quarantine.select("loan_id", "code", "column", "found").rows()
    assert held == [
        ("L5", "FOREIGN-CURRENCY", "principal", "in USD"), ("L6", "FOREIGN-CURRENCY", "principal", "in 美元"),
    ]  # fmt: skip
    # What is owed in dollars is no sum of yuan
    assert (found.counts.unreadable_rows, found.counts.claim_quarantined) == (2, 0)
    assert found.counts.claim_in == found.counts.claim_accepted


def test_a_tape_in_one_other_currency_is_read_and_told_of(tmp_path) -> None:
    lines = [f"{_row()},EUR", f"{_row(loan_id='L2')},EUR"]
    found = _write(tmp_path, "\n".join([f"{HEAD},currency", *lines]))
    assert found.tape is not None
    assert found.tape.loans.height == 2
    told = [problem for problem in found.problems if problem.code == "CURRENCY-NOT-YUAN"]
    assert [problem.found for problem in told] == ["All amounts are in EUR."]


@pytest.mark.parametrize(("gap", "held"), [(3, 0), (4, 1), (-3, 0), (-4, 1)])
def test_days_and_dates_may_differ_by_three(tmp_path, gap, held) -> None:
    default = date.fromordinal(DAY.toordinal() - 100 - gap)
    text = f"{HEAD},default_date\n{_row(loan_id='L0')},\n{_row(days_past_due='100')},{default}\n"
    found = _write(tmp_path, text).tape
    assert found is not None
    assert found.counts.quarantined == held


def test_a_date_that_stands_for_none_is_none_and_is_counted(tmp_path) -> None:
    head = f"{HEAD},origination_date,maturity_date,judgment_date"
    lines = [
        f"{_row()},2020-01-01,9999-12-31,1900-01-01",
        f"{_row(loan_id='L2')},1970-01-01,2027-01-01,",
        f"{_row(loan_id='L3')},2020-01-01,2025-01-01,9999-12-31",
    ]
    found = _write(tmp_path, "\n".join([head, *lines])).tape
    assert found is not None
    dates = found.loans.select("loan_id", "origination_date", "maturity_date", "judgment_date")
    assert dates.rows() == [
        ("L1", date(2020, 1, 1), None, None),
        ("L2", None, date(2027, 1, 1), None),
    ]
    counted = {fill.column: fill.rows for fill in found.fills if "stands for none" in fill.rule}
    assert counted == {"origination_date": 1, "maturity_date": 1, "judgment_date": 1}
    assert found.quarantine["code"].to_list() == ["DATE-AFTER-CUT-OFF"]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
def test_a_table_without_rows_is_as_if_it_were_not_given(tmp_path, suffix) -> None:
    loans = pl.read_csv(f"{HEAD}\n{_row()}\n".encode(), infer_schema=False)
    loans.write_csv(tmp_path / "loans.csv")
    none = pl.DataFrame(schema=dict.fromkeys(("loan_id", "date", "kind"), pl.String))
    path = tmp_path / f"events.{suffix}"
    {"csv": none.write_csv, "parquet": none.write_parquet, "xlsx": none.write_excel}[suffix](path)
    files = tape.TapeFiles(tmp_path / "loans.csv", events=path)
    reading = tape.read(files, as_of=DAY)
    assert reading.tape is not None
    assert reading.tape.events is None
    assert [(one.name, one.rows) for one in reading.tape.inputs] == [("loans", 1), ("events", 0)]
    assert [(one.code, one.severity) for one in reading.problems] == [("TAPE-NO-ROWS", "note")]
    path.write_bytes(b"")
    assert tape.read(files, as_of=DAY).tape is None, "an empty file is a broken export"


def test_a_rate_in_per_cent_is_the_same_number_as_the_fraction(tmp_path) -> None:
    rates = ["7.89", "18.03", "5.6", "14.57", "0.1"]
    head = "借据号,客户号,贷款机构,产品类型,未偿本金(元),逾期天数,年利率(%)"
    lines = [f"L{n},B{n},某银行,信用卡透支,1,0,{rate}" for n, rate in enumerate(rates)]
    found = _write(tmp_path, "\n".join([head, *lines])).tape
    assert found is not None
    assert found.loans["rate"].to_list() == [float(Decimal(rate) / 100) for rate in rates]


@pytest.mark.parametrize(
    "line",
    [
        "L1,张三,13800138000,330106198001011234,consumer,1000.5,30",
        "L1,张三,13800138000,13800138000,consumer,1000.5,30",
        "张三,33010619800101123X,某银行,2024-01-05",
        "张三,某银行,消费贷",
        "张三,ICBC,Credit Card",
    ],
)
def test_a_file_without_header_is_told_and_nothing_of_it_is_shown(tmp_path, line) -> None:
    reading = _write(tmp_path, f"{line}\n{line}\n")
    assert reading.tape is None
    assert [problem.code for problem in reading.problems] == ["TAPE-NO-HEADER"]
    said = "".join(problem.line() for problem in reading.problems)
    assert not any(word in said for word in ("张三", "13800138000", "3301"))


def test_a_provision_above_the_claim_warns_and_stays(tmp_path) -> None:
    lines = [f"{_row()},500", f"{_row(loan_id='L2')},501", f"{_row(loan_id='L3', principal='0')},9"]
    reading = _write(tmp_path, "\n".join([f"{HEAD},provision", *lines]))
    assert reading.tape is not None
    assert reading.tape.loans.height == 3
    assert [problem.code for problem in reading.problems] == ["PROVISION-OVER-CLAIM"]
    assert "1 loan has a provision above the claim, e.g. loan L2" in reading.problems[0].found


def test_linkage_is_never_shown(tmp_path) -> None:
    found = _write(
        tmp_path, f"{HEAD},id_key\n{_row(loan_id='L0')},k\n{_row(principal='x')},SECRET\n"
    )
    assert "SECRET" not in str(found.problems) + str(found.tape.quarantine.to_dicts())


def test_an_unknown_reason_for_exclusion_warns_and_stays(tmp_path) -> None:
    found = _write(tmp_path, f"{HEAD},excluded_reason\n{_row()},own_reason\n")
    assert found.tape is not None
    assert found.tape.counts.accepted == 1
    assert [problem.code for problem in found.problems] == ["UNKNOWN-REASON"]
    assert found.problems[0].severity == "warning"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{HEAD},loan_id\n{_row()},L1\n", "TAPE-DUPLICATE-HEADER"),
        (f"{HEAD},借据号\n{_row()},L1\n", "TAPE-MAPPED-TWICE"),
        (
            f"{HEAD},as_of\n{_row()},2025-03-31\n{_row(loan_id='L2')},2025-04-30\n",
            "TAPE-MANY-CUT-OFFS",
        ),
        (f"{HEAD},as_of\n{_row()},2024-12-31\n", "AS-OF-CONFLICT"),
        (f"{HEAD.replace('product', 'produkt')}\n{_row()}\n", "TAPE-NO-COLUMN"),
        (f"{HEAD}\n", "TAPE-NO-ROWS"),
        (f"{HEAD}\n{_row(principal='x')}\n", "TAPE-ALL-BAD"),
    ],
)
def test_what_stops_everything_says_so(tmp_path, text, code) -> None:
    found = _write(tmp_path, text)
    assert found.tape is None
    problem = next(problem for problem in found.problems if problem.code == code)
    assert problem.severity == "error"
    assert problem.where
    assert problem.found
    assert problem.fix


def test_without_a_cut_off_date_nothing_is_guessed(tmp_path) -> None:
    path = tmp_path / "loans.csv"
    path.write_text(f"{HEAD}\n{_row()}\n", "utf-8")
    assert [problem.code for problem in tape.read(tape.TapeFiles(path)).problems] == [
        "TAPE-NO-CUT-OFF"
    ]


def test_a_row_with_too_many_cells_waits(tmp_path) -> None:
    found = _write(tmp_path, f"{HEAD}\n{_row(loan_id='L0')}\n{_row()},stray,cells\n").tape
    assert found is not None
    assert found.quarantine["code"].to_list() == ["TOO-MANY-CELLS"]
    assert found.quarantine["row"].to_list() == [3]


def test_rows_of_other_tables_wait_with_their_loan(tmp_path) -> None:
    (tmp_path / "loans.csv").write_text(
        f"{HEAD}\n{_row(loan_id='L0')}\n{_row(principal='x')}\n", "utf-8"
    )
    (tmp_path / "payments.csv").write_text(
        "loan_id,date,amount\nL0,2025-01-01,5\nL1,2025-01-01,5\nL9,2025-01-01,5\nL0,2025-02-30,5\n",
        "utf-8",
    )
    files = tape.TapeFiles(tmp_path / "loans.csv", payments=tmp_path / "payments.csv")
    found = tape.read(files, as_of=DAY).tape
    assert found is not None
    assert found.payments is not None
    assert found.payments.height == 1
    held = found.quarantine.filter(source="payments.csv")
    assert dict(zip(held["row"], held["code"], strict=True)) == {
        3: "LOAN-IN-QUARANTINE",
        4: "UNKNOWN-LOAN",
        5: "BAD-DATE",
    }


CELLS = st.fixed_dictionaries(
    {
        "loan_id": st.sampled_from(["", *(f"L{n}" for n in range(30))]),
        "borrower_id": st.just("B1"),
        "lender": st.just("X"),
        "product": st.sampled_from(["consumer", "mortgage", "boat"]),
        "principal": st.one_of(st.integers(-5, 10**13).map(str), st.sampled_from(["", "x"])),
        "days_past_due": st.sampled_from(["0", "100", "-1", "soon"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(CELLS, min_size=1, max_size=25))
def test_rows_and_fen_in_are_those_accepted_and_those_held_back(tmp_path_factory, rows) -> None:
    folder = tmp_path_factory.mktemp("dirty")
    found = _write(
        folder,
        "\n".join([HEAD, *(",".join(row[n] for n in HEAD.split(",")) for row in rows)]) + "\n",
    )
    readable = [int(row["principal"]) for row in rows if row["principal"].lstrip("-").isdigit()]
    if found.tape is None:
        assert any(problem.code == "TAPE-ALL-BAD" for problem in found.problems)
        return
    counts = found.tape.counts
    assert counts.rows_in == len(rows) == counts.accepted + counts.quarantined
    assert counts.claim_in == sum(readable) == counts.claim_accepted + counts.claim_quarantined
    assert counts.unreadable_rows == len(rows) - len(readable)
    assert found.tape.loans["loan_id"].is_unique().all()
    ids = [row["loan_id"] for row in rows]
    assert not [name for name in found.tape.loans["loan_id"] if ids.count(name) > 1]


MAP = """
loans:
  unit: yuan
  rate: percent
  rows: {status: [open]}
  columns:
    as_of: {constant: 2025-03-31}
    loan_id: nr
    borrower_id: nr
    lender: {constant: Bank}
    product: {column: kind, words: {CC: credit_card}}
    principal: {difference: [lent, repaid]}
    interest: {sum: [due, penalty]}
    days_past_due: {days_between: [unpaid_since, as_of]}
    rate: apr
"""


def test_a_mapping_makes_sums_differences_words_and_days(tmp_path) -> None:
    (tmp_path / "map.yaml").write_text(MAP, "utf-8")
    (tmp_path / "t.csv").write_text(
        "nr,status,kind,lent,repaid,due,penalty,unpaid_since,apr\n"
        "1,open,CC,100.10,0.05,3,,2025-03-01,18\n2,shut,CC,1,0,0,0,2025-03-01,18\n",
        "utf-8",
    )
    found = tape.read(tape.TapeFiles(tmp_path / "t.csv"), mapping=tmp_path / "map.yaml").tape
    assert found is not None
    row = found.loans.row(0, named=True)
    assert found.loans.height == 1
    assert (row["principal"], row["interest"], row["days_past_due"]) == (10005, 300, 30)
    assert (row["product"], row["rate"]) == ("credit_card", 0.18)


@pytest.mark.parametrize(
    ("old", "new", "code", "word"),
    [
        ("principal:", "principle:", "MAP-UNKNOWN-COLUMN", "principal"),
        ("[lent, repaid]", "[lend, repaid]", "MAP-NO-SUCH-COLUMN", "lent"),
        ("loan_id: nr", "loan_id: nr\n    loan_id: nr", "FILE-DUPLICATE-KEY", "loan_id"),
        ("unit: yuan", "unit: pounds", "MAP-BAD-VALUE", "pounds"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_with_the_nearest_name(
    tmp_path, old, new, code, word
) -> None:
    (tmp_path / "map.yaml").write_text(MAP.replace(old, new), "utf-8")
    (tmp_path / "t.csv").write_text(
        "nr,status,kind,lent,repaid,due,penalty,unpaid_since,apr\n1,open,CC,1,0,0,0,2025-03-01,1\n",
        "utf-8",
    )
    found = tape.read(tape.TapeFiles(tmp_path / "t.csv"), mapping=tmp_path / "map.yaml")
    assert found.tape is None
    assert any(problem.code == code and word in problem.line() for problem in found.problems)


def test_a_guessed_mapping_that_is_saved_reads_the_same(tmp_path, book) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(synth.to_bytes(synth.render(book, "loans", "cn"), "csv"))
    guessed, problems = tape.guess(path)
    assert guessed is not None
    assert not problems
    tape.save_mapping(guessed, tmp_path / "map.yaml")
    one = tape.read(tape.TapeFiles(path)).tape
    two = tape.read(tape.TapeFiles(path), mapping=tmp_path / "map.yaml").tape
    assert one is not None
    assert two is not None
    assert table_hash(one.loans) == table_hash(two.loans)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_large_file_read_in_pieces_is_read_like_a_small_one(
    mark: str, end: str, tmp_path, monkeypatch
) -> None:
    lines = ["单位：元", HEAD + ",province,default_date,branch"]
    for n in range(400):
        days = n % 3
        since = date(2025, 3, 31 - days).isoformat() if days else ""
        place = "浙江省" if n % 7 else " Henan "
        money = "abc" if n == 77 else f"{n * 13}"
        row = _row(loan_id=f"L{n:05d}" if n != 200 else "L00199", principal=money)
        lines.append(f"{row.rsplit(',', 1)[0]},{days},{place},{since},支行 {n % 5} ")
    lines[300] += ",too,many"
    lines += ["", "合计,,,,9999,,,,"]
    text = mark + end.join(lines) + end
    small = _write(tmp_path, text).tape
    monkeypatch.setattr("arrears.tape.source._LARGE", 1)
    monkeypatch.setattr("arrears.tape.source._BLOCK", 4_000)
    large = _write(tmp_path, text).tape
    assert small is not None
    assert large is not None
    assert large.loans.equals(small.loans)
    assert large.quarantine.equals(small.quarantine)
    assert large.counts == small.counts
    assert large.inputs == small.inputs
    assert {p.code for p in large.problems} == {p.code for p in small.problems}
    assert sorted(small.quarantine["code"].to_list()) == [
        "BAD-MONEY",
        "DUPLICATE-ID",
        "DUPLICATE-ID",
        "TOO-MANY-CELLS",
    ]
    assert small.quarantine.filter(pl.col("code") == "TOO-MANY-CELLS")["row"].to_list() == [301]


def test_a_large_file_with_quotes_further_down_is_read_like_a_small_one(
    tmp_path, monkeypatch
) -> None:
    rows = [_row(loan_id=f"L{n:04d}") + ",城东" for n in range(300)]
    rows[200] = _row(loan_id="L0200") + ',"a\nb"'
    text = "\n".join([HEAD + ",branch", *rows]) + "\n"
    small = _write(tmp_path, text).tape
    monkeypatch.setattr("arrears.tape.source._LARGE", 1)
    monkeypatch.setattr("arrears.tape.source._BLOCK", 1_000)
    large = _write(tmp_path, text).tape
    assert small is not None
    assert large is not None
    assert large.loans.equals(small.loans)
    assert large.loans.height == 300
    path = tmp_path / "loans.csv"
    content = text.encode()
    path.write_bytes(content[:8_000] + b"\xff\xff" + content[8_000:])
    spoiled = tape.read(tape.TapeFiles(path), as_of=DAY)
    assert spoiled.tape is None
    assert spoiled.problems[-1].code == "TAPE-ENCODING"


def test_a_large_file_with_quotes_or_in_gb18030_is_read_whole(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("arrears.tape.source._LARGE", 1)
    monkeypatch.setattr("arrears.tape.source._BLOCK", 80)
    quoted = f'{HEAD},branch\n{_row()},"a\nb"\n{_row(loan_id="L2")},"c, d"\n'
    read = _write(tmp_path, quoted).tape
    assert read is not None
    assert read.loans["branch"].to_list() == ["a\nb", "c, d"]
    path = tmp_path / "gb.csv"
    path.write_bytes(f"{HEAD},branch\n{_row()},城东支行\n".encode("gb18030"))
    found = tape.read(tape.TapeFiles(path), as_of=DAY).tape
    assert found is not None
    assert found.loans["branch"].to_list() == ["城东支行"]


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("1234,56", 123_456), ("1.234,56", 123_456), ("1.234.567,8", 123_456_780), ("1,234.56", 123_456),
        ("1,234", 123_400), ("12,345,678", 1_234_567_800), ("¥ 1,234.5元", 123_450), ("0,5", 50),
    ],
)  # fmt: skip
def test_a_comma_marks_decimals_where_it_cannot_mark_thousands(cell, fen, tmp_path) -> None:
    text = f"借据号;客户号;贷款机构;产品类型;未偿本金(元);逾期天数\nL1;B1;X;个人消费贷款;{cell};0\n"
    found = _write(tmp_path, text).tape
    assert found is not None
    assert found.loans["principal"].to_list() == [fen]


def test_text_as_a_spreadsheet_exports_it_and_lines_that_end_in_cr_are_read(tmp_path) -> None:
    text = f"{HEAD}\n{_row()}\n{_row(loan_id='L2')}\n"
    for name, content in (
        ("a.txt", text.replace(",", "\t").encode("utf-16")),
        ("b.csv", text.replace("\n", "\r").encode()),
        ("c.csv", text.replace("\n", "\r\n").encode("utf-8-sig")),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        found = tape.read(tape.TapeFiles(path), as_of=DAY).tape
        assert found is not None
        assert found.loans["loan_id"].to_list() == ["L1", "L2"]
