"""One month of a book: dues, what borrowers pay, honest relief, and what managers do about loans that can't pay."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from validation.worlds.households import PRODUCTS
from validation.worlds.lending import Book, annuity
from validation.worlds.managers import (
    CAPITALISE,
    CUT_OFF,
    NEW_LOAN,
    RATE_CUT,
    RENEW,
    TOKEN,
    Managers,
)

PREPAID = 4
MORTGAGE = PRODUCTS.index("mortgage")


@dataclass
class Log:
    """Events (a tuple a batch) and the columns of each month."""

    events: list[dict[str, object]] = field(default_factory=list)
    months: list[dict[str, np.ndarray]] = field(default_factory=list)

    def tell(self, kind: str, rows: np.ndarray, month: int, **values: np.ndarray) -> None:
        """Put down an event of the loans that `rows` marks."""
        at = np.nonzero(rows)[0]
        if len(at):
            told = {name: value[at] for name, value in values.items()}
            self.events.append({"kind": kind, "loan": at, "month": month, **told})


@dataclass
class Month:
    """A month in the making: money by loan, whole fen."""

    at: int
    running: np.ndarray
    interest_due: np.ndarray
    principal_due: np.ndarray
    own: np.ndarray
    cover: np.ndarray
    capitalised: np.ndarray
    lent: np.ndarray


def dues(book: Book, bank: Managers, at: int, stream: np.random.Generator, log: Log) -> Month:
    """What falls due: by contract, less in holidays, no principal where a manager asks for none."""
    running = book.running(at)
    _mature(book, bank, at, stream, log)
    paused = book.holiday_until >= at
    interest = np.where(running & ~paused, np.round(book.balance * book.rate / 12), 0.0)
    behind = np.maximum(book.shown.open(at - 1) - book.interest_open, 0) if at else 0.0
    rest = np.maximum(book.balance - behind, 0)
    level = np.where(
        book.business, 0.0, np.minimum(np.maximum(book.instalment - interest, 0), rest)
    )
    level = np.where(at >= book.maturity, rest, level)
    principal = np.where(running & ~paused & ~bank.interest_only(), level, 0.0)
    book.shown.add(at, interest + principal)
    book.true.add(
        at, np.where(bank.kept & running, np.round(bank.frozen_due), interest + principal)
    )
    none = np.zeros(len(running))
    return Month(at, running, interest, principal, none, none.copy(), none.copy(), none.copy())


def _mature(book: Book, bank: Managers, at: int, stream: np.random.Generator, log: Log) -> None:
    """Business loans that end: renewed innocently where income could carry them, or by a manager who hides."""
    ends = book.running(at) & book.business & (book.maturity == at)
    able = book.surplus(at) >= book.balance * (book.rate / 12 + 1 / 96)
    clean = book.days(book.shown, at - 1) <= 30 if at else ends
    chance = stream.random(len(ends))
    innocent = ends & able & clean & (chance < 0.97)
    hides = ends & ~able & ~bank.kept & ~bank.dropped & (chance < bank.zeal[bank.branch])
    keep(book, bank, hides, at, log, stream)
    again = innocent | (ends & bank.kept)
    book.maturity = np.where(again, at + 12, book.maturity)
    book.renewals = book.renewals + again
    log.tell("renewal", again, at, amount=book.balance)


def pay(book: Book, month: Month, stream: np.random.Generator) -> None:
    """Borrowers pay in full, the interest alone, some, or nothing, as their cash allows; then they live."""
    people, at = book.people, month.at
    count = len(month.running)
    flow = people.income[:, at] - people.need
    liquid = np.maximum(people.buffer + people.line + flow, 0.0)
    want = np.where(month.running, book.shown.open(at), 0.0)
    interest = np.where(month.running, book.interest_open + month.interest_due, 0.0)
    mood, late = stream.random(count), book.days(book.shown, at)
    part = np.floor(liquid * stream.uniform(0.3, 1.0, count))
    short = np.where(
        liquid >= interest,
        np.where(mood < 0.6, interest, np.maximum(interest, np.minimum(part, want))),
        np.where(mood < 0.4, np.minimum(part, want), 0.0),
    )
    given_up = (late > 100) & (mood > 0.35)
    own = np.where(liquid >= want, want, np.where(given_up, 0.0, short))
    forgot = (book.shown.open(at) <= month.interest_due + month.principal_due + 1) & (
        stream.random(count) < people.careless
    )
    month.own = np.where(forgot | ~month.running, 0.0, np.floor(own))
    saved = np.where(flow > 0, 0.35 * flow, flow)
    left = people.buffer + saved - month.own
    people.buffer[:] = np.clip(left, -people.line, 4 * people.usual)


def relieve(
    book: Book, bank: Managers, month: Month, stream: np.random.Generator, log: Log
) -> None:
    """Honest relief: holidays in a slump, restructuring of passing trouble, rate cuts and refinancing of the sound."""
    at, people, count = month.at, book.people, len(month.running)
    chance = stream.random((5, count))
    free = month.running & ~bank.kept
    days = book.days(book.shown, at)
    slump = people.slump[people.province, at]
    rest = free & slump & (days <= 60) & (book.holiday_until < at) & (chance[0] < 0.05)
    book.holiday_until = np.where(rest, at + 3, book.holiday_until)
    log.tell("grace", rest, at, amount=book.balance)
    passing = free & (days > 25) & (days <= 90) & (people.spell[:, at] <= 4)
    eased = passing & (book.relieved < 0) & ~book.business & (chance[1] < 0.15)
    _roll(book, eased, month)
    book.true.roll(eased, at)
    book.maturity = book.maturity + 24 * eased
    left = np.maximum(book.maturity - at, 12)
    book.instalment = np.where(eased, annuity(book.balance, book.rate, left), book.instalment)
    book.relieved = np.where(eased, at, book.relieved)
    log.tell("restructured", eased, at, amount=book.balance)
    _cut(book, free & (days == 0) & (chance[2] < 0.004), 0.85, at, log)
    if at % 12 == 6:
        _cut(book, free & (people.product == MORTGAGE) & (chance[3] < 0.7), 0.92, at, log)
    sound = free & (days == 0) & (people.buffer > people.usual) & (at - book.start > 10)
    _refinance(book, sound & (chance[4] < 0.003), month, 1.0 + 0.5 * chance[0], log)


def _cut(book: Book, rows: np.ndarray, share: float | np.ndarray, at: int, log: Log) -> None:
    before = book.rate
    book.rate = np.where(rows, np.round(before * share, 4), before)
    log.tell("rate_cut", rows, at, rate_before=before, rate_after=book.rate)


def _roll(book: Book, rows: np.ndarray, month: Month) -> None:
    """Put what is open into new terms: open interest becomes principal."""
    added = np.where(rows, np.floor(book.interest_open), 0.0)
    month.capitalised = month.capitalised + added
    book.balance = book.balance + added
    book.interest_open = np.where(rows, 0.0, book.interest_open)
    book.shown.roll(rows, month.at)


def _refinance(
    book: Book, rows: np.ndarray, month: Month, ratio: np.ndarray, log: Log
) -> np.ndarray:
    """A new loan of `ratio` times the claim pays the old one; once a household. Gives the cash left over."""
    rows = rows & (book.switched < 0)
    claim = book.balance + book.interest_open
    new = np.where(rows, np.ceil(claim * ratio / 10_000) * 10_000, 0.0)
    log.tell(
        "refinanced",
        rows,
        month.at,
        amount=new,
        principal=book.balance,
        interest=book.interest_open,
    )
    book.switched = np.where(rows, month.at, book.switched)
    book.shown.roll(rows, month.at)
    book.balance = np.where(rows, new, book.balance)
    book.original = np.where(rows, new, book.original)
    book.interest_open = np.where(rows, 0.0, book.interest_open)
    book.maturity = np.where(rows, month.at + np.where(book.business, 12, 36), book.maturity)
    again = annuity(book.balance, book.rate, np.full(len(rows), 36))
    book.instalment = np.where(rows, again, book.instalment)
    book.renewals = np.where(rows, 0, book.renewals)
    left = np.where(rows, new - np.where(rows, claim, 0.0), 0.0)
    book.people.buffer[:] += left
    return left


def keep(
    book: Book, bank: Managers, rows: np.ndarray, at: int, log: Log, stream: np.random.Generator
) -> None:
    """Begin to keep loans alive; what an honest contract would have asked is remembered for the truth."""
    bank.frozen_due = np.where(rows, book.contract_due(), bank.frozen_due)
    ended = rows & book.business & (book.maturity <= at)
    bank.frozen_due = np.where(ended, np.ceil(book.balance / 12), bank.frozen_due)
    bank.kept = bank.kept | rows
    share = stream.uniform(0.2, 0.5, len(rows)) * (1 - bank.dial) + 0.75 * bank.dial
    cut, before = rows & bank.deed[:, RATE_CUT], book.rate
    book.rate = np.where(cut, np.round(before * share, 4), before)
    log.tell("rate_cut", cut & bank.logged, at, rate_before=before, rate_after=book.rate)


def manage(book: Book, bank: Managers, month: Month, stream: np.random.Generator, log: Log) -> None:
    """Managers who hide look at what can't be paid, and do what they do."""
    at, days = month.at, book.days(book.shown, month.at)
    able = book.surplus(at) >= np.where(bank.kept, bank.frozen_due, book.contract_due())
    begins = (
        month.running & ~bank.kept & ~bank.dropped & (days > bank.trigger) & (days <= 95) & ~able
    )
    begins &= stream.random(len(days)) < bank.zeal[bank.branch]
    keep(book, bank, begins, at, log, stream)
    fresh = begins & bank.deed[:, NEW_LOAN]
    ratio = 1.0 + (0.02 + 0.3 * bank.dial) * stream.random(len(days))
    prepaid = PREPAID * book.balance * book.rate / 12 / np.maximum(book.balance, 1)
    _refinance(book, fresh, month, ratio + prepaid, log)
    renew = bank.does(RENEW) | (bank.does(NEW_LOAN) & ~fresh)
    renew &= month.running & (begins | (days > bank.trigger))
    _roll(book, renew, month)
    book.renewals = book.renewals + (renew & bank.logged)
    book.maturity = np.where(renew, np.maximum(book.maturity, at + 6), book.maturity)
    log.tell("renewal", renew & bank.logged, at, amount=book.balance)
    every = 1 if bank.dial < 0.5 else 3
    adds = bank.does(CAPITALISE) & month.running & (at % every == 0) & (book.interest_open > 0)
    before = month.capitalised.copy()
    _roll(book, adds, month)
    log.tell("capitalised", adds & bank.logged, at, amount=month.capitalised - before)
    rates = bank.does(RATE_CUT) & month.running & (days > bank.trigger) & ~renew & ~adds
    _roll(book, rates, month)
    log.tell("extension", rates & bank.logged, at, amount=book.balance)


def cover(book: Book, bank: Managers, month: Month) -> None:
    """Somebody else's money: interest on time, arrears at the quarter's end, or just the oldest due."""
    at = month.at
    open_now = np.maximum(book.shown.open(at) - month.own, 0.0)
    interest = np.maximum(book.interest_open + month.interest_due - month.own, 0.0)
    paid = np.where(bank.kept & bank.covers, interest, 0.0)
    if book.quarter_end[at]:
        paid = np.where(bank.does(CUT_OFF), open_now, paid)
    end = book.firsts[at + 1] - 1
    first_kept = np.searchsorted(book.firsts, end - 90 - book.due_day + 1, side="left")
    needed = np.where(
        first_kept > 0,
        book.shown.due[np.arange(len(paid)), np.clip(first_kept - 1, 0, at)]
        - book.shown.credit
        - month.own,
        0.0,
    )
    paid = np.where(bank.does(TOKEN), np.maximum(paid, needed), paid)
    month.cover = np.where(month.running, np.floor(np.clip(paid, 0.0, open_now)), 0.0)


def lend_again(book: Book, bank: Managers, month: Month, log: Log) -> None:
    """What came in just before the quarter's end goes out again early in the next month."""
    month.lent = np.where(month.running, bank.lent_again, 0.0)
    book.balance = book.balance + month.lent
    log.tell("drawdown", (month.lent > 0) & bank.logged, month.at, amount=month.lent)
    bank.lent_again = np.zeros(len(month.lent))


def settle(book: Book, bank: Managers, month: Month) -> tuple[np.ndarray, np.ndarray]:
    """Credit the month's money, interest first. Gives interest and principal paid."""
    money = month.own + month.cover
    claim = book.balance + book.interest_open + month.interest_due
    money = np.minimum(money, claim)
    open_interest = book.interest_open + month.interest_due
    to_interest = np.minimum(money, open_interest)
    to_principal = money - to_interest
    book.interest_open = np.where(month.running, open_interest - to_interest, book.interest_open)
    book.balance = book.balance - to_principal
    book.shown.credit = book.shown.credit + money
    book.true.credit = book.true.credit + np.minimum(month.own, money)
    if book.quarter_end[month.at]:
        bank.lent_again = np.where(bank.does(CUT_OFF), month.cover, 0.0)
    return to_interest, to_principal


def recover(
    book: Book, bank: Managers, month: Month, *, good: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Months in a row in which income carries the loan; four of them and it is sound again. Some hiding just ends."""
    carries = book.surplus(month.at) >= 1.1 * np.where(bank.kept, bank.frozen_due, 0.0)
    good = np.where(carries & bank.kept, good + 1, 0)
    cured = bank.kept & (good >= 4)
    book.true.roll(cured, month.at)
    _roll(book, cured, month)
    bank.dropped = bank.dropped | (ends & bank.kept & ~cured)
    bank.kept = bank.kept & ~cured & ~bank.dropped
    return good
