"""Loan-months at risk of a payment, from payments or months, in one pass; gathered into cells of equal covariates.

The likelihood of a discrete hazard depends on counts alone, so a cell of equal covariates with its loan-months and
payments stands for all its rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from arrears.core.blocks import blocks
from arrears.recovery.fitting import kernels, let_go
from arrears.recovery.fitting.features import (
    AGE_BAND,
    LEGAL,
    STATIC,
    TERMS,
    YEAR,
    Bytes,
    flagged,
    month_index,
    month_of,
    static_codes,
)
from arrears.recovery.params import Floats, Ints

_CHUNK = 50_000
_NOT_THE_BORROWER = ("sale", "collateral")
# Shares are summed as whole parts of a million: sums are then the same in any order.
_PARTS = 1_000_000
_EPOCH = date(1970, 1, 1)
_NONE = -1


@dataclass(frozen=True)
class History:
    """A book's past in flat arrays, by loan (n) and, within a loan, by month.

    Attributes:
        begin, end: first and last whole month seen, in months since the year 0.
        claim: owed at the cut-off date, fen.
        let_go: what closed loans owed and never paid: discharged by a settlement, sold, written off; fen.
        closed: month in which a settlement or write-off ended them; -1 where none did.
        edges: (4,) fen, where the fifths of the balance part.
        cash: paid by the borrower, the guarantor or through the court, reversals netted, fen.
        other: cash of collateral and sales, by the same rows.
        written: month of the write-off; -1 where there is none.
        given: month in which new terms were first given for this default; -1 where there is none.
    """

    loan_ids: pl.Series
    as_of: date
    begin: int
    end: int
    claim: Ints
    let_go: Ints
    closed: Ints
    origin: Ints
    static: dict[str, Bytes]
    sold: Ints
    died: Ints
    filed: Ints
    judged: Ints
    legal: Bytes
    written: Ints
    given: Ints
    before: Ints
    usual: Floats
    edges: Floats
    pay_start: Ints
    pay_month: Ints
    cash: Ints
    other: Ints
    month_start: Ints
    month_month: Ints
    month_days: Ints

    @property
    def months(self) -> int:
        """Whole months seen."""
        return max(self.end - self.begin + 1, 0)

    def walk(self, first: int, last: int) -> dict[str, np.ndarray]:
        """Rows of loans first to last, until new terms are given:
        `loan, month, age, balance, last, legal, kind, share, owed, ends`.
        """
        head = (
            first, last, self.begin, self.end, _month_days(self.begin, self.end), self.claim + self.let_go,
            self.origin, self.closed, self.sold, self.died, self.filed, self.judged, self.legal, self.before,
            self.usual, self.edges, self.pay_start, self.pay_month, self.cash, self.month_start,
            self.month_month, self.month_days,
        )  # fmt: skip
        shapes = {
            "loan": np.int32, "month": np.int32, "age": np.int16, "balance": np.int8,
            "last": np.int8, "legal": np.int8, "kind": np.int8, "share": np.float64,
            "owed": np.float64, "ends": np.int8,
        }  # fmt: skip
        count = kernels.walk(*head, *(np.empty(0, kind) for kind in shapes.values()))
        rows = {name: np.empty(count, kind) for name, kind in shapes.items()}
        if count:
            kernels.walk(*head, *rows.values())
        # What comes under new terms is theirs: counted as usual cash it would be foretold twice, there and in offers.
        given = self.given[rows["loan"]]
        usual = (given < 0) | (rows["month"] < given)
        return {name: values[usual] for name, values in rows.items()}


@dataclass(frozen=True)
class Rows:
    """Loan-months of some loans with the level of each term (r,)."""

    loan: Ints
    month: Ints
    age: Ints
    band: Ints
    levels: dict[str, Bytes]
    kind: Bytes
    share: Floats
    owed: Floats
    ends: Bytes


def rows(history: History) -> Iterator[Rows]:
    """All loan-months at risk, some loans at a time, in the order of the loans."""
    for part in blocks(len(history.claim), _CHUNK):
        found = history.walk(part.start, part.stop)
        loan, month = found["loan"], found["month"]
        levels = {name: history.static[name][loan] for name in STATIC} | {
            "balance": found["balance"],
            "legal_status": found["legal"],
            "written_off": _after(history.written[loan], month),
            "last_payment": found["last"],
            "quarter": ((month % 12) // 3).astype(np.int8),
        }
        age = found["age"].astype(np.int64)
        yield Rows(
            loan=loan,
            month=month,
            age=age,
            band=AGE_BAND[age],
            levels={name: levels[name] for name in TERMS},
            kind=found["kind"],
            share=found["share"],
            owed=found["owed"],
            ends=found["ends"],
        )


def cells(history: History, *, late_from: int) -> pl.DataFrame:
    """As `cells_by_year`, years together."""
    return together(cells_by_year(history, late_from=late_from))


def together(by_year: pl.DataFrame) -> pl.DataFrame:
    """Cells by year with the years put together."""
    keys = ["band", *TERMS, "late"]
    return by_year.group_by(keys).agg(pl.col(SUMS).sum()).sort(keys)


def cells_by_year(history: History, *, late_from: int) -> pl.DataFrame:
    """Cells of equal covariates, sorted: `band, <terms>, late, back, n, paid, full, usual, part, part_square`.

    `n` counts loan-months, `paid` those with a payment, `full` those that settle, `usual` those of a usual instalment;
    `part` and `part_square` sum the shares of what was owed of payments that do not settle, and their squares, in
    millionths.

    Args:
        late_from: months from here on are `late`: kept for the test out of time. `back` is how many years the month
            lies before the last one, `YEARS_BACK` for all that is older.
    """
    parts: list[pl.DataFrame] = []
    for some in rows(history):
        keyed = pl.DataFrame(
            {
                "key": _key(some, late_from, history.end),
                "paid": some.kind > 0,
                "full": some.kind == kernels.CLASS_FULL,
                "usual": some.kind == kernels.CLASS_USUAL,
                "part": _parts(some, 1),
                "part_square": _parts(some, 2),
            }
        )
        parts.append(_gathered(keyed.with_columns(n=pl.lit(1, pl.Int64))))
        if len(parts) > 8:
            parts = [_gathered(pl.concat(parts))]
    if not parts:
        parts = [pl.DataFrame(schema={"key": pl.Int64, **dict.fromkeys(SUMS, pl.Int64)})]
    return _unpacked(_gathered(pl.concat(parts)).sort("key"))


SUMS = ("n", "paid", "full", "usual", "part", "part_square")
# Years before the end that are told apart, each of which is foretold from those before it.
YEARS_BACK = 3
_RADIX = {
    "back": YEARS_BACK + 1,
    "late": 2,
    **{name: len(levels) for name, levels in reversed(TERMS.items())},
}


def _gathered(keyed: pl.DataFrame) -> pl.DataFrame:
    return keyed.group_by("key").agg(pl.col(name).cast(pl.Int64).sum() for name in SUMS)


def _parts(some: Rows, power: int) -> Ints:
    partial = (some.kind == kernels.CLASS_PART) | (some.kind == kernels.CLASS_USUAL)
    part = np.where(partial, some.share, 0.0)
    whole: Ints = np.round(part**power * _PARTS).astype(np.int64)
    return whole


def _key(some: Rows, late_from: int, end: int) -> Ints:
    key = some.band.astype(np.int64)
    for name, levels in TERMS.items():
        key = key * len(levels) + some.levels[name]
    late: Ints = key * 2 + (some.month >= late_from)
    back: Ints = np.minimum((end - some.month) // YEAR, YEARS_BACK)
    return late * (YEARS_BACK + 1) + back


def _unpacked(table: pl.DataFrame) -> pl.DataFrame:
    rest = table["key"].to_numpy()
    columns: dict[str, np.ndarray] = {}
    for name, size in _RADIX.items():
        rest, columns[name] = rest // size, (rest % size).astype(np.int8)
    order = ["band", *TERMS, "late", "back"]
    columns["band"] = rest.astype(np.int64)
    return pl.DataFrame({name: columns[name] for name in order}).hstack(table.select(SUMS))


def history(
    loans: pl.DataFrame,
    *,
    as_of: date,
    payments: pl.DataFrame | None = None,
    months: pl.DataFrame | None = None,
    events: pl.DataFrame | None = None,
) -> History:
    """The past of a book, as canonical tables tell it (loans sorted by `loan_id`).

    Days past due come from `months` where a loan has any, else from its first unpaid due date. Cash comes from
    `payments`, else from the paid parts of `months`. What was owed earlier is what is owed now, was paid since, or was
    let go (`let_go.py`); interest that grew in between is not known.
    """
    paid = _paid(payments, months)
    dated = _placed(paid, loans["loan_id"])
    days = _days(months, loans["loan_id"])
    end = month_of(as_of) if (as_of + timedelta(days=1)).day == 1 else month_of(as_of) - 1
    seen = [int(table["month"].min()) for table in (dated, days) if table.height]  # type: ignore[arg-type]
    begin = min(seen) if seen else end + 1
    origin = loans.select(
        pl.coalesce(
            pl.col("default_date"),
            pl.when(pl.col("days_past_due") > 0).then(
                pl.lit(as_of) - pl.duration(days=pl.col("days_past_due"))
            ),
        )
    ).to_series()
    claim = loans.select(pl.sum_horizontal("principal", "interest", "fees")).to_series()
    ids = loans["loan_id"]
    pay_start, netted = _starts(dated["loan"], loans.height), _array(dated["cash"], np.int64)
    kernels.net_backwards(pay_start, netted)
    sold = _last(dated, "sold_in", loans.height)
    given_up, closed = let_go.found(
        loans, dated.with_columns(cash=netted), sold, months=months, events=events
    )
    owed = (claim.to_numpy() + given_up).astype(np.float64)
    owed += np.bincount(dated["loan"].to_numpy(), weights=netted, minlength=loans.height)
    legal = {word: place for place, word in enumerate(LEGAL)}
    status = loans["legal_status"].replace_strict(legal, default=0, return_dtype=pl.Int8)
    return History(
        loan_ids=loans["loan_id"],
        as_of=as_of,
        begin=begin,
        end=end,
        claim=_array(claim, np.int64),
        let_go=given_up,
        closed=closed,
        origin=_array(origin.to_physical().fill_null(_NONE), np.int64),
        static=static_codes(loans, as_of),
        sold=sold,
        died=_first(events, "death", ids),
        filed=_first(events, "filed", ids),
        judged=np.maximum(_first(events, "judged", ids), _month_column(loans, "judgment_date")),
        legal=_array(status.fill_null(0), np.int8),
        written=_written_off(loans, events, begin),
        given=_given(events, ids, origin),
        before=_month_column(loans, "last_payment_date"),
        usual=_usual(loans),
        edges=_fifths(owed[owed > 0]),
        pay_start=pay_start,
        pay_month=_array(dated["month"], np.int32),
        cash=netted,
        other=_array(dated["other"], np.int64),
        month_start=_starts(days["loan"], loans.height),
        month_month=_array(days["month"], np.int32),
        month_days=_array(days["days"], np.int32),
    )


def _paid(payments: pl.DataFrame | None, months: pl.DataFrame | None) -> pl.DataFrame:
    """Cash by loan and month: `loan_id, month, cash, other, sold_in`."""
    if payments is not None and not payments.is_empty():
        theirs = pl.col("source").is_in(_NOT_THE_BORROWER).fill_null(False)
        month = month_index(pl.col("date"))
        return (
            payments.lazy()
            .select(
                "loan_id",
                month=month,
                cash=pl.when(~theirs).then(pl.col("amount")).otherwise(0),
                other=pl.when(theirs).then(pl.col("amount")).otherwise(0),
                sold_in=pl.when(pl.col("source") == "sale").then(month).otherwise(_NONE),
            )
            .group_by("loan_id", "month")
            .agg(pl.col("cash", "other").sum(), pl.col("sold_in").max())
            .collect()
        )
    if months is None:
        months = pl.DataFrame(
            schema={
                "loan_id": pl.String,
                "month": pl.Date,
                "paid_principal": pl.Int64,
                "paid_interest": pl.Int64,
            }
        )
    cash = pl.sum_horizontal("paid_principal", "paid_interest")
    return months.lazy().filter(cash != 0).select(
        "loan_id", month=month_index(pl.col("month")), cash=cash, other=pl.lit(0, pl.Int64),
        sold_in=pl.lit(_NONE, pl.Int64),
    ).collect()  # fmt: skip


def _days(months: pl.DataFrame | None, ids: pl.Series) -> pl.DataFrame:
    """Days past due at the months' ends: `loan, month, days`, sorted."""
    if months is None or months.is_empty():
        return pl.DataFrame(schema={"loan": pl.Int64, "month": pl.Int64, "days": pl.Int64})
    told = months.filter(pl.col("days_past_due").is_not_null()).select(
        "loan_id", month=month_index(pl.col("month")), days=pl.col("days_past_due").cast(pl.Int64)
    )
    return _placed(told, ids)


def _placed(table: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """The table by loan number and month instead of by id; rows of other loans are dropped."""
    return let_go.numbered(table, ids).sort("loan", "month")


def _array(column: pl.Series, kind: type[np.generic]) -> np.ndarray:
    """A copy of its own: kernels are compiled once, for arrays that may be written to."""
    return np.array(column.to_numpy(), dtype=kind)


def _starts(loan: pl.Series, count: int) -> Ints:
    starts: Ints = np.searchsorted(loan.to_numpy(), np.arange(count + 1)).astype(np.int64)
    return starts


def _last(dated: pl.DataFrame, column: str, count: int) -> Ints:
    most = np.full(count, _NONE, dtype=np.int64)
    np.maximum.at(most, dated["loan"].to_numpy(), dated[column].to_numpy())
    return most


def _first(events: pl.DataFrame | None, kind: str, ids: pl.Series) -> Ints:
    """Month of the first event of a kind, by loan; -1 where there is none."""
    months = np.full(len(ids), _NONE, dtype=np.int64)
    if events is not None:
        first = events.filter(kind=kind).group_by("loan_id").agg(pl.col("date").min())
        placed = _placed(first.select("loan_id", month=month_index(pl.col("date"))), ids)
        months[placed["loan"].to_numpy()] = placed["month"].to_numpy()
    return months


def _given(events: pl.DataFrame | None, ids: pl.Series, origin: pl.Series) -> Ints:
    """Month of the first new terms since the first unpaid due date, by loan; -1 where there are none.

    Terms given before are none of this default: the loan went on from them and failed again.
    """
    if events is None:
        return _first(None, "restructured", ids)
    since = pl.DataFrame({"loan_id": ids, "since": origin})
    theirs = events.filter(kind="restructured").join(since, on="loan_id")
    later = (pl.col("date") >= pl.col("since")).fill_null(True)
    return _first(theirs.filter(later), "restructured", ids)


def _written_off(loans: pl.DataFrame, events: pl.DataFrame | None, begin: int) -> Ints:
    """Month of the first write-off; where the flag alone tells of one, it was before all that is seen."""
    months = _first(events, "write_off", loans["loan_id"])
    alone = loans.select(flagged("written_off")).to_series().to_numpy() & (months == _NONE)
    return np.where(alone, begin - 1, months)


def _after(begun: Ints, month: Ints) -> Bytes:
    """Whether something that began in a month had begun before another; below 0 it never did."""
    after: Bytes = ((begun != _NONE) & (begun < month)).astype(np.int8)
    return after


def _month_column(loans: pl.DataFrame, name: str) -> Ints:
    return _array(loans.select(month_index(pl.col(name)).fill_null(_NONE)).to_series(), np.int64)


def _usual(loans: pl.DataFrame) -> Floats:
    """Level instalment of each loan by its first terms, fen; 0 where they are not told."""
    table = loans.select(
        amount=pl.col("original_principal").cast(pl.Float64),
        rate=pl.col("rate") / 12,
        term=(month_index(pl.col("maturity_date")) - month_index(pl.col("origination_date"))),
        level=pl.col("repayment").fill_null("amortising") == "amortising",
    )
    amount, rate = table["amount"], table["rate"].fill_null(0.0)
    term = table["term"].cast(pl.Float64).clip(1.0, None)
    grown = 1.0 - (1.0 + rate) ** (-term)
    payment = pl.select(
        pl.when(table["level"] & (rate > 0)).then(amount * rate / grown).when(table["level"]).then(amount / term)
    ).to_series()  # fmt: skip
    return _array(payment.fill_null(0.0).fill_nan(0.0), np.float64)


def _fifths(owed: Floats) -> Floats:
    if not len(owed):
        return np.zeros(4)
    edges: Floats = np.round(np.quantile(owed, [0.2, 0.4, 0.6, 0.8]))
    return edges


def _month_days(begin: int, end: int) -> Ints:
    """Day numbers of the first of each month, one month past the end."""
    days = [
        (date(month // 12, month % 12 + 1, 1) - _EPOCH).days
        for month in range(begin, max(end, begin) + 2)
    ]
    return np.array(days, dtype=np.int64)
