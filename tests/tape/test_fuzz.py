"""Tapes spoiled at random: none of them ends in a traceback, and no row of any of them is lost.

`pytest tests/tape/test_fuzz.py --fuzz 50000` tries more of them.
"""

from __future__ import annotations

import gzip
import io
import random
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from arrears import synth, tape

DAY = date(2025, 3, 31)
PARTS = 8
PLAIN = [
    "loan_id,borrower_id,lender,product,principal,interest,days_past_due,origination_date,province,reported_class",
    "L1,B1,East,consumer,123450,100,0,2024-01-05,Zhejiang,normal",
    "L2,B2,East,credit_card,99000,,121,2023-02-01,Henan,doubtful",
    "L3,B2,East,mortgage,70000000,9,30,2020-12-31,浙江省,special_mention",
    "L4,B4,West,business,5,0,361,,,loss",
    "L5,B5,West,consumer,800,7,91,2022-06-30,Jiangsu,substandard",
]
CHINESE = [
    "借据号,客户号,贷款机构,产品类型,未偿本金(元),未偿利息,逾期天数,放款日期,年利率(%),是否核销",
    "L1,B1,某银行,信用卡透支,1234.50,1,121,2024年1月5日,18.25,否",
    "L2,B2,某银行,个人消费贷款,99.00,0.5,0,2023年12月31日,7.2,否",
    "L3,B3,某银行,个人经营贷款,5000,,400,2021/3/1,4.35,是",
]
PAYMENTS = [
    "loan_id,date,amount,source",
    "L1,2025-01-05,100,borrower",
    "L2,2025-02-05,-100,court",
    "L9,2025-02-05,100,borrower",
]
ODD = [
    "", " ", "NaN", "null", "-", "--", "1e999", "-1e5", "9" * 40, "１２３", "（12）", "(12)", "1,234.5", "1;2",
    "2025-02-30", "0000-00-00", "45000", "31/12/2024", "是", "not a word", "=1+1", "'L1", '"', '""', '"a', "\0",
    "\t", "\r", "\n", "\u3000", "\ufeff", "\U0001f9fe", "é", "合计", "True", "0x1F", "1_000", "+7", ".5", "5.", "∞",
    "L1", "%", "12%", "万", "2024-01-05 23:59:59", "a" * 5_000,
]  # fmt: skip
Cells = list[list[str]]


def _one_cell(cells: Cells, g: random.Random) -> None:
    row = g.choice(cells[1:] or cells)
    if row:
        row[g.randrange(len(row))] = g.choice(ODD)


def _a_header(cells: Cells, g: random.Random) -> None:
    place = g.randrange(len(cells[0]))
    name = cells[0][place]
    cells[0][place] = g.choice(
        [name.upper(), f" {name} ", name[:-1], name + "2", "", g.choice(cells[0]), g.choice(ODD), name[::-1]]
    )  # fmt: skip


def _columns_change_places(cells: Cells, g: random.Random) -> None:
    one, two = (g.randrange(len(cells[0])) for _ in "ab")
    for row in cells[g.choice([0, 1]) :]:
        if max(one, two) < len(row):
            row[one], row[two] = row[two], row[one]


def _a_column_goes(cells: Cells, g: random.Random) -> None:
    place = g.randrange(len(cells[0]))
    for row in cells:
        del row[place : place + 1]


def _a_row_is_longer_or_shorter(cells: Cells, g: random.Random) -> None:
    row = g.choice(cells)
    if g.random() < 0.5:
        row.append(g.choice(ODD))
    else:
        del row[-1:]


def _rows_come_between(cells: Cells, g: random.Random) -> None:
    extra = [list(cells[0]), list(cells[-1]), [], ["合计", "", "99"], ["", ""], ["x"]]
    cells.insert(g.randrange(len(cells) + 1), g.choice(extra))


SPOIL: list[Callable[[Cells, random.Random], None]] = [
    _one_cell, _one_cell, _one_cell, _one_cell, _one_cell, _a_header, _columns_change_places, _a_column_goes,
    _a_row_is_longer_or_shorter, _rows_come_between,
]  # fmt: skip


def _bytes(text: str, g: random.Random) -> bytes:
    """The text in some encoding, now and then cut short or with bytes changed."""
    encoding = g.choice(["utf-8"] * 12 + ["utf-8-sig", "gb18030", "gb18030", "utf-16", "latin-1"])
    content = bytearray(text.encode(encoding, "replace"))
    if g.random() < 0.1:
        del content[g.randrange(len(content) + 1) :]
    if content and g.random() < 0.15:
        for _ in range(g.randrange(1, 5)):
            content[g.randrange(len(content))] = g.randrange(256)
    return bytes(content)


def _table(lines: list[str], g: random.Random) -> pl.DataFrame:
    """The lines as a table whose columns have types of their own, some of them odd."""
    columns = []
    for name, *cells in zip(*(line.split(",") for line in lines), strict=True):
        column = pl.Series(name, [cell or None for cell in cells])
        if g.random() < 0.2:
            kinds: list[Callable[[pl.Series], pl.Series]] = [
                lambda s: pl.Series(s.name, range(len(s))),
                lambda s: pl.Series(s.name, [1.5, float("nan"), float("inf"), *[0.0] * (len(s) - 3)]),
                lambda s: pl.Series(s.name, [[1]] * len(s)),
                lambda s: pl.Series(s.name, [{"a": 1}] * len(s)),
                lambda s: pl.Series(s.name, [b"\xff"] * len(s)),
                lambda s: pl.Series(s.name, [datetime(2024, 1, 5, 12)] * len(s), pl.Datetime("us", "UTC")),
                lambda s: pl.Series(s.name, [None] * len(s)),
                lambda s: pl.Series(s.name, [True] * len(s)),
                lambda s: s.cast(pl.Categorical),
                lambda s: pl.Series(s.name, ["1.25"] * len(s)).str.to_decimal(scale=2),
                lambda s: pl.Series(s.name, [2**63] * len(s), pl.UInt64),
            ]  # fmt: skip
            column = g.choice(kinds)(column)
        columns.append(column)
    return pl.DataFrame(columns)


def _file(folder: Path, stem: str, lines: list[str], g: random.Random) -> Path:
    form = g.choice(["csv"] * 20 + ["txt", "csv.gz", "parquet", "parquet", "parquet", "xlsx"])
    path = folder / f"{stem}.{form}"
    if form in {"parquet", "xlsx"}:
        out = io.BytesIO()
        if form == "parquet":
            _table(lines, g).write_parquet(out)
        else:
            table = pl.DataFrame([line.split(",") for line in lines], orient="row")
            out.write(synth.to_bytes(table, "xlsx"))
        content = out.getvalue()
        cut = g.randrange(len(content)) if g.random() < 0.1 else len(content)
        path.write_bytes(content[:cut])
        return path
    cells = [line.split(",") for line in lines]
    for _ in range(g.choice([0, 1, 1, 1, 2, 3, 6])):
        g.choice(SPOIL)(cells, g)
        if not cells[0]:
            break
    text = g.choice(["\n"] * 5 + ["\r\n", "\r"]).join(
        g.choice([",", ",", ",", ";", "\t"]).join(row) if stem == "p" else ",".join(row)
        for row in cells
    )
    if stem == "l" and g.random() < 0.15:
        text = text.replace(",", g.choice([";", "\t", "|"]))
    content = _bytes(text + g.choice(["", "\n"]), g)
    path.write_bytes(gzip.compress(content) if form == "csv.gz" else content)
    return path


def _holds(found: tape.Reading) -> None:
    """What holds for any file: a tape in which every row and fen is somewhere, or the reason why there is none."""
    assert all(problem.code and problem.found for problem in found.problems)
    if found.tape is None:
        assert any(problem.severity == "error" for problem in found.problems)
        return
    read, counts = found.tape, found.tape.counts
    assert counts.rows_in == counts.accepted + counts.quarantined
    assert counts.claim_in == counts.claim_accepted + counts.claim_quarantined
    assert counts.accepted == read.loans.height == read.loans["loan_id"].n_unique()
    assert int(read.claim.sum()) == counts.claim_accepted
    held = read.quarantine.select("source", "row").unique().height
    rows = {entry.name: entry.rows for entry in read.inputs}
    assert rows["loans"] == counts.rows_in
    kept = sum(t.height for t in (read.loans, read.payments) if t is not None)
    assert sum(rows.values()) == kept + held


@pytest.mark.parametrize("part", range(PARTS))
def test_no_traceback_and_no_row_lost(part: int, tmp_path, request) -> None:
    tries = -(-int(request.config.getoption("--fuzz")) // PARTS)
    read = 0
    for number in range(tries):
        g = random.Random(part * 1_000_003 + number)
        loans = _file(tmp_path, "l", g.choice([PLAIN] * 11 + [CHINESE]), g)
        paid = _file(tmp_path, "p", PAYMENTS, g) if g.random() < 0.15 else None
        files = tape.TapeFiles(loans, payments=paid)
        try:
            found = tape.read(files, as_of=g.choice([DAY, DAY, DAY, None]))
            _holds(found)
        except BaseException as error:
            raise AssertionError((part, number, loans.read_bytes()[:200])) from error
        read += found.tape is not None
    assert read >= tries // 10 - 1


def test_a_row_of_a_file_in_order_is_never_lost(tmp_path) -> None:
    """Cells alone are spoiled, so that it is known how many rows there are."""
    for number in range(60):
        g = random.Random(number)
        cells = [line.split(",") for line in PLAIN]
        for _ in range(g.randrange(1, 8)):
            row = g.choice(cells[1:])
            odd = [cell for cell in ODD if not set(cell) & set('\n\r",\0') and cell != "合计"]
            row[g.randrange(len(row))] = g.choice(odd)
        path = tmp_path / "l.csv"
        path.write_text("\n".join(",".join(row) for row in cells), "utf-8")
        found = tape.read(tape.TapeFiles(path), as_of=DAY)
        _holds(found)
        if found.tape is not None:
            assert found.tape.counts.rows_in == len(PLAIN) - 1
