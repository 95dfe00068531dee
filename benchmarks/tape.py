"""Reading, classing and linking a tape: against a bare read, pandera, one expression by hand, and as books grow.

Each piece of work runs in a process of its own, so that its memory is its own; all of them run in one go, one after
the other, on the same files.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

DAY = date(2025, 3, 31)
ROWS, OF_PANDERA, LINKED = 5_000_000, 1_000_000, 1_000_000
SMOKE = 20_000
REPEATS = 3
Result = dict[str, float]


def best(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The shortest of a few runs, in seconds."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def write_tape(path: Path, loans: int) -> None:
    """A tape of 17 columns, two rows in a thousand of which have to go to quarantine."""
    g = np.random.default_rng(0)
    today = (DAY - date(1970, 1, 1)).days

    def day(values: np.ndarray) -> pl.Series:
        return pl.Series(values.astype(np.int32)).cast(pl.Date)

    def named(start: str, values: np.ndarray) -> pl.Series:
        return start + pl.Series(values).cast(pl.String).str.zfill(8)

    days = np.where(g.random(loans) < 0.5, 0, g.integers(1, 900, loans))
    begun = today - g.integers(900, 3_000, loans)
    principal = g.integers(1_000, 50_000_000, loans)
    negative, unread = pl.Series(g.random(loans) < 0.001), pl.Series(g.random(loans) < 0.001)
    pl.DataFrame(
        {
            "as_of": pl.Series([DAY]).new_from_index(0, loans),
            "loan_id": named("L", np.arange(loans)),
            "borrower_id": named("P", g.integers(0, loans, loans)),
            "lender": pl.Series(["Eastern Bank"]).new_from_index(0, loans),
            "branch": named("Branch ", g.integers(1, 25, loans)),
            "product": g.choice(np.array(["mortgage", "consumer", "credit_card", "business"]), loans),
            "security": g.choice(np.array(["none", "home", "vehicle", "guarantee"]), loans),
            "province": g.choice(np.array(["Zhejiang", "Jiangsu", "Henan"]), loans),
            "principal": principal,
            "interest": principal // 50,
            "fees": principal // 500,
            "days_past_due": days,
            "origination_date": day(begun),
            "maturity_date": day(begun + 3_650),
            "default_date": pl.select(pl.when(pl.Series(days > 0)).then(day(today - days))).to_series(),
            "reported_class": g.choice(np.array(["normal", "special_mention", "substandard"]), loans),
            "provision": principal // 20,
        }
    ).with_columns(
        principal=pl.when(negative).then(-pl.col("principal")).otherwise("principal"),
        days_past_due=pl.when(unread).then(pl.lit("many")).otherwise(pl.col("days_past_due").cast(pl.String)),
    ).write_csv(path)  # fmt: skip
    os.sync()  # the disk still at work on what was just written would slow whoever reads it first


def bare(path: Path) -> Result:
    """Polars reads the file."""
    return {"seconds": best(lambda: pl.read_csv(path, infer_schema_length=1_000, ignore_errors=True))}  # fmt: skip


def read(path: Path) -> Result:
    """The tape is read, checked, and what cannot be used goes to quarantine."""
    from arrears.tape import TapeFiles
    from arrears.tape import read as read_tape

    def work() -> None:
        tape = read_tape(TapeFiles(path)).tape
        assert tape is not None
        assert tape.counts.quarantined > 0

    return {"seconds": best(work)}


def pandera(path: Path) -> Result:
    """Pandas reads the file, pandera finds all that is wrong with it, by the same rules."""
    import pandas as pd
    import pandera.pandas as pa

    days = ("as_of", "origination_date", "maturity_date", "default_date")
    money = ("principal", "interest", "fees", "provision")
    words = {
        "product": ["mortgage", "consumer", "credit_card", "business"],
        "security": ["none", "home", "vehicle", "guarantee", "other"],
        "reported_class": ["normal", "special_mention", "substandard", "doubtful", "loss"],
    }
    fen = [pa.Check.in_range(0, 10**12)]
    columns = {name: pa.Column(float, fen, nullable=name != "principal") for name in money}
    columns |= {
        name: pa.Column(str, pa.Check.isin(list(known)), nullable=True)
        for name, known in words.items()
    }
    columns |= {name: pa.Column(str) for name in ("borrower_id", "lender", "branch", "province")}
    columns |= {
        name: pa.Column("datetime64[ns]", pa.Check.le(pd.Timestamp(DAY)), nullable=True)
        for name in ("as_of", "origination_date", "default_date")
    }
    columns["maturity_date"] = pa.Column("datetime64[ns]", nullable=True)
    columns["loan_id"] = pa.Column(str, unique=True)
    columns["days_past_due"] = pa.Column(float, pa.Check.in_range(0, 20_000))
    schema = pa.DataFrameSchema(
        columns,
        checks=[
            pa.Check(
                lambda t: t["maturity_date"].isna() | (t["maturity_date"] >= t["origination_date"])
            ),
            pa.Check(
                lambda t: (
                    t["default_date"].isna()
                    | (((t["as_of"] - t["default_date"]).dt.days - t["days_past_due"]).abs() <= 3)
                    | t["days_past_due"].isna()
                )
            ),
        ],
    )

    def work() -> None:
        table = pd.read_csv(path, dtype=str)
        for name in days:
            table[name] = pd.to_datetime(table[name], format="%Y-%m-%d", errors="coerce").astype(
                "datetime64[ns]"
            )
        for name in (*money, "days_past_due"):
            table[name] = pd.to_numeric(table[name], errors="coerce").astype(float)
        try:
            schema.validate(table, lazy=True)
        except pa.errors.SchemaErrors as found:
            wrong = found.failure_cases["index"].dropna().unique()
            table.drop(index=wrong)
        else:
            raise AssertionError("nothing was found")

    return {"seconds": best(work, 1)}


def by_hand(loans: pl.DataFrame) -> pl.DataFrame:
    """The class by days and card matrix with its articles, and no other rule, as one expression."""
    days, card = pl.col("days_past_due"), pl.col("product") == "credit_card"
    old = pl.col("origination_date") < date(2023, 7, 1)
    general = (
        pl.when(days > 360).then(4).when(days > 270).then(3).when(days > 90).then(2)
        .when(days > 0).then(1).otherwise(0)
    )  # fmt: skip
    plain = pl.when(days > 90).then(2).when(days > 0).then(1).otherwise(0)
    matrix = (
        pl.when(days > 180).then(4).when(days > 120).then(3).when(days > 90).then(2)
        .when(days > 0).then(1).otherwise(0)
    )  # fmt: skip
    floor = pl.when(old).then(plain).otherwise(general)
    level = pl.max_horizontal(floor, pl.when(card).then(matrix).otherwise(0))
    regime = pl.when(old).then(pl.lit("CN-CLASS-2007")).otherwise(pl.lit("CN-CLASS-2023"))
    words = ["normal", "special_mention", "substandard", "doubtful", "loss"]
    stage = pl.when(days > 90).then(3).when(days > 30).then(2).otherwise(1)
    return loans.select(
        "loan_id",
        "reported_class",
        five_tier=level.replace_strict(range(5), words, return_dtype=pl.String),
        stage=stage.cast(pl.Int8),
        regime=regime,
        articles=pl.concat_list(
            regime,
            pl.when(card & (days > 0)).then(pl.lit("CN-CARD-2011-92")),
            pl.when(stage == 3).then(pl.lit("IFRS9-B5.5.37")).when(stage == 2).then(pl.lit("IFRS9-5.5.11")),
        ).list.drop_nulls(),
    )  # fmt: skip


def classing(path: Path) -> Result:
    """All loans of a tape classed with their articles; the same classes and articles by hand."""
    from arrears.rules import load
    from arrears.standing import classify
    from arrears.tape import TapeFiles
    from arrears.tape import read as read_tape

    tape = read_tape(TapeFiles(path)).tape
    assert tape is not None
    book, table = load("cn"), tape.loans
    mine, theirs = classify(table, as_of=DAY, rulebook=book), by_hand(table)
    assert mine["five_tier"].equals(theirs["five_tier"])
    assert mine["stage"].equals(theirs["stage"])
    del mine, theirs
    return {
        "by hand": best(lambda: by_hand(table)),
        "seconds": best(lambda: classify(table, as_of=DAY, rulebook=book)),
    }


def linking(path: Path) -> Result:
    """Who is behind a million loans, four keys each."""
    from arrears.tape import TapeFiles
    from arrears.tape import read as read_tape
    from arrears.tape.link import link

    tape = read_tape(TapeFiles(path)).tape
    assert tape is not None
    person = tape.loans["borrower_id"]
    wrong = np.random.default_rng(1)
    keys = {
        kind: pl.select(
            pl.when(pl.Series(wrong.random(len(person)) < 0.1))
            .then(tape.loans["loan_id"])
            .otherwise(kind + person)
        ).to_series()
        for kind in ("id_key", "phone_key", "name_key", "address_key")
    }
    own = tape.loans.with_columns(borrower_id="loan_id", **keys)
    return {"seconds": best(lambda: link(own), 1)}


def starting(path: Path) -> Result:  # noqa: ARG001 - nothing is read
    """From the shell to the end: the package imported, a rule shown."""
    words = [sys.executable, "-c", "import arrears"]
    show = [sys.executable, "-m", "arrears.cli", "rules", "show", "cn/court/filing_fee"]

    def of(command: list[str]) -> float:
        return best(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True))

    return {"import": of(words), "seconds": of(show)}


WORK = {work.__name__: work for work in (bare, read, pandera, classing, linking, starting)}


def apart(name: str, path: Path) -> Result:
    """A piece of work in a process of its own, with the memory that it took, GB."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: Result = json.loads(done.stdout)
    return result


def section(*, smoke: bool = False) -> str:
    """The part of benchmarks/README.md that this file measures."""
    large, small = (SMOKE, SMOKE) if smoke else (ROWS, OF_PANDERA)
    with tempfile.TemporaryDirectory() as folder:
        path, part = Path(folder) / "loans.csv", Path(folder) / "part.csv"
        # Written elsewhere: a process counts the memory of the one that began it as its own.
        for name, count in ((path, large), (part, small)):
            subprocess.run([sys.executable, __file__, "--write", str(name), str(count)], check=True)
        size = path.stat().st_size / 1e6
        alone, mine = apart("bare", path), apart("read", path)
        theirs, less = apart("pandera", part), apart("read", part)
        classed, linked = apart("classing", path), apart("linking", part)
        started = apart("starting", path)
    rows = [
        ("bare Polars read", large, alone, ""),
        ("read, check, quarantine", large, mine, f"{mine['seconds'] / alone['seconds']:.2f} times bare"),
        ("pandera on pandas", small, theirs, ""),
        ("read, check, quarantine", small, less, f"{theirs['seconds'] / less['seconds']:.1f} times as fast as pandera"),
        ("class and articles by hand", large, {"seconds": classed["by hand"], "memory": classed["memory"]}, ""),
        ("classify", large, classed, f"{classed['seconds'] / classed['by hand']:.2f} times by hand"),
        ("link", small, linked, ""),
    ]  # fmt: skip
    lines = [
        "## Reading, classing, linking",
        "",
        f"A CSV of 17 columns and {large:,} loans ({size:,.0f} MB), two rows in a thousand of which are held back; "
        f"best of {REPEATS} runs, of pandera and link one. `bare` ignores what it cannot read, or it would stop there; "
        "the reader says what and where it is. `by hand` is the class by days and card matrix, the stage and their "
        "articles as one expression, without impairment, fraud, restructuring or the law as data; on this tape it "
        "answers as `classify` does.",
        "",
        "| what | loans | seconds | GB of memory | |",
        "|---|---:|---:|---:|---|",
        *(
            f"| {name} | {count:,} | {result['seconds']:.2f} | {result['memory']:.1f} | {told} |"
            for name, count, result, told in rows
        ),
        "",
        f"From the shell, `import arrears` takes {started['import']:.2f} s, `arrears rules show` "
        f"{started['seconds']:.2f} s.",
        "",
    ]
    return "\n".join(lines)


def one(name: str, path: Path) -> str:
    """What a piece of work found, for the process that asked for it."""
    result = WORK[name](path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return json.dumps(result | {"memory": peak})


if __name__ == "__main__":
    if "--write" in sys.argv:
        write_tape(Path(sys.argv[2]), int(sys.argv[3]))
    elif "--one" in sys.argv:
        print(one(sys.argv[2], Path(sys.argv[3])))
    else:
        print(section(smoke="--smoke" in sys.argv))
