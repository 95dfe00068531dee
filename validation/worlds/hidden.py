"""Books with hidden bad loans whose truth is known.

A loan is truly bad when the household's own money has left the oldest instalment of the honest contract unmet for more
than ninety days; it is hidden when the tape says otherwise. Traps: innocent renewals, honest restructuring, payment
holidays in slumps, rate cuts and refinancing of sound borrowers, forgetful payers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from validation.worlds import hidden_tape
from validation.worlds.dates import calendar
from validation.worlds.hidden_made import Made
from validation.worlds.households import households
from validation.worlds.keeping import (
    Log,
    cover,
    dues,
    lend_again,
    manage,
    pay,
    recover,
    relieve,
    settle,
)
from validation.worlds.lending import Book, opened
from validation.worlds.managers import Managers, managers

AS_OF = date(2025, 3, 31)
BURN = 12


@dataclass(frozen=True)
class Setting:
    """What kind of book. `dial` from 0 (clumsy hiding) to 1 (subtle); without `hiding` all managers are honest."""

    loans: int = 20_000
    months: int = 24
    later: int = 12
    dial: float = 0.0
    hiding: bool = True
    seed: int = 0
    as_of: date = AS_OF


@dataclass(frozen=True)
class Hidden:
    """A tape and what is true of it; money in fen.

    Attributes:
        truth: `loan_id, hidden, true_state, hidden_amount, branch_hides`, one row a loan of the tape.
        states: `loan_id, month, true_state` (sound, strained, bad).
        later: `loan_id, month, days_past_due, balance, paid`: the months after the cut-off date.
        outcome: `loan_id, worst_days` (largest days past due in those months).
    """

    loans: pl.DataFrame
    months: pl.DataFrame
    events: pl.DataFrame
    payments: pl.DataFrame
    truth: pl.DataFrame
    states: pl.DataFrame
    later: pl.DataFrame
    outcome: pl.DataFrame


def book(setting: Setting) -> Hidden:
    """Make a book; the same households whatever the dial and the managers."""
    before = BURN + setting.months
    firsts = calendar(setting.as_of, before, setting.later)
    people_stream, loan_stream, bank_stream, month_stream = (
        np.random.default_rng([setting.seed, part]) for part in range(4)
    )
    people = households(setting.loans, before + setting.later, people_stream)
    lent = opened(people, firsts, cut=before, stream=loan_stream)
    bank = managers(
        setting.loans, lent.due_day, dial=setting.dial, hiding=setting.hiding, stream=bank_stream
    )
    log = live(lent, bank, month_stream)
    made = Made(setting.as_of, before - 1, BURN, lent, bank, log)
    return Hidden(**hidden_tape.tables(made, np.random.default_rng([setting.seed, 4])))


def live(lent: Book, bank: Managers, stream: np.random.Generator) -> Log:
    """Let all months pass."""
    log, good = Log(), np.zeros(len(lent.start), np.int64)
    for at in range(lent.people.income.shape[1]):
        month = dues(lent, bank, at, stream, log)
        lend_again(lent, bank, month, log)
        pay(lent, month, stream)
        cover(lent, bank, month)
        interest, principal = settle(lent, bank, month)
        relieve(lent, bank, month, stream, log)
        manage(lent, bank, month, stream, log)
        good = recover(lent, bank, month, good=good, ends=stream.random(len(good)) < 0.045)
        log.months.append(
            {
                "due_interest": month.interest_due,
                "due_principal": month.principal_due,
                "paid_interest": interest,
                "paid_principal": principal,
                "own": month.own,
                "cover": month.cover,
                "running": month.running,
                "days": lent.days(lent.shown, at),
                "true_days": np.where(month.running, lent.days(lent.true, at), 0),
                "balance": lent.balance,
                "interest_open": lent.interest_open,
                "rate": lent.rate,
                "renewals": lent.renewals,
                "instalment": lent.instalment,
                "maturity": lent.maturity,
                "original": lent.original,
                "thin": (lent.people.buffer + lent.people.line < 2 * lent.usual_due)
                & (lent.surplus(at) < lent.usual_due),
            }
        )
    return log


def inspect(truth: pl.DataFrame, ids: Iterable[str]) -> pl.DataFrame:
    """What an inspector finds who looks into these loans: `loan_id, hidden`, as `--audit` takes it."""
    wanted = pl.DataFrame({"loan_id": sorted(set(ids))})
    return wanted.join(truth.select("loan_id", "hidden"), on="loan_id", how="inner")
