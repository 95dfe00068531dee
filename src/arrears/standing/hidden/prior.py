"""Where the hidden-state model starts and what it is held to: judgements, not law and not market.

A state is sound, strained, or bad; bad has two faces, shown (past day 90, openly) and kept (kept alive so that it does
not show). Without them nothing would say which of the states that a fit finds is the hidden one: the tables below name
it by what it looks like, and weigh as many loan-months as `WEIGHT` says. The data move them as far as they reach.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

STATES = ("sound", "strained", "shown", "kept")
SOUND, STRAINED, SHOWN, KEPT = range(4)

_SOUND_DAYS = [0.9850, 0.0140, 0.0008, 0.0001, 0.0001, 0.000001]
DAYS = np.array([
    # by days before: 0, 1-30, 31-60, 61-79, 80-90, 91+, unknown
    # now:  0      1-30   31-60  61-79  80-90  91+
    [_SOUND_DAYS] * 7,
    [
        [0.6000, 0.3300, 0.0500, 0.0100, 0.0090, 0.0010],
        [0.4500, 0.1500, 0.3500, 0.0300, 0.0190, 0.0010],
        [0.2500, 0.0500, 0.1000, 0.4000, 0.1900, 0.0100],
        [0.2000, 0.0300, 0.0500, 0.1200, 0.3500, 0.2500],
        [0.2000, 0.0500, 0.0500, 0.0500, 0.1500, 0.5000],
        [0.2000, 0.1000, 0.0500, 0.0500, 0.0500, 0.5500],
        [0.5000, 0.2500, 0.1200, 0.0600, 0.0400, 0.0300],
    ],
    [[0.0100, 0.0020, 0.0020, 0.0020, 0.0020, 0.9820]] * 7,
    [
        [0.9000, 0.0700, 0.0150, 0.0050, 0.0099, 0.0001],
        [0.7000, 0.2200, 0.0400, 0.0150, 0.0249, 0.0001],
        [0.7200, 0.1000, 0.1000, 0.0300, 0.0499, 0.0001],
        [0.7000, 0.0800, 0.0500, 0.0700, 0.0999, 0.0001],
        [0.4500, 0.0300, 0.0200, 0.0500, 0.4499, 0.0001],
        [0.7000, 0.1000, 0.0600, 0.0600, 0.0799, 0.0001],
        [0.8000, 0.0900, 0.0400, 0.0300, 0.0399, 0.0001],
    ],
])  # fmt: skip
_PAY = np.array([
    # full  alone  partial none  nothing holiday contract
    [0.910, 0.020, 0.010, 0.015, 0.020, 0.005, 0.020],
    [0.390, 0.120, 0.150, 0.230, 0.040, 0.060, 0.010],
    [0.020, 0.030, 0.100, 0.790, 0.040, 0.010, 0.010],
    [0.290, 0.420, 0.100, 0.100, 0.060, 0.020, 0.010],
])  # fmt: skip
_ON_CONTRACT = np.array([
    [0.010, 0.005, 0.005, 0.010, 0.010, 0.005, 0.955],
    [0.020, 0.020, 0.150, 0.250, 0.010, 0.050, 0.500],
    [0.010, 0.010, 0.100, 0.820, 0.010, 0.010, 0.040],
    [0.020, 0.040, 0.050, 0.080, 0.010, 0.010, 0.790],
])  # fmt: skip
PAY = np.stack([_PAY] * 7 + [_ON_CONTRACT], axis=1)
"""By the payment before; where a contract asks for interest alone, paying it says little of any state."""
ACT = np.array([
    # none   down   renewal extend capital newold cut    relief
    [0.9817, 0.0060, 0.0060, 0.0020, 0.0008, 0.0010, 0.0020, 0.0005],
    [0.9490, 0.0050, 0.0100, 0.0120, 0.0030, 0.0030, 0.0060, 0.0120],
    [0.9730, 0.0010, 0.0040, 0.0040, 0.0030, 0.0020, 0.0030, 0.0100],
    [0.8000, 0.0040, 0.0600, 0.0400, 0.0350, 0.0350, 0.0200, 0.0060],
])  # fmt: skip
TIMING = np.array([
    # none  rescue  trip   fell
    [0.9980, 0.0010, 0.0005, 0.0005],
    [0.9740, 0.0200, 0.0020, 0.0040],
    [0.9900, 0.0050, 0.0010, 0.0040],
    [0.8800, 0.0500, 0.0400, 0.0300],
])  # fmt: skip
LOOK = np.array([
    # by look-through days before: 0-30, 31-90, 91+, unknown
    # now:  0-30     31-90    91+
    [[0.99850, 0.00149, 0.00001], [0.9000, 0.0990, 0.0010], [0.3000, 0.1000, 0.6000], [0.9900, 0.0090, 0.0010]],
    [[0.80000, 0.19800, 0.00200], [0.3500, 0.6200, 0.0300], [0.2000, 0.1000, 0.7000], [0.7000, 0.2700, 0.0300]],
    [[0.05000, 0.05000, 0.90000], [0.0200, 0.0300, 0.9500], [0.0100, 0.0100, 0.9800], [0.0500, 0.0500, 0.9000]],
    [[0.60000, 0.25000, 0.15000], [0.1000, 0.4000, 0.5000], [0.0200, 0.0100, 0.9700], [0.3000, 0.2000, 0.5000]],
])  # fmt: skip
"""Not learnt: that a loan shown as paid up is far behind once concessions are undone is what names the kept state."""
OUTSIDE = np.array([[0.88, 0.12], [0.65, 0.35], [0.50, 0.50], [0.50, 0.50]])

TELLING = (2, 3, 4, 5)
"""Acts that a kept loan shows at least `TELLS` times as often as a sound one: else the state is another one."""
TELLS = 2.0

WEIGHT = np.array([50.0, 50.0, 50.0, 400.0])
"""Loan-months that the tables of each state weigh."""

FALLS, STRAIGHT_BAD, RECOVERS, FAILS = 0.008, 0.0003, 0.15, 0.05
"""A month's chance: sound to strained, sound to bad, strained to sound, strained to bad."""
DAYS_WEIGHT = np.array([10.0, 10.0, 10.0, 500.0])
"""Loan-months that each row of days past due weighs: a kept loan is one whose days fall back or stand short of the
notch; one whose days run on is strained, whatever the likelihood would gain by calling it kept."""
MOST_LAPSES, MOST_MENDS, MOST_RECOVERS = 0.04, 0.01, 0.8
CURES, DRESSED, LAPSES, MENDS = 0.02, 0.01, 0.02, 0.005
"""A month's chance: shown to strained, shown to kept (times a branch's share), kept to shown, kept to strained."""
MOVES_WEIGHT = 500.0
START = np.array([0.955, 0.030, 0.015])
START_WEIGHT = 100.0
KEPT_SHARE = 0.25
"""Share of loans that turn bad which a branch keeps from showing, where nothing else is known."""
TRACED = 0.3
"""Share of the kept loans that ask for interest alone whose months give them away: one that is renewed while somebody
pays its interest looks sound, so that what a branch is seen to keep is less than what it keeps."""
BRANCH_WEIGHT = 2.0
"""Loans turned bad that the common share weighs in each branch's own."""
LEVEL_WEIGHT = 20.0
"""Moves that the factor 1 weighs for each sector, region and quarter."""
