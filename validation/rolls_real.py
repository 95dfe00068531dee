"""Do roll and cure rates foretell those of the next year? Real monthly histories, out of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from arrears.recovery.histories.paths import Paths, paths
from arrears.recovery.histories.semi_markov import Contest, contest, next_month
from arrears.recovery.histories.states import BAD, BUCKETS
from validation import section

TITLE = "Roll and cure rates of the next year"
EPOCH = date(2000, 1, 1)
YEAR = 12
DAYS = {"0": 0, "1": 15, "2": 45, "3": 75, "4": 105, "5": 150}
LATE = BUCKETS.index("31-60")
# What is foretold: from a bucket, to any of some states.
MOVES = {
    "current: falls behind": (0, [1, 2, 3, BAD]),
    "1-30: rolls on": (1, [2, 3, BAD]),
    "1-30: current again": (1, [0]),
    "31-60: rolls on": (2, [3, BAD]),
    "61-90: rolls on": (3, [BAD]),
    "90+: current again": (BAD, [0]),
}


def main(smoke: bool) -> str:
    """The section."""
    folder = section.real_data()
    if folder is None:
        return section.without_data(TITLE)
    parts = [
        f"## {TITLE}",
        "A rate of one year is the forecast for the next. `came` is what came, with its 90 % interval over resampled "
        "accounts; `within` says whether the forecast lies in the range that its own counts and the interval give.",
        bureau(folder, smoke),
        cars(folder, smoke),
        cards(folder, smoke),
    ]
    return "\n\n".join(parts)


def bureau(folder: Path, smoke: bool) -> str:
    """Five years of statuses of accounts at a credit bureau, by months before the holder's application."""
    accounts = pl.read_csv(folder / "bureau_status/accounts.csv.gz", infer_schema_length=None)
    accounts = accounts.head(3_000 if smoke else accounts.height)
    signs = (
        accounts.select(
            "account_id",
            month=pl.int_ranges("first_month", pl.col("last_month") + 1),
            sign=pl.col("status").str.split(""),
        )
        .explode("month", "sign")
        .with_columns(place=pl.int_range(pl.len()).over("account_id"))
    )
    over = pl.col("sign").eq("C").cum_sum().over("account_id")
    months = signs.filter(over <= 1).select(
        loan_id=pl.col("account_id").cast(pl.String),
        month=pl.lit(EPOCH).dt.offset_by(pl.format("{}mo", pl.col("month") + 60)),
        days_past_due=pl.when(pl.col("sign") == "C")
        .then(0)
        .otherwise(pl.col("sign").replace_strict(DAYS, default=None, return_dtype=pl.Int32)),
        balance=pl.when(pl.col("sign") == "C").then(0).otherwise(1).cast(pl.Int64),
    )
    known = paths(months, _loans(months), as_of=date(2005, 1, 31))
    table = _years(known, [(60 - 2 * YEAR, 60 - YEAR, 60)])
    text = (
        f"**Bureau statuses** ({accounts.height:,} accounts, {months.height:,} account-months): the year before "
        "the last foretells the last one before the holders applied elsewhere."
    )
    return "\n\n".join([text, table, _contest(known)])


def _loans(months: pl.DataFrame) -> pl.DataFrame:
    ids = months.select("loan_id").unique(maintain_order=True)
    return ids.with_columns(product=pl.lit("consumer"))


def _contest(known: Paths) -> str:
    """The logit against the chain on the last quarter of the months."""
    rows = []
    for one in contest(known):
        gain = "" if one.gain is None or one.se is None else f"{one.gain:+.4f} ± {one.se:.4f}"
        told = [f"{value:.4f}" if value is not None else "" for value in (one.chain, one.logit)]
        rows.append((one.state, f"{one.moves:,}", *told, gain, f"{one.ships} ({one.why})"))
    head = ("from", "moves", "chain", "logit", "gain", "ships")
    text = "Mean surprise (-log p) of the moves of the last quarter of the months; less is better."
    return text + "\n\n" + section.table(head, rows)


def moved(known: Paths, low: int, high: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loan, state and state after, of moves that begin in months low to high - 1."""
    loan = np.repeat(np.arange(len(known.first) - 1), np.diff(known.first))
    after = np.append(known.state[1:], np.int8(-1)).astype(np.int64)
    follows = np.append((loan[1:] == loan[:-1]) & (np.diff(known.month) == 1), [False])
    last = known.first[1:] - 1
    after = np.where(follows, after, -1)
    after[last] = known.ended
    inside = (known.month >= low) & (known.month < high)
    kept = inside & (known.state >= 0) & (known.state <= BAD) & (after >= 0)
    return loan[kept], known.state[kept].astype(np.int64), after[kept]


def _years(
    known: Paths, windows: Sequence[tuple[int, int, int]], names: Sequence[str] = ("",)
) -> str:
    """Forecast and outcome of each move: windows are (from, cut, until) in months."""
    rows = []
    for (low, cut, high), name in zip(windows, names, strict=True):
        before, after = moved(known, low, cut), moved(known, cut, high)
        for move, (start, ends) in MOVES.items():
            seen = before[1] == start
            if seen.sum() < 30 or (after[1] == start).sum() < 30:
                continue
            told = float(np.isin(before[2][seen], ends).mean())
            error = (told * (1 - told) / seen.sum()) ** 0.5
            loan, _, to = (part[after[1] == start] for part in after)
            places, index = np.unique(loan, return_inverse=True)
            hits = np.bincount(index, weights=np.isin(to, ends), minlength=len(places))
            risk = np.bincount(index, minlength=len(places)).astype(float)
            came, least, most = section.bootstrap(lambda x, n: x.sum() / n.sum(), hits, risk)
            spread = ((1.645 * error) ** 2 + ((most - least) / 2) ** 2) ** 0.5
            within = "yes" if abs(told - came) <= spread else "no"
            rows.append(
                (
                    f"{name} {move}".strip(),
                    f"{int(risk.sum()):,}",
                    f"{told:.1%}",
                    _range(came, least, most),
                    within,
                )
            )
    return section.table(("move", "loan-months", "foretold", "came", "within"), rows)


def _range(share: float, least: float, most: float) -> str:
    return f"{share:.1%} [{least:.1%}, {most:.1%}]"


def cars(folder: Path, smoke: bool) -> str:
    """Car loans: months behind from what was paid against the instalment; holidays of spring 2020 among them."""
    loans = pl.read_csv(folder / "auto_abs/loans.csv.gz", infer_schema_length=None)
    loans = loans.head(600 if smoke else loans.height)
    months = pl.read_csv(folder / "auto_abs/months.csv.gz", infer_schema_length=None)
    months = months.join(loans.select("loan_id", "scheduled_payment"), on="loan_id").sort(
        "loan_id", "month"
    )
    months = months.with_columns(
        first=pl.concat_str("month", pl.lit("-01")).str.to_date(),
        share=(pl.col("paid") / pl.col("scheduled_payment")).fill_null(0.0),
    )
    behind = _behind(months["loan_id"].to_numpy(), months["share"].to_numpy())
    lived = months.with_columns(days_past_due=pl.Series(behind * 30, dtype=pl.Int32)).filter(
        pl.col("balance").is_not_null() | (pl.col("charged_off").fill_null(0) > 0)
    )
    table = lived.select(
        pl.col("loan_id").cast(pl.String),
        month="first",
        days_past_due="days_past_due",
        balance=(pl.col("balance").fill_null(1.0) * 100).round().cast(pl.Int64),
    )
    lost = lived.filter(pl.col("charged_off").fill_null(0) > 0).select(
        pl.col("loan_id").cast(pl.String), date="first", kind=pl.lit("write_off")
    )
    known = paths(table, _loans(table), as_of=date(2023, 6, 30), events=lost)
    start = known.begin.year * 12 + known.begin.month - 1
    windows, names = [], []
    for year in (2018, 2019, 2020, 2021, 2022):
        cut = year * 12 - start
        windows.append((max(cut - YEAR, 0), cut, min(cut + YEAR, known.months)))
        names.append(str(year))
    text = (
        f"**Car loans** ({loans.height:,} loans, {table.height:,} loan-months): each year foretells the next. A loan "
        "is a month behind when what it has paid falls an instalment short; payments ahead count up to three months. "
        "Payment holidays were granted in 2020: no rate of 2019 foretells them, nor that of 2020 their end."
    )
    return "\n\n".join([text, _years(known, windows, names)])


def _behind(loan: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Whole instalments behind after each month, payments ahead counting up to three months."""
    found = np.zeros(len(share), dtype=np.int64)
    owed = 0.0
    for k in range(len(share)):
        if k == 0 or loan[k] != loan[k - 1]:
            owed = 0.0
        owed = max(owed + 1.0 - share[k], -3.0)
        found[k] = max(int(np.floor(owed + 0.05)), 0)
    return found


def cards(folder: Path, smoke: bool) -> str:
    """Taiwan cards: learnt on being two months behind, April to August, judged on the label after September."""
    clients = pl.read_csv(folder / "taiwan_cards/clients.csv.gz", infer_schema_length=None)
    clients = clients.head(4_000 if smoke else clients.height)
    names = {"PAY_6": 4, "PAY_5": 5, "PAY_4": 6, "PAY_3": 7, "PAY_2": 8, "PAY_0": 9}
    # One month behind is told of September alone; earlier months show it as none or as two.
    months = (
        clients.select("ID", *names)
        .unpivot(index="ID", variable_name="name", value_name="status")
        .select(
            loan_id=pl.col("ID").cast(pl.String).str.zfill(6),
            month=pl.date(2005, pl.col("name").replace_strict(names), 1),
            days_past_due=(pl.col("status").clip(0).replace(1, 2) * 30 - 15).clip(0).cast(pl.Int32),
            balance=pl.lit(1, pl.Int64),
        )
        .sort("loan_id", "month")
    )
    whole, early = (
        paths(months, _loans(months), as_of=day) for day in (date(2005, 9, 30), date(2005, 8, 31))
    )
    truth = clients.sort("ID")["default_next_month"].to_numpy()
    september, august = (known.state[known.first[1:] - 1].astype(float) for known in (whole, early))
    scores = {"days past due in September alone": september}
    for ships in ("chain", "logit"):
        models = [replace(one, ships=ships) for one in contest(whole)]
        scores[f"{ships}, September's moves not seen"] = _learnt(early, whole, models)
    ranked = []
    for name, score in scores.items():
        area, least, most = section.bootstrap(section.area_under_curve, score, truth)
        ranked.append((name, f"{area:.3f} [{least:.3f}, {most:.3f}]"))
    told = _learnt(early, whole, contest(early))
    levels = []
    for state in range(BAD + 1):
        then, now = august == state, september == state
        if min(then.sum(), now.sum()) < 30:
            continue
        seen = section.bootstrap(lambda x: float(x.mean()), (september[then] >= LATE).astype(float))
        came = section.bootstrap(lambda x: float(x.mean()), truth[now].astype(float))
        shares = [_range(*found) for found in (seen, came)]
        levels.append((BUCKETS[state], f"{now.sum():,}", f"{float(told[now].mean()):.1%}", *shares))
    text = (
        f"**Taiwan cards** ({clients.height:,} clients): the chance of being two months behind a month later, learnt "
        "on the months from April to August and given to those up to September, against the label of the month after. "
        "The label is another thing than two months behind; what became of August's loans stands beside it."
    )
    heads = (
        "bucket",
        "clients in September",
        "foretold",
        "of August's: behind in September",
        "default after September",
    )
    first = section.table(heads, levels)
    return "\n\n".join(
        [text, first, section.table(("who defaults, ranked by", "area under the curve"), ranked)]
    )


def _learnt(early: Paths, whole: Paths, models: list[Contest]) -> np.ndarray:
    """Chance of being two months behind after the last month of `whole`, learnt on the moves of `early`."""
    return next_month(whole, models, learnt=early)[:, LATE : BAD + 1].sum(axis=1)


if __name__ == "__main__":
    section.run(main)
