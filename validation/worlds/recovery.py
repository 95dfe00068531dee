"""Defaulted loans that pay by another law than the models assume, and what they paid afterwards.

A national and a product's regime switch between good, fair and poor; a payment makes the next one likelier for a while
(self-exciting); cash that nobody sees coming makes a borrower able for a few months; some settle for a lump, courts
bring lumps of their own, and the holder sold some of the old loans. After the cut-off date it sells none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from validation.worlds.dates import as_dates, calendar

AS_OF = date(2025, 3, 31)
PRODUCTS = ("consumer", "credit_card", "business")
PROVINCES = ("Zhejiang", "Guangdong", "Henan", "Sichuan")
BRANCHES = 8
BEFORE_BAD = 3
REGIME = np.array([1.35, 1.0, 0.6])
BASE = np.array([0.36, 0.42, 0.24])
FADE = np.array([0.62, 0.72, 0.5])
INTEREST = 0.15
EXCITES, LASTS = 0.16, 0.6
MONEY, EVENTS = ("borrower", "court", "sale"), ("settled", "write_off", "filed")


@dataclass(frozen=True)
class Setting:
    """How large a book: loans that defaulted in `months` up to the cut-off date, followed for `later` months."""

    loans: int = 4_000
    months: int = 48
    later: int = 24
    seed: int = 0
    as_of: date = AS_OF


@dataclass(frozen=True)
class Recovery:
    """A tape in canonical columns and what came in after it; money in fen.

    Attributes:
        payments: up to the cut-off date; `later`: after it, with the same columns.
        truth: `loan_id, owed, paid_12, paid_24`: net cash in the months after the cut-off date.
    """

    loans: pl.DataFrame
    months: pl.DataFrame
    payments: pl.DataFrame
    events: pl.DataFrame
    later: pl.DataFrame
    truth: pl.DataFrame


@dataclass
class _World:
    """Loans as they stand in a month; one a row. Money is whole fen held as floats."""

    product: np.ndarray
    branch: np.ndarray
    defaulted: np.ndarray
    due_day: np.ndarray
    claim: np.ndarray
    frailty: np.ndarray
    rate: np.ndarray
    usual: np.ndarray
    climate: np.ndarray
    owed: np.ndarray = field(init=False)
    sued: np.ndarray = field(init=False)
    heat: np.ndarray = field(init=False)
    flush: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.owed = self.claim.copy()
        self.sued = np.full(len(self.claim), -1)
        self.heat, self.flush = np.zeros(len(self.claim)), np.zeros(len(self.claim))

    def month(self, at: int, stream: np.random.Generator, *, sells: bool) -> list[pl.DataFrame]:
        """Let a month pass: rows `index, at, kind, amount`, where kind is a source of money or an event."""
        age = at - self.defaulted - BEFORE_BAD
        chance = stream.random((7, len(age)))
        alive = (age >= 0) & (self.owed > 0)
        self.flush = np.where(chance[0] < 0.012, 3.0, np.maximum(self.flush - 1, 0))
        push = self.rate * (np.maximum(age, 0) + 1.0) ** -FADE[self.product]
        push = push * self.climate[self.product, at] * np.where(self.flush > 0, 5.0, 1.0)
        pays = alive & (chance[1] < -np.expm1(-push - EXCITES * self.heat))
        self.heat = LASTS * self.heat + pays
        lump = pays & (chance[2] < np.where(self.flush > 0, 0.15, 0.03))
        odd = np.round(self.usual * 4 * chance[3] ** 2 / 100) * 100
        size = np.where(chance[3] < 0.6, self.usual, odd)
        size = np.where(lump, np.ceil(self.owed * (0.4 + 0.5 * chance[4])), size)
        own = np.where(pays, np.minimum(size, self.owed), 0.0)
        left = np.where(lump, 0.0, self.owed - own)
        sues = alive & (age > 6) & (self.sued < 0) & (self.claim > 3_000_000) & (chance[5] < 0.012)
        self.sued = np.where(sues, at, self.sued)
        levied = (self.sued >= 0) & (at - self.sued > 8) & (left > 0) & (chance[5] > 0.985)
        court = np.where(levied, np.ceil(left * (0.05 + 0.4 * chance[4])), 0.0)
        left = left - court
        sold = alive & (age > 18) & (left > 0) & (chance[6] < 0.008) & sells
        price = np.where(sold, np.ceil(left * (0.02 + 0.05 * chance[3])), 0.0)
        self.owed = np.where(sold, 0.0, left)
        marked = (
            ("borrower", own),
            ("court", court),
            ("sale", price),
            ("settled", own * lump),
            ("write_off", (left - price) * sold),
            ("filed", left * sues),
        )
        return [_rows(kind, amount, at) for kind, amount in marked]


def _rows(kind: str, amount: np.ndarray, at: int) -> pl.DataFrame:
    index = np.nonzero(amount > 0)[0]
    return pl.DataFrame({"index": index, "amount": amount[index].astype(np.int64)}).with_columns(
        at=pl.lit(at), kind=pl.lit(kind)
    )


def book(setting: Setting) -> Recovery:
    """Make a book."""
    before, after = setting.months, setting.later
    people, luck, mood = (np.random.default_rng([setting.seed, part]) for part in range(3))
    world = _drawn(setting, people, regimes(before + after, mood))
    rows, path = [], []
    for at in range(before):
        rows += world.month(at, luck, sells=at < before - 1)
        path.append(world.owed)
    past, owed, sued = pl.concat(rows), world.owed, world.sued
    come = pl.concat(
        [row for at in range(before, before + after) for row in world.month(at, luck, sells=False)]
    )
    firsts = np.array([day.toordinal() for day in calendar(setting.as_of, before, after)])
    day = np.where(people.random(len(owed)) < 0.3, 28, world.due_day)
    paid, told = (_dated(past, firsts, day, MONEY), _dated(past, firsts, day, EVENTS))
    later = _dated(come, firsts, day, MONEY)
    payments = _with_reversals(paid.rename({"kind": "source"}), people)
    loans = _loans(
        setting, world, owed=owed, sued=sued, firsts=firsts, paid=payments, stream=people
    )
    sums = [
        later.filter(pl.col("at") < before + months)
        .group_by("loan_id")
        .agg(pl.col("amount").sum().alias(f"paid_{months}"))
        for months in (12, 24)
    ]
    truth = loans.select("loan_id", owed=pl.col("principal") + pl.col("interest"))
    for one in sums:
        truth = truth.join(one, on="loan_id", how="left")
    return Recovery(
        loans=loans,
        months=_months(world, np.stack(path, axis=1), past, firsts),
        payments=payments.drop("at"),
        events=told.drop("at").select("loan_id", "date", "kind", "amount"),
        later=later.drop("at")
        .rename({"kind": "source"})
        .select("loan_id", "date", "amount", "source"),
        truth=truth.fill_null(0).sort("loan_id"),
    )


def regimes(months: int, stream: np.random.Generator) -> np.ndarray:
    """(products, months): the national regime's factor times the product's own, which weighs half."""
    walks = []
    for stay in (0.94, *[0.9] * len(PRODUCTS)):
        state, walk = int(stream.integers(0, 3)), []
        for _ in range(months):
            if stream.random() > stay:
                state = int((state + stream.integers(1, 3)) % 3)
            walk.append(REGIME[state])
        walks.append(walk)
    return np.array(walks[0]) * np.sqrt(np.array(walks[1:]))


def _drawn(setting: Setting, people: np.random.Generator, climate: np.ndarray) -> _World:
    count = setting.loans
    product, branch = (
        people.choice(3, count, p=(0.45, 0.35, 0.2)),
        people.integers(0, BRANCHES, count),
    )
    frailty = people.gamma(0.6, 1 / 0.6, count)
    claim = np.round(np.exp(people.normal(14.6, 0.8, count)) / 100) * 100
    branches = np.exp(0.3 * people.standard_normal(BRANCHES))
    usual = np.round(claim / people.integers(18, 48, count) / 10_000) * 10_000
    return _World(
        product=product,
        branch=branch,
        defaulted=people.integers(0, setting.months - BEFORE_BAD, count),
        due_day=people.integers(1, 29, count),
        claim=claim,
        frailty=frailty,
        rate=BASE[product] * branches[branch] * frailty,
        usual=np.maximum(usual, 5_000),
        climate=climate,
    )


def _dated(
    rows: pl.DataFrame, firsts: np.ndarray, day: np.ndarray, kinds: tuple[str, ...]
) -> pl.DataFrame:
    """Rows of those kinds with `loan_id` and `date`."""
    kept = rows.filter(pl.col("kind").is_in(kinds))
    shift = {"court": 1, "sale": 2, "settled": 0, "write_off": 2, "filed": 1}
    late = kept["kind"].replace_strict(shift, default=0, return_dtype=pl.Int64).to_numpy()
    days = firsts[kept["at"].to_numpy()] + np.minimum(day[kept["index"].to_numpy()] + late, 28) - 1
    return (
        kept.with_columns(
            loan_id=pl.format("D{}", pl.col("index").cast(pl.String).str.zfill(6)),
            date=as_dates(days),
        )
        .drop("index")
        .sort("loan_id", "date", "kind")
    )


def _months(
    world: _World, owed: np.ndarray, past: pl.DataFrame, firsts: np.ndarray
) -> pl.DataFrame:
    """A row a loan and month from its default to its end: what was paid, and how it stood afterwards."""
    count, months = owed.shape
    opening = np.concatenate([world.claim[:, None], owed[:, :-1]], axis=1)
    loan, at = np.nonzero((np.arange(months) >= world.defaulted[:, None]) & (opening > 0))
    came = past.filter(pl.col("kind").is_in(MONEY))
    paid = np.zeros((count, months), np.int64)
    np.add.at(paid, (came["index"].to_numpy(), came["at"].to_numpy()), came["amount"].to_numpy())
    left, now = owed[loan, at].astype(np.int64), paid[loan, at]
    since = firsts[at + 1] - firsts[world.defaulted[loan]] - world.due_day[loan]
    return pl.DataFrame(
        {
            "loan_id": [f"D{number:06d}" for number in loan],
            "month": as_dates(firsts[at]),
            "paid_principal": now - _interest(now),
            "paid_interest": _interest(now),
            "days_past_due": np.where(left > 0, since, 0),
            "balance": left - _interest(left),
        }
    ).sort("loan_id", "month")


def _interest(amount: np.ndarray) -> np.ndarray:
    """The part of a claim, and of what is paid on it, that is interest."""
    return np.floor(INTEREST * amount).astype(np.int64)


def _with_reversals(paid: pl.DataFrame, stream: np.random.Generator) -> pl.DataFrame:
    """One payment in a hundred bounced: it came, went back, and came again, all in one month."""
    bounced = paid.filter(
        pl.Series(stream.random(paid.height) < 0.01)
        & (pl.col("date").dt.day() <= 20)
        & (pl.col("source") == "borrower")
    )
    back = bounced.with_columns(-pl.col("amount"), pl.col("date") + pl.duration(days=2))
    again = bounced.with_columns(pl.col("date") + pl.duration(days=5))
    return (
        pl.concat([paid, back, again])
        .select("loan_id", "date", "amount", "source", "at")
        .sort("loan_id", "date")
    )


def _loans(
    setting: Setting,
    world: _World,
    *,
    owed: np.ndarray,
    sued: np.ndarray,
    firsts: np.ndarray,
    paid: pl.DataFrame,
    stream: np.random.Generator,
) -> pl.DataFrame:
    """The tape on the cut-off date; settled and sold loans stand there with nothing owed."""
    count = len(owed)
    default = firsts[world.defaulted] + world.due_day - 1
    interest = _interest(owed)
    silent = stream.random(count) > np.clip(0.25 + 0.5 * world.frailty, 0.0, 0.9)
    contact = np.where(
        silent, np.where(stream.random(count) < 0.2, "vanished", "unreachable"), "reachable"
    )
    last = (
        paid.filter(pl.col("amount") > 0)
        .group_by("loan_id")
        .agg(last_payment_date=pl.col("date").last(), last_payment=pl.col("amount").last())
    )
    lately = firsts[setting.months - 1] - firsts[sued] <= 240
    legal = np.where(sued < 0, "not_sued", np.where(lately, "filed", "enforcing"))
    begun = default - stream.integers(200, 900, count)
    as_of = setting.as_of.toordinal()
    return pl.DataFrame(
        {
            "as_of": setting.as_of,
            "loan_id": [f"D{number:06d}" for number in range(count)],
            "borrower_id": [f"B{number:06d}" for number in range(count)],
            "lender": "Western Card Bank",
            "branch": [f"branch {number:03d}" for number in world.branch],
            "product": np.array(PRODUCTS)[world.product],
            "security": "none",
            "province": np.array(PROVINCES)[world.branch % len(PROVINCES)],
            "birth_year": stream.integers(1960, 2001, count),
            "principal": (owed - interest).astype(np.int64),
            "interest": interest,
            "fees": np.zeros(count, np.int64),
            "original_principal": world.claim.astype(np.int64),
            "days_past_due": np.where(owed > 0, as_of - default, 0),
            "origination_date": as_dates(begun),
            "default_date": as_dates(default),
            "reported_class": np.where(owed > 0, "substandard", "normal"),
            "legal_status": legal,
            "contact_status": contact,
        }
    ).join(last, on="loan_id", how="left").with_columns(
        default_date=pl.when(pl.col("days_past_due") > 0).then("default_date")
    ).sort("loan_id")  # fmt: skip
