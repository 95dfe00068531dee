"""Compiled parts of fitting: loan-months at risk, loan by loan."""

from __future__ import annotations

import numpy as np

from arrears.core.compiled import njit

DEFAULT_DAY = 91
DAYS_A_MONTH = 30.4375
AGES = 120
RECENT, YEAR = 3, 12
SETTLED, CURED, SOLD, DIED, LEFT = 1, 2, 3, 4, -1
CLASS_NONE, CLASS_PART, CLASS_USUAL, CLASS_FULL = 0, 1, 2, 3
# At most this share of the claim may be left of a loan that is settled; an instalment is met within this share of it.
_LEFT, _USUAL = 0.005, 0.05


@njit(cache=True)
def net_backwards(start, cash):  # type: ignore[no-untyped-def]
    """Take each reversal off the payments before it, in place; what finds none is dropped.

    Args:
        start: (n+1,) where the entries of each loan begin; entries of a loan are in the order of time.
        cash: (m,) fen.
    """
    for loan in range(len(start) - 1):
        owing = 0
        for place in range(start[loan + 1] - 1, start[loan] - 1, -1):
            cash[place] += owing
            owing = min(cash[place], 0)
            cash[place] = max(cash[place], 0)


@njit(cache=True)
def _days(month_month, month_days, q, q_end, month):  # type: ignore[no-untyped-def]
    """Days past due at the start of a month and at its end; -1 where one of the two is not told."""
    if q + 1 < q_end and month_month[q] == month - 1 and month_month[q + 1] == month:
        return month_days[q], month_days[q + 1]
    return -1, -1


@njit(cache=True)
def _status(now, filed, judged, month):  # type: ignore[no-untyped-def]
    """Legal status at the start of a month: none before the suit, filed before the judgment, then that of today."""
    if filed >= month:
        return 0
    if judged >= month and now >= 2:
        return 1
    return now


@njit(cache=True)
def _kind(cash, usual, settled):  # type: ignore[no-untyped-def]
    """What kind of payment it was."""
    if cash <= 0:
        return CLASS_NONE
    if settled:
        return CLASS_FULL
    if usual > 0.0 and abs(cash - usual) <= usual * _USUAL:
        return CLASS_USUAL
    return CLASS_PART


@njit(cache=True)
def _end(settled, sold, died, month, after):  # type: ignore[no-untyped-def]
    """How the history of a loan ends in a month; 0 if it goes on."""
    if settled:
        return SETTLED
    if sold == month:
        return SOLD
    if died == month:
        return DIED
    return CURED if 0 <= after < DEFAULT_DAY else 0


@njit(cache=True)
def _landmark(edges, owed, last_paid, month, seen):  # type: ignore[no-untyped-def]
    """Fifth of the balance, and how long ago the last payment was, with so many months seen before."""
    balance = 0
    while balance < len(edges) and owed >= edges[balance]:
        balance += 1
    if last_paid < 0:
        return balance, 2 if seen >= YEAR else 3
    since = month - last_paid
    return balance, int(since > RECENT) + int(since > YEAR)


@njit(cache=True)
def walk(  # type: ignore[no-untyped-def]
    first_loan, last_loan, begin, end, month_day, claim, origin, closed, sold, died, filed, judged,
    legal, before, usual, edges, pay_start, pay_month, pay_cash, month_start, month_month, month_days,
    loan_out, month_out, age_out, balance_out, last_out, legal_out, class_out, share_out, owed_out,
    spell_out,
):  # fmt: skip
    """Loan-months at risk of loans first_loan to last_loan; gives how many. Arrays without rows: count only.

    A month is at risk where the loan is 91 days past due or more on its first day, owes anything, and is seen:
    loans enter at the age at which observation begins (left truncation), and leave by settlement, sale, death or
    the end of observation (censoring). Balance and last payment are those at the last landmark: the entry, or a
    whole number of years before the end. So is the age: from a landmark on it goes with the calendar, and the
    loan stays a claim, whether it cures or falls due no further, since a forecast cannot know that beforehand.

    Args:
        begin, end: first and last month that `payments` show.
        month_day: (end - begin + 2,) day number of the first of each month.
        claim: (n,) owed at the cut-off date, or let go without payment before it.
        origin: (n,) day number of the first unpaid due date; below 0 where there is none.
        closed: (n,) month after which nothing is owed though not all was paid; -1 where there is none. A payment in
            it settles the loan.
        sold, died, filed, judged, before: (n,) months of the sale, the death, the suit, the judgment, the last
            payment told by the loan; -1 where none.
        usual: (n,) usual instalment, fen; 0 where not known.
        edges: (4,) fen.
        pay_*: payments by loan (start) and month, netted. month_*: days past due at the month's end, likewise.
        spell_out: 1 settled, 2 cured, 3 sold, 4 died in the month; -1 where it is no longer past day 91; else 0.
    """
    counting = len(loan_out) == 0
    rows = 0
    for loan in range(first_loan, last_loan):
        p, p_end = pay_start[loan], pay_start[loan + 1]
        q, q_end = month_start[loan], month_start[loan + 1]
        told = q_end > q
        owed = float(claim[loan])
        for place in range(p, p_end):
            owed += pay_cash[place]
        last_paid = before[loan] if before[loan] < begin else -1
        inside, begun, balance, last = False, 0, 0, 0
        for month in range(begin, end + 1):
            days, after = -1, -1
            if told:
                while q < q_end and month_month[q] < month - 1:
                    q += 1
                days, after = _days(month_month, month_days, q, q_end, month)
            elif origin[loan] >= 0:
                days = month_day[month - begin] - origin[loan]
            cash = 0
            while p < p_end and pay_month[p] <= month:
                if pay_month[p] == month:
                    cash += pay_cash[p]
                p += 1
            gone = (0 <= sold[loan] < month) or (0 <= died[loan] < month)
            gone = gone or (0 <= closed[loan] < month)
            late = days >= DEFAULT_DAY
            inside = inside and days >= 0 and (end + 1 - month) % YEAR != 0
            begun = begun if inside else month_day[month - begin] - days
            age = int((month_day[month - begin] - begun - DEFAULT_DAY) / DAYS_A_MONTH)
            if (late or inside) and owed > 0.0 and not gone and age < AGES:
                if not inside:
                    balance, last = _landmark(edges, owed, last_paid, month, month - begin)
                left = owed - cash
                full = left <= owed * _LEFT
                settled = full or (closed[loan] == month and cash > 0)
                if not counting:
                    loan_out[rows], month_out[rows], age_out[rows] = loan, month, age
                    balance_out[rows], last_out[rows] = balance, last
                    legal_out[rows] = _status(legal[loan], filed[loan], judged[loan], month)
                    class_out[rows] = _kind(cash, usual[loan], full)
                    share_out[rows], owed_out[rows] = min(cash / owed, 1.0), owed
                    cause = _end(settled, sold[loan], died[loan], month, after)
                    spell_out[rows] = cause if late else LEFT
                rows += 1
                inside = not settled
            else:
                inside = False
            owed -= cash
            if cash > 0:
                last_paid = month
    return rows


@njit(cache=True)
def score_sums(  # type: ignore[no-untyped-def]
    loan, columns, spline, band, chance, paid, width, shift, meat,
):  # fmt: skip
    """Add to `meat` (width, width) the outer products of each loan's score sums (the middle of the sandwich).

    Args:
        loan: (r,) loan of each row, rows of a loan together.
        columns: (r, T) design column of each term's level, -1 for none.
        spline: (bands, S) columns that go with age, at `shift` and after; the intercept first.
        band: (r,) band of ages; chance, paid: (r,).
    """
    total = np.zeros(width)
    for row in range(len(loan)):
        rest = paid[row] - chance[row]
        for place in range(spline.shape[1]):
            total[shift + place] += rest * spline[band[row], place]
        for term in range(columns.shape[1]):
            if columns[row, term] >= 0:
                total[columns[row, term]] += rest
        if row + 1 == len(loan) or loan[row + 1] != loan[row]:
            for one in range(width):
                if total[one] != 0.0:
                    for two in range(width):
                        meat[one, two] += total[one] * total[two]
            total[:] = 0.0
